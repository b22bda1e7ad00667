// Finding a record: one text for readers without the lock, readers with it, and writers.
#pragma once

#include <ss/domain/directory.hpp>
#include <ss/domain/optimistic_read.hpp>
#include <ss/hash/fnv1a64.hpp>
#include <ss/structure/hash_table/layout.hpp>
#include <ss/structure/hash_table/record.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace ss::inline v0::detail {

/// A key and its hash in one table.
struct HashedKey {
    std::string_view bytes;
    std::uint64_t hash;
};

/// What a reader is in the middle of: the table's epoch, and one bucket of it.
template <class Reading>
class TableReading {
public:
    TableReading(const Region& region, const ObjectRef& object, Reading reading) noexcept
        : region_(&region), object_(&object), reading_(reading) {}

    /// Enters the bucket of `hash`. False if a writer is at it. Throws no_such_object.
    [[nodiscard]] bool enter(std::uint64_t hash) {
        if (!enter_table()) return false;
        hash_ = hash;
        const Word buckets =
            load_acquire(head_->buckets); // before the bucket's version: a split makes that odd first
        if (buckets == 0) [[unlikely]]
            region_->refuse(region_->offset_of(head_));
        number_ = bucket_of(hash, buckets);
        bucket_ = &bucket_at(*region_, *head_, number_);
        return reading_.begin(bucket_->version, version_);
    }

    /// The table as a whole, without a bucket.
    [[nodiscard]] bool enter_table() {
        if (!reading_.begin(object_->entry->version, epoch_)) return false;
        if (load(object_->entry->generation) != object_->generation) [[unlikely]] {
            if (!reading_.validate(object_->entry->version, epoch_)) return false;
            refuse_removed(*region_);
        }
        head_ = &region_->at(Offset<HashTableHead>{load(object_->entry->root[0])});
        return true;
    }

    /// True if all that was read since enter() was there at one moment.
    [[nodiscard]] bool validate() const {
        // The number of buckets before the versions: whoever sees this bucket after a split sees the new number.
        return bucket_of(hash_, load(head_->buckets)) == number_ && reading_.validate(bucket_->version, version_) &&
               reading_.validate(object_->entry->version, epoch_);
    }

    [[nodiscard]] bool validate_table() const { return reading_.validate(object_->entry->version, epoch_); }

    /// Calls f(slot, record) for each record of the bucket whose tag is `tag`, until f returns true. True if it did.
    template <class F>
    bool find_tag(Word tag, F f) const {
        std::array<Word, slots_per_line>* slots = &bucket_->slots;
        for (std::uint64_t left = chain_limit(*region_); left != 0; --left) {
            for (Word& slot : *slots) {
                const Word word = load(slot);
                // 0 is a tag, and no record at all: the offset tells.
                if (Slot::tag(word) == tag && word != 0 && f(slot, Slot::offset(word))) return true;
            }
            const Word last = load(slots->back());
            if (!Slot::is_link(last)) return false;
            slots = &linked_slots(*region_, last);
        }
        region_->refuse(region_->offset_of(bucket_));
    }

    /// Calls f(offset) for each record of the bucket.
    template <class F>
    void for_each_record(F f) const {
        std::array<Word, slots_per_line>* slots = &bucket_->slots;
        for (std::uint64_t left = chain_limit(*region_); left != 0; --left) {
            for (Word& slot : *slots)
                if (const Word word = load(slot); Slot::is_record(word)) f(Slot::offset(word));
            const Word last = load(slots->back());
            if (!Slot::is_link(last)) return;
            slots = &linked_slots(*region_, last);
        }
        region_->refuse(region_->offset_of(bucket_));
    }

    /// A number that moves whenever something in the bucket does: of the table's epoch, and of which bucket it is and how
    /// often that changed. Two different ones are the same with a chance of 2^-64.
    [[nodiscard]] Word stamp() const noexcept { return mix_bits(mix_bits(epoch_ + 1) + number_) + version_; }

    [[nodiscard]] const Region& region() const noexcept { return *region_; }
    [[nodiscard]] HashTableHead& head() const noexcept { return *head_; }
    [[nodiscard]] Bucket& bucket() const noexcept { return *bucket_; }
    [[nodiscard]] std::uint64_t number() const noexcept { return number_; }

    /// How many low bits of a hash lead here. By the number of buckets as it is now, after the bucket's version was noted:
    /// a split between the two looks in enter() leaves this bucket where it is, and half as wide.
    [[nodiscard]] unsigned depth() const noexcept { return depth_of(number_, load(head_->buckets)); }

private:
    const Region* region_;
    const ObjectRef* object_;
    [[no_unique_address]] Reading reading_;
    Word epoch_ = 0;
    Word version_ = 0;
    std::uint64_t hash_ = 0;
    std::uint64_t number_ = 0;
    HashTableHead* head_ = nullptr;
    Bucket* bucket_ = nullptr;
};

/// One attempt to do f(table) on the bucket of `hash`: true if it was consistent. What f throws of nonsense that it read
/// beside a writer is another attempt; of what is really there it is thrown.
template <class Reading, class F>
bool attempt_in_bucket(const Region& region, const ObjectRef& object, Reading reading, std::uint64_t hash, F f) {
    TableReading<Reading> table(region, object, reading);
    bool entered = false;
    try {
        if (!table.enter(hash)) return false;
        entered = true;
        return f(table) && table.validate();
    } catch (const Error&) {
        if (entered ? table.validate() : table.validate_table()) throw;
        return false;
    }
}

/// Calls found(table, record offset) if the key is there; found returns false to try all again. Sets `hit`. True if the
/// attempt was consistent.
template <class Reading, class F>
bool attempt_lookup(const Region& region, const ObjectRef& object, Reading reading, const HashedKey& key, bool& hit,
                    F found) {
    return attempt_in_bucket(region, object, reading, key.hash, [&](const auto& table) {
        hit = false;
        bool consistent = true;
        table.find_tag(Slot::tag_of(key.hash), [&](Word&, std::uint64_t offset) {
            const Word* const record = region.words(offset, 1);
            if ((load(*record) & 0xFFFF'FFFFU) != key.bytes.size()) return false;
            if (!region.contains(offset, (1 + words_for(key.bytes.size())) * word_size)) [[unlikely]]
                region.refuse(offset);
            if (!words_equal(record + 1, key.bytes)) return false;
            hit = true;
            consistent = found(table, offset);
            return true;
        });
        return consistent;
    });
}

/// Copies the value of a record into `out`, whose memory is used again. False if the record changed under our eyes.
template <class Table>
bool copy_value(const Table& table, std::uint64_t offset, std::string& out) {
    const RecordView record(table.region(), offset);
    if (!table.validate()) return false; // the size is believed from here on
    out.resize(record.sizes().value);
    copy_words(out.data(), record.value_words(), out.size());
    return true;
}

} // namespace ss::inline v0::detail
