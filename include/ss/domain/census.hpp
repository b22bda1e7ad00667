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

    void use(std::uint64_t block) { blocks_.push_back(block); }

    void complain(std::string sentence) {
        if (problems_.size() < max_problems) problems_.push_back(std::move(sentence));
    }

    /// Runs count() and returns the bytes of the blocks that it used.
    template <class A, class F>
    [[nodiscard]] std::uint64_t bytes(const DomainCore& domain, F count) {
        const std::size_t before = blocks_.size();
        count();
        const auto& state = *reinterpret_cast<const typename A::State*>(domain.block().allocator.data());
        const detail::HeapView heap(domain);
        std::uint64_t bytes = 0;
        for (std::size_t i = before; i < blocks_.size(); ++i) bytes += A::block_size(state, heap, blocks_[i]);
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
        std::sort(allocated.begin(), allocated.end());
        std::sort(blocks_.begin(), blocks_.end());
        for (std::size_t i = 0; i < blocks_.size(); ++i) {
            if (i != 0 && blocks_[i] == blocks_[i - 1])
                complain("the block at " + std::to_string(blocks_[i]) + " is used twice");
            if (!std::binary_search(allocated.begin(), allocated.end(), blocks_[i]))
                complain("the block at " + std::to_string(blocks_[i]) + " is used and not allocated");
        }
        if (!complete) return;
        for (const std::uint64_t block : allocated)
            if (!std::binary_search(blocks_.begin(), blocks_.end(), block))
                complain("the block at " + std::to_string(block) + " of " +
                         std::to_string(A::block_size(state, heap, block)) +
                         " bytes has leaked: it is allocated and nobody refers to it");
    }

private:
    std::vector<std::uint64_t> blocks_;
    std::vector<std::string> problems_;
};

} // namespace ss::inline v0
