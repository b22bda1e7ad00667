// The bytes of a prefix tree.
//
//     directory entry:  version | generation | … | root[0] = head | root[1] = changes, a version
//     head:    root | block …                      a cache line that readers look at
//              entries | nodes | bytes …           one that every writer changes
//     root, and each slot of a node:   0, or a tagged word: a value, or a node (see tagged.hpp)
//
//     node:    header | value | keys | slots | prefix | of a leaf: text
//
//     header:  kind (4) | count (9) | prefix size (17) | 0 (2) | of a Node4: its keys (32)
//     value:   of the key that ends with this node's prefix; 0 if there is none
//     keys     of a Node4    in the header
//              of a Node16   one to three words, a byte for each slot
//              of a Node48   32 words: for each byte, the number of its slot, plus 1; 0 if it has none
//              of a Node256  none: the byte is the slot's number
//     prefix:  the bytes that all keys below have in common here
//     text:    a leaf's value, if it is a string that is longer than a word and not too long: see is_kept_in_leaf
//
// An adaptive radix tree (V. Leis, A. Kemper, T. Neumann, ICDE 2013). The way to a key: the root, the prefix of the node
// there, the byte that picks a slot, the prefix of the node there … A key may end in a slot, which then is its value, or
// in a node, whose value word it has. So a key that ends where a byte picks a slot needs no node of its own.
//
// What holds of every tree: a node has at least two of {value, slots in use}, or it is a leaf, which has a value and a
// prefix and no slots. But a node that lost all but one while there was no memory for a smaller one is left as it is.
// Slots not in use are 0, and so are bytes of keys and prefix past the last. Slots and keys are in no order.
//
// Who reads without the lock goes from node to node as the coupling in reading.hpp says. A node's version is not in the
// node, whose memory may become anything, but in a table of the domain's block; two nodes may share one.
//
// A node on the garbage list is overwritten:   next on the list | header | keys | slots | prefix
#pragma once

#include <ss/base/bits.hpp>
#include <ss/base/word.hpp>
#include <ss/domain/layout.hpp>
#include <ss/structure/words.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace ss::inline v0::detail {

inline constexpr std::uint64_t max_key_size = 64 * kibi;

struct alignas(cache_line) TreeHead {
    Word root;  ///< guarded by the version of the head's own offset
    Word block; ///< the block that this head is in
    std::array<Word, 6> reserved;
    Word entries; ///< these are guarded by `changes`
    Word nodes;
    Word bytes; ///< allocated, of all blocks of the tree
    std::array<Word, 5> more;
};

static_assert(sizeof(TreeHead) == 2 * cache_line);

enum class Shape : std::uint8_t { leaf, node4, node16, node48, node256 };

struct NodeKind {
    Shape shape;
    std::uint16_t capacity;  ///< slots
    std::uint16_t key_words; ///< between value and slots

    [[nodiscard]] constexpr std::uint64_t words_before_prefix() const noexcept { return 2U + key_words + capacity; }
};

/// By the number in the header. 0 is none: memory of zeros is not a node.
inline constexpr std::array<NodeKind, 12> node_kinds = {{{Shape::leaf, 0, 0},
                                                         {Shape::leaf, 0, 0},
                                                         {Shape::node4, 2, 0},
                                                         {Shape::node4, 4, 0},
                                                         {Shape::node16, 8, 1},
                                                         {Shape::node16, 16, 2},
                                                         {Shape::node16, 24, 3},
                                                         {Shape::node48, 32, 32},
                                                         {Shape::node48, 48, 32},
                                                         {Shape::node48, 96, 32},
                                                         {Shape::node48, 160, 32},
                                                         {Shape::node256, 256, 0}}};

inline constexpr std::uint64_t leaf_kind = 1, smallest_inner_kind = 2, last_small_kind = 6;

/// Whether a leaf with a prefix of so many bytes has a string of so many bytes in itself, which spares readers the way to
/// another block. Whoever cuts a leaf's prefix copies it all: so there are limits.
[[nodiscard]] constexpr bool is_kept_in_leaf(std::uint64_t prefix_size, std::uint64_t text_size) noexcept {
    return words_for(prefix_size) + words_for(text_size) <= 48;
}

/// A node's first word, taken apart.
struct NodeHeader {
    std::uint64_t kind = 0;
    std::uint64_t count = 0;       ///< slots in use; of a node on the garbage list, those not yet looked at
    std::uint64_t prefix_size = 0; ///< bytes
    std::uint32_t keys = 0;        ///< of a Node4, the first in the lowest byte

    [[nodiscard]] static constexpr NodeHeader from(Word word) noexcept {
        return {.kind = word & 15,
                .count = word >> 4 & 511,
                .prefix_size = word >> 13 & 0x1'FFFF,
                .keys = static_cast<std::uint32_t>(word >> 32)};
    }
    [[nodiscard]] constexpr Word pack() const noexcept {
        return kind | count << 4 | prefix_size << 13 | Word{keys} << 32;
    }
    /// False for what no node has.
    [[nodiscard]] constexpr bool is_sane() const noexcept {
        return kind - 1 < node_kinds.size() - 1 && count <= node_kinds[kind].capacity && prefix_size <= max_key_size;
    }
    [[nodiscard]] constexpr std::uint64_t words() const noexcept {
        return node_kinds[kind].words_before_prefix() + words_for(prefix_size);
    }
};

/// Which version guards the node, or the head, at that offset.
[[nodiscard]] constexpr std::uint64_t version_index(std::uint64_t offset) noexcept {
    return (offset >> 3) * 0x9E37'79B9'7F4A'7C15U >> (64 - log2_floor(node_versions));
}

} // namespace ss::inline v0::detail
