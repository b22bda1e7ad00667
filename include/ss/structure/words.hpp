// Byte strings that lie in a pool as words, the last one padded with zeros.
//
// Words throughout, so that a reader without the lock can copy and compare what is being overwritten, and find out
// afterwards. The padding makes equal strings equal words.
#pragma once

#include <ss/base/word.hpp>
#include <ss/base/word_copy.hpp>
#include <ss/structure/bytes.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace ss::inline v0::detail {

[[nodiscard]] constexpr std::uint64_t words_for(std::uint64_t bytes) noexcept {
    return (bytes + word_size - 1) / word_size;
}

/// Up to 8 bytes as a word, padded with zeros. By a few loads that overlap, which is less than a call of memcpy.
[[nodiscard]] inline Word partial_word(const char* bytes, std::size_t size) noexcept {
    const auto ends = [&]<class T>(T first) {
        T last;
        std::memcpy(&first, bytes, sizeof(T));
        std::memcpy(&last, bytes + size - sizeof(T), sizeof(T));
        return Word{first} | Word{last} << (8 * (size - sizeof(T)));
    };
    if constexpr (std::endian::native == std::endian::little) {
        if (size >= 8) return ends(std::uint64_t{});
        if (size >= 4) return ends(std::uint32_t{});
        if (size >= 2) return ends(std::uint16_t{});
        return size == 0 ? 0 : static_cast<unsigned char>(*bytes);
    }
    Word word = 0;
    std::memcpy(&word, bytes, size);
    return word;
}

/// True if the words hold exactly these bytes.
[[nodiscard]] inline bool words_equal(const Word* words, std::string_view bytes) noexcept {
    const char* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= word_size; left -= word_size, at += word_size, ++words) {
        Word expected;
        std::memcpy(&expected, at, word_size);
        if (load(*words) != expected) return false;
    }
    return left == 0 || load(*words) == partial_word(at, left);
}

/// Copies `size` bytes out, a word at a time: what comes may be half of one value and half of another.
inline void copy_words(char* to, const Word* words, std::size_t size) noexcept {
    const std::size_t whole = size / word_size;
    copy_out(to, words, whole);
    if (size % word_size != 0) {
        const Word word = load(words[whole]);
        std::memcpy(to + whole * word_size, &word, size % word_size);
    }
}

/// Calls put(word) for each word of the bytes in `pieces`, the last padded with zeros.
template <class F>
void for_each_word(const Pieces& pieces, F put_word) {
    Word pending = 0;
    std::size_t filled = 0; // bytes of `pending`
    for (std::string_view piece : pieces.get()) {
        if (filled != 0 && !piece.empty()) {
            const std::size_t some = std::min(piece.size(), word_size - filled);
            std::memcpy(reinterpret_cast<char*>(&pending) + filled, piece.data(), some);
            filled += some;
            piece.remove_prefix(some);
            if (filled < word_size) continue;
            put_word(pending);
            pending = 0;
            filled = 0;
        }
        for (; piece.size() >= word_size; piece.remove_prefix(word_size)) {
            Word word;
            std::memcpy(&word, piece.data(), word_size);
            put_word(word);
        }
        if (!piece.empty()) {
            pending = partial_word(piece.data(), piece.size());
            filled = piece.size();
        }
    }
    if (filled != 0) put_word(pending);
}

/// Writes bytes into words that no rollback needs to restore, the last padded with zeros. Returns the word behind them.
inline Word* fill_words(Word* to, std::string_view bytes) noexcept {
    const std::size_t whole = bytes.size() / word_size;
    copy_in(to, bytes.data(), whole);
    to += whole;
    if (bytes.size() % word_size != 0)
        put(*to++, partial_word(bytes.data() + whole * word_size, bytes.size() % word_size));
    return to;
}

inline Word* fill_words(Word* to, const Pieces& pieces) noexcept {
    if (pieces.get().size() == 1) [[likely]]
        return fill_words(to, pieces.get().front());
    for_each_word(pieces, [&to](Word word) { put(*to++, word); });
    return to;
}

/// How many bytes two words have in common, from the first in memory on.
[[nodiscard]] constexpr std::size_t common_bytes(Word a, Word b) noexcept {
    const int bits = std::endian::native == std::endian::little ? std::countr_zero(a ^ b) : std::countl_zero(a ^ b);
    return static_cast<std::size_t>(bits) / 8;
}

/// How many bytes a string of `size` bytes that lies in words has in common with `bytes`, from the first on.
[[nodiscard]] inline std::size_t common_prefix(const Word* words, std::size_t size, std::string_view bytes) noexcept {
    const std::size_t limit = std::min(size, bytes.size());
    for (std::size_t at = 0; at < limit; at += word_size, ++words) {
        const std::size_t some = std::min<std::size_t>(limit - at, word_size);
        const std::size_t common = common_bytes(load(*words), partial_word(bytes.data() + at, some));
        if (common < some) return at + common;
    }
    return limit;
}

} // namespace ss::inline v0::detail
