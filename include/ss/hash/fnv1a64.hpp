// FNV-1a in 64 bits (G. Fowler, L. C. Noll, K.-P. Vo; draft-eastlake-fnv), and the hash policy made of it.
//
// FNV-1a multiplies once a byte by 2^40 + 0x1B3, so what a byte changes moves up: by 0 to 8 bits, and by 40 and more.
// The last bytes of a key hardly reach the bits between and the highest ones. Measured on the keys "key0000000" to
// "key0009999": the low 10 bits spread as they should, but the top 16 bits take 1,051 values where chance would give
// 9,275, and bits 24 to 39 take 114. The tags of a table would tell nobody apart, and its stripes would crowd. That
// is why the policy mixes the result once more (the test `raw_fnv1a64_is_no_policy` keeps the figures).
#pragma once

#include <ss/base/policy.hpp>
#include <ss/hash/concept.hpp>

#include <cstdint>
#include <string_view>

namespace ss::inline v0 {

/// The published FNV-1a of `bytes`: about four cycles a byte. No policy by itself, see above; good for names that are
/// known at compile time and for what others have hashed with it.
[[nodiscard]] constexpr std::uint64_t fnv1a64(std::string_view bytes) noexcept {
    std::uint64_t hash = 0xCBF2'9CE4'8422'2325U;
    for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x0000'0100'0000'01B3U;
    return hash;
}

/// Spreads every bit of `hash` over all 64, and is one to one: no two inputs meet. The finalizer of MurmurHash3
/// (A. Appleby, public domain).
[[nodiscard]] constexpr std::uint64_t mix_bits(std::uint64_t hash) noexcept {
    hash = (hash ^ hash >> 33) * 0xFF51'AFD7'ED55'8CCDU;
    hash = (hash ^ hash >> 33) * 0xC4CE'B9FE'1A85'EC53U;
    return hash ^ hash >> 33;
}

/// The ancestor's hash, FNV-1a, with its bits spread for tags and stripes: two keys collide in this policy exactly if
/// they do in FNV-1a. The same for every table, so a table's layout can be computed beforehand, by anybody and in any
/// language, with ten lines of code.
///
/// When NOT to use it: where anybody else picks the keys, since collisions can be made on paper; for keys past some
/// eight bytes, since a multiplication a byte, each waiting for the one before, costs four times as much as Wyhash at
/// 16 bytes and nine times at 64; where nothing calls for it.
struct Fnv1a64 {
    static constexpr PolicyId id = policy_id("FNV1A64");
    static constexpr std::uint64_t fingerprint = ss::fingerprint(1);
    static constexpr bool seeded = false;

    [[nodiscard]] static constexpr std::uint64_t hash(std::string_view bytes, const HashSeed&) noexcept {
        return mix_bits(fnv1a64(bytes));
    }
};
static_assert(HashPolicy<Fnv1a64>);

} // namespace ss::inline v0
