// Putting many entries into a tree: in pieces, each of them a transaction.
//
// Of entries that come in the order of their keys, those that meet nothing on their way are built from the bottom, all at
// once: no node is made to be replaced by a larger one, and none is changed once it is there. What meets something is
// inserted. So it does not matter where a piece ends, what was there before, or whether the order holds: only to speed.
#pragma once

#include <ss/domain/layout.hpp>
#include <ss/structure/bytes.hpp>
#include <ss/structure/prefix_tree/batch.hpp>
#include <ss/structure/prefix_tree/layout.hpp>
#include <ss/structure/prefix_tree/write.hpp>
#include <ss/structure/value.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

namespace ss::inline v0::detail {

/// Throws too_large.
inline void check_tree_key(const Bytes& key) {
    if (key.size() > max_key_size)
        throw_error(errc::too_large, "a key has " + std::to_string(key.size()) + " bytes, expected at most " +
                                         std::to_string(max_key_size));
}

/// The part of a PrefixTree that loads.
template <class Tree>
class TreeLoading {
public:
    /// Inserts or overwrites what a range holds: pairs of a key and a value, as `insert` takes them. The same as one insert
    /// after the other, in their order; if the keys are in order, faster by far, and the tree takes less memory. Returns
    /// how many keys were new.
    ///
    /// A transaction for each 128 entries or so, of which nobody sees a part: a kill leaves all entries up to one of them,
    /// and none behind it. If something is thrown, by the range or by this, which throws what `insert` does, all before
    /// the entry that it was about are in the tree; behind too_large, some of those before may not be. Each entry is
    /// copied once before it is inserted. No lock is held while the range is asked for more.
    template <class Range>
    requires requires(Range& range) { range.begin() != range.end(); }
    std::uint64_t load(Range&& entries) {
        auto at = entries.begin();
        const auto end = entries.end();
        return load_pieces([&](TreeBatch& piece) {
            if (at == end) return false;
            const auto& [key, value] = *at;
            take(piece, key, value);
            ++at;
            return true;
        });
    }

    /// The same of what next() returns: std::optional<std::pair<key, value>>, or something like it, until it is empty.
    template <class Next>
    requires std::is_invocable_v<Next&> std::uint64_t load(Next next) {
        return load_pieces([&](TreeBatch& piece) {
            const auto entry = next();
            if (!entry) return false;
            take(piece, entry->first, entry->second);
            return true;
        });
    }

private:
    friend Tree;
    TreeLoading() = default;

    static constexpr std::size_t most_entries = 128, most_bytes = 64 * kibi;

    static void take(TreeBatch& piece, const Bytes& key, const AnyValue& value) {
        check_tree_key(key);
        piece.push(key.view(), value.view());
    }

    /// fill(piece) appends an entry, or returns false where there is none left.
    template <class Fill>
    [[nodiscard]] std::uint64_t load_pieces(Fill fill) {
        Tree tree = static_cast<Tree&>(*this); // what is asked for more may destroy the handle
        std::uint64_t fresh = 0;
        TreeBatch piece;
        for (bool more = true; more;) {
            piece.clear();
            try {
                while (more && piece.size() < most_entries && piece.bytes() < most_bytes) more = fill(piece);
            } catch (...) {
                insert(tree, piece);
                throw;
            }
            fresh += insert(tree, piece);
        }
        return fresh;
    }

    /// In as few transactions as the journal has room for. How much room an entry needs is known behind it, so what does
    /// not fit is undone, and tried with less.
    static std::uint64_t insert(Tree& tree, const TreeBatch& piece) {
        std::uint64_t fresh = 0;
        std::size_t done = 0;
        for (std::size_t most = piece.size(); done != piece.size();) {
            try {
                const auto inserted = insert_some(tree, piece, done, std::min(piece.size(), done + most));
                done += inserted.entries;
                fresh += inserted.fresh;
            } catch (const Error& error) {
                if (error.code() != errc::transaction_too_large || most == 1) throw;
                most = std::max<std::size_t>(most / 4, 1);
            }
        }
        return fresh;
    }

    /// As one transaction.
    [[nodiscard]] static auto insert_some(Tree& tree, const TreeBatch& piece, std::size_t from, std::size_t to) {
        return tree.write([&](auto& tx) {
            const auto inserted = TreeWriter(tx, tree.object_).insert(piece, from, to, [&] {
                const auto point = tx.savepoint();
                return point.entries < journal_capacity / 4 && point.frees < free_capacity / 4;
            });
            for (std::size_t i = from; i != from + inserted.entries; ++i) tree.watched().changed(tx, piece.key(i));
            return inserted;
        });
    }
};

} // namespace ss::inline v0::detail
