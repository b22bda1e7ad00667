// Changing a tree: within a transaction, under the lock.
//
// Every change touches, before its first store: the version of the head or node in which a word changes, that of each
// node that is freed or overwritten, and `changes`, which guards the counters and tells iterators.
#pragma once

#include <ss/structure/aligned_block.hpp>
#include <ss/structure/prefix_tree/node_editor.hpp>
#include <ss/structure/prefix_tree/reading.hpp>
#include <ss/structure/prefix_tree/subtree.hpp>
#include <ss/structure/prefix_tree/way.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ss::inline v0::detail {

/// A string in a block or a leaf is overwritten in place, through the journal, if the new one has up to so many words and
/// there is room: in a block as much as the old one took, in a leaf as much as the leaf's block has. Others move.
inline constexpr std::uint64_t tree_in_place_words = 8;

template <class Tx>
class TreeWriter {
public:
    /// Throws no_such_object, damaged.
    TreeWriter(Tx& tx, const ObjectRef& object)
        : tx_(&tx), object_(&object), path_(tx.domain(), object, LockedReading{}) {
        (void)path_.enter();
        root_ = {.slot = &path_.head().root, .owner = tx.region().offset_of(&path_.head())};
    }

    /// The key's value; its word is 0 if the key is missing.
    [[nodiscard]] ValueRef find(std::string_view key) const {
        ValueRef found;
        bool hit = false;
        TreeReading<LockedReading> path = path_;
        (void)look_up(path, key, hit, [&](auto&, const ValueRef& value) {
            found = value;
            return true;
        });
        return found;
    }

    /// Gives the key this value; true if the key is new.
    bool insert(std::string_view key, const NewValue& value) {
        begin();
        const bool is_new = put(key, value, [&](std::string_view rest) { return new_branch(rest, value); });
        if (is_new) ++change_.entries;
        finish();
        return is_new;
    }

    /// What was done with a part of a list: of so many entries so many had new keys.
    struct Inserted {
        std::size_t entries = 0, fresh = 0;
    };

    /// Inserts or overwrites the first of `entries`, which has `size()`, `key(i)` and `value(i)`, from `from` on and before
    /// `to`; as many as goes_on() says. Where keys that are in order come to a place in the tree that is empty, all that hangs
    /// there is built at once.
    template <class Entries, class GoesOn>
    [[nodiscard]] Inserted insert(const Entries& entries, std::size_t from, std::size_t to, GoesOn goes_on) {
        begin();
        Inserted inserted;
        for (std::size_t at = from; at != to && goes_on(); at = from + inserted.entries) {
            const std::string_view key = entries.key(at);
            std::size_t taken = 1;
            const bool is_new = put(key, NewValue(entries.value(at)), [&](std::string_view rest) {
                const std::size_t depth = key.size() - rest.size();
                taken = sorted_from(entries, at, to, key.substr(0, depth));
                return built(entries, at, at + taken, depth);
            });
            inserted.entries += taken;
            inserted.fresh += is_new ? taken : 0;
        }
        change_.entries += inserted.fresh;
        finish();
        return inserted;
    }

    /// Erases the key; true if it was there.
    bool erase(std::string_view key) {
        const Way way = find_way(tx_->region(), root_, key, false);
        if (!way.hit) return false;
        begin();
        const Word word = load(*way.target.slot);
        if (Tagged::is_node(word) && node_at(word).count() != 0) {
            const NodeView node = node_at(word);
            const Word value = load(node.value());
            touch(node.offset());
            tx_->store(node.value(), 0);
            drop_block(value);
            --change_.entries;
            compact(way.target);
        } else {
            cut(way);
        }
        finish();
        return true;
    }

    /// Erases all keys that begin with `prefix`; returns how many.
    std::uint64_t erase_prefix(std::string_view prefix) {
        const Way way = find_way(tx_->region(), root_, prefix, true);
        if (!way.hit) return 0;
        begin();
        const std::uint64_t before = load(path_.head().entries);
        cut(way);
        finish();
        return before - load(path_.head().entries);
    }

    /// Erases everything. No walk: the counters tell how much it is.
    void clear() {
        begin();
        const TreeHead& head = path_.head();
        const SubtreeSum all{.entries = load(head.entries),
                             .nodes = load(head.nodes),
                             .bytes = load(head.bytes) - tx_->block_size(load(head.block))};
        const Word word = load(*root_.slot);
        touch(root_.owner);
        tx_->store(*root_.slot, 0);
        discard(word, all);
        finish();
    }

    /// Clears, and frees the head. The caller takes the name away.
    void destroy() {
        clear();
        touch(root_.owner);
        tx_->free(load(path_.head().block));
    }

private:
    struct Change {
        std::uint64_t entries = 0, nodes = 0, bytes = 0; // differences, modulo 2^64
    };

    // --- the frame of each change

    void begin() {
        tx_->touch_always(object_->entry->root[tree_changes_root]); // iterators look at it in every profile
        change_ = {};
    }

    void finish() {
        TreeHead& head = path_.head();
        if (change_.entries != 0) tx_->store(head.entries, load(head.entries) + change_.entries);
        if (change_.nodes != 0) tx_->store(head.nodes, load(head.nodes) + change_.nodes);
        if (change_.bytes != 0) tx_->store(head.bytes, load(head.bytes) + change_.bytes);
    }

    void touch(std::uint64_t owner) { tx_->touch(version_of(tx_->domain(), owner)); }

    [[nodiscard]] NodeView node_at(Word word) const { return {tx_->region(), word}; }

    void hang(const Hook& hook, Word word) {
        touch(hook.owner);
        tx_->store(*hook.slot, word);
    }

    // --- what comes and goes, counted

    [[nodiscard]] std::uint64_t finished(NewNode<Tx>& node) {
        const std::uint64_t offset = node.finish();
        ++change_.nodes;
        change_.bytes += tx_->block_size(offset);
        return offset;
    }

    [[nodiscard]] NewNode<Tx> new_node(std::uint64_t kind, Word value, std::string_view prefix) {
        return {*tx_, kind, value, std::span(&prefix, 1)};
    }

    [[nodiscard]] Word new_value(const NewValue& value) {
        const Word word = make_word(*tx_, value);
        if (const std::uint64_t block = Tagged::block(word); block != 0) change_.bytes += tx_->block_size(block);
        return word;
    }

    /// What hangs on a slot when `rest` is what a key has behind that.
    [[nodiscard]] Word new_branch(std::string_view rest, const NewValue& value) {
        return rest.empty() ? new_value(value) : new_leaf(std::span(&rest, 1), value);
    }

    /// A leaf, with its value in it if it can be there. The prefix is not empty.
    [[nodiscard]] Word new_leaf(std::span<const std::string_view> prefix, const NewValue& value) {
        const NewValue::Form form = value.form();
        if (form.tag == Tag::text_block && is_kept_in_leaf(Pieces(prefix).size(), form.size)) {
            NewNode<Tx> leaf(*tx_, prefix, value.pieces(), form.size);
            return finished(leaf);
        }
        NewNode<Tx> leaf(*tx_, leaf_kind, new_value(value), prefix);
        return finished(leaf);
    }

    // A value that there is, on its way out of a node. Whoever moves it drops that node, which is what touches its version:
    // what is freed stays as it is until the commit.

    /// To a place that is in no leaf.
    [[nodiscard]] Word moved(const ValueRef& value) {
        if (Tagged::tag(value.word) != Tag::leaf_text) return value.word;
        return new_value(NewValue(StoredValue(tx_->region(), value).view()));
    }

    /// To a leaf with that prefix.
    [[nodiscard]] Word moved_to_leaf(std::span<const std::string_view> prefix, const ValueRef& value) {
        const Tag tag = Tagged::tag(value.word);
        if (tag == Tag::leaf_text || tag == Tag::text_block) {
            const StoredValue stored(tx_->region(), value);
            if (tag == Tag::leaf_text || is_kept_in_leaf(Pieces(prefix).size(), stored.size)) {
                const Word leaf = new_leaf(prefix, NewValue(stored.view()));
                drop_block(value.word);
                return leaf;
            }
        }
        NewNode<Tx> leaf(*tx_, leaf_kind, value.word, prefix);
        return finished(leaf);
    }

    void drop_block(Word value) {
        const std::uint64_t block = Tagged::block(value);
        if (block == 0) return;
        change_.bytes -= tx_->block_size(block);
        tx_->free(block);
    }

    /// Of a node whose branches hang elsewhere by now.
    void drop_node(const NodeView& node) {
        touch(node.offset());
        change_.bytes -= tx_->block_size(node.offset());
        --change_.nodes;
        tx_->free(node.offset());
    }

    // --- building

    /// How many entries from `at` on are in order, no key twice, and begin with `prefix`.
    template <class Entries>
    [[nodiscard]] static std::size_t sorted_from(const Entries& entries, std::size_t at, std::size_t to,
                                                 std::string_view prefix) {
        std::size_t end = at + 1;
        while (end != to && entries.key(end - 1) < entries.key(end) && entries.key(end).starts_with(prefix)) ++end;
        return end - at;
    }

    /// What hangs on a slot when these entries, which are in order and have their first `depth` bytes in common, are all
    /// that is below it. Nodes are as large as they need to be, and lie before what hangs on them. Goes no deeper into
    /// itself than there are entries.
    template <class Entries>
    [[nodiscard]] Word built(const Entries& entries, std::size_t from, std::size_t to, std::size_t depth) {
        const std::string_view first = entries.key(from), last = entries.key(to - 1);
        if (to - from == 1) return new_branch(first.substr(depth), NewValue(entries.value(from)));
        std::size_t end = depth; // of what all of them have in common
        while (end != first.size() && first[end] == last[end]) ++end;
        const std::string_view prefix = first.substr(depth, end - depth);
        const Word value = first.size() == end ? new_value(NewValue(entries.value(from++))) : 0;
        const auto group_end = [&](std::size_t at) {
            const char byte = entries.key(at)[end];
            while (at != to && entries.key(at)[end] == byte) ++at;
            return at;
        };
        std::size_t branches = 0;
        for (std::size_t at = from; at != to; at = group_end(at)) ++branches;
        std::uint64_t kind = smallest_inner_kind;
        while (node_kinds[kind].capacity < branches) ++kind;
        NewNode<Tx> node = new_node(kind, value, prefix);
        for (std::size_t at = from; at != to;) {
            const std::size_t next = group_end(at);
            node.add(static_cast<std::uint8_t>(entries.key(at)[end]), built(entries, at, next, end + 1));
            at = next;
        }
        return finished(node);
    }

    // --- inserting

    /// Gives the key that `rest` is this value; true if it is new. branch(rest) makes what hangs on a slot that was empty
    /// when `rest` is what the key has behind it.
    template <class Branch>
    bool put(std::string_view rest, const NewValue& value, Branch branch) {
        for (Hook hook = root_;;) {
            const Word word = load(*hook.slot);
            if (word == 0) {
                hang(hook, branch(rest));
                return true;
            }
            if (Tagged::is_value(word)) {
                if (rest.empty()) {
                    replace(hook, value);
                    return false;
                }
                // The key that ended here now ends in a node, beside the longer one.
                NewNode<Tx> node = new_node(smallest_inner_kind, word, {});
                node.add(static_cast<std::uint8_t>(rest.front()), branch(rest.substr(1)));
                hang(hook, finished(node));
                return true;
            }
            const NodeView node = node_at(word);
            const std::size_t matched = node.match(rest);
            rest.remove_prefix(matched);
            if (matched != node.prefix_size()) {
                split(hook, node, matched, rest, value, branch);
                return true;
            }
            if (rest.empty()) {
                const Hook own{.slot = &node.value(), .owner = node.offset()};
                const bool is_new = load(node.value()) == 0;
                if (is_new)
                    hang(own, new_value(value));
                else if (node.is_leaf())
                    replace_in_leaf(hook, node, value);
                else
                    replace(own, value);
                return is_new;
            }
            const auto byte = static_cast<std::uint8_t>(rest.front());
            rest.remove_prefix(1);
            Word* const slot = node.find(byte);
            if (slot == nullptr) {
                add_branch(hook, node, byte, branch(rest));
                return true;
            }
            hook = {.slot = slot, .owner = node.offset()};
        }
    }

    /// Gives the value that hangs there way to another.
    void replace(const Hook& hook, const NewValue& value) {
        const Word old = load(*hook.slot);
        const NewValue::Form form = value.form();
        if (form.tag >= Tag::text_block && form.tag == Tagged::tag(old)) {
            const StoredValue stored(tx_->region(), {.word = old});
            const bool is_text = form.tag == Tag::text_block;
            const std::uint64_t words = words_for(form.size);
            if (!is_text || (words <= tree_in_place_words && words <= words_for(stored.size))) {
                touch(hook.owner);
                Word* at = tx_->region().words(Tagged::block(old), is_text ? text_block_words(form.size) : 1);
                store_if_other(*at++, is_text ? form.size : value.number());
                if (is_text) for_each_word(value.pieces(), [&](Word word) { store_if_other(*at++, word); });
                return;
            }
        }
        hang(hook, new_value(value));
        drop_block(old);
    }

    /// The same in a leaf, which hangs on `hook`: in place, or in another leaf if the old value is in this one, or the new
    /// one belongs there.
    void replace_in_leaf(const Hook& hook, const NodeView& leaf, const NewValue& value) {
        const Word old = load(leaf.value());
        const NewValue::Form form = value.form();
        const bool is_kept = form.tag == Tag::text_block && is_kept_in_leaf(leaf.prefix_size(), form.size);
        if (!is_kept && Tagged::tag(old) != Tag::leaf_text) {
            replace({.slot = &leaf.value(), .owner = leaf.offset()}, value);
            return;
        }
        const std::uint64_t prefix_end = leaf.header().words();
        if (is_kept && Tagged::tag(old) == Tag::leaf_text && words_for(form.size) <= tree_in_place_words &&
            prefix_end + words_for(form.size) <= tx_->block_size(leaf.offset()) / word_size) {
            touch(leaf.offset());
            store_if_other(leaf.value(), Tagged::make(Tag::leaf_text, form.size << 3));
            Word* at = tx_->region().words(leaf.offset(), prefix_end + words_for(form.size)) + prefix_end;
            for_each_word(value.pieces(), [&](Word word) { store_if_other(*at++, word); });
            return;
        }
        const std::string_view prefix = leaf.prefix();
        hang(hook, new_leaf(std::span(&prefix, 1), value));
        drop_node(leaf);
        drop_block(old);
    }

    void store_if_other(Word& at, Word word) {
        if (load(at) != word) tx_->store(at, word);
    }

    /// The key leaves the node's prefix after `matched` bytes: there both meet in a new node.
    template <class Branch>
    void split(const Hook& hook, const NodeView& node, std::size_t matched, std::string_view rest,
               const NewValue& value, Branch& make_branch) {
        const std::string_view prefix = node.prefix();
        const Word branch = rest.empty() ? 0 : make_branch(rest.substr(1));
        NewNode<Tx> meeting =
            new_node(smallest_inner_kind, rest.empty() ? new_value(value) : 0, prefix.substr(0, matched));
        meeting.add(static_cast<std::uint8_t>(prefix[matched]), shortened(node, prefix.substr(matched + 1)));
        if (branch != 0) meeting.add(static_cast<std::uint8_t>(rest.front()), branch);
        hang(hook, finished(meeting));
    }

    /// What the node is with another prefix, which may lie in it.
    [[nodiscard]] Word shortened(const NodeView& node, std::string_view prefix) {
        const Word word = node.count() == 0 && prefix.empty() ? moved(node.value_ref())
                                                              : copy(node, node.header().kind, std::span(&prefix, 1));
        drop_node(node);
        return word;
    }

    /// A node of that kind with the same value and branches.
    [[nodiscard]] std::uint64_t copy(const NodeView& node, std::uint64_t kind,
                                     std::span<const std::string_view> prefix) {
        if (kind == leaf_kind) return moved_to_leaf(prefix, node.value_ref());
        NewNode<Tx> copy(*tx_, kind, load(node.value()), prefix);
        node.for_each([&](std::uint8_t byte, const Word& slot) { copy.add(byte, load(slot)); });
        return finished(copy);
    }

    void add_branch(const Hook& hook, const NodeView& node, std::uint8_t byte, Word branch) {
        if (node.count() < node.kind().capacity) {
            touch(node.offset());
            add_to_node(*tx_, node, byte, branch);
            return;
        }
        if (node.header().kind + 1 == node_kinds.size()) [[unlikely]]
            tx_->region().refuse(node.offset()); // it counts a branch for each byte, and has none for this one
        const std::string_view prefix = node.prefix();
        NewNode<Tx> larger = new_node(node.header().kind + 1, moved(node.value_ref()), prefix);
        node.for_each([&](std::uint8_t key, const Word& slot) { larger.add(key, load(slot)); });
        larger.add(byte, branch);
        hang(hook, finished(larger));
        drop_node(node);
    }

    // --- erasing

    /// Takes away what the way leads to.
    void cut(const Way& way) {
        const Word word = load(*way.cut.slot);
        if (way.parent.slot == nullptr) {
            hang(way.cut, 0);
        } else {
            const NodeView parent = node_at(load(*way.parent.slot));
            touch(parent.offset());
            remove_from_node(*tx_, parent, way.cut_byte);
            compact(way.parent);
        }
        if (Tagged::is_value(word)) {
            discard(word, {.entries = 1,
                           .nodes = 0,
                           .bytes = Tagged::block(word) == 0 ? 0 : tx_->block_size(Tagged::block(word))});
        } else {
            discard(word,
                    sum_subtree(tx_->region(), word, [&](std::uint64_t block) { return tx_->block_size(block); }));
        }
    }

    /// Frees what hung on a word, or leaves it to the garbage list if it is more than a leaf.
    void discard(Word word, const SubtreeSum& sum) {
        change_.entries -= sum.entries;
        change_.nodes -= sum.nodes;
        change_.bytes -= sum.bytes;
        if (word == 0) return;
        if (Tagged::is_value(word)) {
            if (Tagged::block(word) != 0) tx_->free(Tagged::block(word));
            return;
        }
        const NodeView node = node_at(word);
        touch(node.offset());
        const std::uint64_t block = Tagged::block(load(node.value()));
        if (block != 0) tx_->free(block);
        if (node.count() == 0) {
            tx_->free(node.offset());
            return;
        }
        tx_->store(node.value(), garbage_header(node));
        tx_->discard(GarbageKind::prefix_tree, node.offset(), sum.bytes - (block == 0 ? 0 : tx_->block_size(block)));
    }

    /// Makes a node that lost something as small as it can be. Where there is no memory for that it stays as it is:
    /// what is full can still be emptied.
    void compact(const Hook& hook) {
        const auto point = tx_->savepoint();
        const Change before = change_;
        try {
            shrink(hook, node_at(load(*hook.slot)));
        } catch (const Error& error) {
            if (error.code() != errc::out_of_space && error.code() != errc::past_max_size) throw;
            tx_->undo_to(point);
            change_ = before;
        }
    }

    void shrink(const Hook& hook, const NodeView& node) {
        const std::string_view prefix = node.prefix();
        const Word value = load(node.value());
        if (node.count() == 0 && prefix.empty()) {
            hang(hook, value);
        } else if (node.count() == 0) {
            if (node.is_leaf()) return;
            hang(hook, moved_to_leaf(std::span(&prefix, 1), node.value_ref()));
        } else if (node.count() == 1 && value == 0) {
            hang(hook, merged(node));
        } else {
            const std::uint64_t kind = node.header().kind;
            // A quarter is left free, so that a key that comes and goes does not make it grow and shrink each time.
            const std::uint64_t smaller = kind == smallest_inner_kind ? kind : kind - 1;
            const std::uint64_t capacity = node_kinds[smaller].capacity;
            if (smaller == kind || node.count() + std::max<std::uint64_t>(capacity / 4, 1) > capacity) return;
            hang(hook, copy(node, smaller, std::span(&prefix, 1)));
        }
        drop_node(node);
    }

    /// The only branch of a node, with the node's prefix and the branch's byte before it.
    [[nodiscard]] Word merged(const NodeView& node) {
        const NodeView::Branch only = node.next(0);
        if (only.slot == nullptr) [[unlikely]]
            tx_->region().refuse(node.offset());
        const auto byte = static_cast<char>(only.byte);
        const Word word = load(*only.slot);
        std::array<std::string_view, 3> prefix{node.prefix(), std::string_view(&byte, 1), {}};
        if (Tagged::is_value(word)) return moved_to_leaf(prefix, {.word = word});
        const NodeView child = node_at(word);
        prefix[2] = child.prefix();
        const std::uint64_t offset = copy(child, child.header().kind, prefix);
        drop_node(child);
        return offset;
    }

    Tx* tx_;
    const ObjectRef* object_;
    TreeReading<LockedReading> path_;
    Hook root_;
    Change change_;
};

/// A new, empty tree for a new directory entry.
template <class Tx>
void make_tree(Tx& tx, DirectoryEntry& entry) {
    const std::uint64_t block = tx.allocate(AlignedBlock::room(sizeof(TreeHead)));
    const std::uint64_t offset = AlignedBlock::use(AlignedBlock::word(block));
    Word* const words = tx.region().words(offset, sizeof(TreeHead) / word_size);
    for (std::uint64_t i = 0; i < sizeof(TreeHead) / word_size; ++i) tx.fill(words[i], 0);
    TreeHead& head = tx.region().at(Offset<TreeHead>{offset});
    tx.fill(head.block, block);
    tx.fill(head.bytes, tx.block_size(block));
    tx.store(entry.root[tree_head_root], offset);
}

} // namespace ss::inline v0::detail
