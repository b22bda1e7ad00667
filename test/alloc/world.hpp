// An allocator at work on a ModelHeap, watched by a map of what it has handed out.
#pragma once

#include <ss/alloc/concept.hpp>
#include <ss/base/bits.hpp>
#include <ss/base/error.hpp>
#include <ss/base/word.hpp>

#include "alloc/model_heap.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace ss::test {

/// Stops the test case with a sentence. Boost's own checks are too slow for millions of them.
inline void must(bool fine, const char* sentence) {
    if (!fine) [[unlikely]]
        BOOST_FAIL(sentence);
}

using Random = std::mt19937_64;

/// Evenly spread over [from, to].
inline std::uint64_t between(Random& random, std::uint64_t from, std::uint64_t to) {
    return from + random() % (to - from + 1);
}

/// A size as programs ask for: mostly small, powers of two and their neighbours, some of pages.
inline std::uint64_t any_size(Random& random, std::uint64_t most = 200'000) {
    std::uint64_t size = 0;
    switch (random() % 8) {
    case 0:
        size = (std::uint64_t{1} << between(random, 0, 17)) + random() % 3 - 1;
        break;
    case 1:
        size = between(random, 1, 16 * kibi);
        break;
    case 2:
        size = random() % 16 == 0 ? between(random, 1, 200'000) : between(random, 1, 64);
        break;
    default:
        size = between(random, 1, 1024);
        break;
    }
    return std::clamp<std::uint64_t>(size, 1, most);
}

template <AllocatorPolicy A>
class World {
public:
    struct Block {
        std::uint64_t asked;
        std::uint64_t size;
        std::uint64_t pattern;
        std::size_t place; // in `order_`
    };

    explicit World(const ModelHeap::Options& options = {}) : heap_(options) {
        // initialize must not depend on what it finds: "killed in the middle, it is called again".
        for (std::uint64_t i = 0; i < allocator_state_size / word_size; ++i) put(heap_.state_words()[i], ~i * 0x9E37);
        A::initialize(state(), heap_);
        commit();
    }

    [[nodiscard]] typename A::State& state() const noexcept { return heap_.template state<A>(); }
    [[nodiscard]] ModelHeap& heap() noexcept { return heap_; }
    [[nodiscard]] const ModelHeap& heap() const noexcept { return heap_; }
    [[nodiscard]] const std::map<std::uint64_t, Block>& blocks() const noexcept { return blocks_; }
    [[nodiscard]] std::uint64_t asked() const noexcept { return asked_; }
    [[nodiscard]] std::uint64_t most_allocate_entries() const noexcept { return most_allocate_entries_; }
    [[nodiscard]] std::uint64_t most_free_entries() const noexcept { return most_free_entries_; }

    /// Allocates, checks what can be checked at once, and overwrites every byte of the block as its owner.
    std::uint64_t allocate(std::uint64_t size, std::uint64_t alignment = 8) {
        const std::uint64_t before = heap_.entries();
        const std::uint64_t offset = A::allocate(state(), heap_, size, alignment);
        most_allocate_entries_ = std::max(most_allocate_entries_, heap_.entries() - before);
        must(heap_.entries() - before <= A::allocate_entries, "allocate writes more journal entries than it states");
        must(is_aligned(offset, alignment), "a block is not aligned as asked");
        const std::uint64_t usable = A::block_size(state(), std::as_const(heap_), offset);
        must(usable >= size && is_aligned(usable, word_size), "a block is smaller than asked");
        must(offset >= heap_.begin() && fits(offset, usable, heap_.end()), "a block lies outside the heap");
        const auto next = blocks_.lower_bound(offset);
        must(next == blocks_.end() || offset + usable <= next->first, "a block overlaps the next");
        must(next == blocks_.begin() || std::prev(next)->first + std::prev(next)->second.size <= offset,
             "a block overlaps the one before");
        const Block block{size, usable, ++patterns_ * 0x9E37'79B9'7F4A'7C15U, order_.size()};
        order_.push_back(offset);
        blocks_.emplace_hint(next, offset, block);
        allocated_ += usable;
        asked_ += size;
        overwrite(offset, block);
        return offset;
    }

    /// Frees a block, whose bytes must be as its owner left them.
    void free(std::uint64_t offset) {
        const auto found = blocks_.find(offset);
        must(found != blocks_.end(), "the test frees a block that is none");
        check_bytes(offset, found->second);
        const std::uint64_t before = heap_.entries();
        A::free(state(), heap_, offset);
        most_free_entries_ = std::max(most_free_entries_, heap_.entries() - before);
        must(heap_.entries() - before <= A::free_entries, "free writes more journal entries than it states");
        allocated_ -= found->second.size;
        asked_ -= found->second.asked;
        order_[found->second.place] = order_.back();
        blocks_.find(order_.back())->second.place = found->second.place;
        order_.pop_back();
        blocks_.erase(found);
    }

    void free_any(Random& random) { free(any(random)); }

    void free_all(Random& random) {
        while (!blocks_.empty()) free_any(random), commit();
    }

    /// The offset of some block: which one depends on what came before, not on where blocks lie.
    [[nodiscard]] std::uint64_t any(Random& random) const {
        must(!order_.empty(), "the test wants one of no blocks");
        return order_[random() % order_.size()];
    }

    /// Allocates and frees at random, each in a transaction of its own, so that about `bytes` stay.
    void churn(Random& random, std::uint64_t operations, std::uint64_t bytes, std::uint64_t most = 200'000) {
        for (std::uint64_t i = 0; i < operations; ++i) {
            if (!blocks_.empty() && (asked_ > bytes || random() % 3 == 0)) {
                free_any(random);
            } else {
                const std::uint64_t size = any_size(random, most);
                allocate(size, random() % 4 == 0 ? 16 : 8);
            }
            commit();
        }
    }

    void commit() noexcept { heap_.commit(); }

    // --- a transaction may be undone, and the map with it

    struct Savepoint {
        std::uint64_t entries;
        std::map<std::uint64_t, Block> blocks;
        std::vector<std::uint64_t> order;
        std::uint64_t allocated;
        std::uint64_t asked;
    };
    [[nodiscard]] Savepoint savepoint() const { return {heap_.entries(), blocks_, order_, allocated_, asked_}; }
    void undo_to(const Savepoint& point) {
        heap_.die_at(0);
        heap_.rollback(point.entries);
        blocks_ = point.blocks;
        order_ = point.order;
        allocated_ = point.allocated;
        asked_ = point.asked;
    }

    // --- is all as it should be?

    /// verify() finds nothing.
    void check_sound() const {
        std::vector<std::string> problems;
        A::verify(state(), heap_, problems);
        if (!problems.empty()) BOOST_FAIL("verify: " + problems.front());
        must(A::bytes_allocated(state()) == allocated_, "bytes_allocated is not the sum of all blocks");
    }

    /// The above, each block's bytes, and for_each_block tells of these blocks and no others.
    void check() const {
        check_sound();
        std::map<std::uint64_t, std::uint64_t> seen;
        std::uint64_t free = 0;
        A::for_each_block(state(), heap_, [&](const BlockInfo& block) {
            must(block.offset >= heap_.begin() && fits(block.offset, block.size, heap_.end()),
                 "for_each_block tells of a block outside");
            if (block.allocated)
                must(seen.emplace(block.offset, block.size).second, "for_each_block tells of a block twice");
            else
                free += block.size;
        });
        must(seen.size() == blocks_.size(), "for_each_block tells of more or fewer blocks than there are");
        for (const auto& [offset, block] : blocks_) {
            const auto found = seen.find(offset);
            must(found != seen.end() && found->second == block.size, "for_each_block does not tell of a block");
            must(A::block_size(state(), heap_, offset) == block.size, "block_size has changed");
            check_bytes(offset, block);
        }
        const std::uint64_t said = A::bytes_free(state(), heap_);
        must(said >= free, "bytes_free is less than the free blocks");
        must(said + allocated_ <= heap_.end() - heap_.begin(), "more bytes allocated and free than there are");
    }

private:
    /// Blocks of a few KiB are written whole, of larger ones both ends and some words of each page, of huge ones of
    /// some pages.
    template <class F>
    static void for_each_watched(const Block& block, F&& f) {
        const std::uint64_t words = block.size / word_size;
        const std::uint64_t stride = std::max<std::uint64_t>(51, words / 4096);
        for (std::uint64_t i = 0; i < words;
             i += i < 512 || i + 512 > words ? 1 : std::min(stride, words - 512 - i + 1))
            f(i);
    }
    void overwrite(std::uint64_t offset, const Block& block) const {
        Word* const words = heap_.raw(offset);
        for_each_watched(block, [&](std::uint64_t i) { put(words[i], block.pattern ^ i); });
    }
    void check_bytes(std::uint64_t offset, const Block& block) const {
        const Word* const words = heap_.raw(offset);
        bool same = true;
        for_each_watched(block, [&](std::uint64_t i) { same &= load(words[i]) == (block.pattern ^ i); });
        must(same, "somebody has written into a block that is not his");
    }

    ModelHeap heap_;
    std::map<std::uint64_t, Block> blocks_;
    std::vector<std::uint64_t> order_;
    std::uint64_t allocated_ = 0;
    std::uint64_t asked_ = 0;
    std::uint64_t patterns_ = 0;
    std::uint64_t most_allocate_entries_ = 0;
    std::uint64_t most_free_entries_ = 0;
};

} // namespace ss::test
