// wyhash, final version 4 (Wang Yi, public domain; as of 4.2), in our own words.
//
// Everything is one step: multiply two words to 128 bits and fold the halves. A key goes through it in three ways:
//
//     0 to 16 bytes    |w0  |    |    |w3  |    two words a, b out of four overlapping halves, or of three bytes
//     17 to 47         |a       b       |...|   16 bytes a step into one lane, the last 16 become a and b
//     48 and more      |lane 0|lane 1|lane 2|   48 a step into three lanes side by side, joined, then as above
//
// and ends in two steps over a, b, the lane and the size. No loop or branch runs by the byte.
#pragma once

#include <ss/base/policy.hpp>
#include <ss/hash/concept.hpp>
#include <ss/hash/little_endian.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ss::inline v0 {

/// The default of tables: the fastest for keys of a few dozen bytes, all bits good for buckets, tags and stripes, and
/// another order in every table.
///
/// `seed.first` is wyhash's own seed. `seed.second` goes into its four secret constants, turned by another distance
/// for each. With the published constants alone a known block makes one factor zero and so wipes out what came
/// before, and lanes can be swapped, whatever the seed is (so CVE-2025-27209 came about in a hash of this family);
/// with unknown ones nobody knows such a block. The seed {s, 0} gives the published wyhash of seed s, by which it is
/// tested.
///
/// When NOT to use it: where strangers choose the keys and gain from making a table slow. The seed stops the two
/// attacks above; nobody has shown that it stops all. Take SipHash13.
struct Wyhash {
    static constexpr PolicyId id = policy_id("WYHASH4");
    static constexpr std::uint64_t fingerprint = ss::fingerprint(sizeof(HashSeed), 1);
    static constexpr bool seeded = true;

    [[nodiscard]] static std::uint64_t hash(std::string_view bytes, const HashSeed& seed) noexcept {
        const char* p = bytes.data();
        const std::size_t size = bytes.size();
        const std::uint64_t secret_0 = secret(0, seed), secret_1 = secret(1, seed);
        std::uint64_t lane = seed.first ^ mix(seed.first ^ secret_0, secret_1);
        std::uint64_t a = 0, b = 0;
        if (size <= 16) {
            if (size >= 4) {
                // Four reads of four bytes cover 4 to 16 of them: from 8 on the inner two lie four bytes further in
                // (eight at 16), below they fall together with the outer ones.
                const std::size_t inner = (size >> 3) << 2;
                const char* const last = p + size - 4;
                a = join(little_endian_32(p), little_endian_32(p + inner));
                b = join(little_endian_32(last), little_endian_32(last - inner));
            } else if (size > 0) {
                // The first, the middle and the last byte: all of them, some of them twice.
                a = little_endian_8(p) << 16 | little_endian_8(p + (size >> 1)) << 8 | little_endian_8(p + size - 1);
            }
        } else {
            std::size_t left = size;
            if (left >= stripe) {
                lane = absorb_stripes(p, left / stripe, lane, seed);
                p += left / stripe * stripe;
                left %= stripe;
            }
            for (; left > 16; left -= 16, p += 16)
                lane = mix(little_endian_64(p) ^ secret_1, little_endian_64(p + 8) ^ lane);
            // The last 16 bytes of the key; where fewer are left, they reach back into what was absorbed already.
            a = little_endian_64(p + left - 16);
            b = little_endian_64(p + left - 8);
        }
        const Product product = multiply(a ^ secret_1, b ^ lane);
        return mix(product.low ^ secret_0 ^ size, product.high ^ secret_1);
    }

private:
    static constexpr std::size_t stripe = 48;

    struct Product {
        std::uint64_t low, high;
    };

    /// The published constants under `seed.second`. The distances are such that no difference of two of them is known
    /// to who does not know the seed: a word xored with itself turned by 27, 54 or 17 bits keeps 62 bits of it or
    /// more.
    [[nodiscard]] static std::uint64_t secret(int index, const HashSeed& seed) noexcept {
        constexpr std::uint64_t published[] = {0x2D35'8DCC'AA6C'78A5U, 0x8BB8'4B93'962E'ACC9U, 0x4B33'A62E'D433'D4A3U,
                                               0x4D5A'2DA5'1DE1'AA47U};
        return published[index] ^ std::rotl(seed.second, 27 * index);
    }

    [[nodiscard]] static Product multiply(std::uint64_t a, std::uint64_t b) noexcept {
        __extension__ using Wide = unsigned __int128;
        const Wide product = static_cast<Wide>(a) * b;
        return {static_cast<std::uint64_t>(product), static_cast<std::uint64_t>(product >> 64)};
    }

    [[nodiscard]] static std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
        const Product product = multiply(a, b);
        return product.low ^ product.high;
    }

    [[nodiscard]] static std::uint64_t join(std::uint64_t high, std::uint64_t low) noexcept {
        return high << 32 | low;
    }

    /// `count` stripes of 48 bytes through three lanes. Out of line: keys are short, and their path is inlined.
    [[nodiscard, gnu::noinline]] static std::uint64_t
    absorb_stripes(const char* p, std::size_t count, std::uint64_t lane, const HashSeed& seed) noexcept {
        const std::uint64_t secret_1 = secret(1, seed), secret_2 = secret(2, seed), secret_3 = secret(3, seed);
        std::uint64_t lane_1 = lane, lane_2 = lane;
        for (; count != 0; --count, p += stripe) {
            lane = mix(little_endian_64(p) ^ secret_1, little_endian_64(p + 8) ^ lane);
            lane_1 = mix(little_endian_64(p + 16) ^ secret_2, little_endian_64(p + 24) ^ lane_1);
            lane_2 = mix(little_endian_64(p + 32) ^ secret_3, little_endian_64(p + 40) ^ lane_2);
        }
        return lane ^ lane_1 ^ lane_2;
    }
};
static_assert(HashPolicy<Wyhash>);

} // namespace ss::inline v0
