// What a hash policy is: a pure function from the bytes of a key, and a seed, to 64 well mixed bits.
//
//     63           56 55                                  bits 0
//     |  tag: 8 bits | whatever a stripe needs | bucket: low bits |
//
// The tables cut the hash in this way. A bucket is picked by as many low bits as there are buckets, a tag spares the
// walk to a record of another key, and stripes take bits between them. So *every* bit must depend on every byte of
// the key: a policy that mixes only upwards (a plain multiplicative hash) makes good buckets and useless tags, or the
// other way round. Nothing else in the library mixes a hash again.
//
// The hashes are not only computed, they are stored: in buckets, tags, and the order in which a table grows. All
// builds that share a pool must agree on every one of them, for as long as the pool lives:
//  - The result may depend on nothing but the bytes and the seed: not on the address, the alignment, the compiler,
//    the vector instructions of the machine, nor on chance.
//  - A change of the result is a change of meaning: raise the fingerprint.
//  - Byte order: a pool records its own and refuses machines of the other, so a policy may read words in native
//    order. Ours read them as little-endian ones all the same: it costs nothing on the machines we know, and the
//    published test vectors hold everywhere.
#pragma once

#include <ss/base/policy.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace ss::inline v0 {

/// What makes the hashes of one table differ from those of another: 128 bits that lie in the pool's directory beside
/// the table's name. Drawn from getrandom(2) when the table of a seeded policy is made, and zero for the others.
/// Whoever may read the pool can read it, so it hides the hashes only from those who merely send keys.
struct HashSeed {
    std::uint64_t first = 0;
    std::uint64_t second = 0;

    friend bool operator==(const HashSeed&, const HashSeed&) = default;
};
static_assert(sizeof(HashSeed) == 16 && std::is_trivially_copyable_v<HashSeed> &&
              std::is_standard_layout_v<HashSeed>);

/// A hash policy. The constants are known at compile time; `hash` takes any bytes, the empty key too (whose `data()`
/// may be null), reads each of them and none beyond, and cannot fail. Nobody writes the bytes meanwhile: a key is
/// either the caller's own or lies in a record that is looked at under the lock.
///
/// `seeded` says whether the seed matters. A policy that ignores it is as predictable as its source is public:
/// whoever picks the keys can pick them all for one bucket. See docs/concepts.md for a minimal conforming class.
template <class H>
concept HashPolicy = requires(std::string_view bytes, const HashSeed& seed) {
    { H::id } -> std::convertible_to<PolicyId>;
    { H::fingerprint } -> std::convertible_to<std::uint64_t>;
    { H::seeded } -> std::convertible_to<bool>;
    typename std::integral_constant<PolicyId, H::id>;
    typename std::integral_constant<std::uint64_t, H::fingerprint>;
    typename std::bool_constant<H::seeded>;
    { H::hash(bytes, seed) } -> std::same_as<std::uint64_t>;
    requires noexcept(H::hash(bytes, seed));
};

} // namespace ss::inline v0
