// The bytes of a hash table: a head, segments of buckets, pages, records.
//
//     directory entry: version (the epoch) | generation | seed | root[0] = head
//     head:     buckets | … | size, load, bytes | segments[32] | more -> further segments
//     segment:  bucket bucket bucket …
//     bucket:   a page, and those that it links to: see page.hpp
//
// Linear hashing (W. Litwin, VLDB 1980): the table has any number of buckets, and grows and shrinks by one. A hash picks
// its bucket by as many low bits as there are buckets of that depth.
//
// Segment 0 has 2^min_bits buckets. Each doubling of them lies in eight segments, which come one after the other, so that
// no more than an eighth of a doubling waits to be used:
//
//     buckets   0 … 31 | 32 … 35 | 36 … 39 | … | 60 … 63 | 64 … 71 | 72 … 79 | …        with min_bits = 5
//     segment      0   |    1    |    2    | … |    8    |    9    |   10    | …
//
// Who reads without the lock checks the epoch, first and last, and his bucket's version. The epoch moves when the object
// is cleared or removed and when a segment goes: only then can a bucket's version be in memory that is something else.
// And he looks at the number of buckets again, for his key may have moved to a new bucket before he began to read his.
#pragma once

#include <ss/base/bits.hpp>
#include <ss/base/word.hpp>
#include <ss/pool/region.hpp>
#include <ss/structure/aligned_block.hpp>
#include <ss/structure/hash_table/page.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace ss::inline v0::detail {

inline constexpr unsigned max_table_bits = 32;  ///< of entries that a table begins with place for
inline constexpr unsigned bits_of_a_bucket = 3; ///< of those

/// log2 of the buckets for 2^bits entries.
[[nodiscard]] constexpr std::uint64_t bucket_bits(std::uint64_t bits) noexcept {
    return bits < bits_of_a_bucket ? 0 : bits - bits_of_a_bucket;
}

inline constexpr std::uint64_t segments_a_doubling = 8;
inline constexpr std::uint64_t max_doublings = 40; ///< more pages than offsets have room for
inline constexpr std::uint64_t max_segments = 1 + segments_a_doubling * max_doublings;
inline constexpr std::uint64_t segments_in_head = 32; ///< enough for nearly four doublings: small tables are many
inline constexpr std::uint64_t segments_in_more = max_segments - segments_in_head;

struct alignas(cache_line) HashTableHead {
    // What readers need, which few writes change: a cache line.
    Word garbage_next; ///< when it is garbage
    Word buckets;      ///< how many there are
    Word min_bits;     ///< log2 of segment 0, and of the fewest buckets
    Word page_words;   ///< of each page
    Word initialised;  ///< buckets that have had a version since their segment was made
    Word spare;        ///< pages to be used by the next split, linked by their first words
    Word spares;       ///< how many
    Word cursor;       ///< when it is garbage: the first bucket that may still have something to free
    // What writes count.
    Word size_version; ///< guards the next
    Word size;         ///< entries
    Word load;         ///< words that they want of their pages: see words_wanted
    Word bytes;        ///< allocated bytes, of all blocks of the table
    Word block;        ///< the offset of the block that this head is in
    Word bits;         ///< as it was asked for
    std::array<Word, 2> reserved;
    // Again what readers need.
    std::array<Word, segments_in_head> segments; ///< see AlignedBlock
    Word more; ///< offset of a block with as many words as there are further ones, or 0
    std::array<Word, 7> reserved_behind;
};

static_assert(sizeof(HashTableHead) == 7 * cache_line && offsetof(HashTableHead, size_version) == cache_line);

/// Where a bucket lies.
struct BucketPlace {
    std::uint64_t segment;
    std::uint64_t index; ///< within the segment
};

/// log2 of the buckets in each segment of the doubling that begins with bucket 2^top.
[[nodiscard]] constexpr unsigned segment_bits(unsigned top) noexcept { return top > 3 ? top - 3 : 0; }

static_assert(std::uint64_t{1} << 3 == segments_a_doubling);

[[nodiscard]] constexpr BucketPlace place_of(std::uint64_t bucket, std::uint64_t min_bits) noexcept {
    if (bucket >> min_bits == 0) return {.segment = 0, .index = bucket};
    const unsigned top = log2_floor(bucket), bits = segment_bits(top);
    const std::uint64_t within = bucket - (std::uint64_t{1} << top);
    return {.segment = 1 + segments_a_doubling * (top - min_bits) + (within >> bits),
            .index = within & ((std::uint64_t{1} << bits) - 1)};
}

/// How many buckets a segment has: no more than offsets have room for, whatever it is asked.
[[nodiscard]] constexpr std::uint64_t segment_buckets(std::uint64_t segment, std::uint64_t min_bits) noexcept {
    if (segment == 0) return std::uint64_t{1} << min_bits;
    const std::uint64_t top = min_bits + (segment - 1) / segments_a_doubling;
    return std::uint64_t{1} << segment_bits(static_cast<unsigned>(std::min<std::uint64_t>(top, 48)));
}

static_assert(place_of(35, 5).segment == 1 && place_of(35, 5).index == 3 && place_of(72, 5).segment == 10 &&
              segment_buckets(10, 5) == 8 && place_of(1, 0).segment == 1 && place_of(3, 0).segment == 10);

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

/// The words of each page. Throws errc::damaged.
[[nodiscard]] inline std::uint64_t page_words_of(const Region& region, const HashTableHead& head) {
    const std::uint64_t words = load(head.page_words);
    if (!is_page_size(words)) [[unlikely]]
        region.refuse(region.offset_of(&head));
    return words;
}

/// The word that says where a segment lies: null where that is in a block that is not there.
[[nodiscard]] inline Word* segment_word(const Region& region, HashTableHead& head, std::uint64_t segment) noexcept {
    if (segment < segments_in_head) return &head.segments[segment];
    const std::uint64_t more = load(head.more);
    if (segment >= max_segments || !is_aligned(more, word_size) ||
        !region.contains(more, segments_in_more * word_size))
        return nullptr;
    return reinterpret_cast<Word*>(region.data(more)) + (segment - segments_in_head);
}

/// A segment as its word says, or 0 if there is none.
[[nodiscard]] inline Word segment_of(const Region& region, const HashTableHead& head,
                                     std::uint64_t segment) noexcept {
    const Word* const word = segment_word(region, const_cast<HashTableHead&>(head), segment);
    return word == nullptr ? 0 : load(*word);
}

/// The first page of bucket number `bucket`. Throws errc::damaged where the head leads outside of the region.
[[nodiscard]] inline Page& bucket_at(const Region& region, const HashTableHead& head, std::uint64_t bucket,
                                     std::uint64_t page_words) {
    const BucketPlace place = place_of(bucket, min_bits_of(region, head));
    const std::uint64_t segment = AlignedBlock::use(segment_of(region, head, place.segment));
    if (segment == 0) [[unlikely]]
        region.refuse(region.offset_of(&head));
    return page_at(region, segment + place.index * page_words * word_size, page_words);
}
[[nodiscard]] inline Page& bucket_at(const Region& region, const HashTableHead& head, std::uint64_t bucket) {
    return bucket_at(region, head, bucket, page_words_of(region, head));
}

/// A chain has no more pages than the region has room for: where this runs out, it is a circle.
[[nodiscard]] inline std::uint64_t chain_limit(const Region& region) noexcept {
    return region.size() / (min_page_words * word_size) + 1;
}

} // namespace ss::inline v0::detail
