// Words in a pool that processes sleep on, and who is to be woken when a transaction is over.
//
//     a wait word:   | "WAIT" (32) | sequence (31) | somebody waits (1) |      the lower half is the futex. 0 before all
//
//     waiter, under the lock              waker, under the lock             waker, after the release
//     what it wants is not there          the change; commit
//     sequence + 1, waits = 1             waits? sequence + 1               wakes some
//     releases; sleeps while the          (one load where nobody waits)     none slept, and the word is still
//     word is what it wrote                                                 the one it wrote: waits = 0
//
// The word changes under the lock alone, but for that last step, which may come late: when the object is gone, and its
// directory entry belongs to another. No other kind of word has that upper half, so it does nothing then. A waiter that
// has not gone to sleep yet finds the word changed, and looks again. Each waiter writes a value of its own, so that nobody
// takes the mark of one who came after him for his own and clears it. The words are not journaled: who sleeps wakes up to
// look at what is.
//
// No sleep is longer than `longest_sleep`. So a wake that was lost with a killed process is made good by then, and all that
// a waker that dies early has done is to let others look once more.
#pragma once

#include <ss/base/deadline.hpp>
#include <ss/base/word.hpp>
#include <ss/os/futex.hpp>

#include <climits>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <sched.h>

namespace ss::inline v0 {

/// Whoever sleeps looks again after this, whether he was woken or not.
inline constexpr auto longest_sleep = std::chrono::milliseconds(100);

namespace detail {

/// The half of a word that changes with every step of one.
[[nodiscard]] inline std::atomic<std::uint32_t>& futex_half(const Word& word) noexcept {
    static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));
    constexpr std::size_t low = std::endian::native == std::endian::little ? 0 : 1;
    return reinterpret_cast<std::atomic<std::uint32_t>*>(const_cast<Word*>(&word))[low];
}

/// Sleeps while `word` is `seen`, until the deadline, but no longer than `most`.
inline void sleep_on(const Word& word, Word seen, Deadline deadline,
                     std::chrono::nanoseconds most = longest_sleep) noexcept {
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left <= left.zero()) return;
    os::futex_wait(futex_half(word), static_cast<std::uint32_t>(seen),
                   std::min<std::chrono::nanoseconds>(left, most));
}

/// Looks whether `version` is still what it was, less and less often and for about 10 us: what comes by then spares both
/// sides a system call and a switch (A. R. Karlin et al., "Empirical Studies of Competitive Spinning for a Shared-Memory
/// Multiprocessor", SOSP 1991: to spin for as long as a sleep costs is never more than twice as bad as the best). After
/// the first half microsecond it lets others run between two looks: whoever is to bring the change may wait for this core.
inline void look_before_sleeping(const Word& version, Word seen) noexcept {
    constexpr int most_pauses = 256, pauses_alone = 8;
    for (int pauses = 1; pauses <= most_pauses && load(version) == seen; pauses *= 2) {
        for (int i = 0; i < pauses; ++i) os::spin_pause();
        if (pauses > pauses_alone && load(version) == seen) ::sched_yield();
    }
}

/// The next value of a wait word at which somebody waits.
[[nodiscard]] constexpr Word next_wait(Word word) noexcept {
    return Word{0x5741'4954} << 32 | static_cast<std::uint32_t>(word + 2) | 1;
}

/// Leaves word that somebody waits. Returns what to sleep on. Under the domain's lock.
inline Word begin_to_wait(Word& word) noexcept {
    const Word mark = next_wait(load(word));
    put(word, mark);
    return mark;
}

} // namespace detail

/// Whom a transaction wakes. Noted while it runs, sent when the lock is free again.
class Wakes {
public:
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }

    /// Up to `sleepers` of those who wait at a wait word, if somebody says so there.
    void wake_waiters(Word& word, int sleepers) noexcept {
        if ((load(word) & 1) == 0) [[likely]]
            return;
        for (std::size_t i = 0; i < count_; ++i)
            if (wakes_[i].word == &word) {
                wakes_[i].sleepers =
                    sleepers > INT_MAX - wakes_[i].sleepers ? INT_MAX : wakes_[i].sleepers + sleepers;
                return;
            }
        add({.word = &word, .mark = 0, .sleepers = sleepers, .is_wait_word = true});
    }

    /// All who sleep on a version.
    void wake_all(Word& version) noexcept {
        add({.word = &version, .mark = 0, .sleepers = INT_MAX, .is_wait_word = false});
    }

    /// The changes are committed, and the lock is still ours: whoever is about to sleep looks again.
    void announce() noexcept {
        for (std::size_t i = 0; i < count_; ++i)
            if (wakes_[i].is_wait_word) wakes_[i].mark = detail::begin_to_wait(*wakes_[i].word);
    }

    /// Wakes them. The lock has been released. About 1 us for each word, and a few more for each sleeper.
    [[gnu::cold, gnu::noinline]] void send() noexcept {
        for (std::size_t i = 0; i < count_; ++i) {
            const Wake& wake = wakes_[i];
            const int woken = os::futex_wake(detail::futex_half(*wake.word), wake.sleepers);
            Word mark = wake.mark;
            if (woken == 0 && mark != 0)
                __atomic_compare_exchange_n(wake.word, &mark, mark & ~Word{1}, false, __ATOMIC_RELAXED,
                                            __ATOMIC_RELAXED);
        }
        count_ = 0;
    }

private:
    struct Wake {
        Word* word;
        Word mark; ///< what a wait word was left as
        int sleepers;
        bool is_wait_word;
    };

    /// With too many, those that do not fit in are woken at once: they wait for the lock then, and see the same.
    void add(const Wake& wake) noexcept {
        if (count_ < wakes_.size()) {
            wakes_[count_++] = wake;
            return;
        }
        if (wake.is_wait_word) (void)detail::begin_to_wait(*wake.word);
        os::futex_wake(detail::futex_half(*wake.word), wake.sleepers);
    }

    std::size_t count_ = 0;
    std::array<Wake, 16> wakes_; // the first count_ count
};

} // namespace ss::inline v0
