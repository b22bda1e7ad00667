// A lock whose waiters sleep in the kernel.
#pragma once

#include <ss/lock/token_lock.hpp>

namespace ss::inline v0 {

/// One word: waiters (1 bit) | the owner's token (31 bits). Uncontended it costs a compare-and-swap and an exchange and
/// no system call. A waiter spins briefly, sets the waiters bit and sleeps; a release that finds the bit wakes one. Who
/// has slept takes the lock with the bit set, for others may still sleep (U. Drepper, "Futexes are tricky", mutex 2),
/// and so does who takes it from the dead. No sleep is longer than 10 ms, so a wake that died with its sender costs no
/// more, and a death is noticed that soon after the kernel has (1 ms for a process of 10 MiB, 165 ms for 1 GiB).
///
/// When not to use it: with one process alone (NullLock), or where a death must be noticed within a tenth of a
/// millisecond and all sessions share one PID namespace (RobustMutex). It is not fair: whoever comes by may overtake.
struct FutexLock {
    struct State {
        std::atomic<std::uint32_t> word;
    };

    static constexpr PolicyId id = policy_id("FUTEX");
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

    static void release(State& state, const Session&) noexcept {
        if ((state.word.exchange(0, std::memory_order_release) & waiters) != 0) os::futex_wake(state.word, 1);
    }

    [[nodiscard]] static Token owner(const State& state) noexcept {
        return state.word.load(std::memory_order_acquire) & token_mask;
    }

private:
    static constexpr std::uint32_t waiters = 1U << 31;

    struct Waiter {
        static constexpr std::chrono::nanoseconds first_sleep = std::chrono::milliseconds(1);
        bool slept = false;

        [[nodiscard]] std::uint32_t taken_flags() const noexcept { return slept ? waiters : 0; }

        void wait(std::atomic<std::uint32_t>& word, std::uint32_t seen, std::chrono::nanoseconds duration) noexcept {
            if ((seen & waiters) == 0 &&
                !word.compare_exchange_strong(seen, seen | waiters, std::memory_order_relaxed))
                return; // changed meanwhile: look again
            slept = true;
            os::futex_wait(word, seen | waiters, duration);
        }
    };
};

} // namespace ss::inline v0
