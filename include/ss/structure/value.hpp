// What the values of a PrefixTree are.
#pragma once

#include <ss/base/error.hpp>
#include <ss/structure/bytes.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace ss::inline v0 {

/// A value of its own. Null is a value: it is not the same as a missing key.
using Value = std::variant<std::nullptr_t, bool, std::int64_t, double, std::string>;

/// The same, with the string somewhere else.
using ValueView = std::variant<std::nullptr_t, bool, std::int64_t, double, std::string_view>;

/// What a value is; the order is that of the alternatives of Value.
enum class ValueType : std::uint8_t { null, boolean, integer, real, string };

[[nodiscard]] inline ValueType type_of(const Value& value) noexcept { return static_cast<ValueType>(value.index()); }
[[nodiscard]] inline ValueType type_of(const ValueView& value) noexcept {
    return static_cast<ValueType>(value.index());
}

[[nodiscard]] constexpr std::string_view to_string(ValueType type) noexcept {
    switch (type) {
    case ValueType::null:
        return "null";
    case ValueType::boolean:
        return "boolean";
    case ValueType::integer:
        return "integer";
    case ValueType::real:
        return "real";
    case ValueType::string:
        return "string";
    }
    return "?";
}

/// A view of a value, for as long as that lives.
[[nodiscard]] inline ValueView view_of(const Value& value) noexcept {
    if (const auto* string = std::get_if<std::string>(&value)) return std::string_view(*string);
    if (const auto* integer = std::get_if<std::int64_t>(&value)) return *integer;
    if (const auto* real = std::get_if<double>(&value)) return *real;
    if (const auto* boolean = std::get_if<bool>(&value)) return *boolean;
    return nullptr;
}

/// A copy of what a view shows.
[[nodiscard]] inline Value copy_of(const ValueView& view) {
    if (const auto* string = std::get_if<std::string_view>(&view))
        return Value(std::in_place_type<std::string>, *string);
    if (const auto* integer = std::get_if<std::int64_t>(&view)) return *integer;
    if (const auto* real = std::get_if<double>(&view)) return *real;
    if (const auto* boolean = std::get_if<bool>(&view)) return *boolean;
    return nullptr;
}

/// An order of values, since std::less has none for null: by type, as ValueType lists them, and then by value. NaN comes
/// before all other reals, and is equal to itself.
struct ValueLess {
    [[nodiscard]] bool operator()(const ValueView& a, const ValueView& b) const noexcept {
        if (a.index() != b.index()) return a.index() < b.index();
        if (const auto* string = std::get_if<std::string_view>(&a)) return *string < std::get<std::string_view>(b);
        if (const auto* integer = std::get_if<std::int64_t>(&a)) return *integer < std::get<std::int64_t>(b);
        if (const auto* boolean = std::get_if<bool>(&a)) return !*boolean && std::get<bool>(b);
        if (const auto* real = std::get_if<double>(&a)) {
            const double other = std::get<double>(b);
            return *real < other || (*real != *real && other == other);
        }
        return false;
    }
    [[nodiscard]] bool operator()(const Value& a, const Value& b) const noexcept {
        return (*this)(view_of(a), view_of(b));
    }
};

/// What `find_as` finds: exactly one of the types of a value, but null.
template <class T>
concept ValueAlternative =
    std::same_as<T, bool> || std::same_as<T, std::int64_t> || std::same_as<T, double> || std::same_as<T, std::string>;

/// What may be passed as a value: exactly bool, other integral types, floating ones, nullptr, Value, ValueView, and what
/// converts to std::string_view.
template <class T>
concept ValueLike = std::integral<T> || std::floating_point<T> || std::same_as<T, std::nullptr_t> ||
    std::same_as<T, Value> || std::same_as<T, ValueView> || std::convertible_to<const T&, std::string_view>;

/// A value as an argument, for the length of a call. A literal is a string, never a bool; `true` is a bool, never a
/// number; an integer that does not fit into 64 bits with a sign throws too_large.
class AnyValue {
public:
    template <ValueLike T>
    AnyValue(const T& value) : view_(make(value)) {} // NOLINT: implicit, as its arguments are

    [[nodiscard]] const ValueView& view() const noexcept { return view_; }

private:
    template <class T>
    [[nodiscard]] static ValueView make(const T& value) {
        if constexpr (std::same_as<T, Value>) {
            return view_of(value);
        } else if constexpr (std::same_as<T, ValueView> || std::same_as<T, bool> || std::same_as<T, std::nullptr_t>) {
            return value;
        } else if constexpr (std::integral<T>) {
            if (!std::in_range<std::int64_t>(as_standard(value)))
                throw_error(errc::too_large, std::to_string(value) + " does not fit into an integer of 64 bits");
            return static_cast<std::int64_t>(value);
        } else if constexpr (std::floating_point<T>) {
            return static_cast<double>(value);
        } else {
            return Bytes(value).view();
        }
    }

    /// std::in_range takes no character types.
    template <std::integral T>
    [[nodiscard]] static constexpr auto as_standard(T value) noexcept {
        if constexpr (std::is_signed_v<T>)
            return static_cast<std::int64_t>(value);
        else
            return static_cast<std::uint64_t>(value);
    }

    ValueView view_;
};

} // namespace ss::inline v0
