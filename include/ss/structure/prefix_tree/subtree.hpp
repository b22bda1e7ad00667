// All that hangs below one word of a tree, in no order.
#pragma once

#include <ss/structure/prefix_tree/node.hpp>

#include <cstdint>
#include <vector>

namespace ss::inline v0::detail {

/// All nodes together have no more words than the region has: where they would, they hang in a circle. So what waits to be
/// looked at stays as small, too.
class NodeBudget {
public:
    explicit NodeBudget(const Region& region) noexcept : region_(&region), words_(region.size() / word_size) {}

    /// Throws errc::damaged.
    void take(const NodeView& node) {
        const std::uint64_t words = node.header().words();
        if (words > words_) [[unlikely]]
            region_->refuse(node.offset());
        words_ -= words;
    }

private:
    const Region* region_;
    std::uint64_t words_;
};

/// Calls on_node(const NodeView&) for each node and on_value(const ValueRef&) for each value below `word`, those of nodes
/// too. After the words of a node were read, and before anything is done with them, valid() is asked; false ends the
/// walk, and is what is then returned. Does not recurse: trees are as deep as their longest key. Throws errc::damaged.
template <class OnNode, class OnValue, class Valid>
bool walk_subtree(NodeBudget& budget, const Region& region, Word word, OnNode on_node, OnValue on_value,
                  Valid valid) {
    std::vector<Word> pending(1, word);
    while (!pending.empty()) {
        word = pending.back();
        pending.pop_back();
        if (Tagged::is_value(word)) {
            on_value(ValueRef{.word = word});
            continue;
        }
        if (word == 0) continue;
        const NodeView node(region, word);
        budget.take(node);
        const std::size_t before = pending.size();
        const ValueRef value = node.value_ref();
        node.for_each([&](std::uint8_t, const Word& slot) { pending.push_back(load(slot)); });
        if (!valid()) {
            pending.resize(before);
            return false;
        }
        on_node(node);
        if (Tagged::is_node(value.word)) [[unlikely]]
            region.refuse(node.offset());
        if (value.word != 0) on_value(value);
    }
    return true;
}

template <class OnNode, class OnValue, class Valid>
bool walk_subtree(const Region& region, Word word, OnNode on_node, OnValue on_value, Valid valid) {
    NodeBudget budget(region);
    return walk_subtree(budget, region, word, on_node, on_value, valid);
}

/// The same under the lock.
template <class OnNode, class OnValue>
void walk_subtree(const Region& region, Word word, OnNode on_node, OnValue on_value) {
    (void)walk_subtree(region, word, on_node, on_value, [] { return true; });
}

struct SubtreeSum {
    std::uint64_t entries = 0;
    std::uint64_t nodes = 0;
    std::uint64_t bytes = 0; ///< allocated
};

/// Adds up what hangs below `word`; block_size(offset) is what a block counts for. For valid() see walk_subtree.
template <class BlockSize, class Valid>
bool sum_subtree(const Region& region, Word word, BlockSize block_size, Valid valid, SubtreeSum& sum) {
    return walk_subtree(
        region, word,
        [&](const NodeView& node) {
            ++sum.nodes;
            sum.bytes += block_size(node.offset());
        },
        [&](const ValueRef& value) {
            ++sum.entries;
            if (const std::uint64_t block = Tagged::block(value.word); block != 0) sum.bytes += block_size(block);
        },
        valid);
}

/// The same under the lock.
template <class BlockSize>
[[nodiscard]] SubtreeSum sum_subtree(const Region& region, Word word, BlockSize block_size) {
    SubtreeSum sum;
    (void)sum_subtree(
        region, word, block_size, [] { return true; }, sum);
    return sum;
}

} // namespace ss::inline v0::detail
