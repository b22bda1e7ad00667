// Changing a table: within a transaction, under the lock.
#pragma once

#include <ss/structure/hash_table/lookup.hpp>

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace ss::inline v0::detail {

/// A value of up to so many words is overwritten in place, through the journal; a longer one gets a new record.
inline constexpr std::uint64_t in_place_words = 8;

/// The bucket of one key, to be changed. Every change first touches what readers of it check.
template <class Tx>
class BucketWriter {
public:
    /// Throws no_such_object, damaged.
    BucketWriter(Tx& tx, const ObjectRef& object, const HashedKey& key)
        : tx_(&tx), epoch_(&object.entry->version), key_(key), table_(tx.region(), object, LockedReading{}) {
        (void)table_.enter(key.hash);
        table_.find_tag(Slot::tag_of(key.hash), [&](Word& slot, std::uint64_t offset) {
            const RecordView record(tx.region(), offset);
            if (record.sizes().key != key.bytes.size() || !words_equal(record.key_words(), key.bytes)) return false;
            slot_ = &slot;
            return true;
        });
    }

    [[nodiscard]] bool found() const noexcept { return slot_ != nullptr; }
    [[nodiscard]] RecordView record() const { return {tx_->region(), record_offset()}; }
    [[nodiscard]] HashTableHead& head() const noexcept { return table_.head(); }

    /// Inserts the key, which was not found.
    void insert(const Pieces& value, std::uint64_t value_size) {
        const std::uint64_t offset = make_record(*tx_, key_.bytes, value, value_size);
        touch(table_.bucket().version);
        const std::uint64_t line = place(Slot::record(Slot::tag_of(key_.hash), offset));
        count(+1, tx_->block_size(offset) + line, 0);
    }

    /// Gives the key, which was found, another value.
    void overwrite(const Pieces& value, std::uint64_t value_size) {
        const RecordView old = record();
        const std::uint64_t words = words_for(value_size);
        if (words <= in_place_words && words <= words_for(old.sizes().value)) {
            overwrite_in_place(value, value_size);
            return;
        }
        const std::uint64_t old_offset = record_offset();
        const std::uint64_t offset = make_record(*tx_, key_.bytes, value, value_size);
        touch(table_.bucket().version);
        tx_->store(*slot_, Slot::record(Slot::tag_of(key_.hash), offset));
        count(0, tx_->block_size(offset), tx_->block_size(old_offset));
        tx_->free(old_offset);
    }

    /// Replaces the first word of the value, as numbers are.
    void overwrite_word(Word value) {
        const std::uint64_t at = record_offset() + record().sizes().value_begin() * word_size;
        touch(table_.bucket().version);
        tx_->store(tx_->word(at), value);
    }

    /// Erases the key, which was found.
    void erase() {
        const std::uint64_t offset = record_offset();
        touch(table_.bucket().version);
        tx_->store(*slot_, 0);
        const std::uint64_t line = drop_empty_line();
        count(-1, 0, tx_->block_size(offset) + line);
        tx_->free(offset);
    }

private:
    /// Where this transaction has touched the epoch, no reader gets past that. And there the finer versions must stay as
    /// they are: after a clear they lie in new blocks, and a rollback that freed those would write versions into them.
    void touch(Word& version) {
        if ((load(*epoch_) & 1) == 0) tx_->touch(version);
    }

    [[nodiscard]] std::uint64_t record_offset() const noexcept { return Slot::offset(load(*slot_)); }

    void overwrite_in_place(const Pieces& value, std::uint64_t value_size) {
        const RecordView old = record();
        const std::uint64_t offset = record_offset();
        Word* const words = tx_->region().words(offset, old.sizes().words());
        touch(table_.bucket().version);
        const Word sizes = RecordSizes{.key = old.sizes().key, .value = value_size}.pack();
        if (sizes != load(words[0])) tx_->store(words[0], sizes);
        Word* at = words + old.sizes().value_begin();
        for_each_word(value, [&](Word word) {
            if (load(*at) != word) tx_->store(*at, word);
            ++at;
        });
    }

    /// Puts a record's word into a free slot, or into a new overflow line at the chain's end. Returns the bytes of that.
    [[nodiscard]] std::uint64_t place(Word record) {
        std::array<Word, slots_per_line>* slots = &table_.bucket().slots;
        for (std::uint64_t left = chain_limit(tx_->region()); left != 0; --left) {
            for (Word& slot : *slots)
                if (load(slot) == 0) {
                    tx_->store(slot, record);
                    return 0;
                }
            const Word last = load(slots->back());
            if (!Slot::is_link(last)) {
                const std::uint64_t offset = tx_->allocate(sizeof(OverflowLine));
                OverflowLine& line = tx_->region().at(Offset<OverflowLine>{offset});
                tx_->fill(line.link, 0);
                tx_->fill(line.slots[0], last);
                tx_->fill(line.slots[1], record);
                for (std::uint64_t i = 2; i < slots_per_line; ++i) tx_->fill(line.slots[i], 0);
                tx_->store(slots->back(), Slot::link(offset));
                return tx_->block_size(offset);
            }
            slots = &linked_slots(tx_->region(), last);
        }
        tx_->region().refuse(tx_->region().offset_of(&table_.bucket()));
    }

    /// Takes an overflow line out of the chain if it holds nothing any more. Returns the bytes of it.
    [[nodiscard]] std::uint64_t drop_empty_line() {
        std::array<Word, slots_per_line>* before = &table_.bucket().slots;
        for (std::uint64_t left = chain_limit(tx_->region()); left != 0; --left) {
            const Word link = load(before->back());
            if (!Slot::is_link(link)) return 0;
            auto& slots = linked_slots(tx_->region(), link);
            bool empty = true;
            for (const Word& slot : slots) empty &= !Slot::is_record(load(slot));
            if (empty) {
                const Word next = load(slots.back());
                tx_->store(before->back(), next);
                tx_->free(Slot::offset(link));
                return tx_->block_size(Slot::offset(link));
            }
            before = &slots;
        }
        return 0;
    }

    void count(int entries, std::uint64_t more, std::uint64_t less) {
        HashTableHead& head = table_.head();
        if (entries != 0) {
            touch(head.size_version);
            tx_->store(head.size, load(head.size) + static_cast<Word>(entries));
        }
        if (more != less) tx_->store(head.bytes, load(head.bytes) + more - less);
    }

    Tx* tx_;
    const Word* epoch_;
    HashedKey key_;
    TableReading<LockedReading> table_;
    Word* slot_ = nullptr;
};

/// A new head with its first segment, all buckets empty; the word for the entry's root.
template <class Tx>
[[nodiscard]] std::uint64_t make_head(Tx& tx, std::uint64_t min_bits) {
    const auto allocate_aligned = [&](std::uint64_t size) {
        const std::uint64_t block = tx.allocate(AlignedBlock::room(size));
        const std::uint64_t use = AlignedBlock::use(AlignedBlock::word(block));
        Word* const words = tx.region().words(use, size / word_size);
        for (std::uint64_t i = 0; i < size / word_size; ++i) tx.fill(words[i], 0);
        return block;
    };
    const std::uint64_t buckets = std::uint64_t{1} << min_bits;
    const std::uint64_t block = allocate_aligned(sizeof(HashTableHead));
    const std::uint64_t segment = allocate_aligned(buckets * sizeof(Bucket));
    const std::uint64_t offset = AlignedBlock::use(AlignedBlock::word(block));
    HashTableHead& head = tx.region().at(Offset<HashTableHead>{offset});
    tx.fill(head.buckets, buckets);
    tx.fill(head.min_bits, min_bits);
    tx.fill(head.initialised, buckets);
    tx.fill(head.block, block);
    tx.fill(head.bytes, tx.block_size(block) + tx.block_size(segment));
    tx.fill(head.segments[0], AlignedBlock::word(segment));
    return offset;
}

/// Hangs all that a head has on the garbage list. The caller gives the entry another root, or leaves it.
template <class Tx>
void discard_head(Tx& tx, std::uint64_t offset) {
    const HashTableHead& head = tx.region().at(Offset<HashTableHead>{offset});
    tx.discard(GarbageKind::hash_table, offset, load(head.bytes));
}

} // namespace ss::inline v0::detail
