// Copying many words into a pool and out of it, where somebody may read or write them at the same time.
//
// What word.hpp says of one word holds of each here: none is torn, and their order is for fences to make. But a compiler
// moves relaxed atomics one by one, which a processor need not do: from a few cache lines on, its own instructions for
// copying take a third to a quarter of the time. To the memory model they are no accesses, and so no race; on x86-64 each
// aligned word in them moves as a whole.
#pragma once

#include <ss/base/word.hpp>

#include <cstddef>
#include <cstring>

namespace ss::inline v0 {

namespace detail {

/// Copies most of `count` words. Returns how many, from the first on.
inline std::size_t copy_lines([[maybe_unused]] void* to, [[maybe_unused]] const void* from,
                              [[maybe_unused]] std::size_t count) noexcept {
    std::size_t copied = 0;
#if defined(__x86_64__)
    constexpr std::size_t line = 8, many = 64;
    if constexpr (thread_sanitizer) return 0; // it would see none of this
    if (count >= many) {
        copied = count;
        asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
        return copied;
    }
    auto* target = static_cast<Word*>(to);
    const auto* source = static_cast<const char*>(from);
    for (; count - copied >= line; copied += line, target += line, source += line * word_size)
        asm volatile("movups (%1), %%xmm0\n\t"
                     "movups 16(%1), %%xmm1\n\t"
                     "movups 32(%1), %%xmm2\n\t"
                     "movups 48(%1), %%xmm3\n\t"
                     "movups %%xmm0, (%0)\n\t"
                     "movups %%xmm1, 16(%0)\n\t"
                     "movups %%xmm2, 32(%0)\n\t"
                     "movups %%xmm3, 48(%0)"
                     :
                     : "r"(target), "r"(source)
                     : "memory", "xmm0", "xmm1", "xmm2", "xmm3");
    for (; count - copied >= 2; copied += 2, target += 2, source += 2 * word_size)
        asm volatile("movups (%1), %%xmm0\n\t"
                     "movups %%xmm0, (%0)"
                     :
                     : "r"(target), "r"(source)
                     : "memory", "xmm0");
#endif
    return copied;
}

} // namespace detail

/// Copies 8 * `count` bytes from anywhere into `count` words of a pool.
inline void copy_in(Word* to, const char* from, std::size_t count) noexcept {
    for (std::size_t i = detail::copy_lines(to, from, count); i < count; ++i) {
        Word word;
        std::memcpy(&word, from + i * word_size, word_size);
        put(to[i], word);
    }
}

/// Copies `count` words of a pool to anywhere: what comes may be half of one thing and half of another.
inline void copy_out(char* to, const Word* from, std::size_t count) noexcept {
    for (std::size_t i = detail::copy_lines(to, from, count); i < count; ++i) {
        const Word word = load(from[i]);
        std::memcpy(to + i * word_size, &word, word_size);
    }
}

} // namespace ss::inline v0
