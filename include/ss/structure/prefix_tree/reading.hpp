// Going down a tree: one text for readers without the lock, readers with it, and writers.
//
// Who reads without the lock couples versions (V. Leis et al., "The ART of practical synchronization", DaMoN 2016):
//
//     v(head), read the root   ┐
//     v(child); v(head) again  ┘ so the child hung there when its version was noted
//     read the child           ┐ nonsense, if it was freed meanwhile: but then its version has moved
//     v(grandchild); v(child)  ┘
//     …
//     read the value; its node's version again
//
// Whoever frees or changes a node has touched its version before, and whoever changes where it hangs, that of what it
// hangs on. So each node was what was read at one moment, and hung where it was found at that moment; below a subtree
// that was cut off meanwhile, everything is as it was when it was. A reader starts over only when a node on its own way
// has changed, or one that shares its version.
#pragma once

#include <ss/domain/directory.hpp>
#include <ss/domain/optimistic_read.hpp>
#include <ss/structure/prefix_tree/node.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ss::inline v0::detail {

/// The roots of a tree's directory entry.
inline constexpr std::size_t tree_head_root = 0, tree_changes_root = 1;

[[nodiscard]] inline Word& version_of(const DomainCore& domain, std::uint64_t offset) noexcept {
    return domain.block().versions[version_index(offset)];
}

/// Where a reader is: at the head, or at a node.
template <class Reading>
class TreeReading {
public:
    TreeReading(const DomainCore& domain, const ObjectRef& object, Reading reading) noexcept
        : domain_(&domain), object_(&object), reading_(reading) {}

    /// To the head. False if a writer is at it. Throws no_such_object.
    [[nodiscard]] bool enter() {
        version_ = &object_->entry->version;
        if (!reading_.begin(*version_, seen_)) return false;
        if (load(object_->entry->generation) != object_->generation) [[unlikely]] {
            if (!validate()) return false;
            refuse_removed(domain_->region());
        }
        const std::uint64_t offset = load(object_->entry->root[tree_head_root]);
        if (!descend(offset)) return false;
        head_ = &domain_->region().at(Offset<TreeHead>{offset});
        return true;
    }

    /// To what is at `offset`, which was read where we are.
    [[nodiscard]] bool descend(std::uint64_t offset) {
        const Word& version = version_of(*domain_, offset);
        Word seen = 0;
        if (!reading_.begin(version, seen) || !validate()) return false;
        version_ = &version;
        seen_ = seen;
        return true;
    }

    /// True if all that was read since we came here was there at one moment.
    [[nodiscard]] bool validate() const { return reading_.validate(*version_, seen_); }

    /// A place to come back to; `return_to` and `is_valid` are true if nothing has changed there since.
    struct Place {
        const Word* version;
        Word seen;
    };
    [[nodiscard]] Place place() const noexcept { return {.version = version_, .seen = seen_}; }
    [[nodiscard]] bool return_to(const Place& place) {
        version_ = place.version;
        seen_ = place.seen;
        return validate();
    }
    [[nodiscard]] bool is_valid(const Place& place) const { return reading_.validate(*place.version, place.seen); }

    [[nodiscard]] const Region& region() const noexcept { return domain_->region(); }
    [[nodiscard]] TreeHead& head() const noexcept { return *head_; }

private:
    const DomainCore* domain_;
    const ObjectRef* object_;
    [[no_unique_address]] Reading reading_;
    const Word* version_ = nullptr;
    Word seen_ = 0;
    TreeHead* head_ = nullptr;
};

/// One attempt to do f(path), which begins at the head: true if it was consistent, as far as the last place that it came
/// to. What f throws of nonsense that it read beside a writer is another attempt; of what is really there it is thrown.
template <class Reading, class F>
bool attempt_in_tree(const DomainCore& domain, const ObjectRef& object, Reading reading, F f) {
    TreeReading<Reading> path(domain, object, reading);
    try {
        return path.enter() && f(path) && path.validate();
    } catch (const Error&) {
        if (path.validate()) throw;
        return false;
    }
}

/// Calls found(path, value) with the ValueRef of the key, if it is there; found returns false to try all again. Sets `hit`.
/// Inside of attempt_in_tree.
template <class Path, class F>
bool look_up(Path& path, std::string_view key, bool& hit, F found) {
    hit = false;
    ValueRef at{.word = load(path.head().root)};
    for (;;) { // each round but the first takes a byte off the key
        if (!Tagged::is_node(at.word)) {
            if (at.word == 0 || !key.empty()) return true;
            hit = true;
            return found(path, at);
        }
        if (!path.descend(at.word)) return false;
        const NodeView node(path.region(), at.word);
        if (node.match(key) != node.prefix_size()) return true;
        key.remove_prefix(node.prefix_size());
        if (key.empty()) {
            at = node.value_ref();
            if (Tagged::is_node(at.word)) [[unlikely]]
                path.region().refuse(node.offset());
            continue;
        }
        const Word* const slot = node.find(static_cast<std::uint8_t>(key.front()));
        if (slot == nullptr) return true;
        at = {.word = load(*slot)};
        key.remove_prefix(1);
    }
}

/// The places of a way: most are short, and need no memory of their own.
template <class Place>
class Places {
public:
    void push(const Place& place) {
        if (count_ < first_.size())
            first_[count_++] = place;
        else
            rest_.push_back(place);
    }
    void clear() noexcept {
        count_ = 0;
        rest_.clear();
    }
    /// f(place) for each until it returns false, which is then returned.
    template <class F>
    [[nodiscard]] bool all(F f) const {
        for (std::size_t i = 0; i < count_; ++i)
            if (!f(first_[i])) return false;
        for (const Place& place : rest_)
            if (!f(place)) return false;
        return true;
    }

private:
    std::array<Place, 24> first_; // the first count_ count, the others are not initialized
    std::size_t count_ = 0;
    std::vector<Place> rest_;
};

/// Calls found(path, value, size) with the ValueRef of the longest key that `key` begins with, and that key's size; found
/// returns false to try all again. Sets `hit`. Inside of attempt_in_tree. All of the way is validated at the end: a
/// shorter key could have come after we passed it, and a longer one gone before we came to it.
template <class Path, class F>
bool look_up_longest(Path& path, std::string_view key, bool& hit, F found) {
    Places<typename Path::Place> way;
    way.push(path.place());
    struct {
        ValueRef value;
        std::size_t size = 0;
        typename Path::Place place{};
    } best;
    std::size_t size = 0; // of the key so far
    for (Word word = load(path.head().root);;) {
        if (!Tagged::is_node(word)) {
            if (word != 0) best = {{.word = word}, size, path.place()};
            break;
        }
        if (!path.descend(word)) return false;
        way.push(path.place());
        const NodeView node(path.region(), word);
        if (node.match(key.substr(size)) != node.prefix_size()) break;
        size += node.prefix_size();
        if (const ValueRef value = node.value_ref(); value.word != 0) best = {value, size, path.place()};
        const Word* const slot = size == key.size() ? nullptr : node.find(static_cast<std::uint8_t>(key[size]));
        if (slot == nullptr) break;
        word = load(*slot);
        ++size;
    }
    hit = best.value.word != 0;
    if (hit && (!path.return_to(best.place) || !found(path, best.value, best.size))) return false;
    return way.all([&](const auto& place) { return path.is_valid(place); });
}

/// Copies a value; of a string, into the memory that `out` has if it is one. False if the node has changed meanwhile.
template <class Path>
bool copy_value(const Path& path, const ValueRef& ref, Value& out) {
    const StoredValue value(path.region(), ref);
    if (value.type() != ValueType::string) {
        out = copy_of(value.view());
        return true;
    }
    if (!path.validate()) return false; // the size is believed from here on
    if (!std::holds_alternative<std::string>(out)) out.emplace<std::string>();
    auto& string = std::get<std::string>(out);
    string.resize(value.size);
    value.copy_text(string.data());
    return true;
}

} // namespace ss::inline v0::detail
