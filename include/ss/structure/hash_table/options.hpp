// What is said of a table beside its operations: how it is made, what it tells of itself, and by which id a pool knows it.
#pragma once

#include <ss/base/policy.hpp>
#include <ss/domain/directory.hpp>
#include <ss/domain/domain_core.hpp>
#include <ss/structure/hash_table/layout.hpp>

#include <cstdint>

namespace ss::inline v0 {

/// Counts when a table is made; an existing one has what it was made with.
struct HashTableOptions {
    /// log2 of the fewest buckets, 0 to 32. The table begins with them and never shrinks below. A bucket has 64 bytes
    /// and about 4 entries. Only worth naming for a table known to be large, or one of many small ones.
    unsigned bits = 8;
};

struct HashTableStats {
    // Of the table
    std::uint64_t entries = 0;
    std::uint64_t buckets = 0;
    std::uint64_t bytes_allocated = 0;
    // Of the domain that it lives in
    std::uint64_t bytes_free = 0;
    std::uint64_t garbage_bytes = 0;
    std::uint64_t journal_high_water = 0;
    std::uint64_t recoveries = 0;
    DomainStats domain; ///< all of it
};

/// The type id of every HashTable, whatever its policies.
inline constexpr PolicyId hash_table_type = policy_id("HASHTAB");
inline constexpr std::uint64_t hash_table_fingerprint = fingerprint(
    1, sizeof(detail::HashTableHead), sizeof(detail::Bucket), detail::max_segments, sizeof(DirectoryEntry));

} // namespace ss::inline v0
