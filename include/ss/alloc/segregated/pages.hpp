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
//     word 1  |  next in the list: a page number, 0 at the end         |  free runs, and slabs with room
//     word 2  |  previous in the list: meaningless in its first member |  (page 0 is table 0, never in a list)
//     word 3  |  a slab's bitmap: 1 is a free block                    |  unless it lies in the slab's head
//
//     kind    inner 0     any page that is not named below; word 0 is then all 0
//             free        first page of a free run, the number is its length
//             free_end    last page of a free run of two or more, its length
//             large       first page of a run that is one block, its length
//             slab        page of a slab in which a block begins, how many pages it lies past the slab's first
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
inline constexpr std::uint64_t most_heap_pages = std::uint64_t{1} << 35;        // 2^47 bytes
inline constexpr unsigned table_count = 29;
inline constexpr unsigned spare_count = 4;

/// Free runs by length: every length up to 15 has a bin of its own, above there are eight to a doubling.
inline constexpr unsigned exact_bins = 16;
inline constexpr unsigned bin_count = 272;

/// What lies in the pool for one heap. All zeros is an allocator that owns nothing yet.
struct State {
    Word pages;                           // that are the allocator's, from the heap's begin on
    Word allocated;                       // bytes: the sum of block_size over all blocks
    Word overhead;                        // bytes of tables, bitmaps and what slabs leave over at their ends
    Word partial[2];                      // bit c: class c has a slab with room
    Word filled_bins[bin_count / 64 + 1]; // bit b: bin b has a run
    Word spares[spare_count];             // slabs that may stay though empty; 0: none
    Word tables[table_count];             // offset of table i; 0: not there
    Word slabs[class_count];              // by class: the first slab with room
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
    return static_cast<unsigned>(std::bit_width(page / first_table_pages));
}

/// The first page that a table describes.
[[nodiscard]] constexpr std::uint64_t first_page_of(unsigned table) noexcept {
    return (first_table_pages / 2 << table) & ~(first_table_pages - 1);
}

/// How many pages a table is made of.
[[nodiscard]] constexpr std::uint64_t table_length(unsigned table) noexcept {
    return table == 0 ? 1 : std::uint64_t{1} << (table - 1);
}

/// The four words that describe `page`. Throws errc::damaged if there is no such page, or its table lies where none
/// can be.
template <class H>
[[nodiscard, gnu::always_inline]] inline auto* descriptor(const State& state, H& heap, std::uint64_t page) {
    const unsigned table = table_of(page);
    if (page >= load(state.pages) || table >= table_count) [[unlikely]]
        throw_damaged("no such page", page);
    const std::uint64_t base = load(state.tables[table]);
    if (!is_aligned(base, page_size)) [[unlikely]]
        throw_damaged("misplaced table", page);
    // A table begins and the heap ends at a page's edge: if the first of the four words lies inside, all do.
    return &heap.word(base + (page - first_page_of(table)) * descriptor_size);
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
