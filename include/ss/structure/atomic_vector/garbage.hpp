// Giving back the memory of vectors that were removed: not before everybody has left who may still be at it.
//
// Element operations take no lock, so one that began before the vector was removed may end at any time after. Its memory
// must not become anything else until then. There is a moment at which nobody can be in the middle of one: when somebody
// attaches and is alone, which begins a new attach era (pool/attachment.hpp). So a head on the garbage list says in which
// era it came there, and is freed in a later one. (A read-only pool's users may stay on through a new era. They only
// look, and look at the entry's generation again afterwards.)
//
//     first ──> head of this era ──older──> head of an era before ──older──> …
//                    │ next                      │ next
//                    v                           v
//                   head ──next──> …            head ──next──> …
//
// A row for each era: what may be freed is found in two steps, however much may not. A step frees a few segments, or one
// head, and is a transaction of its own.
#pragma once

#include <ss/domain/census.hpp>
#include <ss/domain/layout.hpp>
#include <ss/structure/atomic_vector/layout.hpp>

#include <cstdint>

namespace ss::inline v0::detail {

inline constexpr auto vector_garbage = static_cast<std::uint64_t>(GarbageKind::atomic_vector);

/// Hangs a head with all that it has on the garbage list. The caller leaves the entry.
template <class Tx>
void discard_vector(Tx& tx, std::uint64_t offset) {
    Word& first = tx.block().garbage.first[vector_garbage];
    VectorHead& head = tx.region().at(Offset<VectorHead>{offset});
    const Word era = load_acquire(tx.domain().attachment().state().era);
    tx.store(head.garbage_era, era);
    if (load(first) != 0) {
        VectorHead& newest = tx.region().at(Offset<VectorHead>{load(first)});
        if (load(newest.garbage_era) == era) {
            tx.store(head.garbage_next, load(newest.garbage_next));
            tx.store(newest.garbage_next, offset);
        } else {
            tx.store(head.garbage_older, load(first));
            tx.store(first, offset);
        }
    } else {
        tx.store(first, offset);
    }
    tx.store(tx.block().garbage.bytes, load(tx.block().garbage.bytes) + load(head.bytes));
}

/// Frees up to 8 blocks of a vector's garbage. False if there is none that may be freed. Within a transaction.
template <class Tx>
bool reap_atomic_vector(Tx& tx) {
    Word* link = &tx.block().garbage.first[vector_garbage];
    if (load(*link) == 0) return false;
    const auto head_at = [&](Word offset) -> VectorHead& { return tx.region().at(Offset<VectorHead>{offset}); };
    if (load(head_at(load(*link)).garbage_era) == load_acquire(tx.domain().attachment().state().era)) {
        link = &head_at(load(*link)).garbage_older;
        if (load(*link) == 0) return false;
    }
    // Those behind the first of the row, then that one.
    const bool last = load(head_at(load(*link)).garbage_next) == 0;
    Word& victim = last ? *link : head_at(load(*link)).garbage_next;
    VectorHead& head = head_at(load(victim));
    int left = 8;
    const auto free_block = [&](Word& word) {
        if (load(word) == 0 || left == 0) return;
        --left;
        tx.free_garbage(AlignedBlock::block(load(word)));
        tx.store(word, 0);
    };
    free_block(head.pending);
    for (Word& segment : head.segments) free_block(segment);
    if (left == 8) {
        tx.store(victim, load(last ? head.garbage_older : head.garbage_next));
        tx.free_garbage(load(head.block));
    }
    return true;
}

/// Counts the blocks that hang on a head: all of a live vector's, or what is left of a garbage one's.
inline void count_vector(const Region& region, std::uint64_t offset, Census& census) {
    const VectorHead& head = region.at(Offset<VectorHead>{offset});
    const auto use = [&](Word word, std::uint64_t segment) {
        if (word != 0)
            census.use(AlignedBlock::block(word),
                       AlignedBlock::use(word) - AlignedBlock::block(word) + segment_bytes(segment));
    };
    std::uint64_t missing = 0; // the first
    while (missing + 1 < vector_segments && load(head.segments[missing]) != 0) ++missing;
    for (std::uint64_t segment = 0; segment < vector_segments; ++segment) use(load(head.segments[segment]), segment);
    use(load(head.pending), missing);
    census.use(load(head.block), offset - load(head.block) + sizeof(VectorHead));
}

/// Counts what vectors have left on a domain's garbage list.
inline void count_vector_garbage(const DomainCore& domain, Census& census) {
    const Region& region = domain.region();
    std::uint64_t left = region.size() / sizeof(VectorHead) + 1;
    for (Word row = load(domain.block().garbage.first[vector_garbage]); row != 0;
         row = load(region.at(Offset<VectorHead>{row}).garbage_older))
        for (Word head = row; head != 0; head = load(region.at(Offset<VectorHead>{head}).garbage_next)) {
            if (left-- == 0) region.refuse(head);
            count_vector(region, head, census);
        }
}

} // namespace ss::inline v0::detail
