// Walking a whole priority queue to see whether everything in it fits together. Under the lock, or while nobody writes.
#pragma once

#include <ss/domain/census.hpp>
#include <ss/structure/kind.hpp>
#include <ss/structure/priority_queue/layout.hpp>
#include <ss/structure/words.hpp>

#include <cstdint>
#include <string>

namespace ss::inline v0::detail {

/// Complains about each segment of a heap that is missing, or there for nothing. Throws errc::damaged for one that lies
/// where it cannot.
template <class Complain>
void verify_heap_segments(const PriorityHeap& heap, Complain complain) {
    const std::uint64_t size = heap.size();
    for (std::uint64_t segment = 0; segment < heap_segments; ++segment) {
        const std::uint64_t offset = load(heap.head().segments[segment]);
        if (offset == 0) {
            if (size > heap_segment_begin(segment)) complain("segment " + std::to_string(segment) + " is missing");
            continue;
        }
        (void)heap.region().words(offset, heap_segment_places(segment));
        if (segment != 0 && size <= items_to_keep_segment(segment))
            complain("segment " + std::to_string(segment) + " is there for " + std::to_string(size) + " items");
    }
}

/// Complains about each thing that is wrong with the priority queue of `entry`, which is called `name`.
inline void verify_priority_queue(const Region& region, const DirectoryEntry& entry, const std::string& name,
                                  LessFunction less, Census& census) {
    const auto complain = [&](const std::string& sentence) {
        census.complain("priority queue \"" + name + "\": " + sentence);
    };
    try {
        const PriorityHeap heap(region, load(entry.root[heap_head_root]));
        verify_heap_segments(heap, complain);
        std::uint64_t payload = 0;
        for (std::uint64_t place = 0; place < heap.size(); ++place) {
            const HeapItem item(region, load(heap.at(place)));
            payload += item.size();
            if (!words_equal(item.data(), item.bytes()))
                complain("the item at place " + std::to_string(place) + " has padding that is not zero");
            if (place != 0 && less(item.bytes(), HeapItem(region, load(heap.at((place - 1) / 2))).bytes()))
                complain("the item at place " + std::to_string(place) + " comes before the one above it");
        }
        if (payload != load(heap.head().payload))
            complain("has items of " + std::to_string(payload) + " bytes and counts " +
                     std::to_string(load(heap.head().payload)));
        if (!census.is_settled(load(entry.version))) complain("has an odd version, and nobody holds the lock");
    } catch (const Error& error) { complain(error.what()); }
}

} // namespace ss::inline v0::detail
