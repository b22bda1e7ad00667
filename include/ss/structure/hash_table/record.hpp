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
#include <ss/structure/words.hpp>

#include <cstdint>
#include <string_view>

namespace ss::inline v0::detail {

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
    fill_words(fill_words(words, key), value);
    return offset;
}

} // namespace ss::inline v0::detail
