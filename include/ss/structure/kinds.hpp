// Every kind of structure that comes with ss.
#pragma once

#include <ss/structure/atomic_vector/kind.hpp>
#include <ss/structure/hash_table/kind.hpp>
#include <ss/structure/prefix_tree/kind.hpp>
#include <ss/structure/priority_queue/kind.hpp>
#include <ss/structure/queue/kind.hpp>

namespace ss::inline v0::detail {

template <class... Kinds>
struct KindList {
    /// f.operator()<Kind>() for the kind of that entry; false if it is of none.
    template <class F>
    static bool with(const DirectoryEntry& entry, F f) {
        const auto attempt = [&]<class Kind>() {
            if (!Kind::is(entry)) return false;
            f.template operator()<Kind>();
            return true;
        };
        return (attempt.template operator()<Kinds>() || ...);
    }

    /// f.operator()<Kind>() for each.
    template <class F>
    static void for_each(F f) {
        (f.template operator()<Kinds>(), ...);
    }
};

using AllKinds = KindList<HashTableKind, PrefixTreeKind, QueueKind, AtomicVectorKind, PriorityQueueKind>;

} // namespace ss::inline v0::detail
