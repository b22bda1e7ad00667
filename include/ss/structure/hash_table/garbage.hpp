// Taking apart what a table has left behind, a few blocks at a time.
//
// A head on the garbage list still has its segments, chains and records. Its cursor is the first bucket that has any;
// each step frees one line's records, or one overflow line, or one segment, and at last the head, and is a transaction
// of its own. Whoever dies in one leaves it undone, and the next goes on where the cursor stands.
#pragma once

#include <ss/domain/census.hpp>
#include <ss/domain/layout.hpp>
#include <ss/structure/hash_table/layout.hpp>
#include <ss/structure/hash_table/record.hpp>

#include <cstdint>

namespace ss::inline v0::detail {

/// Frees up to about 8 blocks of a table's garbage. False if there is none. Within a transaction.
template <class Tx>
bool reap_hash_table(Tx& tx) {
    auto& first = tx.block().garbage.first;
    Word& chains = first[static_cast<std::uint64_t>(GarbageKind::bucket_chain)];
    if (const std::uint64_t offset = load(chains); offset != 0) {
        OverflowLine& line = tx.region().at(Offset<OverflowLine>{offset});
        if (const Word next = load(line.slots.back()); Slot::is_link(next)) {
            tx.store(tx.region().at(Offset<OverflowLine>{Slot::offset(next)}).link, load(line.link));
            tx.store(chains, Slot::offset(next));
        } else {
            tx.store(chains, load(line.link));
        }
        tx.free_garbage(offset);
        return true;
    }
    Word& tables = first[static_cast<std::uint64_t>(GarbageKind::hash_table)];
    if (load(tables) == 0) return false;
    HashTableHead& head = tx.region().at(Offset<HashTableHead>{load(tables)});
    const auto free_records = [&](const std::array<Word, slots_per_line>& slots) {
        for (const Word& slot : slots)
            if (const Word word = load(slot); Slot::is_record(word)) tx.free_garbage(Slot::offset(word));
    };
    const std::uint64_t buckets = load(head.buckets);
    std::uint64_t cursor = load(head.cursor);
    for (int empty = 0; cursor < buckets; ++cursor, ++empty) {
        Bucket& bucket = bucket_at(tx.region(), head, cursor);
        const Word link = load(bucket.slots.back());
        if (Slot::is_link(link)) {
            auto& slots = linked_slots(tx.region(), link);
            free_records(slots);
            tx.store(bucket.slots.back(), Slot::is_link(load(slots.back())) ? load(slots.back()) : 0);
            tx.free_garbage(Slot::offset(link));
            if (cursor != load(head.cursor)) tx.store(head.cursor, cursor);
            return true;
        }
        bool any = false;
        for (const Word& slot : bucket.slots) any |= load(slot) != 0;
        if (any || empty == 64) {
            free_records(bucket.slots);
            tx.store(head.cursor, cursor + 1);
            return true;
        }
    }
    if (cursor != load(head.cursor)) tx.store(head.cursor, cursor);
    if (const std::uint64_t spare = load(head.spare); spare != 0) {
        tx.store(head.spare, load(tx.region().at(Offset<OverflowLine>{spare}).link));
        tx.free_garbage(spare);
        return true;
    }
    for (Word& segment : head.segments)
        if (load(segment) != 0) {
            tx.free_garbage(AlignedBlock::block(load(segment)));
            tx.store(segment, 0);
            return true;
        }
    tx.store(tables, load(head.garbage_next));
    tx.free_garbage(load(head.block));
    return true;
}

/// Counts the blocks that hang on a head: all of a live table's, or what is left of a garbage one's.
inline void count_head(const Region& region, std::uint64_t offset, Census& census) {
    const HashTableHead& head = region.at(Offset<HashTableHead>{offset});
    const std::uint64_t limit = chain_limit(region);
    std::uint64_t lines = limit; // in all buckets together: chains share none
    const auto count_slots = [&](const std::array<Word, slots_per_line>& slots) {
        for (const Word& slot : slots)
            if (const Word word = load(slot); Slot::is_record(word))
                census.use(Slot::offset(word), RecordView(region, Slot::offset(word)).sizes().words() * word_size);
    };
    for (std::uint64_t number = load(head.cursor); number < load(head.buckets); ++number) {
        const Bucket& bucket = bucket_at(region, head, number);
        count_slots(bucket.slots);
        Word link = load(bucket.slots.back());
        for (; Slot::is_link(link); --lines) {
            if (lines == 0) region.refuse(Slot::offset(link));
            census.use(Slot::offset(link), sizeof(OverflowLine));
            const auto& slots = linked_slots(region, link);
            count_slots(slots);
            link = load(slots.back());
        }
    }
    std::uint64_t spare = load(head.spare);
    for (std::uint64_t left = limit; spare != 0; --left) {
        if (left == 0) region.refuse(spare);
        census.use(spare, sizeof(OverflowLine));
        spare = load(region.at(Offset<OverflowLine>{spare}).link);
    }
    for (std::uint64_t segment = 0; segment < max_segments; ++segment)
        if (const Word word = load(head.segments[segment]); word != 0)
            census.use(AlignedBlock::block(word),
                       AlignedBlock::use(word) - AlignedBlock::block(word) +
                           segment_buckets(segment, min_bits_of(region, head)) * sizeof(Bucket));
    census.use(load(head.block), offset - load(head.block) + sizeof(HashTableHead));
}

/// Counts what tables have left on a domain's garbage lists.
inline void count_hash_table_garbage(const DomainCore& domain, Census& census) {
    const Region& region = domain.region();
    const auto& first = domain.block().garbage.first;
    const std::uint64_t limit = chain_limit(region);
    std::uint64_t left = limit;
    for (std::uint64_t head = load(first[static_cast<std::uint64_t>(GarbageKind::hash_table)]); head != 0; --left) {
        if (left == 0) region.refuse(head);
        count_head(region, head, census);
        head = load(region.at(Offset<HashTableHead>{head}).garbage_next);
    }
    left = limit;
    for (std::uint64_t chain = load(first[static_cast<std::uint64_t>(GarbageKind::bucket_chain)]); chain != 0;) {
        const std::uint64_t next = load(region.at(Offset<OverflowLine>{chain}).link);
        for (Word line = Slot::link(chain); Slot::is_link(line); --left) {
            if (left == 0) region.refuse(chain);
            census.use(Slot::offset(line), sizeof(OverflowLine));
            line = load(linked_slots(region, line).back());
        }
        chain = next;
    }
}

} // namespace ss::inline v0::detail
