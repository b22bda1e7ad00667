// What is known of each page of the heap, and where that is kept.
//
// The heap is an array of pages of 4096 bytes. Each has a descriptor of four words, which lie out of the pages in
// tables. The tables are made of pages too, taken where the heap ended when it outgrew the table before:
//
//     page        0      1 … 127         128 … 255        256 … 511          512 …
//     described   table 0: one page      table 1: one     table 2: two       table i: 64 * 2^i pages in 2^(i-1) pages
//
// A run is a number of pages that belong together; its first page's descriptor tells what it is:
//
//     word 0  |  number, 48 bits  |  class, 8  |  kind, 8  |
//     word 1  |  free runs: next in the list               |  slabs with room: next, 32 bits | previous, 32
//     word 2  |  free runs: previous                       |  slabs: the bitmap, 1 is a free block,
//     word 3  |                                            |         unless it lies in the slab's head
//
// In lists a page names a run or a slab: never page 0, which is table 0, so 0 is the end. What is previous of the first
// member means nothing.
//
//     kind    inner 0     any page that is not named below; word 0 is then all 0
//             free        first page of a free run, the number is its length
//             free_end    last page of a free run of two or more, its length
//             large       first page of a run that is one block, its length
//             slab        page of a slab in which a block begins, the number of the slab's first page
//             table       first page of a table, its length
//
// Inner pages are kept all 0, so that a wrong offset is told from a block with one look, and a kill never leaves a
// page that looks like something it once was.
#pragma once

#include <ss/alloc/concept.hpp>
#include <ss/alloc/segregated/size_classes.hpp>
#include <ss/base/bits.hpp>
#include <ss/base/error.hpp>
#include <ss/base/word.hpp>

#include <bit>
#include <cstdint>

namespace ss::inline v0::segregated {

inline constexpr std::uint64_t descriptor_size = 32;
inline constexpr std::uint64_t first_table_pages = page_size / descriptor_size; // that the first table describes
inline constexpr std::uint64_t most_heap_pages = std::uint64_t{1} << 32;        // 2^44 bytes
inline constexpr unsigned most_tables = 26;
inline constexpr unsigned spare_count = 4;

/// Free runs by length: every length up to 15 has a bin of its own, above there are eight to a doubling.
inline constexpr unsigned exact_bins = 16;
inline constexpr unsigned bin_count = 272;

/// What lies in the pool for one heap. All zeros is an allocator that owns nothing yet.
struct State {
    Word pages;               // that are the allocator's, from the heap's begin on
    Word allocated;           // bytes: the sum of block_size over all blocks
    Word overhead;            // bytes of tables, bitmaps and what slabs leave over at their ends
    Word partial[2];          // bit c: class c has a slab with room
    Word slabs[class_count];  // by class: the first slab with room, as the offset of its descriptor
    Word spares[spare_count]; // slabs that may stay though empty, as offsets of their descriptors; 0: none
    Word table_count;         // tables that are there; what is said of others means nothing
    Word tables[most_tables]; // where page 0 would be described, if the table went back so far: an offset
    Word filled_bins[bin_count / 64 + 1]; // bit b: bin b has a run
    Word bins[bin_count];                 // the first free run
};
static_assert(sizeof(State) <= allocator_state_size);

enum class Kind : std::uint8_t { inner, free, free_end, large, slab, table };

/// Word 0 of a descriptor.
[[nodiscard]] constexpr Word tag(Kind kind, std::uint64_t number, unsigned size_class = 0) noexcept {
    return number << 16 | Word{size_class} << 8 | static_cast<Word>(kind);
}
[[nodiscard]] constexpr Kind kind_of(Word tag) noexcept { return static_cast<Kind>(tag & 0xFF); }
[[nodiscard]] constexpr unsigned class_in(Word tag) noexcept { return static_cast<unsigned>(tag >> 8 & 0xFF); }
[[nodiscard]] constexpr std::uint64_t number_in(Word tag) noexcept { return tag >> 16; }

[[noreturn, gnu::cold, gnu::noinline]] inline void throw_damaged(const char* what, std::uint64_t page) {
    throw_error(errc::damaged, std::string("segregated heap: ") + what + " at page " + std::to_string(page));
}

[[nodiscard]] constexpr unsigned table_of(std::uint64_t page) noexcept {
    return static_cast<unsigned>(std::bit_width(page | (first_table_pages - 1)) -
                                 std::bit_width(first_table_pages - 1));
}

/// The first page that a table describes.
[[nodiscard]] constexpr std::uint64_t first_page_of(unsigned table) noexcept {
    return (first_table_pages / 2 << table) & ~(first_table_pages - 1);
}
static_assert(table_of(127) == 0 && table_of(128) == 1 && table_of(256) == 2 && first_page_of(2) == 256);
static_assert(first_page_of(most_tables) == most_heap_pages);

/// How many pages a table is made of.
[[nodiscard]] constexpr std::uint64_t table_length(unsigned table) noexcept {
    return table == 0 ? 1 : std::uint64_t{1} << (table - 1);
}

/// The offset of the table itself.
[[nodiscard]] inline std::uint64_t table_offset(const State& state, unsigned table) noexcept {
    return load(state.tables[table]) + first_page_of(table) * descriptor_size;
}

/// The four words of the descriptor that lies at an offset. Throws errc::damaged if none can lie there.
template <class H>
[[nodiscard, gnu::always_inline]] inline auto* descriptor_at(H& heap, std::uint64_t offset) {
    // The heap ends at a page's edge: if the first of four words that are aligned to their size lies inside, all do.
    if (!is_aligned(offset, descriptor_size)) [[unlikely]]
        throw_damaged("misplaced descriptor", offset / page_size);
    return &heap.word(offset);
}

/// Where `page` is described. Throws errc::damaged if there is no such page.
[[nodiscard, gnu::always_inline]] inline std::uint64_t descriptor_offset(const State& state, std::uint64_t page) {
    const unsigned table = table_of(page);
    if (page >= load(state.pages) || table >= most_tables) [[unlikely]]
        throw_damaged("no such page", page);
    return load(state.tables[table]) + page * descriptor_size;
}

template <class H>
[[nodiscard, gnu::always_inline]] inline auto* descriptor(const State& state, H& heap, std::uint64_t page) {
    return descriptor_at(heap, descriptor_offset(state, page));
}

/// The first byte of a page.
template <HeapReader H>
[[nodiscard]] std::uint64_t offset_of(const H& heap, std::uint64_t page) noexcept {
    return heap.begin() + page * page_size;
}

/// Changes a word that a rollback must restore, if it changes at all.
template <Heap H>
void change(H& heap, Word& word, Word value) {
    if (load(word) != value) heap.store(word, value);
}

} // namespace ss::inline v0::segregated
