// Owners and waiters that are killed: the lock goes to one of those who wait, soon, and nobody is stuck.
#pragma once

#include "lock/user.hpp"
#include "support/barrier.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

namespace ss::test {

/// Prints how long things took, and returns the longest.
inline double print_latencies(const std::string& what, std::vector<double> milliseconds) {
    std::sort(milliseconds.begin(), milliseconds.end());
    const auto at = [&](double share) {
        return milliseconds[static_cast<std::size_t>(share * static_cast<double>(milliseconds.size() - 1))];
    };
    std::printf("%s: %zu latencies in ms: least %.2f, median %.2f, 90 %% %.2f, most %.2f\n", what.c_str(),
                milliseconds.size(), at(0), at(0.5), at(0.9), at(1));
    constexpr double edges[] = {0.1, 0.3, 1, 2, 5, 10, 20, 50, 200, 1000, 1e9};
    double low = 0;
    for (const double high : edges) {
        const auto count = std::count_if(milliseconds.begin(), milliseconds.end(),
                                         [&](double one) { return one >= low && one < high; });
        if (count != 0)
            std::printf("    %6.1f ms and more %4td %s\n", low, count,
                        std::string(static_cast<std::size_t>(count), '#').c_str());
        low = high;
    }
    std::fflush(stdout);
    return at(1);
}

[[nodiscard]] inline std::uint64_t nanoseconds_now() {
    return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

/// Kills owners; of two that wait exactly one is told, soon.
template <LockPolicy L>
void check_lock_takeover(std::string_view name, unsigned kills = 50) {
    constexpr unsigned waiters = 2;
    struct Scene {
        std::atomic<std::uint64_t> round = 0, holding = 0, passed = 0, told = 0, killed_at = 0, told_at = 0;
    };
    const TempDir directory;
    LockUser<L> user(directory / "pool");
    Shared<Scene> scene;
    std::vector<Process> crew;
    for (unsigned i = 0; i < waiters; ++i)
        crew.emplace_back([&] {
            LockUser<L> mine(directory / "pool");
            for (std::uint64_t round = 1;; ++round) {
                while (scene->round != round) ::usleep(200);
                const LockResult result = mine.acquire();
                if (result == LockResult::owner_died) {
                    scene->told_at = nanoseconds_now();
                    ++scene->told;
                }
                mine.release();
                ++scene->passed;
            }
        });
    std::mt19937 random(7);
    std::vector<double> latencies;
    for (unsigned round = 1; round <= kills; ++round) {
        Process owner([&] {
            LockUser<L> mine(directory / "pool");
            (void)mine.acquire();
            scene->holding = round;
            ::pause();
        });
        wait_until([&] { return scene->holding == round; }, "the owner never got the lock");
        scene->round = round;
        ::usleep(static_cast<useconds_t>(random() % 15'000));
        BOOST_TEST(scene->passed == waiters * (round - 1)); // not while it lives
        scene->killed_at = nanoseconds_now();
        owner.send(SIGKILL);
        wait_until([&] { return scene->passed == waiters * round; }, "somebody is stuck after a death");
        owner.wait();
        BOOST_TEST(scene->told == round); // exactly one of them
        latencies.push_back(static_cast<double>(scene->told_at - scene->killed_at) / 1e6);
    }
    BOOST_TEST(print_latencies(std::string(name) + ", takeover from a killed owner", latencies) < 5000.0 * slowness);
    // With nobody waiting: who comes later finds out as well, even if his time is over.
    for (int i = 0; i < 3; ++i) {
        Process owner([&] {
            LockUser<L> mine(directory / "pool");
            (void)mine.acquire();
        });
        owner.expect_clean(); // ended, with the lock in hand
        BOOST_TEST(text(i == 0   ? user.acquire()
                        : i == 1 ? user.acquire_within(20s)
                                 : user.acquire_until(Deadline::min())) == "owner_died");
        BOOST_TEST(user.owner() == user.token());
        user.release();
        BOOST_TEST(text(user.try_acquire()) == "acquired");
        user.release();
    }
}

/// A waiter that is killed takes no wake with it, and leaves no mark that anybody stumbles over.
template <LockPolicy L>
void check_lock_killed_waiters() {
    const TempDir directory;
    LockUser<L> user(directory / "pool");
    for (int round = 0; round < 10; ++round) {
        Shared<Counter> waiting(0U), passed(0U);
        const auto wait = [&] {
            LockUser<L> mine(directory / "pool");
            ++*waiting;
            const LockResult result = mine.acquire();
            if (result == LockResult::acquired) ++*passed;
            mine.release();
        };
        BOOST_TEST(text(user.acquire()) == "acquired");
        Process victim(wait), survivor(wait);
        wait_until([&] { return *waiting == 2; }, "nobody waits");
        ::usleep(20'000); // asleep by now
        if (round % 2 == 0) {
            victim.kill();
            user.release();
        } else { // at the moment in which it may have been woken for its turn
            user.release();
            victim.send(SIGKILL);
            victim.wait();
        }
        const auto released = std::chrono::steady_clock::now();
        survivor.wait();
        BOOST_TEST((std::chrono::steady_clock::now() - released < 5s * slowness));
        // The victim may have got the lock and died with it; then the survivor was told so and has not passed as usual.
        BOOST_TEST((*passed >= 1 || round % 2 != 0));
        BOOST_TEST(user.owner() == 0U);
    }
}

/// Everybody is killed at any time, in the middle of taking over too: exclusion holds, every death inside is told, and
/// nobody is stuck.
template <LockPolicy L>
void check_lock_storm(std::chrono::milliseconds duration = 1000ms) {
    struct Scene {
        std::atomic<Token> inside = 0;
        std::atomic<std::uint64_t> entries = 0, deaths = 0, trouble = 0, stop = 0;
    };
    const TempDir directory;
    LockUser<L> user(directory / "pool"); // so that the era lasts
    Shared<Scene> scene;
    const auto contend = [&] {
        LockUser<L> mine(directory / "pool");
        std::mt19937 random(static_cast<unsigned>(::getpid()));
        while (scene->stop == 0) {
            const LockResult result = mine.acquire();
            const Token before = scene->inside.exchange(mine.token());
            if (result == LockResult::busy) ++scene->trouble;
            if (result == LockResult::acquired && before != 0)
                ++scene->trouble; // somebody is in here, or died untold
            if (result == LockResult::owner_died) ++scene->deaths;
            const auto stay = random() % 2048;
            if (stay % 16 == 0)
                ::usleep(static_cast<useconds_t>(stay / 4));
            else
                for (unsigned i = 0; i < stay; ++i) os::spin_pause();
            if (scene->inside.exchange(0) != mine.token()) ++scene->trouble;
            ++scene->entries;
            mine.release();
        }
    };
    std::vector<Process> crowd;
    for (int i = 0; i < 6; ++i) crowd.emplace_back(contend);
    wait_until([&] { return scene->entries > 10; }, "nobody got the lock");
    std::mt19937 random(11);
    const auto end = std::chrono::steady_clock::now() + duration * slowness;
    unsigned kills = 0;
    for (; std::chrono::steady_clock::now() < end; ++kills) {
        ::usleep(static_cast<useconds_t>(1000 + random() % 4000));
        Process& victim = crowd[random() % crowd.size()];
        BOOST_TEST(victim.running());
        victim.kill();
        victim = Process(contend);
    }
    const std::uint64_t before = scene->entries;
    wait_until([&] { return scene->entries > before + 20; }, "nobody gets the lock any more");
    scene->stop = 1;
    for (Process& process : crowd) process.expect_clean();
    BOOST_TEST(scene->trouble == 0U);
    BOOST_TEST(scene->deaths > 0U);
    BOOST_TEST_MESSAGE(kills << " kills, " << scene->deaths << " of them inside, " << scene->entries << " entries");
    const LockResult last = user.acquire();
    BOOST_TEST((last == LockResult::acquired || last == LockResult::owner_died));
    user.release();
}

} // namespace ss::test
