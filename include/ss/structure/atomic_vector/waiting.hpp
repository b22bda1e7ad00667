// Sleeping until an element changes, though nobody holds a lock who changes it.
//
//     a wait word:   sequence (31) | somebody waits (1)        the lower half of a word of the head is the futex
//
//     who changes       the element; then notify: sequence + 1 (A). Did somebody wait? waits = 0, and wake all
//     who waits         waits = 1 (B); is the element still the old one? then sleep as long as the word is what B left
//
// A and B are read-modify-writes of one word, so one comes first. If A does, B reads what A wrote, or what came of that,
// and so sees the element as it was changed. If B does, A finds that somebody waits, and has moved the word: who has not gone
// to sleep yet will not, and who has is woken. No third case: no wake is missed.
//
// The mark goes between A and the waking. Whoever sets it again before it goes and falls asleep is among those who are
// woken; whoever comes later finds the word without it and sets it. All who wake up look, and set it again. A notifier that
// is killed on the way leaves sleepers without a mark, but none sleeps for longer than `longest_sleep` before he sets it
// again.
//
// Elements share the wait words by their numbers, so one may wake up for another's sake. All who sleep on a word are woken,
// since nobody tells for which element each does.
#pragma once

#include <ss/base/deadline.hpp>
#include <ss/domain/wakes.hpp>
#include <ss/domain/watch.hpp>
#include <ss/structure/atomic_vector/layout.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace ss::inline v0::detail {

[[nodiscard]] inline const Word& wait_word(const VectorHead& head, std::uint64_t index) noexcept {
    return head.waits[index % vector_waits];
}

/// Wakes all who wait at the word. One read-modify-write where nobody does.
inline void notify_all(const Word& word) noexcept {
    auto& futex = futex_half(word);
    if ((futex.fetch_add(2, std::memory_order_seq_cst) & 1) == 0) [[likely]]
        return;
    futex.fetch_and(~std::uint32_t{1}, std::memory_order_seq_cst);
    os::futex_wake(futex);
}

/// Sleeps until is_old() returns false, which is asked at least every 100 ms and may throw. False if the time was over
/// before. On a read-only pool, which is `writable` to none, it asks every 10 ms.
template <class F>
[[nodiscard]] bool wait_while(const Word& word, bool writable, const Timeout& timeout, F is_old) {
    for (;;) {
        std::uint32_t mark = 0;
        if (writable) mark = futex_half(word).fetch_or(1, std::memory_order_seq_cst) | 1;
        if (!is_old()) return true;
        const auto left = timeout.deadline() - std::chrono::steady_clock::now();
        if (left <= left.zero()) return false;
        if (writable)
            sleep_on(word, mark, timeout.deadline());
        else
            os::sleep_for(std::min<std::chrono::nanoseconds>(left, watch_poll));
    }
}

} // namespace ss::inline v0::detail
