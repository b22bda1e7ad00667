// The bytes of a hash table: a head, segments of buckets, chains of overflow lines, records.
//
//     directory entry: version (the epoch) | generation | seed | root[0] = head
//     head:     buckets | … | size, bytes | segments[48]
//     segment:  bucket bucket bucket …                 segment 0 has 2^min_bits, each further one as many as all before
//     bucket:   version | slot slot slot slot slot slot slot          one cache line
//     slot:     0, or  tag (16) | offset of a record (48)
//               the last one may be  0xFFFF | offset of an overflow line, which is like a bucket without a version
//
// Linear hashing (W. Litwin, VLDB 1980): the table has any number of buckets, and grows and shrinks by one. A hash picks
// its bucket by as many low bits as there are buckets of that depth; its top 16 bits are the tag, which spares the walk
// to the records of other keys.
//
// Who reads without the lock checks the epoch, first and last, and his bucket's version. The epoch moves when the object
// is cleared or removed and when a segment goes: only then can a bucket's version be in memory that is something else.
// And he looks at the number of buckets again, for his key may have moved to a new bucket before he began to read his.
#pragma once

#include <ss/base/bits.hpp>
#include <ss/base/word.hpp>
#include <ss/pool/region.hpp>
#include <ss/structure/aligned_block.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace ss::inline v0::detail {

inline constexpr std::uint64_t slots_per_line = 7;
inline constexpr std::uint64_t max_segments = 48;
inline constexpr unsigned max_table_bits = 32; ///< of segment 0

struct alignas(cache_line) Bucket {
    Word version; ///< of an overflow line: the link of the list of spare lines, or of garbage, that it is on
    std::array<Word, slots_per_line> slots;
};

static_assert(sizeof(Bucket) == cache_line);

/// An overflow line is a Bucket that need not begin at a cache line.
struct OverflowLine {
    Word link;
    std::array<Word, slots_per_line> slots;
};

static_assert(sizeof(OverflowLine) == sizeof(Bucket) && offsetof(OverflowLine, slots) == offsetof(Bucket, slots));

struct alignas(cache_line) HashTableHead {
    Word garbage_next; ///< when it is garbage
    Word buckets;      ///< how many there are
    Word min_bits;     ///< log2 of segment 0, and of the fewest buckets
    Word initialised;  ///< buckets that have had a version since their segment was made
    Word spare;        ///< overflow lines to be used by the next split
    Word spares;       ///< how many
    Word cursor;       ///< when it is garbage: the first bucket that still has records
    Word block;        ///< the offset of the block that this head is in
    Word size_version; ///< guards the next
    Word size;         ///< entries
    Word bytes;        ///< allocated bytes, of all blocks of the table
    std::array<Word, 5> reserved;
    std::array<Word, max_segments> segments; ///< see AlignedBlock
};

static_assert(sizeof(HashTableHead) == 8 * cache_line);

/// A slot's word, taken apart.
struct Slot {
    static constexpr Word link_tag = 0xFFFF;
    static constexpr Word offset_mask = (Word{1} << 48) - 1;

    [[nodiscard]] static constexpr Word tag_of(std::uint64_t hash) noexcept {
        const Word tag = hash >> 48;
        return tag == link_tag ? link_tag - 1 : tag;
    }
    [[nodiscard]] static constexpr Word record(Word tag, std::uint64_t offset) noexcept { return tag << 48 | offset; }
    [[nodiscard]] static constexpr Word link(std::uint64_t offset) noexcept { return link_tag << 48 | offset; }
    [[nodiscard]] static constexpr Word tag(Word slot) noexcept { return slot >> 48; }
    [[nodiscard]] static constexpr std::uint64_t offset(Word slot) noexcept { return slot & offset_mask; }
    [[nodiscard]] static constexpr bool is_link(Word slot) noexcept { return tag(slot) == link_tag; }
    [[nodiscard]] static constexpr bool is_record(Word slot) noexcept { return slot != 0 && !is_link(slot); }
};

/// Where a bucket lies.
struct BucketPlace {
    std::uint64_t segment;
    std::uint64_t index; ///< within the segment
};

[[nodiscard]] constexpr BucketPlace place_of(std::uint64_t bucket, std::uint64_t min_bits) noexcept {
    if (bucket >> min_bits == 0) return {.segment = 0, .index = bucket};
    const unsigned top = log2_floor(bucket);
    return {.segment = top - min_bits + 1, .index = bucket - (std::uint64_t{1} << top)};
}

/// How many buckets a segment has: no more than offsets have room for, whatever it is asked.
[[nodiscard]] constexpr std::uint64_t segment_buckets(std::uint64_t segment, std::uint64_t min_bits) noexcept {
    const std::uint64_t bits = segment == 0 ? min_bits : min_bits + segment - 1;
    return std::uint64_t{1} << (bits < 48 ? bits : 48);
}

/// The bucket of a hash in a table of so many (at least 1).
[[nodiscard]] constexpr std::uint64_t bucket_of(std::uint64_t hash, std::uint64_t buckets) noexcept {
    const unsigned level = log2_floor(buckets);
    const std::uint64_t bucket = hash & ((std::uint64_t{2} << level) - 1);
    return bucket < buckets ? bucket : bucket & ((std::uint64_t{1} << level) - 1);
}

/// How many low bits of a hash pick this bucket: one more for those that were split, and their other halves.
[[nodiscard]] constexpr unsigned depth_of(std::uint64_t bucket, std::uint64_t buckets) noexcept {
    const unsigned level = log2_floor(buckets);
    const std::uint64_t half = std::uint64_t{1} << level;
    return bucket < buckets - half || bucket >= half ? level + 1 : level;
}

/// log2 of the fewest buckets, which shifts may be made by. Throws errc::damaged.
[[nodiscard]] inline std::uint64_t min_bits_of(const Region& region, const HashTableHead& head) {
    const std::uint64_t min_bits = load(head.min_bits);
    if (min_bits > max_table_bits) [[unlikely]]
        region.refuse(region.offset_of(&head));
    return min_bits;
}

/// Bucket number `bucket`. Throws errc::damaged where the head leads outside of the region.
[[nodiscard]] inline Bucket& bucket_at(const Region& region, const HashTableHead& head, std::uint64_t bucket) {
    const BucketPlace place = place_of(bucket, min_bits_of(region, head));
    if (place.segment >= max_segments) [[unlikely]]
        region.refuse(region.offset_of(&head));
    const std::uint64_t segment = AlignedBlock::use(load(head.segments[place.segment]));
    return region.at(Offset<Bucket>{segment + place.index * sizeof(Bucket)});
}

/// The slots of the overflow line that a slot links to.
[[nodiscard]] inline std::array<Word, slots_per_line>& linked_slots(const Region& region, Word link) {
    return region.at(Offset<OverflowLine>{Slot::offset(link)}).slots;
}

/// A chain has no more lines than the region has room for: where this runs out, it is a circle.
[[nodiscard]] inline std::uint64_t chain_limit(const Region& region) noexcept {
    return region.size() / sizeof(Bucket) + 1;
}

} // namespace ss::inline v0::detail
