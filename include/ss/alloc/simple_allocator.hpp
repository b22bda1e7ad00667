// Boundary tags: every block begins with its size, and a free one ends with it too.
//
//     begin  8                                                                              end - 8  end
//     | - | header | bytes … | header | next | previous | … | footer | header | bytes … | … | last header |
//          block, allocated   block, free                              block                 size 0, allocated
//
//     header   | size of the whole block, a multiple of 16 | 2: the block before is free | 1: allocated |
//     next     offset of the next free block's header, 0 at the end
//     previous the one before; meaningless in the first of the list
//     footer   the size again, so that the block behind finds this one's begin
//
// Headers lie 8 past a multiple of 16, so the bytes behind them are aligned to 16. Two free blocks never touch. The
// last header ends the heap: every block has one behind it.
#pragma once

#include <ss/alloc/concept.hpp>
#include <ss/alloc/findings.hpp>
#include <ss/base/bits.hpp>
#include <ss/base/error.hpp>
#include <ss/base/policy.hpp>
#include <ss/base/word.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace ss::inline v0 {

/// The least space: 8 bytes per block, sizes rounded to 16 less 8, and always the best fit of all free blocks.
///
/// One list of free blocks, which allocate searches whole unless it meets an exact fit: the smallest block that will
/// do leaves the large ones whole. First fit would be faster and waste more, and space is what this policy is for.
/// free is O(1): it merges the block with free neighbours through their headers and footers.
///
/// Not for heaps with many free blocks, hence not for much that comes and goes: allocate is linear in their number.
/// Nor for many blocks of less than 24 bytes, which cost 32 each.
class SimpleAllocator {
public:
    struct State {
        Word end;       // of the allocator's part of the heap, an offset
        Word allocated; // bytes: the sum of block_size over all blocks
        Word first;     // header of the first free block, 0: none
    };

    static constexpr PolicyId id = policy_id("SIMPLE");
    static constexpr std::uint64_t fingerprint = ss::fingerprint(1, sizeof(State), 16, 32);
    static constexpr std::uint64_t allocate_entries = 13;
    static constexpr std::uint64_t free_entries = 8;
    static constexpr std::uint64_t trim_entries = 5;

    template <Heap H>
    static void initialize(State& state, H& heap) {
        heap.fill(state.end, heap.begin());
        heap.fill(state.allocated, 0);
        heap.fill(state.first, 0);
    }

    /// Linear in the number of free blocks.
    template <Heap H>
    static std::uint64_t allocate(State& state, H& heap, std::uint64_t size, std::uint64_t alignment) {
        if (alignment != 8 && alignment != 16)
            throw_error(errc::invalid_argument, "a block's alignment is 8 or 16, not " + std::to_string(alignment));
        if (size > largest_block) throw_error(errc::too_large, "allocation of more than 2^47 bytes");
        const std::uint64_t need = whole_for(size);
        std::uint64_t block = best_fit(state, heap, need);
        if (block == 0) block = extend(state, heap, need);

        const std::uint64_t whole = free_size(state, heap, block);
        std::uint64_t taken = whole;
        heap.preserve(heap.word(block + next_at));
        heap.preserve(heap.word(block + previous_at));
        if (whole - need >= smallest) {
            // The rest takes the block's place in the list. What lies inside a free block means nothing to anybody.
            taken = need;
            const std::uint64_t rest = block + need;
            heap.fill(heap.word(rest), whole - need);
            replace(state, heap, block, rest);
            heap.store(footer(heap, rest, whole - need), whole - need);
        } else {
            unlink(state, heap, block);
            heap.preserve(footer(heap, block, whole));
            Word& behind = heap.word(block + whole);
            heap.store(behind, load(behind) & ~before_is_free);
        }
        heap.store(heap.word(block), taken | is_allocated);
        heap.store(state.allocated, load(state.allocated) + taken - word_size);
        return block + word_size;
    }

    /// See alloc/concept.hpp. Linear in the number of free blocks.
    template <Heap H>
    static bool prepare(State& state, H& heap, std::uint64_t size, std::uint64_t step) {
        if (size > largest_block) return true;
        const std::uint64_t need = whole_for(size);
        if (best_fit(state, heap, need) != 0) return true;
        const std::uint64_t end = load(state.end);
        std::uint64_t tail = 0; // of free bytes at the end
        if (end != heap.begin() && (load(heap.word(end - word_size)) & before_is_free) != 0)
            tail = end - word_size - block_before(state, heap, end - word_size);
        const std::uint64_t next = std::min(need, std::max(smallest, align_up(tail + step, 16)));
        (void)extend(state, heap, next);
        return next == need;
    }

    /// Constant time.
    template <Heap H>
    static void free(State& state, H& heap, std::uint64_t offset) {
        const std::uint64_t block = offset - word_size;
        const std::uint64_t size = allocated_size(state, heap, block);
        std::uint64_t begin = block;
        std::uint64_t whole = size;
        heap.store(state.allocated, load(state.allocated) - (size - word_size));
        Word& behind = heap.word(block + size);
        if ((load(behind) & is_allocated) != 0) {
            heap.store(behind, load(behind) | before_is_free);
        } else {
            whole += free_size(state, heap, block + size);
            unlink(state, heap, block + size);
        }
        if ((load(heap.word(block)) & before_is_free) != 0) {
            begin = block_before(state, heap, block);
            whole += block - begin;
            heap.store(heap.word(block), 0); // lest the same offset is freed twice
        } else {
            link(state, heap, begin);
        }
        heap.store(heap.word(begin), whole);
        heap.store(footer(heap, begin, whole), whole);
    }

    /// Constant time.
    template <HeapReader H>
    [[nodiscard]] static std::uint64_t block_size(const State& state, const H& heap, std::uint64_t offset) {
        return allocated_size(state, heap, offset - word_size) - word_size;
    }

    [[nodiscard]] static std::uint64_t bytes_allocated(const State& state) noexcept { return load(state.allocated); }

    /// Linear in the number of free blocks.
    template <HeapReader H>
    [[nodiscard]] static std::uint64_t bytes_free(const State& state, const H& heap) {
        std::uint64_t bytes = heap.end() - std::min(heap.end(), load(state.end));
        for_each_free(state, heap, [&](std::uint64_t, std::uint64_t size) { bytes += size - word_size; });
        return bytes;
    }

    template <HeapReader H>
    static void verify(const State& state, const H& heap, std::vector<std::string>& problems) {
        Findings findings(problems, "simple heap");
        try {
            std::uint64_t allocated = 0;
            std::uint64_t free_blocks = 0;
            std::uint64_t before = 0; // size of the free block before, 0: none
            walk(state, heap, [&](std::uint64_t block, Word header) {
                const std::uint64_t size = size_in(header);
                if ((header & before_is_free) != (before != 0 ? before_is_free : 0))
                    findings.add("the block at ", block, " is wrong about the one before it");
                if ((header & is_allocated) != 0) {
                    allocated += size == 0 ? 0 : size - word_size;
                    before = 0;
                } else {
                    if (before != 0) findings.add("free blocks side by side at ", block);
                    if (load(footer(heap, block, size)) != size) findings.add("wrong footer of the block at ", block);
                    ++free_blocks;
                    before = size;
                }
            });
            for_each_free(state, heap, [&](std::uint64_t, std::uint64_t) { --free_blocks; });
            if (free_blocks != 0) findings.add("the list of free blocks does not have them all, or some twice");
            if (allocated != load(state.allocated))
                findings.add(load(state.allocated), " bytes are said to be allocated, but ", allocated, " are");
        } catch (const Error& error) { findings.add("stopped: ", std::string_view(error.what())); }
    }

    /// Blocks in the order of their offsets.
    template <HeapReader H, class F>
    static void for_each_block(const State& state, const H& heap, F&& visit) {
        walk(state, heap, [&](std::uint64_t block, Word header) {
            if (size_in(header) != 0)
                visit(BlockInfo{block + word_size, size_in(header) - word_size, (header & is_allocated) != 0});
        });
    }

    template <Heap H>
    static std::uint64_t trim(State& state, H& heap) {
        const std::uint64_t end = load(state.end);
        if (end == heap.begin()) return end;
        Word& last = heap.word(end - word_size);
        if ((load(last) & before_is_free) == 0) return end;
        const std::uint64_t block = block_before(state, heap, end - word_size);
        // Either the whole free block goes, and the last header takes the place of its own; or as much is left of it
        // as a free block needs.
        std::uint64_t new_end = align_up(block + word_size, page);
        if (block == first_block(heap))
            new_end = heap.begin();
        else if (new_end - word_size - block != 0 && new_end - word_size - block < smallest)
            new_end += page;
        if (new_end >= end) return end;
        const std::uint64_t rest = new_end == heap.begin() ? 0 : new_end - word_size - block;
        if (rest == 0) {
            unlink(state, heap, block);
            if (new_end != heap.begin()) heap.store(heap.word(block), is_allocated);
        } else {
            heap.store(heap.word(block), rest);
            heap.fill(footer(heap, block, rest), rest);
            heap.fill(heap.word(new_end - word_size), is_allocated | before_is_free);
        }
        heap.store(state.end, new_end);
        return new_end;
    }

private:
    static constexpr std::uint64_t page = 4096;
    static constexpr std::uint64_t largest_block = std::uint64_t{1} << 47;
    static constexpr std::uint64_t smallest = 32; // header, next, previous, footer
    static constexpr std::uint64_t next_at = 8;
    static constexpr std::uint64_t previous_at = 16;
    static constexpr Word is_allocated = 1;
    static constexpr Word before_is_free = 2;

    /// What a block of `size` usable bytes takes.
    [[nodiscard]] static constexpr std::uint64_t whole_for(std::uint64_t size) noexcept {
        return std::max(smallest, align_up(size + word_size, 16));
    }

    [[nodiscard]] static constexpr std::uint64_t size_in(Word header) noexcept { return header & ~Word{15}; }

    template <class H>
    [[nodiscard]] static std::uint64_t first_block(const H& heap) noexcept {
        return heap.begin() + word_size;
    }

    [[noreturn, gnu::cold, gnu::noinline]] static void throw_damaged(const char* what, std::uint64_t block) {
        throw_error(errc::damaged, std::string("simple heap: ") + what + " at offset " + std::to_string(block));
    }

    /// Checks that a block of `size` bytes may begin at `block`, with a header behind it.
    template <HeapReader H>
    static void check(const State& state, const H& heap, std::uint64_t block, std::uint64_t size) {
        const std::uint64_t end = load(state.end) - word_size;
        if (block < first_block(heap) || block % 16 != 8 || size < smallest || end >= heap.end() ||
            !fits(block, size, end))
            throw_damaged("no block of this size can be", block);
    }

    /// The size of the free block whose header is at `block`; throws errc::damaged if there is none.
    template <HeapReader H>
    [[nodiscard]] static std::uint64_t free_size(const State& state, const H& heap, std::uint64_t block) {
        const Word header = load(heap.word(block));
        check(state, heap, block, header);
        if (header != size_in(header) || load(footer(heap, block, header)) != header)
            throw_damaged("no free block where one should be", block);
        return header;
    }

    template <HeapReader H>
    [[nodiscard]] static std::uint64_t allocated_size(const State& state, const H& heap, std::uint64_t block) {
        const Word header = load(heap.word(block));
        const std::uint64_t size = size_in(header);
        check(state, heap, block, size);
        if ((header & 13) != is_allocated || (load(heap.word(block + size)) & before_is_free) != 0)
            throw_damaged("no allocated block begins", block + word_size);
        return size;
    }

    /// The free block that ends where `block` begins.
    template <HeapReader H>
    [[nodiscard]] static std::uint64_t block_before(const State& state, const H& heap, std::uint64_t block) {
        const std::uint64_t size = load(heap.word(block - word_size));
        if (size > block || free_size(state, heap, block - size) != size)
            throw_damaged("wrong footer in front of the block", block);
        return block - size;
    }

    template <class H>
    [[nodiscard]] static auto& footer(H& heap, std::uint64_t block, std::uint64_t size) {
        return heap.word(block + size - word_size);
    }

    /// Calls f(block, size) for each member of the free list. There cannot be more than fit into the heap, so a
    /// circle ends too.
    template <HeapReader H, class F>
    static void for_each_free(const State& state, const H& heap, F&& f) {
        std::uint64_t left = (heap.end() - heap.begin()) / smallest;
        std::uint64_t before = 0;
        for (std::uint64_t block = load(state.first); block != 0; block = load(heap.word(block + next_at))) {
            const std::uint64_t size = free_size(state, heap, block);
            if (left-- == 0 || (before != 0 && load(heap.word(block + previous_at)) != before))
                throw_damaged("broken list of free blocks", block);
            f(block, size);
            before = block;
        }
    }

    /// Calls f(block, header) for all blocks, then for the last header.
    template <HeapReader H, class F>
    static void walk(const State& state, const H& heap, F&& f) {
        const std::uint64_t end = load(state.end);
        if (end == heap.begin()) return;
        std::uint64_t block = first_block(heap);
        for (; block != end - word_size; block += size_in(load(heap.word(block)))) {
            check(state, heap, block, size_in(load(heap.word(block))));
            f(block, load(heap.word(block)));
        }
        const Word last = load(heap.word(block));
        if ((last & ~before_is_free) != is_allocated) throw_damaged("no last header", block);
        f(block, last);
    }

    /// The smallest free block of at least `need` bytes, 0 if there is none.
    template <HeapReader H>
    [[nodiscard]] static std::uint64_t best_fit(const State& state, const H& heap, std::uint64_t need) {
        std::uint64_t best = 0;
        std::uint64_t best_size = ~std::uint64_t{0};
        std::uint64_t left = (heap.end() - heap.begin()) / smallest;
        for (std::uint64_t block = load(state.first); block != 0 && best_size != need;
             block = load(heap.word(block + next_at))) {
            const std::uint64_t size = load(heap.word(block));
            if (size >= need && size < best_size) best = block, best_size = size;
            if (left-- == 0) throw_damaged("the list of free blocks is a circle", block);
        }
        return best;
    }

    /// Puts a block in front of the list. 3 journal entries.
    template <Heap H>
    static void link(State& state, H& heap, std::uint64_t block) {
        const std::uint64_t next = load(state.first);
        heap.store(heap.word(block + next_at), next);
        if (next != 0) heap.store(heap.word(next + previous_at), block);
        heap.store(state.first, block);
    }

    /// 2 journal entries.
    template <Heap H>
    static void unlink(State& state, H& heap, std::uint64_t block) {
        const std::uint64_t next = load(heap.word(block + next_at));
        const std::uint64_t previous = load(heap.word(block + previous_at));
        if (load(state.first) == block) {
            heap.store(state.first, next);
            return;
        }
        if (load(heap.word(previous + next_at)) != block) throw_damaged("broken list of free blocks", block);
        heap.store(heap.word(previous + next_at), next);
        if (next != 0) heap.store(heap.word(next + previous_at), previous);
    }

    /// Puts `rest`, a new block inside of `block`, in its place in the list. 2 journal entries.
    template <Heap H>
    static void replace(State& state, H& heap, std::uint64_t block, std::uint64_t rest) {
        const std::uint64_t next = load(heap.word(block + next_at));
        const std::uint64_t previous = load(heap.word(block + previous_at));
        heap.fill(heap.word(rest + next_at), next);
        heap.fill(heap.word(rest + previous_at), previous);
        if (next != 0) heap.store(heap.word(next + previous_at), rest);
        if (load(state.first) == block) {
            heap.store(state.first, rest);
            return;
        }
        if (load(heap.word(previous + next_at)) != block) throw_damaged("broken list of free blocks", block);
        heap.store(heap.word(previous + next_at), rest);
    }

    /// Makes the heap longer, so that it ends in a free block of at least `need` bytes, and returns that. Throws what
    /// heap.grow throws, before any change. At most 7 journal entries.
    template <Heap H>
    static std::uint64_t extend(State& state, H& heap, std::uint64_t need) {
        const std::uint64_t end = load(state.end);
        const bool empty = end == heap.begin();
        std::uint64_t block = empty ? first_block(heap) : end - word_size;
        if (end > heap.end() || !is_aligned(end, page)) throw_damaged("the allocator's end is past the heap's", end);
        const bool merges = !empty && (load(heap.word(block)) & before_is_free) != 0;
        if (merges) block = block_before(state, heap, block);
        std::uint64_t new_end = heap.end();
        const std::uint64_t wanted = block + need + word_size;
        if (wanted > new_end) new_end = heap.grow(wanted - new_end);
        if (wanted > new_end) throw_damaged("the heap did not grow", new_end);

        const std::uint64_t size = new_end - word_size - block;
        heap.store(state.end, new_end);
        heap.fill(heap.word(new_end - word_size), is_allocated | before_is_free);
        heap.fill(footer(heap, block, size), size);
        if (merges) {
            heap.preserve(heap.word(end - word_size));
            heap.preserve(heap.word(end - 2 * word_size));
            heap.store(heap.word(block), size);
        } else {
            if (empty)
                heap.fill(heap.word(block), size);
            else
                heap.store(heap.word(block), size);
            // These two lie past the old end, but `link` cannot know.
            link(state, heap, block);
        }
        return block;
    }
};

} // namespace ss::inline v0
