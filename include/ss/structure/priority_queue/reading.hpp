// Reading a priority queue, with or without the lock: within read_object (object_read.hpp), which validates.
#pragma once

#include <ss/structure/priority_queue/layout.hpp>
#include <ss/structure/words.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace ss::inline v0::detail {

/// Copies the first item into `top`; nothing if there is none. False if it changed under our eyes.
template <class Valid>
[[nodiscard]] bool read_top(const PriorityHeap& heap, Valid valid, std::optional<std::string>& top) {
    if (heap.size() == 0) {
        top.reset();
        return true;
    }
    const HeapItem item(heap.region(), load(heap.at(0)));
    if (!valid()) return false; // the size is believed from here on
    if (!top) top.emplace();
    top->resize(item.size());
    copy_words(top->data(), item.data(), top->size());
    return true;
}

/// What the head counts.
struct HeapCounts {
    std::uint64_t size = 0;
    std::uint64_t payload = 0;
    std::uint64_t bytes = 0;
};

[[nodiscard]] inline HeapCounts heap_counts(const PriorityHeap& heap) {
    return {.size = heap.size(), .payload = load(heap.head().payload), .bytes = load(heap.head().bytes)};
}

} // namespace ss::inline v0::detail
