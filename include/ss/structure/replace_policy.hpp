// One policy of a structure exchanged for another: what `HashTable<>::with<SpinLock>` is made of.
#pragma once

#include <ss/alloc/concept.hpp>
#include <ss/hash/concept.hpp>
#include <ss/lock/concept.hpp>

namespace ss::inline v0::detail {

/// Structure<A, L, H> with P in the place of the policy of P's kind.
template <template <class...> class Structure, class P, class A, class L, class... H>
struct ReplacePolicy {
    static constexpr bool is_allocator = AllocatorPolicy<P>;
    static constexpr bool is_lock = LockPolicy<P>;
    static constexpr bool is_hash = HashPolicy<P>;
    static_assert(
        is_allocator || is_lock || is_hash,
        "with<P>: P is neither an allocator nor a lock nor a hash policy; docs/concepts.md says what each needs");
    static_assert(is_allocator + is_lock + is_hash <= 1, "with<P>: P is a policy of several kinds at once");

    template <class Own, bool Replace>
    static auto pick() {
        if constexpr (Replace)
            return static_cast<P*>(nullptr);
        else
            return static_cast<Own*>(nullptr);
    }
    template <class Own, bool Replace>
    using Picked = std::remove_pointer_t<decltype(pick<Own, Replace>())>;

    using type = Structure<Picked<A, is_allocator>, Picked<L, is_lock>, Picked<H, is_hash>...>;
};

} // namespace ss::inline v0::detail
