// The bytes of an atomic vector: a head, and segments that are nothing but elements.
//
//     directory entry: version | generation | root[0] = head
//     head:      garbage … | element | published, wanted, bytes | pending, zeroed | segments[48] | waits[16]
//     segment:   element element element …       segment 0 has 64 bytes, each further one as many as all before
//
// An element is where it is for good: its segment is the number of bits of its cache line's number. It is read and written
// by atomic operations alone, without the lock; everything else changes in transactions, but for three things:
//
//     published   how many elements there are, for those without the lock. Raised, never lowered, to a `wanted` that is
//                 committed; so the segments that it speaks of can never be undone. See expand.hpp
//     waits       what those sleep on who wait for an element to change. See waiting.hpp
//     pending     a large segment that is being zeroed, step by step: its bytes are nobody's until it is in `segments`
//
// `wanted` and what leads to it are guarded by the entry's version, in every profile.
#pragma once

#include <ss/base/bits.hpp>
#include <ss/base/word.hpp>
#include <ss/pool/region.hpp>
#include <ss/structure/aligned_block.hpp>

#include <array>
#include <atomic>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

namespace ss::inline v0 {

/// What an AtomicVector may be of: integers of 8 to 64 bits, float, double, if the machine changes them in one step.
template <class T>
concept AtomicElement = std::same_as<T, std::remove_cv_t<T>> &&
    ((std::integral<T> && !std::same_as<T, bool> && sizeof(T) <= word_size) || std::same_as<T, float> ||
     std::same_as<T, double>)&&std::atomic<T>::is_always_lock_free;

namespace detail {

inline constexpr std::uint64_t vector_segments = 48;
inline constexpr std::uint64_t vector_waits = 16;
inline constexpr std::uint64_t vector_bytes_limit = std::uint64_t{1} << 47; ///< no pool has room for more

/// What elements are: their size, and 256 times 0 for unsigned, 1 for signed integers, 2 for reals.
using ElementCode = Word;

template <AtomicElement T>
inline constexpr ElementCode element_code = sizeof(T) | (std::floating_point<T> ? 2U
                                                         : std::is_signed_v<T>  ? 1U
                                                                                : 0U)
                                                            << 8;

inline constexpr std::array element_codes = {
    element_code<std::uint8_t>, element_code<std::uint16_t>, element_code<std::uint32_t>, element_code<std::uint64_t>,
    element_code<std::int8_t>,  element_code<std::int16_t>,  element_code<std::int32_t>,  element_code<std::int64_t>,
    element_code<float>,        element_code<double>};

/// "int64", "uint8", "float32".
[[nodiscard]] inline std::string element_name(ElementCode code) {
    static constexpr std::array<const char*, 3> kinds = {"uint", "int", "float"};
    return kinds[code >> 8] + std::to_string(8 * (code & 0xFF));
}

struct alignas(cache_line) VectorHead {
    Word garbage_next;  ///< when it is garbage: the next one of the same era
    Word garbage_older; ///< and, in the first of its era, the first of an older one
    Word garbage_era;   ///< in which it became garbage
    Word block;         ///< the offset of the block that this head is in
    Word element;       ///< the code of what it is made of
    Word published;     ///< elements that there are
    Word wanted;        ///< the same, as the last transaction has it
    Word bytes;         ///< allocated bytes, of all blocks of the vector
    Word pending;       ///< the segment that comes next, while it is zeroed: see AlignedBlock
    Word zeroed;        ///< how many bytes of it are
    std::array<Word, 6> reserved;
    std::array<Word, vector_segments> segments; ///< see AlignedBlock
    std::array<Word, vector_waits> waits;       ///< never journaled
};

static_assert(sizeof(VectorHead) == 10 * cache_line);

/// Which segment byte number `byte` of a vector is in, and how many bytes are in the ones before.
[[nodiscard]] constexpr std::uint64_t segment_of(std::uint64_t byte) noexcept {
    return static_cast<std::uint64_t>(std::bit_width(byte / cache_line));
}
[[nodiscard]] constexpr std::uint64_t segment_begin(std::uint64_t byte) noexcept {
    return std::bit_floor(byte / cache_line) * cache_line;
}
[[nodiscard]] constexpr std::uint64_t segment_bytes(std::uint64_t segment) noexcept {
    return segment == 0 ? cache_line : cache_line << (segment - 1);
}

static_assert(segment_of(63) == 0 && segment_of(64) == 1 && segment_of(127) == 1 && segment_of(128) == 2);
static_assert(segment_begin(63) == 0 && segment_begin(64) == 64 && segment_begin(255) == 128);
static_assert(segment_of(vector_bytes_limit - 1) < vector_segments);

/// How many segments the first `bytes` bytes are in.
[[nodiscard]] constexpr std::uint64_t segments_for(std::uint64_t bytes) noexcept {
    return bytes == 0 ? 0 : segment_of(bytes - 1) + 1;
}

/// Element number `index` of those that are published. Throws errc::damaged where the head leads outside of the region.
/// A call of it takes as long as what it does.
template <class T>
[[nodiscard, gnu::always_inline]] inline T& element_at(const Region& region, const VectorHead& head,
                                                       std::uint64_t index) {
    constexpr std::uint64_t per_line = cache_line / sizeof(T);
    // The number of bits of the line's number, and that without its highest one; written so that it takes no branch.
    const auto segment = static_cast<std::uint64_t>(63 ^ std::countl_zero(index / per_line * 2 + 1));
    const std::uint64_t begin = (std::uint64_t{1} << segment) / 2 * per_line;
    if (segment >= vector_segments) [[unlikely]]
        region.refuse(region.offset_of(&head));
    const std::uint64_t base = AlignedBlock::use(load(head.segments[segment]));
    const std::uint64_t offset = base + (index - begin) * sizeof(T);
    if (!region.contains(offset, sizeof(T))) [[unlikely]]
        region.refuse(offset);
    return *reinterpret_cast<T*>(region.data(offset));
}

} // namespace detail
} // namespace ss::inline v0
