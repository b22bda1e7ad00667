// One policy of a structure exchanged for another: what `HashTable<>::with<SpinLock>` is made of.
#pragma once

#include <ss/alloc/concept.hpp>
#include <ss/compare/concept.hpp>
#include <ss/hash/concept.hpp>
#include <ss/lock/concept.hpp>

namespace ss::inline v0::detail {

/// Structure<A, L, Own...> with P in the place of the policy of P's kind.
template <template <class...> class Structure, class P, class A, class L, class... Own>
struct ReplacePolicy {
    static constexpr bool is_allocator = AllocatorPolicy<P>;
    static constexpr bool is_lock = LockPolicy<P>;
    static constexpr bool is_hash = HashPolicy<P>;
    static constexpr bool is_compare = ComparePolicy<P>;
    static_assert(is_allocator || is_lock || is_hash || is_compare,
                  "with<P>: P is neither an allocator nor a lock nor a hash nor a comparison policy; "
                  "docs/concepts.md says what each needs");
    static_assert(is_allocator + is_lock + is_hash + is_compare <= 1,
                  "with<P>: P is a policy of several kinds at once");

    /// True if P can stand for a policy of the structure's own.
    template <class Q>
    static constexpr bool is_like = (is_hash && HashPolicy<Q>) || (is_compare && ComparePolicy<Q>);
    static_assert((!is_hash && !is_compare) || (is_like<Own> || ...),
                  "with<P>: P is a hash or a comparison policy, and the structure has none of that kind");

    template <class Q, bool Replace>
    static auto pick() {
        if constexpr (Replace)
            return static_cast<P*>(nullptr);
        else
            return static_cast<Q*>(nullptr);
    }
    template <class Q, bool Replace>
    using Picked = std::remove_pointer_t<decltype(pick<Q, Replace>())>;

    using type = Structure<Picked<A, is_allocator>, Picked<L, is_lock>, Picked<Own, is_like<Own>>...>;
};

} // namespace ss::inline v0::detail
