// SipHash (J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast short-input PRF", 2012), and the policy of one and
// three rounds that Rust, Ruby and CPython use for their tables.
//
//     | word | word | ... | rest, 0 to 7 bytes | size mod 256 |    C rounds for each word, D rounds at the end
#pragma once

#include <ss/base/policy.hpp>
#include <ss/hash/concept.hpp>
#include <ss/hash/little_endian.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ss::inline v0 {

/// The state of SipHash: four words that rounds of additions, turns and xors stir.
class SipState {
public:
    explicit SipState(const HashSeed& key) noexcept
        : v0_(key.first ^ 0x736F'6D65'7073'6575U), v1_(key.second ^ 0x646F'7261'6E64'6F6DU),
          v2_(key.first ^ 0x6C79'6765'6E65'7261U), v3_(key.second ^ 0x7465'6462'7974'6573U) {}

    template <int Rounds>
    void absorb(std::uint64_t word) noexcept {
        v3_ ^= word;
        for (int i = 0; i < Rounds; ++i) round();
        v0_ ^= word;
    }

    template <int Rounds>
    [[nodiscard]] std::uint64_t finish() noexcept {
        v2_ ^= 0xFF;
        for (int i = 0; i < Rounds; ++i) round();
        return v0_ ^ v1_ ^ v2_ ^ v3_;
    }

private:
    void round() noexcept {
        v0_ += v1_;
        v2_ += v3_;
        v1_ = std::rotl(v1_, 13) ^ v0_;
        v3_ = std::rotl(v3_, 16) ^ v2_;
        v0_ = std::rotl(v0_, 32) + v3_;
        v2_ += v1_;
        v3_ = std::rotl(v3_, 21) ^ v0_;
        v1_ = std::rotl(v1_, 17) ^ v2_;
        v2_ = std::rotl(v2_, 32);
    }

    std::uint64_t v0_, v1_, v2_, v3_;
};

/// SipHash with `CompressionRounds` a word and `FinalRounds` at the end, under the key of 128 bits `key`: its sixteen
/// bytes as two little-endian words. siphash<2, 4> is the one of the paper.
template <int CompressionRounds, int FinalRounds>
[[nodiscard]] std::uint64_t siphash(std::string_view bytes, const HashSeed& key) noexcept {
    SipState state(key);
    const char* p = bytes.data();
    const std::size_t size = bytes.size(), rest = size % 8;
    for (std::size_t words = size / 8; words != 0; --words, p += 8)
        state.absorb<CompressionRounds>(little_endian_64(p));

    // The rest lies in the low bytes of the last word. It is read without a step by the byte: from the last eight
    // bytes of the key where there are eight, and from parts that overlap where there are not.
    std::uint64_t last = static_cast<std::uint64_t>(size) << 56;
    if (size >= 8)
        last |= little_endian_64(p + rest - 8) >> 8 >> (56 - 8 * rest); // twice: 64 at once is no shift
    else if (size >= 4)
        last |= little_endian_32(p) | static_cast<std::uint64_t>(little_endian_32(p + size - 4)) << 8 * (size - 4);
    else if (size > 0)
        last |= little_endian_8(p) | little_endian_8(p + size / 2) << 8 * (size / 2) |
                little_endian_8(p + size - 1) << 8 * (size - 1);
    state.absorb<CompressionRounds>(last);
    return state.finish<FinalRounds>();
}

/// For keys that strangers choose: who does not know the table's key cannot find keys that collide, as far as anybody
/// has published. The seed is the key, 128 bits from getrandom(2) for each table.
///
/// One round a word and three at the end are what tables use; the paper proposes two and four where hashes are shown
/// to the attacker, which a table does not do.
///
/// When NOT to use it: for keys of your own making (Wyhash takes half to a third of the time); or to hide anything
/// from somebody who may read the pool, since the key lies in it.
struct SipHash13 {
    static constexpr PolicyId id = policy_id("SIP13");
    static constexpr std::uint64_t fingerprint = ss::fingerprint(sizeof(HashSeed), 1);
    static constexpr bool seeded = true;

    [[nodiscard]] static std::uint64_t hash(std::string_view bytes, const HashSeed& seed) noexcept {
        return siphash<1, 3>(bytes, seed);
    }
};
static_assert(HashPolicy<SipHash13>);

} // namespace ss::inline v0
