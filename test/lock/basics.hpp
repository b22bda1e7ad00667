// One after the other: what a lock says to those who come while it is free, and while it is held.
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
#include <thread>
#include <vector>

namespace ss::test {

/// Free, taken, and free again; by whom.
template <LockPolicy L>
void check_lock_states() {
    const TempDir directory;
    LockUser<L> user(directory / "pool"), other(directory / "pool");
    if constexpr (!needs_initialize<L>)
        BOOST_TEST(std::all_of(user.slot().state.begin(), user.slot().state.end(),
                               [](std::byte byte) { return byte == std::byte{0}; }));
    BOOST_TEST(user.owner() == 0U);
    for (int i = 0; i < 3; ++i) {
        BOOST_TEST(text(user.try_acquire()) == "acquired");
        BOOST_TEST(user.owner() == user.token());
        BOOST_TEST(other.owner() == user.token());
        BOOST_TEST(text(other.try_acquire()) == "busy");
        BOOST_TEST(text(other.acquire_within(0ms)) == "busy");
        BOOST_TEST(other.owner() == user.token());
        user.release();
        BOOST_TEST(user.owner() == 0U);
        BOOST_TEST(text(other.acquire()) == "acquired");
        BOOST_TEST(user.owner() == other.token());
        other.release();
        BOOST_TEST(text(other.acquire_within(1s)) == "acquired");
        other.release();
        BOOST_TEST(text(other.acquire_within(-1s)) == "acquired"); // free, so it does not matter that it is late
        other.release();
        BOOST_TEST(text(other.acquire_until(Deadline::max())) == "acquired");
        other.release();
        BOOST_TEST(text(other.acquire_until(Deadline::min())) == "acquired");
        other.release();
    }
    // Who may only read can see whose it is.
    BOOST_TEST(text(user.acquire()) == "acquired");
    const Pool reader(directory / "pool", {.access = Access::read_only});
    BOOST_TEST(StaticLocker<L>::owner(reader.attachment()->lock_slot(0)) == user.token());
    user.release();
    BOOST_TEST(StaticLocker<L>::owner(reader.attachment()->lock_slot(0)) == 0U);
}

/// A deadline is kept, and neither missed by much nor called early.
template <LockPolicy L>
void check_lock_deadlines() {
    const TempDir directory;
    LockUser<L> user(directory / "pool"), other(directory / "pool");
    BOOST_TEST(text(user.acquire()) == "acquired");
    for (const auto wait : {1ms, 20ms, 100ms}) {
        const auto begin = std::chrono::steady_clock::now();
        BOOST_TEST(text(other.acquire_within(wait)) == "busy");
        const auto waited = std::chrono::steady_clock::now() - begin;
        BOOST_TEST((waited >= wait), "called early");
        BOOST_TEST((waited < wait + 5s), "missed by far");
    }
    BOOST_TEST(text(other.acquire_until(Deadline::min())) == "busy");
    user.release();
    BOOST_TEST(text(other.acquire()) == "acquired");
    other.release();
}

/// Threads of one session wait for each other as processes do.
template <LockPolicy L>
void check_lock_threads() {
    const TempDir directory;
    LockUser<L> user(directory / "pool");
    BOOST_TEST(text(user.acquire()) == "acquired");
    std::atomic<int> step = 0;
    std::thread thread([&] {
        const LockResult tried = user.try_acquire();
        const LockResult timed = user.acquire_within(30ms);
        step = tried == LockResult::busy && timed == LockResult::busy ? 1 : 2;
        const LockResult waited = user.acquire();
        if (waited != LockResult::acquired) step = 4;
        if (step == 1) step = 5; // passed a lock that is held
        if (waited != LockResult::busy) user.release();
    });
    wait_until([&] { return step != 0; }, "the thread waits for ever");
    BOOST_TEST(step == 1);
    std::this_thread::sleep_for(30ms);
    BOOST_TEST(step == 1);
    int expected = 1;
    BOOST_TEST(step.compare_exchange_strong(expected, 3)); // it may pass now
    user.release();
    thread.join();
    BOOST_TEST(step == 3);
    BOOST_TEST(user.owner() == 0U);
}

/// Processes of several threads each count with a plain counter, and none of it is lost.
template <LockPolicy L>
void check_lock_exclusion() {
    constexpr std::uint64_t processes = 3, threads = 2, rounds = 4000 / slowness;
    const TempDir directory;
    Shared<Counter> trouble(0U);
    Shared<std::uint64_t> plain(0U);
    LockUser<L> user(directory / "pool");
    const auto work = [&](LockUser<L>& mine) {
        std::vector<std::thread> crew;
        for (std::uint64_t t = 0; t < threads; ++t)
            crew.emplace_back([&] {
                for (std::uint64_t i = 0; i < rounds; ++i) {
                    const LockResult result = i % 3 == 0 ? mine.acquire() : mine.acquire_within(60s);
                    if (result != LockResult::acquired || mine.owner() != mine.token()) ++*trouble;
                    const std::uint64_t before = *plain;
                    for (std::uint64_t spin = 0; spin < i % 32; ++spin) os::spin_pause();
                    *plain = before + 1;
                    mine.release();
                }
            });
        for (std::thread& thread : crew) thread.join();
    };
    std::vector<Process> others;
    for (std::uint64_t p = 1; p < processes; ++p)
        others.emplace_back([&] {
            LockUser<L> mine(directory / "pool");
            work(mine);
        });
    work(user);
    for (Process& other : others) other.expect_clean();
    BOOST_TEST(*plain == processes * threads * rounds);
    BOOST_TEST(*trouble == 0U);
    BOOST_TEST(user.owner() == 0U);
}

} // namespace ss::test
