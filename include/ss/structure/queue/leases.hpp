// Leased items: given to a session, and taken back when it lets go of them or dies.
//
//     waits ──lease──> hangs on a slot ──ack──> freed
//       ^                    │
//       └──── in front ──────┤ released, or the taker is dead
//                            └──> dead letters, if that was the last lease that it may have
//
// Whether a taker is dead is asked as for the owner of a lock (pool/session.hpp): never of time. Nobody has to be told of a
// death: whoever wants an item asks, if there is none or if nobody has asked for `look_every`.
#pragma once

#include <ss/pool/session.hpp>
#include <ss/structure/queue/write.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace ss::inline v0::detail {

/// What a lease's handle remembers.
struct LeaseRef {
    std::uint64_t slot = 0;
    std::uint64_t number = 0;
    std::uint64_t leases = 0; ///< how often the item has been leased, this time included
};

/// How long dead takers' items may lie where others wait, or find enough to do.
inline constexpr auto look_every = std::chrono::milliseconds(50);

/// So many items come back in one transaction.
inline constexpr int most_returned = 32;

template <class Tx>
class Leases {
public:
    explicit Leases(QueueWriter<Tx>& queue) noexcept : queue_(&queue), tx_(&queue.tx()), head_(&queue.head()) {}

    /// Gives the first item to a session, and copies its bytes. False if none waits.
    bool lease(const SessionId& taker, LeaseRef& lease, std::string& out) {
        const std::uint64_t page = queue_->pop_page();
        if (page == 0) return false;
        const ItemView item(tx_->region(), page + sizeof(QueuePage));
        out.assign(item.bytes()); // whole, for we have the lock
        LeaseSlot& slot = take_slot();
        const std::uint64_t number = queue_->next_number();
        tx_->store(slot.number, number);
        tx_->store(slot.page, page);
        tx_->store(slot.era, taker.era);
        tx_->store(slot.token, taker.token);
        queue_->add(head_->further_bytes, tx_->block_size(page));
        tx_->store(tx_->word(page + sizeof(QueuePage)), QueueItem::pack(item.size(), item.leases() + 1));
        queue_->add(head_->leased, 1);
        lease = {.slot = tx_->region().offset_of(&slot), .number = number, .leases = item.leases() + 1};
        return true;
    }

    /// Frees the item of a lease; false if that has ended.
    bool ack(const LeaseRef& lease) {
        LeaseSlot* const slot = find(lease);
        if (slot == nullptr) return false;
        queue_->begin();
        const std::uint64_t page = load(slot->page);
        const std::uint64_t bytes = tx_->block_size(page);
        queue_->subtract(head_->bytes, bytes);
        queue_->subtract(head_->further_bytes, bytes);
        tx_->free(page);
        free_slot(*slot);
        return true;
    }

    /// Puts the item of a lease back; false if that has ended.
    bool release(const LeaseRef& lease) {
        LeaseSlot* const slot = find(lease);
        if (slot != nullptr) put_back(*slot);
        return slot != nullptr;
    }

    /// Puts back what dead sessions have, or some of it, if that is much. is_dead(SessionId) is asked once for each session
    /// in a row.
    template <class IsDead>
    void return_from_the_dead(IsDead is_dead) {
        if (load(head_->leased) == 0) return;
        SessionId asked;
        bool dead = false;
        int left = most_returned;
        for_each_slot(tx_->region(), load(head_->tables), [&](LeaseSlot& slot) {
            if (load(slot.number) == 0) return false;
            const SessionId taker{.era = load(slot.era), .token = load(slot.token)};
            if (!(taker == asked)) {
                asked = taker;
                dead = is_dead(taker);
            }
            if (!dead) return false;
            put_back(slot);
            return --left == 0;
        });
    }

    /// True if it is time to ask for the dead. Notes that it was done.
    [[nodiscard]] bool is_time_to_look() {
        if (load(head_->leased) == 0) return false;
        const auto now = static_cast<Word>(
            std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
                .count());
        const Word looked = load(head_->looked);
        // Where clocks differ (time namespaces), it is asked too often.
        if (load(queue_->items()) != 0 && now - looked < static_cast<Word>(look_every.count())) return false;
        put(head_->looked, now);
        return true;
    }

private:
    /// The slot, if it still is that lease's. Only in one of the queue's tables, for the lease may have been undone, and the
    /// table with it.
    [[nodiscard]] LeaseSlot* find(const LeaseRef& lease) const {
        std::uint64_t left = list_limit(tx_->region(), sizeof(LeaseTable));
        for (Offset<LeaseTable> table{load(head_->tables)}; table; --left) {
            if (left == 0) tx_->region().refuse(table.value);
            LeaseTable& there = tx_->region().at(table);
            if (lease.slot - table.value < sizeof(LeaseTable)) {
                LeaseSlot& slot = tx_->region().at(Offset<LeaseSlot>{lease.slot});
                return load(slot.number) == lease.number ? &slot : nullptr;
            }
            table.value = load(there.next);
        }
        return nullptr;
    }

    [[nodiscard]] LeaseSlot& take_slot() {
        if (load(head_->free_slot) == 0) add_table();
        LeaseSlot& slot = tx_->region().at(Offset<LeaseSlot>{load(head_->free_slot)});
        tx_->store(head_->free_slot, load(slot.page));
        return slot;
    }

    void add_table() {
        const std::uint64_t offset = tx_->allocate(sizeof(LeaseTable));
        LeaseTable& table = tx_->region().at(Offset<LeaseTable>{offset});
        tx_->fill(table.next, load(head_->tables));
        for (std::size_t i = 0; i < table.slots.size(); ++i) {
            LeaseSlot& slot = table.slots[i];
            tx_->fill(slot.number, 0);
            tx_->fill(slot.era, 0);
            tx_->fill(slot.token, 0);
            tx_->fill(slot.page, i + 1 == table.slots.size() ? 0 : tx_->region().offset_of(&table.slots[i + 1]));
        }
        tx_->store(head_->tables, offset);
        tx_->store(head_->free_slot, tx_->region().offset_of(&table.slots[0]));
        const std::uint64_t bytes = tx_->block_size(offset);
        queue_->add(head_->bytes, bytes);
        queue_->add(head_->further_bytes, bytes);
    }

    void free_slot(LeaseSlot& slot) {
        tx_->store(slot.number, 0);
        tx_->store(slot.page, load(head_->free_slot));
        tx_->store(head_->free_slot, tx_->region().offset_of(&slot));
        queue_->subtract(head_->leased, 1);
    }

    void put_back(LeaseSlot& slot) {
        queue_->begin();
        const std::uint64_t offset = load(slot.page);
        const ItemView item(tx_->region(), offset + sizeof(QueuePage));
        free_slot(slot);
        queue_->subtract(head_->further_bytes, tx_->block_size(offset));
        const std::uint64_t most = load(head_->max_leases);
        if (most == 0 || item.leases() < most || !bury(offset, item)) queue_->link(End::front, offset, item.size());
    }

    /// Moves an item, which is in a page of its own, to the dead letters. False if these are gone.
    bool bury(std::uint64_t offset, const ItemView& item) {
        DirectoryEntry& entry = tx_->region().at(Offset<DirectoryEntry>{load(head_->dead_letters)});
        const ObjectRef object{.entry = &entry, .generation = load(head_->dead_letters_generation)};
        if (load(entry.generation) != object.generation) return false;
        QueueWriter<Tx> dead_letters(*tx_, object);
        dead_letters.begin();
        const std::uint64_t bytes = tx_->block_size(offset);
        queue_->subtract(head_->bytes, bytes);
        dead_letters.add(dead_letters.head().bytes, bytes);
        dead_letters.link(End::back, offset, item.size());
        return true;
    }

    QueueWriter<Tx>* queue_;
    Tx* tx_;
    QueueHead* head_;
};

} // namespace ss::inline v0::detail
