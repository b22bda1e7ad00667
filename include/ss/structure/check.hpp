// The condition of a conditional write.
#pragma once

#include <ss/structure/bytes.hpp>
#include <ss/structure/value.hpp>

#include <optional>
#include <string_view>

namespace ss::inline v0 {

/// "This key has these bytes", or "this key is missing": what a HashTable takes. Holds views, for the length of a call.
class BytesCheck {
public:
    [[nodiscard]] std::string_view key() const noexcept { return key_; }
    /// What the key must have; nullopt if it must be missing.
    [[nodiscard]] const std::optional<std::string_view>& value() const noexcept { return value_; }

private:
    friend class Check;

    BytesCheck(std::string_view key, const std::optional<std::string_view>& value) noexcept
        : key_(key), value_(value) {}

    std::string_view key_;
    std::optional<std::string_view> value_;
};

/// The same with a value of any type: what a PrefixTree takes. A check of bytes is one of these too, and not the other way
/// round: a HashTable has no numbers.
class ValueCheck {
public:
    ValueCheck(const BytesCheck& check) noexcept : key_(check.key()) { // NOLINT: implicit, it is one of these
        if (check.value()) value_.emplace(*check.value());
    }

    [[nodiscard]] std::string_view key() const noexcept { return key_; }
    /// What the key must have; nullopt if it must be missing.
    [[nodiscard]] const std::optional<ValueView>& value() const noexcept { return value_; }

private:
    friend class Check;

    ValueCheck(std::string_view key, const ValueView& value) noexcept : key_(key), value_(value) {}

    std::string_view key_;
    std::optional<ValueView> value_;
};

/// Makes them, in the call: `t.insert_if(Check("state", "open"), "owner", me)`. The key may be another than the one that is
/// written. Which of the two comes out is seen from the value's type, so that a number for a HashTable does not compile.
class Check {
public:
    template <BytesLike V>
    [[nodiscard]] BytesCheck operator()(const Bytes& key, const V& value) const {
        return {key.view(), Bytes(value).view()};
    }
    [[nodiscard]] ValueCheck operator()(const Bytes& key, const AnyValue& value) const {
        return {key.view(), value.view()};
    }

    [[nodiscard]] static BytesCheck missing(const Bytes& key) noexcept { return {key.view(), std::nullopt}; }
};

/// `Check(key, value)` calls this object; `Check::missing(key)` names its class. So it is written as a class is.
// NOLINTNEXTLINE(readability-identifier-naming)
inline constexpr class Check Check {};

} // namespace ss::inline v0
