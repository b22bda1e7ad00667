// Iterating over a tree, up and down.
#pragma once

#include <ss/structure/prefix_tree/scan.hpp>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace ss::inline v0::detail {

/// A bidirectional iterator over copies of a tree's entries. It stands at a key, or at the end. It reads ahead, and
/// drops what it has read when the tree has changed since: so what changes behind the key it stands at is seen, and
/// what changes at it or before is not. Holds no lock and no reference into the pool; copies go on independently.
///
/// `Tree` has `read_batch<Direction>(start, limit, batch, cursor)` and `changes()`.
template <class Tree>
class TreeIterator {
public:
    using value_type = std::pair<std::string, Value>;
    using reference = value_type;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag; // what a reference is not, the older algorithms cannot know
    using iterator_concept = std::bidirectional_iterator_tag;

    /// What operator-> leads to.
    class Pointer {
    public:
        explicit Pointer(value_type value) : value_(std::move(value)) {}
        [[nodiscard]] const value_type* operator->() const noexcept { return &value_; }

    private:
        value_type value_;
    };
    using pointer = Pointer;

    TreeIterator() = default;
    /// At the end.
    explicit TreeIterator(const Tree& tree) : tree_(std::make_shared<Tree>(tree)) {}
    /// At the first key from `start` on.
    TreeIterator(const Tree& tree, const WalkStart& start) : TreeIterator(tree) { read<Direction::up>(start); }

    /// A copy: nothing can be changed through it. Not at the end.
    [[nodiscard]] value_type operator*() const {
        assert(!is_end());
        return {std::string(batch_.key(at_)), copy_of(batch_.value(at_))};
    }
    [[nodiscard]] Pointer operator->() const { return Pointer(**this); }

    /// Not at the end.
    TreeIterator& operator++() {
        assert(!is_end());
        go<Direction::up>();
        return *this;
    }
    TreeIterator operator++(int) {
        TreeIterator before = *this;
        ++*this;
        return before;
    }
    /// From the end to the last key; from the first key to the end.
    TreeIterator& operator--() {
        if (is_end()) {
            cursor_.walk.forget();
            read<Direction::down>({.key = {}, .inclusive = false, .everything = true});
        } else {
            go<Direction::down>();
        }
        return *this;
    }
    TreeIterator operator--(int) {
        TreeIterator before = *this;
        --*this;
        return before;
    }

    [[nodiscard]] bool is_end() const noexcept { return at_ >= batch_.size(); }

    /// The key it stands at, as long as it stands there. Not at the end.
    [[nodiscard]] std::string_view key() const noexcept { return batch_.key(at_); }

    /// True at the same key of the same walk's tree, or both at the end.
    friend bool operator==(const TreeIterator& a, const TreeIterator& b) noexcept {
        if (a.is_end() || b.is_end()) return a.is_end() == b.is_end();
        return a.key() == b.key();
    }
    friend bool operator==(const TreeIterator& a, std::default_sentinel_t) noexcept { return a.is_end(); }

private:
    static constexpr std::size_t first_appetite = 4, most = 32;

    template <Direction To>
    void go() {
        const bool goes_on = direction_ == To && is_fresh(cursor_.changes, tree_->changes());
        if (goes_on && at_ + 1 < batch_.size()) {
            ++at_;
            return;
        }
        if (goes_on && cursor_.at_end) {
            batch_.clear();
            at_ = 0;
            return;
        }
        // Who writes all the time makes reading ahead a waste.
        appetite_ = goes_on ? std::min(appetite_ * 2, most) : first_appetite;
        if (!goes_on) cursor_.walk.forget();
        const std::string from(key());
        read<To>({.key = from, .inclusive = false});
    }

    template <Direction To>
    void read(const WalkStart& start) {
        TreeBatch next; // if reading throws, we stand where we stood
        tree_->template read_batch<To>(start, {.entries = appetite_}, next, cursor_);
        batch_ = std::move(next);
        direction_ = To;
        at_ = 0;
    }

    std::shared_ptr<const Tree> tree_; // a handle of its own: the walk may outlive the one it began on
    TreeBatch batch_;
    std::size_t at_ = 0;
    TreeCursor cursor_;
    Direction direction_ = Direction::up;
    std::size_t appetite_ = first_appetite;
};

/// The end of the keys with a prefix.
class PrefixEnd {
public:
    PrefixEnd() = default;
    explicit PrefixEnd(std::string_view prefix) : prefix_(prefix) {}

    template <class Tree>
    friend bool operator==(const TreeIterator<Tree>& iterator, const PrefixEnd& end) noexcept {
        return iterator.is_end() || !iterator.key().starts_with(end.prefix_);
    }

private:
    std::string prefix_;
};

/// The entries whose keys begin with a prefix. Each begin() is a walk of its own.
template <class Tree>
class PrefixRange {
public:
    PrefixRange(const Tree& tree, std::string_view prefix) : tree_(std::make_shared<Tree>(tree)), prefix_(prefix) {}

    [[nodiscard]] TreeIterator<Tree> begin() const { return {*tree_, {.key = prefix_}}; }
    [[nodiscard]] PrefixEnd end() const { return PrefixEnd(prefix_); }
    [[nodiscard]] bool empty() const { return begin() == end(); }

private:
    std::shared_ptr<const Tree> tree_;
    std::string prefix_;
};

} // namespace ss::inline v0::detail
