// A domain gets its policies from the first structure made in it: here processes with different policies all try to be
// that first, again and again. One of the profiles has it, all others are told so, and nothing is lost.
#include <ss/ss.hpp>

#include "support/barrier.hpp"
#include "support/expect.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(domain_claim_race)

using namespace ss::test;
using ss::errc;

namespace {

constexpr int rounds = 40;
constexpr unsigned racers = 6; // two of each profile

struct Results {
    std::array<std::atomic<int>, rounds> winners{}; ///< racers that made their table
    std::array<std::atomic<int>, rounds> refused{}; ///< racers that were told of other policies
};

std::filesystem::path pool_of(const TempDir& directory, int round) {
    return directory / ("pool" + std::to_string(round));
}

/// Makes a table in each round's pool, at the same time as all others, and keeps it until all have tried.
template <class Table>
void race(const TempDir& directory, const Barrier& barrier, Results& results, const std::string& me) {
    for (int round = 0; round < rounds; ++round) {
        const ss::Pool pool(pool_of(directory, round), {.max_size = 4 << 20});
        std::optional<Table> table;
        barrier.arrive_and_wait();
        try {
            table.emplace(pool, "table");
            table->insert(me, me);
            ++results.winners[static_cast<std::size_t>(round)];
        } catch (const ss::Error& error) {
            if (error.code() != errc::other_policies) throw;
            ++results.refused[static_cast<std::size_t>(round)];
        }
        barrier.arrive_and_wait();
        if (table) BOOST_TEST(table->size() == 2U); // its twin has the same policies
    }
}

} // namespace

BOOST_AUTO_TEST_CASE(one_profile_gets_the_domain) {
    const Watchdog dog(120, "racers that claim a domain");
    const TempDir directory;
    const Barrier barrier(racers);
    const Shared<Results> results;
    std::vector<Process> all;
    for (const std::string me : {"a", "b"}) {
        all.emplace_back([&, me] { race<ss::HashTable<>>(directory, barrier, *results, me); });
        all.emplace_back([&, me] { race<ss::HashTable<>::with<ss::SpinLock>>(directory, barrier, *results, me); });
        all.emplace_back(
            [&, me] { race<ss::HashTable<>::with<ss::LogarithmicAllocator>>(directory, barrier, *results, me); });
    }
    for (Process& racer : all) racer.expect_clean();
    for (int round = 0; round < rounds; ++round) {
        BOOST_TEST(results->winners[static_cast<std::size_t>(round)] == 2);
        BOOST_TEST(results->refused[static_cast<std::size_t>(round)] == static_cast<int>(racers) - 2);
        const ss::Pool pool(pool_of(directory, round));
        BOOST_TEST(wrong_with(pool) == "");
        BOOST_TEST(pool.objects().size() == 1U);
    }
}

BOOST_AUTO_TEST_SUITE_END()
