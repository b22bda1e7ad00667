// Walking a striped table: one stripe after the other.
#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

namespace ss::inline v0::detail {

/// An input iterator over copies of all entries, as those of a `Table` are, which each stripe is.
template <class Table>
class StripedIterator {
    using Stripes = std::shared_ptr<const std::vector<Table>>;
    using InStripe = typename Table::iterator;

public:
    using value_type = typename InStripe::value_type;
    using reference = typename InStripe::reference;
    using pointer = typename InStripe::pointer;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;
    using iterator_concept = std::input_iterator_tag;

    StripedIterator() = default;
    explicit StripedIterator(Stripes stripes) : stripes_(std::move(stripes)), at_(stripes_->front().begin()) {
        skip_ends();
    }

    /// A copy: nothing can be changed through it.
    [[nodiscard]] value_type operator*() const { return *at_; }
    [[nodiscard]] pointer operator->() const { return at_.operator->(); }

    StripedIterator& operator++() {
        ++at_;
        skip_ends();
        return *this;
    }
    StripedIterator operator++(int) {
        StripedIterator before = *this;
        ++*this;
        return before;
    }

    /// True at the end; two iterators that stand somewhere are equal if they stand at the same place of a walk.
    friend bool operator==(const StripedIterator& a, const StripedIterator& b) noexcept {
        return a.at_ == b.at_; // which keeps the walks of two stripes apart
    }
    friend bool operator==(const StripedIterator& a, std::default_sentinel_t end) noexcept { return a.at_ == end; }

private:
    void skip_ends() {
        while (at_ == std::default_sentinel && stripe_ + 1 < stripes_->size()) at_ = (*stripes_)[++stripe_].begin();
    }

    Stripes stripes_;
    std::size_t stripe_ = 0;
    InStripe at_;
};

} // namespace ss::inline v0::detail
