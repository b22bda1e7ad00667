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
    [[nodiscard, gnu::always_inline]] bool enter(std::uint64_t hash) {
        if (!enter_table()) return false;
        hash_ = hash;
        buckets_ = load_acquire(head_->buckets); // before the bucket's version: a split makes that odd first
        if (buckets_ == 0) [[unlikely]]
            region_->refuse(region_->offset_of(head_));
        number_ = bucket_of(hash, buckets_);
        page_words_ = page_words_of(*region_, *head_);
        bucket_ = &bucket_at(*region_, *head_, number_, page_words_);
        prefetch_behind(*bucket_);
        return reading_.begin(bucket_->version, version_);
    }

    /// The table as a whole, without a bucket.
    [[nodiscard, gnu::always_inline]] bool enter_table() {
        if (!reading_.begin(object_->entry->version, epoch_)) return false;
        if (load(object_->entry->generation) != object_->generation) [[unlikely]] {
            if (!reading_.validate(object_->entry->version, epoch_)) return false;
            refuse_removed(*region_);
        }
        head_ = &region_->at(Offset<HashTableHead>{load(object_->entry->root[0])});
        return true;
    }

    /// True if all that was read since enter() was there at one moment.
    [[nodiscard, gnu::always_inline]] bool validate() const {
        // The number of buckets before the versions: whoever sees this bucket after a split sees the new number.
        const std::uint64_t buckets = load(head_->buckets);
        return (buckets == buckets_ || bucket_of(hash_, buckets) == number_) &&
               reading_.validate(bucket_->version, version_) && reading_.validate(object_->entry->version, epoch_);
    }

    [[nodiscard]] bool validate_table() const { return reading_.validate(object_->entry->version, epoch_); }

    /// Calls f(slot, record) for each record of the bucket whose tag is `tag`, until f returns true. True if it did.
    template <class F>
    [[gnu::always_inline]] bool find_tag(Word tag, F f) const {
        return any_page([&](Page& page) {
            return find_in_page(page, tag, [&](unsigned index, Place place) {
                return f(SlotOf{.page = &page, .index = index}, record_at(*region_, page, place, page_words_));
            });
        });
    }

    /// Calls f(record) for each record of the bucket.
    template <class F>
    void for_each_record(F f) const {
        (void)any_page([&](Page& page) {
            for_each_slot(page, [&](unsigned, Place place) { f(record_at(*region_, page, place, page_words_)); });
            return false;
        });
    }

    /// A number that moves whenever something in the bucket does: of the table's epoch, and of which bucket it is and how
    /// often that changed. Two different ones are the same with a chance of 2^-64.
    [[nodiscard]] Word stamp() const noexcept { return mix_bits(mix_bits(epoch_ + 1) + number_) + version_; }

    [[nodiscard]] const Region& region() const noexcept { return *region_; }
    [[nodiscard]] HashTableHead& head() const noexcept { return *head_; }
    [[nodiscard]] Page& bucket() const noexcept { return *bucket_; }
    [[nodiscard]] std::uint64_t page_words() const noexcept { return page_words_; }
    [[nodiscard]] std::uint64_t number() const noexcept { return number_; }

    /// How many low bits of a hash lead here. By the number of buckets as it is now, after the bucket's version was noted:
    /// a split between the two looks in enter() leaves this bucket where it is, and half as wide.
    [[nodiscard]] unsigned depth() const noexcept { return depth_of(number_, load(head_->buckets)); }

private:
    /// f(page) for the bucket's pages, until it returns true. True if it did.
    template <class F>
    [[nodiscard, gnu::always_inline]] bool any_page(F f) const {
        Page* page = bucket_;
        for (std::uint64_t pages = 0;; ++pages) {
            if (f(*page)) return true;
            const std::uint64_t link = load(page->link);
            if (link == 0) [[likely]]
                return false;
            if (pages == chain_limit(*region_)) region_->refuse(link);
            page = &page_at(*region_, link, page_words_);
        }
    }

    const Region* region_;
    const ObjectRef* object_;
    [[no_unique_address]] Reading reading_;
    Word epoch_ = 0;
    Word version_ = 0;
    std::uint64_t hash_ = 0;
    std::uint64_t buckets_ = 0;
    std::uint64_t number_ = 0;
    std::uint64_t page_words_ = 0;
    HashTableHead* head_ = nullptr;
    Page* bucket_ = nullptr;
};

/// One attempt to do f(table) on the bucket of `hash`: true if it was consistent. What f throws of nonsense that it read
/// beside a writer is another attempt; of what is really there it is thrown.
template <class Reading, class F>
[[gnu::always_inline]] inline bool attempt_in_bucket(const Region& region, const ObjectRef& object, Reading reading,
                                                     std::uint64_t hash, F f) {
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

/// Calls found(table, record) if the key is there; found returns false to try all again. Sets `hit`. True if the attempt
/// was consistent.
template <class Reading, class F>
[[gnu::always_inline]] inline bool attempt_lookup(const Region& region, const ObjectRef& object, Reading reading,
                                                  const HashedKey& key, bool& hit, F found) {
    return attempt_in_bucket(region, object, reading, key.hash, [&](const auto& table) {
        bool consistent = true;
        hit = table.find_tag(Slots::tag_of(key.hash), [&](const SlotOf&, const RecordView& record) {
            if (!record.has_key(key.bytes)) return false;
            consistent = found(table, record);
            return true;
        });
        return consistent;
    });
}

/// Where a lookup will look, asked for before it does: so that the cache misses of several overlap. Believes nothing, for
/// nothing is validated: an address that comes out wrong is prefetched in vain.
class LookupAhead {
public:
    LookupAhead() = default;

    /// Asks for the bucket of a hash.
    LookupAhead(const Region& region, const ObjectRef& object, std::uint64_t hash) noexcept : hash_(hash) {
        const std::uint64_t at = load(object.entry->root[0]);
        if (!is_aligned(at, cache_line) || !region.contains(at, sizeof(HashTableHead))) return;
        const auto& head = *reinterpret_cast<const HashTableHead*>(region.data(at));
        const std::uint64_t buckets = load(head.buckets), min_bits = load(head.min_bits),
                            words = load(head.page_words);
        if (buckets == 0 || min_bits > max_table_bits || !is_page_size(words)) return;
        const BucketPlace place = place_of(bucket_of(hash, buckets), min_bits);
        const std::uint64_t page =
            AlignedBlock::use(segment_of(region, head, place.segment)) + place.index * words * word_size;
        if (!region.contains(page, max_page_words * word_size)) return; // of a small last page too: that one waits
        page_ = reinterpret_cast<const Page*>(region.data(page));
        __builtin_prefetch(page_);
        prefetch_behind(*page_);
    }

    /// Asks for what lies outside of the bucket's page. To be called when that has come.
    void look_outside(const Region& region) const noexcept {
        if (page_ == nullptr) return;
        (void)find_in_page(*page_, Slots::tag_of(hash_), [&](unsigned, Place place) {
            if (place.is_outside()) region.prefetch(load(word_of(*page_, place.word())));
            return false;
        });
    }

private:
    std::uint64_t hash_ = 0;
    const Page* page_ = nullptr;
};

/// Copies the value of a record into `out`, whose memory is used again. False if the record changed under our eyes.
template <class Table>
[[gnu::always_inline]] inline bool copy_value(const Table& table, const RecordView& record, std::string& out) {
    constexpr std::uint64_t harmless = 4096; // of more it is made sure first that the size is one
    const std::uint64_t size = record.sizes().value;
    if (size > harmless && !table.validate()) return false;
    out.resize(size);
    copy_words(out.data(), record.value_words(), size);
    return true;
}

} // namespace ss::inline v0::detail
