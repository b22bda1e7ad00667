// Taking apart what a tree has left behind, a few blocks at a time.
//
// A node on the garbage list has its header in its value's place, whose count says how many of its slots are still to be
// freed, from the last down. Each step frees a few values, or hangs a few nodes on the list, which come next; then the
// node itself. Whoever dies in one leaves it undone.
//
// A node is touched when it is hung on the list, not when it is freed: its parent was touched before, so from then on
// nobody comes to it with a version that is valid.
#pragma once

#include <ss/domain/census.hpp>
#include <ss/structure/prefix_tree/reading.hpp>
#include <ss/structure/prefix_tree/subtree.hpp>

#include <cstdint>

namespace ss::inline v0::detail {

/// Frees up to about 8 blocks of a tree's garbage. False if there is none. Within a transaction.
template <class Tx>
bool reap_prefix_tree(Tx& tx) {
    Word& first = tx.block().garbage.first[static_cast<std::uint64_t>(GarbageKind::prefix_tree)];
    const std::uint64_t offset = load(first);
    if (offset == 0) return false;
    const NodeView node = NodeView::garbage(tx.region(), offset);
    NodeHeader header = node.header();
    for (int left = 8; left > 0 && header.count != 0;) {
        const Word word = load(node.slots()[--header.count]);
        if (word == 0) continue;
        --left;
        if (Tagged::is_value(word)) {
            if (const std::uint64_t block = Tagged::block(word); block != 0) tx.free_garbage(block);
            continue;
        }
        const NodeView child(tx.region(), word);
        tx.touch(version_of(tx.domain(), word));
        if (const std::uint64_t block = Tagged::block(load(child.value())); block != 0) tx.free_garbage(block);
        if (child.count() == 0) {
            tx.free_garbage(word);
            continue;
        }
        tx.store(child.value(), garbage_header(child));
        tx.store(child.header_word(), load(first));
        tx.store(first, word);
    }
    if (header.count == 0 && load(first) == offset) {
        tx.store(first, load(node.header_word()));
        tx.free_garbage(offset);
    } else {
        tx.store(node.value(), header.pack());
    }
    return true;
}

/// Counts the blocks that hang below a word.
inline void count_subtree(NodeBudget& budget, const Region& region, Word word, Census& census) {
    (void)walk_subtree(
        budget, region, word, [&](const NodeView& node) { census.use(node.offset(), node.all_words() * word_size); },
        [&](const ValueRef& value) {
            const std::uint64_t block = Tagged::block(value.word);
            if (block == 0) return;
            const StoredValue stored(region, value);
            census.use(block, (stored.tag == Tag::text_block ? text_block_words(stored.size) : 1) * word_size);
        },
        [] { return true; });
}

/// Counts what trees have left on a domain's garbage list.
inline void count_tree_garbage(const DomainCore& domain, Census& census) {
    const Region& region = domain.region();
    NodeBudget budget(region); // of all of it together
    for (std::uint64_t offset =
             load(domain.block().garbage.first[static_cast<std::uint64_t>(GarbageKind::prefix_tree)]);
         offset != 0;) {
        const NodeView node = NodeView::garbage(region, offset);
        budget.take(node);
        census.use(offset, node.header().words() * word_size);
        for (std::uint64_t i = 0; i < node.count(); ++i) count_subtree(budget, region, load(node.slots()[i]), census);
        offset = load(node.header_word());
    }
}

} // namespace ss::inline v0::detail
