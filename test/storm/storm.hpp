// A storm: processes that do all kinds of operations on one pool, one of them killed every few milliseconds and replaced,
// and what must be true however many died.
//
//     "a", "b"    accounts: transactions move units from one to the other, and the sum of all never changes
//     "values"    keys with values that say which key they belong to, inserted, overwritten, erased, walked
//     "side"      filled and cleared again and again
//     "counts"    incr by whoever lives; each process writes down in memory of its own how often it has done so
//     and trees, see trees.hpp, queues, see queues.hpp and priority_queues.hpp, and vectors, see atomic_vectors.hpp
#pragma once

#include <ss/registry.hpp>

#include "storm/atomic_vectors.hpp"
#include "storm/priority_queues.hpp"
#include "storm/queues.hpp"
#include "storm/trees.hpp"
#include "support/barrier.hpp"
#include "support/expect.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/hana/for_each.hpp>
#include <boost/hana/tuple.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace ss::test {

inline constexpr unsigned storm_workers = 8;
inline constexpr std::int64_t accounts = 64;
inline constexpr std::int64_t units = 1000; ///< in each account at first

/// What the workers tell the parent; it outlives them.
struct StormTally {
    std::array<std::atomic<std::uint64_t>, storm_workers> operations{};
    std::atomic<std::uint64_t> counted{0};               ///< incr that returned
    std::atomic<std::uint64_t> counted_in_tree{0};       ///< the same
    std::atomic<std::uint64_t> jobs_done{0};             ///< acknowledgements that returned
    std::array<std::atomic<std::uint64_t>, 24> stalls{}; ///< operations by log2 of their microseconds
    StormVectorTally<storm_workers> vectors;
    std::atomic<std::uint64_t> wrong{0};
};

/// One worker: never returns.
template <class Table>
[[noreturn]] void storm_work(const std::filesystem::path& path, unsigned worker, unsigned seed, StormTally& tally) {
    const Pool pool(path);
    std::array<Table, 2> books{Table(pool, "a"), Table(pool, "b")};
    Table values(pool, "values", {.bits = 2}), side(pool, "side", {.bits = 0}), counts(pool, "counts");
    StormTrees<Table> trees(pool);
    StormPriorityQueues<Table> heaps(pool);
    StormQueues<Table> queues(pool);
    StormVectors<Table, storm_workers> vectors(pool);
    vectors.take_over(worker, tally.vectors, tally.wrong);
    std::mt19937 random(seed);
    const auto below = [&](unsigned limit) { return static_cast<unsigned>(random() % limit); };
    const auto value_of = [&](const std::string& key) { return key + std::string(below(200), 'v') + key; };
    const auto is_right = [&](const std::string& key, const std::string& value) {
        return value.size() >= 2 * key.size() && value.starts_with(key) && value.ends_with(key);
    };
    for (;;) {
        const auto begin = std::chrono::steady_clock::now();
        const std::string key = "key" + std::to_string(below(3000));
        switch (below(32)) {
        case 0:
        case 1: {
            const std::string from = std::to_string(below(accounts)), to = std::to_string(below(accounts));
            const auto amount = static_cast<std::int64_t>(below(9)) - 4;
            Table& debited = books[below(2)];
            Table& credited = books[below(2)];
            transaction(debited, [&](auto& tx) {
                debited.incr(tx, from, -amount);
                credited.incr(tx, to, amount);
            });
            break;
        }
        case 2:
        case 3:
        case 4:
            values.insert(key, value_of(key));
            break;
        case 5:
        case 6:
            values.erase(key);
            break;
        case 7:
            counts.incr("all", 1);
            tally.counted.fetch_add(1);
            break;
        case 8:
            if (const auto found = values.find(key); found && !is_right(key, *found)) ++tally.wrong;
            if (below(100) == 0)
                values.for_each([&](std::string_view walked, std::string_view value) {
                    if (!is_right(std::string(walked), std::string(value))) ++tally.wrong;
                });
            break;
        case 9:
            side.insert(key, key);
            if (below(200) == 0) side.clear();
            break;
        case 10:
        case 11:
        case 12:
        case 13:
            heaps.work(random, values, tally.wrong);
            break;
        case 14:
        case 15:
        case 16:
        case 17:
            queues.work(random, tally.wrong, tally.jobs_done);
            break;
        case 18:
        case 19:
        case 20:
        case 21:
            vectors.work(random, worker, tally.vectors, tally.wrong);
            break;
        default:
            trees.work(random, worker, books[below(2)], accounts, tally.wrong, tally.counted_in_tree);
        }
        const auto took =
            std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
        ++tally.stalls[std::min(23U, log2_ceil(static_cast<std::uint64_t>(took.count()) + 1))];
        ++tally.operations[worker];
    }
}

/// All units of all accounts, those in the tree too.
template <class Table>
std::int64_t sum_of(const Pool& pool) {
    std::int64_t sum = 0;
    for (const char* const name : {"a", "b"})
        for (std::int64_t i = 0; i < accounts; ++i)
            sum += Table(pool, name).template find_as<std::int64_t>(std::to_string(i)).value_or(0);
    return sum + StormTrees<Table>(pool).sum();
}

/// Storms over one profile for so long, checks all that must be true, and prints a line of what there was.
template <class Table>
void storm(std::chrono::milliseconds duration) {
    const Watchdog dog(static_cast<unsigned>(duration.count() / 1000 + 120), "a storm");
    const TempDir directory;
    const auto path = directory / "pool";
    Pool pool(path);
    {
        Table a(pool, "a"), b(pool, "b");
        for (std::int64_t i = 0; i < accounts; ++i) {
            a.incr(std::to_string(i), units);
            b.incr(std::to_string(i), units);
        }
        StormTrees<Table>(pool).begin();
        StormPriorityQueues<Table>(pool).begin();
        StormQueues<Table>(pool).begin();
        StormVectors<Table, storm_workers>(pool).begin();
    }
    Shared<StormTally> tally;
    std::mt19937 random(20'26);
    std::vector<Process> workers;
    const auto start = [&](unsigned worker) {
        const auto seed = static_cast<unsigned>(random());
        return Process([&path, worker, seed, &tally] { storm_work<Table>(path, worker, seed, *tally); });
    };
    for (unsigned worker = 0; worker < storm_workers; ++worker) workers.push_back(start(worker));
    std::uint64_t kills = 0;
    const auto end = std::chrono::steady_clock::now() + duration;
    while (std::chrono::steady_clock::now() < end) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        const auto victim = static_cast<unsigned>(random() % storm_workers);
        BOOST_REQUIRE_MESSAGE(workers[victim].kill().killed(), "a worker ended by itself");
        workers[victim] = start(victim);
        if (++kills % 300 == 0) BOOST_TEST(wrong_with(pool) == "");
    }
    // Nobody is stuck: each of those that live does something within five seconds.
    std::array<std::uint64_t, storm_workers> before{};
    for (unsigned i = 0; i < storm_workers; ++i) before[i] = tally->operations[i];
    for (unsigned i = 0; i < storm_workers; ++i) {
        const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(5);
        while (tally->operations[i] == before[i] && std::chrono::steady_clock::now() < limit)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        BOOST_TEST(tally->operations[i] != before[i], "worker " << i << " is stuck");
    }
    for (Process& worker : workers) BOOST_TEST(worker.kill().killed());
    kills += storm_workers;

    BOOST_TEST(wrong_with(pool) == "");
    BOOST_TEST(sum_of<Table>(pool) == 2 * accounts * units);
    BOOST_TEST(tally->wrong == 0U);
    // Whoever was killed between his incr and his own count has counted one more than he said.
    const auto counted = Table(pool, "counts").template find_as<std::int64_t>("all").value_or(0);
    BOOST_TEST(static_cast<std::uint64_t>(counted) >= tally->counted);
    BOOST_TEST(static_cast<std::uint64_t>(counted) <= tally->counted + kills);
    const StormTrees<Table> trees(pool);
    BOOST_TEST(static_cast<std::uint64_t>(trees.counted()) >= tally->counted_in_tree);
    BOOST_TEST(static_cast<std::uint64_t>(trees.counted()) <= tally->counted_in_tree + kills);
    trees.check();
    StormPriorityQueues<Table>(pool).check();
    StormQueues<Table> queues(pool);
    BOOST_TEST(queues.done() >= tally->jobs_done);
    BOOST_TEST(queues.done() <= tally->jobs_done + kills);
    const std::uint64_t jobs_done = queues.done();
    queues.check();
    StormVectors<Table, storm_workers>(pool).check(tally->vectors, kills);

    std::uint64_t operations = 0;
    for (const auto& stall : tally->stalls) operations += stall;
    unsigned longest = 23;
    while (longest > 0 && tally->stalls[longest] == 0) --longest;
    std::printf(
        "storm %-28s %9llu operations %7llu jobs %5llu kills %5llu recoveries, no operation over %.3f s; over 1 ms: "
        "%llu, over 16 ms: %llu\n",
        registry::profile_name<Table>().c_str(), static_cast<unsigned long long>(operations),
        static_cast<unsigned long long>(jobs_done), static_cast<unsigned long long>(kills),
        static_cast<unsigned long long>(Table(pool, "a").stats().recoveries),
        static_cast<double>(1U << longest) / 1e6, static_cast<unsigned long long>([&] {
            std::uint64_t n = 0;
            for (unsigned i = 11; i < 24; ++i) n += tally->stalls[i];
            return n;
        }()),
        static_cast<unsigned long long>([&] {
            std::uint64_t n = 0;
            for (unsigned i = 15; i < 24; ++i) n += tally->stalls[i];
            return n;
        }()));
}

/// The tables of the storms beside the default one: every other lock that several sessions can use, each policy once.
inline constexpr auto other_storm_tables =
    boost::hana::tuple_t<HashTable<>::with<SpinLock>, HashTable<>::with<FutexLock>, HashTable<>::with<RobustMutex>,
                         HashTable<SimpleAllocator, Optimistic<SpinLock>, Fnv1a64>,
                         HashTable<LogarithmicAllocator, Optimistic<RobustMutex>, SipHash13>>;

} // namespace ss::test
