// One word that is a value, or the way to one, or the way to a node.
//
//     bits 63 … 3                          2 1 0
//     offset of a node, or all zeros       0 0 0
//     integer of 61 bits with a sign       0 0 1
//     bytes 7 … 1 of a string | its size   0 1 0     up to 7 bytes; those past the end are zero
//     0: null, 1: false, 2: true           0 1 1
//     offset of a block: size | bytes      1 0 0     a string of more than 7
//     offset of a block: integer           1 0 1     one that needs more than 61 bits
//     offset of a block: real              1 1 0
//     size of a string of more than 7      1 1 1     in a leaf's value alone: the bytes follow the leaf's prefix
//
// But for such a string, which may be in a leaf or in a block, each value has one form only.
#pragma once

#include <ss/base/word.hpp>
#include <ss/pool/region.hpp>
#include <ss/structure/bytes.hpp>
#include <ss/structure/value.hpp>
#include <ss/structure/words.hpp>

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace ss::inline v0::detail {

enum class Tag : std::uint64_t { node, integer, text, constant, text_block, integer_block, real_block, leaf_text };

struct Tagged {
    static constexpr Word mask = 7;
    static constexpr std::uint64_t short_text = 7; ///< the most bytes of a string that has no block

    [[nodiscard]] static constexpr Tag tag(Word word) noexcept { return Tag{word & mask}; }
    [[nodiscard]] static constexpr bool is_node(Word word) noexcept { return word != 0 && (word & mask) == 0; }
    [[nodiscard]] static constexpr bool is_value(Word word) noexcept { return (word & mask) != 0; }
    /// The block that a value has beside the word; 0 if it has none.
    [[nodiscard]] static constexpr std::uint64_t block(Word word) noexcept {
        return tag(word) >= Tag::text_block && tag(word) != Tag::leaf_text ? word & ~mask : 0;
    }
    /// Bytes of the string that a leaf has beside its value's word; 0 if it has none.
    [[nodiscard]] static constexpr std::uint64_t leaf_text_size(Word word) noexcept {
        return tag(word) == Tag::leaf_text ? word >> 3 : 0;
    }

    [[nodiscard]] static constexpr Word make(Tag tag, std::uint64_t rest) noexcept {
        return rest | static_cast<Word>(tag);
    }
    [[nodiscard]] static constexpr bool is_short(std::int64_t integer) noexcept {
        return integer >= -(std::int64_t{1} << 60) && integer < std::int64_t{1} << 60;
    }
    [[nodiscard]] static constexpr Word short_integer(std::int64_t integer) noexcept {
        return make(Tag::integer, static_cast<Word>(integer) << 3);
    }
    [[nodiscard]] static Word short_string(const Pieces& bytes, std::uint64_t size) {
        Word content = 0;
        if (size != 0) for_each_word(bytes, [&](Word word) { content = word; });
        std::array<char, word_size> text{};
        std::memcpy(text.data(), &content, word_size);
        Word word = 0;
        for (std::uint64_t i = 0; i < size; ++i) word |= Word{static_cast<unsigned char>(text[i])} << (8 * (i + 1));
        return make(Tag::text, word | size << 3);
    }
};

/// A value's word, and the place behind the prefix of the leaf that it is in; that is 0 where it is in no leaf.
struct ValueRef {
    Word word = 0;
    std::uint64_t behind_prefix = 0; ///< offset
};

/// A value that is to be stored: a string may come in pieces.
class NewValue {
public:
    explicit NewValue(const AnyValue& value) noexcept : view_(value.view()) {}
    explicit NewValue(const ValueView& value) noexcept : view_(value) {}
    /// The pieces are to live as long as this.
    explicit NewValue(std::span<const std::string_view> pieces) noexcept
        : view_(std::string_view()), pieces_(pieces) {
        scattered_ = true;
    }

    [[nodiscard]] const ValueView& view() const noexcept { return view_; }
    [[nodiscard]] bool is_string() const noexcept { return std::holds_alternative<std::string_view>(view_); }
    [[nodiscard]] Pieces pieces() const {
        return scattered_ ? Pieces(pieces_) : Pieces(Bytes(std::get<std::string_view>(view_)));
    }

    /// The tag that the stored word will have, and of strings the size in bytes. Throws too_large.
    struct Form {
        Tag tag;
        std::uint64_t size = 0;
    };
    [[nodiscard]] Form form() const {
        if (is_string()) {
            const std::uint64_t size = pieces().size();
            return {.tag = size <= Tagged::short_text ? Tag::text : Tag::text_block, .size = size};
        }
        if (const auto* integer = std::get_if<std::int64_t>(&view_))
            return {.tag = Tagged::is_short(*integer) ? Tag::integer : Tag::integer_block};
        return {.tag = std::holds_alternative<double>(view_) ? Tag::real_block : Tag::constant};
    }

    /// The one word of a number's block.
    [[nodiscard]] Word number() const noexcept {
        if (const auto* integer = std::get_if<std::int64_t>(&view_)) return static_cast<Word>(*integer);
        return std::bit_cast<Word>(std::get<double>(view_));
    }

private:
    ValueView view_;
    std::span<const std::string_view> pieces_;
    bool scattered_ = false;
};

/// The word for a value without a block.
[[nodiscard]] inline Word short_word(const NewValue& value, const NewValue::Form& form) {
    if (form.tag == Tag::text) return Tagged::short_string(value.pieces(), form.size);
    if (form.tag == Tag::integer) return Tagged::short_integer(std::get<std::int64_t>(value.view()));
    const auto* boolean = std::get_if<bool>(&value.view());
    return Tagged::make(Tag::constant, boolean == nullptr ? 0 : (*boolean ? Word{2} : Word{1}) << 3);
}

/// The words of a string's block, its size before it.
[[nodiscard]] constexpr std::uint64_t text_block_words(std::uint64_t size) noexcept { return 1 + words_for(size); }

/// Stores a value; the word that leads to it. Throws what allocate throws.
template <class Tx>
[[nodiscard]] Word make_word(Tx& tx, const NewValue& value) {
    const NewValue::Form form = value.form();
    if (form.tag < Tag::text_block) return short_word(value, form);
    const std::uint64_t words = form.tag == Tag::text_block ? text_block_words(form.size) : 1;
    const std::uint64_t offset = tx.allocate(words * word_size);
    Word* at = tx.region().words(offset, words);
    if (form.tag == Tag::text_block) {
        tx.fill(*at++, form.size);
        fill_words(at, value.pieces());
    } else {
        tx.fill(*at, value.number());
    }
    return Tagged::make(form.tag, offset);
}

/// A value in the pool, taken apart. Of strings of more than 7 bytes only where they lie: their size is to be validated
/// before the bytes are looked at, and has been checked against the region.
struct StoredValue {
    /// Throws errc::damaged.
    StoredValue(const Region& region, const ValueRef& value) : tag(Tagged::tag(value.word)) {
        const Word word = value.word;
        switch (tag) {
        case Tag::integer:
            number = static_cast<Word>(static_cast<std::int64_t>(word) >> 3);
            return;
        case Tag::text:
            size = word >> 3 & 7;
            for (std::uint64_t i = 0; i < size; ++i) short_text[i] = static_cast<char>(word >> (8 * (i + 1)));
            return;
        case Tag::constant:
            number = word >> 3;
            if (number > 2) [[unlikely]]
                break;
            return;
        case Tag::text_block: {
            const std::uint64_t offset = Tagged::block(word);
            size = load(region.word(offset));
            if (size > max_bytes_size) [[unlikely]]
                break;
            text = region.words(offset, text_block_words(size)) + 1;
            return;
        }
        case Tag::leaf_text:
            size = Tagged::leaf_text_size(word);
            if (value.behind_prefix == 0 || size > max_bytes_size) [[unlikely]]
                break;
            text = region.words(value.behind_prefix, words_for(size));
            return;
        case Tag::integer_block:
        case Tag::real_block:
            number = load(region.word(Tagged::block(word)));
            return;
        case Tag::node:
            break;
        }
        region.refuse(word);
    }

    [[nodiscard]] ValueType type() const noexcept {
        switch (tag) {
        case Tag::integer:
        case Tag::integer_block:
            return ValueType::integer;
        case Tag::real_block:
            return ValueType::real;
        case Tag::constant:
            return number == 0 ? ValueType::null : ValueType::boolean;
        default:
            return ValueType::string;
        }
    }

    /// A string's bytes, copied.
    void copy_text(char* to) const noexcept {
        if (text == nullptr)
            std::memcpy(to, short_text.data(), size);
        else
            copy_words(to, text, size);
    }

    /// In place, for as long as this lives and nobody writes: under the lock only.
    [[nodiscard]] ValueView view() const noexcept {
        switch (type()) {
        case ValueType::null:
            return nullptr;
        case ValueType::boolean:
            return number == 2;
        case ValueType::integer:
            return static_cast<std::int64_t>(number);
        case ValueType::real:
            return std::bit_cast<double>(number);
        case ValueType::string:
            break;
        }
        return std::string_view(text == nullptr ? short_text.data() : reinterpret_cast<const char*>(text),
                                static_cast<std::size_t>(size));
    }

    Tag tag;
    Word number = 0;
    std::uint64_t size = 0; ///< bytes of a string
    const Word* text = nullptr;
    std::array<char, word_size> short_text{};
};

} // namespace ss::inline v0::detail
