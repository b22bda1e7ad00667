// An AtomicVector that several processes work on while others make it larger, are killed, fork, remove it: no addition is
// lost, and nobody reads or writes what is not his.
#include <ss/ss.hpp>

#include "structure/atomic_vector_support.hpp"
#include "support/barrier.hpp"
#include "support/expect.hpp"
#include "support/process.hpp"
#include "support/sanitizer.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(structure_atomic_vector_processes)

using namespace ss::test;
using ss::AtomicVector;
using ss::errc;

namespace {

/// Those that several sessions may write to.
using Shareable =
    std::tuple<AtomicVector<std::int64_t>, AtomicVector<std::int32_t, ss::LogarithmicAllocator, ss::SpinLock>,
               AtomicVector<std::uint32_t, ss::SegregatedAllocator, ss::FutexLock>,
               AtomicVector<double, ss::SimpleAllocator, ss::RobustMutex>>;

template <class Vector>
auto sum_of(const Vector& vector) {
    typename Vector::value_type sum = 0;
    vector.for_each([&](std::uint64_t, typename Vector::value_type value) { sum += value; });
    return sum;
}

} // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(additions_while_it_grows, Vector, Shareable) {
    using T = typename Vector::value_type;
    const Watchdog dog(100, "additions");
    const TempDir directory;
    const ss::Pool pool(directory / "pool");
    Vector vector(pool, "v");
    vector.expand(1);
    constexpr int additions = 50'000 / slowness, workers = 3;
    constexpr std::uint64_t end = 400'000;
    Shared<Counter> ended(0U);
    std::vector<Process> all;
    for (int worker = 0; worker < workers; ++worker)
        all.emplace_back([&, worker] {
            Vector mine(ss::Pool(directory / "pool"), "v");
            std::mt19937_64 random(static_cast<unsigned>(worker));
            for (int i = 0; i < additions; ++i) {
                const std::uint64_t size = mine.size(); // the newest one, too
                mine.fetch_add(i % 2 == 0 ? size - 1 : random() % size, 1);
            }
            ++*ended;
        });
    for (int expander = 0; expander < 2; ++expander)
        all.emplace_back([&, expander] {
            Vector mine(ss::Pool(directory / "pool"), "v");
            std::mt19937_64 random(static_cast<unsigned>(10 + expander));
            for (std::uint64_t size = 1; size < end && *ended < workers; size = mine.size()) {
                mine.expand(size + 1 + random() % (size < 10'000 ? 5 : size / 200));
                if (mine.size() <= size) throw std::runtime_error("it has not grown");
            }
        });
    // A third kind: looks only.
    std::uint64_t last = 0;
    while (*ended < workers) {
        const std::uint64_t size = vector.size();
        BOOST_REQUIRE(size >= last);
        last = size;
        BOOST_REQUIRE((vector.load(size - 1) >= 0));
        BOOST_REQUIRE(vector.snapshot().size() >= size);
    }
    for (Process& process : all) process.expect_clean();
    BOOST_TEST(sum_of(vector) == static_cast<T>(additions * workers));
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(expanders_that_are_killed, Vector, Shareable) {
    using T = typename Vector::value_type;
    const Watchdog dog(100, "killed expanders");
    const TempDir directory;
    const ss::Pool pool(directory / "pool");
    Vector vector(pool, "v");
    vector.expand(1);
    Shared<Counter> added(0U);
    const auto work = [&](unsigned seed) {
        return Process([&, seed] {
            Vector mine(ss::Pool(directory / "pool"), "v");
            std::mt19937_64 random(seed);
            for (;;) {
                const std::uint64_t size = mine.size();
                if (random() % 4 == 0)
                    mine.expand(size < 2'000'000 ? size + 1 + random() % (size / 8 + 2) : 0);
                else {
                    mine.fetch_add(size - 1 - random() % std::min<std::uint64_t>(size, 1000), 1);
                    ++*added;
                }
            }
        });
    };
    std::vector<Process> workers;
    for (unsigned i = 0; i < 3; ++i) workers.push_back(work(i));
    std::uint64_t kills = 0, last = 0;
    for (unsigned i = 3; i < 60; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5 * slowness));
        BOOST_REQUIRE(workers[i % 3].kill().killed());
        ++kills;
        workers[i % 3] = work(i);
        const std::uint64_t size = vector.size();
        BOOST_REQUIRE(size >= last);
        last = size;
        if (i % 10 == 0) BOOST_REQUIRE(wrong_with(pool) == "");
    }
    for (Process& worker : workers) kills += worker.kill().killed() ? 1U : 0U;
    BOOST_TEST(wrong_with(pool) == "");
    // Whoever was killed between the addition and his own count has added one more than he said.
    BOOST_TEST((sum_of(vector) >= static_cast<T>(added->load())));
    BOOST_TEST((sum_of(vector) <= static_cast<T>(added->load() + kills)));
    vector.expand(vector.size() + 100'000);
    BOOST_TEST((vector.load(vector.size() - 1) == 0));
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(both_go_on_after_a_fork, Vector, Shareable) {
    const Watchdog dog(60, "parent and children");
    for (const bool with_path : {true, false}) {
        const TempDir directory;
        const ss::Pool pool = with_path ? ss::Pool(directory / "pool") : ss::Pool::anonymous();
        Vector vector(pool, "v");
        vector.expand(3);
        vector.store(2, 5);
        std::vector<Process> children;
        for (unsigned c = 0; c < 3; ++c)
            children.emplace_back([&, c] {
                BOOST_TEST(vector.load(2) == 5);
                for (int i = 0; i < 1000; ++i) vector.fetch_add(c % 2, 1);
                vector.expand(1000 * (c + 1));
                Process grandchild([&] { vector.fetch_add(1000 * (c + 1) - 1, 1); });
                grandchild.expect_clean();
            });
        for (int i = 0; i < 1000; ++i) vector.fetch_add(0, 1);
        for (Process& child : children) child.expect_clean();
        BOOST_TEST((vector.load(0) == 3000 && vector.load(1) == 1000 && vector.size() == 3000U));
        BOOST_TEST((vector.load(999) == 1 && vector.load(1999) == 1 && vector.load(2999) == 1));
        BOOST_TEST(wrong_with(pool) == "");
    }
}

// Removed while others are at it: they are told so, and what they still write hits nobody else's memory.
BOOST_AUTO_TEST_CASE(removed_while_others_add) {
    const Watchdog dog(60, "removing");
    const TempDir directory;
    std::optional<ss::Pool> pool(std::in_place, directory / "pool");
    constexpr std::uint64_t size = 5000;
    {
        AtomicVector<std::uint64_t> vector(*pool, "v");
        vector.expand(size);
        Shared<Counter> begun(0U);
        std::vector<Process> workers;
        for (unsigned worker = 0; worker < 3; ++worker)
            workers.emplace_back([&, worker] {
                AtomicVector<std::uint64_t> mine(ss::Pool(directory / "pool"), "v");
                std::mt19937_64 random(worker);
                ++*begun;
                BOOST_TEST(thrown_by([&] {
                               for (;;) mine.fetch_add(random() % size, 1);
                           }) == error(errc::no_such_object));
            });
        wait_until([&] { return *begun == 3; }, "the workers have begun");
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        BOOST_TEST(pool->remove_object("v"));
        // Whatever takes its memory would be hit by them.
        ss::HashTable<> table(*pool, "t");
        const std::string value(40'000, 'x');
        for (int i = 0; i < 20; ++i) table.insert(std::to_string(i), value);
        for (Process& worker : workers) worker.expect_clean();
        for (int i = 0; i < 20; ++i) BOOST_TEST((table.at(std::to_string(i)) == value));
        BOOST_TEST(table.stats().garbage_bytes >= size * 8);
        BOOST_TEST(wrong_with(*pool) == "");
    }
    // A new era: everybody has left, and it is freed.
    pool.reset();
    pool.emplace(directory / "pool");
    ss::HashTable<> table(*pool, "t");
    for (int i = 0; i < 20 && table.stats().garbage_bytes != 0; ++i) table.insert("k", std::to_string(i));
    BOOST_TEST(table.stats().garbage_bytes == 0U);
    BOOST_TEST(wrong_with(*pool) == "");
}

BOOST_AUTO_TEST_SUITE_END()
