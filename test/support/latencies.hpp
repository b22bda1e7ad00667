// How long something took, many times: printed as a histogram, since what a machine with other work to do allows is no
// matter of right or wrong.
//
//     half within 11 us, all within 180 us | 8 us: 12 | 16 us: 270 | …        the upper bound of each class: its count
#pragma once

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdint>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace ss::test {

class Latencies {
public:
    using Clock = std::chrono::steady_clock;

    /// What began then ends now.
    void add_since(Clock::time_point begin) { all_.push_back(Clock::now() - begin); }

    /// The one that half of them do not exceed. Throws std::logic_error if there is none.
    [[nodiscard]] Clock::duration median() const { return at(all_.size() / 2); }
    [[nodiscard]] Clock::duration longest() const { return at(all_.size() - 1); }

    [[nodiscard]] std::string text() const {
        std::map<std::uint64_t, std::uint64_t> classes;
        for (const auto& each : all_) ++classes[std::bit_ceil(microseconds(each) + 1)];
        std::ostringstream out;
        out << "half within " << microseconds(median()) << " us, all within " << microseconds(longest()) << " us";
        for (const auto& [bound, count] : classes) out << " | " << bound << " us: " << count;
        return out.str();
    }

private:
    [[nodiscard]] static std::uint64_t microseconds(Clock::duration time) {
        return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(time).count());
    }

    [[nodiscard]] Clock::duration at(std::size_t place) const {
        if (all_.empty()) throw std::logic_error("nothing was measured");
        std::vector<Clock::duration> sorted = all_;
        std::sort(sorted.begin(), sorted.end());
        return sorted[place];
    }

    std::vector<Clock::duration> all_;
};

} // namespace ss::test
