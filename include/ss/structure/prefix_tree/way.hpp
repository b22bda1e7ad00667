// The way down to a key or to a prefix, with all that is needed to take it away.
#pragma once

#include <ss/structure/prefix_tree/node.hpp>

#include <cstdint>
#include <string_view>

namespace ss::inline v0::detail {

/// Where a word hangs: the slot, and the offset of the head or node that it lies in, whose version guards it.
struct Hook {
    Word* slot = nullptr;
    std::uint64_t owner = 0;
};

struct Way {
    bool hit = false;
    Hook target; ///< of the value, of the node that has it, or of all that begins with the prefix

    // What goes with the target: nodes on the way that hold nothing else.
    Hook cut;                  ///< the highest word below which there is nothing else
    Hook parent;               ///< the node in which `cut` lies; its slot is null if that is the head
    std::uint8_t cut_byte = 0; ///< which of the parent's slots
};

/// Goes down to the key, or to all keys that begin with it. Under the lock.
[[nodiscard]] inline Way find_way(const Region& region, const Hook& root, std::string_view key, bool as_prefix) {
    Way way;
    way.target = way.cut = root;
    for (;;) {
        const Word word = load(*way.target.slot);
        if (!Tagged::is_node(word)) {
            way.hit = word != 0 && key.empty();
            return way;
        }
        const NodeView node(region, word);
        const std::size_t matched = node.match(key);
        if (as_prefix && matched == key.size()) {
            way.hit = true;
            return way;
        }
        if (matched != node.prefix_size()) return way;
        key.remove_prefix(matched);
        const bool has_value = load(node.value()) != 0;
        if (key.empty()) {
            way.hit = has_value;
            return way;
        }
        const auto byte = static_cast<std::uint8_t>(key.front());
        Word* const slot = node.find(byte);
        if (slot == nullptr) return way;
        const Hook next{.slot = slot, .owner = node.offset()};
        if (node.count() + has_value > 1) {
            way.parent = way.target;
            way.cut = next;
            way.cut_byte = byte;
        }
        way.target = next;
        key.remove_prefix(1);
    }
}

} // namespace ss::inline v0::detail
