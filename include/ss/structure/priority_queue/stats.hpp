// What a priority queue tells of itself, and by which id a pool knows it.
#pragma once

#include <ss/base/policy.hpp>
#include <ss/domain/domain_core.hpp>
#include <ss/structure/priority_queue/layout.hpp>

#include <cstdint>

namespace ss::inline v0 {

struct PriorityQueueStats {
    // Of the queue
    std::uint64_t entries = 0;
    std::uint64_t bytes_payload = 0; ///< of all items, as they came in
    std::uint64_t bytes_allocated = 0;
    // Of the domain that it lives in
    std::uint64_t bytes_free = 0;
    std::uint64_t garbage_bytes = 0;
    std::uint64_t journal_high_water = 0;
    std::uint64_t recoveries = 0;
    DomainStats domain; ///< all of it
};

/// The type id of every PriorityQueue, whatever its policies.
inline constexpr PolicyId priority_queue_type = policy_id("PRIOQUE");
inline constexpr std::uint64_t priority_queue_fingerprint = fingerprint(
    1, sizeof(detail::PriorityQueueHead), detail::heap_segments, detail::first_heap_segment, sizeof(DirectoryEntry));

} // namespace ss::inline v0
