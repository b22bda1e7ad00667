// Readers beside writers in threads that share one mapping, each with a handle of its own: what ThreadSanitizer can follow.
#include <ss/registry.hpp>

#include "structure/self_checking.hpp"
#include "support/expect.hpp"
#include "support/process.hpp"
#include "support/sanitizer.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(structure_reader_threads)

using namespace ss::test;
using namespace std::chrono_literals;

namespace {

/// One writer and two readers are threads of this process, each with a handle of its own.
template <class Table>
void threads(std::chrono::milliseconds duration) {
    const ss::Pool pool = ss::Pool::anonymous();
    Table t(pool, "t", {.bits = 0});
    Tally tally;
    std::array all = {std::thread([&] { write(Table(pool, "t"), tally, 1); }),
                      std::thread([&] { write(t, tally, 2); }), std::thread([&] { read(Table(pool, "t"), tally); }),
                      std::thread([&] { read(t, tally); })};
    std::this_thread::sleep_for(duration);
    tally.stop = true;
    for (std::thread& thread : all) thread.join();
    check(tally, ss::registry::profile_name<Table>());
    BOOST_TEST(wrong_with(pool) == "");
}

} // namespace

BOOST_AUTO_TEST_CASE(threads_of_one_mapping) {
    const Watchdog dog(100, "readers and writers in threads");
    boost::hana::for_each(ss::registry::few_hash_tables, [](auto type) {
        using Table = typename decltype(type)::type;
        if constexpr (!is_null<Table>) threads<Table>(250ms * slowness);
    });
    threads<ss::HashTable<>::with<ss::Striped<ss::DefaultLock>>>(250ms * slowness);
}

BOOST_AUTO_TEST_CASE(the_size_is_exact) {
    // Two keys always come and go together, so that every moment has an even number of them.
    const Watchdog dog(60, "counting");
    const ss::Pool pool = ss::Pool::anonymous();
    ss::HashTable<> t(pool, "t");
    Tally tally;
    std::thread writer([&] {
        while (!tally.stop) {
            ss::transaction(t, [&](auto& tx) {
                t.insert(tx, "a", "1");
                t.insert(tx, "b", "1");
            });
            ss::transaction(t, [&](auto& tx) {
                t.erase(tx, "b");
                t.erase(tx, "a");
            });
            ++tally.writes;
        }
    });
    Process counter([&] {
        const auto end = std::chrono::steady_clock::now() + 300ms;
        while (std::chrono::steady_clock::now() < end) BOOST_REQUIRE(t.size() % 2 == 0);
    });
    const auto end = std::chrono::steady_clock::now() + 400ms;
    while (std::chrono::steady_clock::now() < end) BOOST_REQUIRE(t.size() % 2 == 0);
    tally.stop = true;
    writer.join();
    counter.expect_clean();
}

BOOST_AUTO_TEST_SUITE_END()
