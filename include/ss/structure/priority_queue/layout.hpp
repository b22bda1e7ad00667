// The bytes of a priority queue: a head, segments of a binary heap, items.
//
//     directory entry: version | generation | root[0] = head | root[1] = wait word of those who wait for an item
//     head:     size, payload, bytes | segments[40]
//     segment:  offset offset offset …               segment 0 has 64, each further one as many as all before
//     item:     size | bytes, padded with zeros to a word
//
// The heap is one array, cut into the segments: the children of place i are at 2i + 1 and 2i + 2, and neither comes before
// its parent. So the first item is at place 0, and an item that comes or goes changes the places of one way from a leaf
// to the root: as many words as the heap is deep.
//
// Segments come when an item finds no place, and go when the places before them have room to spare: so the array grows
// and shrinks without being copied, and not at each step back and forth. What lies in a place past the last item means
// nothing.
//
// The entry's version guards all of it. Every change touches that first, for it changes the head.
#pragma once

#include <ss/base/bits.hpp>
#include <ss/base/word.hpp>
#include <ss/pool/region.hpp>
#include <ss/structure/bytes.hpp>
#include <ss/structure/words.hpp>

#include <array>
#include <cstdint>
#include <string_view>

namespace ss::inline v0::detail {

inline constexpr std::uint64_t heap_segments = 40;
inline constexpr std::uint64_t first_heap_segment = 64; ///< places in segment 0

inline constexpr std::size_t heap_head_root = 0;
inline constexpr std::size_t heap_waiters_root = 1; ///< a wait word: see domain/wakes.hpp

struct PriorityQueueHead {
    Word garbage_next; ///< when it is garbage
    Word size;         ///< items; when it is garbage: those that are still there, in the first places
    Word payload;      ///< bytes of all items
    Word bytes;        ///< allocated bytes, of all blocks of the queue
    std::array<Word, 4> reserved;
    std::array<Word, heap_segments> segments; ///< offsets; 0: not there
};

static_assert(sizeof(PriorityQueueHead) == (8 + heap_segments) * word_size);

/// Where a place of the heap lies.
struct HeapPlace {
    std::uint64_t segment;
    std::uint64_t index; ///< within the segment
};

[[nodiscard]] constexpr HeapPlace heap_place(std::uint64_t place) noexcept {
    if (place < first_heap_segment) return {.segment = 0, .index = place};
    const unsigned top = log2_floor(place);
    return {.segment = top - log2_floor(first_heap_segment) + 1, .index = place - (std::uint64_t{1} << top)};
}

/// The first place of a segment, which is also how many places are before it.
[[nodiscard]] constexpr std::uint64_t heap_segment_begin(std::uint64_t segment) noexcept {
    return segment == 0 ? 0 : first_heap_segment << (segment - 1);
}

[[nodiscard]] constexpr std::uint64_t heap_segment_places(std::uint64_t segment) noexcept {
    return segment == 0 ? first_heap_segment : heap_segment_begin(segment);
}

/// So many places there are at most. (More than offsets have room for items.)
inline constexpr std::uint64_t max_heap_size = heap_segment_begin(heap_segments);

static_assert(heap_place(63).segment == 0 && heap_place(64).segment == 1 && heap_place(64).index == 0);
static_assert(heap_place(127).index == 63 && heap_place(128).segment == 2);
static_assert(heap_place(max_heap_size - 1).segment == heap_segments - 1);

/// A segment is kept while there are more items than this: three quarters of the places before it. So after one has come
/// or gone, a quarter of as many operations as there are items come before the next one does.
[[nodiscard]] constexpr std::uint64_t items_to_keep_segment(std::uint64_t segment) noexcept {
    return heap_segment_begin(segment) - heap_segment_begin(segment) / 4;
}

/// The places of a queue's heap, in the pool. All offsets are checked; throws errc::damaged for those that cannot be.
class PriorityHeap {
public:
    PriorityHeap(const Region& region, std::uint64_t head)
        : region_(&region), head_(&region.at(Offset<PriorityQueueHead>{head})) {}

    [[nodiscard]] const Region& region() const noexcept { return *region_; }
    [[nodiscard]] PriorityQueueHead& head() const noexcept { return *head_; }

    /// Items; no more than there can be.
    [[nodiscard]] std::uint64_t size() const {
        const std::uint64_t size = load(head_->size);
        if (size > max_heap_size) [[unlikely]]
            region_->refuse(region_->offset_of(head_));
        return size;
    }

    /// The word of a place below max_heap_size.
    [[nodiscard]] Word& at(std::uint64_t place) const {
        const HeapPlace where = heap_place(place);
        const std::uint64_t segment = load(head_->segments[where.segment]);
        if (segment == 0) [[unlikely]]
            region_->refuse(region_->offset_of(head_));
        return region_->word(segment + where.index * word_size);
    }

private:
    const Region* region_;
    PriorityQueueHead* head_;
};

/// An item in the pool. What its size says has been checked against the region, not believed.
class HeapItem {
public:
    /// Throws errc::damaged if the item reaches outside of the region.
    HeapItem(const Region& region, std::uint64_t offset) : size_(load(region.word(offset))) {
        if (size_ > max_bytes_size) [[unlikely]]
            region.refuse(offset);
        words_ = region.words(offset, words()) + 1;
    }

    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    [[nodiscard]] std::uint64_t words() const noexcept { return 1 + words_for(size_); } ///< of the block
    [[nodiscard]] const Word* data() const noexcept { return words_; }

    /// In place: under the lock only.
    [[nodiscard]] std::string_view bytes() const noexcept {
        return {reinterpret_cast<const char*>(words_), static_cast<std::size_t>(size_)};
    }

private:
    std::uint64_t size_;
    const Word* words_;
};

} // namespace ss::inline v0::detail
