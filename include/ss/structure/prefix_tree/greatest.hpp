// The k greatest of many entries, without keeping the others.
#pragma once

#include <ss/structure/value.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace ss::inline v0::detail {

/// Of entries that are offered in the order of their keys, the k with the greatest values by less(Value, Value); of
/// equal ones those with the smaller keys.
template <class Less>
class GreatestEntries {
public:
    using Entry = std::pair<std::string, Value>;

    GreatestEntries(std::size_t k, Less less) : k_(k), less_(std::move(less)) {}

    void offer(std::string_view key, const ValueView& value) {
        if (k_ == 0) return;
        // An equal one that comes later has the greater key.
        if constexpr (std::is_same_v<Less, ValueLess>) // which needs no copy
            if (best_.size() == k_ && !less_(view_of(best_.front().second), value)) return;
        Value copy = copy_of(value);
        if (best_.size() == k_) {
            if (!less_(best_.front().second, copy)) return;
            std::pop_heap(best_.begin(), best_.end(), Before{&less_});
            best_.pop_back();
        }
        best_.emplace_back(std::string(key), std::move(copy));
        std::push_heap(best_.begin(), best_.end(), Before{&less_});
    }

    /// The greatest first.
    [[nodiscard]] std::vector<Entry> sorted() && {
        std::sort_heap(best_.begin(), best_.end(), Before{&less_});
        return std::move(best_);
    }

private:
    struct Before {
        Less* less;
        [[nodiscard]] bool operator()(const Entry& a, const Entry& b) const {
            if ((*less)(b.second, a.second)) return true;
            return !(*less)(a.second, b.second) && a.first < b.first;
        }
    };

    std::size_t k_;
    Less less_;
    std::vector<Entry> best_; ///< a heap, its front the least
};

} // namespace ss::inline v0::detail
