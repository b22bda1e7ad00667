// Numbers as values: in native byte order, as wide as their type.
//
// A value of up to 8 bytes is one word of its record, so a number is read and replaced as one.
#pragma once

#include <ss/base/error.hpp>
#include <ss/base/word.hpp>
#include <ss/structure/bytes.hpp>
#include <ss/structure/hash_table/record.hpp>

#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace ss::inline v0 {

/// What numbers are changed by. Not bool: adding true is a comparison gone astray, and no number.
template <class T>
concept TableInteger = std::integral<T> && !std::same_as<T, bool> && sizeof(T) <= 8;

/// What a number in a table may be.
template <class T>
concept TableNumber = TableInteger<T> || std::same_as<T, float> || std::same_as<T, double>;

} // namespace ss::inline v0

namespace ss::inline v0::detail {

/// The size of a value and its first word, whatever it is. To be believed when the read was validated.
class NumberBytes {
public:
    NumberBytes() = default;
    explicit NumberBytes(const RecordView& record)
        : size_(record.sizes().value), word_(size_ == 0 ? 0 : load(*record.value_words())) {}

    /// Throws wrong_width.
    template <TableNumber T>
    [[nodiscard]] T as() const {
        if (size_ != sizeof(T))
            throw_error(errc::wrong_width, "the value has " + std::to_string(size_) +
                                               " bytes, the number asked for has " + std::to_string(sizeof(T)));
        T number;
        std::memcpy(&number, &word_, sizeof number);
        return number;
    }

private:
    std::uint64_t size_ = 0;
    Word word_ = 0;
};

/// Adds to the number in the writer's bucket, or makes it, and returns the new one. Integers wrap. Throws wrong_width.
template <class Writer, TableNumber T>
T add_number(Writer& writer, T delta) {
    T number = delta;
    if (writer.found()) {
        const T old = NumberBytes(writer.record()).template as<T>();
        if constexpr (std::integral<T>)
            number = static_cast<T>(static_cast<std::uint64_t>(old) + static_cast<std::uint64_t>(delta));
        else
            number = old + delta;
    }
    char bytes[sizeof number];
    std::memcpy(bytes, &number, sizeof number);
    if (writer.found())
        writer.overwrite_word(partial_word(bytes, sizeof number));
    else
        writer.insert(Pieces(std::string_view(bytes, sizeof number)), sizeof number);
    return number;
}

} // namespace ss::inline v0::detail
