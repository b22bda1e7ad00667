// What is to be known of hash tables where only the pool says that something is one.
#pragma once

#include <ss/structure/hash_table/garbage.hpp>
#include <ss/structure/hash_table/options.hpp>
#include <ss/structure/hash_table/verify.hpp>
#include <ss/structure/hash_table/write.hpp>
#include <ss/structure/kind.hpp>

#include <cstdint>
#include <string>

namespace ss::inline v0::detail {

struct HashTableKind {
    static constexpr const char* noun = "table";

    [[nodiscard]] static bool is(const DirectoryEntry& entry) noexcept {
        return is_of_type(entry, hash_table_type, hash_table_fingerprint) || is_stripe(entry);
    }

    /// One of the tables that a striped table is made of: a table to all that is done here.
    [[nodiscard]] static bool is_stripe(const DirectoryEntry& entry) noexcept {
        return is_of_type(entry, striped_table_type, striped_table_fingerprint);
    }

    template <class Tx>
    static void discard(Tx& tx, const ObjectRef& object) {
        discard_head(tx, load(object.entry->root[0]));
    }

    [[nodiscard]] static std::uint64_t bytes(const Region& region, const DirectoryEntry& entry) {
        const auto* const head = head_of<HashTableHead>(region, entry);
        return head == nullptr ? 0 : load(head->bytes);
    }

    static bool verify(const DomainCore& domain, const DirectoryEntry& entry, const std::string& name,
                       const ObjectCode& code, Census& census) {
        if (code.hash == nullptr) {
            census.complain("table \"" + name + "\" has hash " + to_string(PolicyId{load(entry.hash_id)}) +
                            ", which this program does not know");
            return false;
        }
        verify_hash_table(domain.region(), entry, name, code.hash, census);
        return true;
    }

    static void count(const DomainCore& domain, const DirectoryEntry& entry, Census& census) {
        count_head(domain.region(), load(entry.root[0]), census);
    }

    static void count_garbage(const DomainCore& domain, Census& census) { count_hash_table_garbage(domain, census); }
};

} // namespace ss::inline v0::detail
