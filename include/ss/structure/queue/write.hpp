// Changing a queue: within a transaction, under the lock. leases.hpp has what concerns leased items.
#pragma once

#include <ss/structure/object_read.hpp>
#include <ss/structure/queue/item.hpp>
#include <ss/structure/queue/layout.hpp>

#include <climits>

#include <cstdint>
#include <string>

namespace ss::inline v0::detail {

enum class End { front, back };

template <class Tx>
class QueueWriter {
public:
    /// Throws no_such_object, damaged.
    QueueWriter(Tx& tx, const ObjectRef& object) : tx_(&tx), entry_(object.entry) {
        check_stands(tx.domain(), object);
        head_ = &tx.region().at(Offset<QueueHead>{load(entry_->root[queue_head_root])});
    }

    [[nodiscard]] QueueHead& head() const noexcept { return *head_; }

    /// Throws too_large for an item that there will never be room for.
    [[nodiscard]] bool has_room(std::uint64_t size) const {
        const std::uint64_t max_items = load(head_->max_items), max_bytes = load(head_->max_bytes);
        if (max_bytes != 0 && size > max_bytes) [[unlikely]]
            throw Error(errc::too_large, "an item of " + std::to_string(size) +
                                             " bytes, where all together may have " + std::to_string(max_bytes));
        return (max_items == 0 || load(head_->items) < max_items) &&
               (max_bytes == 0 || load(head_->payload) <= max_bytes - size);
    }

    void push(End end, const Pieces& value, std::uint64_t size) {
        const std::uint64_t offset = tx_->allocate((item_words + words_for(size)) * word_size);
        Word* words = tx_->region().words(offset, item_words + words_for(size));
        const std::uint64_t neighbour = load(this_end(end));
        tx_->fill(*words++, end == End::front ? 0 : neighbour);
        tx_->fill(*words++, end == End::front ? neighbour : 0);
        tx_->fill(*words++, QueueItem::pack(size, 0));
        for_each_word(value, [tx = tx_, words](Word word) mutable { tx->fill(*words++, word); });
        begin();
        add(head_->bytes, tx_->block_size(offset));
        hang(end, offset, neighbour, size);
    }

    /// Takes an item off and copies its bytes; false if none waits.
    bool pop(End end, std::string& out) {
        const std::uint64_t offset = load(this_end(end));
        if (offset == 0) return false;
        const ItemView item(tx_->region(), offset);
        out.assign(item.bytes()); // whole, for we have the lock
        begin();
        unlink(item);
        subtract(head_->bytes, tx_->block_size(offset));
        tx_->free(offset);
        return true;
    }

    /// Removes all items that wait: they and the old head become garbage, and a new head has the leases.
    void clear() {
        const std::uint64_t offset = tx_->allocate(sizeof(QueueHead));
        Word* const fresh = tx_->region().words(offset, sizeof(QueueHead) / word_size);
        const Word* const old = reinterpret_cast<const Word*>(head_);
        for (std::uint64_t i = 0; i < sizeof(QueueHead) / word_size; ++i) tx_->fill(fresh[i], load(old[i]));
        QueueHead& head = tx_->region().at(Offset<QueueHead>{offset});
        for (Word* const word : {&head.first, &head.last, &head.items, &head.payload}) tx_->fill(*word, 0);
        const std::uint64_t before = load(entry_->root[queue_head_root]);
        const std::uint64_t waiting = load(head_->bytes) - load(head_->further_bytes);
        const std::uint64_t rest = load(head_->further_bytes) - tx_->block_size(before) + tx_->block_size(offset);
        tx_->fill(head.bytes, rest);
        tx_->fill(head.further_bytes, rest);
        begin();
        tx_->store(head_->tables, 0);
        tx_->store(entry_->root[queue_head_root], offset);
        tx_->discard(GarbageKind::queue, before, waiting + tx_->block_size(before));
        head_ = &head;
        wake_for_room(INT_MAX);
    }

    /// All of it becomes garbage. The caller takes the name away. Who waits finds that out.
    void destroy() {
        const std::uint64_t before = load(entry_->root[queue_head_root]);
        begin();
        tx_->discard(GarbageKind::queue, before, load(head_->bytes));
        tx_->wake(entry_->root[queue_items_root], INT_MAX);
        wake_for_room(INT_MAX);
    }

    /// Readers without the lock start over. Before the first change.
    void begin() { tx_->touch(entry_->version); }

    /// Hangs an item that hung elsewhere before, and whose block is counted already, on an end of the list.
    void link(End end, std::uint64_t offset, std::uint64_t size) {
        QueueItem& item = tx_->region().at(Offset<QueueItem>{offset});
        const std::uint64_t neighbour = load(this_end(end));
        tx_->store(item.previous, end == End::front ? 0 : neighbour);
        tx_->store(item.next, end == End::front ? neighbour : 0);
        hang(end, offset, neighbour, size);
    }

    /// Takes an item off the list; its block stays counted.
    void unlink(const ItemView& view) {
        QueueItem& item = view.item();
        const std::uint64_t previous = load(item.previous), next = load(item.next);
        tx_->store(previous == 0 ? head_->first : tx_->region().at(Offset<QueueItem>{previous}).next, next);
        tx_->store(next == 0 ? head_->last : tx_->region().at(Offset<QueueItem>{next}).previous, previous);
        subtract(head_->items, 1);
        if (view.size() != 0) subtract(head_->payload, view.size());
        // What one item left may be room for several, or for none of those who are asked first.
        wake_for_room(load(head_->max_bytes) != 0 ? INT_MAX : 1);
    }

    /// Of a lease: given once, even if this transaction is undone. Before it is stored in a slot.
    [[nodiscard]] Word next_number() {
        const Word number = load(entry_->root[queue_number_root]) + 1;
        put(entry_->root[queue_number_root], number);
        compiler_fence();
        return number;
    }

    void add(Word& word, std::uint64_t more) { tx_->store(word, load(word) + more); }
    void subtract(Word& word, std::uint64_t less) { tx_->store(word, load(word) - less); }

    [[nodiscard]] Tx& tx() const noexcept { return *tx_; }

private:
    [[nodiscard]] Word& this_end(End end) const noexcept { return end == End::front ? head_->first : head_->last; }

    /// The rest of it: the item links to its neighbour already.
    void hang(End end, std::uint64_t offset, std::uint64_t neighbour, std::uint64_t size) {
        if (neighbour == 0) {
            tx_->store(end == End::front ? head_->last : head_->first, offset);
        } else {
            QueueItem& next = tx_->region().at(Offset<QueueItem>{neighbour});
            tx_->store(end == End::front ? next.previous : next.next, offset);
        }
        tx_->store(this_end(end), offset);
        add(head_->items, 1);
        if (size != 0) add(head_->payload, size);
        tx_->wake(entry_->root[queue_items_root]);
    }

    void wake_for_room(int sleepers) { tx_->wake(entry_->root[queue_room_root], sleepers); }

    Tx* tx_;
    DirectoryEntry* entry_;
    QueueHead* head_;
};

} // namespace ss::inline v0::detail
