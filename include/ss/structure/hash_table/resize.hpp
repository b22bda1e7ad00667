// Growing and shrinking by one bucket.
//
// A split moves about half of one bucket's records into a new bucket at the table's end. It is one transaction, whose
// journal is small however long the bucket is: of its first page, those that move are taken out of their slots; the pages
// behind that, and what the new bucket has beyond its first, are written anew into spare pages, that small transactions
// made before; the old ones go to the garbage list as they hang together. Segments come and go in transactions of their
// own, that touch no version inside them; a large one comes before it is needed, in small steps.
//
//     bucket s: [a b c d e] -> [f g]              bucket s: [a d] -> [f]
//                                         =>      bucket n: [b c e g]          n = s + 2^level
//
// A merge is the reverse: the last bucket's first page is copied, and hung with all that it links to behind the bucket that
// it was split from.
//
// Either leaves pages that have room by now, so the buckets are tidied afterwards: see tidy.hpp.
#pragma once

#include <ss/hash/concept.hpp>
#include <ss/structure/hash_table/tidy.hpp>
#include <ss/structure/hash_table/write.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace ss::inline v0::detail {

/// Split where there are more than so many records for each bucket, or they want more than so many words of it. Of 20 slots
/// that keeps further pages rare; of the room it leaves a quarter of small records outside, and a page so well filled that
/// all that takes less memory than more pages would. Merge at half of either, so that a table that stays about as large
/// does not go back and forth.
inline constexpr std::uint64_t entries_to_split = 13;
[[nodiscard]] constexpr std::uint64_t words_to_split(std::uint64_t page_words) noexcept {
    return (page_words - header_words) * 9 / 8;
}

template <class DomainType, class Hash>
class TableResizer {
    using Tx = typename DomainType::Tx;

public:
    /// The caller holds the lock, and no transaction is under way.
    TableResizer(DomainType& domain, const ObjectRef& object, const HashSeed& seed)
        : domain_(&domain), object_(&object), seed_(seed), page_words_(page_words_of(domain.region(), head())) {}

    [[nodiscard]] bool wants_split() const {
        const HashTableHead& table = head();
        const std::uint64_t buckets = load(table.buckets);
        return load(table.load) > buckets * words_to_split(page_words_) ||
               load(table.size) > buckets * entries_to_split;
    }

    [[nodiscard]] bool wants_merge() const {
        const HashTableHead& table = head();
        const std::uint64_t buckets = load(table.buckets);
        return load(table.load) < buckets * words_to_split(page_words_) / 2 &&
               load(table.size) < buckets * (entries_to_split / 2) &&
               buckets > std::uint64_t{1} << min_bits_of(region(), table);
    }

    /// Adds a bucket. Throws out_of_space and the like, with the table as it was but for spare pages.
    void split() {
        const std::uint64_t number = load(head().buckets);
        prepare_bucket(number);
        const std::uint64_t source = number - (std::uint64_t{1} << log2_floor(number));
        const Parting parting = part(source, number);
        const std::uint64_t pages = pages_for(parting.stay) + std::max<std::uint64_t>(pages_for(parting.move), 1) - 1;
        while (load(head().spares) < pages) add_spare();
        domain_->step([&](Tx& tx) { split_in(tx, parting, source, number, pages); });
        tidy(source);
        tidy(number);
    }

    /// Takes the last bucket away.
    void merge() {
        const std::uint64_t last = load(head().buckets) - 1;
        const std::uint64_t into = last - (std::uint64_t{1} << log2_floor(last));
        domain_->step([&](Tx& tx) { merge_in(tx, last, into); });
        const std::uint64_t min_bits = min_bits_of(region(), head());
        const BucketPlace place = place_of(last, min_bits);
        const std::uint64_t next = last - place.index + segment_buckets(place.segment, min_bits);
        const std::uint64_t ahead = place_of(next, min_bits).segment;
        if (segment_of(region(), head(), ahead) != 0)
            domain_->step([&](Tx& tx) { drop_segment(tx, ahead, last + 1); });
        if (place.segment != 0 && place.index == 0)
            domain_->step([&](Tx& tx) { drop_segment(tx, place.segment, last); });
        tidy(into);
    }

private:
    static constexpr std::uint64_t initialise_at_once = 32;
    static constexpr std::uint64_t growth_step = 512 * kibi;

    /// What a split does with a bucket's records.
    struct Parting {
        std::vector<unsigned> leave; ///< slots of the first page
        std::vector<PageItem> move;  ///< these, and those of further pages that move
        std::vector<PageItem> stay;  ///< those of further pages that stay
    };

    [[nodiscard]] const Region& region() const noexcept { return domain_->region(); }
    [[nodiscard]] HashTableHead& head() const {
        return region().at(Offset<HashTableHead>{load(object_->entry->root[0])});
    }
    [[nodiscard]] Page& bucket(std::uint64_t number) const {
        return in_heap(region(), bucket_at(region(), head(), number, page_words_));
    }
    [[nodiscard]] Page& page(std::uint64_t offset) const {
        return in_heap(region(), page_at(region(), offset, page_words_));
    }

    /// Sees to it that bucket `number` has memory, and a version that is even.
    void prepare_bucket(std::uint64_t number) {
        const std::uint64_t min_bits = min_bits_of(region(), head());
        const BucketPlace place = place_of(number, min_bits);
        if (place.segment >= max_segments) throw Error(errc::too_large, "the table has as many buckets as it can");
        if (segment_of(region(), head(), place.segment) == 0) add_segment(place.segment, min_bits);
        if (number < load(head().initialised)) return;
        // In a transaction of its own: nobody may ever have looked at a version that is set to 0 here.
        const std::uint64_t buckets = segment_buckets(place.segment, min_bits);
        const std::uint64_t end = std::min(number + initialise_at_once, number - place.index + buckets);
        domain_->step([&](Tx& tx) {
            for (std::uint64_t i = number; i < end; ++i) tx.fill(bucket(i).version, 0);
            tx.store(head().initialised, end);
        });
        try {
            const std::uint64_t next = place_of(number - place.index + buckets, min_bits).segment;
            grow_ahead(next, place.index >= buckets - buckets / 8, min_bits);
        } catch (const Error&) {
            // What is not to be had now is asked for again when it is needed.
        }
    }

    void add_segment(std::uint64_t segment, std::uint64_t min_bits) {
        domain_->step([&](Tx& tx) {
            HashTableHead& table = head();
            const std::uint64_t block = tx.allocate(segment_room(segment, min_bits));
            std::uint64_t bytes = tx.block_size(block);
            std::uint64_t more = load(table.more);
            if (segment >= segments_in_head && more == 0) {
                more = tx.allocate(segments_in_more * word_size);
                Word* const words = region().words(more, segments_in_more);
                for (std::uint64_t i = 0; i < segments_in_more; ++i) tx.fill(words[i], 0);
                bytes += tx.block_size(more);
            }
            tx.touch(object_->entry->version);
            if (more != load(table.more)) tx.store(table.more, more);
            Word* const word = segment_word(region(), table, segment);
            if (word == nullptr) region().refuse(more);
            tx.store(*word, AlignedBlock::word(block));
            tx.store(table.bytes, load(table.bytes) + bytes);
        });
    }

    [[nodiscard]] std::uint64_t segment_room(std::uint64_t segment, std::uint64_t min_bits) const noexcept {
        return AlignedBlock::room(segment_buckets(segment, min_bits) * page_words_ * word_size);
    }

    /// The kernel takes a quarter of a millisecond for 1 MiB of new memory, and a segment is an eighth of all before it. So
    /// it comes in steps, long before it is needed, and is had as soon as it is there: or others would take its place.
    /// What the next few buckets' records need comes in the same way.
    void grow_ahead(std::uint64_t segment, bool segment_is_near, std::uint64_t min_bits) {
        if constexpr (prepares<typename Tx::Allocator>) {
            // A step is longer than what the records take until the next one, or it would come to no end.
            const HashTableHead& table = head();
            const std::uint64_t step = growth_step + initialise_at_once * load(table.bytes) /
                                                         std::max<std::uint64_t>(load(table.buckets), 1);
            const auto prepare = [&](std::uint64_t size) {
                return domain_->step([&](Tx& tx) { return Tx::Allocator::prepare(tx.allocator(), tx, size, step); });
            };
            if (!prepare(std::min(step, region().size() / 8))) return;
            if (!segment_is_near || segment >= max_segments || segment_of(region(), head(), segment) != 0) return;
            const std::uint64_t size = segment_room(segment, min_bits);
            if (size > growth_step && prepare(size)) add_segment(segment, min_bits);
        }
    }

    void add_spare() {
        domain_->step([&](Tx& tx) {
            const std::uint64_t offset = make_page(tx, page_words_);
            tx.fill(page(offset).version, load(head().spare));
            tx.store(head().spare, offset);
            tx.store(head().spares, load(head().spares) + 1);
            tx.store(head().bytes, load(head().bytes) + tx.block_size(offset));
        });
    }

    [[nodiscard]] Parting part(std::uint64_t source, std::uint64_t target) const {
        Parting parting;
        Page& first = bucket(source);
        Page* at = &first;
        for (std::uint64_t left = chain_limit(region());; --left) {
            if (left == 0) region().refuse(region().offset_of(&first));
            for_each_slot(*at, [&](unsigned index, Place place) {
                const RecordView record = record_at(region(), *at, place, page_words_);
                const PageItem item = item_of(region(), {.page = at, .index = index}, record);
                const bool moves = bucket_of(Hash::hash(record.key(), seed_), target + 1) == target;
                if (moves) parting.move.push_back(item);
                if (moves && at == &first) parting.leave.push_back(index);
                if (!moves && at != &first) parting.stay.push_back(item);
            });
            const std::uint64_t link = load(at->link);
            if (link == 0) return parting;
            at = &page(link);
        }
    }

    /// How much of a page is taken, where items are put into it one after the other.
    struct Fill {
        unsigned slots = 0;
        std::uint64_t words = header_words;

        /// Takes place for an item; false if there is none.
        [[nodiscard]] bool take(const PageItem& item, std::uint64_t page_words) noexcept {
            const std::uint64_t count = item.words == nullptr ? 1 : item.count;
            if (slots == slots_per_page || words + count > page_words) return false;
            ++slots;
            words += count;
            return true;
        }
    };

    [[nodiscard]] std::uint64_t pages_for(const std::vector<PageItem>& items) const noexcept {
        std::uint64_t pages = 0;
        Fill fill{.slots = slots_per_page};
        for (const PageItem& item : items)
            if (!fill.take(item, page_words_)) {
                ++pages;
                fill = {};
                (void)fill.take(item, page_words_);
            }
        return pages;
    }

    /// Writes items into pages, without the journal: `first`, and then spare ones. A page's version stays as it is: of a
    /// bucket readers look at it, and by a spare one's a rollback puts that back on the list.
    void write_pages(Tx& tx, Page& first, const std::vector<PageItem>& items, std::uint64_t& spare) {
        Page* to = &first;
        Page made{};
        Fill fill;
        const auto finish = [&](std::uint64_t link) {
            tx.fill(to->used, made.used);
            tx.fill(to->link, link);
            for (std::size_t i = 0; i < made.slots.size(); ++i) tx.fill(to->slots[i], made.slots[i]);
            made = {};
            fill = {};
        };
        for (const PageItem& item : items) {
            Fill before = fill;
            if (!fill.take(item, page_words_)) {
                Page& next = page(spare);
                finish(spare);
                spare = load(next.version);
                to = &next;
                before = fill;
                (void)fill.take(item, page_words_);
            }
            const auto at = static_cast<unsigned>(before.words);
            const bool is_outside = item.words == nullptr;
            if (is_outside)
                tx.fill(word_of(*to, at), item.offset);
            else
                for (std::uint64_t i = 0; i < item.count; ++i) tx.fill(word_of(*to, at + i), load(item.words[i]));
            made.used |= bits_at(at, fill.words - before.words);
            Word& word = made.slots[before.slots / slots_per_word];
            word =
                Slots::with(word, before.slots % slots_per_word, item.tag, {is_outside ? Place::outside | at : at});
        }
        finish(0);
    }

    void split_in(Tx& tx, const Parting& parting, std::uint64_t source, std::uint64_t target, std::uint64_t pages) {
        HashTableHead& table = head();
        Page& old_bucket = bucket(source);
        Page& new_bucket = bucket(target);
        tx.touch(old_bucket.version);
        tx.touch(new_bucket.version);
        std::uint64_t spare = load(table.spare);
        // The new bucket is nobody's until `buckets` counts it: what it held before need not be restored.
        write_pages(tx, new_bucket, parting.move, spare);
        discard_chain(tx, old_bucket);
        std::uint64_t link = 0;
        if (!parting.stay.empty()) {
            link = spare;
            Page& first = page(spare);
            spare = load(first.version);
            write_pages(tx, first, parting.stay, spare);
        }
        if (load(old_bucket.link) != link) tx.store(old_bucket.link, link);
        PageEditor<Tx>(tx, old_bucket, page_words_).take(parting.leave);
        if (pages != 0) {
            tx.store(table.spare, spare);
            tx.store(table.spares, load(table.spares) - pages);
        }
        tx.store(table.buckets, target + 1);
    }

    /// The pages behind a bucket's first become garbage, as they hang together; their records live on elsewhere.
    void discard_chain(Tx& tx, const Page& first) {
        const std::uint64_t link = load(first.link);
        if (link == 0) return;
        std::uint64_t bytes = 0;
        std::uint64_t next = link;
        for (std::uint64_t left = chain_limit(region()); next != 0; --left) {
            if (left == 0) region().refuse(link);
            bytes += tx.block_size(next);
            next = load(page(next).link);
        }
        tx.store(head().bytes, load(head().bytes) - bytes);
        tx.discard(GarbageKind::bucket_chain, link, bytes);
    }

    void merge_in(Tx& tx, std::uint64_t last, std::uint64_t into) {
        Page& from = bucket(last);
        Page* end = &bucket(into);
        tx.touch(from.version);
        tx.touch(end->version);
        std::uint64_t link = load(from.link);
        if (!is_empty(from)) {
            const std::uint64_t offset = tx.allocate(page_words_ * word_size);
            Page& copy = page(offset);
            tx.fill(copy.version, 0);
            for (std::uint64_t i = 1; i < page_words_; ++i) tx.fill(word_of(copy, i), load(word_of(from, i)));
            tx.store(head().bytes, load(head().bytes) + tx.block_size(offset));
            link = offset;
        }
        if (link != 0) {
            for (std::uint64_t left = chain_limit(region()); load(end->link) != 0; --left) {
                if (left == 0) region().refuse(region().offset_of(end));
                end = &page(load(end->link));
            }
            tx.store(end->link, link);
        }
        tx.store(head().buckets, last);
    }

    void tidy(std::uint64_t number) { BucketTidier<DomainType>(*domain_, head(), page_words_).tidy(bucket(number)); }

    /// The segment that begins with bucket `first`, now past the end. Under the epoch: some reader may still be in it.
    void drop_segment(Tx& tx, std::uint64_t segment, std::uint64_t first) {
        HashTableHead& table = head();
        Word* const word = segment_word(region(), table, segment);
        if (word == nullptr) region().refuse(load(table.more));
        const std::uint64_t block = AlignedBlock::block(load(*word));
        std::uint64_t bytes = tx.block_size(block);
        tx.touch(object_->entry->version);
        tx.store(*word, 0);
        tx.free(block);
        if (segment == segments_in_head) { // the last one there
            const std::uint64_t more = load(table.more);
            bytes += tx.block_size(more);
            tx.store(table.more, 0);
            tx.free(more);
        }
        if (load(table.initialised) > first) tx.store(table.initialised, first);
        tx.store(table.bytes, load(table.bytes) - bytes);
    }

    DomainType* domain_;
    const ObjectRef* object_;
    HashSeed seed_;
    std::uint64_t page_words_;
};

} // namespace ss::inline v0::detail
