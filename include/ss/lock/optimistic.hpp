// Readers without a lock.
#pragma once

#include <ss/lock/concept.hpp>

namespace ss::inline v0 {

/// Writers lock as with `L`. Readers take no lock and store nothing: they read a version, the data, and the version
/// again, and start over if it moved (domain/optimistic_read.hpp). They work on a read-only mapping, scale with cores,
/// and a reader that is killed holds nobody up.
///
/// When not to use it: with values so large that copying them takes as long as the time between two writes of the same
/// bucket; a reader then falls back to the lock after 64 attempts. Or where nobody reads while others write: the bare
/// `L` saves the writers the versions.
template <class L>
struct Optimistic : L {
    static_assert(LockPolicy<L>, "Optimistic<L>: L is not a lock policy, see docs/concepts.md");
    static_assert(!is_optimistic<L>, "Optimistic<Optimistic<L>> adds nothing: write Optimistic<L>");
    static_assert(!is_striped<L>,
                  "Optimistic<Striped<L>>: it is the lock of a stripe whose readers take none, so write "
                  "Striped<Optimistic<L>>");

    static constexpr bool optimistic = true;
    static constexpr PolicyId id = with_flag(L::id, 'o');
};

} // namespace ss::inline v0
