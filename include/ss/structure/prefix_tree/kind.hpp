// What is to be known of prefix trees where only the pool says that something is one.
#pragma once

#include <ss/structure/kind.hpp>
#include <ss/structure/prefix_tree/garbage.hpp>
#include <ss/structure/prefix_tree/stats.hpp>
#include <ss/structure/prefix_tree/verify.hpp>
#include <ss/structure/prefix_tree/write.hpp>

#include <cstdint>
#include <string>

namespace ss::inline v0::detail {

struct PrefixTreeKind {
    static constexpr const char* noun = "tree";

    [[nodiscard]] static bool is(const DirectoryEntry& entry) noexcept {
        return is_of_type(entry, prefix_tree_type, prefix_tree_fingerprint);
    }

    template <class Tx>
    static void discard(Tx& tx, const ObjectRef& object) {
        TreeWriter(tx, object).destroy();
    }

    [[nodiscard]] static std::uint64_t bytes(const Region& region, const DirectoryEntry& entry) {
        const auto* const head = head_of<TreeHead>(region, entry);
        return head == nullptr ? 0 : load(head->bytes);
    }

    static bool verify(const DomainCore& domain, const DirectoryEntry& entry, const std::string& name,
                       const ObjectCode&, Census& census) {
        verify_prefix_tree(domain.region(), entry, name, census);
        return true;
    }

    static void count(const DomainCore& domain, const DirectoryEntry& entry, Census& census) {
        count_tree(domain.region(), entry, census);
    }

    static void count_garbage(const DomainCore& domain, Census& census) { count_tree_garbage(domain, census); }
};

} // namespace ss::inline v0::detail
