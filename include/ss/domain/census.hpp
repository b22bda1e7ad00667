// Counting what is in use: every block that some object, the garbage or the directory refers to, held against what the
// allocator says is allocated. A block that nobody refers to has leaked; one that two refer to will be freed twice.
#pragma once

#include <ss/alloc/concept.hpp>
#include <ss/domain/domain_core.hpp>
#include <ss/domain/heap_view.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace ss::inline v0 {

/// Collects the offsets of blocks in use, and sentences about what is wrong.
class Census {
public:
    static constexpr std::size_t max_problems = 100;

    /// `changing`: a transaction of this thread is under way, in which versions are odd.
    explicit Census(bool changing = false) noexcept : changing_(changing) {}

    [[nodiscard]] bool is_settled(Word version) const noexcept { return changing_ || (version & 1) == 0; }

    /// Somebody refers to the block at that offset, and needs so many bytes of it.
    void use(std::uint64_t block, std::uint64_t bytes) { uses_.push_back({.block = block, .bytes = bytes}); }

    void complain(std::string sentence) {
        if (problems_.size() < max_problems) problems_.push_back(std::move(sentence));
    }

    /// Runs count() and returns the bytes of the blocks that it used.
    template <class A, class F>
    [[nodiscard]] std::uint64_t bytes(const DomainCore& domain, F count) {
        const std::size_t before = uses_.size();
        count();
        const auto& state = *reinterpret_cast<const typename A::State*>(domain.block().allocator.data());
        const detail::HeapView heap(domain);
        std::uint64_t bytes = 0;
        for (std::size_t i = before; i < uses_.size(); ++i) {
            try {
                const std::uint64_t size = A::block_size(state, heap, uses_[i].block);
                if (size < uses_[i].bytes)
                    complain("the block at " + std::to_string(uses_[i].block) + " has " + std::to_string(size) +
                             " bytes, and what lies there has " + std::to_string(uses_[i].bytes));
                bytes += size;
            } catch (const Error& error) { complain(error.what()); }
        }
        return bytes;
    }

    [[nodiscard]] std::vector<std::string>& problems() noexcept { return problems_; }

    /// Holds the blocks in use against the allocator's. `complete` if everything in the domain was counted, so that what
    /// was not counted has leaked.
    template <class A>
    void settle(const DomainCore& domain, bool complete) {
        const auto& state = *reinterpret_cast<const typename A::State*>(domain.block().allocator.data());
        const detail::HeapView heap(domain);
        const std::size_t before = problems_.size();
        A::verify(state, heap, problems_);
        if (problems_.size() != before) return; // what a damaged allocator says of blocks is no measure
        std::vector<std::uint64_t> allocated;
        A::for_each_block(state, heap, [&](const BlockInfo& block) {
            if (block.allocated) allocated.push_back(block.offset);
        });
        std::vector<std::uint64_t> used;
        for (const Use& use : uses_) used.push_back(use.block);
        std::sort(allocated.begin(), allocated.end());
        std::sort(used.begin(), used.end());
        for (std::size_t i = 0; i < used.size(); ++i) {
            if (i != 0 && used[i] == used[i - 1])
                complain("the block at " + std::to_string(used[i]) + " is used twice");
            if (!std::binary_search(allocated.begin(), allocated.end(), used[i]))
                complain("the block at " + std::to_string(used[i]) + " is used and not allocated");
        }
        if (!complete) return;
        for (const std::uint64_t block : allocated)
            if (!std::binary_search(used.begin(), used.end(), block))
                complain("the block at " + std::to_string(block) + " of " +
                         std::to_string(A::block_size(state, heap, block)) +
                         " bytes has leaked: it is allocated and nobody refers to it");
    }

private:
    struct Use {
        std::uint64_t block;
        std::uint64_t bytes;
    };

    bool changing_;
    std::vector<Use> uses_;
    std::vector<std::string> problems_;
};

} // namespace ss::inline v0
