// Sleeping on a word in shared memory until somebody changes it.
#pragma once

#include <climits>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <time.h>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ss::inline v0::os {

/// Sleeps while `word` is `expected`, for at most `duration`. Returns on a wake, on a signal, when the time is over,
/// or for no reason: the caller looks again. Shared between processes, unlike std::atomic::wait (futex(2)).
inline void futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                       std::chrono::nanoseconds duration) noexcept {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration);
    const timespec relative = {.tv_sec = seconds.count(), .tv_nsec = (duration - seconds).count()};
    ::syscall(SYS_futex, &word, FUTEX_WAIT, expected, &relative, nullptr, 0);
}

/// Wakes at most `count` sleepers; returns how many. About 0.6 us even with none, so callers keep a bit that says whether
/// there are any.
inline int futex_wake(const std::atomic<std::uint32_t>& word, int count = INT_MAX) noexcept {
    return static_cast<int>(::syscall(SYS_futex, &word, FUTEX_WAKE, count, nullptr, nullptr, 0));
}

/// Sleeps on nothing.
inline void sleep_for(std::chrono::nanoseconds duration) noexcept {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration);
    const timespec relative = {.tv_sec = seconds.count(), .tv_nsec = (duration - seconds).count()};
    ::nanosleep(&relative, nullptr);
}

/// Tells the processor that this is a spin loop.
inline void spin_pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

} // namespace ss::inline v0::os
