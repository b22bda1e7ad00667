// A block from the heap whose use begins at a cache line.
#pragma once

#include <ss/base/bits.hpp>
#include <ss/base/word.hpp>

#include <cstdint>

namespace ss::inline v0::detail {

/// A block whose use begins at a cache line: allocators align to 16 at most, so it is asked for a little larger, and the
/// word that refers to it holds, in the six bits that alignment leaves, how far the use begins behind the block.
struct AlignedBlock {
    [[nodiscard]] static constexpr std::uint64_t room(std::uint64_t size) noexcept {
        return size + cache_line - word_size;
    }
    [[nodiscard]] static constexpr Word word(std::uint64_t block) noexcept {
        const std::uint64_t use = align_up(block, cache_line);
        return use | (use - block);
    }
    [[nodiscard]] static constexpr std::uint64_t use(Word word) noexcept { return align_down(word, cache_line); }
    [[nodiscard]] static constexpr std::uint64_t block(Word word) noexcept {
        return use(word) - (word & (cache_line - 1));
    }
};

} // namespace ss::inline v0::detail
