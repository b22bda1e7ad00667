// What a table's head counts, read as lookups are: again until the versions say that it was there at one moment.
#pragma once

#include <ss/domain/directory.hpp>
#include <ss/pool/region.hpp>
#include <ss/structure/hash_table/lookup.hpp>
#include <ss/structure/hash_table/options.hpp>

#include <algorithm>
#include <cstdint>

namespace ss::inline v0::detail {

/// f(table) with the table entered, and what it returns; false while a writer is at it. What is thrown, by f too, counts
/// only if the table is still the one that was entered.
template <class Reading, class F>
[[nodiscard]] bool attempt_table(const Region& region, const ObjectRef& object, Reading reading, F f) {
    TableReading<Reading> table(region, object, reading);
    try {
        if (!table.enter_table() || !f(table)) return false;
    } catch (const Error&) {
        if (table.validate_table()) throw;
        return false;
    }
    return table.validate_table();
}

/// The number of entries, which has a version of its own.
template <class Reading>
[[nodiscard]] bool attempt_size(const Region& region, const ObjectRef& object, Reading reading, std::uint64_t& size) {
    return attempt_table(region, object, reading, [&](const auto& table) {
        Word version = 0;
        if (!reading.begin(table.head().size_version, version)) return false;
        size = load(table.head().size);
        return reading.validate(table.head().size_version, version);
    });
}

/// log2 of the entries that it has buckets for, rounded up; with a single bucket, what it was made for.
template <class Reading>
[[nodiscard]] bool attempt_bits(const Region& region, const ObjectRef& object, Reading reading, unsigned& bits) {
    return attempt_table(region, object, reading, [&](const auto& table) {
        const std::uint64_t buckets = load(table.head().buckets), made_for = load(table.head().bits);
        bits = buckets == 1 ? static_cast<unsigned>(std::min<std::uint64_t>(made_for, bits_of_a_bucket))
                            : log2_ceil(buckets) + bits_of_a_bucket;
        return true;
    });
}

/// Each count as it is: for statistics, which may mix those of two moments.
template <class Reading>
[[nodiscard]] bool attempt_counts(const Region& region, const ObjectRef& object, Reading reading,
                                  HashTableStats& stats) {
    return attempt_table(region, object, reading, [&](const auto& table) {
        stats.entries = load(table.head().size);
        stats.buckets = load(table.head().buckets);
        stats.bytes_allocated = load(table.head().bytes);
        return true;
    });
}

} // namespace ss::inline v0::detail
