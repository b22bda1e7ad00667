// Numbers of which few come often, as the keys of real caches do: Zipf's law by the generator of J. Gray et al. ("Quickly
// generating billion-record synthetic databases"), which YCSB made the custom.
#pragma once

#include <cmath>
#include <cstdint>

namespace bench {

/// Of `count` numbers, 2 or more, the r-th most frequent comes in proportion to r^-0.99. Making one takes the time of
/// `count` powers.
class Zipf {
public:
    static constexpr double theta = 0.99;

    explicit Zipf(std::uint64_t count) : count_(count) {
        for (std::uint64_t rank = 1; rank <= count; ++rank) zeta_ += power(rank);
        const auto n = static_cast<double>(count);
        eta_ = (1 - std::pow(2 / n, 1 - theta)) / (1 - (1 + power(2)) / zeta_);
    }

    /// From 64 random bits; 0 is the most frequent.
    [[nodiscard]] std::uint64_t operator()(std::uint64_t random) const {
        const double u = static_cast<double>(random >> 11) * 0x1p-53;
        if (u * zeta_ < 1) return 0;
        if (u * zeta_ < 1 + power(2)) return 1;
        const auto n = static_cast<double>(count_);
        const auto rank = static_cast<std::uint64_t>(n * std::pow(eta_ * u - eta_ + 1, 1 / (1 - theta)));
        return rank < count_ ? rank : count_ - 1; // rounded
    }

private:
    [[nodiscard]] static double power(std::uint64_t rank) { return std::pow(static_cast<double>(rank), -theta); }

    std::uint64_t count_;
    double zeta_ = 0, eta_ = 0;
};

} // namespace bench
