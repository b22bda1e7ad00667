// The bytes of a pool that belong to the pool itself. Everything after them belongs to a domain.
//
//     0      Header         written once, before the file has a name; guarded by a CRC-32C
//     4096   PoolState      words that change, each by one atomic store: attach era, clean mark, boot
//            DomainState[D] how much of each region is committed; the policies of each domain
//     V      SessionTable   ┐ the volatile zone: means something only while somebody is attached. Whoever attaches
//            LockSlot[D]    ┘ and is alone zeroes all of it, and nobody ever zeroes a part
//     R      region of domain 0, `region_stride` bytes of the file's offsets, committed from its front
//     R + region_stride       region of domain 1, …
//
// With one domain the file ends where the region's committed part ends. With several it is sparse between them.
// All numbers are in the byte order of the machine that made the pool; another machine refuses it by name.
#pragma once

#include <ss/base/bits.hpp>
#include <ss/base/word.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace ss::inline v0 {

inline constexpr std::uint64_t pool_magic = 0x0A0D'4C4F'4F50'7373U; // "ssPOOL\r\n"
inline constexpr std::uint32_t byte_order_mark = 0x0102'0304U;
inline constexpr std::uint32_t format_major = 0; ///< another one cannot be read at all
inline constexpr std::uint32_t format_minor = 6; ///< nor this, as long as the major one is 0

inline constexpr std::uint64_t max_domains = 1024;
inline constexpr std::uint64_t largest_max_size = std::uint64_t{1} << 47; ///< the address space of x86-64
inline constexpr std::uint64_t max_sessions = 2048;
inline constexpr std::uint64_t state_zone_offset = 4096;

/// Offset 0. Never changes.
struct Header {
    std::uint64_t magic;
    std::uint32_t byte_order;
    std::uint32_t major;
    std::uint32_t minor;
    std::uint32_t header_size;           ///< sizeof(Header) of the maker
    std::uint64_t features_compatible;   ///< unknown bits here may be ignored
    std::uint64_t features_read_only;    ///< unknown bits here forbid to write
    std::uint64_t features_incompatible; ///< unknown bits here forbid to open
    std::uint32_t word_size;
    std::uint32_t page_size; ///< of the maker's machine; offsets need no larger alignment
    std::array<std::uint64_t, 2> uuid;
    std::uint64_t max_size; ///< bytes that every attacher reserves
    std::uint64_t domains;
    std::uint64_t volatile_offset;
    std::uint64_t volatile_size;
    std::uint64_t region_offset; ///< where domain 0 begins
    std::uint64_t region_stride; ///< distance from one domain's region to the next
    std::uint32_t reserved;
    std::uint32_t crc; ///< CRC-32C of all before
};

static_assert(sizeof(Header) == 128 && offsetof(Header, crc) == 124 && std::is_standard_layout_v<Header>);

/// At state_zone_offset.
struct PoolState {
    Word era;   ///< how often somebody attached who was alone
    Word clean; ///< 1: the last to detach had time to write everything back
    Word boot;  ///< os::boot_id() of the era
    std::array<Word, 5> reserved;
};

static_assert(sizeof(PoolState) == cache_line);

/// After PoolState, one per domain.
struct DomainState {
    Word committed; ///< bytes from the region's begin that are backed by the file system; grows
    Word claimed;   ///< 1: the four words below are valid and the domain's block is initialised
    Word lock_id;
    Word lock_fingerprint;
    Word allocator_id;
    Word allocator_fingerprint;
    std::array<Word, 2> reserved;
};

static_assert(sizeof(DomainState) == cache_line);

/// First in the volatile zone. A session is a slot and the generation the slot had when the session began.
struct SessionTable {
    std::array<std::atomic<std::uint32_t>, max_sessions> generations;
    std::array<std::atomic<std::uint32_t>, max_sessions> pids; ///< as each saw its own: for messages, proves nothing
    std::atomic<std::uint32_t> next; ///< the slot to try first: round robin, so that generations last
    std::array<std::uint32_t, 15> reserved;
};

static_assert(sizeof(SessionTable) == 2 * max_sessions * 4 + cache_line && std::is_standard_layout_v<SessionTable>);

/// A lock policy's State may be as large as this.
inline constexpr std::uint64_t lock_state_size = cache_line;

/// After SessionTable, one per domain. Two lines: a lock word is written by every writer.
struct LockSlot {
    alignas(cache_line) std::array<std::byte, lock_state_size> state;
    alignas(cache_line) std::atomic<std::uint32_t> ready; ///< 1: the policy's `initialize` has run in this era
};

static_assert(sizeof(LockSlot) == 2 * cache_line && std::is_standard_layout_v<LockSlot>);
static_assert(std::atomic<std::uint32_t>::is_always_lock_free && std::atomic<std::uint64_t>::is_always_lock_free);

/// Where the zones of a pool of so many domains lie.
struct PoolGeometry {
    std::uint64_t volatile_offset;
    std::uint64_t volatile_size;
    std::uint64_t region_offset;
    std::uint64_t region_stride;
};

/// Regions begin and end at multiples of this, so that they suit page sizes of up to 64 KiB.
inline constexpr std::uint64_t region_alignment = 64 * kibi;

/// A region is at least this large: room for a domain's own block and some heap.
inline constexpr std::uint64_t min_region_size = 256 * kibi;

[[nodiscard]] constexpr PoolGeometry pool_geometry(std::uint64_t max_size, std::uint64_t domains) noexcept {
    PoolGeometry geometry{};
    geometry.volatile_offset = align_up(state_zone_offset + sizeof(PoolState) + domains * sizeof(DomainState), 4096);
    geometry.volatile_size = sizeof(SessionTable) + domains * sizeof(LockSlot);
    geometry.region_offset = align_up(geometry.volatile_offset + geometry.volatile_size, region_alignment);
    geometry.region_stride = max_size <= geometry.region_offset
                                 ? 0
                                 : align_down((max_size - geometry.region_offset) / domains, region_alignment);
    return geometry;
}

/// The bytes of the file, past any that it has, that are only ever locked (os/file_lock.hpp).
struct LockBytes {
    static constexpr std::uint64_t attach = std::uint64_t{1} << 62;
    static constexpr std::uint64_t readers = attach + 1;
    static constexpr std::uint64_t sessions = attach + 64; ///< one per slot of the session table
};

} // namespace ss::inline v0
