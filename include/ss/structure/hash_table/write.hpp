// Changing a table: within a transaction, under the lock.
#pragma once

#include <ss/structure/hash_table/lookup.hpp>
#include <ss/structure/hash_table/page_editor.hpp>

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace ss::inline v0::detail {

/// A value of up to so many words is overwritten in place, through the journal; a longer one gets a new record.
inline constexpr std::uint64_t in_place_words = 8;

/// The page, to be filled: which the journal does not check. Throws errc::damaged if it lies where no block does.
[[nodiscard]] inline Page& in_heap(const Region& region, Page& page) {
    const std::uint64_t offset = region.offset_of(&page);
    if (offset < region.begin() + heap_begin) [[unlikely]]
        region.refuse(offset);
    return page;
}

/// A new page for the end of a bucket, empty; its offset.
template <class Tx>
[[nodiscard]] std::uint64_t make_page(Tx& tx, std::uint64_t page_words) {
    const std::uint64_t offset = tx.allocate(page_words * word_size);
    Page& page = page_at(tx.region(), offset, page_words);
    for (std::uint64_t i = 0; i < header_words; ++i) tx.fill(word_of(page, i), 0);
    return offset;
}

/// Takes a page out of a bucket, of which it is not the first, and frees it. Returns its bytes.
template <class Tx>
[[nodiscard]] std::uint64_t drop_page(Tx& tx, Page& bucket, const Page& page, std::uint64_t page_words) {
    const std::uint64_t offset = tx.region().offset_of(&page);
    Page* before = &bucket;
    for (std::uint64_t left = chain_limit(tx.region()); load(before->link) != offset; --left) {
        if (left == 0) tx.region().refuse(offset);
        before = &page_at(tx.region(), load(before->link), page_words);
    }
    tx.store(before->link, load(page.link));
    tx.free(offset);
    return tx.block_size(offset);
}

/// The bucket of one key, to be changed. Every change first touches what readers of it check.
template <class Tx>
class BucketWriter {
public:
    /// Throws no_such_object, damaged.
    BucketWriter(Tx& tx, const ObjectRef& object, const HashedKey& key)
        : tx_(&tx), epoch_(&object.entry->version), key_(key), table_(tx.region(), object, LockedReading{}) {
        (void)table_.enter(key.hash);
        page_words_ = table_.page_words();
        found_ = table_.find_tag(Slots::tag_of(key.hash), [&](const SlotOf& slot, const RecordView& record) {
            if (!record.has_key(key.bytes)) return false;
            slot_ = slot;
            offset_ = tx.region().offset_of(record.words());
            return true;
        });
    }

    [[nodiscard]] bool found() const noexcept { return found_; }
    [[nodiscard]] RecordView record() const { return {tx_->region(), offset_}; }

    /// Inserts the key, which was not found.
    void insert(const Pieces& value, std::uint64_t value_size) {
        Counts counts{.entries = 1};
        RecordWords words;
        const PageItem item = make_item(value, value_size, words, counts);
        touch(table_.bucket().version);
        place(item, counts);
        count(counts);
    }

    /// Gives the key, which was found, another value.
    void overwrite(const Pieces& value, std::uint64_t value_size) {
        const RecordSizes old = record().sizes();
        const std::uint64_t value_words = words_for(value_size);
        Counts counts{.unwanted = words_wanted(old.words())};
        if (value_words <= in_place_words && value_words <= words_for(old.value) &&
            !comes_inside(old.value_begin() + value_words)) {
            touch(table_.bucket().version);
            overwrite_in_place(value, value_size);
            counts.wanted = words_wanted(old.value_begin() + value_words);
        } else {
            RecordWords words;
            const PageItem item = make_item(value, value_size, words, counts);
            touch(table_.bucket().version);
            PageEditor<Tx> editor = edit(*slot_.page);
            editor.replace(slot_, item);
            counts.add(editor);
        }
        count(counts);
    }

    /// Replaces the first word of the value, as numbers are.
    void overwrite_word(Word value) {
        const std::uint64_t at = offset_ + record().sizes().value_begin() * word_size;
        touch(table_.bucket().version);
        tx_->store(tx_->word(at), value);
    }

    /// Erases the key, which was found.
    void erase() {
        Counts counts{.entries = -1, .unwanted = words_wanted(record().sizes().words())};
        touch(table_.bucket().version);
        PageEditor<Tx> editor = edit(*slot_.page);
        editor.remove(slot_);
        counts.add(editor);
        if (slot_.page != &table_.bucket() && is_empty(*slot_.page))
            counts.freed += drop_page(*tx_, table_.bucket(), *slot_.page, page_words_);
        count(counts);
    }

private:
    using RecordWords = std::array<Word, max_words_inside>;

    /// What a change adds to what the head counts, and takes away.
    struct Counts {
        int entries = 0;
        std::uint64_t wanted = 0, unwanted = 0;
        std::uint64_t allocated = 0, freed = 0;

        void add(const PageEditor<Tx>& editor) noexcept {
            allocated += editor.allocated();
            freed += editor.freed();
        }
    };

    /// Where this transaction has touched the epoch, no reader gets past that. And there the finer versions must stay as
    /// they are: after a clear they lie in new blocks, and a rollback that freed those would write versions into them.
    void touch(Word& version) {
        if ((load(*epoch_) & 1) == 0) tx_->touch(version);
    }

    [[nodiscard]] PageEditor<Tx> edit(Page& page) const { return {*tx_, page, page_words_}; }

    /// Where a record of so many words would come from outside into its page.
    [[nodiscard]] bool comes_inside(std::uint64_t words) const {
        return slot_.place().is_outside() && edit(*slot_.page).has_room_for(words);
    }

    /// A record of the key: in `words` if it may lie in a page, else in a block.
    [[nodiscard]] PageItem make_item(const Pieces& value, std::uint64_t value_size, RecordWords& words,
                                     Counts& counts) {
        const std::uint64_t size = RecordSizes{.key = key_.bytes.size(), .value = value_size}.words();
        counts.wanted = words_wanted(size);
        if (size <= max_words_inside) {
            fill_record(words.data(), key_.bytes, value, value_size);
            return {.tag = Slots::tag_of(key_.hash), .words = words.data(), .count = size, .offset = 0};
        }
        const std::uint64_t offset = make_record(*tx_, key_.bytes, value, value_size);
        counts.allocated += tx_->block_size(offset);
        return {.tag = Slots::tag_of(key_.hash), .words = nullptr, .count = 0, .offset = offset};
    }

    void overwrite_in_place(const Pieces& value, std::uint64_t value_size) {
        const RecordSizes old = record().sizes();
        Word* const words = tx_->region().words(offset_, old.words());
        const RecordSizes sizes{.key = old.key, .value = value_size};
        if (sizes.pack() != load(words[0])) tx_->store(words[0], sizes.pack());
        Word* at = words + old.value_begin();
        for_each_word(value, [&](Word word) {
            if (load(*at) != word) tx_->store(*at, word);
            ++at;
        });
        if (sizes.words() < old.words() && !slot_.place().is_outside())
            edit(*slot_.page).shorten(slot_, old.words(), sizes.words());
    }

    /// Puts an item into the first page of the bucket that has a place for it, or into a new one at its end.
    void place(const PageItem& item, Counts& counts) {
        Page* page = &table_.bucket();
        for (std::uint64_t left = chain_limit(tx_->region()); left != 0; --left) {
            PageEditor<Tx> editor = edit(*page);
            if (editor.add(item)) {
                counts.add(editor);
                return;
            }
            const std::uint64_t link = load(page->link);
            if (link == 0) {
                const std::uint64_t offset = make_page(*tx_, page_words_);
                PageEditor<Tx> fresh = edit(page_at(tx_->region(), offset, page_words_));
                (void)fresh.add(item);
                tx_->store(page->link, offset);
                counts.add(fresh);
                counts.allocated += tx_->block_size(offset);
                return;
            }
            page = &page_at(tx_->region(), link, page_words_);
        }
        tx_->region().refuse(tx_->region().offset_of(&table_.bucket()));
    }

    void count(const Counts& counts) {
        using Change = typename Tx::Change;
        HashTableHead& head = table_.head();
        const Word load_now = load(head.load) + counts.wanted - counts.unwanted;
        if (counts.entries != 0) {
            touch(head.size_version);
            tx_->store(Change{head.size, load(head.size) + static_cast<Word>(counts.entries)},
                       Change{head.load, load_now});
        } else if (counts.wanted != counts.unwanted) {
            tx_->store(head.load, load_now);
        }
        if (counts.allocated != counts.freed)
            tx_->store(head.bytes, load(head.bytes) + counts.allocated - counts.freed);
    }

    Tx* tx_;
    const Word* epoch_;
    HashedKey key_;
    TableReading<LockedReading> table_;
    std::uint64_t page_words_ = 0;
    bool found_ = false;
    SlotOf slot_;
    std::uint64_t offset_ = 0; ///< of the record
};

/// A new head with its first segment, all buckets empty; the word for the entry's root.
template <class Tx>
[[nodiscard]] std::uint64_t make_head(Tx& tx, std::uint64_t bits, std::uint64_t page_words) {
    // Of a page, the first line: the rest is nobody's.
    const auto make = [&](std::uint64_t count, std::uint64_t words, std::uint64_t zeros) {
        const std::uint64_t block = tx.allocate(AlignedBlock::room(count * words * word_size));
        Word* at = tx.region().words(AlignedBlock::use(AlignedBlock::word(block)), count * words);
        for (; count != 0; --count, at += words)
            for (std::uint64_t i = 0; i < zeros; ++i) tx.fill(at[i], 0);
        return block;
    };
    constexpr std::uint64_t head_words = sizeof(HashTableHead) / word_size;
    const std::uint64_t min_bits = bucket_bits(bits), buckets = std::uint64_t{1} << min_bits;
    const std::uint64_t block = make(1, head_words, head_words);
    const std::uint64_t segment = make(buckets, page_words, header_words);
    const std::uint64_t offset = AlignedBlock::use(AlignedBlock::word(block));
    HashTableHead& head = tx.region().at(Offset<HashTableHead>{offset});
    tx.fill(head.buckets, buckets);
    tx.fill(head.min_bits, min_bits);
    tx.fill(head.bits, bits);
    tx.fill(head.page_words, page_words);
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
