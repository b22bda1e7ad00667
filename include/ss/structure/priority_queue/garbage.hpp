// Taking apart what a priority queue has left behind, a few blocks at a time.
//
// A head on the garbage list still has its items and segments. Each step frees the last few items, or a segment in which
// there are none, and at last the head, and is a transaction of its own. Whoever dies in one leaves it undone.
#pragma once

#include <ss/domain/census.hpp>
#include <ss/domain/layout.hpp>
#include <ss/structure/priority_queue/layout.hpp>

#include <algorithm>
#include <cstdint>

namespace ss::inline v0::detail {

/// Frees up to 8 blocks of a priority queue's garbage. False if there is none. Within a transaction.
template <class Tx>
bool reap_priority_queue(Tx& tx) {
    Word& first = tx.block().garbage.first[static_cast<std::uint64_t>(GarbageKind::priority_queue)];
    const std::uint64_t offset = load(first);
    if (offset == 0) return false;
    const PriorityHeap heap(tx.region(), offset);
    PriorityQueueHead& head = heap.head();
    const std::uint64_t size = heap.size();
    for (std::uint64_t segment = heap_segments; segment-- != 0 && heap_segment_begin(segment) >= size;) {
        Word& word = head.segments[segment];
        if (load(word) == 0) continue;
        tx.free_garbage(load(word));
        tx.store(word, 0);
        return true;
    }
    if (size != 0) {
        const std::uint64_t left = size - std::min<std::uint64_t>(size, 8);
        for (std::uint64_t place = left; place < size; ++place) tx.free_garbage(load(heap.at(place)));
        tx.store(head.size, left);
        return true;
    }
    tx.store(first, load(head.garbage_next));
    tx.free_garbage(offset);
    return true;
}

/// Counts the blocks that hang on a head: all of a live queue's, or what is left of a garbage one's.
inline void count_heap(const Region& region, std::uint64_t offset, Census& census) {
    const PriorityHeap heap(region, offset);
    for (std::uint64_t segment = 0; segment < heap_segments; ++segment)
        if (const std::uint64_t block = load(heap.head().segments[segment]); block != 0) {
            (void)region.words(block,
                               heap_segment_places(segment)); // so there are no more items than there is room for
            census.use(block, heap_segment_places(segment) * word_size);
        }
    for (std::uint64_t place = 0; place < heap.size(); ++place) {
        const std::uint64_t item = load(heap.at(place));
        census.use(item, HeapItem(region, item).words() * word_size);
    }
    census.use(offset, sizeof(PriorityQueueHead));
}

/// Counts what priority queues have left on a domain's garbage list.
inline void count_priority_queue_garbage(const DomainCore& domain, Census& census) {
    const Region& region = domain.region();
    std::uint64_t left = region.size() / sizeof(PriorityQueueHead) + 1;
    for (std::uint64_t head =
             load(domain.block().garbage.first[static_cast<std::uint64_t>(GarbageKind::priority_queue)]);
         head != 0; --left) {
        if (left == 0) region.refuse(head);
        count_heap(region, head, census);
        head = load(region.at(Offset<PriorityQueueHead>{head}).garbage_next);
    }
}

} // namespace ss::inline v0::detail
