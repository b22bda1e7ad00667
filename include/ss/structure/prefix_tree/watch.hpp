// What watchers of a tree watch: keys, and prefixes.
//
// A key is one thing, and each of its prefixes of up to 64 bytes another: a change of the key is a change of all of them. So
// whoever watches a prefix is woken by the keys that begin with it, and by no others, at the cost of a hash for each byte
// of a key, which only those pay who write while somebody in the domain watches something.
#pragma once

#include <ss/domain/signal.hpp>
#include <ss/domain/watch.hpp>
#include <ss/hash/wyhash.hpp>
#include <ss/structure/bytes.hpp>
#include <ss/structure/prefix_tree/reading.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace ss::inline v0::detail {

/// Longer prefixes are watched by their first so many bytes.
inline constexpr std::size_t watched_prefix_size = 64;

class WatchedKeys {
public:
    WatchedKeys(const Region& region, const ObjectRef& object) noexcept : region_(&region), object_(&object) {}

    /// The thing that is that key alone.
    [[nodiscard]] std::uint64_t key(std::string_view key) const noexcept {
        return thing_of(*region_, *object_, Wyhash::hash(key, {}), 1);
    }

    /// The thing that is all keys that begin with `prefix`.
    [[nodiscard]] std::uint64_t prefix(std::string_view prefix) const noexcept {
        std::uint64_t hash = empty_prefix;
        for (const char byte : prefix.substr(0, watched_prefix_size)) hash = longer(hash, byte);
        return thing_of(*region_, *object_, hash, 2);
    }

    /// That key changes, or has changed, in this transaction.
    template <class Tx>
    void changed(Tx& tx, std::string_view key) const {
        if (tx.is_watched()) [[unlikely]]
            changed_while_watched(tx, key);
    }

private:
    static constexpr std::uint64_t empty_prefix = 0xCBF2'9CE4'8422'2325U;

    /// FNV-1a, a byte at a time.
    [[nodiscard]] static std::uint64_t longer(std::uint64_t hash, char byte) noexcept {
        return (hash ^ static_cast<unsigned char>(byte)) * 0x0000'0100'0000'01B3U;
    }

    template <class Tx>
    [[gnu::cold, gnu::noinline]] void changed_while_watched(Tx& tx, std::string_view key) const {
        tx.signal(this->key(key));
        std::uint64_t hash = empty_prefix;
        tx.signal(thing_of(*region_, *object_, hash, 2));
        for (const char byte : key.substr(0, watched_prefix_size)) {
            hash = longer(hash, byte);
            tx.signal(thing_of(*region_, *object_, hash, 2));
        }
    }

    const Region* region_;
    const ObjectRef* object_;
};

/// The part of a PrefixTree that waits for changes. Where the domain's lock is held by this thread, as within a
/// transaction, these throw would_deadlock.
template <class Tree>
class TreeWatching {
public:
    /// The key, and all keys that begin with it, as they are now: for `watch` and `watch_prefix`. Whatever happens to them
    /// after this call moves the stamp; so take it before you look at the values. Takes the lock, and leaves word that
    /// the key is watched until it changes once.
    [[nodiscard]] Stamp stamp(const Bytes& key) const {
        const Tree& tree = self();
        if (tree.domain_.core().attachment().is_read_only()) return read_stamp(tree);
        return {.key = stamp_thing(tree.domain_, tree.object_, tree.watched().key(key.view())),
                .prefix = stamp_thing(tree.domain_, tree.object_, tree.watched().prefix(key.view()))};
    }

    /// Sleeps until something has happened to the key since `stamp` was taken, and returns its new stamp; nothing if
    /// that was not so within `timeout`. A change is never missed, whoever makes it and dies of it; one whose writer is
    /// killed before he wakes anybody is noticed within 100 ms.
    ///
    /// It may return without a change: after `clear` and `erase_prefix`, after a transaction that was undone, where two
    /// watched keys share one of the domain's 256 signals, and on a read-only pool, where it cannot leave word and looks
    /// every 10 ms instead, after any change of the tree. A write costs one load more while nobody watches anything in
    /// the domain, and some for each byte of its key while somebody does. Throws no_such_object when the tree is removed.
    [[nodiscard]] std::optional<Stamp> watch(const Bytes& key, const Stamp& stamp, const Timeout& timeout) const {
        return wait(self().watched().key(key.view()), key, stamp.key, stamp, timeout);
    }

    /// The same for all keys that begin with `prefix`. Of a longer prefix than 64 bytes, the first 64 are watched.
    [[nodiscard]] std::optional<Stamp> watch_prefix(const Bytes& prefix, const Stamp& stamp,
                                                    const Timeout& timeout) const {
        return wait(self().watched().prefix(prefix.view()), prefix, stamp.prefix, stamp, timeout);
    }

private:
    friend Tree;
    TreeWatching() = default;

    [[nodiscard]] const Tree& self() const noexcept { return static_cast<const Tree&>(*this); }

    /// What any change of the tree moves, for those who cannot leave word.
    [[nodiscard]] static Stamp read_stamp(const Tree& tree) {
        Word changes = 0;
        tree.domain_.read([&](auto reading) {
            const Word& version = tree.object_.entry->root[tree_changes_root];
            if (!reading.begin(version, changes)) return false;
            tree.check_is_there();
            return reading.validate(version, changes);
        });
        return {.key = changes, .prefix = changes};
    }

    [[nodiscard]] std::optional<Stamp> wait(std::uint64_t thing, const Bytes& key, Word version, const Stamp& stamp,
                                            const Timeout& timeout) const {
        const Tree tree = self(); // whoever destroys the handle meanwhile does not end the pool
        const bool changed = tree.domain_.core().attachment().is_read_only()
                                 ? poll_for_change([&] { return read_stamp(tree); }, stamp, timeout)
                                 : wait_for_change(tree.domain_, thing, version, timeout);
        return changed ? std::optional(tree.stamp(key)) : std::nullopt;
    }
};

} // namespace ss::inline v0::detail
