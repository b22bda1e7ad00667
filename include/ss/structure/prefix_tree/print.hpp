// A tree as text, for people who debug: each node and each value on a line of its own, in the order of keys.
#pragma once

#include <ss/structure/prefix_tree/reading.hpp>
#include <ss/structure/prefix_tree/subtree.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ss::inline v0::detail {

/// Bytes as a C string literal would have them.
inline void append_escaped(std::string& out, std::string_view bytes) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    out += '"';
    for (const char c : bytes) {
        const auto byte = static_cast<std::uint8_t>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte >= 0x20 && byte < 0x7F) {
            out += c;
        } else {
            out += "\\x";
            out += digits[byte / 16];
            out += digits[byte % 16];
        }
    }
    out += '"';
}

inline void append_value(std::string& out, const ValueView& value) {
    switch (type_of(value)) {
    case ValueType::null:
        out += "null";
        return;
    case ValueType::boolean:
        out += std::get<bool>(value) ? "true" : "false";
        return;
    case ValueType::integer:
        out += std::to_string(std::get<std::int64_t>(value));
        return;
    case ValueType::real: {
        std::array<char, 32> digits{}; // the fewest that lead back to the same number
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), std::get<double>(value)).ptr;
        out.append(digits.data(), end);
        return;
    }
    case ValueType::string:
        append_escaped(out, std::get<std::string_view>(value));
        return;
    }
}

/// Appends all that hangs below `word`. Under the lock. Does not recurse.
inline void append_subtree(std::string& out, const Region& region, Word word) {
    constexpr std::size_t deepest = 64; // to be drawn: trees may be a thousand times as deep
    static constexpr std::array<std::string_view, 5> names = {"leaf", "Node4", "Node16", "Node48", "Node256"};
    struct Item {
        Word word;
        std::size_t depth;
        int byte; ///< that leads here; -1 at the root
    };
    std::vector<Item> pending(1, {.word = word, .depth = 0, .byte = -1});
    for (NodeBudget budget(region); !pending.empty();) {
        const Item item = pending.back();
        pending.pop_back();
        if (item.word == 0) continue;
        out.append(2 * std::min(item.depth, deepest), ' ');
        if (item.byte >= 0) {
            const auto byte = static_cast<char>(item.byte);
            append_escaped(out, std::string_view(&byte, 1));
            out += ' ';
        }
        ValueRef value{.word = item.word};
        if (Tagged::is_node(item.word)) {
            const NodeView node(region, item.word);
            budget.take(node);
            out += names[static_cast<std::size_t>(node.kind().shape)];
            if (node.count() != 0)
                out += " of " + std::to_string(node.count()) + "/" + std::to_string(node.kind().capacity);
            if (node.prefix_size() != 0) {
                out += " prefix ";
                append_escaped(out, node.prefix());
            }
            for (auto branch = node.previous(256); branch.slot != nullptr; branch = node.previous(branch.byte))
                pending.push_back(
                    {.word = load(*branch.slot), .depth = item.depth + 1, .byte = static_cast<int>(branch.byte)});
            value = node.value_ref();
        }
        if (value.word != 0) {
            out += Tagged::is_node(item.word) ? " = " : "= ";
            append_value(out, StoredValue(region, value).view());
        }
        out += '\n';
    }
}

} // namespace ss::inline v0::detail
