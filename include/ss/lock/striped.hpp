// A table in all domains of its pool.
#pragma once

#include <ss/lock/concept.hpp>

namespace ss::inline v0 {

/// A lock policy of HashTable alone: the table has a stripe in each domain of its pool, under that domain's own lock `L`,
/// with its own journal and heap. A key lives in one stripe, which its hash picks; so writers of keys in different stripes
/// do not wait for each other. A domain is claimed for `L` itself, and has room for other structures under that.
///
/// When not to use it: where transactions change several keys, for they stay within one stripe; in a pool of few domains,
/// which it needs many of (`PoolOptions{.domains = 16}`); or where one process writes and others read, since an
/// `Optimistic` lock does not keep readers waiting anyway.
template <class L>
struct Striped : L {
    static_assert(LockPolicy<L>, "Striped<L>: L is not a lock policy, see docs/concepts.md");
    static_assert(!is_striped<L>, "Striped<Striped<L>> adds nothing: write Striped<L>");

    static constexpr bool striped = true;
    /// For messages, no pool has it: "FUTEX+s" of a bare lock, "FUTEX+S" of an Optimistic one.
    static constexpr PolicyId id = with_flag(L::id, is_optimistic<L> ? 'S' : 's');
};

} // namespace ss::inline v0
