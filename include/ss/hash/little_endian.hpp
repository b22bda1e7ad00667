// Words out of bytes at any address, the first byte lowest: what the hashes are defined on.
//
// memcpy and not a cast: a key has no alignment, and its bytes are no words to the language. Compilers make one load
// of it on the machines that we know, with a byte swap behind it on those of the other byte order.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace ss::inline v0 {

/// The four bytes at `bytes`.
[[nodiscard]] inline std::uint32_t little_endian_32(const char* bytes) noexcept {
    std::uint32_t word;
    std::memcpy(&word, bytes, sizeof(word));
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap32(word);
    return word;
}

/// The eight bytes at `bytes`.
[[nodiscard]] inline std::uint64_t little_endian_64(const char* bytes) noexcept {
    std::uint64_t word;
    std::memcpy(&word, bytes, sizeof(word));
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    return word;
}

/// The byte at `byte`, without the sign that char may have.
[[nodiscard]] inline std::uint64_t little_endian_8(const char* byte) noexcept {
    return static_cast<unsigned char>(*byte);
}

} // namespace ss::inline v0
