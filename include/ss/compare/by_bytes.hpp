// The order of bytes.
#pragma once

#include <ss/compare/concept.hpp>

#include <cstdint>
#include <string_view>

namespace ss::inline v0 {

/// Byte by byte, unsigned; of two strings of which one begins with the other the shorter comes first. Numbers sort as
/// numbers if they are written in big-endian order, or in decimal digits of one width.
///
/// When not to use it: for items whose priority is not at their front.
struct ByBytes {
    static constexpr PolicyId id = policy_id("BYBYTES");
    static constexpr std::uint64_t fingerprint = ss::fingerprint(1);

    /// char_traits<char> compares as memcmp does: unsigned.
    [[nodiscard]] static constexpr bool less(std::string_view a, std::string_view b) noexcept { return a < b; }
};
static_assert(ComparePolicy<ByBytes>);

} // namespace ss::inline v0
