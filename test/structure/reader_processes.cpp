// Readers beside writers in processes of several threads, some of which have the pool mapped read-only.
#include <ss/registry.hpp>

#include "structure/self_checking.hpp"
#include "support/barrier.hpp"
#include "support/expect.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <random>
#include <string>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(structure_reader_processes)

using namespace ss::test;
using namespace std::chrono_literals;

namespace {

/// Two processes, of a writer and a reader each as threads, and a third that may only read.
template <class Table>
void processes(std::chrono::milliseconds duration) {
    const TempDir directory;
    const ss::Pool pool(directory / "pool");
    Shared<Tally> tally;
    {
        std::mt19937_64 engine(9);
        Table(pool, "t", {.bits = 0}).insert("0", make_value("0", engine));
    }
    const auto both = [&](unsigned seed) {
        const ss::Pool own(directory / "pool");
        std::thread reader([&] { read(Table(own, "t"), *tally); });
        write(Table(own, "t"), *tally, seed);
        reader.join();
    };
    std::vector<Process> all;
    all.emplace_back([&] { both(1); });
    all.emplace_back([&] { both(2); });
    if constexpr (ss::is_optimistic<typename Table::lock_policy>)
        all.emplace_back([&] {
            const ss::Pool own(directory / "pool", {.access = ss::Access::read_only});
            read(Table(own, "t"), *tally);
        });
    std::this_thread::sleep_for(duration);
    tally->stop = true;
    for (Process& process : all) process.expect_clean();
    check(*tally, ss::registry::profile_name<Table>());
    BOOST_TEST(wrong_with(pool) == "");
}

/// Of NullLock: one writer, and readers that may only read.
template <class Table>
void one_writer(std::chrono::milliseconds duration) {
    const TempDir directory;
    const ss::Pool pool(directory / "pool");
    Table t(pool, "t", {.bits = 0});
    std::mt19937_64 engine(9);
    t.insert("0", make_value("0", engine));
    Shared<Tally> tally;
    std::vector<Process> all;
    if constexpr (ss::is_optimistic<typename Table::lock_policy>)
        for (int i = 0; i < 2; ++i)
            all.emplace_back([&] {
                const ss::Pool own(directory / "pool", {.access = ss::Access::read_only});
                read(Table(own, "t"), *tally);
            });
    Process other([&] {
        const ss::Pool own(directory / "pool");
        BOOST_TEST(thrown_by([&] { Table(own, "t").insert("k", "v"); }) == error(ss::errc::in_use));
    });
    other.expect_clean();
    std::thread timer([&] {
        std::this_thread::sleep_for(duration);
        tally->stop = true;
    });
    write(t, *tally, 1);
    timer.join();
    for (Process& process : all) process.expect_clean();
    if (all.empty()) {
        tally->stop = false;
        std::thread again([&] {
            std::this_thread::sleep_for(20ms);
            tally->stop = true;
        });
        t.insert("0", make_value("0", engine));
        read(t, *tally);
        again.join();
    }
    check(*tally, ss::registry::profile_name<Table>());
    BOOST_TEST(wrong_with(pool) == "");
}

} // namespace

BOOST_AUTO_TEST_CASE(processes_of_several_threads) {
    const Watchdog dog(100, "readers and writers in processes");
    boost::hana::for_each(ss::registry::few_hash_tables, [](auto type) {
        using Table = typename decltype(type)::type;
        if constexpr (is_null<Table>)
            one_writer<Table>(400ms);
        else
            processes<Table>(400ms);
    });
}

BOOST_AUTO_TEST_SUITE_END()
