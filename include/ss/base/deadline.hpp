// A moment to wait until.
#pragma once

#include <chrono>

namespace ss::inline v0 {

using Deadline = std::chrono::steady_clock::time_point;

namespace detail {

/// A duration in the clock's own unit; its greatest for what that does not hold.
template <class Rep, class Period>
[[nodiscard]] Deadline::duration saturated(std::chrono::duration<Rep, Period> duration) noexcept {
    // As reals: the largest number of milliseconds is none of nanoseconds.
    using Seconds = std::chrono::duration<double>;
    if (std::chrono::duration_cast<Seconds>(duration) >=
        std::chrono::duration_cast<Seconds>(Deadline::duration::max()))
        return Deadline::duration::max();
    return duration <= duration.zero() ? Deadline::duration::zero()
                                       : std::chrono::duration_cast<Deadline::duration>(duration);
}

} // namespace detail

/// `duration` from now: now if that is negative, never if the clock does not reach so far.
template <class Rep, class Period>
[[nodiscard]] Deadline deadline_after(std::chrono::duration<Rep, Period> duration) noexcept {
    const auto now = std::chrono::steady_clock::now();
    const auto wanted = detail::saturated(duration);
    return wanted >= Deadline::max() - now ? Deadline::max() : now + wanted;
}

/// How long a call may wait, as an argument: any std::chrono duration, counted from when the call begins to wait, so that
/// one which need not wait asks no clock. Zero and less: look once. What the clock does not reach,
/// `std::chrono::hours::max()` for one, is for ever.
class Timeout {
public:
    template <class Rep, class Period>
    Timeout(std::chrono::duration<Rep, Period> duration) noexcept // NOLINT: implicit, as its arguments are
        : duration_(detail::saturated(duration)) {}

    /// Begins to count when it is asked first.
    [[nodiscard]] Deadline deadline() const noexcept {
        if (!counts_) deadline_ = deadline_after(duration_);
        counts_ = true;
        return deadline_;
    }
    [[nodiscard]] bool is_over() const noexcept {
        return counts_ ? std::chrono::steady_clock::now() >= deadline_ : duration_ == duration_.zero();
    }

private:
    Deadline::duration duration_;
    mutable Deadline deadline_;
    mutable bool counts_ = false;
};

} // namespace ss::inline v0
