// Walking along a tree that nobody changes meanwhile, at the speed of memory.
//
// Every change of a tree moves its change counter, before its first store. So where that is even, and the same behind a
// batch as before it, all that the batch was read from was there at one moment: no node's version needs to be looked at.
// As long as the counter stands, the next batch goes on where this one ended. Where it moves, walk.hpp knows what to do.
//
// What is still to come lies on a stack, the next on top: values, and nodes that nobody has been to. A leaf costs a miss of
// the caches, and nothing else that counts; so those to come are asked for while there is something to do before them:
//
//     top                near              far
//      │ next │ …         │ …               │ …                    bottom
//                         └ a node's branches, the end of a leaf
//                                           └ the first line of what hangs there
#pragma once

#include <ss/structure/prefix_tree/batch.hpp>
#include <ss/structure/prefix_tree/reading.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace ss::inline v0::detail {

/// True if what was read when the tree's change counter was `then` is still what is there. While a transaction is under way
/// the counter is odd, and moves no more however much that changes.
[[nodiscard]] constexpr bool is_fresh(Word then, Word now) noexcept { return then == now && (then & 1) == 0; }

/// One walk, up or down; what it reads may be nonsense until it is validated. A copy goes on independently.
class QuietWalk {
public:
    /// True if it can go on while the tree's change counter is `now`.
    [[nodiscard]] bool can_go_on(Word now) const noexcept { return is_fresh(changes_, now); }
    /// It can go on while the counter is `changes`.
    void stands_at(Word changes) noexcept { changes_ = changes; }
    void forget() noexcept { changes_ = 1; }

    /// Goes down from the tree's root to the start. Throws errc::damaged.
    template <Direction To>
    void seek(const Region& region, Word root, const WalkStart& start);

    /// Appends to the batch until the limit or the end. True if it came to the end. False, too, if valid() said so: asked
    /// before long strings are copied. Throws errc::damaged.
    template <Direction To, class Valid>
    [[nodiscard]] bool run(const Region& region, const WalkLimit& limit, TreeBatch& batch, Valid valid);

private:
    static constexpr unsigned no_byte = 256;
    static constexpr std::size_t near = 4, far = 8; ///< places on the stack
    static constexpr std::uint64_t most_looked_at =
        20 * word_size; ///< bytes of a node: the largest of the small ones

    enum class State : std::uint16_t { unknown, asked_for, looked_at };

    /// What hangs on a slot of a node, or its value: its key is so much of the walk's, and the byte.
    struct Item {
        Word word;
        std::uint32_t key_size;
        std::uint16_t byte;
        State state;
    };

    [[nodiscard]] Item item(Word word, unsigned byte, State state) const noexcept {
        return {.word = word,
                .key_size = static_cast<std::uint32_t>(key_.size()),
                .byte = static_cast<std::uint16_t>(byte),
                .state = state};
    }
    void push(Word word) {
        make_room(1);
        pending_[count_++] = item(word, no_byte, State::unknown);
    }
    void make_room(std::size_t more) {
        if (count_ + more > pending_.size()) [[unlikely]]
            pending_.resize(std::max<std::size_t>(64, 2 * (count_ + more)));
    }

    /// The bytes that have a branch, and where that is.
    struct Branches {
        std::array<Word, 4> bytes{};
        std::array<std::uint8_t, 256> places; // of the others, not initialized

        explicit Branches(const NodeView& node) noexcept;
        void keep_below(unsigned byte) noexcept {
            for (unsigned i = byte / 64 + 1; i < bytes.size(); ++i) bytes[i] = 0;
            bytes[byte / 64] &= (Word{1} << (byte % 64)) - 1;
        }
        void keep_above(unsigned byte) noexcept {
            for (unsigned i = 0; i < byte / 64; ++i) bytes[i] = 0;
            bytes[byte / 64] &= ~Word{1} << (byte % 64);
        }
    };

    /// The branches of a node, and its value if that is wanted; the walk's key is the node's.
    template <Direction To>
    void push_all(const Region& region, const NodeView& node, bool with_value, const Branches& branches, State state);
    /// The same of a Node4, all of it.
    template <Direction To>
    void push_few(const Region& region, const NodeView& node, State state);
    [[nodiscard]] static Word value_of(const Region& region, const NodeView& node) {
        const Word value = load(node.value());
        if (Tagged::is_node(value)) [[unlikely]]
            region.refuse(node.offset());
        return value;
    }

    void grow_key(const Region& region, std::size_t bytes, std::uint64_t offset) {
        if (bytes > max_key_size - key_.size()) [[unlikely]]
            region.refuse(offset);
        key_.resize(key_.size() + bytes);
    }
    void append_prefix(const Region& region, const NodeView& node) {
        const std::size_t before = key_.size(), size = node.prefix_size();
        if (size == 0) return;
        grow_key(region, size, node.offset());
        copy_words(key_.data() + before, node.prefix_words(), size);
    }

    // --- asking for what comes

    /// For what hangs on a slot. Most is leaves, and these about as long as the last one.
    void ask_for(const Region& region, Word word) const noexcept {
        region.prefetch(word & ~Tagged::mask);
        region.prefetch((word & ~Tagged::mask) + leaf_end_);
    }
    void ask_for(const Region& region, Item& item) const noexcept {
        if (item.state != State::unknown) return;
        item.state = State::asked_for;
        ask_for(region, item.word);
    }
    [[gnu::always_inline]] void look_at(const Region& region, Item& item) const noexcept {
        if (item.state == State::looked_at) return;
        item.state = State::looked_at;
        if ((item.word & Tagged::mask) == 0 && item.word - region.begin() < near_end_) {
            const auto* const words = reinterpret_cast<const Word*>(region.data(item.word));
            if ((load(words[0]) & 15) > leaf_kind) look_at_node(region, words);
        }
    }
    void look_at_node(const Region& region, const Word* words) const noexcept;

    /// One has been taken off the stack.
    [[gnu::always_inline]] void look_ahead(const Region& region) noexcept {
        if (count_ > near) look_at(region, pending_[count_ - 1 - near]);
        if (count_ > far) ask_for(region, pending_[count_ - 1 - far]);
    }
    /// So many are new on top of it.
    void look_at_first(const Region& region, std::size_t fresh) noexcept {
        if (fresh != 0 && pending_[count_ - 1].state == State::unknown)
            for (std::size_t i = 1; i <= std::min(far, fresh); ++i) ask_for(region, pending_[count_ - i]);
        for (std::size_t i = 1; i <= std::min(near, fresh); ++i) look_at(region, pending_[count_ - i]);
    }

    std::vector<Item> pending_; ///< the first count_ count
    std::size_t count_ = 0;
    WalkKey key_;
    std::uint64_t near_end_ = 0; ///< up to here in the region a whole node may be looked at, whatever it is
    std::uint64_t leaf_end_ = 0; ///< where the last word of the leaf before was, from its begin
    Word changes_ = 1;
};

inline QuietWalk::Branches::Branches(const NodeView& node) noexcept {
    const auto has = [this](unsigned byte, unsigned place) {
        bytes[byte / 64] |= Word{1} << (byte % 64);
        places[byte] = static_cast<std::uint8_t>(place);
    };
    const auto count = static_cast<unsigned>(node.count());
    switch (node.kind().shape) {
    case Shape::leaf:
        return;
    case Shape::node4:
        for (std::uint32_t keys = node.header().keys, i = 0; i < count; keys >>= 8, ++i) has(keys & 0xFF, i);
        return;
    case Shape::node16: {
        Word keys = 0;
        for (unsigned i = 0; i < count; keys >>= 8, ++i) {
            if (i % word_size == 0) keys = load(node.keys()[i / word_size]);
            has(static_cast<unsigned>(keys & 0xFF), i);
        }
        return;
    }
    case Shape::node48:
        for (unsigned byte = 0; byte < 256; ++byte) {
            const unsigned place = byte_of(load(node.keys()[byte / 8]), byte % 8);
            if (place != 0 && place <= node.kind().capacity) has(byte, place - 1);
        }
        return;
    case Shape::node256:
        for (unsigned byte = 0; byte < 256; ++byte)
            if (load(node.slots()[byte]) != 0) has(byte, byte);
    }
}

template <Direction To>
void QuietWalk::push_all(const Region& region, const NodeView& node, bool with_value, const Branches& branches,
                         State state) {
    // Of a large node the branches are counted, not believed: its header may be older, or newer.
    make_room(1 + (node.is_small() ? node.count() : 256));
    Item* top = pending_.data() + count_;
    const auto push_value = [&] {
        const Word value = value_of(region, node);
        if (value != 0) *top++ = item(value, no_byte, state);
    };
    const Word* const slots = node.slots();
    const auto push_branch = [&](unsigned byte) { *top++ = item(load(slots[branches.places[byte]]), byte, state); };
    if constexpr (To == Direction::up) {
        for (unsigned i = 4; i-- > 0;)
            for (Word left = branches.bytes[i]; left != 0;) {
                const auto bit = static_cast<unsigned>(std::bit_width(left)) - 1;
                left ^= Word{1} << bit;
                push_branch(64 * i + bit);
            }
        if (with_value) push_value();
    } else {
        if (with_value) push_value();
        for (unsigned i = 0; i < 4; ++i)
            for (Word left = branches.bytes[i]; left != 0; left &= left - 1)
                push_branch(64 * i + static_cast<unsigned>(std::countr_zero(left)));
    }
    count_ = static_cast<std::size_t>(top - pending_.data());
}

template <Direction To>
void QuietWalk::push_few(const Region& region, const NodeView& node, State state) {
    make_room(5);
    Item* const bottom = pending_.data() + count_;
    Item* top = bottom;
    const Word value = value_of(region, node);
    std::uint32_t keys = node.header().keys;
    const auto count = static_cast<unsigned>(node.count());
    for (unsigned i = 0; i < count; ++i, keys >>= 8) {
        Item* at = top++;
        const unsigned byte = keys & 0xFF;
        for (; at != bottom && (To == Direction::up ? at[-1].byte < byte : at[-1].byte > byte); --at) *at = at[-1];
        *at = item(load(node.slots()[i]), byte, state);
    }
    if (value != 0) {
        if constexpr (To == Direction::down) std::move_backward(bottom, top, top + 1);
        *(To == Direction::up ? top : bottom) = item(value, no_byte, state);
        ++top;
    }
    count_ = static_cast<std::size_t>(top - pending_.data());
}

template <Direction To>
void QuietWalk::seek(const Region& region, Word root, const WalkStart& start) {
    count_ = 0;
    key_.resize(0);
    if (start.everything) {
        if (root != 0) push(root);
        return;
    }
    Word word = root;
    for (std::string_view rest = start.key;;) {
        if (!Tagged::is_node(word)) {
            // A key that ended here is the start itself, or comes before it.
            if (word != 0 && (rest.empty() ? start.inclusive : To == Direction::down)) push(word);
            break;
        }
        const NodeView node(region, word);
        const std::size_t matched = node.match(rest);
        if (matched != node.prefix_size()) {
            // All below is before the start, or behind.
            const bool greater = matched == rest.size() ||
                                 byte_of(load(node.prefix_words()[matched / word_size]), matched % word_size) >
                                     static_cast<std::uint8_t>(rest[matched]);
            if (greater == (To == Direction::up)) push(word);
            break;
        }
        rest.remove_prefix(matched);
        const bool up = To == Direction::up;
        if (node.is_leaf()) {
            if (rest.empty() ? start.inclusive : !up) push(word);
            break;
        }
        append_prefix(region, node);
        if (rest.empty()) {
            Branches branches(node);
            if (!up) branches.keep_below(0);
            push_all<To>(region, node, start.inclusive, branches, State::unknown);
            break;
        }
        const auto byte = static_cast<std::uint8_t>(rest.front());
        Branches branches(node);
        if (up)
            branches.keep_above(byte);
        else
            branches.keep_below(byte);
        push_all<To>(region, node, !up, branches, State::unknown);
        const Word* const slot = node.find(byte);
        if (slot == nullptr) break;
        word = load(*slot);
        grow_key(region, 1, node.offset());
        key_.back() = static_cast<char>(byte);
        rest.remove_prefix(1);
    }
    look_at_first(region, count_);
}

template <Direction To, class Valid>
bool QuietWalk::run(const Region& region, const WalkLimit& limit, TreeBatch& batch, Valid valid) {
    // Between two entries there are no more nodes than the longest key has bytes. Where there are, they hang in circles.
    std::size_t barren = 0;
    near_end_ = region.size() < most_looked_at ? 0 : region.size() - most_looked_at;
    const std::size_t most = limit.entries, most_bytes = limit.bytes;
    const bool only_keys = limit.keys_only, is_long = most > 1;
    const auto emit = [&](const TreeBatch::Key& key, const ValueRef& ref) {
        const StoredValue value(region, only_keys ? ValueRef{.word = Tagged::make(Tag::constant, 0)} : ref);
        if (value.size > most_bytes && !valid()) return false; // the size is believed from here on
        batch.push(key, value);
        barren = 0;
        return true;
    };
    while (batch.size() < most && batch.bytes() < most_bytes) {
        if (count_ == 0) return true;
        const Item item = pending_[--count_];
        if (is_long) look_ahead(region);
        if (item.byte == no_byte) {
            key_.resize(item.key_size);
        } else {
            if (item.key_size >= max_key_size) [[unlikely]]
                region.refuse(item.word);
            key_.resize(item.key_size, static_cast<char>(item.byte));
        }
        if (!Tagged::is_node(item.word)) {
            if (item.word != 0 && !emit({.begin = key_.view()}, {.word = item.word})) return false;
            continue;
        }
        const bool is_inside = item.word - region.begin() < near_end_;
        const Word* const words =
            is_inside ? reinterpret_cast<const Word*>(region.data(item.word)) : region.words(item.word, 2);
        const NodeHeader header = NodeHeader::from(load(words[0]));
        if (header.kind == leaf_kind) {
            const Word value = load(words[1]);
            const std::uint64_t text_size = Tagged::leaf_text_size(value);
            const std::uint64_t prefix_end = 2 + words_for(header.prefix_size),
                                end = prefix_end + words_for(text_size);
            if (Tagged::is_node(value) || key_.size() + header.prefix_size > max_key_size ||
                text_size > max_bytes_size) [[unlikely]]
                region.refuse(item.word);
            if (!is_inside || end > most_looked_at / word_size) (void)region.words(item.word, end);
            leaf_end_ = (end - 1) * word_size;
            const TreeBatch::Key key{key_.view(), words + 2, header.prefix_size};
            if (text_size != 0 && text_size <= most_bytes && !only_keys) {
                batch.push_text(key, words + prefix_end, text_size);
                barren = 0;
            } else if (value != 0 &&
                       !emit(key, {.word = value, .behind_prefix = item.word + prefix_end * word_size})) {
                return false;
            }
            continue;
        }
        const NodeView node(region, item.word);
        if (++barren > max_key_size) [[unlikely]]
            region.refuse(node.offset());
        append_prefix(region, node);
        const State state = node.is_small() && item.state == State::looked_at ? State::asked_for : State::unknown;
        const std::size_t before = count_;
        if (node.kind().shape == Shape::node4)
            push_few<To>(region, node, state);
        else
            push_all<To>(region, node, true, Branches(node), state);
        if (is_long) look_at_first(region, count_ - before);
    }
    return false;
}

/// Asks for what hangs on a node that has been asked for before.
inline void QuietWalk::look_at_node(const Region& region, const Word* words) const noexcept {
    const NodeHeader header = NodeHeader::from(load(words[0]));
    if (!header.is_sane()) return;
    const NodeKind& kind = node_kinds[header.kind];
    if (kind.shape <= Shape::node16) {
        const Word* const slots = words + 2 + kind.key_words;
        for (std::uint64_t i = 0; i < header.count; ++i) ask_for(region, load(slots[i]));
    } else {
        for (std::uint64_t i = 1; i < 8; ++i) __builtin_prefetch(words + i * cache_line / word_size);
    }
}

} // namespace ss::inline v0::detail
