// What a tree tells of itself, and by which id a pool knows it.
#pragma once

#include <ss/base/policy.hpp>
#include <ss/domain/domain_core.hpp>
#include <ss/structure/prefix_tree/reading.hpp>
#include <ss/structure/prefix_tree/subtree.hpp>

#include <cstdint>

namespace ss::inline v0 {

struct PrefixTreeStats {
    // Of the tree
    std::uint64_t entries = 0;
    std::uint64_t nodes = 0;
    std::uint64_t bytes_allocated = 0;
    // Of the domain that it lives in
    std::uint64_t bytes_free = 0;
    std::uint64_t garbage_bytes = 0;
    std::uint64_t journal_high_water = 0;
    std::uint64_t recoveries = 0;
    DomainStats domain; ///< all of it
};

/// The type id of every PrefixTree, whatever its policies.
inline constexpr PolicyId prefix_tree_type = policy_id("PFXTREE");
inline constexpr std::uint64_t prefix_tree_fingerprint =
    fingerprint(2, sizeof(detail::TreeHead), detail::node_kinds.size(), detail::max_key_size, node_versions,
                sizeof(DirectoryEntry));

namespace detail {

/// What the head counts, all of one moment. Inside of Domain::read.
template <class Reading>
[[nodiscard]] bool attempt_tree_counts(const DomainCore& domain, const ObjectRef& object, Reading reading,
                                       SubtreeSum& counts) {
    return attempt_in_tree(domain, object, reading, [&](const auto& path) {
        const Word& changes = object.entry->root[tree_changes_root];
        Word seen = 0;
        if (!reading.begin(changes, seen)) return false;
        counts = {
            .entries = load(path.head().entries), .nodes = load(path.head().nodes), .bytes = load(path.head().bytes)};
        return reading.validate(changes, seen);
    });
}

} // namespace detail

} // namespace ss::inline v0
