// What a comparison policy is: an order of byte strings.
//
// A PriorityQueue's heap lies in the pool in the order that its policy says, so all builds that share the pool must agree on
// it, for as long as the pool lives: the result may depend on nothing but the bytes, and a change of it is a change of
// meaning, which raises the fingerprint.
#pragma once

#include <ss/base/policy.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace ss::inline v0 {

/// A comparison policy: `less(a, b)` says whether a comes before b, and is a strict weak order of all byte strings, the
/// empty one too. It cannot fail, reads no byte outside of the two, and nobody writes those meanwhile. See
/// docs/concepts.md for a minimal conforming class.
template <class C>
concept ComparePolicy = requires(std::string_view a, std::string_view b) {
    { C::id } -> std::convertible_to<PolicyId>;
    { C::fingerprint } -> std::convertible_to<std::uint64_t>;
    typename std::integral_constant<PolicyId, C::id>;
    typename std::integral_constant<std::uint64_t, C::fingerprint>;
    { C::less(a, b) } -> std::same_as<bool>;
    requires noexcept(C::less(a, b));
};

} // namespace ss::inline v0
