// CRC-32C (Castagnoli), which guards the pool's header.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace ss::inline v0 {

/// The checksum of RFC 3720, appendix B.4. A table of 1 KiB and a byte a step: headers are short.
[[nodiscard]] constexpr std::uint32_t crc32c(std::span<const std::byte> bytes) noexcept {
    constexpr auto table = [] {
        std::array<std::uint32_t, 256> result{};
        for (std::uint32_t i = 0; i < 256; ++i) {
            std::uint32_t crc = i;
            for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F6'3B78U : 0U);
            result[i] = crc;
        }
        return result;
    }();
    std::uint32_t crc = ~0U;
    for (const std::byte byte : bytes) crc = (crc >> 8) ^ table[(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xFF];
    return ~crc;
}

} // namespace ss::inline v0
