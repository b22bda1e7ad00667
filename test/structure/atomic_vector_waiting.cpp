// Waiting for an element: in this process and in others, with a time-out, and who is killed on either side.
#include <ss/ss.hpp>

#include "structure/atomic_vector_support.hpp"
#include "support/barrier.hpp"
#include "support/expect.hpp"
#include "support/process.hpp"
#include "support/sanitizer.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(structure_atomic_vector_waiting)

using namespace ss::test;
using namespace std::chrono_literals;
using ss::AtomicVector;
using ss::errc;
using Clock = std::chrono::steady_clock;

namespace {

/// True when somebody has left word that he waits for the element.
template <class Vector>
bool somebody_waits(Vector& vector, std::uint64_t index) {
    return (ss::load(ss::detail::wait_word(head_of(vector), index)) & 1) != 0;
}

template <class Vector>
void wait_for_sleeper(Vector& vector, std::uint64_t index) {
    wait_until([&] { return somebody_waits(vector, index); }, "somebody sleeps");
}

double milliseconds_since(Clock::time_point begin) {
    return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

/// (Inlined, g++ 12 warns of it without reason.)
[[gnu::noinline]] Ending ending_of(Process& process) { return process.wait(); }

} // namespace

BOOST_AUTO_TEST_CASE(nothing_changes) {
    const ss::Pool pool = ss::Pool::anonymous();
    AtomicVector<std::uint32_t> vector(pool, "v");
    vector.expand(20);
    for (const auto timeout : {0ms, 1ms, 30ms, 250ms}) {
        const auto begin = Clock::now();
        BOOST_TEST(!vector.wait(3, 0, timeout));
        BOOST_TEST((Clock::now() - begin >= timeout));
    }
    BOOST_TEST(!vector.wait(3, 0, -1s));
    // Who is gone is not waited for: the next who notifies finds out, and those after him pay nothing.
    BOOST_TEST((somebody_waits(vector, 3) && somebody_waits(vector, 19) && !somebody_waits(vector, 4)));
    vector.notify(3);
    BOOST_TEST(!somebody_waits(vector, 3));
    // What is other already is seen at once, however short or long the time.
    vector.store(3, 5);
    BOOST_TEST(vector.wait(3, 0, 0ms));
    BOOST_TEST(vector.wait(3, 4, std::chrono::hours::max()));
    BOOST_TEST(!vector.wait(3, 5, 0ms));
    BOOST_TEST(wrong_with(pool) == "");
}

// A change that nobody tells of: as after a kill between the change and notify.
BOOST_AUTO_TEST_CASE(a_lost_wake_is_made_good) {
    const Watchdog dog(60, "a lost wake");
    const ss::Pool pool = ss::Pool::anonymous();
    AtomicVector<std::int64_t> vector(pool, "v");
    vector.expand(1);
    for (int i = 0; i < 4; ++i) {
        Process victim([&] {
            wait_for_sleeper(vector, 0);
            vector.fetch_add(0, 1);
            ::kill(::getpid(), SIGKILL);
        });
        BOOST_TEST(vector.wait(0, i, 30s));
        BOOST_TEST(vector.load(0) == i + 1);
        BOOST_TEST(ending_of(victim).killed());
        vector.notify(0); // nobody is there any more: the mark goes
    }
    // And one between taking the mark back and waking.
    std::thread sleeper([&] { BOOST_TEST(vector.wait(0, 4, 30s)); });
    wait_for_sleeper(vector, 0);
    const auto begin = Clock::now();
    vector.store(0, 9);
    auto& futex = ss::detail::futex_half(ss::detail::wait_word(head_of(vector), 0));
    futex.fetch_add(2);
    futex.fetch_and(~1U);
    sleeper.join();
    BOOST_TEST(milliseconds_since(begin) < 100 + 400 * slowness);
    BOOST_TEST(vector.load(0) == 9);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_sleeper_in_another_process_is_woken, Vector, Integers) {
    using T = typename Vector::value_type;
    const Watchdog dog(100, "waking a sleeper");
    const ss::Pool pool = ss::Pool::anonymous();
    Vector vector(pool, "v");
    vector.expand(2);
    constexpr T end = 120;
    Process child([&] {
        T seen = 0;
        while (seen < end) {
            if (!vector.wait(0, seen, 60s)) throw std::runtime_error("nothing came");
            const T now = vector.load(0);
            if (now != static_cast<T>(seen + 1)) throw std::runtime_error("more than one came");
            vector.store(1, seen = now);
            vector.notify(1);
        }
    });
    std::vector<double> took;
    for (T i = 0; i < end; ++i) {
        wait_for_sleeper(vector, 0);
        const auto begin = Clock::now();
        vector.fetch_add(0, 1);
        vector.notify(0);
        BOOST_REQUIRE(vector.wait(1, i, 60s));
        took.push_back(milliseconds_since(begin));
        BOOST_REQUIRE(vector.load(1) == static_cast<T>(i + 1));
    }
    child.expect_clean();
    // Nobody has just slept to the end of his 100 ms.
    std::ranges::sort(took);
    BOOST_TEST(took[took.size() / 2] < 50 * slowness);
}

// Many who wait for elements that share a wait word, and two who change them: all get to the end.
BOOST_AUTO_TEST_CASE(many_sleepers_on_one_word) {
    const Watchdog dog(100, "many sleepers");
    const ss::Pool pool = ss::Pool::anonymous();
    AtomicVector<std::uint64_t> vector(pool, "v");
    vector.expand(100);
    constexpr std::uint64_t rounds = 300;
    std::vector<Process> all;
    for (unsigned sleeper = 0; sleeper < 5; ++sleeper)
        all.emplace_back([&, index = std::uint64_t{sleeper} * ss::detail::vector_waits] {
            for (std::uint64_t seen = 0; seen < 2 * rounds; seen = vector.load(index))
                if (!vector.wait(index, seen, 30s)) throw std::runtime_error("no wake");
        });
    for (int changer = 0; changer < 2; ++changer)
        all.emplace_back([&] {
            for (std::uint64_t i = 0; i < rounds; ++i)
                for (unsigned sleeper = 0; sleeper < 5; ++sleeper) {
                    const std::uint64_t index = std::uint64_t{sleeper} * ss::detail::vector_waits;
                    vector.fetch_add(index, 1);
                    vector.notify(index);
                }
        });
    for (Process& process : all) process.expect_clean();
    for (unsigned sleeper = 0; sleeper < 5; ++sleeper)
        BOOST_TEST(vector.load(std::uint64_t{sleeper} * ss::detail::vector_waits) == 2 * rounds);
}

// A sleeper that is killed leaves its mark, and takes nobody else's wake.
BOOST_AUTO_TEST_CASE(a_killed_sleeper) {
    const Watchdog dog(60, "a killed sleeper");
    const ss::Pool pool = ss::Pool::anonymous();
    AtomicVector<int> vector(pool, "v");
    vector.expand(1);
    Process victim([&] { (void)vector.wait(0, 0, 60s); });
    wait_for_sleeper(vector, 0);
    Process other([&] {
        if (!vector.wait(0, 0, 60s)) throw std::runtime_error("no wake");
    });
    std::this_thread::sleep_for(20ms);
    BOOST_TEST(victim.kill().killed());
    vector.store(0, 1);
    vector.notify(0);
    other.expect_clean();
    BOOST_TEST(wrong_with(pool) == "");
}

// Where it cannot leave word it looks now and then.
BOOST_AUTO_TEST_CASE(a_read_only_sleeper) {
    const Watchdog dog(60, "a read-only sleeper");
    const TempDir directory;
    const ss::Pool pool(directory / "pool");
    AtomicVector<std::int16_t> vector(pool, "v");
    vector.expand(50);
    const ss::Pool looking(directory / "pool", {.access = ss::Access::read_only});
    const AtomicVector<std::int16_t> looker(looking, "v");
    Barrier begun(2);
    Process changer([&] {
        AtomicVector<std::int16_t> mine(ss::Pool(directory / "pool"), "v");
        begun.arrive_and_wait();
        ::usleep(20'000);
        mine.store(49, 7);
    });
    begun.arrive_and_wait();
    BOOST_TEST(looker.wait(49, 0, 30s));
    BOOST_TEST(looker.load(49) == 7);
    BOOST_TEST(!somebody_waits(vector, 49));
    changer.expect_clean();
}

BOOST_AUTO_TEST_CASE(a_vector_that_is_removed_while_somebody_sleeps) {
    const Watchdog dog(60, "removing");
    const ss::Pool pool = ss::Pool::anonymous();
    AtomicVector<int> vector(pool, "v");
    vector.expand(1);
    std::thread sleeper(
        [&] { BOOST_TEST(thrown_by([&] { (void)vector.wait(0, 0, 30s); }) == error(errc::no_such_object)); });
    wait_for_sleeper(vector, 0);
    BOOST_TEST(pool.remove_object("v"));
    sleeper.join();
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_SUITE_END()
