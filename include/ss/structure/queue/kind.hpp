// What is to be known of queues where only the pool says that something is one.
#pragma once

#include <ss/structure/kind.hpp>
#include <ss/structure/queue/garbage.hpp>
#include <ss/structure/queue/options.hpp>
#include <ss/structure/queue/verify.hpp>
#include <ss/structure/queue/write.hpp>

#include <cstdint>
#include <string>

namespace ss::inline v0::detail {

struct QueueKind {
    static constexpr const char* noun = "queue";

    [[nodiscard]] static bool is(const DirectoryEntry& entry) noexcept {
        return is_of_type(entry, queue_type, queue_fingerprint);
    }

    template <class Tx>
    static void discard(Tx& tx, const ObjectRef& object) {
        QueueWriter<Tx>(tx, object).destroy();
    }

    [[nodiscard]] static std::uint64_t bytes(const Region& region, const DirectoryEntry& entry) {
        const auto* const head = head_of<QueueHead>(region, entry);
        return head == nullptr ? 0 : load(head->bytes);
    }

    static bool verify(const DomainCore& domain, const DirectoryEntry& entry, const std::string& name,
                       const ObjectCode&, Census& census) {
        verify_queue(domain.region(), entry, name, census);
        return true;
    }

    static void count(const DomainCore& domain, const DirectoryEntry& entry, Census& census) {
        count_queue(domain.region(), load(entry.root[queue_head_root]), census);
    }

    static void count_garbage(const DomainCore& domain, Census& census) { count_queue_garbage(domain, census); }
};

} // namespace ss::inline v0::detail
