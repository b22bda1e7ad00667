// What is to be known of priority queues where only the pool says that something is one.
#pragma once

#include <ss/structure/kind.hpp>
#include <ss/structure/priority_queue/garbage.hpp>
#include <ss/structure/priority_queue/heap.hpp>
#include <ss/structure/priority_queue/stats.hpp>
#include <ss/structure/priority_queue/verify.hpp>

#include <cstdint>
#include <string>

namespace ss::inline v0::detail {

struct PriorityQueueKind {
    static constexpr const char* noun = "priority queue";

    [[nodiscard]] static bool is(const DirectoryEntry& entry) noexcept {
        return is_of_type(entry, priority_queue_type, priority_queue_fingerprint);
    }

    template <class Tx>
    static void discard(Tx& tx, const ObjectRef& object) {
        discard_heap_head(tx, load(object.entry->root[heap_head_root]));
        tx.wake(object.entry->root[heap_waiters_root], all_waiters); // to be told that it is gone
    }

    [[nodiscard]] static std::uint64_t bytes(const Region& region, const DirectoryEntry& entry) {
        const auto* const head = head_of<PriorityQueueHead>(region, entry);
        return head == nullptr ? 0 : load(head->bytes);
    }

    static bool verify(const DomainCore& domain, const DirectoryEntry& entry, const std::string& name,
                       const ObjectCode& code, Census& census) {
        if (code.less == nullptr) {
            census.complain("priority queue \"" + name + "\" has comparison " +
                            to_string(PolicyId{load(entry.hash_id)}) + ", which this program does not know");
            return false;
        }
        verify_priority_queue(domain.region(), entry, name, code.less, census);
        return true;
    }

    static void count(const DomainCore& domain, const DirectoryEntry& entry, Census& census) {
        count_heap(domain.region(), load(entry.root[heap_head_root]), census);
    }

    static void count_garbage(const DomainCore& domain, Census& census) {
        count_priority_queue_garbage(domain, census);
    }

private:
    static constexpr int all_waiters = 1 << 20; ///< more than there can be sessions
};

} // namespace ss::inline v0::detail
