// The identity of a policy: what a pool records of it, and what an opener compares.
//
//     id           up to seven characters, readable in a hexdump: "FUTEX". Ours are upper case, yours are lower case.
//     fingerprint  a number that changes with the layout of the policy's shared state and with its meaning: two builds
//                  that share a pool must agree on both.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ss::inline v0 {

/// Eight bytes that name a policy or a type in a pool. The eighth is a flag, for policies that wrap another.
enum class PolicyId : std::uint64_t {};

/// The id spelled by `name`: one to seven characters, letters, digits or '_'. Evaluated at compile time; anything
/// else does not compile.
[[nodiscard]] consteval PolicyId policy_id(std::string_view name) {
    if (name.empty() || name.size() > 7) throw "a policy id has one to seven characters";
    std::uint64_t id = 0;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const char c = name[i];
        const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
        if (!fine) throw "a policy id is made of letters, digits and '_'";
        id |= static_cast<std::uint64_t>(static_cast<unsigned char>(c)) << (8 * i);
    }
    return PolicyId{id};
}

/// The same id with its flag byte set: how `Optimistic<FutexLock>` differs from `FutexLock`.
[[nodiscard]] constexpr PolicyId with_flag(PolicyId id, char flag) noexcept {
    return PolicyId{(static_cast<std::uint64_t>(id) & 0x00FF'FFFF'FFFF'FFFFU) |
                    static_cast<std::uint64_t>(static_cast<unsigned char>(flag)) << 56};
}

/// For people: "FUTEX", "FUTEX+o", or "none". Bytes that are no letters come out as '?', so a damaged id prints.
[[nodiscard]] inline std::string to_string(PolicyId id) {
    auto bits = static_cast<std::uint64_t>(id);
    if (bits == 0) return "none";
    std::string text;
    for (int i = 0; i < 7; ++i, bits >>= 8)
        if (const auto c = static_cast<char>(bits & 0xFF); c != 0) text += c > ' ' && c < '\x7f' ? c : '?';
    if (const auto flag = static_cast<char>(bits & 0xFF); flag != 0) {
        text += '+';
        text += flag > ' ' && flag < '\x7f' ? flag : '?';
    }
    return text;
}

/// A number that any of `facts` changes: sizes and offsets of shared structs, and a version of their meaning that
/// is raised by hand. FNV-1a over the bytes of the facts, in order.
template <class... Facts>
[[nodiscard]] constexpr std::uint64_t fingerprint(Facts... facts) noexcept {
    std::uint64_t hash = 0xCBF2'9CE4'8422'2325U;
    for (std::uint64_t fact : {static_cast<std::uint64_t>(facts)...})
        for (int i = 0; i < 8; ++i, fact >>= 8) hash = (hash ^ (fact & 0xFF)) * 0x0000'0100'0000'01B3U;
    return hash;
}

} // namespace ss::inline v0
