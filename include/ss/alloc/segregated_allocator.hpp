// The default allocator: small sizes by classes in slabs, large ones by runs of pages, all of it in constant time.
//
//     segregated/size_classes.hpp   into which sizes slabs are cut
//     segregated/pages.hpp          what is known of each page, and where: the bytes
//     segregated/runs.hpp           runs of pages: found, taken, merged, the heap made longer
//     segregated/slabs.hpp          slabs: opened, closed, who has room
//     segregated/verify.hpp         all of it walked and compared
#pragma once

#include <ss/alloc/concept.hpp>
#include <ss/alloc/segregated/pages.hpp>
#include <ss/alloc/segregated/runs.hpp>
#include <ss/alloc/segregated/size_classes.hpp>
#include <ss/alloc/segregated/slabs.hpp>
#include <ss/alloc/segregated/verify.hpp>
#include <ss/base/error.hpp>
#include <ss/base/policy.hpp>
#include <ss/base/word.hpp>

#include <bit>
#include <cstdint>
#include <string>
#include <vector>

namespace ss::inline v0 {

/// Constant time, little waste, and no state in the blocks.
///
/// Up to 26 KiB a size is rounded up to one of 89 classes, by at most an eighth, from 64 bytes on; the blocks of a
/// class lie side by side in slabs of a few pages, and a bit outside the blocks tells which are free. Where a class
/// has no room a block of the next ones may serve, if that wastes no more than another eighth, before a new slab is
/// made. Larger sizes are whole pages, found in bins by length and merged with their neighbours when they are given
/// back. So are slabs that become empty, but for four that may wait for the next block of their class.
///
/// A block's bytes are never the allocator's: it neither reads nor writes them, and a block costs no header. Costs
/// 0.8 % of the heap for descriptors of pages, 4 KiB at least. The usual call changes two to five words, all of them
/// outside of the block; from 32 bytes on outside of its page. A heap has 2^44 bytes at most.
///
/// Not for heaps of a few KiB: each size in use has a slab of its own, SimpleAllocator needs less. Nor for large
/// blocks of ever new sizes that fill most of the pool: good fit leaves gaps where best fit would not.
class SegregatedAllocator {
public:
    using State = segregated::State;

    static constexpr PolicyId id = policy_id("SEGREG");
    static constexpr std::uint64_t fingerprint = [] {
        std::uint64_t sum = ss::fingerprint(2, sizeof(State), segregated::page_size, segregated::descriptor_size,
                                            segregated::exact_bins, segregated::bin_count);
        for (const segregated::SizeClass& c : segregated::classes)
            sum = ss::fingerprint(sum, c.size, c.pages, c.blocks, c.head);
        return sum;
    }();

    static constexpr std::uint64_t allocate_entries = 47;
    static constexpr std::uint64_t free_entries = 24;
    static constexpr std::uint64_t trim_entries = 270;

    template <Heap H>
    static void initialize(State& state, H& heap) {
        auto* const words = reinterpret_cast<Word*>(&state);
        for (std::size_t i = 0; i < sizeof(State) / word_size; ++i) heap.fill(words[i], 0);
    }

    /// Constant time, but for a longer heap. Changes 2 words if a slab has room and keeps it.
    template <Heap H>
    static std::uint64_t allocate(State& state, H& heap, std::uint64_t size, std::uint64_t alignment) {
        using namespace segregated;
        const bool aligned = check_alignment(alignment);
        if (size > always_in_slabs && fits_pages(size)) return allocate_run(state, heap, size);
        unsigned index = class_of(size);
        if (aligned) index = classes[index].next_aligned;
        if (const unsigned room = class_with_room(state, index, aligned); room < class_count) [[likely]] {
            index = room;
        } else {
            index = make_room(state, heap, index, aligned);
        }

        const SizeClass& c = classes[index];
        Word* const self = slab_at(heap, load(state.slabs[index]), index);
        Word* const bitmap = bitmap_of(heap, c, self);
        unsigned i = 0;
        if (c.map_words != 1)
            while (i + 1 < c.map_words && load(bitmap[i]) == 0) ++i;
        const Word bits = load(bitmap[i]);
        const Word rest = bits & (bits - 1);
        const std::uint64_t block = 64 * i + static_cast<unsigned>(std::countr_zero(bits));
        const std::uint64_t page = number_in(load(self[0]));
        if (bits == 0 || block >= c.blocks) [[unlikely]]
            throw_damaged("no block in a slab with room", page);
        const std::uint64_t offset = offset_of(heap, page) + c.head + block * c.size;
        (void)heap.word(offset + c.size - word_size); // throws if the block does not lie in the heap
        const Change taken{bitmap[i], rest};
        const Change counted{state.allocated, load(state.allocated) + c.size};
        if (rest == 0 && (c.map_words == 1 || all_taken(c, bitmap, i + 1)))
            unlink_first_slab(state, heap, index, self, taken, counted);
        else
            store_all(heap, taken, counted);
        return offset;
    }

    /// See alloc/concept.hpp. Linear in `step`.
    template <Heap H>
    static bool prepare(State& state, H& heap, std::uint64_t size, std::uint64_t step) {
        using namespace segregated;
        return size > largest_block || prepare_run(state, heap, pages_for(size), pages_for(step));
    }

    /// Constant time. Changes 2 words if the slab had room before and is not empty now.
    template <Heap H>
    static void free(State& state, H& heap, std::uint64_t offset) {
        using namespace segregated;
        const Word word = load(*descriptor(state, heap, page_of(heap, offset)));
        const unsigned index = class_in(word);
        if (kind_of(word) != Kind::slab || index >= class_count) [[unlikely]]
            return free_run(state, heap, offset);
        // Mostly it is the same page's descriptor again, but to ask would cost more than to look.
        const std::uint64_t page = number_in(word);
        const std::uint64_t at = descriptor_offset(state, page);
        Word* const self = first_of_slab(heap, at, word);

        const SizeClass& c = classes[index];
        Word* const bitmap = bitmap_of(heap, c, self);
        const std::uint64_t block = block_at(heap, c, page, offset);
        Word& bits = bitmap[block / 64];
        const Word before = load(bits);
        const Word after = before | Word{1} << block % 64;
        if (before == after) [[unlikely]]
            throw_damaged("this block is free already", page);
        const Change given{bits, after};
        const Change counted{state.allocated, load(state.allocated) - c.size};
        if (before == 0 && (c.map_words == 1 || all_taken(c, bitmap)))
            link_slab(state, heap, at, page, index, self, given, counted);
        else
            store_all(heap, given, counted);
        if (after == c.all_free(static_cast<unsigned>(block / 64)) && (c.map_words == 1 || all_free(c, bitmap)))
            slab_became_empty(state, heap, at, index);
    }

    /// Constant time.
    template <HeapReader H>
    [[nodiscard]] static std::uint64_t block_size(const State& state, const H& heap, std::uint64_t offset) {
        using namespace segregated;
        const Word word = load(*descriptor(state, heap, page_of(heap, offset)));
        const unsigned index = class_in(word);
        if (kind_of(word) != Kind::slab || index >= class_count) return large_length(state, heap, offset) * page_size;
        const std::uint64_t page = number_in(word);
        const Word* const self = first_of_slab(heap, descriptor_offset(state, page), word);
        const SizeClass& c = classes[index];
        const std::uint64_t block = block_at(heap, c, page, offset);
        if ((load(bitmap_of(heap, c, self)[block / 64]) >> block % 64 & 1) != 0)
            throw_damaged("this block is free", page);
        return c.size;
    }

    [[nodiscard]] static std::uint64_t bytes_allocated(const State& state) noexcept { return load(state.allocated); }

    /// Constant time.
    template <HeapReader H>
    [[nodiscard]] static std::uint64_t bytes_free(const State& state, const H& heap) noexcept {
        const std::uint64_t all = heap.end() - heap.begin();
        const std::uint64_t used = load(state.overhead) + load(state.allocated);
        return used <= all ? all - used : 0;
    }

    template <HeapReader H>
    static void verify(const State& state, const H& heap, std::vector<std::string>& problems) {
        segregated::Verifier<H>(state, heap, problems).run();
    }

    /// Blocks in the order of their offsets; each free run counts as one block.
    template <HeapReader H, class F>
    static void for_each_block(const State& state, const H& heap, F&& visit) {
        using namespace segregated;
        for_each_run(state, heap, [&](std::uint64_t page, Kind kind, std::uint64_t length, unsigned index) {
            const std::uint64_t offset = offset_of(heap, page);
            if (kind == Kind::free || kind == Kind::large)
                visit(BlockInfo{offset, length * page_size, kind == Kind::large});
            if (kind != Kind::slab) return;
            const SizeClass& c = classes[index];
            const Word* const bitmap = bitmap_of(heap, c, descriptor(state, heap, page));
            for (unsigned i = 0; i < c.blocks; ++i)
                visit(BlockInfo{offset + c.head + std::uint64_t{i} * c.size, c.size,
                                (load(bitmap[i / 64]) >> i % 64 & 1) == 0});
        });
    }

    /// Closes the slabs that wait empty, then lets go of the free run at the end.
    template <Heap H>
    static std::uint64_t trim(State& state, H& heap) {
        using namespace segregated;
        for (Word& place : state.spares) {
            const Spare spare = spare_in(state, heap, place);
            if (spare.at == 0) continue;
            heap.store(place, 0);
            if (spare.empty) close_slab(state, heap, spare.at, spare.index);
        }
        trim_end(state, heap);
        return offset_of(heap, load(state.pages));
    }

private:
    static constexpr std::uint64_t largest_block = std::uint64_t{1} << 47;
    static constexpr std::uint64_t always_in_slabs = 3584;
    static constexpr std::uint64_t small_heap = 256; // pages
    static_assert(segregated::classes[segregated::class_of(always_in_slabs)].size < segregated::page_size);

    [[nodiscard]] static bool check_alignment(std::uint64_t alignment) {
        if (alignment != 8 && alignment != 16) [[unlikely]]
            throw_error(errc::invalid_argument, "a block's alignment is 8 or 16, not " + std::to_string(alignment));
        return alignment == 16;
    }

    [[nodiscard]] static constexpr std::uint64_t pages_for(std::uint64_t size) noexcept {
        return (size + segregated::page_size - 1) / segregated::page_size;
    }

    /// True if whole pages waste no more than a class would.
    [[nodiscard]] static bool fits_pages(std::uint64_t size) noexcept {
        using namespace segregated;
        return size > largest_class || pages_for(size) * page_size <= classes[class_of(size)].size;
    }

    /// The least class with room that may serve for class `index`; class_count if there is none.
    [[nodiscard]] static unsigned class_with_room(const State& state, unsigned index, bool aligned) noexcept {
        const segregated::SizeClass& c = segregated::classes[index];
        // The bits from `index` on. Without a branch: what is shifted in behind the second word is out of reach.
        Word window = load(state.partial[index / 64]) >> index % 64 | load(state.partial[1])
                                                                          << 1 << (63 - index % 64);
        static_assert(segregated::class_count <= 112, "the last window ends in the second word");
        window &= aligned ? c.reach_16 : c.reach;
        return window == 0 ? segregated::class_count : index + static_cast<unsigned>(std::countr_zero(window));
    }

    /// The class that serves if none within reach has room: in a small heap a larger one that has, where a slab for
    /// each size would cost more than blocks that are half as large again; else this one, with a new slab.
    template <Heap H>
    [[gnu::noinline]] static unsigned make_room(State& state, H& heap, unsigned index, bool aligned) {
        using namespace segregated;
        const std::uint64_t most = load(state.pages) < small_heap ? classes[index].size * 3 / 2 : 0;
        for (unsigned i = index; i < class_count && classes[i].size <= most; ++i)
            if ((load(state.partial[i / 64]) >> i % 64 & 1) != 0 && (!aligned || classes[i].size % 16 == 0)) return i;
        open_slab(state, heap, index);
        return index;
    }

    template <Heap H>
    [[gnu::noinline]] static std::uint64_t allocate_run(State& state, H& heap, std::uint64_t size) {
        using namespace segregated;
        if (size > largest_block) throw_error(errc::too_large, "allocation of more than 2^47 bytes");
        const std::uint64_t pages = pages_for(size);
        const std::uint64_t page = take_pages(state, heap, pages);
        if (!fits(offset_of(heap, page), pages * page_size, heap.end())) throw_damaged("a run past the end", page);
        heap.store(*descriptor(state, heap, page), tag(Kind::large, pages));
        heap.store(state.allocated, load(state.allocated) + pages * page_size);
        return offset_of(heap, page);
    }

    template <Heap H>
    [[gnu::noinline]] static void free_run(State& state, H& heap, std::uint64_t offset) {
        const std::uint64_t pages = large_length(state, heap, offset);
        heap.store(state.allocated, load(state.allocated) - pages * segregated::page_size);
        segregated::give_run(state, heap, page_of(heap, offset), pages);
    }

    /// The pages of the large block that begins at `offset`.
    template <HeapReader H>
    [[nodiscard]] static std::uint64_t large_length(const State& state, const H& heap, std::uint64_t offset) {
        using namespace segregated;
        const std::uint64_t page = page_of(heap, offset);
        const Word word = load(*descriptor(state, heap, page));
        if (kind_of(word) != Kind::large || offset != offset_of(heap, page) || number_in(word) == 0 ||
            !fits(page, number_in(word), load(state.pages)))
            throw_damaged("no block begins at this offset", page);
        return number_in(word);
    }

    template <HeapReader H>
    [[nodiscard]] static std::uint64_t page_of(const H& heap, std::uint64_t offset) noexcept {
        return (offset - heap.begin()) / segregated::page_size; // wraps below the begin: no such page
    }

    /// The descriptor of a slab's first page, which says the same as that of the page that `word` was found in.
    template <class H>
    [[nodiscard]] static auto* first_of_slab(H& heap, std::uint64_t at, Word word) {
        auto* const self = segregated::descriptor_at(heap, at);
        if (load(*self) != word) [[unlikely]]
            segregated::throw_damaged("no slab where one should be", segregated::number_in(word));
        return self;
    }

    /// The number in its slab of the block that begins at `offset`.
    template <HeapReader H>
    [[nodiscard]] static std::uint64_t block_at(const H& heap, const segregated::SizeClass& c, std::uint64_t page,
                                                std::uint64_t offset) {
        using namespace segregated;
        const std::uint64_t bytes = offset - offset_of(heap, page) - c.head;
        const std::uint64_t block = bytes < c.pages * page_size ? c.index(bytes) : c.blocks;
        if (block >= c.blocks || block * c.size != bytes) [[unlikely]]
            throw_damaged("no block begins at this offset", page);
        return block;
    }
};

} // namespace ss::inline v0
