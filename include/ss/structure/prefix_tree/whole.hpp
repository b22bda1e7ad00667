// Reading all of a tree, or of a subtree, as it is at one moment.
#pragma once

#include <ss/domain/directory.hpp>
#include <ss/structure/prefix_tree/reading.hpp>
#include <ss/structure/prefix_tree/way.hpp>

namespace ss::inline v0::detail {

/// f(root, valid) under the lock, for whoever reads more than an optimistic reader could hope to find unchanged. On a
/// read-only pool without it, again and again until nobody has written to the tree meanwhile: valid() tells f whether it
/// is worth going on, and f returns false when it was not.
template <class DomainType, class F>
void read_whole(const DomainType& domain, const ObjectRef& object, F f) {
    const auto root = [&]() -> Hook {
        check_stands(domain.core(), object);
        const Offset<TreeHead> head{load(object.entry->root[tree_head_root])};
        return {.slot = &domain.region().at(head).root, .owner = head.value};
    };
    if (!domain.core().attachment().is_read_only()) {
        domain.read_settled([&] { (void)f(root(), [] { return true; }); });
        return;
    }
    domain.read([&](auto reading) {
        const Word& changes = object.entry->root[tree_changes_root];
        Word seen = 0;
        const auto valid = [&] { return reading.validate(changes, seen); };
        if (!reading.begin(changes, seen)) return false;
        try {
            return f(root(), valid) && valid();
        } catch (const Error&) {
            if (valid()) throw;
            return false;
        }
    });
}

} // namespace ss::inline v0::detail
