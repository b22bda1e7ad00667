// Waiting for a key of a table to change.
#pragma once

#include <ss/domain/watch.hpp>
#include <ss/structure/bytes.hpp>
#include <ss/structure/hash_table/lookup.hpp>

#include <cstdint>
#include <optional>

namespace ss::inline v0::detail {

/// The part of a HashTable that waits for changes. Where the domain's lock is held by this thread, as within a transaction,
/// these throw would_deadlock.
template <class Table>
class TableWatching {
public:
    /// The key as it is now, for `watch`. Whatever happens to the key after this call moves the stamp; so take it before
    /// you look at the value. Takes the lock, and leaves word that the key is watched until it changes once.
    [[nodiscard]] Stamp stamp(const Bytes& key) const {
        const Table& table = self();
        if (table.domain_.core().attachment().is_read_only()) return read_stamp(table, key);
        return {.key = stamp_thing(table.domain_, table.object_, table.thing(table.hash_key(key).hash))};
    }

    /// Sleeps until something has happened to the key since `stamp` was taken, and returns its new stamp; nothing if
    /// that was not so within `timeout`. A change is never missed, whoever makes it and dies of it; one whose writer is
    /// killed before he wakes anybody is noticed within 100 ms.
    ///
    /// It may return without a change: after `clear`, after a transaction that was undone, where two watched keys share
    /// one of the domain's 256 signals, and on a read-only pool, where it cannot leave word and looks every 10 ms
    /// instead, when another key of the bucket changes or that is split. A write costs one load more while nobody
    /// watches anything in the domain. Throws no_such_object when the table is removed.
    ///
    ///     for (auto seen = table.stamp("motto");;) {
    ///         print(table.find("motto"));
    ///         std::optional<ss::Stamp> next;
    ///         while (!(next = table.watch("motto", seen, 1min))) {}
    ///         seen = *next;
    ///     }
    [[nodiscard]] std::optional<Stamp> watch(const Bytes& key, const Stamp& stamp, const Timeout& timeout) const {
        const Table table = self(); // whoever destroys the handle meanwhile does not end the pool
        const bool changed =
            table.domain_.core().attachment().is_read_only()
                ? poll_for_change([&] { return read_stamp(table, key); }, stamp, timeout)
                : wait_for_change(table.domain_, table.thing(table.hash_key(key).hash), stamp.key, timeout);
        return changed ? std::optional(table.stamp(key)) : std::nullopt;
    }

private:
    friend Table;
    TableWatching() = default;

    [[nodiscard]] const Table& self() const noexcept { return static_cast<const Table&>(*this); }

    /// What guards the key, for those who cannot leave word.
    [[nodiscard]] static Stamp read_stamp(const Table& table, const Bytes& key) {
        const HashedKey hashed = table.hash_key(key);
        Stamp stamp;
        table.domain_.read([&](auto reading) {
            return attempt_in_bucket(table.region(), table.object_, reading, hashed.hash, [&](const auto& bucket) {
                stamp.key = bucket.stamp();
                return true;
            });
        });
        return stamp;
    }
};

} // namespace ss::inline v0::detail
