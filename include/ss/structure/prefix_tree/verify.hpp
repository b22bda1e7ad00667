// Walking a whole tree to see whether everything in it fits together. Under the lock, or while nobody writes.
#pragma once

#include <ss/domain/census.hpp>
#include <ss/structure/prefix_tree/garbage.hpp>

#include <bitset>
#include <cstdint>
#include <string>

namespace ss::inline v0::detail {

/// One sentence for what is wrong with a node by itself; empty if nothing is.
[[nodiscard]] inline std::string wrong_with_node(const NodeView& node) {
    const NodeHeader header = node.header();
    if (header.pack() != load(node.header_word())) return "has bits in its header that mean nothing";
    const bool has_value = load(node.value()) != 0;
    if (node.count() + has_value == 0) return "has neither a value nor a branch";
    if (header.kind == leaf_kind && node.prefix_size() == 0) return "is a leaf without a prefix";
    std::uint64_t used = 0;
    for (std::uint64_t i = 0; i < node.kind().capacity; ++i) {
        const bool is_used = load(node.slots()[i]) != 0;
        used += is_used;
        if (node.is_small() && is_used != (i < node.count())) return "has a gap in its slots";
    }
    if (used != node.count())
        return "uses " + std::to_string(used) + " slots and counts " + std::to_string(node.count());
    std::bitset<256> bytes, places;
    node.for_each([&](std::uint8_t byte, const Word& slot) {
        bytes.set(byte);
        places.set(static_cast<std::size_t>(&slot - node.slots()));
    });
    if (bytes.count() != used || places.count() != used) return "has a byte or a slot twice";
    if (node.is_small()) {
        for (unsigned i = static_cast<unsigned>(used); i < 8U * node.kind().key_words; ++i)
            if (node.key(i) != 0) return "has a key past its last slot";
    }
    const std::uint64_t in_header = node.kind().shape == Shape::node4 ? used : 0;
    if (in_header < 4 && header.keys >> (8 * in_header) != 0) return "has a key past its last slot";
    if (node.kind().shape == Shape::node48) {
        std::uint64_t keys = 0;
        for (unsigned byte = 0; byte < 256; ++byte) keys += byte_of(load(node.keys()[byte / 8]), byte % 8) != 0;
        if (keys != used) return "has a key that leads to no slot";
    }
    if (!words_equal(node.prefix_words(), node.prefix())) return "has a prefix whose padding is not zero";
    return {};
}

/// The same of a value.
[[nodiscard]] inline std::string wrong_with_value(const Region& region, const ValueRef& ref) {
    const StoredValue value(region, ref);
    const bool is_long_text = value.tag == Tag::text_block || value.tag == Tag::leaf_text;
    const bool is_short =
        (is_long_text && value.size <= Tagged::short_text) ||
        (value.tag == Tag::integer_block && Tagged::is_short(static_cast<std::int64_t>(value.number)));
    if (is_short) return "is not in its word, which has room for it";
    if (value.tag == Tag::text) {
        const std::string_view text = std::get<std::string_view>(value.view());
        if (Tagged::short_string(Pieces(Bytes(text)), text.size()) != ref.word)
            return "is a string with something behind it";
    }
    if (is_long_text && !words_equal(value.text, std::get<std::string_view>(value.view())))
        return "is a string whose padding is not zero";
    return {};
}

/// Complains about each thing that is wrong with the tree of `entry`, which is called `name`.
inline void verify_prefix_tree(const Region& region, const DirectoryEntry& entry, const std::string& name,
                               Census& census) {
    const auto complain = [&](const std::string& sentence) { census.complain("tree \"" + name + "\": " + sentence); };
    try {
        const TreeHead& head = region.at(Offset<TreeHead>{load(entry.root[tree_head_root])});
        std::uint64_t entries = 0, nodes = 0;
        walk_subtree(
            region, load(head.root),
            [&](const NodeView& node) {
                ++nodes;
                if (const std::string wrong = wrong_with_node(node); !wrong.empty())
                    complain("the node at " + std::to_string(node.offset()) + " " + wrong);
            },
            [&](const ValueRef& value) {
                ++entries;
                if (const std::string wrong = wrong_with_value(region, value); !wrong.empty())
                    complain("a value " + wrong);
            });
        if (entries != load(head.entries))
            complain("has " + std::to_string(entries) + " entries and counts " + std::to_string(load(head.entries)));
        if (nodes != load(head.nodes))
            complain("has " + std::to_string(nodes) + " nodes and counts " + std::to_string(load(head.nodes)));
        if (!census.is_settled(load(entry.version)) || !census.is_settled(load(entry.root[tree_changes_root])))
            complain("has an odd version, and nobody holds the lock");
    } catch (const Error& error) { complain(error.what()); }
}

/// Counts all blocks of a live tree.
inline void count_tree(const Region& region, const DirectoryEntry& entry, Census& census) {
    const std::uint64_t offset = load(entry.root[tree_head_root]);
    const TreeHead& head = region.at(Offset<TreeHead>{offset});
    NodeBudget budget(region);
    count_subtree(budget, region, load(head.root), census);
    census.use(load(head.block), offset - load(head.block) + sizeof(TreeHead));
}

} // namespace ss::inline v0::detail
