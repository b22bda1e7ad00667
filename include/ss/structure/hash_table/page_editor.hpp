// Putting records into a page and taking them out, within a transaction.
//
// Words that no record has need no journal: nobody looks at them, and what they hold after a rollback does not matter. But
// those that came free in this very transaction are a record's again when it is undone, and are changed through the journal.
// Words come free by a change of `used`: where that is in the journal, any may have.
#pragma once

#include <ss/structure/hash_table/page.hpp>

#include <array>
#include <bit>
#include <cstdint>
#include <span>

namespace ss::inline v0::detail {

/// What is to be put into a page.
struct PageItem {
    Word tag;
    const Word* words;    ///< a record that may lie in a page; null for one in a block of its own
    std::uint64_t count;  ///< how many
    std::uint64_t offset; ///< of that block
};

/// A slot's record, as it is put elsewhere.
[[nodiscard]] inline PageItem item_of(const Region& region, const SlotOf& slot, const RecordView& record) noexcept {
    if (slot.place().is_outside())
        return {.tag = slot.tag(), .words = nullptr, .count = 0, .offset = region.offset_of(record.words())};
    return {.tag = slot.tag(), .words = record.words(), .count = record.sizes().words(), .offset = 0};
}

/// The lowest word of a page from which on `count` are free, or 0.
[[nodiscard]] constexpr unsigned find_room(Word used, std::uint64_t page_words, std::uint64_t count) noexcept {
    Word starts = ~used & bits_at(header_words, page_words - header_words);
    // Bit i stays if the bits from i to i + length - 1 were set; the length doubles until it is `count`.
    for (std::uint64_t length = 1; length < count;) {
        const std::uint64_t step = length < count - length ? length : count - length;
        starts &= starts >> step;
        length += step;
    }
    return starts == 0 ? 0 : static_cast<unsigned>(std::countr_zero(starts));
}

static_assert(find_room(0, 64, 56) == 8 && find_room(0, 64, 57) == 0 && find_room(bits_at(8, 3), 64, 5) == 11 &&
              find_room(bits_at(12, 1), 16, 4) == 8 && find_room(bits_at(11, 1), 16, 4) == 12);

template <class Tx>
class PageEditor {
public:
    /// Throws errc::damaged for a page that lies where no block does: what is filled is not checked by the journal.
    PageEditor(Tx& tx, Page& page, std::uint64_t page_words)
        : tx_(&tx), page_(&page), page_words_(page_words), stale_(tx.has_changed(page.used) ? ~Word{0} : 0) {
        (void)tx.word(tx.region().offset_of(&page));
    }

    /// Bytes of blocks that were allocated, and of those to be freed at the commit.
    [[nodiscard]] std::uint64_t allocated() const noexcept { return allocated_; }
    [[nodiscard]] std::uint64_t freed() const noexcept { return freed_; }

    /// True if a record of so many words may lie in the page, and there is room for it.
    [[nodiscard]] bool has_room_for(std::uint64_t count) const noexcept {
        return count <= max_words_inside && has_room(count);
    }

    /// Puts an item in: with its words if there is room for them, else as a block of its own. False if the page is full.
    bool add(const PageItem& item) {
        const unsigned index = find_empty();
        if (index == slots_per_page) return false;
        if (item.words != nullptr)
            if (const unsigned room = find_room(load(page_->used), page_words_, item.count); room != 0) {
                write(room, item.words, item.count);
                set({page_, index}, item.tag, {room}, bits_at(room, item.count), 0);
                return true;
            }
        if (!has_room(1) && !evict()) return false;
        const std::uint64_t offset = item.words == nullptr ? item.offset : make_block(item.words, item.count);
        const unsigned room = find_room(load(page_->used), page_words_, 1);
        write(room, &offset, 1);
        set({page_, index}, item.tag, {Place::outside | room}, bits_at(room, 1), 0);
        return true;
    }

    /// Takes records out; blocks are not freed. Each word that changes is journaled once, however many there are.
    void take(std::span<const unsigned> indices) {
        std::array<Word, slots_per_page / slots_per_word> slots;
        for (std::size_t i = 0; i < slots.size(); ++i) slots[i] = load(page_->slots[i]);
        Word less = 0;
        for (const unsigned index : indices) {
            less |= bits_of(SlotOf{page_, index}.place());
            Word& word = slots[index / slots_per_word];
            word = Slots::with(word, index % slots_per_word, 0, {});
        }
        for (std::size_t i = 0; i < slots.size(); ++i)
            if (slots[i] != load(page_->slots[i])) tx_->store(page_->slots[i], slots[i]);
        if (less != 0) tx_->store(page_->used, load(page_->used) & ~less);
        stale_ |= less;
    }

    /// Takes a record out, and frees its block if it has one.
    void remove(const SlotOf& slot) {
        const Place place = slot.place();
        if (place.is_outside()) free_block(record(place));
        set(slot, 0, {}, 0, bits_of(place));
    }

    /// Gives a slot another record of the same tag: in the page if there is room for it without the old one.
    void replace(const SlotOf& slot, const PageItem& item) {
        const Place old = slot.place();
        const Word mine = bits_of(old);
        // Where it is, too: what the old one has is journaled then.
        const unsigned room =
            item.words == nullptr ? 0 : find_room(load(page_->used) & ~mine, page_words_, item.count);
        if (old.is_outside()) free_block(record(old));
        if (room != 0) {
            stale_ |= mine;
            write(room, item.words, item.count);
            set(slot, item.tag, {room}, bits_at(room, item.count), mine);
        } else {
            // The old one's first word refers to the new one.
            const std::uint64_t offset = item.words == nullptr ? item.offset : make_block(item.words, item.count);
            tx_->store(word_of(*page_, old.word()), offset);
            set(slot, item.tag, {Place::outside | old.word()}, bits_at(old.word(), 1), mine);
        }
    }

    /// A record in the page has become shorter, and needs so many words at its place from now on.
    void shorten(const SlotOf& slot, std::uint64_t old_words, std::uint64_t words) {
        const Word less = bits_at(slot.place().word() + words, old_words - words);
        tx_->store(page_->used, load(page_->used) & ~less);
        stale_ |= less;
    }

private:
    [[nodiscard]] RecordView record(Place place) const {
        return record_at(tx_->region(), *page_, place, page_words_);
    }

    [[nodiscard]] bool has_room(std::uint64_t count) const noexcept {
        return find_room(load(page_->used), page_words_, count) != 0;
    }

    [[nodiscard]] unsigned find_empty() const noexcept {
        for (unsigned i = 0; i < page_->slots.size(); ++i) {
            const Word places = load(page_->slots[i]) >> 32;
            if (const Word empty = Slots::zero_lanes(places | ~Word{0} << 32); empty != 0)
                return i * slots_per_word + static_cast<unsigned>(std::countr_zero(empty)) / 8;
        }
        return slots_per_page;
    }

    /// The words of the page that a record has.
    [[nodiscard]] Word bits_of(Place place) const {
        const Word bits = bits_at(place.word(), place.is_outside() ? 1 : record(place).sizes().words());
        if ((load(page_->used) & bits) != bits) [[unlikely]] // some would be another record's
            tx_->region().refuse(tx_->region().offset_of(page_));
        return bits;
    }

    void write(unsigned room, const Word* words, std::uint64_t count) {
        const bool is_stale = (bits_at(room, count) & stale_) != 0;
        for (std::uint64_t i = 0; i < count; ++i) {
            Word& word = word_of(*page_, room + i);
            if (is_stale)
                tx_->store(word, load(words[i]));
            else
                tx_->fill(word, load(words[i]));
        }
    }

    void set(const SlotOf& slot, Word tag, Place place, Word more, Word less) {
        const Word old = load(slot.word()), used = load(page_->used);
        tx_->store(typename Tx::Change{slot.word(), Slots::with(old, slot.lane(), tag, place)},
                   typename Tx::Change{page_->used, (used & ~less) | more});
        stale_ |= less;
    }

    /// A slot whose record has words enough in the page for one of them to be left over; or slots_per_page.
    [[nodiscard]] unsigned find_evictable() const {
        unsigned found = slots_per_page;
        for_each_slot(*page_, [&](unsigned index, Place place) {
            if (!place.is_outside() && std::popcount(bits_of(place)) > 1) found = index;
        });
        return found;
    }

    /// Makes room by giving a record of the page a block of its own.
    bool evict() {
        const unsigned index = find_evictable();
        if (index == slots_per_page) return false;
        const SlotOf slot{page_, index};
        const Place place = slot.place();
        const Word mine = bits_of(place);
        const std::uint64_t offset =
            make_block(&word_of(*page_, place.word()), static_cast<std::uint64_t>(std::popcount(mine)));
        tx_->store(word_of(*page_, place.word()), offset);
        set(slot, slot.tag(), {Place::outside | place.word()}, bits_at(place.word(), 1), mine);
        return true;
    }

    [[nodiscard]] std::uint64_t make_block(const Word* words, std::uint64_t count) {
        const std::uint64_t offset = tx_->allocate(count * word_size);
        Word* const to = tx_->region().words(offset, count);
        for (std::uint64_t i = 0; i < count; ++i) tx_->fill(to[i], load(words[i]));
        allocated_ += tx_->block_size(offset);
        return offset;
    }

    void free_block(const RecordView& record) {
        const std::uint64_t offset = tx_->region().offset_of(record.words());
        freed_ += tx_->block_size(offset);
        tx_->free(offset);
    }

    Tx* tx_;
    Page* page_;
    std::uint64_t page_words_;
    Word stale_; ///< as `used`: words that a record has again if the transaction is undone
    std::uint64_t allocated_ = 0;
    std::uint64_t freed_ = 0;
};

} // namespace ss::inline v0::detail
