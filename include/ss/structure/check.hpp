// The condition of a conditional write.
#pragma once

#include <ss/structure/bytes.hpp>

#include <optional>
#include <string_view>

namespace ss::inline v0 {

/// "This key has this value", or "this key is missing". The key may be another than the one that is written. Holds
/// views: make it in the call, `t.insert_if(Check("state", "open"), "owner", me)`.
class Check {
public:
    Check(const Bytes& key, const Bytes& value) noexcept : key_(key.view()), value_(value.view()) {}

    [[nodiscard]] static Check missing(const Bytes& key) noexcept { return Check(key); }

    [[nodiscard]] std::string_view key() const noexcept { return key_; }
    /// What the key must have; nullopt if it must be missing.
    [[nodiscard]] const std::optional<std::string_view>& value() const noexcept { return value_; }

private:
    explicit Check(const Bytes& key) noexcept : key_(key.view()) {}

    std::string_view key_;
    std::optional<std::string_view> value_;
};

} // namespace ss::inline v0
