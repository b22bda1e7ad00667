// A key and its value, in one block.
//
//     | key size (32) value size (32) | key, padded with zeros to a word | value, padded likewise |
//
// Words throughout, so that a reader without the lock can copy and compare a record that is being overwritten, and find
// out afterwards. The padding makes equal keys equal words.
#pragma once

#include <ss/base/bits.hpp>
#include <ss/base/word.hpp>
#include <ss/pool/region.hpp>
#include <ss/structure/bytes.hpp>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace ss::inline v0::detail {

[[nodiscard]] constexpr std::uint64_t words_for(std::uint64_t bytes) noexcept {
    return (bytes + word_size - 1) / word_size;
}

/// The first word of a record.
struct RecordSizes {
    std::uint64_t key = 0;
    std::uint64_t value = 0;

    [[nodiscard]] static RecordSizes from(Word word) noexcept {
        return {.key = word & 0xFFFF'FFFFU, .value = word >> 32};
    }
    [[nodiscard]] Word pack() const noexcept { return value << 32 | key; }
    [[nodiscard]] std::uint64_t value_begin() const noexcept { return 1 + words_for(key); } ///< in words
    [[nodiscard]] std::uint64_t words() const noexcept { return value_begin() + words_for(value); }
};

/// Up to 8 bytes as a word, padded with zeros.
[[nodiscard]] inline Word partial_word(const char* bytes, std::size_t size) noexcept {
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
    for (; size >= word_size; size -= word_size, to += word_size, ++words) {
        const Word word = load(*words);
        std::memcpy(to, &word, word_size);
    }
    if (size != 0) {
        const Word word = load(*words);
        std::memcpy(to, &word, size);
    }
}

/// Calls put(word) for each word of the bytes in `pieces`, the last padded with zeros.
template <class F>
void for_each_word(const Pieces& pieces, F put_word) {
    Word pending = 0;
    std::size_t filled = 0; // bytes of `pending`
    for (std::string_view piece : pieces.get()) {
        if (filled != 0) {
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

/// A record in the pool. What its sizes say has been checked against the region, not believed.
class RecordView {
public:
    /// Throws errc::damaged if the record reaches outside of the region.
    RecordView(const Region& region, std::uint64_t offset) : sizes_(RecordSizes::from(load(region.word(offset)))) {
        words_ = region.words(offset, sizes_.words());
    }

    [[nodiscard]] const RecordSizes& sizes() const noexcept { return sizes_; }
    [[nodiscard]] const Word* key_words() const noexcept { return words_ + 1; }
    [[nodiscard]] const Word* value_words() const noexcept { return words_ + sizes_.value_begin(); }

    // In place: under the lock only.
    [[nodiscard]] std::string_view key() const noexcept {
        return {reinterpret_cast<const char*>(key_words()), static_cast<std::size_t>(sizes_.key)};
    }
    [[nodiscard]] std::string_view value() const noexcept {
        return {reinterpret_cast<const char*>(value_words()), static_cast<std::size_t>(sizes_.value)};
    }

private:
    RecordSizes sizes_;
    Word* words_;
};

/// Writes a new record and returns its offset. Throws what allocate throws.
template <class Tx>
[[nodiscard]] std::uint64_t make_record(Tx& tx, std::string_view key, const Pieces& value, std::uint64_t value_size) {
    const RecordSizes sizes{.key = key.size(), .value = value_size};
    const std::uint64_t offset = tx.allocate(sizes.words() * word_size);
    Word* words = tx.region().words(offset, sizes.words());
    tx.fill(*words++, sizes.pack());
    const auto append = [&](Word word) { tx.fill(*words++, word); };
    for_each_word(Pieces(Bytes(key)), append);
    for_each_word(value, append);
    return offset;
}

} // namespace ss::inline v0::detail
