// What a vector tells of itself, and by which ids a pool knows it: one for all, and a fingerprint for each kind of element.
#pragma once

#include <ss/base/policy.hpp>
#include <ss/domain/directory.hpp>
#include <ss/domain/domain_core.hpp>
#include <ss/structure/atomic_vector/layout.hpp>

#include <cstdint>

namespace ss::inline v0 {

struct AtomicVectorStats {
    // Of the vector
    std::uint64_t size = 0;
    std::uint64_t bytes_allocated = 0;
    // Of the domain that it lives in
    std::uint64_t bytes_free = 0;
    std::uint64_t garbage_bytes = 0;
    std::uint64_t journal_high_water = 0;
    std::uint64_t recoveries = 0;
    DomainStats domain; ///< all of it
};

/// The type id of every AtomicVector, whatever its elements and policies.
inline constexpr PolicyId atomic_vector_type = policy_id("ATOMVEC");

namespace detail {

[[nodiscard]] constexpr std::uint64_t vector_fingerprint(ElementCode code) noexcept {
    return fingerprint(1, sizeof(VectorHead), vector_segments, vector_waits, sizeof(DirectoryEntry), code);
}

/// What the elements of an entry's vector are; 0 if it is none, or of none that is known here.
[[nodiscard]] inline ElementCode element_code_of(const DirectoryEntry& entry) noexcept {
    if (load(entry.type_id) != static_cast<Word>(atomic_vector_type)) return 0;
    for (const ElementCode code : element_codes)
        if (load(entry.type_fingerprint) == vector_fingerprint(code)) return code;
    return 0;
}

} // namespace detail

template <AtomicElement T>
inline constexpr std::uint64_t atomic_vector_fingerprint = detail::vector_fingerprint(detail::element_code<T>);

} // namespace ss::inline v0
