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
    /// log2 of the fewest buckets, 0 to 32. The table begins with them and never shrinks below. A bucket has one page and
    /// up to 13 entries. Only worth naming for a table known to be large, or one of many small ones.
    unsigned bits = 5;

    /// Bytes of a bucket's page: 192, 256, 320, 384, 448 or 512. Entries of up to 72 bytes lie in it, key and value each
    /// rounded up to 8; it refers to larger ones. Only worth naming where most are larger: 192 then saves 23 bytes an entry.
    std::uint64_t page = 512;
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
inline constexpr std::uint64_t hash_table_fingerprint =
    fingerprint(2, sizeof(detail::HashTableHead), sizeof(detail::Page), detail::max_segments, sizeof(DirectoryEntry));

} // namespace ss::inline v0
