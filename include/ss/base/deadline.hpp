// A moment to wait until.
#pragma once

#include <chrono>

namespace ss::inline v0 {

using Deadline = std::chrono::steady_clock::time_point;

/// `duration` from now: now if that is negative, never if the clock does not reach so far.
[[nodiscard]] inline Deadline deadline_after(std::chrono::milliseconds duration) noexcept {
    const auto now = std::chrono::steady_clock::now();
    if (duration <= std::chrono::milliseconds(0)) return now;
    // In milliseconds: the largest number of them is none of nanoseconds.
    const auto reach = std::chrono::duration_cast<std::chrono::milliseconds>(Deadline::max() - now);
    return duration >= reach ? Deadline::max() : now + duration;
}

} // namespace ss::inline v0
