// The condition of a conditional write.
#pragma once

#include <ss/structure/bytes.hpp>
#include <ss/structure/value.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace ss::inline v0 {

/// "This key has this value", or "this key is missing". The key may be another than the one that is written. Holds
/// views: make it in the call, `t.insert_if(Check("state", "open"), "owner", me)`.
///
/// The values of a HashTable are bytes: for one of those, a Check of anything but a string throws invalid_argument.
class Check {
public:
    Check(const Bytes& key, const AnyValue& value) : key_(key.view()), value_(value.view()) {}

    [[nodiscard]] static Check missing(const Bytes& key) noexcept { return Check(key); }

    [[nodiscard]] std::string_view key() const noexcept { return key_; }
    /// What the key must have; nullopt if it must be missing.
    [[nodiscard]] const std::optional<ValueView>& value() const noexcept { return value_; }

    /// The same where values are bytes. Throws invalid_argument if it is not a string.
    [[nodiscard]] std::optional<std::string_view> bytes() const {
        if (!value_) return std::nullopt;
        if (const auto* string = std::get_if<std::string_view>(&*value_)) return *string;
        throw_error(errc::invalid_argument, "a Check compares with a value of type " +
                                                std::string(to_string(type_of(*value_))) +
                                                ", and the values here are bytes");
    }

private:
    explicit Check(const Bytes& key) noexcept : key_(key.view()) {}

    std::string_view key_;
    std::optional<ValueView> value_;
};

} // namespace ss::inline v0
