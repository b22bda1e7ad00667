// Changing a priority queue: within a transaction, under the lock.
//
// An item that goes leaves a hole at the root. The hole sinks along the smaller children to a leaf, at one comparison a
// level; from there the item that is to fill it rises as far as it has to, and the last of a heap seldom has to (I. Wegener,
// Theoretical Computer Science 118, 1993). Only then is anything stored: one word for each level that changes.
#pragma once

#include <ss/domain/directory.hpp>
#include <ss/structure/bytes.hpp>
#include <ss/structure/object_read.hpp>
#include <ss/structure/priority_queue/layout.hpp>
#include <ss/structure/words.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace ss::inline v0::detail {

/// A push, pop or replacement journals at most one word for each level of the heap, three counts, a segment's word, and
/// what the allocator does for an item and a segment. A million items have 20 levels.
template <class Tx, class Compare>
class HeapWriter {
public:
    /// Throws no_such_object, damaged.
    HeapWriter(Tx& tx, const ObjectRef& object)
        : tx_(&tx), object_(&object), heap_(tx.region(), head_of(tx, object)) {}

    void push(const Pieces& value) {
        const std::uint64_t place = heap_.size();
        if (place == max_heap_size) [[unlikely]]
            throw_error(errc::too_large, "a priority queue has all the items that it can have");
        const std::uint64_t offset = make_item(value);
        touch();
        const std::uint64_t bytes = tx_->block_size(offset) + open_segment(place);
        raise(offset, place);
        count(place + 1, item(offset).size(), bytes, 0, 0);
    }

    /// Takes the first item out; nothing if there is none.
    [[nodiscard]] std::optional<std::string> pop() {
        const std::uint64_t size = heap_.size();
        if (size == 0) return std::nullopt;
        const std::uint64_t first = load(heap_.at(0));
        std::string bytes(item(first).bytes());
        touch();
        if (size > 1) fill_root(load(heap_.at(size - 1)), size - 1);
        const std::uint64_t less = tx_->block_size(first) + drop_segment(size - 1);
        tx_->free(first);
        count(size - 1, 0, 0, bytes.size(), less);
        return bytes;
    }

    /// The same, with another item in its stead; that is pushed if there was none.
    [[nodiscard]] std::optional<std::string> replace_top(const Pieces& value) {
        const std::uint64_t size = heap_.size();
        if (size == 0) {
            push(value);
            return std::nullopt;
        }
        const std::uint64_t first = load(heap_.at(0));
        std::string bytes(item(first).bytes());
        const std::uint64_t offset = make_item(value);
        touch();
        fill_root(offset, size);
        count(size, item(offset).size(), tx_->block_size(offset), bytes.size(), tx_->block_size(first));
        tx_->free(first);
        return bytes;
    }

private:
    [[nodiscard]] static std::uint64_t head_of(const Tx& tx, const ObjectRef& object) {
        check_stands(tx.domain(), object);
        return load(object.entry->root[heap_head_root]);
    }

    void touch() { tx_->touch(object_->entry->version); }

    [[nodiscard]] HeapItem item(std::uint64_t offset) const { return {tx_->region(), offset}; }

    [[nodiscard]] bool is_less(std::uint64_t a, std::uint64_t b) const {
        return Compare::less(item(a).bytes(), item(b).bytes());
    }

    [[nodiscard]] std::uint64_t make_item(const Pieces& value) {
        const std::uint64_t size = value.size();
        const std::uint64_t words = 1 + words_for(size);
        const std::uint64_t offset = tx_->allocate(words * word_size);
        Word* at = tx_->region().words(offset, words);
        tx_->fill(*at++, size);
        for_each_word(value, [&](Word word) { tx_->fill(*at++, word); });
        return offset;
    }

    /// The item into a new last place, or as far above it as it comes before what is there.
    void raise(std::uint64_t offset, std::uint64_t place) {
        while (place != 0) {
            const std::uint64_t parent = (place - 1) / 2;
            const std::uint64_t other = load(heap_.at(parent));
            if (!is_less(offset, other)) break;
            tx_->store(heap_.at(place), other);
            place = parent;
        }
        tx_->store(heap_.at(place), offset);
    }

    /// The item into a heap of `size` places that has a hole at its root.
    void fill_root(std::uint64_t offset, std::uint64_t size) {
        std::uint64_t place = 0;
        while (2 * place + 2 < size) {
            const std::uint64_t right = 2 * place + 2;
            place = is_less(load(heap_.at(right)), load(heap_.at(right - 1))) ? right : right - 1;
        }
        if (2 * place + 1 < size) place = 2 * place + 1; // a child without a sibling
        while (place != 0 && is_less(offset, load(heap_.at(place)))) place = (place - 1) / 2;
        // Those on the way from there to the root move up by one.
        for (std::uint64_t moved = offset;; place = (place - 1) / 2) {
            Word& word = heap_.at(place);
            const std::uint64_t other = load(word);
            tx_->store(word, moved);
            if (place == 0) return;
            moved = other;
        }
    }

    /// Makes a segment if the place is the first of one that is not there. Returns the bytes of it.
    [[nodiscard]] std::uint64_t open_segment(std::uint64_t place) {
        const HeapPlace where = heap_place(place);
        Word& segment = heap_.head().segments[where.segment];
        if (where.index != 0 || load(segment) != 0) return 0;
        const std::uint64_t offset = tx_->allocate(heap_segment_places(where.segment) * word_size);
        tx_->store(segment, offset);
        return tx_->block_size(offset);
    }

    /// Frees the segment behind the last of so many items, if it is there and not worth keeping. Returns the bytes of it.
    [[nodiscard]] std::uint64_t drop_segment(std::uint64_t items) {
        const std::uint64_t behind = items == 0 ? 1 : heap_place(items - 1).segment + 1;
        if (behind == heap_segments || items > items_to_keep_segment(behind)) return 0;
        Word& segment = heap_.head().segments[behind];
        const std::uint64_t offset = load(segment);
        if (offset == 0) return 0;
        const std::uint64_t bytes = tx_->block_size(offset);
        tx_->store(segment, 0);
        tx_->free(offset);
        return bytes;
    }

    void count(std::uint64_t size, std::uint64_t payload, std::uint64_t bytes, std::uint64_t less_payload,
               std::uint64_t less_bytes) {
        PriorityQueueHead& head = heap_.head();
        if (size != load(head.size)) tx_->store(head.size, size);
        if (payload != less_payload) tx_->store(head.payload, load(head.payload) + payload - less_payload);
        if (bytes != less_bytes) tx_->store(head.bytes, load(head.bytes) + bytes - less_bytes);
    }

    Tx* tx_;
    const ObjectRef* object_;
    PriorityHeap heap_;
};

/// A new head without items or segments; the word for the entry's root.
template <class Tx>
[[nodiscard]] std::uint64_t make_heap_head(Tx& tx) {
    constexpr std::uint64_t words = sizeof(PriorityQueueHead) / word_size;
    const std::uint64_t offset = tx.allocate(sizeof(PriorityQueueHead));
    Word* const head = tx.region().words(offset, words);
    for (std::uint64_t i = 0; i < words; ++i) tx.fill(head[i], 0);
    tx.fill(tx.region().at(Offset<PriorityQueueHead>{offset}).bytes, tx.block_size(offset));
    return offset;
}

/// Hangs all that a head has on the garbage list. The caller gives the entry another root, or leaves it.
template <class Tx>
void discard_heap_head(Tx& tx, std::uint64_t offset) {
    const PriorityQueueHead& head = tx.region().at(Offset<PriorityQueueHead>{offset});
    tx.discard(GarbageKind::priority_queue, offset, load(head.bytes));
}

} // namespace ss::inline v0::detail
