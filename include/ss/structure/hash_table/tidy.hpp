// Tidying a bucket after it was split or merged.
//
// Either leaves pages behind the first that have room by now, and records outside of pages that could lie in them. What fits
// into the first page moves there, in small transactions. Whoever dies before that leaves a bucket that is as right, and a
// little slower.
#pragma once

#include <ss/structure/hash_table/write.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ss::inline v0::detail {

template <class DomainType>
class BucketTidier {
    using Tx = typename DomainType::Tx;

public:
    /// The caller holds the lock, and no transaction is under way.
    BucketTidier(DomainType& domain, HashTableHead& head, std::uint64_t page_words) noexcept
        : domain_(&domain), head_(&head), page_words_(page_words) {}

    /// Moves records of a bucket into its first page, as far as that has room, from the page behind it and from outside. In
    /// a few steps: how much there is to do is nothing that one operation may wait for.
    void tidy(Page& bucket) {
        constexpr int most_steps = 8;
        for (int i = 0; i < most_steps; ++i)
            if (!domain_->step([&](Tx& tx) { return pull_page(tx, bucket); })) break;
        for (int i = 0; i < most_steps; ++i)
            if (!domain_->step([&](Tx& tx) { return pull_inside(tx, bucket); })) break;
    }

private:
    static constexpr std::size_t moves_at_once = 4;

    [[nodiscard]] const Region& region() const noexcept { return domain_->region(); }

    /// Moves some records of the second page into the first, and frees it if it has none any more. False if there is
    /// nothing to move, or no room.
    bool pull_page(Tx& tx, Page& first) {
        const std::uint64_t link = load(first.link);
        if (link == 0) return false;
        Page& second = in_heap(region(), page_at(region(), link, page_words_));
        tx.touch(first.version);
        PageEditor<Tx> into(tx, first, page_words_), from(tx, second, page_words_);
        std::vector<unsigned> moved;
        bool full = false;
        for_each_slot(second, [&](unsigned index, Place place) {
            if (full || moved.size() == moves_at_once) return;
            const RecordView record = record_at(region(), second, place, page_words_);
            full = !into.add(item_of(region(), {.page = &second, .index = index}, record));
            if (!full) moved.push_back(index);
        });
        from.take(moved);
        const bool is_done = is_empty(second);
        const std::uint64_t freed = is_done ? drop_page(tx, first, second, page_words_) : 0;
        if (into.allocated() != freed) tx.store(head_->bytes, load(head_->bytes) + into.allocated() - freed);
        return is_done || !moved.empty();
    }

    /// Moves some records from blocks of their own into the page. False if there are none that fit in.
    bool pull_inside(Tx& tx, Page& first) {
        PageEditor<Tx> editor(tx, first, page_words_);
        std::size_t moved = 0;
        for_each_slot(first, [&](unsigned index, Place place) {
            if (!place.is_outside() || moved == moves_at_once) return;
            const RecordView record = record_at(region(), first, place, page_words_);
            const SlotOf slot{.page = &first, .index = index};
            if (!editor.has_room_for(record.sizes().words())) return;
            if (moved++ == 0) tx.touch(first.version);
            editor.replace(
                slot, {.tag = slot.tag(), .words = record.words(), .count = record.sizes().words(), .offset = 0});
        });
        if (moved != 0) tx.store(head_->bytes, load(head_->bytes) + editor.allocated() - editor.freed());
        return moved != 0;
    }

    DomainType* domain_;
    HashTableHead* head_;
    std::uint64_t page_words_;
};

} // namespace ss::inline v0::detail
