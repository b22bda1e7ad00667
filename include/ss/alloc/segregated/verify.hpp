// Walks everything that a segregated heap knows and compares what is said twice.
#pragma once

#include <ss/alloc/concept.hpp>
#include <ss/alloc/findings.hpp>
#include <ss/alloc/segregated/pages.hpp>
#include <ss/alloc/segregated/runs.hpp>
#include <ss/alloc/segregated/size_classes.hpp>
#include <ss/alloc/segregated/slabs.hpp>
#include <ss/base/error.hpp>
#include <ss/base/word.hpp>

#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <vector>

namespace ss::inline v0::segregated {

/// Calls f(page, kind, length, class) for each run from the heap's begin on. Throws errc::damaged where no run begins
/// that fits; ends on any bytes, since each run is at least a page.
template <HeapReader H, class F>
void for_each_run(const State& state, const H& heap, F&& f) {
    const std::uint64_t pages = load(state.pages);
    if (pages > (heap.end() - heap.begin()) / page_size)
        throw_damaged("the allocator's end lies past the heap's", pages);
    for (std::uint64_t page = 0; page < pages;) {
        const Word word = load(*descriptor(state, heap, page));
        const Kind kind = kind_of(word);
        const unsigned index = class_in(word);
        std::uint64_t length = number_in(word);
        if (kind == Kind::slab) length = length == page && index < class_count ? classes[index].pages : 0;
        const bool begins = kind == Kind::free || kind == Kind::large || kind == Kind::slab || kind == Kind::table;
        if (!begins || length == 0 || !fits(page, length, pages)) throw_damaged("no run begins", page);
        f(page, kind, length, index);
        page += length;
    }
}

/// One walk over a heap.
template <HeapReader H>
class Verifier {
public:
    Verifier(const State& state, const H& heap, std::vector<std::string>& problems)
        : state_(state), heap_(heap), findings_(problems, "segregated heap") {}

    void run() {
        try {
            for_each_run(state_, heap_, [this](std::uint64_t page, Kind kind, std::uint64_t length, unsigned index) {
                check_inside(page, kind, length, index);
                if (kind == Kind::free) check_free(page, length);
                if (kind == Kind::large) allocated_ += length * page_size;
                if (kind == Kind::slab) check_slab(page, index);
                if (kind == Kind::table) check_table(page, length);
                before_was_free_ = kind == Kind::free;
            });
            check_tables();
            check_bins();
            check_classes();
            check_spares();
            expect(load(state_.allocated), allocated_, "bytes allocated");
            expect(load(state_.overhead), overhead_, "bytes of overhead");
        } catch (const Error& error) { findings_.add("stopped: ", std::string_view(error.what())); }
    }

private:
    void expect(std::uint64_t said, std::uint64_t counted, std::string_view what) {
        if (said != counted) findings_.add(what, " are said to be ", said, ", but are ", counted);
    }

    /// The pages of a run but its first: all inner, but for the end of a free run and the parts of a slab.
    void check_inside(std::uint64_t page, Kind kind, std::uint64_t length, unsigned index) {
        std::uint64_t parts = 0;
        if (kind == Kind::slab)
            for_each_part(classes[index], [&](std::uint64_t distance) { parts |= 1U << distance; });
        for (std::uint64_t i = 1; i < length && !findings_.full(); ++i) {
            Word expected = 0;
            if (kind == Kind::free && i + 1 == length) expected = tag(Kind::free_end, length);
            if (kind == Kind::slab && (parts >> i & 1) != 0) expected = tag(Kind::slab, page, index);
            if (load(*descriptor(state_, heap_, page + i)) != expected)
                findings_.add("page ", page + i, " does not look like a part of the run at ", page);
        }
    }

    void check_free(std::uint64_t page, std::uint64_t length) {
        if (before_was_free_) findings_.add("free runs side by side at page ", page);
        ++runs_[bin_of(length)];
    }

    void check_slab(std::uint64_t page, unsigned index) {
        const SizeClass& c = classes[index];
        const Word* const bitmap = bitmap_of(heap_, c, descriptor(state_, heap_, page));
        unsigned free = 0;
        for (unsigned i = 0; i < c.map_words; ++i) {
            if ((load(bitmap[i]) & ~c.all_free(i)) != 0) findings_.add("bits past the last block at page ", page);
            free += static_cast<unsigned>(std::popcount(load(bitmap[i]) & c.all_free(i)));
        }
        allocated_ += std::uint64_t{c.blocks - free} * c.size;
        overhead_ += overhead_of(c);
        if (free > 0) ++slabs_[index];
        if (free == c.blocks && load(state_.spares[index % spare_count]) != descriptor_offset(state_, page))
            findings_.add("an empty slab was not given back at page ", page);
    }

    void check_table(std::uint64_t page, std::uint64_t length) {
        overhead_ += length * page_size;
        for (unsigned i = 0; i < load(state_.table_count) && i < most_tables; ++i)
            if (table_offset(state_, i) == offset_of(heap_, page) && table_length(i) == length) return;
        findings_.add("a table that nobody knows at page ", page);
    }

    void check_tables() {
        if (load(state_.table_count) > most_tables) findings_.add("too many tables");
        for (unsigned i = 0; i < load(state_.table_count) && i < most_tables; ++i) {
            const std::uint64_t offset = table_offset(state_, i);
            const std::uint64_t page = (offset - heap_.begin()) / page_size;
            if (!is_aligned(offset, page_size) || page >= load(state_.pages) ||
                load(*descriptor(state_, heap_, page)) != tag(Kind::table, table_length(i)))
                findings_.add("table ", i, " does not lie at offset ", offset);
        }
    }

    /// Called for the `count`-th member of a list: there are never more members than pages.
    void check_link(std::uint64_t member, std::uint64_t previous, std::uint64_t count, std::uint64_t said) {
        if ((previous != 0 && said != previous) || count > load(state_.pages)) throw_damaged("broken list", member);
    }

    void check_bins() {
        for (unsigned bin = 0; bin < bin_count; ++bin) {
            const std::uint64_t first = load(state_.bins[bin]);
            if ((load(state_.filled_bins[bin / 64]) >> bin % 64 & 1) != (first != 0 ? 1 : 0))
                findings_.add("bin ", bin, " is marked wrong");
            std::uint64_t count = 0;
            for (std::uint64_t page = first, previous = 0; page != 0; ++count) {
                const Word* const self = descriptor(state_, heap_, page);
                check_link(page, previous, count, load(self[2]));
                if (bin_of(free_length(state_, heap_, page)) != bin) findings_.add("wrong run in bin ", bin);
                previous = page;
                page = load(self[1]);
            }
            expect(count, runs_[bin], "free runs in a bin");
        }
    }

    void check_classes() {
        for (unsigned index = 0; index < class_count; ++index) {
            const std::uint64_t first = load(state_.slabs[index]);
            if ((load(state_.partial[index / 64]) >> index % 64 & 1) != (first != 0 ? 1 : 0))
                findings_.add("class of ", classes[index].size, " bytes is marked wrong");
            std::uint64_t count = 0;
            for (std::uint64_t at = first, previous = 0; at != 0; ++count) {
                const Word* const self = slab_at(heap_, at, index);
                const std::uint64_t page = number_in(load(self[0]));
                check_link(page, previous, count, previous_in(load(self[1])));
                if (descriptor_offset(state_, page) != at) findings_.add("page ", page, " is described elsewhere");
                if (all_taken(classes[index], bitmap_of(heap_, classes[index], self)))
                    findings_.add("a full slab among those with room at page ", page);
                previous = page;
                const std::uint64_t next = next_in(load(self[1]));
                at = next == 0 ? 0 : descriptor_offset(state_, next);
            }
            expect(count, slabs_[index], "slabs with room");
        }
    }

    void check_spares() {
        for (unsigned i = 0; i < spare_count; ++i)
            if (const Spare spare = spare_in(state_, heap_, state_.spares[i]);
                spare.at != 0 && spare.index % spare_count != i)
                findings_.add("a spare slab in the wrong place at page ", spare.page);
    }

    const State& state_;
    const H& heap_;
    Findings findings_;
    bool before_was_free_ = false;
    std::uint64_t allocated_ = 0;
    std::uint64_t overhead_ = 0;
    std::array<std::uint64_t, bin_count> runs_{};
    std::array<std::uint64_t, class_count> slabs_{};
};

} // namespace ss::inline v0::segregated
