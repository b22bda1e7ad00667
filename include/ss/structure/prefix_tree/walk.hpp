// Entries in the order of their keys, a batch at a time.
//
// A walk begins at a key, goes down to where that is or would be, and then along the tree, from node to node and back up,
// with the coupling of reading.hpp at each step. Keys compare as strings of unsigned bytes; a key comes before those that
// begin with it.
//
// Where a node on the way has changed, a walk ends with what it has: each of these entries was, at some moment, the one
// behind the entry before it. The next walk goes on behind the last key. For that the coupling is not enough: the nodes
// in which nothing was found on the way from one entry to the next, those that were left and those that the way turned
// and went down in, all count with the entry, and are looked at once more when it is there. One transaction may put a
// key into the first of them and take one out of the last.
#pragma once

#include <ss/structure/prefix_tree/batch.hpp>
#include <ss/structure/prefix_tree/reading.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ss::inline v0::detail {

/// One walk, up or down. `To` is the Direction.
template <Direction To, class Path>
class TreeWalk {
public:
    TreeWalk(Path& path, const WalkLimit& limit, TreeBatch& batch) : path_(&path), limit_(limit), batch_(&batch) {
        levels_.reserve(16);
    }

    /// True if it went to its end: to the last entry, or the limit. False if it met a change.
    [[nodiscard]] bool run(const WalkStart& start) {
        if (!seek(start)) return false;
        turn_ = levels_.size() - 1;
        while (!levels_.empty()) {
            if (is_full()) return true;
            if (!step()) return false;
        }
        at_end_ = true;
        return way_is_valid();
    }

    /// After run: true if there is nothing behind the batch.
    [[nodiscard]] bool at_end() const noexcept { return at_end_; }

private:
    /// A node that the walk is in. Positions: 0 is the value, byte + 1 is a branch. Up goes from small to great.
    struct Level {
        NodeView node; ///< as good as its version, which is looked at whenever we come back
        typename Path::Place place;
        std::size_t key_size; ///< of the key when it was at this node's value
        unsigned position;    ///< up: the next; down: one more than the next
    };
    static constexpr unsigned positions = 257;

    /// Between two entries there are no more nodes than two ways down have. Where there are, nodes hang in circles.
    static constexpr std::uint64_t most_barren = 2 * (max_key_size + 1);

    [[nodiscard]] bool is_full() const noexcept {
        return batch_->size() >= limit_.entries || batch_->bytes() >= limit_.bytes;
    }

    /// Goes down to the start, and makes each node's position the first behind it.
    [[nodiscard]] bool seek(const WalkStart& start) {
        Word word = load(path_->head().root);
        std::string_view rest = start.key;
        for (;;) {
            if (start.everything) return visit({.word = word});
            if (!Tagged::is_node(word)) {
                // A key that ended here is the start itself, or comes before it.
                const bool behind = rest.empty() ? start.inclusive : To == Direction::down;
                return word == 0 || !behind || visit({.word = word});
            }
            const std::optional<NodeView> node = descend(word);
            if (!node) return false;
            push(*node);
            const std::size_t matched = node->match(rest);
            if (matched != node->prefix_size()) {
                // All below is before the start, or behind.
                const bool greater =
                    matched == rest.size() ||
                    static_cast<std::uint8_t>(key_.view()[key_.size() - node->prefix_size() + matched]) >
                        static_cast<std::uint8_t>(rest[matched]);
                if (greater != (To == Direction::up)) leave();
                return true;
            }
            rest.remove_prefix(matched);
            Level& level = levels_.back();
            if (rest.empty()) {
                if constexpr (To == Direction::up)
                    level.position = start.inclusive ? 0 : 1;
                else
                    level.position = start.inclusive ? 1 : 0;
                return true;
            }
            const auto byte = static_cast<std::uint8_t>(rest.front());
            level.position = To == Direction::up ? byte + 2U : byte + 1U;
            const Word* const slot = node->find(byte);
            if (slot == nullptr) return true;
            word = load(*slot);
            grow_key(1, node->offset());
            key_.back() = static_cast<char>(byte);
            rest.remove_prefix(1);
        }
    }

    /// One entry, or one node further.
    [[nodiscard]] bool step() {
        ++steps_;
        Level& level = levels_.back();
        if (!path_->return_to(level.place)) return false;
        key_.resize(level.key_size);
        const NodeView node = level.node; // the level may move
        NodeView::Branch branch;
        if constexpr (To == Direction::up) {
            if (level.position == 0) {
                level.position = 1;
                return visit_value_of(node);
            }
            branch = node.next(level.position - 1);
            level.position = branch.byte + 2;
        } else {
            if (level.position == 0) {
                leave();
                return true;
            }
            branch = node.previous(level.position - 1);
            level.position = branch.slot == nullptr ? 0 : branch.byte + 1;
            if (branch.slot == nullptr) return visit_value_of(node);
        }
        if (branch.slot == nullptr) {
            // Those above know nothing of a change in this node: what it seemed to lack may be there.
            if (!path_->validate()) return false;
            leave();
            return true;
        }
        const Word word = load(*branch.slot);
        grow_key(1, node.offset());
        key_.back() = static_cast<char>(branch.byte);
        return visit({.word = word});
    }

    [[nodiscard]] bool visit_value_of(const NodeView& node) {
        const ValueRef value = node.value_ref();
        if (Tagged::is_node(value.word)) [[unlikely]]
            path_->region().refuse(node.offset());
        return visit(value);
    }

    /// To the node or value at the key as it is now.
    [[nodiscard]] bool visit(const ValueRef& at) {
        if (at.word == 0) return path_->validate(); // a leaf without a value is none any more
        if (Tagged::is_node(at.word)) {
            const std::optional<NodeView> node = descend(at.word);
            if (!node) return false;
            if (node->count() == 0) return visit_value_of(*node); // a leaf is no place to come back to
            push(*node);
            return true;
        }
        const StoredValue value(path_->region(), at);
        if (limit_.keys_only) {
            batch_->push({.begin = key_.view()},
                         StoredValue(path_->region(), {.word = Tagged::make(Tag::constant, 0)}));
        } else {
            if (value.text != nullptr && !path_->validate()) return false; // the size is believed from here on
            batch_->push({.begin = key_.view()}, value);
        }
        barren_ = 0;
        if (path_->validate() && way_is_valid()) {
            steps_ = 0;
            return true;
        }
        batch_->pop();
        return false;
    }

    /// True if nothing has changed in all nodes that say what lies between the last entry and where we are: of where we
    /// are itself the caller knows, and of the node before it the coupling has said so.
    [[nodiscard]] bool way_is_valid() { return steps_ <= 1 || whole_way_is_valid(); }
    [[nodiscard, gnu::noinline]] bool whole_way_is_valid() {
        if (!left_.all([&](const auto& place) { return path_->is_valid(place); })) return false;
        for (std::size_t i = turn_; i < levels_.size(); ++i)
            if (!path_->is_valid(levels_[i].place)) return false;
        left_.clear();
        turn_ = levels_.size() - 1;
        return true;
    }

    /// To a node, with its prefix behind the key. Nothing if it has changed.
    [[nodiscard]] std::optional<NodeView> descend(std::uint64_t offset) {
        if (!path_->descend(offset)) return std::nullopt;
        const NodeView node(path_->region(), offset);
        if (node.prefix_size() != 0) {
            if (!path_->validate()) return std::nullopt; // the size is believed from here on
            const std::size_t before = key_.size();
            grow_key(node.prefix_size(), offset);
            copy_words(key_.data() + before, node.prefix_words(), node.prefix_size());
        }
        if (++barren_ > most_barren && path_->validate()) path_->region().refuse(offset);
        return node;
    }

    /// Into the node that we have come to, before its first position.
    void push(const NodeView& node) {
        // All that hangs here comes soon, and from memory as a rule. A prefetch of nonsense does no harm.
        if (node.is_small())
            for (std::uint64_t i = 0; i < node.count(); ++i) prefetch(load(node.slots()[i]) & ~Tagged::mask);
        levels_.push_back({.node = node,
                           .place = path_->place(),
                           .key_size = key_.size(),
                           .position = To == Direction::up ? 0 : positions});
    }

    void prefetch(std::uint64_t offset) const noexcept {
        const auto pool = reinterpret_cast<std::uintptr_t>(path_->region().data(0));
        __builtin_prefetch(reinterpret_cast<const void*>(pool + offset));
    }

    void leave() {
        left_.push(levels_.back().place);
        levels_.pop_back();
        turn_ = std::min(turn_, levels_.size() - 1); // of no level it does not matter
    }

    /// No key is longer than those that can be inserted: where one is, nodes hang in a circle.
    void grow_key(std::size_t bytes, std::uint64_t offset) {
        if (bytes > max_key_size - key_.size()) [[unlikely]]
            path_->region().refuse(offset);
        key_.resize(key_.size() + bytes);
    }

    Path* path_;
    WalkLimit limit_;
    TreeBatch* batch_;
    std::vector<Level> levels_;
    WalkKey key_;

    // Since the last entry:
    std::uint64_t steps_ = 0;
    Places<typename Path::Place> left_; ///< the nodes that were left
    std::size_t turn_ = 0;              ///< the highest level in which something was looked for
    std::uint64_t barren_ = 0;          ///< nodes since the last entry
    bool at_end_ = false;
};

} // namespace ss::inline v0::detail
