// Runs of pages: taken from the best of the bins, given back and merged with their neighbours, both in constant time.
//
// Free runs hang in bins by length. A request looks at a few runs of its own bin, then takes the first of the next
// bin that has any, all of which are long enough: "good fit" (M. Masmano and others, "TLSF: a new dynamic memory
// allocator for real-time systems", ECRTS 2004). What is left over of the run goes back to a bin. Lengths at both
// ends of a free run let a neighbour find it and merge (D. Knuth, "The Art of Computer Programming", 2.5).
#pragma once

#include <ss/alloc/concept.hpp>
#include <ss/alloc/segregated/pages.hpp>
#include <ss/base/bits.hpp>
#include <ss/base/error.hpp>
#include <ss/base/word.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>

namespace ss::inline v0::segregated {

/// The bin for runs of `length` pages; below exact_bins all its runs are of that one length.
[[nodiscard]] constexpr unsigned bin_of(std::uint64_t length) noexcept {
    if (length < exact_bins) return static_cast<unsigned>(length);
    const unsigned shift = log2_floor(length) - 3;
    return 8 * (shift + 1) + static_cast<unsigned>(length >> shift & 7);
}
static_assert(bin_of(15) == 15 && bin_of(16) == 16 && bin_of(17) == 16 && bin_of(18) == 17);
static_assert(bin_of(most_heap_pages) < bin_count);

/// The length of the free run that begins at `page`; throws errc::damaged if none does.
template <HeapReader H>
[[nodiscard]] std::uint64_t free_length(const State& state, const H& heap, std::uint64_t page) {
    const Word word = load(*descriptor(state, heap, page));
    const std::uint64_t length = number_in(word);
    if (kind_of(word) != Kind::free || length == 0 || !fits(page, length, load(state.pages)))
        throw_damaged("no free run where one should be", page);
    return length;
}

/// The length of the free run that ends before `page`, 0 if there is none.
template <HeapReader H>
[[nodiscard]] std::uint64_t free_before(const State& state, const H& heap, std::uint64_t page) {
    if (page == 0) return 0;
    const Word word = load(*descriptor(state, heap, page - 1));
    const std::uint64_t length = number_in(word);
    if (kind_of(word) == Kind::free ? length != 1 : kind_of(word) != Kind::free_end) return 0;
    if (length > page || free_length(state, heap, page - length) != length)
        throw_damaged("a free run's two ends disagree", page);
    return length;
}

/// The length of the free run that begins at `page`, 0 if there is none.
template <HeapReader H>
[[nodiscard]] std::uint64_t free_after(const State& state, const H& heap, std::uint64_t page) {
    if (page >= load(state.pages) || kind_of(load(*descriptor(state, heap, page))) != Kind::free) return 0;
    return free_length(state, heap, page);
}

/// Takes a free run out of its bin. At most 2 journal entries.
template <Heap H>
void unlink_run(State& state, H& heap, std::uint64_t page, std::uint64_t length) {
    const unsigned bin = bin_of(length);
    const Word* const self = descriptor(state, heap, page);
    const std::uint64_t next = load(self[1]);
    if (load(state.bins[bin]) == page) {
        heap.store(state.bins[bin], next);
        Word& filled = state.filled_bins[bin / 64];
        if (next == 0) heap.store(filled, load(filled) & ~(Word{1} << bin % 64));
        return;
    }
    const std::uint64_t previous = load(self[2]);
    Word* const before = descriptor(state, heap, previous);
    if (load(before[1]) != page) throw_damaged("broken list of free runs", page);
    if (next != 0) {
        Word* const after = descriptor(state, heap, next);
        if (load(after[2]) != page) throw_damaged("broken list of free runs", page);
        heap.store(after[2], previous);
    }
    heap.store(before[1], next);
}

/// Marks pages as one free run and puts it into its bin. At most 5 journal entries.
template <Heap H>
void link_run(State& state, H& heap, std::uint64_t page, std::uint64_t length) {
    const unsigned bin = bin_of(length);
    Word* const self = descriptor(state, heap, page);
    change(heap, self[0], tag(Kind::free, length));
    if (length > 1) change(heap, *descriptor(state, heap, page + length - 1), tag(Kind::free_end, length));
    const std::uint64_t next = load(state.bins[bin]);
    change(heap, self[1], next);
    if (next != 0)
        heap.store(descriptor(state, heap, next)[2], page);
    else
        change(heap, state.filled_bins[bin / 64], load(state.filled_bins[bin / 64]) | Word{1} << bin % 64);
    heap.store(state.bins[bin], page);
}

/// A free run of at least `length` pages, 0 if there is none.
template <HeapReader H>
[[nodiscard]] std::uint64_t find_run(const State& state, const H& heap, std::uint64_t length) {
    constexpr int looks = 8;
    if (length > most_heap_pages) return 0;
    unsigned bin = bin_of(length);
    std::uint64_t page = load(state.bins[bin]);
    for (int i = 0; page != 0 && i < looks; ++i) {
        if (free_length(state, heap, page) >= length) return page;
        page = load(descriptor(state, heap, page)[1]);
    }
    Word candidates = ~Word{0} << ++bin % 64;
    for (unsigned i = bin / 64; i < std::size(state.filled_bins); ++i, candidates = ~Word{0}) {
        candidates &= load(state.filled_bins[i]);
        if (candidates == 0) continue;
        bin = 64 * i + static_cast<unsigned>(std::countr_zero(candidates));
        page = bin < bin_count ? load(state.bins[bin]) : 0;
        if (page == 0 || free_length(state, heap, page) < length) throw_damaged("wrong run in bin", page);
        return page;
    }
    return 0;
}

/// Takes the first `length` pages of the free run that begins at `page`, and puts the rest back. The caller writes
/// what the pages now are into the descriptors. At most 8 journal entries.
template <Heap H>
void take_run(State& state, H& heap, std::uint64_t page, std::uint64_t length) {
    const std::uint64_t whole = free_length(state, heap, page);
    if (length > whole) throw_damaged("a free run is too short", page);
    unlink_run(state, heap, page, whole);
    if (whole > length)
        link_run(state, heap, page + length, whole - length);
    else if (whole > 1)
        heap.store(*descriptor(state, heap, page + whole - 1), 0);
}

/// Gives pages back, all of them but the first inner ones, and merges them with free neighbours. At most 12 journal
/// entries.
template <Heap H>
void give_run(State& state, H& heap, std::uint64_t page, std::uint64_t length) {
    std::uint64_t begin = page;
    std::uint64_t end = page + length;
    if (const std::uint64_t after = free_after(state, heap, end); after != 0) {
        unlink_run(state, heap, end, after);
        if (after > 1) heap.store(*descriptor(state, heap, end), 0);
        end += after;
    }
    if (const std::uint64_t before = free_before(state, heap, begin); before != 0) {
        begin -= before;
        unlink_run(state, heap, begin, before);
        if (before > 1) heap.store(*descriptor(state, heap, page - 1), 0);
        if (end - page > 1) heap.store(*descriptor(state, heap, page), 0);
    }
    link_run(state, heap, begin, end - begin);
}

/// What the heap must reach so that a free run of `length` pages begins at page `run`, with the new tables before it that
/// describe all of it.
struct Reach {
    unsigned tables;     ///< that there are then
    std::uint64_t pages; ///< that the heap must have
};

[[nodiscard]] inline Reach reach(const State& state, std::uint64_t run, std::uint64_t length) noexcept {
    Reach reach{.tables = static_cast<unsigned>(std::min<Word>(load(state.table_count), most_tables)),
                .pages = run + length};
    for (; reach.tables < most_tables && first_page_of(reach.tables) < reach.pages; ++reach.tables)
        reach.pages += table_length(reach.tables);
    return reach;
}

/// Makes the heap longer, so that it ends in a free run of at least `length` pages. Asks the heap only for what is
/// missing, uses all that there is. Throws what heap.grow throws, before any change.
///
///     … | used | free |             becomes      … | used | new tables | free             |
///              run    state.pages                       run                       state.pages
template <Heap H>
void extend(State& state, H& heap, std::uint64_t length) {
    const std::uint64_t old_pages = load(state.pages);
    const std::uint64_t tail = free_before(state, heap, old_pages);
    const std::uint64_t run = old_pages - tail;
    std::uint64_t committed = (heap.end() - heap.begin()) / page_size;
    if (old_pages > committed) throw_damaged("the allocator's end lies past the heap's", old_pages);
    if (tail >= length) { // it hung too far back in its bin to be found: put it in front
        unlink_run(state, heap, run, tail);
        link_run(state, heap, run, tail);
        return;
    }
    if (length > most_heap_pages - run)
        throw_error(errc::too_large, "allocation past the largest heap of 2^44 bytes");

    const auto old_tables = static_cast<unsigned>(std::min<Word>(load(state.table_count), most_tables));
    const auto [tables, need] = reach(state, run, length);
    if (committed < need) committed = (heap.grow((need - committed) * page_size) - heap.begin()) / page_size;
    const std::uint64_t pages = std::min(committed, tables < most_tables ? first_page_of(tables) : most_heap_pages);
    if (pages < need || pages <= old_pages) throw_damaged("the heap did not grow", old_pages);

    if (tail != 0) {
        unlink_run(state, heap, run, tail);
        if (tail > 1) heap.store(*descriptor(state, heap, old_pages - 1), 0);
    }
    // Tables past the count and descriptors past the old end mean nothing after a rollback.
    std::uint64_t next = run;
    for (unsigned i = old_tables; i < tables; next += table_length(i++))
        heap.fill(state.tables[i], offset_of(heap, next) - first_page_of(i) * descriptor_size);
    if (tables != old_tables) {
        heap.store(state.table_count, tables);
        heap.store(state.overhead, load(state.overhead) + (next - run) * page_size);
    }
    heap.store(state.pages, pages);
    for (std::uint64_t page = old_pages; page < pages; ++page) heap.fill(*descriptor(state, heap, page), 0);
    next = run;
    for (unsigned i = old_tables; i < tables; next += table_length(i++)) {
        Word& word = *descriptor(state, heap, next);
        if (next < old_pages)
            heap.store(word, tag(Kind::table, table_length(i)));
        else
            heap.fill(word, tag(Kind::table, table_length(i)));
    }
    link_run(state, heap, next, pages - next);
}

/// Brings a run of `length` pages nearer, by about `step` pages at most: for who has time before he needs it. True if no
/// more is needed. What a longer heap costs is linear in what is added, so a long run at once would hold all others up;
/// and so would the next table of a large heap, a 128th of it, which is made room for over the last 64th before it.
template <Heap H>
[[nodiscard]] bool prepare_run(State& state, H& heap, std::uint64_t length, std::uint64_t step) {
    const std::uint64_t old_pages = load(state.pages);
    const std::uint64_t tail = free_before(state, heap, old_pages);
    const std::uint64_t committed = (heap.end() - heap.begin()) / page_size;
    const bool is_there = tail >= length || find_run(state, heap, length) != 0;
    const auto tables = static_cast<unsigned>(std::min<Word>(load(state.table_count), most_tables - 1));
    const std::uint64_t edge = first_page_of(tables);
    if (table_length(tables) > step && old_pages + edge / 64 >= edge &&
        committed < edge + table_length(tables) + step) {
        (void)heap.grow(step * page_size);
        return is_there;
    }
    if (is_there) return true;
    const std::uint64_t next = std::min(length, tail + step);
    if (reach(state, old_pages - tail, next).pages > committed + step) {
        (void)heap.grow(step * page_size);
        return false;
    }
    extend(state, heap, next);
    return next == length;
}

/// Lets go of free pages at the end, and of tables there that describe nothing any more. At most 6 journal entries
/// per table.
template <Heap H>
void trim_end(State& state, H& heap) {
    for (unsigned steps = 0; steps <= 2 * most_tables; ++steps) {
        const std::uint64_t pages = load(state.pages);
        if (const std::uint64_t tail = free_before(state, heap, pages); tail != 0) {
            unlink_run(state, heap, pages - tail, tail);
            heap.store(state.pages, pages - tail);
            continue;
        }
        const auto tables = static_cast<unsigned>(std::min<Word>(load(state.table_count), most_tables));
        if (tables == 0) return;
        const unsigned last = tables - 1;
        const std::uint64_t page = (table_offset(state, last) - heap.begin()) / page_size;
        if (page + table_length(last) != pages) return;
        // It lies no further than the pages it describes, so it describes nothing but itself and what came after.
        if (page > first_page_of(last)) throw_damaged("misplaced table", page);
        heap.store(state.pages, page);
        heap.store(state.table_count, last);
        heap.store(state.overhead, load(state.overhead) - table_length(last) * page_size);
    }
}

} // namespace ss::inline v0::segregated
