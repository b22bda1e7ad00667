// A node in the pool, looked at.
#pragma once

#include <ss/pool/region.hpp>
#include <ss/structure/prefix_tree/byte_search.hpp>
#include <ss/structure/prefix_tree/layout.hpp>
#include <ss/structure/prefix_tree/tagged.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string_view>

namespace ss::inline v0::detail {

/// What its header says has been checked against the region, not believed: good enough to read nonsense by, until that is
/// validated. Made for each step of each look-up: so what makes it is inlined, and takes its header apart only where a part
/// is asked for.
class NodeView {
public:
    /// Throws errc::damaged if no node can be there.
    [[gnu::always_inline]] NodeView(const Region& region, std::uint64_t offset)
        : NodeView(region, offset, load(region.word(offset))) {}

    /// A node on the garbage list, whose header lies in its value's place.
    [[nodiscard]] static NodeView garbage(const Region& region, std::uint64_t offset) {
        return {region, offset, load(region.words(offset, 2)[1])};
    }

    [[nodiscard]] NodeHeader header() const noexcept { return NodeHeader::from(header_); }
    [[nodiscard]] const NodeKind& kind() const noexcept { return *kind_; }
    [[nodiscard]] std::uint64_t count() const noexcept { return header().count; }
    [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }

    [[nodiscard]] Word& header_word() const noexcept { return words_[0]; }
    [[nodiscard]] Word& value() const noexcept { return words_[1]; }
    [[nodiscard]] Word* keys() const noexcept { return words_ + 2; }
    [[nodiscard]] Word* slots() const noexcept { return words_ + 2 + kind().key_words; }
    [[nodiscard]] const Word* prefix_words() const noexcept { return words_ + kind().words_before_prefix(); }
    [[nodiscard]] std::size_t prefix_size() const noexcept { return header().prefix_size; }

    [[nodiscard]] bool is_leaf() const noexcept { return kind().shape == Shape::leaf; }

    /// The value, as it is now.
    [[nodiscard]] ValueRef value_ref() const noexcept {
        return {.word = load(value()), .behind_prefix = is_leaf() ? offset_ + header().words() * word_size : 0};
    }
    /// All words that it takes, those of a leaf's text too.
    [[nodiscard]] std::uint64_t all_words() const noexcept {
        return header().words() + (is_leaf() ? words_for(Tagged::leaf_text_size(load(value()))) : std::uint64_t{0});
    }

    /// In place: under the lock only.
    [[nodiscard]] std::string_view prefix() const noexcept {
        return {reinterpret_cast<const char*>(prefix_words()), prefix_size()};
    }

    /// How many bytes of `key` are the prefix's, from the first on.
    [[nodiscard]] std::size_t match(std::string_view key) const noexcept {
        return common_prefix(prefix_words(), prefix_size(), key);
    }

    /// The slot of a byte; null if it has none.
    [[nodiscard, gnu::always_inline]] Word* find(std::uint8_t byte) const {
        switch (kind().shape) {
        case Shape::leaf:
            return nullptr;
        case Shape::node4:
            return slot_or_null(find_byte(header().keys, 0, key_count(), byte));
        case Shape::node16: {
            // Where words of keys are odd, the one behind the last is a slot; but the count says that it is not looked at.
            const unsigned count = key_count();
            const unsigned place = find_byte(load(keys()[0]), load(keys()[1]), std::min(count, 16U), byte);
            if (place != 16 || count <= 16) return slot_or_null(place);
            Word* const slot = slot_or_null(find_byte(load(keys()[2]), load(keys()[3]), count - 16, byte));
            return slot == nullptr ? nullptr : slot + 16;
        }
        case Shape::node48: {
            const unsigned place = byte_of(load(keys()[byte / 8]), byte % 8);
            return place == 0 || place > kind().capacity ? nullptr : slots() + place - 1;
        }
        case Shape::node256:
            break;
        }
        return load(slots()[byte]) == 0 ? nullptr : slots() + byte;
    }

    /// A byte that has a slot, and the slot; null where there is none left.
    struct Branch {
        unsigned byte = 0;
        Word* slot = nullptr;
    };

    /// The one with the smallest byte that is not less than `from` (0 to 256).
    [[nodiscard]] Branch next(unsigned from) const {
        return is_small() ? extreme([&](unsigned byte, unsigned best) { return byte >= from && byte < best; }, 256)
                          : scan_up(from);
    }

    /// The one with the greatest byte that is less than `below` (0 to 256).
    [[nodiscard]] Branch previous(unsigned below) const {
        if (!is_small()) return scan_down(below);
        // Bytes are compared with one more than the best, so that 0 is less than all.
        return extreme([&](unsigned byte, unsigned best) { return byte < below && byte + 1 > best; }, 0);
    }

    /// f(byte, slot) for each slot in use, in no order.
    template <class F>
    void for_each(F f) const {
        if (is_small()) {
            for (unsigned i = 0; i < key_count(); ++i) f(key(i), slots()[i]);
            return;
        }
        for (Branch branch = scan_up(0); branch.slot != nullptr; branch = scan_up(branch.byte + 1))
            f(static_cast<std::uint8_t>(branch.byte), *branch.slot);
    }

    /// Key `i` of a Node4 or Node16.
    [[nodiscard]] std::uint8_t key(unsigned i) const noexcept {
        return kind().shape == Shape::node4 ? byte_of(header().keys, i) : byte_of(load(keys()[i / 8]), i % 8);
    }

    /// Leaves, and those whose keys are a list.
    [[nodiscard]] bool is_small() const noexcept { return kind().shape <= Shape::node16; }

private:
    [[gnu::always_inline]] NodeView(const Region& region, std::uint64_t offset, Word header)
        : header_(header), offset_(offset) {
        const NodeHeader parts = this->header();
        if (!parts.is_sane()) [[unlikely]]
            region.refuse(offset);
        kind_ = &node_kinds[parts.kind];
        words_ = region.words(offset, parts.words());
    }

    [[nodiscard]] unsigned key_count() const noexcept { return static_cast<unsigned>(count()); }

    [[nodiscard]] Word* slot_or_null(unsigned place) const noexcept {
        return place == 16 ? nullptr : slots() + place;
    }

    /// Of the keys in a list the one that is better than all others.
    template <class IsBetter>
    [[nodiscard]] Branch extreme(IsBetter is_better, unsigned worst) const {
        Branch found;
        unsigned best = worst;
        for (unsigned i = 0; i < key_count(); ++i) {
            const unsigned byte = key(i);
            if (!is_better(byte, best)) continue;
            found = {.byte = byte, .slot = slots() + i};
            best = worst == 0 ? byte + 1 : byte;
        }
        return found;
    }

    // Of a Node48 or Node256: eight bytes at a time, or slot by slot.

    [[nodiscard]] Branch scan_up(unsigned from) const {
        for (unsigned byte = from; byte < 256; ++byte) {
            if (kind().shape == Shape::node48) {
                const Word left = load(keys()[byte / 8]) >> (8 * (byte % 8));
                byte = left == 0 ? byte | 7U : byte + static_cast<unsigned>(std::countr_zero(left)) / 8;
            }
            if (Word* const slot = find(static_cast<std::uint8_t>(byte)); slot != nullptr)
                return {.byte = byte, .slot = slot};
        }
        return {};
    }

    [[nodiscard]] Branch scan_down(unsigned below) const {
        for (unsigned byte = below; byte-- > 0;) {
            if (kind().shape == Shape::node48) {
                const Word left = load(keys()[byte / 8]) << (8 * (7 - byte % 8));
                byte = left == 0 ? byte & ~7U : byte - static_cast<unsigned>(std::countl_zero(left)) / 8;
            }
            if (Word* const slot = find(static_cast<std::uint8_t>(byte)); slot != nullptr)
                return {.byte = byte, .slot = slot};
        }
        return {};
    }

    Word header_;
    std::uint64_t offset_;
    const NodeKind* kind_ = nullptr;
    Word* words_ = nullptr;
};

/// What a node's value word becomes when the node is hung on the garbage list: its header, all slots still to be freed.
[[nodiscard]] inline Word garbage_header(const NodeView& node) noexcept {
    NodeHeader header = node.header();
    header.count = node.kind().capacity;
    return header.pack();
}

} // namespace ss::inline v0::detail
