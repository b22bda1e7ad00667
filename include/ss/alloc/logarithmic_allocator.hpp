// A buddy system whose free blocks are known by a tree of maxima instead of by lists in the blocks.
//
//     heap   | table | 2^order units of 32 bytes … | table | units … | table | units …   (grows here)
//              arena 0                               arena 1           arena 2
//
// The heap grows by arenas. Each has a table in front, which holds the buddy tree of its units, and room for half as
// many bytes as all before it, or more; the last one is there only up to the heap's end. See logarithmic/tree.hpp.
//
// Classical buddies keep a list of free blocks per order, with links and headers in the blocks: a free that merges
// through all orders changes two words per order, and a block of a power of two needs twice its size, for the header.
// Here a word tells of three orders at once, and nothing lies in the blocks. (Buddies: K. C. Knowlton, "A fast storage
// allocator", CACM 1965.)
#pragma once

#include <ss/alloc/concept.hpp>
#include <ss/alloc/findings.hpp>
#include <ss/alloc/logarithmic/tree.hpp>
#include <ss/base/bits.hpp>
#include <ss/base/error.hpp>
#include <ss/base/policy.hpp>
#include <ss/base/word.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace ss::inline v0 {

/// Allocates and frees in logarithmic time, whatever came before: a buddy system.
///
/// Sizes are rounded up to a power of two, 32 bytes at least, and every block is aligned to its size within its arena.
/// A tree of maxima finds the best fitting block on the way down, and merges by what it writes on the way up: at most
/// one word per three doublings of the heap. Blocks hold none of its state. The tables cost a twenty-eighth of the
/// heap.
///
/// Not where space counts: a quarter of the heap is lost to rounding on average, half of it at worst. Nor for blocks
/// that nearly fill the pool: there must be room for the next power of two, and for what its alignment skips.
class LogarithmicAllocator {
public:
    struct Arena {
        Word start; // offset of its table
        Word order; // it has room for 2^order units
        Word best;  // 0: nothing is free; else 1 + the order of its largest free block
    };
    static constexpr unsigned most_arenas = 128;

    struct State {
        Word end;       // of the allocator's part of the heap, an offset
        Word allocated; // bytes: the sum of block_size over all blocks
        Word count;     // of arenas
        Arena arenas[most_arenas];
    };

    static constexpr PolicyId id = policy_id("LOGARIT");
    static constexpr std::uint64_t fingerprint = ss::fingerprint(1, sizeof(State), logarithmic::unit, most_arenas);
    static constexpr std::uint64_t allocate_entries = 50;
    static constexpr std::uint64_t free_entries = 16;
    static constexpr std::uint64_t trim_entries = 2 * most_arenas + 20;

    template <Heap H>
    static void initialize(State& state, H& heap) {
        heap.fill(state.end, heap.begin());
        heap.fill(state.allocated, 0);
        heap.fill(state.count, 0);
    }

    /// Logarithmic in the size of the heap.
    template <Heap H>
    static std::uint64_t allocate(State& state, H& heap, std::uint64_t size, std::uint64_t alignment) {
        using namespace logarithmic;
        if (alignment != 8 && alignment != 16)
            throw_error(errc::invalid_argument, "a block's alignment is 8 or 16, not " + std::to_string(alignment));
        if (size > unit << largest_order) throw_error(errc::too_large, "allocation of more than 2^47 bytes");
        const unsigned order = order_for(size);
        unsigned arena = best_arena(state, order);
        if (arena == most_arenas) {
            extend(state, heap, order);
            arena = best_arena(state, order);
            if (arena == most_arenas) throw_damaged("no room in a new arena", load(state.end));
        }
        const Place place = place_of(state, heap, arena);
        std::uint64_t begin = 0;
        const unsigned best = Tree<H>(heap, place.table, place.order).take(order, begin);
        const std::uint64_t offset = place.base + begin * unit;
        if (!fits(offset, unit << order, heap.end())) throw_damaged("a block past the end", offset);
        change(heap, state.arenas[arena].best, best);
        heap.store(state.allocated, load(state.allocated) + (unit << order));
        return offset;
    }

    /// See alloc/concept.hpp. Logarithmic in the size of the heap, but for growing.
    template <Heap H>
    static bool prepare(State& state, H& heap, std::uint64_t size, std::uint64_t step) {
        using namespace logarithmic;
        if (size > unit << largest_order) return true;
        const unsigned order = order_for(size);
        if (best_arena(state, order) != most_arenas) return true;
        const Extension next = extension(state, heap, order);
        if (next.end > heap.end() && next.end - heap.end() > step) {
            (void)heap.grow(std::max(step, page));
            return false;
        }
        extend(state, heap, order);
        return true;
    }

    /// Logarithmic in the size of the heap.
    template <Heap H>
    static void free(State& state, H& heap, std::uint64_t offset) {
        using namespace logarithmic;
        const unsigned arena = arena_at(state, offset);
        const Place place = place_of(state, heap, arena);
        const std::uint64_t begin = unit_at(place, offset);
        const Tree<H> tree(heap, place.table, place.order);
        unsigned order = 0;
        change(heap, state.arenas[arena].best, tree.give(begin, order));
        heap.store(state.allocated, load(state.allocated) - (unit << order));
    }

    /// Logarithmic in the size of the heap.
    template <HeapReader H>
    [[nodiscard]] static std::uint64_t block_size(const State& state, const H& heap, std::uint64_t offset) {
        using namespace logarithmic;
        const Place place = place_of(state, heap, arena_at(state, offset));
        return unit << Tree<const H>(heap, place.table, place.order).order_at(unit_at(place, offset));
    }

    [[nodiscard]] static std::uint64_t bytes_allocated(const State& state) noexcept { return load(state.allocated); }

    /// Linear in the number of arenas, which is logarithmic.
    template <HeapReader H>
    [[nodiscard]] static std::uint64_t bytes_free(const State& state, const H& heap) {
        const std::uint64_t all = heap.end() - heap.begin();
        std::uint64_t used = load(state.allocated);
        for (unsigned arena = 0; arena < arena_count(state); ++arena) {
            const Place place = place_of(state, heap, arena);
            used += place.base - place.table;
        }
        return used <= all ? all - used : 0;
    }

    template <HeapReader H>
    static void verify(const State& state, const H& heap, std::vector<std::string>& problems) {
        using namespace logarithmic;
        Findings findings(problems, "logarithmic heap");
        try {
            std::uint64_t allocated = 0;
            std::uint64_t next = heap.begin();
            for (unsigned arena = 0; arena < arena_count(state) && !findings.full(); ++arena) {
                const Place place = place_of(state, heap, arena);
                const Tree<const H> tree(heap, place.table, place.order);
                if (place.table != next) findings.add("arena ", arena, " begins at ", place.table, ", not ", next);
                if (load(state.arenas[arena].best) != tree.best()) findings.add("arena ", arena, " has a wrong best");
                std::uint64_t listed = 0;
                std::uint64_t used = 0;
                tree.walk([&](const Extent& extent) {
                    listed += extent.units;
                    if (extent.allocated) used += extent.units;
                    if (!fits(extent.begin, extent.units, place.present))
                        findings.add("a block past the end of arena ", arena);
                });
                if (listed != place.present) findings.add("arena ", arena, " does not know all of its units");
                allocated += used * unit;
                next = place.base + place.present * unit;
            }
            if (next != load(state.end)) findings.add("the end is said to be ", load(state.end), ", but is ", next);
            if (next > heap.end()) findings.add("the end lies past the heap's");
            if (allocated != load(state.allocated))
                findings.add(load(state.allocated), " bytes are said to be allocated, but ", allocated, " are");
        } catch (const Error& error) { findings.add("stopped: ", std::string_view(error.what())); }
    }

    /// Blocks in the order of their offsets.
    template <HeapReader H, class F>
    static void for_each_block(const State& state, const H& heap, F&& visit) {
        using namespace logarithmic;
        for (unsigned arena = 0; arena < arena_count(state); ++arena) {
            const Place place = place_of(state, heap, arena);
            Tree<const H>(heap, place.table, place.order).walk([&](const Extent& extent) {
                visit(BlockInfo{place.base + extent.begin * unit, extent.units * unit, extent.allocated});
            });
        }
    }

    template <Heap H>
    static std::uint64_t trim(State& state, H& heap) {
        using namespace logarithmic;
        for (unsigned arena = arena_count(state); arena-- > 0;) {
            const Place place = place_of(state, heap, arena);
            const Tree<H> tree(heap, place.table, place.order);
            const std::uint64_t keep = align_up(tree.used(), page / unit);
            if (keep > 0) {
                if (keep >= place.present) break;
                heap.store(state.arenas[arena].best, tree.paint(keep, std::uint64_t{1} << place.order, false));
                heap.store(state.end, place.base + keep * unit);
                break;
            }
            heap.store(state.count, arena);
            heap.store(state.end, place.table);
        }
        return load(state.end);
    }

private:
    static constexpr std::uint64_t page = 4096;
    static constexpr unsigned smallest_arena = 11; // 64 KiB

    /// Where an arena lies.
    struct Place {
        std::uint64_t table;   // offset
        std::uint64_t base;    // offset of unit 0
        std::uint64_t present; // units up to the heap's end or the next arena
        unsigned order;
    };

    [[nodiscard]] static constexpr std::uint64_t table_bytes(unsigned order) noexcept {
        return align_up(logarithmic::Shape(order).words() * word_size, page);
    }

    [[nodiscard]] static constexpr unsigned order_for(std::uint64_t size) noexcept {
        return log2_ceil((size + logarithmic::unit - 1) / logarithmic::unit);
    }

    template <Heap H>
    static void change(H& heap, Word& word, Word value) {
        if (load(word) != value) heap.store(word, value);
    }

    [[nodiscard]] static unsigned arena_count(const State& state) {
        const Word count = load(state.count);
        if (count > most_arenas) logarithmic::throw_damaged("too many arenas", count);
        return static_cast<unsigned>(count);
    }

    template <HeapReader H>
    [[nodiscard]] static Place place_of(const State& state, const H& heap, unsigned arena) {
        using namespace logarithmic;
        const std::uint64_t table = load(state.arenas[arena].start);
        const Word order = load(state.arenas[arena].order);
        const bool last = arena + 1 == arena_count(state);
        const std::uint64_t end = last ? load(state.end) : load(state.arenas[arena + 1].start);
        if (order < smallest_arena || order > largest_order || !is_aligned(table | end, page) ||
            table < heap.begin() || end > heap.end() || !fits(table, table_bytes(static_cast<unsigned>(order)), end))
            throw_damaged("an arena that cannot be", table);
        const std::uint64_t base = table + table_bytes(static_cast<unsigned>(order));
        if ((end - base) / unit >> order > 1 || (end - base) / unit > std::uint64_t{1} << order)
            throw_damaged("an arena that cannot be", table);
        return {table, base, (end - base) / unit, static_cast<unsigned>(order)};
    }

    /// The arena with the smallest block that will do; most_arenas if there is none.
    [[nodiscard]] static unsigned best_arena(const State& state, unsigned order) {
        unsigned best = most_arenas;
        Word least = ~Word{0};
        for (unsigned i = 0, count = arena_count(state); i < count; ++i)
            if (const Word code = load(state.arenas[i].best); code > order && code < least) best = i, least = code;
        return best;
    }

    /// The arena that an offset lies in.
    [[nodiscard]] static unsigned arena_at(const State& state, std::uint64_t offset) {
        unsigned arena = arena_count(state);
        while (arena > 0)
            if (load(state.arenas[--arena].start) <= offset) return arena;
        logarithmic::throw_damaged("no block begins", offset);
    }

    [[nodiscard]] static std::uint64_t unit_at(const Place& place, std::uint64_t offset) {
        using namespace logarithmic;
        if (offset < place.base || !is_aligned(offset - place.base, unit) ||
            (offset - place.base) / unit >= place.present)
            throw_damaged("no block begins", offset);
        return (offset - place.base) / unit;
    }

    /// How the heap gets a free block that it has not.
    struct Extension {
        bool goes_on;       // the last arena does; else there is a new one
        unsigned order;     // of that arena
        std::uint64_t base; // offset of its unit 0
        std::uint64_t need; // units that it must have
        std::uint64_t end;  // what the heap must reach, an offset
    };

    /// By a block of 2^order units. Throws damaged, too_large.
    template <Heap H>
    [[nodiscard]] static Extension extension(State& state, H& heap, unsigned order) {
        using namespace logarithmic;
        const std::uint64_t end = load(state.end);
        const unsigned count = arena_count(state);
        const std::uint64_t all = (end - heap.begin()) / unit;
        const std::uint64_t size = std::uint64_t{1} << order;
        if (end < heap.begin() || end > heap.end() || !is_aligned(end, page))
            throw_damaged("the allocator's end lies past the heap's", end);
        if (count > 0) {
            // The last arena goes on, if it has room and not too much of it is skipped for the block's alignment.
            const Place last = place_of(state, heap, count - 1);
            const std::uint64_t from = align_up(Tree<H>(heap, last.table, last.order).used(), size);
            if (fits(from, size, std::uint64_t{1} << last.order) &&
                (from <= last.present || from - last.present <= all / 2)) {
                const std::uint64_t need = align_up(from + size, page / unit);
                return {true, last.order, last.base, need, last.base + need * unit};
            }
        }
        const unsigned room = std::max({smallest_arena, std::min(log2_floor(all), largest_order), order});
        if (count == most_arenas || end - heap.begin() > unit << largest_order)
            throw_error(errc::too_large, "allocation past the largest heap");
        const std::uint64_t base = end + table_bytes(room);
        const std::uint64_t need = align_up(size, page / unit);
        return {false, room, base, need, base + need * unit};
    }

    /// Makes the heap longer, so that some arena has a free block of 2^order units. Throws what heap.grow throws,
    /// before any change.
    template <Heap H>
    static void extend(State& state, H& heap, unsigned order) {
        using namespace logarithmic;
        const std::uint64_t end = load(state.end);
        const unsigned count = arena_count(state);
        const Extension next = extension(state, heap, order);
        const std::uint64_t present = commit(heap, next);
        if (next.goes_on) {
            const Place last = place_of(state, heap, count - 1);
            if (present <= last.present) throw_damaged("no room in an arena that has it", last.table);
            const Tree<H> tree(heap, last.table, last.order);
            heap.store(state.arenas[count - 1].best, tree.paint(last.present, present, true));
            heap.store(state.end, last.base + present * unit);
            return;
        }
        // An arena that is not counted means nothing to anybody, nor does what lies past the end.
        heap.fill(state.arenas[count].start, end);
        heap.fill(state.arenas[count].order, next.order);
        heap.store(state.end, next.base + present * unit);
        heap.store(state.count, count + 1);
        const Tree<H> tree(heap, end, next.order);
        tree.clear();
        heap.fill(state.arenas[count].best, tree.paint(0, present, true));
    }

    /// Has the heap reach what the arena needs, and returns how many units of the arena it reaches.
    template <Heap H>
    [[nodiscard]] static std::uint64_t commit(H& heap, const Extension& next) {
        using namespace logarithmic;
        std::uint64_t end = heap.end();
        if (end < next.end) end = heap.grow(next.end - end);
        if (end < next.end) throw_damaged("the heap did not grow", end);
        return std::min((end - next.base) / unit, std::uint64_t{1} << next.order);
    }
};

} // namespace ss::inline v0
