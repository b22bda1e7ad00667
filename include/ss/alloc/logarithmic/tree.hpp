// A buddy tree over 2^order units, eight children to a word, in a table of words from the root down.
//
//     order 11: 64 KiB    level 3: 1 word of 4 children | level 2: 4 words | level 1: 32 words | level 0: 256 words
//
// Only what is split has words below that mean anything; so a block is found by going down, at most one step per three
// doublings of the size of the whole, and what a change below means is written on the way up, as far as it matters.
#pragma once

#include <ss/alloc/concept.hpp>
#include <ss/alloc/logarithmic/tree_word.hpp>
#include <ss/base/error.hpp>
#include <ss/base/word.hpp>

#include <array>
#include <cstdint>
#include <string>

namespace ss::inline v0::logarithmic {

inline constexpr std::uint64_t unit = 32;     // bytes of the smallest block
inline constexpr unsigned largest_order = 42; // 2^47 bytes
inline constexpr unsigned most_levels = 14;

[[noreturn, gnu::cold, gnu::noinline]] inline void throw_damaged(const char* what, std::uint64_t where) {
    throw_error(errc::damaged, std::string("logarithmic heap: ") + what + " at " + std::to_string(where));
}

/// How a tree over 2^order units lies in its table.
class Shape {
public:
    explicit constexpr Shape(unsigned order) noexcept
        : order_(order), levels_((order + 2) / 3), top_children_(std::uint64_t{1} << (order - 3 * (levels_ - 1))) {}

    [[nodiscard]] constexpr unsigned order() const noexcept { return order_; }
    [[nodiscard]] constexpr unsigned top() const noexcept { return levels_ - 1; }

    /// The place in the table of the word that tells of the children of `node` at `level`, nodes counted from 0.
    [[nodiscard]] constexpr std::uint64_t index(unsigned level, std::uint64_t node) const noexcept {
        return node + before(levels_ - 1 - level);
    }

    /// The number of words in the table.
    [[nodiscard]] constexpr std::uint64_t words() const noexcept { return before(levels_); }

private:
    /// The words of the first `depth` levels: 1 + c + 8c + 64c … for c children of the root.
    [[nodiscard]] constexpr std::uint64_t before(unsigned depth) const noexcept {
        if (depth == 0) return 0;
        constexpr std::uint64_t octal_ones = 0x1249'2492'4924'9249U;
        return 1 + top_children_ * (octal_ones & ((std::uint64_t{1} << 3 * (depth - 1)) - 1));
    }

    unsigned order_;
    unsigned levels_;
    std::uint64_t top_children_;
};
static_assert(Shape(11).words() == 293 && Shape(11).index(2, 0) == 1 && Shape(11).index(0, 0) == 37);
static_assert(Shape(largest_order).top() == most_levels - 1);

/// A block in a tree, in units.
struct Extent {
    std::uint64_t begin;
    std::uint64_t units;
    bool allocated;
};

/// The tree whose table begins at the offset `table`. All functions are logarithmic in the tree's size, but for walk.
/// Those that change something return what the whole tree says then: 0, or 1 + the order of its largest free block.
template <class H>
class Tree {
public:
    Tree(H& heap, std::uint64_t table, unsigned order) noexcept : heap_(heap), table_(table), shape_(order) {}

    /// Everything taken: a tree over nothing yet. Nobody may know the tree before.
    void clear() const { heap_.fill(word(shape_.top(), 0), uniform(taken)); }

    /// Takes the best fitting block of 2^order units, and puts its first unit into `begin`.
    unsigned take(unsigned order, std::uint64_t& begin) const {
        Path path;
        unsigned level = shape_.top();
        path.node = 0;
        path.step[level] = {load(word(level, 0)), 0, false};
        while (3 * level > order) {
            Step& step = path.step[level];
            step.child = best_child(step.value, level, order);
            if (step.child == 8) throw_damaged("no free block where one should be", table_);
            path.node = path.node * 8 + step.child;
            const bool fresh = child_of(step.value, step.child) == whole(level);
            --level;
            path.step[level] = {fresh ? uniform(whole(level)) : load(word(level, path.node)), 0, fresh};
        }
        Step& last = path.step[level];
        last.child = best_group(last.value, level, order - 3 * level);
        if (last.child == 8) throw_damaged("no free block where one should be", table_);
        begin = (path.node * 8 + last.child) << 3 * level;
        last.value = with_child(last.value, last.child, block_begins | order);
        for (unsigned i = 1; i < 1U << (order - 3 * level); ++i)
            last.value = with_child(last.value, last.child + i, taken);
        return write_up(path, level);
    }

    /// The order of the block that begins at unit `begin`; throws errc::damaged if none does.
    [[nodiscard]] unsigned order_at(std::uint64_t begin) const {
        Path path;
        return find(begin, path).order;
    }

    /// Gives back the block that begins at unit `begin`, and puts its order into `order`; throws errc::damaged if none
    /// does.
    unsigned give(std::uint64_t begin, unsigned& order) const {
        Path path;
        const Found found = find(begin, path);
        order = found.order;
        Step& step = path.step[found.level];
        for (unsigned i = 0; i < 1U << (found.order - 3 * found.level); ++i)
            step.value = with_child(step.value, step.child + i, whole(found.level));
        return write_up(path, found.level);
    }

    /// Marks [begin, end) as free, or as taken; there is no block in it.
    unsigned paint(std::uint64_t begin, std::uint64_t end, bool free) const {
        const Word top = load(word(shape_.top(), 0));
        return summary(paint(shape_.top(), 0, top, false, begin, end, free), shape_.top());
    }

    /// The unit past the last block, 0 if there is none.
    [[nodiscard]] std::uint64_t used() const { return used(shape_.top(), 0); }

    /// What the tree says of itself.
    [[nodiscard]] unsigned best() const { return summary(load(word(shape_.top(), 0)), shape_.top()); }

    /// Calls f(extent) for each block, allocated or free; what is taken but no block is left out. Throws errc::damaged
    /// where a word contradicts another.
    template <class F>
    void walk(F&& f) const {
        walk(shape_.top(), 0, load(word(shape_.top(), 0)), f);
    }

private:
    struct Step {
        Word value;
        unsigned child;
        bool fresh; // its parent is free as a whole: what the word says now means nothing
    };

    /// The words from the root down to a block.
    struct Path {
        std::array<Step, most_levels> step;
        std::uint64_t node; // of the lowest step
    };

    struct Found {
        unsigned level;
        unsigned order;
    };

    [[nodiscard]] auto& word(unsigned level, std::uint64_t node) const {
        return heap_.word(table_ + shape_.index(level, node) * word_size);
    }

    void write(unsigned level, std::uint64_t node, Word value, bool fresh) const {
        if (fresh)
            heap_.fill(word(level, node), value);
        else
            heap_.store(word(level, node), value);
    }

    /// Writes the lowest step, and above it what changes by that.
    unsigned write_up(Path& path, unsigned level) const {
        std::uint64_t node = path.node;
        for (;; ++level, node /= 8) {
            write(level, node, path.step[level].value, path.step[level].fresh);
            const unsigned code = summary(path.step[level].value, level);
            if (level == shape_.top()) return code;
            Step& above = path.step[level + 1];
            if (child_of(above.value, above.child) == code)
                return summary(path.step[shape_.top()].value, shape_.top());
            above.value = with_child(above.value, above.child, code);
        }
    }

    Found find(std::uint64_t begin, Path& path) const {
        path.node = 0;
        if (begin >> shape_.order() != 0) throw_damaged("no block begins", begin * unit);
        for (unsigned level = shape_.top();; --level) {
            const Word value = load(word(level, path.node));
            const auto child = static_cast<unsigned>(begin >> 3 * level & 7);
            path.step[level] = {value, child, false};
            const unsigned code = child_of(value, child);
            if ((code & block_begins) != 0) {
                const unsigned order = code & ~block_begins;
                const bool fits = order >= 3 * level && order <= 3 * level + 3 && order <= shape_.order();
                if (!fits || (begin & ((std::uint64_t{1} << order) - 1)) != 0)
                    throw_damaged("no block begins", begin * unit);
                return {level, order};
            }
            if (code > 3 * level || level == 0) throw_damaged("no block begins", begin * unit);
            path.node = path.node * 8 + child;
        }
    }

    Word paint(unsigned level, std::uint64_t node, Word value, bool fresh, std::uint64_t begin, std::uint64_t end,
               bool free) const {
        for (unsigned child = 0; child < 8; ++child) {
            const std::uint64_t first = (node * 8 + child) << 3 * level;
            const std::uint64_t last = first + (std::uint64_t{1} << 3 * level);
            if (last <= begin || first >= end) continue;
            unsigned code = child_of(value, child);
            if (level == 0 || (first >= begin && last <= end)) {
                code = free ? whole(level) : taken;
            } else {
                const bool same = code == whole(level) || code == taken;
                const Word below = same ? uniform(code == taken ? taken : whole(level - 1))
                                        : load(word(level - 1, node * 8 + child));
                code = summary(paint(level - 1, node * 8 + child, below, same, begin, end, free), level - 1);
            }
            value = with_child(value, child, code);
        }
        write(level, node, value, fresh);
        return value;
    }

    [[nodiscard]] std::uint64_t used(unsigned level, std::uint64_t node) const {
        const Word value = load(word(level, node));
        for (unsigned child = 8; child-- > 0;) {
            const unsigned code = child_of(value, child);
            const std::uint64_t first = (node * 8 + child) << 3 * level;
            if ((code & block_begins) != 0) return first + (std::uint64_t{1} << (code & 63));
            if (code > 3 * level || level == 0) continue;
            if (const std::uint64_t end = used(level - 1, node * 8 + child); end != 0) return end;
        }
        return 0;
    }

    template <class F>
    void walk(unsigned level, std::uint64_t node, Word value, F& f) const {
        unsigned covered = 0; // children that the last block covers
        for (unsigned child = 0; child < 8; ++child) {
            const unsigned code = child_of(value, child);
            const std::uint64_t first = (node * 8 + child) << 3 * level;
            if (covered > 0 && code != taken) throw_damaged("two blocks overlap", first * unit);
            if (covered > 0) {
                --covered;
            } else if ((code & block_begins) != 0) {
                const unsigned order = code & ~block_begins;
                if (order < 3 * level || order > 3 * level + 3)
                    throw_damaged("a block of the wrong order", first * unit);
                covered = (1U << (order - 3 * level)) - 1;
                if ((child & covered) != 0) throw_damaged("a misaligned block", first * unit);
                f(Extent{first, std::uint64_t{1} << order, true});
            } else if (code == whole(level)) {
                f(Extent{first, std::uint64_t{1} << 3 * level, false});
            } else if (code != taken) {
                if (level == 0 || code > 3 * level) throw_damaged("an unknown code", first * unit);
                const Word below = load(word(level - 1, node * 8 + child));
                if (summary(below, level - 1) != code) throw_damaged("a wrong summary", first * unit);
                walk(level - 1, node * 8 + child, below, f);
            }
        }
    }

    H& heap_;
    std::uint64_t table_;
    Shape shape_;
};

} // namespace ss::inline v0::logarithmic
