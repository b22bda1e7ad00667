// What is to be known of atomic vectors where only the pool says that something is one.
#pragma once

#include <ss/structure/atomic_vector/garbage.hpp>
#include <ss/structure/atomic_vector/stats.hpp>
#include <ss/structure/atomic_vector/verify.hpp>
#include <ss/structure/kind.hpp>

#include <cstdint>
#include <string>

namespace ss::inline v0::detail {

struct AtomicVectorKind {
    static constexpr const char* noun = "vector";

    /// Of any elements.
    [[nodiscard]] static bool is(const DirectoryEntry& entry) noexcept { return element_code_of(entry) != 0; }

    template <class Tx>
    static void discard(Tx& tx, const ObjectRef& object) {
        discard_vector(tx, load(object.entry->root[0]));
    }

    [[nodiscard]] static std::uint64_t bytes(const Region& region, const DirectoryEntry& entry) {
        const auto* const head = head_of<VectorHead>(region, entry);
        return head == nullptr ? 0 : load(head->bytes);
    }

    static bool verify(const DomainCore& domain, const DirectoryEntry& entry, const std::string& name,
                       const ObjectCode&, Census& census) {
        verify_atomic_vector(domain.region(), entry, name, census);
        return true;
    }

    static void count(const DomainCore& domain, const DirectoryEntry& entry, Census& census) {
        count_vector(domain.region(), load(entry.root[0]), census);
    }

    static void count_garbage(const DomainCore& domain, Census& census) { count_vector_garbage(domain, census); }
};

} // namespace ss::inline v0::detail
