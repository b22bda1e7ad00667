// Arithmetic on offsets and sizes, all of it in 64 bits and none of it able to overflow unnoticed.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace ss::inline v0 {

inline constexpr std::uint64_t cache_line = 64;
inline constexpr std::uint64_t kibi = 1024;
inline constexpr std::uint64_t mebi = 1024 * kibi;
inline constexpr std::uint64_t gibi = 1024 * mebi;

/// `value` rounded up to a multiple of `alignment`, a power of two. The caller keeps value <= 2^64 - alignment.
[[nodiscard]] constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) noexcept {
    return (value + alignment - 1) & ~(alignment - 1);
}

[[nodiscard]] constexpr std::uint64_t align_down(std::uint64_t value, std::uint64_t alignment) noexcept {
    return value & ~(alignment - 1);
}

[[nodiscard]] constexpr bool is_aligned(std::uint64_t value, std::uint64_t alignment) noexcept {
    return (value & (alignment - 1)) == 0;
}

[[nodiscard]] constexpr unsigned log2_floor(std::uint64_t value) noexcept {
    return 63U - static_cast<unsigned>(std::countl_zero(value | 1));
}

[[nodiscard]] constexpr unsigned log2_ceil(std::uint64_t value) noexcept {
    return value <= 1 ? 0U : log2_floor(value - 1) + 1U;
}

/// True if [offset, offset + size) lies in [0, limit), without the sum that would overflow.
[[nodiscard]] constexpr bool fits(std::uint64_t offset, std::uint64_t size, std::uint64_t limit) noexcept {
    return size <= limit && offset <= limit - size;
}

/// The bits of a word in reverse order.
[[nodiscard]] constexpr std::uint64_t reverse_bits(std::uint64_t word) noexcept {
    word = (word >> 1 & 0x5555'5555'5555'5555U) | (word & 0x5555'5555'5555'5555U) << 1;
    word = (word >> 2 & 0x3333'3333'3333'3333U) | (word & 0x3333'3333'3333'3333U) << 2;
    word = (word >> 4 & 0x0F0F'0F0F'0F0F'0F0FU) | (word & 0x0F0F'0F0F'0F0F'0F0FU) << 4;
    return __builtin_bswap64(word);
}

} // namespace ss::inline v0
