// Making a vector larger, while others use it without the lock.
//
//     transaction    the segments that are missing, zeroed; touch the entry's version; wanted = n
//     commit         it has happened
//     publish        published = n: one store, which those without the lock go by
//
// What is published is never undone, so nobody may publish a `wanted` that is not committed. Who holds the lock and has no
// transaction under way knows that it is; who does not, reads it under the entry's version (committed_size). `published`
// only ever rises, to committed sizes that only ever rise: so any number may publish at once, and late. Killed between
// the commit and the publishing, the next who looks for what is not there yet does it.
//
// A large segment is zeroed in steps, each a transaction of its own, so that nobody waits for the lock for long. It is
// `pending` until all of it is zero. Whoever dies on the way leaves it, and the next to expand goes on: also two at once.
#pragma once

#include <ss/domain/directory.hpp>
#include <ss/domain/optimistic_read.hpp>
#include <ss/domain/transaction.hpp>
#include <ss/structure/atomic_vector/layout.hpp>
#include <ss/structure/garbage.hpp>
#include <ss/structure/object_read.hpp>

#include <algorithm>
#include <cstdint>

namespace ss::inline v0::detail {

/// Bytes that are zeroed while the lock is held; and by which the pool grows meanwhile, before it has room for a segment.
inline constexpr std::uint64_t zeroing_step = mebi;
inline constexpr std::uint64_t growing_step = 16 * mebi;

/// Raises `published` to a size that is committed.
inline void publish(VectorHead& head, Word size) noexcept {
    Word seen = load(head.published);
    while (seen < size &&
           !__atomic_compare_exchange_n(&head.published, &seen, size, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {}
}

/// The size that the last committed transaction has given the vector, published or not. Takes no lock, unless its last
/// writer is dead or takes long. Within a transaction of this thread that expands it: the size before.
[[nodiscard]] inline Word committed_size(const DomainCore& domain, const ObjectRef& object, const VectorHead& head) {
    const Word& version = object.entry->version;
    Word size = 0;
    read_optimistically(domain, domain.locker(), [&](auto reading) {
        Word seen = 0;
        if (!reading.begin(version, seen)) return false;
        const bool under_way = reading.is_locked && (load(version) & 1) != 0;
        size = load(under_way ? head.published : head.wanted);
        const bool stands = load(object.entry->generation) == object.generation;
        if (!reading.validate(version, seen)) return false;
        if (!stands) check_stands(domain, object);
        return true;
    });
    return size;
}

/// Where an expansion has got to in one process: how far the pool is to grow before a segment is taken out of it.
struct Growth {
    std::uint64_t segment = vector_segments; ///< that it is grown for
    std::uint64_t end = 0;
};

template <class Tx>
class VectorExpander {
public:
    /// Within a transaction. Throws no_such_object, damaged.
    VectorExpander(Tx& tx, const ObjectRef& object) : tx_(&tx), entry_(object.entry) {
        check_stands(tx.domain(), object);
        head_ = &tx.region().at(Offset<VectorHead>{load(entry_->root[0])});
    }

    /// Goes on until there are `size` elements of `element` bytes: all the way.
    void expand(std::uint64_t size, std::uint64_t element) {
        Budget all{.bytes = ~std::uint64_t{0}, .growth = nullptr};
        (void)advance(size, element, all);
    }

    /// The same, one step of it. True if there are so many now.
    [[nodiscard]] bool step(std::uint64_t size, std::uint64_t element, Growth& growth) {
        Budget some{.bytes = zeroing_step, .growth = &growth};
        return advance(size, element, some);
    }

private:
    struct Budget {
        std::uint64_t bytes; ///< to be zeroed
        Growth* growth;      ///< null: the pool grows at once
    };

    [[nodiscard]] bool advance(std::uint64_t size, std::uint64_t element, Budget& budget) {
        if (size <= load(head_->wanted)) return true;
        const std::uint64_t needed = segments_for(size * element);
        for (std::uint64_t segment = 0; segment < needed; ++segment)
            if (load(head_->segments[segment]) == 0 && !add(segment, budget)) return false;
        // Untouched: what is wanted until now is committed. After this, nobody can tell.
        if ((load(entry_->version) & 1) == 0) publish(*head_, load(head_->wanted));
        tx_->touch_always(entry_->version);
        tx_->store(head_->wanted, size);
        return true;
    }

    /// Adds a segment, the first that is missing; false if that takes another step.
    [[nodiscard]] bool add(std::uint64_t segment, Budget& budget) {
        if (budget.bytes == 0) return false;
        const std::uint64_t bytes = segment_bytes(segment);
        const Word pending = load(head_->pending);
        Word word = pending;
        if (word == 0) {
            if (budget.growth != nullptr && !has_room(segment, *budget.growth)) return false;
            const std::uint64_t block = tx_->allocate(AlignedBlock::room(bytes));
            tx_->store(head_->bytes, load(head_->bytes) + tx_->block_size(block));
            word = AlignedBlock::word(block);
        }
        const std::uint64_t begin = pending == 0 ? 0 : std::min(load(head_->zeroed), bytes);
        const std::uint64_t end = begin + std::min(bytes - begin, budget.bytes);
        zero(AlignedBlock::use(word) + begin, end - begin);
        budget.bytes -= end - begin;
        const bool whole = end == bytes;
        if (whole) tx_->store(head_->segments[segment], word);
        if (!whole || pending != 0) {
            tx_->store(head_->pending, whole ? 0 : word);
            tx_->store(head_->zeroed, whole ? 0 : end);
        }
        return whole;
    }

    /// Makes the pool grow a step on the way to a large segment; true if it has got there, or cannot: the allocator sees
    /// to the rest. What it has grown by is room for anybody, whatever becomes of us.
    [[nodiscard]] bool has_room(std::uint64_t segment, Growth& growth) {
        const std::uint64_t bytes = segment_bytes(segment);
        if (bytes <= growing_step) return true;
        const std::uint64_t end = tx_->region().end();
        if (growth.segment != segment) {
            growth.segment = segment;
            const bool fits_in = Tx::Allocator::bytes_free(tx_->allocator(), *tx_) >= bytes;
            growth.end = fits_in ? end : end + bytes;
        }
        const std::uint64_t limit = tx_->region().begin() + tx_->domain().attachment().header().region_stride;
        if (end >= growth.end || growth.end > limit) return true;
        tx_->grow(std::min(growing_step, growth.end - end));
        return false;
    }

    /// Of what is nobody's yet: no journal.
    void zero(std::uint64_t offset, std::uint64_t bytes) {
        Word* const words = tx_->region().words(offset, bytes / word_size);
        for (std::uint64_t i = 0; i < bytes / word_size; ++i) tx_->fill(words[i], 0);
    }

    Tx* tx_;
    DirectoryEntry* entry_;
    VectorHead* head_ = nullptr;
};

/// A new head without elements; the word for the entry's root.
template <class Tx>
[[nodiscard]] std::uint64_t make_vector(Tx& tx, ElementCode code) {
    const std::uint64_t block = tx.allocate(AlignedBlock::room(sizeof(VectorHead)));
    const std::uint64_t offset = AlignedBlock::use(AlignedBlock::word(block));
    Word* const words = tx.region().words(offset, sizeof(VectorHead) / word_size);
    for (std::uint64_t i = 0; i < sizeof(VectorHead) / word_size; ++i) tx.fill(words[i], 0);
    VectorHead& head = tx.region().at(Offset<VectorHead>{offset});
    tx.fill(head.block, block);
    tx.fill(head.element, code);
    tx.fill(head.bytes, tx.block_size(block));
    return offset;
}

/// What vectors have done after a commit, while the lock is still held: their new size is published.
template <class DomainType>
[[nodiscard]] const Upkeep::Functions& vector_upkeep() noexcept {
    static constexpr Upkeep::Functions functions = {
        .run =
            [](void* any, const Upkeep& upkeep) {
                auto& domain = *static_cast<DomainType*>(any);
                const ObjectRef& object = upkeep.object;
                if (object.entry != nullptr && load(object.entry->generation) == object.generation) {
                    VectorHead& head = domain.region().at(Offset<VectorHead>{load(object.entry->root[0])});
                    publish(head, load(head.wanted));
                }
                reap_some(domain);
            },
        .reclaim = [](void* domain, const Upkeep&) { return reclaim(*static_cast<DomainType*>(domain)); }};
    return functions;
}

} // namespace ss::inline v0::detail
