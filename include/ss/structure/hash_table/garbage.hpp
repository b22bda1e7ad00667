// Taking apart what a table has left behind, a few blocks at a time.
//
// A head on the garbage list still has its segments, pages and records. Its cursor is the first bucket that may have
// something to free; each step frees what a page has outside, or also a page behind a bucket's first, or a segment, and at
// last the head, and is a transaction of its own. Whoever dies in one leaves it undone, and the next goes on where the
// cursor stands.
#pragma once

#include <ss/domain/census.hpp>
#include <ss/domain/layout.hpp>
#include <ss/structure/hash_table/layout.hpp>
#include <ss/structure/hash_table/record.hpp>

#include <cstdint>

namespace ss::inline v0::detail {

/// Frees up to about 20 blocks of a table's garbage. False if there is none. Within a transaction.
template <class Tx>
bool reap_hash_table(Tx& tx) {
    const Region& region = tx.region();
    auto& first = tx.block().garbage.first;
    Word& chains = first[static_cast<std::uint64_t>(GarbageKind::bucket_chain)];
    if (const std::uint64_t offset = load(chains); offset != 0) {
        // What is linked behind it takes its place on the list.
        const Page& page = region.at(Offset<Page>{offset});
        if (const std::uint64_t next = load(page.link); next != 0) {
            tx.store(region.at(Offset<Page>{next}).version, load(page.version));
            tx.store(chains, next);
        } else {
            tx.store(chains, load(page.version));
        }
        tx.free_garbage(offset);
        return true;
    }
    Word& tables = first[static_cast<std::uint64_t>(GarbageKind::hash_table)];
    if (load(tables) == 0) return false;
    HashTableHead& head = region.at(Offset<HashTableHead>{load(tables)});
    const std::uint64_t page_words = page_words_of(region, head);
    const auto free_records = [&](const Page& page) {
        bool any = false;
        for_each_slot(page, [&](unsigned, Place place) {
            if (!place.is_outside()) return;
            tx.free_garbage(region.offset_of(record_at(region, page, place, page_words).words()));
            any = true;
        });
        return any;
    };
    const std::uint64_t buckets = load(head.buckets);
    std::uint64_t cursor = load(head.cursor);
    for (int looked = 0; cursor < buckets; ++cursor, ++looked) {
        Page& bucket = bucket_at(region, head, cursor);
        if (const std::uint64_t link = load(bucket.link); link != 0) {
            const Page& page = page_at(region, link, page_words);
            (void)free_records(page);
            tx.store(bucket.link, load(page.link));
            tx.free_garbage(link);
            if (cursor != load(head.cursor)) tx.store(head.cursor, cursor);
            return true;
        }
        if (free_records(bucket) || looked == 64) {
            tx.store(head.cursor, cursor + 1);
            return true;
        }
    }
    if (cursor != load(head.cursor)) tx.store(head.cursor, cursor);
    if (const std::uint64_t spare = load(head.spare); spare != 0) {
        tx.store(head.spare, load(region.at(Offset<Page>{spare}).version));
        tx.free_garbage(spare);
        return true;
    }
    for (std::uint64_t i = 0; i < max_segments; ++i)
        if (const Word segment = segment_of(region, head, i); segment != 0) {
            tx.free_garbage(AlignedBlock::block(segment));
            tx.store(*segment_word(region, head, i), 0);
            return true;
        }
    if (const std::uint64_t more = load(head.more); more != 0) {
        tx.free_garbage(more);
        tx.store(head.more, 0);
        return true;
    }
    tx.store(tables, load(head.garbage_next));
    tx.free_garbage(load(head.block));
    return true;
}

/// Counts the blocks that hang on a head: all of a live table's, or what is left of a garbage one's.
inline void count_head(const Region& region, std::uint64_t offset, Census& census) {
    const HashTableHead& head = region.at(Offset<HashTableHead>{offset});
    const std::uint64_t page_bytes = page_words_of(region, head) * word_size;
    const std::uint64_t limit = chain_limit(region);
    std::uint64_t pages = limit; // in all buckets together: chains share none
    const auto count_records = [&](const Page& page) {
        for_each_slot(page, [&](unsigned, Place place) {
            if (!place.is_outside()) return;
            const RecordView record = record_at(region, page, place, page_bytes / word_size);
            census.use(region.offset_of(record.words()), record.sizes().words() * word_size);
        });
    };
    for (std::uint64_t number = load(head.cursor); number < load(head.buckets); ++number) {
        const Page& bucket = bucket_at(region, head, number);
        count_records(bucket);
        for (std::uint64_t link = load(bucket.link); link != 0; --pages) {
            if (pages == 0) region.refuse(link);
            census.use(link, page_bytes);
            const Page& page = page_at(region, link, page_bytes / word_size);
            count_records(page);
            link = load(page.link);
        }
    }
    std::uint64_t spare = load(head.spare);
    for (std::uint64_t left = limit; spare != 0; --left) {
        if (left == 0) region.refuse(spare);
        census.use(spare, page_bytes);
        spare = load(region.at(Offset<Page>{spare}).version);
    }
    for (std::uint64_t segment = 0; segment < max_segments; ++segment)
        if (const Word word = segment_of(region, head, segment); word != 0)
            census.use(AlignedBlock::block(word),
                       AlignedBlock::use(word) - AlignedBlock::block(word) +
                           segment_buckets(segment, min_bits_of(region, head)) * page_bytes);
    if (const std::uint64_t more = load(head.more); more != 0) census.use(more, segments_in_more * word_size);
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
        const std::uint64_t next = load(region.at(Offset<Page>{chain}).version);
        for (std::uint64_t page = chain; page != 0; --left) {
            if (left == 0) region.refuse(chain);
            census.use(page, sizeof(Page));
            page = load(region.at(Offset<Page>{page}).link);
        }
        chain = next;
    }
}

} // namespace ss::inline v0::detail
