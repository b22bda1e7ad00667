// Changing a queue: within a transaction, under the lock. leases.hpp has what concerns leased items.
#pragma once

#include <ss/structure/object_read.hpp>
#include <ss/structure/queue/item.hpp>
#include <ss/structure/queue/layout.hpp>

#include <climits>

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstdint>
#include <string>

namespace ss::inline v0::detail {

template <class Tx>
class QueueWriter {
    using Change = typename Tx::Change;

public:
    /// Throws no_such_object, damaged.
    QueueWriter(Tx& tx, const ObjectRef& object) : tx_(&tx), entry_(object.entry) {
        check_stands(tx.domain(), object);
        head_ = &tx.region().at(Offset<QueueHead>{load(entry_->root[queue_head_root])});
    }

    [[nodiscard]] QueueHead& head() const noexcept { return *head_; }
    /// Items that wait, and their bytes.
    [[nodiscard]] Word& items() const noexcept { return entry_->root[queue_items_root]; }
    [[nodiscard]] Word& payload() const noexcept { return entry_->root[queue_payload_root]; }

    /// Throws too_large for an item that there will never be room for.
    [[nodiscard]] bool has_room(std::uint64_t size) const {
        const std::uint64_t max_items = load(head_->max_items), max_bytes = load(head_->max_bytes);
        if (max_bytes != 0 && size > max_bytes) [[unlikely]]
            refuse_size(size);
        return (max_items == 0 || load(items()) < max_items) &&
               (max_bytes == 0 || load(payload()) <= max_bytes - size);
    }

    template <End Side>
    void push(const Pieces& value, std::uint64_t size) {
        begin();
        const std::uint64_t bytes = QueueItem::footprint(size);
        const auto [offset, page] = page_with_room<Side>(bytes);
        const std::uint64_t at = Side == End::back ? load(page->end) : load(page->begin) - bytes;
        Word* words = tx_->region().words(offset + at, bytes / word_size);
        tx_->fill(*words++, QueueItem::pack(size, 0));
        tx_->fill(*fill_words(words, value), size);
        if constexpr (Side == End::back)
            count(size, Change{page->end, at + bytes});
        else
            count(size, Change{page->begin, at});
    }

    /// Takes an item off, which f gets before, as an ItemView; false if none waits.
    template <End Side, class F>
    bool pop(F f) {
        const std::uint64_t offset = load(this_end(Side));
        if (offset == 0) return false;
        QueuePage& page = page_at(offset);
        if (load(page.begin) == load(page.end)) return false;
        const ItemView item(tx_->region(), item_at(tx_->region(), offset, page, Side));
        f(item); // whole, for we have the lock
        begin();
        take<Side>(offset, page, item);
        return true;
    }

    /// Takes the first item off and into a page of its own. Returns that, or 0 if none waits.
    std::uint64_t pop_page() {
        const std::uint64_t offset = load(head_->first);
        if (offset == 0) return 0;
        QueuePage& page = page_at(offset);
        if (load(page.begin) == load(page.end)) return 0;
        const ItemView item(tx_->region(), offset + load(page.begin));
        begin();
        if (load(page.size) == sizeof(QueuePage) + item.footprint()) {
            unlink(offset);
            discount(item.size());
            return offset;
        }
        const std::uint64_t own = make_page(sizeof(QueuePage) + item.footprint(), End::front);
        Word* words = tx_->region().words(own + sizeof(QueuePage), item.footprint() / word_size);
        const Word* const source = item.words() - 1;
        copy_in(words, reinterpret_cast<const char*>(source), item.footprint() / word_size);
        tx_->fill(page_at(own).begin, sizeof(QueuePage));
        take<End::front>(offset, page, item);
        return own;
    }

    /// Removes all items that wait: they and the old head become garbage, and a new head has the leases.
    void clear() {
        const std::uint64_t offset = tx_->allocate(sizeof(QueueHead));
        Word* const fresh = tx_->region().words(offset, sizeof(QueueHead) / word_size);
        const Word* const old = reinterpret_cast<const Word*>(head_);
        for (std::uint64_t i = 0; i < sizeof(QueueHead) / word_size; ++i) tx_->fill(fresh[i], load(old[i]));
        QueueHead& head = tx_->region().at(Offset<QueueHead>{offset});
        for (Word* const word : {&head.first, &head.last}) tx_->fill(*word, 0);
        const std::uint64_t before = load(entry_->root[queue_head_root]);
        const std::uint64_t waiting = load(head_->bytes) - load(head_->further_bytes);
        const std::uint64_t rest = load(head_->further_bytes) - tx_->block_size(before) + tx_->block_size(offset);
        tx_->fill(head.bytes, rest);
        tx_->fill(head.further_bytes, rest);
        begin();
        tx_->store(head_->tables, 0);
        tx_->store(Change{entry_->root[queue_head_root], offset}, Change{items(), 0}, Change{payload(), 0});
        tx_->discard(GarbageKind::queue, before, waiting + tx_->block_size(before));
        head_ = &head;
        wake_for_room(INT_MAX);
    }

    /// All of it becomes garbage. The caller takes the name away. Who waits finds that out.
    void destroy() {
        const std::uint64_t before = load(entry_->root[queue_head_root]);
        begin();
        tx_->discard(GarbageKind::queue, before, load(head_->bytes));
        tx_->wake(entry_->root[queue_item_waiters_root], INT_MAX);
        wake_for_room(INT_MAX);
    }

    /// Readers without the lock start over, and `taken` means this transaction. Before the first change.
    void begin() { tx_->touch_always(entry_->version); }

    /// Hangs a page with an item of `size` bytes, whose block is counted already, on an end of the list.
    void link(End end, std::uint64_t offset, std::uint64_t size) {
        const std::uint64_t neighbour = neighbour_at(end);
        QueuePage& page = page_at(offset);
        tx_->store(page.previous, end == End::front ? 0 : neighbour);
        tx_->store(page.next, end == End::front ? neighbour : 0);
        hang(end, offset, neighbour);
        count(size);
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

    struct PageRef {
        std::uint64_t offset;
        QueuePage* page;
    };

    [[nodiscard]] QueuePage& page_at(std::uint64_t offset) const {
        return tx_->region().at(Offset<QueuePage>{offset});
    }

    /// The page at that end, if so many bytes fit in and may be written to; else another one.
    template <End Side>
    [[nodiscard]] PageRef page_with_room(std::uint64_t bytes) {
        const std::uint64_t offset = load(this_end(Side));
        if (offset != 0) [[likely]] {
            QueuePage& page = page_at(offset);
            const Word now = load(entry_->version);
            if (load(Side == End::back ? page.taken_behind : page.taken_in_front) != now) [[likely]] {
                const std::uint64_t first = load(page.begin), last = load(page.end), size = load(page.size);
                if (bytes <= (Side == End::back ? size - last : first - sizeof(QueuePage))) [[likely]]
                    return {offset, &page};
                if (first == last && bytes <= size - sizeof(QueuePage) &&
                    load(Side == End::back ? page.taken_in_front : page.taken_behind) != now) {
                    tx_->store(page.begin, Side == End::back ? sizeof(QueuePage) : size);
                    tx_->store(page.end, Side == End::back ? sizeof(QueuePage) : size);
                    return {offset, &page};
                }
            }
        }
        return add_page(Side, bytes);
    }

    [[gnu::noinline]] PageRef add_page(End end, std::uint64_t bytes) {
        std::uint64_t size = sizeof(QueuePage) + bytes;
        if (bytes <= large_item) {
            const std::uint64_t before = load(this_end(end));
            const std::uint64_t wanted = before == 0 ? first_page : 2 * load(page_at(before).size);
            size = std::max(std::bit_ceil(4 * bytes), std::clamp(wanted, first_page, largest_page));
        }
        const std::uint64_t offset = make_page(size, end);
        const std::uint64_t neighbour = neighbour_at(end);
        QueuePage& page = page_at(offset);
        tx_->fill(page.previous, end == End::front ? 0 : neighbour);
        tx_->fill(page.next, end == End::front ? neighbour : 0);
        hang(end, offset, neighbour);
        return {offset, &page};
    }

    /// An empty page, which is counted, and filled towards `end`.
    [[nodiscard]] std::uint64_t make_page(std::uint64_t size, End end) {
        const std::uint64_t offset = tx_->allocate(size);
        QueuePage& page = page_at(offset);
        tx_->fill(page.previous, 0);
        tx_->fill(page.next, 0);
        tx_->fill(page.begin, end == End::back ? sizeof(QueuePage) : size);
        tx_->fill(page.end, end == End::back ? sizeof(QueuePage) : size);
        tx_->fill(page.size, size);
        tx_->fill(page.taken_in_front, 0);
        tx_->fill(page.taken_behind, 0);
        add(head_->bytes, tx_->block_size(offset));
        return offset;
    }

    /// The page that a new one at that end is to be linked to. An empty one gives way to it.
    [[nodiscard]] std::uint64_t neighbour_at(End end) {
        const std::uint64_t offset = load(this_end(end));
        if (offset == 0) return 0;
        const QueuePage& page = page_at(offset);
        if (load(page.begin) != load(page.end)) return offset;
        drop(offset);
        return 0;
    }

    void hang(End end, std::uint64_t offset, std::uint64_t neighbour) {
        if (neighbour == 0)
            tx_->store(end == End::front ? head_->last : head_->first, offset);
        else
            tx_->store(end == End::front ? page_at(neighbour).previous : page_at(neighbour).next, offset);
        tx_->store(this_end(end), offset);
    }

    void unlink(std::uint64_t offset) {
        const QueuePage& page = page_at(offset);
        const std::uint64_t previous = load(page.previous), next = load(page.next);
        tx_->store(previous == 0 ? head_->first : page_at(previous).next, next);
        tx_->store(next == 0 ? head_->last : page_at(next).previous, previous);
    }

    void drop(std::uint64_t offset) {
        unlink(offset);
        subtract(head_->bytes, tx_->block_size(offset));
        tx_->free(offset);
    }

    /// The item at an end of the page at that end is no more.
    template <End Side>
    void take(std::uint64_t offset, QueuePage& page, const ItemView& item) {
        const std::uint64_t bytes = item.footprint(), first = load(page.begin), last = load(page.end);
        if (bytes > last - first) [[unlikely]]
            tx_->region().refuse(offset);
        if (bytes == last - first && (load(head_->first) != load(head_->last) || load(page.size) > largest_page)) {
            drop(offset);
            discount(item.size());
            return;
        }
        if constexpr (Side == End::front) {
            put(page.taken_in_front, load(entry_->version));
            discount(item.size(), Change{page.begin, first + bytes});
        } else {
            put(page.taken_behind, load(entry_->version));
            discount(item.size(), Change{page.end, last - bytes});
        }
    }

    /// An item of `size` bytes waits, and these words change.
    template <std::same_as<Change>... Changes>
    void count(std::uint64_t size, const Changes&... changes) {
        tx_->store(Change{items(), load(items()) + 1}, Change{payload(), load(payload()) + size}, changes...);
        tx_->wake(entry_->root[queue_item_waiters_root]);
    }

    /// It does not any more.
    template <std::same_as<Change>... Changes>
    void discount(std::uint64_t size, const Changes&... changes) {
        tx_->store(Change{items(), load(items()) - 1}, Change{payload(), load(payload()) - size}, changes...);
        // What one item left may be room for several, or for none of those who are asked first.
        wake_for_room(load(head_->max_bytes) != 0 ? INT_MAX : 1);
    }

    [[noreturn, gnu::cold, gnu::noinline]] void refuse_size(std::uint64_t size) const {
        throw Error(errc::too_large, "an item of " + std::to_string(size) + " bytes, where all together may have " +
                                         std::to_string(load(head_->max_bytes)));
    }

    void wake_for_room(int sleepers) { tx_->wake(entry_->root[queue_room_waiters_root], sleepers); }

    Tx* tx_;
    DirectoryEntry* entry_;
    QueueHead* head_;
};

} // namespace ss::inline v0::detail
