// What SpinLock and FutexLock share: one word that is 0 or the owner's token, and how it is taken from the dead.
//
//     0 --(compare-and-swap)--> token --(release)--> 0
//              token of the dead --(compare-and-swap)--> token
//
// A token is never valid twice in an era, so the second swap cannot take the word from somebody else who came by the
// same value: there is no ABA.
#pragma once

#include <ss/lock/concept.hpp>
#include <ss/os/futex.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace ss::inline v0::detail {

/// One compare-and-swap.
[[nodiscard]] inline LockResult try_acquire_token(std::atomic<std::uint32_t>& word, const Session& session) noexcept {
    std::uint32_t seen = 0;
    return word.compare_exchange_strong(seen, session.token(), std::memory_order_acq_rel, std::memory_order_relaxed)
               ? LockResult::acquired
               : LockResult::busy;
}

/// Waits for `word`. `flags` are bits of the word beside the token; a taker sets those of `Waiter::taken_flags()`.
/// Waiter::wait(word, seen, duration) sleeps, for at most `duration`, while the word is `seen`.
///
/// First spins, since most locks are held for less than a sleep costs; then sleeps 1 ms, 2 ms … 10 ms and asks after
/// each sleep whether the owner lives. So a wake that was lost with a killed process costs 10 ms, and so does a death.
template <class Waiter>
[[nodiscard]] LockResult acquire_token(std::atomic<std::uint32_t>& word, const Session& session, Deadline deadline,
                                       Waiter waiter) {
    constexpr int spins = 512, most_pauses = 256;
    constexpr auto longest_sleep = std::chrono::milliseconds(10);
    auto sleep = Waiter::first_sleep;
    bool slept = false;
    for (int spun = 0, pauses = 1;;) {
        std::uint32_t seen = word.load(std::memory_order_acquire);
        const auto take = [&] { // whoever slept on the word still does: the flags stay
            const std::uint32_t taken = session.token() | waiter.taken_flags() | (seen & ~token_mask);
            return word.compare_exchange_strong(seen, taken, std::memory_order_acq_rel, std::memory_order_relaxed);
        };
        if ((seen & token_mask) == 0) {
            if (take()) return LockResult::acquired;
            continue;
        }
        if (spun < spins) {
            for (int i = 0; i < pauses; ++i) os::spin_pause();
            spun += pauses;
            pauses = std::min(2 * pauses, most_pauses);
            continue;
        }
        const auto now = std::chrono::steady_clock::now();
        const bool late = now >= deadline;
        if ((slept || late) && session.is_dead(seen)) {
            if (take()) return LockResult::owner_died;
            continue;
        }
        if (late) return LockResult::busy;
        waiter.wait(word, seen, std::min<std::chrono::nanoseconds>(sleep, deadline - now));
        slept = true;
        sleep = std::min<std::chrono::nanoseconds>(sleep * 2, longest_sleep);
    }
}

} // namespace ss::inline v0::detail
