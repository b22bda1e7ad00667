// What is said of a queue beside its operations: how it is made, what it tells of itself, and by which id a pool knows it.
#pragma once

#include <ss/base/policy.hpp>
#include <ss/domain/directory.hpp>
#include <ss/domain/domain_core.hpp>
#include <ss/structure/queue/layout.hpp>

#include <cstdint>
#include <string>

namespace ss::inline v0 {

/// Counts when a queue is made; an existing one has what it was made with. 0 is no limit.
struct QueueOptions {
    /// Items that may wait. Leased ones do not count: they come back whether there is room or not.
    std::uint64_t max_items = 0;
    /// Bytes that all waiting items together may have. An item of more is never accepted.
    std::uint64_t max_bytes = 0;
    /// How often an item may be leased. One that comes back from its last lease goes to `dead_letters` instead.
    std::uint32_t max_leases = 0;
    /// Another queue of the same domain, which is made if it is not there. Its own limits do not count for what comes so.
    std::string dead_letters = {};
};

struct QueueStats {
    // Of the queue
    std::uint64_t entries = 0;         ///< items that wait
    std::uint64_t leased = 0;          ///< items that are leased
    std::uint64_t payload = 0;         ///< bytes of those that wait
    std::uint64_t bytes_allocated = 0; ///< for all of it
    // Of the domain that it lives in
    std::uint64_t bytes_free = 0;
    std::uint64_t garbage_bytes = 0;
    std::uint64_t journal_high_water = 0;
    std::uint64_t recoveries = 0;
    DomainStats domain; ///< all of it
};

/// The type id of every Queue, whatever its policies.
inline constexpr PolicyId queue_type = policy_id("QUEUE");
inline constexpr std::uint64_t queue_fingerprint = fingerprint(
    3, sizeof(detail::QueueHead), sizeof(detail::QueuePage), sizeof(detail::LeaseTable), sizeof(DirectoryEntry));

} // namespace ss::inline v0
