// XXH3 in 64 bits (Y. Collet), from the system's <xxhash.h>. The one hash header that needs more than the standard
// library, so nothing includes it for you: install libxxhash-dev (0.8.0 or later) and include <ss/hash/xxh3.hpp>. No
// library is linked.
//
// <xxhash.h> is asked to make all its functions static and inline, under names of its own, so a program may use the
// library's as well. Where one file does both, include this header first.
#pragma once

#include <ss/base/policy.hpp>
#include <ss/hash/concept.hpp>

#include <cstdint>
#include <string_view>

#pragma push_macro("XXH_INLINE_ALL")
#undef XXH_INLINE_ALL
#define XXH_INLINE_ALL
#include <xxhash.h>
#pragma pop_macro("XXH_INLINE_ALL")

namespace ss::inline v0 {

static_assert(XXH_VERSION_NUMBER >= 800, "XXH3 has kept its results since xxHash 0.8.0: before it they changed");

/// XXH3, under the seed's first word (XXH3 takes 64 bits). The result is the same with all vector instructions and
/// with none; the speed is not. Compiled for AVX2 it is twice as fast as Wyhash for keys of 2 KiB and more; for plain
/// x86-64 it is nowhere faster by much, and from some 200 bytes on it takes about twice as long. Good where other
/// programs hash the same keys with XXH3.
///
/// Since nothing includes it for you, nothing knows it but what you tell: `pool.verify<ss::Catalogue<ss::Xxh3>>()`,
/// `ss::open_any(pool, name, ss::policies<ss::Xxh3>, f)`. Without, verify() says that it does not know the hash.
///
/// When NOT to use it: for short keys, where Wyhash is as fast and needs no package; where strangers choose the keys,
/// since its constants are known and a seed of 64 bits is all that is secret. Take SipHash13.
struct Xxh3 {
    static constexpr PolicyId id = policy_id("XXH3");
    static constexpr std::uint64_t fingerprint = ss::fingerprint(sizeof(HashSeed), 1);
    static constexpr bool seeded = true;

    [[nodiscard]] static std::uint64_t hash(std::string_view bytes, const HashSeed& seed) noexcept {
        return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed.first);
    }
};
static_assert(HashPolicy<Xxh3>);

} // namespace ss::inline v0
