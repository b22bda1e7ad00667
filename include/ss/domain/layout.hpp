// The bytes of a domain: its permanent block at the begin of its region, and its heap behind that.
//
//     region begin   DomainBlock
//                      magic, index, counters       never journaled
//                      Journal                      never journaled; see journal.hpp
//                      garbage                      ┐
//                      allocator state              │ changed by journaled stores alone
//                      directory                    ┘
//                      versions of nodes            changed by touching alone
//                      signals                      likewise; who watches them, by plain stores under the lock
//     heap begin     blocks of the domain's allocator … up to what the region has committed
//
// All zeros is a valid block but for the magic, the index and the allocator's state.
#pragma once

#include <ss/alloc/concept.hpp>
#include <ss/base/bits.hpp>
#include <ss/base/word.hpp>
#include <ss/pool/layout.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace ss::inline v0 {

inline constexpr std::uint64_t domain_magic = 0x4E49'414D'4F44'7373U; // "ssDOMAIN"

inline constexpr std::uint64_t journal_capacity = 4096; ///< words that one transaction can change
inline constexpr std::uint64_t touched_capacity = 513;  ///< versions that one transaction can touch
/// Blocks that one transaction can free. The journal may be full before: each free keeps the allocator's `free_entries` of
/// it for the commit, so 170 fill it with SegregatedAllocator. docs/errors.md has the table.
inline constexpr std::uint64_t free_capacity = 256;

struct JournalEntry {
    Word offset; ///< of a word in this domain
    Word old;    ///< what it held
};

/// How much of a journal counts, in one word: 0 is "nothing to undo, nothing to even out".
struct JournalCounts {
    static constexpr Word one_touched = Word{1} << 32;

    [[nodiscard]] static constexpr Word entries(Word counts) noexcept { return counts & (one_touched - 1); }
    [[nodiscard]] static constexpr Word touched(Word counts) noexcept { return counts >> 32; }
};

/// One list grows down and one up from the counts. So these, the first version and the first three entries lie in one cache
/// line, which goes from core to core with the lock; and many a transaction needs no other.
struct alignas(cache_line) Journal {
    std::array<Word, touched_capacity>
        touched; ///< offsets of versions that may be odd; the last of them is the first one
    Word counts;
    std::array<JournalEntry, journal_capacity> entries;
};

static_assert((offsetof(Journal, counts) - word_size) % cache_line == 0);

/// Lists of what waits to be freed piece by piece, one per kind of thing, since each kind is taken apart in its own way.
/// An item's first word links to the next item of its kind.
enum class GarbageKind : std::uint64_t {
    hash_table = 0, ///< a head with its segments, pages and records
    bucket_chain,   ///< pages of a split bucket behind its first, whose records live on
    prefix_tree,
    queue,          ///< a head with its items and leases
    priority_queue, ///< a head with its segments and items
    atomic_vector,  ///< a head with its segments
};
inline constexpr std::uint64_t garbage_kinds = 7;

struct Garbage {
    Word bytes; ///< allocated bytes that hang on the lists
    std::array<Word, garbage_kinds> first;
};

/// Versions of what lies in memory that is freed and used again: nodes of trees, by a hash of where they are. Enough
/// that two readers' paths seldom meet in one, few enough to stay in the cache.
inline constexpr std::uint64_t node_versions = 4096;

/// What watchers of keys sleep on; a thing that can be watched has one, by its hash. See signal.hpp.
inline constexpr std::uint64_t signal_count = 256;

struct Signal {
    Word
        version; ///< odd while a transaction that changes a watched thing is under way; sleepers sleep on its low half
    Word watched; ///< 0: by nobody since the last change. 1: several things are. Else the one thing's mark
};

inline constexpr std::uint64_t max_name_size = 120;
inline constexpr std::uint64_t entries_per_page = 15;

/// What the domain knows of one named object. Entries are never freed, so `version` is fit to validate reads.
struct alignas(cache_line) DirectoryEntry {
    // What operations need: a cache line.
    Word version;             ///< odd while the object as a whole changes: made, cleared, removed
    Word generation;          ///< odd while there is an object; never the same for two objects
    std::array<Word, 6> root; ///< the object's own
    // What opening needs, and the hash.
    Word type_id;
    Word type_fingerprint;
    Word hash_id; ///< or what it compares by; 0 for types that have no such policy
    Word hash_fingerprint;
    std::array<Word, 2> seed; ///< of the hash
    std::array<Word, 2> reserved;
    Word name_size;
    std::array<Word, max_name_size / word_size> name;
};

static_assert(sizeof(DirectoryEntry) == 4 * cache_line);

/// The first page lies in the block; further ones are blocks of the heap that are never freed.
struct alignas(cache_line) DirectoryPage {
    Word next;  ///< offset of the next page
    Word block; ///< offset of the block that it lies in, 0 for the first
    std::array<Word, 6> reserved;
    std::array<DirectoryEntry, entries_per_page> entries;
};

struct alignas(cache_line) DomainBlock {
    Word magic;
    Word index;
    Word recoveries;         ///< how often a dead or throwing owner's work was undone. Statistics, not journaled
    Word journal_high_water; ///< most entries a transaction had. Statistics, not journaled
    Word watched;            ///< bit i: some signal of the i-th cache line of them may be watched. Not journaled
    std::array<Word, 3> reserved;
    Journal journal;
    // From here on, rollback may write.
    Garbage garbage;
    alignas(cache_line) std::array<std::byte, allocator_state_size> allocator;
    alignas(cache_line) Word directory_version; ///< guards names and generations
    Word objects;                               ///< how many there are
    DirectoryPage directory;
    alignas(cache_line) std::array<Word, node_versions> versions; ///< never reset, never freed
    alignas(cache_line) std::array<Signal, signal_count> signals; ///< likewise
};

static_assert(std::is_standard_layout_v<DomainBlock>);
static_assert(offsetof(DomainBlock, garbage) % cache_line == 0);

/// Where the heap begins, from the region's begin.
inline constexpr std::uint64_t heap_begin = align_up(sizeof(DomainBlock), 4096);

static_assert(heap_begin + 128 * kibi <= min_region_size);

} // namespace ss::inline v0
