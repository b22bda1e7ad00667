// Slabs: pages cut into blocks of one class, and the bitmap that tells which are free.
//
//     two words of bits are enough (32 bytes and more)       more are needed (8, 16 and 24 bytes)
//     descriptor | tag | next, previous | bitmap | bitmap |   descriptor | tag | next, previous | - | - |
//     pages      | block | block | … | rest |                page       | bitmap | block | block | … | rest |
//
// The slabs of a class that have room hang in a list, those that are full in none. A block is taken from the first of
// the list, and a full slab in which a block is freed becomes the first: the newest holes are filled first, and those
// who have been waiting for long get emptier, until they are empty and given back.
//
// Nothing here lies in a block, so neither taking one nor giving it back touches its bytes.
#pragma once

#include <ss/alloc/concept.hpp>
#include <ss/alloc/segregated/pages.hpp>
#include <ss/alloc/segregated/runs.hpp>
#include <ss/alloc/segregated/size_classes.hpp>
#include <ss/base/error.hpp>
#include <ss/base/word.hpp>

#include <bit>
#include <concepts>
#include <cstdint>

namespace ss::inline v0::segregated {

/// The descriptor of a slab of class `index`, which lies at the offset `at`; throws errc::damaged if none does.
template <class H>
[[nodiscard, gnu::always_inline]] inline auto* slab_at(H& heap, std::uint64_t at, unsigned index) {
    auto* const self = descriptor_at(heap, at);
    if ((load(self[0]) & 0xFFFF) != tag(Kind::slab, 0, index)) [[unlikely]]
        throw_damaged("no slab where one should be described", at / page_size);
    return self;
}

/// Word 1 of a slab's descriptor: its neighbours in the list, by their first pages.
[[nodiscard]] constexpr Word links(std::uint64_t next, std::uint64_t previous) noexcept {
    return previous << 32 | next;
}
[[nodiscard]] constexpr std::uint64_t next_in(Word links) noexcept { return links & 0xFFFF'FFFFU; }
[[nodiscard]] constexpr std::uint64_t previous_in(Word links) noexcept { return links >> 32; }

/// The words of a slab's bitmap, one after the other. `self` is the slab's descriptor.
template <class H, class W>
[[nodiscard, gnu::always_inline]] inline W* bitmap_of(H& heap, const SizeClass& c, W* self) {
    return c.head == 0 ? self + 2 : &heap.word(offset_of(heap, number_in(load(self[0]))));
}

/// The bytes of a slab that no block gets.
[[nodiscard]] constexpr std::uint64_t overhead_of(const SizeClass& c) noexcept {
    return c.pages * page_size - std::uint64_t{c.blocks} * c.size;
}

[[nodiscard]] inline bool all_free(const SizeClass& c, const Word* bitmap) noexcept {
    for (unsigned i = 0; i < c.map_words; ++i)
        if (load(bitmap[i]) != c.all_free(i)) return false;
    return true;
}

/// True if the bitmap's words from the `first` on have no free block.
[[nodiscard]] inline bool all_taken(const SizeClass& c, const Word* bitmap, unsigned first = 0) noexcept {
    for (unsigned i = first; i < c.map_words; ++i)
        if (load(bitmap[i]) != 0) return false;
    return true;
}

/// Calls f(distance) for each page but the first in which a block of the slab begins.
template <class F>
void for_each_part(const SizeClass& c, F&& f) {
    std::uint64_t last = 0;
    for (std::uint64_t i = 1; c.pages > 1 && i < c.blocks; ++i)
        if (const std::uint64_t distance = i * c.size / page_size; distance != last) f(last = distance);
}

/// Puts the slab of `page`, which is described at `at`, in front of its class's list, and stores what else changes with it. 3 journal
/// entries, and those.
template <Heap H, std::same_as<Change>... Changes>
[[gnu::always_inline]] inline void link_slab(State& state, H& heap, std::uint64_t at, std::uint64_t page,
                                             unsigned index, Word* self, const Changes&... changes) {
    Word& first = state.slabs[index];
    if (load(first) != 0) {
        Word* const after = slab_at(heap, load(first), index);
        store_all(heap, Change{self[1], links(number_in(load(after[0])), 0)},
                  Change{after[1], links(next_in(load(after[1])), page)}, Change{first, at}, changes...);
    } else {
        Word& partial = state.partial[index / 64];
        store_all(heap, Change{self[1], links(0, 0)}, Change{partial, load(partial) | Word{1} << index % 64},
                  Change{first, at}, changes...);
    }
}

/// Takes the first slab out of its class's list, and stores what else changes with it. At most 2 journal entries, and
/// those.
template <Heap H, std::same_as<Change>... Changes>
[[gnu::always_inline]] inline void unlink_first_slab(State& state, H& heap, unsigned index, const Word* self,
                                                     const Changes&... changes) {
    const std::uint64_t next = next_in(load(self[1]));
    Word& first = state.slabs[index];
    Word& partial = state.partial[index / 64];
    if (next != 0)
        store_all(heap, Change{first, descriptor_offset(state, next)}, changes...);
    else
        store_all(heap, Change{first, 0}, Change{partial, load(partial) & ~(Word{1} << index % 64)}, changes...);
}

/// Takes a slab out of its class's list. At most 2 journal entries.
template <Heap H>
void unlink_slab(State& state, H& heap, std::uint64_t at, unsigned index, const Word* self) {
    if (load(state.slabs[index]) == at) return unlink_first_slab(state, heap, index, self);
    const std::uint64_t page = number_in(load(self[0]));
    const std::uint64_t next = next_in(load(self[1]));
    const std::uint64_t previous = previous_in(load(self[1]));
    Word& before = slab_at(heap, descriptor_offset(state, previous), index)[1];
    if (next_in(load(before)) != page) throw_damaged("broken list of slabs", page);
    if (next != 0) {
        Word& after = slab_at(heap, descriptor_offset(state, next), index)[1];
        if (previous_in(load(after)) != page) throw_damaged("broken list of slabs", page);
        heap.store(after, links(next_in(load(after)), previous));
    }
    heap.store(before, links(next, previous_in(load(before))));
}

/// Gives an empty slab's pages back. At most 21 journal entries: 2 for the list, 6 for parts, 1, and give_run's.
template <Heap H>
void close_slab(State& state, H& heap, std::uint64_t at, unsigned index) {
    const SizeClass& c = classes[index];
    const Word* const self = slab_at(heap, at, index);
    const std::uint64_t page = number_in(load(self[0]));
    unlink_slab(state, heap, at, index, self);
    for_each_part(c, [&](std::uint64_t distance) { heap.store(*descriptor(state, heap, page + distance), 0); });
    heap.store(state.overhead, load(state.overhead) - overhead_of(c));
    give_run(state, heap, page, c.pages);
}

/// A slab that may stay though empty.
struct Spare {
    std::uint64_t at; // where it is described; 0: none
    std::uint64_t page;
    unsigned index;
    bool empty;
};

/// What a place for spares holds.
template <HeapReader H>
[[nodiscard]] Spare spare_in(const State& state, const H& heap, const Word& place) {
    const std::uint64_t at = load(place);
    if (at == 0) return {0, 0, 0, false};
    const Word* const self = descriptor_at(heap, at);
    const std::uint64_t page = number_in(load(self[0]));
    const unsigned index = class_in(load(self[0]));
    if (kind_of(load(self[0])) != Kind::slab || index >= class_count || descriptor_offset(state, page) != at)
        throw_damaged("no slab where one should be described", at / page_size);
    return {at, page, index, all_free(classes[index], bitmap_of(heap, classes[index], self))};
}

/// A slab has become empty. It is given back, unless its class has no other room: then it stays, lest a block that
/// comes and goes makes a slab come and go. At most spare_count stay, the eldest leaves. At most 22 journal entries.
template <Heap H>
[[gnu::noinline]] void slab_became_empty(State& state, H& heap, std::uint64_t at, unsigned index) {
    Word& place = state.spares[index % spare_count];
    const bool only = load(state.slabs[index]) == at && next_in(load(slab_at(heap, at, index)[1])) == 0;
    if (!only) {
        if (load(place) == at) heap.store(place, 0);
        close_slab(state, heap, at, index);
    } else if (const Spare eldest = spare_in(state, heap, place); eldest.at != at) {
        if (eldest.empty) close_slab(state, heap, eldest.at, eldest.index);
        heap.store(place, at);
    }
}

/// A run of `length` pages, from the bins, from an empty slab that could stay, or from a longer heap.
template <Heap H>
[[nodiscard]] std::uint64_t take_pages(State& state, H& heap, std::uint64_t length) {
    std::uint64_t page = find_run(state, heap, length);
    for (unsigned i = 0; page == 0 && i < spare_count; ++i) {
        const Spare spare = spare_in(state, heap, state.spares[i]);
        // Closing it changes things, so only if it helps: a call that throws must have changed nothing.
        if (!spare.empty) continue;
        const SizeClass& c = classes[spare.index];
        const std::uint64_t end = spare.page + c.pages;
        const std::uint64_t begin = spare.page - free_before(state, heap, spare.page);
        if (end + free_after(state, heap, end) - begin < length) continue;
        // Its pages get a new owner in this very transaction, who would write over a bitmap that lies in them.
        for (unsigned word = 0; c.head != 0 && word < c.map_words; ++word)
            heap.preserve(heap.word(offset_of(heap, spare.page) + word * word_size));
        heap.store(state.spares[i], 0);
        close_slab(state, heap, spare.at, spare.index);
        page = find_run(state, heap, length);
    }
    if (page == 0) {
        extend(state, heap, length);
        page = find_run(state, heap, length);
        if (page == 0) throw_damaged("a run was lost", load(state.pages));
    }
    take_run(state, heap, page, length);
    return page;
}

/// A new slab, all free, the first of its class's list.
template <Heap H>
[[gnu::noinline]] void open_slab(State& state, H& heap, unsigned index) {
    const SizeClass& c = classes[index];
    const std::uint64_t page = take_pages(state, heap, c.pages);
    Word* const self = descriptor(state, heap, page);
    heap.store(self[0], tag(Kind::slab, page, index));
    for_each_part(c, [&](std::uint64_t distance) {
        heap.store(*descriptor(state, heap, page + distance), tag(Kind::slab, page, index));
    });
    Word* const bitmap = bitmap_of(heap, c, self);
    for (unsigned i = 0; i < c.map_words; ++i)
        if (c.head == 0)
            heap.store(bitmap[i], c.all_free(i));
        else
            heap.fill(bitmap[i], c.all_free(i)); // the pages were free: nobody reads them after a rollback
    heap.store(state.overhead, load(state.overhead) + overhead_of(c));
    link_slab(state, heap, descriptor_offset(state, page), page, index, self);
}

} // namespace ss::inline v0::segregated
