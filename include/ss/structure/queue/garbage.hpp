// Taking apart what a queue has left behind, a few blocks at a time.
//
// A head on the garbage list still has items and, if the queue was removed, tables of leases. Each step frees a few items,
// or one table and the items that are leased from it, and at last the head. Whoever dies in one leaves it undone.
#pragma once

#include <ss/domain/census.hpp>
#include <ss/domain/layout.hpp>
#include <ss/structure/queue/item.hpp>

#include <cstdint>

namespace ss::inline v0::detail {

/// Frees up to 8 items of a queue's garbage, or a table of leases. False if there is none. Within a transaction.
template <class Tx>
bool reap_queue(Tx& tx) {
    Word& first = tx.block().garbage.first[static_cast<std::uint64_t>(GarbageKind::queue)];
    if (load(first) == 0) return false;
    QueueHead& head = tx.region().at(Offset<QueueHead>{load(first)});
    if (std::uint64_t item = load(head.first); item != 0) {
        for (int left = 8; left > 0 && item != 0; --left) {
            const std::uint64_t next = load(tx.region().at(Offset<QueueItem>{item}).next);
            tx.free_garbage(item);
            item = next;
        }
        tx.store(head.first, item);
        return true;
    }
    if (const std::uint64_t offset = load(head.tables); offset != 0) {
        const LeaseTable& table = tx.region().at(Offset<LeaseTable>{offset});
        for (const LeaseSlot& slot : table.slots)
            if (load(slot.number) != 0) tx.free_garbage(load(slot.item));
        tx.store(head.tables, load(table.next));
        tx.free_garbage(offset);
        return true;
    }
    const std::uint64_t offset = load(first);
    tx.store(first, load(head.garbage_next));
    tx.free_garbage(offset);
    return true;
}

/// Counts the blocks that hang on a head: all of a live queue's, or what is left of a garbage one's.
inline void count_queue(const Region& region, std::uint64_t offset, Census& census) {
    const QueueHead& head = region.at(Offset<QueueHead>{offset});
    census.use(offset, sizeof(QueueHead));
    const auto use_item = [&](std::uint64_t item) {
        const ItemView view(region, item);
        census.use(item, (item_words + words_for(view.size())) * word_size);
        return load(view.item().next);
    };
    std::uint64_t left = list_limit(region, sizeof(QueueItem));
    for (std::uint64_t item = load(head.first); item != 0; --left) {
        if (left == 0) region.refuse(item);
        item = use_item(item);
    }
    std::uint64_t tables = list_limit(region, sizeof(LeaseTable));
    for (Offset<LeaseTable> table{load(head.tables)}; table; --tables) {
        if (tables == 0) region.refuse(table.value);
        census.use(table.value, sizeof(LeaseTable));
        table.value = load(region.at(table).next);
    }
    for_each_slot(region, load(head.tables), [&](const LeaseSlot& slot) {
        if (load(slot.number) != 0) (void)use_item(load(slot.item));
        return false;
    });
}

/// Counts what queues have left on a domain's garbage list.
inline void count_queue_garbage(const DomainCore& domain, Census& census) {
    const Region& region = domain.region();
    std::uint64_t left = list_limit(region, sizeof(QueueHead));
    for (std::uint64_t head = load(domain.block().garbage.first[static_cast<std::uint64_t>(GarbageKind::queue)]);
         head != 0; --left) {
        if (left == 0) region.refuse(head);
        count_queue(region, head, census);
        head = load(region.at(Offset<QueueHead>{head}).garbage_next);
    }
}

} // namespace ss::inline v0::detail
