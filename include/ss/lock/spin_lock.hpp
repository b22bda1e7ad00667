// A lock that asks again and again.
#pragma once

#include <ss/lock/token_lock.hpp>

#include <sched.h>

namespace ss::inline v0 {

/// One word: the owner's token. Uncontended it costs a compare-and-swap and a store, and no system call, ever, wakes
/// anybody. A waiter spins, then yields, then sleeps up to 1 ms at a time, which is also how soon it notices a death
/// after the kernel has (1 ms for a process of 10 MiB, 165 ms for 1 GiB).
///
/// When not to use it: where holders may be preempted or stopped while many wait, and where waits are long. Take
/// FutexLock then, which sleeps until it is woken.
struct SpinLock {
    struct State {
        std::atomic<std::uint32_t> word;
    };

    static constexpr PolicyId id = policy_id("SPIN");
    static constexpr std::uint64_t fingerprint = ss::fingerprint(1, sizeof(State), slot_bits, generation_bits);

    [[nodiscard]] static LockResult try_acquire(State& state, const Session& session) noexcept {
        return detail::try_acquire_token(state.word, session);
    }

    [[nodiscard]] static LockResult acquire_until(State& state, const Session& session, Deadline deadline) {
        return detail::acquire_token(state.word, session, deadline, Waiter{});
    }

    [[nodiscard]] static LockResult acquire(State& state, const Session& session) {
        return acquire_until(state, session, Deadline::max());
    }

    static void release(State& state, const Session&) noexcept { state.word.store(0, std::memory_order_release); }

    [[nodiscard]] static Token owner(const State& state) noexcept {
        return state.word.load(std::memory_order_acquire) & token_mask;
    }

private:
    struct Waiter {
        static constexpr std::chrono::nanoseconds first_sleep = std::chrono::microseconds(1);

        [[nodiscard]] static std::uint32_t taken_flags() noexcept { return 0; }

        static void wait(std::atomic<std::uint32_t>&, std::uint32_t, std::chrono::nanoseconds duration) noexcept {
            if (duration < std::chrono::microseconds(30))
                ::sched_yield();
            else
                os::sleep_for(std::min<std::chrono::nanoseconds>(duration, std::chrono::milliseconds(1)));
        }
    };
};

} // namespace ss::inline v0
