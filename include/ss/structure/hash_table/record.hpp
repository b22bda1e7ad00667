// A key and its value, side by side.
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

    /// The record at the begin of so many words, which the caller has checked. Throws errc::damaged if it reaches past them.
    [[gnu::always_inline]] RecordView(const Region& region, const Word* words, std::uint64_t limit)
        : sizes_(RecordSizes::from(load(*words))), words_(words) {
        if (sizes_.words() > limit) [[unlikely]]
            region.refuse(region.offset_of(words));
    }

    [[nodiscard]] const RecordSizes& sizes() const noexcept { return sizes_; }
    [[nodiscard]] const Word* words() const noexcept { return words_; }
    [[nodiscard]] const Word* key_words() const noexcept { return words_ + 1; }
    [[nodiscard]] const Word* value_words() const noexcept { return words_ + sizes_.value_begin(); }

    [[nodiscard]] bool has_key(std::string_view key) const noexcept {
        return sizes_.key == key.size() && words_equal(key_words(), key);
    }

    // In place: under the lock only.
    [[nodiscard]] std::string_view key() const noexcept {
        return {reinterpret_cast<const char*>(key_words()), static_cast<std::size_t>(sizes_.key)};
    }
    [[nodiscard]] std::string_view value() const noexcept {
        return {reinterpret_cast<const char*>(value_words()), static_cast<std::size_t>(sizes_.value)};
    }

private:
    RecordSizes sizes_;
    const Word* words_;
};

/// Writes a new record into words that no rollback needs to restore.
inline void fill_record(Word* words, std::string_view key, const Pieces& value, std::uint64_t value_size) {
    put(*words++, RecordSizes{.key = key.size(), .value = value_size}.pack());
    fill_words(fill_words(words, key), value);
}

/// The same as a block of its own; its offset. Throws what allocate throws.
template <class Tx>
[[nodiscard]] std::uint64_t make_record(Tx& tx, std::string_view key, const Pieces& value, std::uint64_t value_size) {
    const std::uint64_t count = RecordSizes{.key = key.size(), .value = value_size}.words();
    const std::uint64_t offset = tx.allocate(count * word_size);
    fill_record(tx.region().words(offset, count), key, value, value_size);
    return offset;
}

} // namespace ss::inline v0::detail
