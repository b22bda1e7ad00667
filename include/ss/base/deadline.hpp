// A moment to wait until.
#pragma once

#include <chrono>

namespace ss::inline v0 {

using Deadline = std::chrono::steady_clock::time_point;

/// `duration` from now: now if that is negative, never if the clock does not reach so far.
template <class Rep, class Period>
[[nodiscard]] Deadline deadline_after(std::chrono::duration<Rep, Period> duration) noexcept {
    const auto now = std::chrono::steady_clock::now();
    if (duration <= duration.zero()) return now;
    // As reals: the largest number of milliseconds is none of nanoseconds.
    using Seconds = std::chrono::duration<double>;
    if (std::chrono::duration_cast<Seconds>(duration) >= std::chrono::duration_cast<Seconds>(Deadline::max() - now))
        return Deadline::max();
    return now + std::chrono::duration_cast<Deadline::duration>(duration);
}

/// How long a call may wait, as an argument: any std::chrono duration, counted from the call on. Zero and less: look once.
/// What the clock does not reach, `std::chrono::hours::max()` for one, is for ever.
class Timeout {
public:
    template <class Rep, class Period>
    Timeout(std::chrono::duration<Rep, Period> duration) noexcept // NOLINT: implicit, as its arguments are
        : deadline_(deadline_after(duration)) {}

    [[nodiscard]] Deadline deadline() const noexcept { return deadline_; }
    [[nodiscard]] bool is_over() const noexcept { return std::chrono::steady_clock::now() >= deadline_; }

private:
    Deadline deadline_;
};

} // namespace ss::inline v0
