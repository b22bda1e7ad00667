// Opening a queue, or making it, and first the one for its dead letters.
#pragma once

#include <ss/pool/pool.hpp>
#include <ss/structure/garbage.hpp>
#include <ss/structure/queue/layout.hpp>
#include <ss/structure/queue/options.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace ss::inline v0::detail {

inline constexpr ObjectType queue_object_type = {
    .type = queue_type, .type_fingerprint = queue_fingerprint, .hash = {}, .hash_fingerprint = 0};

/// The queue of that name. A new one gets these options, and sends its dead letters to that queue, if there is one.
template <class DomainType>
[[nodiscard]] ObjectRef open_one_queue(DomainType& domain, std::string_view name, const QueueOptions& options,
                                       const ObjectRef* dead_letters) {
    using Tx = typename DomainType::Tx;
    return domain.open_object(
        name, queue_object_type, false,
        [&](Tx& tx, DirectoryEntry& entry) {
            const std::uint64_t offset = tx.allocate(sizeof(QueueHead));
            Word* const words = tx.region().words(offset, sizeof(QueueHead) / word_size);
            for (std::uint64_t i = 0; i < sizeof(QueueHead) / word_size; ++i) tx.fill(words[i], 0);
            auto& head = tx.region().at(Offset<QueueHead>{offset});
            tx.fill(head.bytes, tx.block_size(offset));
            tx.fill(head.further_bytes, load(head.bytes));
            tx.fill(head.max_items, options.max_items);
            tx.fill(head.max_bytes, options.max_bytes);
            tx.fill(head.max_leases, options.max_leases);
            if (dead_letters != nullptr) {
                tx.fill(head.dead_letters, tx.region().offset_of(dead_letters->entry));
                tx.fill(head.dead_letters_generation, dead_letters->generation);
            }
            tx.store(entry.root[queue_head_root], offset);
        },
        &garbage_upkeep<DomainType>());
}

/// The queue for the dead letters of the one called `name`. Throws invalid_argument, other_domain.
template <class DomainType>
[[nodiscard]] ObjectRef open_dead_letters(DomainType& domain, const Pool& pool, std::string_view name,
                                          const QueueOptions& options) {
    const auto refuse = [&](errc code, const char* sentence) {
        throw Error(code, "queue \"" + std::string(name) + "\": " + sentence, domain.core().attachment().name());
    };
    if (options.max_leases == 0 || options.dead_letters.empty())
        refuse(errc::invalid_argument, "max_leases and dead_letters go together, expected both or none");
    if (options.dead_letters == name) refuse(errc::invalid_argument, "its dead letters cannot go to itself");
    if (domain_of(options.dead_letters, pool.domains()) != domain.core().index())
        refuse(errc::other_domain, "its dead letters belong to another domain; name both with the same {part}");
    return open_one_queue(domain, options.dead_letters, {}, nullptr);
}

/// Both. See Queue::Queue.
template <class DomainType>
[[nodiscard]] ObjectRef open_queue(DomainType& domain, const Pool& pool, std::string_view name,
                                   const QueueOptions& options) {
    if (options.max_leases == 0 && options.dead_letters.empty())
        return open_one_queue(domain, name, options, nullptr);
    const ObjectRef dead_letters = open_dead_letters(domain, pool, name, options);
    return open_one_queue(domain, name, options, &dead_letters);
}

} // namespace ss::inline v0::detail
