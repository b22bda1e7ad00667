// Walks while others insert, erase, grow and shrink: what is there throughout comes exactly once.
#include <ss/ss.hpp>

#include "support/barrier.hpp"
#include "support/expect.hpp"
#include "support/process.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <map>
#include <ranges>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

BOOST_AUTO_TEST_SUITE(structure_iteration)

using namespace ss::test;
using namespace std::chrono_literals;

namespace {

using Table = ss::HashTable<>;

static_assert(std::input_iterator<Table::iterator>);
static_assert(std::ranges::input_range<Table> && std::ranges::input_range<const Table>);
static_assert(std::is_same_v<decltype(*std::declval<Table::iterator>()), std::pair<std::string, std::string>>);

std::string key_of(int number) { return "stays " + std::to_string(number); }

void fill(Table& table, int stays) {
    for (int i = 0; i < stays; ++i) table.insert(key_of(i), std::to_string(i));
}

/// One walk. Empty if every key of 0 … stays came once and with its value, else what is wrong.
std::string walk(const Table& table, int stays) {
    std::vector<int> times(static_cast<std::size_t>(stays));
    std::set<std::string> others;
    for (const auto& [key, value] : table) {
        if (!key.starts_with("stays ")) {
            // It may have gone and come again meanwhile, so twice is no mistake; a wrong value is.
            if (value != "value of " + key) return key + " has the value " + value;
            continue;
        }
        if (key != "stays " + value) return key + " has the value " + value;
        ++times[static_cast<std::size_t>(std::stoi(value))];
    }
    for (std::size_t i = 0; i < times.size(); ++i)
        if (times[i] != 1)
            return "key " + std::to_string(i) + " of " + std::to_string(stays) + " came " + std::to_string(times[i]) +
                   " times";
    return {};
}

/// Makes the table grow and shrink for ever: `more` keys come, and go again.
void breathe(Table& table, int more, const std::atomic<bool>& stop) {
    while (!stop) {
        for (int i = 0; i < more && !stop; ++i) {
            const std::string key = "comes " + std::to_string(i);
            table.insert(key, "value of " + key);
        }
        for (int i = 0; i < more; ++i) table.erase("comes " + std::to_string(i));
    }
}

/// Walks for `duration` while another process makes the table breathe.
void walk_beside_a_writer(int stays, int more, std::chrono::milliseconds duration) {
    const Watchdog dog(60, "a walk beside a writer");
    const ss::Pool pool = ss::Pool::anonymous();
    Table table(pool, "table", {.bits = 0});
    fill(table, stays);
    Shared<std::atomic<bool>> stop(false);
    Process writer([&] { breathe(table, more, *stop); });
    int walks = 0;
    int bad = 0;
    std::set<unsigned> bits;
    const auto end = std::chrono::steady_clock::now() + duration;
    while (std::chrono::steady_clock::now() < end) {
        ++walks;
        bits.insert(table.bits());
        const std::string problem = walk(table, stays);
        if (!problem.empty() && ++bad <= 3) BOOST_ERROR("walk " << walks << ": " << problem);
    }
    *stop = true;
    writer.expect_clean();
    BOOST_TEST(bad == 0, bad << " of " << walks << " walks were wrong");
    BOOST_TEST(bits.size() > 1, "the table had always " << *bits.begin() << " bits: it neither grew nor shrank");
    BOOST_TEST(wrong_with(pool) == "");
    BOOST_TEST_MESSAGE(stays << " stay, " << more << " come and go: " << walks << " walks, " << *bits.begin()
                             << " to " << *bits.rbegin() << " bits");
}

} // namespace

BOOST_AUTO_TEST_CASE(beside_a_writer_of_a_small_table) { walk_beside_a_writer(5, 30, 2000ms); }
BOOST_AUTO_TEST_CASE(beside_a_writer_of_a_middling_table) { walk_beside_a_writer(200, 2000, 1500ms); }

BOOST_AUTO_TEST_SUITE_END()
