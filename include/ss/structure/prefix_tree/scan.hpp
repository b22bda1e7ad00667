// Batches of entries: as a quiet walk reads them, or, where the tree changes meanwhile, a careful one. And scans, which
// are made of batches.
#pragma once

#include <ss/structure/prefix_tree/quiet_walk.hpp>
#include <ss/structure/prefix_tree/walk.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace ss::inline v0::detail {

/// Where a reader of a tree is between two batches. A copy goes on independently.
struct TreeCursor {
    QuietWalk walk;
    Word changes = 1; ///< the tree's change counter at the last batch
    bool at_end = false;
};

/// One attempt to read a batch from a tree that nobody changes meanwhile. False if somebody has.
template <Direction To, class Reading>
[[nodiscard]] bool read_quietly(const DomainCore& domain, const ObjectRef& object, Reading reading,
                                const WalkStart& start, const WalkLimit& limit, TreeBatch& batch,
                                TreeCursor& cursor) {
    const DirectoryEntry& entry = *object.entry;
    const Word& counter = entry.root[tree_changes_root];
    const Word changes = load_acquire(counter);
    if (!Reading::is_locked && (changes & 1) != 0) return false;
    Word version = 0; // whoever takes the tree away changes it: its successor of the same name counts anew
    if (!reading.begin(entry.version, version)) return false;
    const auto valid = [&] { return reading.validate(counter, changes) && reading.validate(entry.version, version); };
    const bool goes_on = cursor.walk.can_go_on(changes);
    QuietWalk walk = std::move(cursor.walk); // if anything is thrown, it is no more
    cursor.walk.forget();
    cursor.changes = changes;
    try {
        const Region& region = domain.region();
        TreeReading<Reading> path(domain, object, reading);
        if (!path.enter()) return false;
        if (!goes_on) walk.template seek<To>(region, load(path.head().root), start);
        cursor.at_end = walk.template run<To>(region, limit, batch, valid);
    } catch (const Error&) {
        if (valid()) throw;
        return false;
    }
    if (!valid()) return false;
    walk.stands_at(changes);
    cursor.walk = std::move(walk);
    return true;
}

/// The same while others change it, node by node. True if it got any entry, or came to the end.
template <Direction To, class Reading>
[[nodiscard]] bool read_carefully(const DomainCore& domain, const ObjectRef& object, Reading reading,
                                  const WalkStart& start, const WalkLimit& limit, TreeBatch& batch,
                                  TreeCursor& cursor) {
    TreeReading<Reading> path(domain, object, reading);
    cursor.at_end = false;
    try {
        if (!path.enter()) return false;
        cursor.changes = load_acquire(object.entry->root[tree_changes_root]); // what it counts is seen by the walk
        TreeWalk<To, decltype(path)> walk(path, limit, batch);
        const bool whole = walk.run(start) && path.validate();
        cursor.at_end = whole && walk.at_end();
        return whole || !batch.empty();
    } catch (const Error&) {
        if (path.validate()) throw;
        return !batch.empty();
    }
}

/// Fills a batch, which is empty only where nothing is left: from where the cursor is if the tree has not changed since the
/// batch before, which has ended where this one starts, else from `start`.
template <Direction To, class Read>
void read_batch(const DomainCore& domain, const ObjectRef& object, Read read, const WalkStart& start,
                const WalkLimit& limit, TreeBatch& batch, TreeCursor& cursor) {
    read([&](auto reading) {
        batch.clear();
        if (read_quietly<To>(domain, object, reading, start, limit, batch, cursor)) return true;
        batch.clear();
        return read_carefully<To>(domain, object, reading, start, limit, batch, cursor);
    });
}

/// f(key, value); false if f returns that.
template <class F>
[[nodiscard]] bool wants_more(F& f, std::string_view key, const ValueView& value) {
    if constexpr (std::is_same_v<std::invoke_result_t<F&, std::string_view, const ValueView&>, bool>) {
        return f(key, value);
    } else {
        f(key, value);
        return true;
    }
}

/// f(key, value) for the entries from `start` on, until it returns false. Drops what it has read ahead when the tree has
/// changed, by f or by others. `Tree` has `read_batch<Direction>(start, limit, batch, cursor)`, `changes()`, `size()`, and
/// `count_prefix("")`, which walks over all nodes and throws errc::damaged if they hang in a circle: asked when there are
/// more entries than the tree has, for in a circle there is no end of them.
template <class Tree, class F>
void scan(const Tree& tree, WalkStart start, F f) {
    constexpr std::size_t first_appetite = 8, most = 16; // to go on costs little; to read what nobody wants does not
    TreeBatch batch;
    TreeCursor cursor;
    std::uint64_t seen = 0, there = 0; // seen since the tree has changed; how many it has, once that matters
    std::size_t appetite = first_appetite;
    for (std::string from(start.key);;) {
        start.key = from;
        tree.template read_batch<Direction::up>(start, WalkLimit{.entries = appetite}, batch, cursor);
        bool fresh = true;
        std::size_t done = 0;
        while (fresh && done < batch.size()) {
            if (!f(batch.key(done), batch.value(done))) return;
            ++done;
            fresh = is_fresh(cursor.changes, tree.changes());
        }
        if (fresh && cursor.at_end) return;
        appetite = std::min(done * 2, most); // who writes all the time makes reading ahead a waste
        seen = fresh ? seen + done : 0;
        if (seen > there) [[unlikely]] {
            there = tree.size();
            if (seen > there) there = tree.count_prefix("");
        }
        from.assign(batch.key(done - 1));
        start.inclusive = false;
    }
}

} // namespace ss::inline v0::detail
