// Which of up to sixteen bytes is the one looked for.
#pragma once

#include <ss/base/word.hpp>

#include <bit>
#include <cstdint>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace ss::inline v0::detail {

/// The place of the first `byte` among the first `count` of the bytes in two words, byte 0 being the lowest of `low`;
/// 16 if it is not there. Portable: zero bytes are found by the borrow that they cause (H. Warren, Hacker's Delight, 6-1).
[[nodiscard]] constexpr unsigned find_byte_portable(Word low, Word high, unsigned count, std::uint8_t byte) noexcept {
    constexpr Word ones = 0x0101'0101'0101'0101U;
    // A false one may follow a right one, as the borrow goes up: the lowest is always right.
    const auto first_in = [&](Word word) {
        const Word difference = word ^ ones * byte;
        const Word zeros = (difference - ones) & ~difference & ones << 7;
        return static_cast<unsigned>(std::countr_zero(zeros)) / 8; // 8 if there is none
    };
    const unsigned in_low = first_in(low);
    const unsigned place = in_low < 8 ? in_low : 8 + first_in(high);
    return place < count ? place : 16;
}

#ifdef __SSE2__
/// The same with one comparison of all sixteen.
[[nodiscard]] inline unsigned find_byte_sse2(Word low, Word high, unsigned count, std::uint8_t byte) noexcept {
    const __m128i bytes = _mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low));
    const __m128i equal = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(static_cast<char>(byte)));
    const auto places = static_cast<unsigned>(_mm_movemask_epi8(equal)) & ((1U << count) - 1);
    return places == 0 ? 16 : static_cast<unsigned>(std::countr_zero(places));
}
#endif

[[nodiscard]] inline unsigned find_byte(Word low, Word high, unsigned count, std::uint8_t byte) noexcept {
#ifdef __SSE2__
    return find_byte_sse2(low, high, count, byte);
#else
    return find_byte_portable(low, high, count, byte);
#endif
}

/// Byte `i` of consecutive words, byte 0 being the lowest of the first.
[[nodiscard]] constexpr std::uint8_t byte_of(Word word, unsigned i) noexcept {
    return static_cast<std::uint8_t>(word >> (8 * i));
}

[[nodiscard]] constexpr Word with_byte(Word word, unsigned i, std::uint8_t byte) noexcept {
    return (word & ~(Word{0xFF} << (8 * i))) | Word{byte} << (8 * i);
}

} // namespace ss::inline v0::detail
