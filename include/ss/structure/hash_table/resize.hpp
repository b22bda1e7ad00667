// Growing and shrinking by one bucket.
//
// A split moves about half of one bucket's records into a new bucket at the table's end. It is one transaction, whose
// journal is small however long the chain is: both heads are rewritten (7 words), the overflow lines of both new chains
// come from a list of spare lines that small transactions filled before, and the old lines go to the garbage list as
// they hang together. Segments come and go in transactions of their own, that touch no version inside them; a large one
// comes before it is needed, in small steps.
//
//     bucket s: a b c d e f ->  g h              bucket s: a d e h
//                                       =>       bucket n: b c f g          n = s + 2^level
//
// A merge is the reverse: the last bucket's records go into free slots of the bucket it was split from, and its overflow
// lines are hung behind that one's.
#pragma once

#include <ss/hash/concept.hpp>
#include <ss/structure/hash_table/write.hpp>

#include <array>
#include <cstdint>
#include <vector>

namespace ss::inline v0::detail {

/// Split above this many entries for each bucket, merge below that many: 4 of 7 slots keeps chains rare, and the gap
/// keeps a table that stays about as large from going back and forth.
inline constexpr std::uint64_t entries_to_split = 4;
inline constexpr std::uint64_t entries_to_merge = 2;

/// How many overflow lines a bucket of so many records needs: each line but the last gives a slot to its link.
[[nodiscard]] constexpr std::uint64_t overflow_lines(std::uint64_t records) noexcept {
    return records <= slots_per_line ? 0 : (records - slots_per_line + slots_per_line - 2) / (slots_per_line - 1);
}

static_assert(overflow_lines(7) == 0 && overflow_lines(8) == 1 && overflow_lines(13) == 1 && overflow_lines(14) == 2);

template <class DomainType, class Hash>
class TableResizer {
    using Tx = typename DomainType::Tx;

public:
    /// The caller holds the lock, and no transaction is under way.
    TableResizer(DomainType& domain, const ObjectRef& object, const HashSeed& seed)
        : domain_(&domain), object_(&object), seed_(seed) {}

    [[nodiscard]] bool wants_split() const {
        const HashTableHead& table = head();
        return load(table.size) > load(table.buckets) * entries_to_split;
    }

    [[nodiscard]] bool wants_merge() const {
        const HashTableHead& table = head();
        return load(table.size) < load(table.buckets) * entries_to_merge &&
               load(table.buckets) > std::uint64_t{1} << min_bits_of(region(), table);
    }

    /// Adds a bucket. Throws out_of_space and the like, with the table as it was but for spare lines.
    void split() {
        const std::uint64_t number = load(head().buckets);
        prepare_bucket(number);
        const Parting parting = part(number - (std::uint64_t{1} << log2_floor(number)), number);
        const std::uint64_t lines = overflow_lines(parting.stay.size()) + overflow_lines(parting.move.size());
        while (load(head().spares) < lines) add_spare();
        domain_->step([&](Tx& tx) { split_in(tx, parting, number, lines); });
    }

    /// Takes the last bucket away.
    void merge() {
        const std::uint64_t last = load(head().buckets) - 1;
        domain_->step([&](Tx& tx) { merge_in(tx, last); });
        const BucketPlace place = place_of(last, min_bits_of(region(), head()));
        const std::uint64_t ahead = place.segment + 1;
        if (ahead < max_segments && load(head().segments[ahead]) != 0)
            domain_->step([&](Tx& tx) { drop_segment(tx, ahead, last + 1); });
        if (place.segment != 0 && place.index == 0)
            domain_->step([&](Tx& tx) { drop_segment(tx, place.segment, last); });
    }

private:
    static constexpr std::uint64_t initialise_at_once = 32;
    static constexpr std::uint64_t growth_step = 512 * kibi;

    /// A bucket's records, by the bucket that they belong to after the split.
    struct Parting {
        std::uint64_t source;
        std::vector<Word> stay;
        std::vector<Word> move;
    };

    [[nodiscard]] const Region& region() const noexcept { return domain_->region(); }
    [[nodiscard]] HashTableHead& head() const {
        return region().at(Offset<HashTableHead>{load(object_->entry->root[0])});
    }
    [[nodiscard]] Bucket& bucket(std::uint64_t number) const { return bucket_at(region(), head(), number); }

    /// Sees to it that bucket `number` has memory, and a version that is even.
    void prepare_bucket(std::uint64_t number) {
        const std::uint64_t min_bits = min_bits_of(region(), head());
        const BucketPlace place = place_of(number, min_bits);
        if (place.segment >= max_segments) throw Error(errc::too_large, "the table has as many buckets as it can");
        if (load(head().segments[place.segment]) == 0) add_segment(place.segment, min_bits);
        if (number < load(head().initialised)) return;
        // In a transaction of its own: nobody may ever have looked at a version that is set to 0 here.
        const std::uint64_t buckets = segment_buckets(place.segment, min_bits);
        const std::uint64_t end = std::min(number + initialise_at_once, number - place.index + buckets);
        domain_->step([&](Tx& tx) {
            for (std::uint64_t i = number; i < end; ++i) tx.fill(bucket(i).version, 0);
            tx.store(head().initialised, end);
        });
        try {
            grow_ahead(place.segment + 1, place.index >= buckets - buckets / 8, min_bits);
        } catch (const Error&) {
            // What is not to be had now is asked for again when it is needed.
        }
    }

    void add_segment(std::uint64_t segment, std::uint64_t min_bits) {
        domain_->step([&](Tx& tx) {
            const std::uint64_t block = tx.allocate(segment_room(segment, min_bits));
            tx.touch(object_->entry->version);
            tx.store(head().segments[segment], AlignedBlock::word(block));
            tx.store(head().bytes, load(head().bytes) + tx.block_size(block));
        });
    }

    [[nodiscard]] static std::uint64_t segment_room(std::uint64_t segment, std::uint64_t min_bits) noexcept {
        return AlignedBlock::room(segment_buckets(segment, min_bits) * sizeof(Bucket));
    }

    /// The kernel takes a quarter of a millisecond for 1 MiB of new memory, and a segment is as large as all before it. So
    /// it comes in steps, long before it is needed, and is had as soon as it is there: or others would take its place.
    /// What the next few buckets' records need comes in the same way.
    void grow_ahead(std::uint64_t segment, bool segment_is_near, std::uint64_t min_bits) {
        if constexpr (prepares<typename Tx::Allocator>) {
            // A step is longer than what the records take until the next one, or it would come to no end.
            const HashTableHead& table = head();
            const std::uint64_t step = growth_step + initialise_at_once * entries_to_split * load(table.bytes) /
                                                         std::max<std::uint64_t>(load(table.size), 1);
            const auto prepare = [&](std::uint64_t size) {
                return domain_->step([&](Tx& tx) { return Tx::Allocator::prepare(tx.allocator(), tx, size, step); });
            };
            if (!prepare(std::min(step, region().size() / 8))) return;
            if (!segment_is_near || segment >= max_segments || load(head().segments[segment]) != 0) return;
            const std::uint64_t size = segment_room(segment, min_bits);
            if (size > growth_step && prepare(size)) add_segment(segment, min_bits);
        }
    }

    [[nodiscard]] Parting part(std::uint64_t source, std::uint64_t target) const {
        Parting parting{.source = source, .stay = {}, .move = {}};
        for_each_record_of(bucket(source), [&](Word slot) {
            const RecordView record(region(), Slot::offset(slot));
            const bool moves = bucket_of(Hash::hash(record.key(), seed_), target + 1) == target;
            (moves ? parting.move : parting.stay).push_back(slot);
        });
        return parting;
    }

    template <class F>
    void for_each_record_of(const Bucket& first, F f) const {
        const std::array<Word, slots_per_line>* slots = &first.slots;
        for (std::uint64_t left = chain_limit(region()); left != 0; --left) {
            for (const Word& slot : *slots)
                if (const Word word = load(slot); Slot::is_record(word)) f(word);
            const Word last = load(slots->back());
            if (!Slot::is_link(last)) return;
            slots = &linked_slots(region(), last);
        }
        region().refuse(region().offset_of(&first));
    }

    void add_spare() {
        domain_->step([&](Tx& tx) {
            const std::uint64_t offset = tx.allocate(sizeof(OverflowLine));
            tx.fill(region().at(Offset<OverflowLine>{offset}).link, load(head().spare));
            tx.store(head().spare, offset);
            tx.store(head().spares, load(head().spares) + 1);
            tx.store(head().bytes, load(head().bytes) + tx.block_size(offset));
        });
    }

    void split_in(Tx& tx, const Parting& parting, std::uint64_t target, std::uint64_t lines) {
        HashTableHead& table = head();
        Bucket& old_bucket = bucket(parting.source);
        Bucket& new_bucket = bucket(target);
        tx.touch(old_bucket.version);
        tx.touch(new_bucket.version);
        discard_chain(tx, old_bucket);
        std::uint64_t spare = load(table.spare);
        write_chain(tx, old_bucket.slots, parting.stay, spare, [&](Word& slot, Word value) {
            if (load(slot) != value) tx.store(slot, value);
        });
        // The new bucket is nobody's until `buckets` counts it: what it held before need not be restored.
        write_chain(tx, new_bucket.slots, parting.move, spare, [&](Word& slot, Word value) { tx.fill(slot, value); });
        if (lines != 0) {
            tx.store(table.spare, spare);
            tx.store(table.spares, load(table.spares) - lines);
        }
        tx.store(table.buckets, target + 1);
    }

    /// Writes records into a line and, as far as they do not fit, into spare lines behind it. A spare line's link stays
    /// as it is, for a rollback puts the line back on the list.
    template <class Put>
    void write_chain(Tx& tx, std::array<Word, slots_per_line>& first, const std::vector<Word>& records,
                     std::uint64_t& spare, Put put_first) {
        std::array<Word, slots_per_line>* slots = &first;
        bool is_first = true;
        const auto write = [&](Word& slot, Word value) {
            if (is_first)
                put_first(slot, value);
            else
                tx.fill(slot, value);
        };
        for (std::size_t at = 0;;) {
            const std::size_t left = records.size() - at;
            const bool is_last = left <= slots_per_line;
            const std::size_t here = is_last ? left : slots_per_line - 1;
            for (std::size_t i = 0; i < slots_per_line; ++i)
                if (i < here || is_last) write((*slots)[i], i < here ? records[at + i] : 0);
            if (is_last) return;
            at += here;
            write(slots->back(), Slot::link(spare));
            OverflowLine& line = region().at(Offset<OverflowLine>{spare});
            spare = load(line.link);
            slots = &line.slots;
            is_first = false;
        }
    }

    /// The overflow lines behind a bucket become garbage, as they hang together; their records live on elsewhere.
    void discard_chain(Tx& tx, const Bucket& first) {
        const Word link = load(first.slots.back());
        if (!Slot::is_link(link)) return;
        std::uint64_t bytes = 0;
        Word next = link;
        for (std::uint64_t left = chain_limit(region()); Slot::is_link(next); --left) {
            if (left == 0) region().refuse(Slot::offset(link));
            bytes += tx.block_size(Slot::offset(next));
            next = load(linked_slots(region(), next).back());
        }
        tx.store(head().bytes, load(head().bytes) - bytes);
        tx.discard(GarbageKind::bucket_chain, Slot::offset(link), bytes);
    }

    void merge_in(Tx& tx, std::uint64_t last) {
        HashTableHead& table = head();
        Bucket& from = bucket(last);
        Bucket& into = bucket(last - (std::uint64_t{1} << log2_floor(last)));
        tx.touch(from.version);
        tx.touch(into.version);
        std::vector<Word> homeless; // at most 8
        for (const Word& slot : from.slots)
            if (const Word word = load(slot); Slot::is_record(word)) homeless.push_back(word);
        const Word chain = Slot::is_link(load(from.slots.back())) ? load(from.slots.back()) : 0;
        // Free slots first; the last line's last slot is kept for the link, if there is anything to link.
        std::array<Word, slots_per_line>* slots = &into.slots;
        for (std::uint64_t left = chain_limit(region());; --left) {
            if (left == 0) region().refuse(region().offset_of(&into));
            for (std::size_t i = 0; i + 1 < slots_per_line && !homeless.empty(); ++i)
                if (load((*slots)[i]) == 0) {
                    tx.store((*slots)[i], homeless.back());
                    homeless.pop_back();
                }
            if (!Slot::is_link(load(slots->back()))) break;
            slots = &linked_slots(region(), load(slots->back()));
        }
        Word& end = slots->back();
        if (chain == 0 && homeless.size() == 1 && load(end) == 0) {
            tx.store(end, homeless.back());
        } else if (chain != 0 || !homeless.empty()) {
            if (load(end) != 0) homeless.push_back(load(end));
            tx.store(end, append_lines(tx, homeless, chain));
        }
        tx.store(table.buckets, last);
    }

    /// New lines that hold `records` and then link to `chain`; the link to the first of them, or `chain` if none is needed.
    [[nodiscard]] Word append_lines(Tx& tx, std::vector<Word>& records, Word chain) {
        Word next = chain;
        std::uint64_t bytes = 0;
        while (!records.empty()) {
            const std::uint64_t offset = tx.allocate(sizeof(OverflowLine));
            OverflowLine& line = region().at(Offset<OverflowLine>{offset});
            tx.fill(line.link, 0);
            for (std::size_t i = 0; i + 1 < slots_per_line; ++i) {
                tx.fill(line.slots[i], records.empty() ? 0 : records.back());
                if (!records.empty()) records.pop_back();
            }
            tx.fill(line.slots.back(), next);
            next = Slot::link(offset);
            bytes += tx.block_size(offset);
        }
        if (bytes != 0) tx.store(head().bytes, load(head().bytes) + bytes);
        return next;
    }

    /// The segment that begins with bucket `first`, now past the end. Under the epoch: some reader may still be in it.
    void drop_segment(Tx& tx, std::uint64_t segment, std::uint64_t first) {
        Word& word = head().segments[segment];
        const std::uint64_t block = AlignedBlock::block(load(word));
        tx.touch(object_->entry->version);
        tx.store(word, 0);
        if (load(head().initialised) > first) tx.store(head().initialised, first);
        tx.store(head().bytes, load(head().bytes) - tx.block_size(block));
        tx.free(block);
    }

    DomainType* domain_;
    const ObjectRef* object_;
    HashSeed seed_;
};

} // namespace ss::inline v0::detail
