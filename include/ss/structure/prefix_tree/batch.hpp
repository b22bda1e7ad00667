// What walks along a tree are asked for, and what they hand out.
#pragma once

#include <ss/base/bits.hpp>
#include <ss/structure/prefix_tree/tagged.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace ss::inline v0::detail {

/// Copies of entries, their bytes side by side. Used again, it needs no memory.
class TreeBatch {
public:
    void clear() noexcept { used_ = count_ = 0; }
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return used_; }

    // Views hold until the batch changes.
    [[nodiscard]] std::string_view key(std::size_t i) const noexcept {
        return {room_.data() + entries_[i].key, entries_[i].key_size};
    }
    [[nodiscard]] ValueView value(std::size_t i) const noexcept {
        const Entry& entry = entries_[i];
        switch (entry.type) {
        case ValueType::null:
            return nullptr;
        case ValueType::boolean:
            return entry.number != 0;
        case ValueType::integer:
            return static_cast<std::int64_t>(entry.number);
        case ValueType::real:
            return std::bit_cast<double>(entry.number);
        case ValueType::string:
            break;
        }
        return std::string_view(room_.data() + entry.key + entry.key_size, entry.number);
    }

    /// A key is what the two are together; the rest of it lies in the pool.
    struct Key {
        std::string_view begin; ///< a word's bytes may be read behind it
        const Word* rest = nullptr;
        std::size_t rest_size = 0;
    };

    void push(const Key& key, const StoredValue& value) {
        const ValueType type = value.type();
        if (type != ValueType::string) {
            // The numbers of constants are 1 and 2.
            push(key, type, type == ValueType::boolean ? value.number - 1 : value.number, 0);
        } else if (value.text != nullptr) {
            push_text(key, value.text, value.size);
        } else {
            value.copy_text(push(key, ValueType::string, value.size, value.size));
        }
    }
    /// With a value that lies elsewhere.
    void push(std::string_view key, const ValueView& value) {
        const auto* const text = std::get_if<std::string_view>(&value);
        const std::size_t size = text == nullptr ? 0 : text->size();
        Word number = size;
        if (const auto* boolean = std::get_if<bool>(&value)) number = *boolean ? 1 : 0;
        if (const auto* integer = std::get_if<std::int64_t>(&value)) number = static_cast<Word>(*integer);
        if (const auto* real = std::get_if<double>(&value)) number = std::bit_cast<Word>(*real);
        char* const rest = push({.begin = {}}, type_of(value), number, key.size() + size);
        std::memcpy(rest, key.data(), key.size());
        if (size != 0) std::memcpy(rest + key.size(), text->data(), size);
        entries_[count_ - 1].key_size = key.size();
    }
    /// With a string that lies in the pool.
    [[gnu::always_inline]] void push_text(const Key& key, const Word* text, std::size_t size) {
        copy_whole(push(key, ValueType::string, size, size), text, size);
    }
    void pop() noexcept { used_ = entries_[--count_].key; }

private:
    struct Entry {
        std::size_t key, key_size;
        Word number; ///< of a string its size; its bytes follow the key's
        ValueType type;
    };

    /// Words are copied whole, the last one too.
    static constexpr std::size_t slack = 2 * word_size;

    /// Where so many bytes of a string are to be put.
    [[gnu::always_inline]] char* push(const Key& key, ValueType type, Word number, std::size_t text_size) {
        const std::size_t key_size = key.begin.size() + key.rest_size, at = used_;
        used_ += key_size + text_size;
        if (used_ + slack > room_.size() || count_ == entries_.size()) [[unlikely]]
            make_room();
        char* const to = room_.data() + at;
        copy_bytes(to, key.begin.data(), key.begin.size());
        copy_whole(to + key.begin.size(), key.rest, key.rest_size);
        entries_[count_++] = {.key = at, .key_size = key_size, .number = number, .type = type};
        return to + key_size;
    }

    [[gnu::noinline]] void make_room() {
        if (used_ + slack > room_.size())
            room_.resize(std::max({std::size_t{2048}, 2 * room_.size(), used_ + slack}));
        if (count_ == entries_.size()) entries_.resize(std::max<std::size_t>(32, 2 * count_));
    }

    /// Few as a rule, which is less than a call of memcpy.
    static void copy_bytes(char* to, const char* from, std::size_t size) noexcept {
        if (size > 4 * word_size) {
            std::memcpy(to, from, size);
            return;
        }
        for (std::size_t at = 0; at < size; at += word_size) std::memcpy(to + at, from + at, word_size);
    }

    [[gnu::always_inline]] static void copy_whole(char* to, const Word* from, std::size_t size) noexcept {
        std::size_t words = words_for(size);
        if (words >= 8) {
            copy_out(to, from, words);
            return;
        }
        for (; words >= 4; words -= 4, from += 4, to += 4 * word_size) {
            copy_word(to, from[0]);
            copy_word(to + word_size, from[1]);
            copy_word(to + 2 * word_size, from[2]);
            copy_word(to + 3 * word_size, from[3]);
        }
        for (; words != 0; --words, ++from, to += word_size) copy_word(to, *from);
    }
    [[gnu::always_inline]] static void copy_word(char* to, const Word& from) noexcept {
        const Word word = load(from);
        std::memcpy(to, &word, word_size);
    }

    std::vector<char> room_;
    std::size_t used_ = 0;
    std::vector<Entry> entries_; ///< the first count_ count
    std::size_t count_ = 0;
};

enum class Direction { up, down };

/// Where a walk begins.
struct WalkStart {
    std::string_view key;
    bool inclusive = true;   ///< with the key itself
    bool everything = false; ///< down only: behind the last key
};

/// How far it goes.
struct WalkLimit {
    std::size_t entries = 64;
    std::size_t bytes = 64 * kibi;
    bool keys_only = false; ///< with null for each value
};

/// The key where a walk is. To become longer or shorter costs nothing, once there is room.
class WalkKey {
public:
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// A word's bytes may be read behind it.
    [[nodiscard]] std::string_view view() const noexcept { return {room_.data(), size_}; }
    [[nodiscard]] char* data() noexcept { return room_.data(); }
    [[nodiscard]] char& back() noexcept { return room_[size_ - 1]; }
    /// Bytes that come new are unspecified.
    void resize(std::size_t size) {
        if (size + word_size > room_.size()) [[unlikely]]
            room_.resize(std::max(size + word_size, 2 * room_.size()));
        size_ = size;
    }
    /// So long, and a byte behind it.
    void resize(std::size_t size, char byte) {
        resize(size + 1);
        room_[size] = byte;
    }

private:
    std::vector<char> room_ = std::vector<char>(128);
    std::size_t size_ = 0;
};

} // namespace ss::inline v0::detail
