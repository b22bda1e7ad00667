// What is said of a table beside its operations: how it is made, what it tells of itself, and by which id a pool knows it.
#pragma once

#include <ss/base/error.hpp>
#include <ss/base/policy.hpp>
#include <ss/domain/directory.hpp>
#include <ss/domain/domain_core.hpp>
#include <ss/structure/hash_table/layout.hpp>

#include <cstdint>
#include <string>

namespace ss::inline v0 {

/// Counts when a table is made; an existing one has what it was made with.
struct HashTableOptions {
    /// log2 of the entries that the table has place for from the beginning, 0 to 32; of a striped table, all stripes together.
    /// It has a bucket, which is a page, for every eight of them, and never fewer. Only worth naming for a table known to be
    /// large, or one of many small ones.
    unsigned bits = 8;

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

/// The same of a stripe: one of the tables that a striped table is made of. What is in it is as in a table; but it has only
/// those of the keys that belong to its domain, and a name that need not.
inline constexpr PolicyId striped_table_type = with_flag(hash_table_type, 's');
inline constexpr std::uint64_t striped_table_fingerprint = fingerprint(1, hash_table_fingerprint);

namespace detail {

/// Throws invalid_argument for options that no table can have.
inline void check_options(const HashTableOptions& options, const std::string& pool) {
    if (options.bits > max_table_bits)
        throw Error(
            errc::invalid_argument,
            "bits is " + std::to_string(options.bits) + ", expected at most " + std::to_string(max_table_bits), pool);
    if (options.page % word_size != 0 || !is_page_size(options.page / word_size))
        throw Error(errc::invalid_argument,
                    "a page has " + std::to_string(options.page) + " bytes, expected a multiple of " +
                        std::to_string(cache_line) + " from " + std::to_string(min_page_words * word_size) + " to " +
                        std::to_string(max_page_words * word_size),
                    pool);
}

} // namespace detail
} // namespace ss::inline v0
