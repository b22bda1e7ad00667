// Making nodes, and changing those there are: within a transaction, under the lock.
#pragma once

#include <ss/structure/prefix_tree/node.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace ss::inline v0::detail {

/// A node being made: nobody else sees it before its offset is stored somewhere.
template <class Tx>
class NewNode {
public:
    /// The prefix is what the pieces are together. Throws what allocate throws.
    NewNode(Tx& tx, std::uint64_t kind, Word value, std::span<const std::string_view> prefix)
        : NewNode(tx, kind, value, prefix, 0) {}

    /// A leaf with a string that is_kept_in_leaf, of `size` bytes.
    NewNode(Tx& tx, std::span<const std::string_view> prefix, const Pieces& text, std::uint64_t size)
        : NewNode(tx, leaf_kind, Tagged::make(Tag::leaf_text, size << 3), prefix, words_for(size)) {
        fill_words(words_ + header_.words(), text);
    }

    /// Hangs `word` on the slot of a byte that has none yet. The kind has room for it.
    void add(std::uint8_t byte, Word word) {
        const NodeKind& layout = node_kinds[header_.kind];
        Word* const keys = words_ + 2;
        auto place = static_cast<unsigned>(header_.count);
        // Who counted the branches has believed a header: it may have been wrong.
        if (place >= layout.capacity) [[unlikely]]
            tx_->region().refuse(offset_);
        switch (layout.shape) {
        case Shape::leaf:
            return;
        case Shape::node4:
            header_.keys |= std::uint32_t{byte} << (8 * place);
            break;
        case Shape::node16:
            tx_->fill(keys[place / 8], with_byte(load(keys[place / 8]), place % 8, byte));
            break;
        case Shape::node48:
            tx_->fill(keys[byte / 8],
                      with_byte(load(keys[byte / 8]), byte % 8, static_cast<std::uint8_t>(place + 1)));
            break;
        case Shape::node256:
            place = byte;
            break;
        }
        tx_->fill(keys[layout.key_words + place], word);
        ++header_.count;
    }

    /// The finished node's offset.
    [[nodiscard]] std::uint64_t finish() {
        tx_->fill(words_[0], header_.pack());
        return offset_;
    }

private:
    NewNode(Tx& tx, std::uint64_t kind, Word value, std::span<const std::string_view> prefix,
            std::uint64_t more_words)
        : tx_(&tx), header_{.kind = kind, .prefix_size = Pieces(prefix).size()} {
        const NodeKind& layout = node_kinds[kind];
        const std::uint64_t words = header_.words() + more_words;
        offset_ = tx.allocate(words * word_size);
        words_ = tx.region().words(offset_, words);
        tx.fill(words_[1], value);
        Word* at = words_ + 2;
        for (int i = layout.key_words + layout.capacity; i > 0; --i) tx.fill(*at++, 0);
        for_each_word(Pieces(prefix), [&](Word word) { tx.fill(*at++, word); });
    }

    Tx* tx_;
    NodeHeader header_;
    std::uint64_t offset_ = 0;
    Word* words_ = nullptr;
};

/// Hangs `word` on a byte of a node that has no slot for it, but room. Its version has been touched.
template <class Tx>
void add_to_node(Tx& tx, const NodeView& node, std::uint8_t byte, Word word) {
    NodeHeader header = node.header();
    auto place = static_cast<unsigned>(header.count++);
    Word* const keys = node.keys();
    switch (node.kind().shape) {
    case Shape::leaf:
        return;
    case Shape::node4:
        header.keys |= std::uint32_t{byte} << (8 * place);
        break;
    case Shape::node16:
        tx.store(keys[place / 8], with_byte(load(keys[place / 8]), place % 8, byte));
        break;
    case Shape::node48:
        place = 0;
        while (place + 1 < node.kind().capacity && load(node.slots()[place]) != 0) ++place;
        tx.store(keys[byte / 8], with_byte(load(keys[byte / 8]), byte % 8, static_cast<std::uint8_t>(place + 1)));
        break;
    case Shape::node256:
        place = byte;
        break;
    }
    tx.store(node.slots()[place], word);
    tx.store(node.header_word(), header.pack());
}

/// Empties the slot of a byte that has one. The node's version has been touched.
template <class Tx>
void remove_from_node(Tx& tx, const NodeView& node, std::uint8_t byte) {
    NodeHeader header = node.header();
    Word* const slot = node.find(byte);
    const auto place = static_cast<unsigned>(slot - node.slots());
    const auto last = static_cast<unsigned>(--header.count);
    Word* const keys = node.keys();
    const auto set_key = [&](unsigned at, std::uint8_t key) {
        if (node.kind().shape == Shape::node4)
            header.keys = static_cast<std::uint32_t>(with_byte(header.keys, at, key));
        else
            tx.store(keys[at / 8], with_byte(load(keys[at / 8]), at % 8, key));
    };
    if (node.is_small()) {
        // The last one takes its place.
        if (place != last) {
            tx.store(*slot, load(node.slots()[last]));
            set_key(place, node.key(last));
        }
        set_key(last, 0);
        tx.store(node.slots()[last], 0);
    } else {
        if (node.kind().shape == Shape::node48) set_key(byte, 0);
        tx.store(*slot, 0);
    }
    tx.store(node.header_word(), header.pack());
}

} // namespace ss::inline v0::detail
