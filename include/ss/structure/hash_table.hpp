// HashTable: binary keys to binary values, shared by processes.
//
// The bytes are drawn in hash_table/layout.hpp and page.hpp. lookup.hpp finds, counts.hpp counts, write.hpp changes with the
// help of page_editor.hpp, number.hpp adds; upkeep.hpp has resize.hpp grow and shrink, tidy.hpp what that leaves, and
// garbage.hpp free; iteration.hpp walks, verify.hpp checks. Here they become one class.
#pragma once

#include <ss/domain/domain.hpp>
#include <ss/domain/watch.hpp>
#include <ss/structure/bytes.hpp>
#include <ss/structure/check.hpp>
#include <ss/structure/fwd.hpp>
#include <ss/structure/hash_table/counts.hpp>
#include <ss/structure/hash_table/iteration.hpp>
#include <ss/structure/hash_table/lookup.hpp>
#include <ss/structure/hash_table/number.hpp>
#include <ss/structure/hash_table/options.hpp>
#include <ss/structure/hash_table/upkeep.hpp>
#include <ss/structure/hash_table/verify.hpp>
#include <ss/structure/hash_table/watch.hpp>
#include <ss/structure/hash_table/write.hpp>
#include <ss/structure/replace_policy.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ss::inline v0 {

/// A hash table in a pool.
///
/// A handle: cheap to copy, may be used by several threads, keeps the pool attached. Keys and values are any bytes, the
/// empty ones too, up to 4 GiB less one. All that change it are all or nothing, under a kill at any instruction and
/// under a throw; who finds a dead writer's work undoes it, in microseconds. With an `Optimistic` lock, find and its
/// kin take no lock, work on a read-only pool, and see only what was committed.
///
/// Every member function may throw lock_timeout (a living process held the lock for too long), no_such_object (the table
/// was removed), damaged, and in a forked child what attaching anew throws. Those that write may also throw
/// out_of_space, past_max_size, too_large, read_only, would_deadlock (from within a visit or transaction of this
/// domain, without its tx), lock_order (this thread holds a later domain of the pool, and this one is taken: reading may
/// meet that, too), and their forms with `tx` transaction_too_large, other_domain and forked.
/// In all these cases nothing has changed.
///
/// It grows and shrinks by one bucket at a time, so no operation stops the others for longer than one bucket's split.
template <class Allocator, class Lock, class Hash>
class HashTable : public detail::TableWatching<HashTable<Allocator, Lock, Hash>> {
    static_assert(AllocatorPolicy<Allocator>,
                  "HashTable: the first parameter is not an allocator policy; docs/concepts.md says what one needs");
    static_assert(LockPolicy<Lock>,
                  "HashTable: the second parameter is not a lock policy; docs/concepts.md says what one needs");
    static_assert(HashPolicy<Hash>,
                  "HashTable: the third parameter is not a hash policy; docs/concepts.md says what one needs");

    using DomainType = Domain<Allocator, Lock>;
    using Tx = typename DomainType::Tx;
    using TableUpkeep = detail::TableUpkeep<DomainType, Hash>;

public:
    using allocator_policy = Allocator;
    using lock_policy = Lock;
    using hash_policy = Hash;
    using iterator = detail::TableIterator<HashTable>;
    using value_type = std::pair<std::string, std::string>;

    /// The same table type with one policy exchanged: `HashTable<>::with<SpinLock>`.
    template <class P>
    using with = typename detail::ReplacePolicy<ss::HashTable, P, Allocator, Lock, Hash>::type;

    /// Opens the table of that name, or makes it. The first structure of a domain claims it for its allocator and lock.
    /// Throws other_policies, other_type, name_too_long, invalid_argument, no_such_object and read_only (on a read-only
    /// pool), or what a write throws. Killed in the middle, there is a whole table or none.
    HashTable(const Pool& pool, std::string_view name, const HashTableOptions& options = {})
        : domain_(pool, domain_of(name, pool.domains())), object_(open(name, options)) {
        seed_ = {.first = load(object_.entry->seed[0]), .second = load(object_.entry->seed[1])};
    }

    // --- writing

    /// Inserts or overwrites; true if the key is new. One transaction of about 8 words. A value of up to 64 bytes that
    /// is no longer than the old one is overwritten in place, others get a new record.
    bool insert(const Bytes& key, const Bytes& value) { return put(key, Pieces(value)); }
    /// The same with a value in pieces, which are joined.
    bool insert(const Bytes& key, std::initializer_list<Bytes> pieces) {
        return insert(key, detail::views_of(pieces));
    }
    bool insert(const Bytes& key, std::span<const std::string_view> pieces) { return put(key, Pieces(pieces)); }

    /// Inserts only if the key is missing; true if it was.
    bool try_insert(const Bytes& key, const Bytes& value) { return insert_if(Check::missing(key), key, value); }

    /// Inserts or overwrites only if the check holds, which may be about another key of this table; true if it did.
    bool insert_if(const BytesCheck& check, const Bytes& key, const Bytes& value) {
        return write([&](Tx& tx) { return insert_if_in(tx, check, key, Pieces(value)); });
    }

    /// True if the key was there.
    bool erase(const Bytes& key) {
        return write([&](Tx& tx) { return erase_in(tx, key); });
    }

    /// Erases only if the check holds; true if it did and the key was there.
    bool erase_if(const BytesCheck& check, const Bytes& key) {
        return write([&](Tx& tx) { return holds_in(tx, check) && erase_in(tx, key); });
    }

    /// Removes all entries. size() is 0 at once; the memory comes back in small steps, with later writes.
    void clear() {
        write([&](Tx& tx) { clear_in(tx); });
    }

    /// Adds to a number of 8 bytes in native byte order and returns the new value. A missing key is created as `delta`.
    /// Integers wrap. Throws wrong_width, and changes nothing, if the value has not 8 bytes.
    std::int64_t incr(const Bytes& key, TableInteger auto delta) {
        return incr_as<std::int64_t>(key, static_cast<std::int64_t>(delta));
    }
    double incr(const Bytes& key, std::floating_point auto delta) {
        return incr_as<double>(key, static_cast<double>(delta));
    }

    /// The same for a T of 8 to 64 bits, float or double: the value has the width of T.
    template <TableNumber T>
    T incr_as(const Bytes& key, T delta) {
        return write([&](Tx& tx) { return incr_in<T>(tx, key, delta); });
    }

    // --- writing, as a part of a transaction: see ss::transaction

    template <class A, bool V>
    bool insert(const UserTransaction<A, V>& tx, const Bytes& key, const Bytes& value) {
        return join(tx, [&](Tx& inner) { return put_in(inner, key, Pieces(value)); });
    }
    template <class A, bool V>
    bool insert(const UserTransaction<A, V>& tx, const Bytes& key, std::initializer_list<Bytes> pieces) {
        return insert(tx, key, detail::views_of(pieces));
    }
    template <class A, bool V>
    bool insert(const UserTransaction<A, V>& tx, const Bytes& key, std::span<const std::string_view> pieces) {
        return join(tx, [&](Tx& inner) { return put_in(inner, key, Pieces(pieces)); });
    }
    template <class A, bool V>
    bool try_insert(const UserTransaction<A, V>& tx, const Bytes& key, const Bytes& value) {
        return insert_if(tx, Check::missing(key), key, value);
    }
    template <class A, bool V>
    bool insert_if(const UserTransaction<A, V>& tx, const BytesCheck& check, const Bytes& key, const Bytes& value) {
        return join(tx, [&](Tx& inner) { return insert_if_in(inner, check, key, Pieces(value)); });
    }
    template <class A, bool V>
    bool erase(const UserTransaction<A, V>& tx, const Bytes& key) {
        return join(tx, [&](Tx& inner) { return erase_in(inner, key); });
    }
    template <class A, bool V>
    bool erase_if(const UserTransaction<A, V>& tx, const BytesCheck& check, const Bytes& key) {
        return join(tx, [&](Tx& inner) { return holds_in(inner, check) && erase_in(inner, key); });
    }
    template <class A, bool V>
    void clear(const UserTransaction<A, V>& tx) {
        join(tx, [&](Tx& inner) { clear_in(inner); });
    }
    template <class A, bool V>
    std::int64_t incr(const UserTransaction<A, V>& tx, const Bytes& key, TableInteger auto delta) {
        return incr_as<std::int64_t>(tx, key, static_cast<std::int64_t>(delta));
    }
    template <class A, bool V>
    double incr(const UserTransaction<A, V>& tx, const Bytes& key, std::floating_point auto delta) {
        return incr_as<double>(tx, key, static_cast<double>(delta));
    }
    template <TableNumber T, class A, bool V>
    T incr_as(const UserTransaction<A, V>& tx, const Bytes& key, T delta) {
        return join(tx, [&](Tx& inner) { return incr_in<T>(inner, key, delta); });
    }

    // --- reading. Within a transaction of this thread, these see its changes

    /// A copy of the value.
    [[nodiscard]] std::optional<std::string> find(const Bytes& key) const {
        std::optional<std::string> value(std::in_place);
        if (!find_into(key, *value)) value.reset();
        return value;
    }

    /// A copy of the value; std::out_of_range if the key is missing.
    [[nodiscard]] std::string at(const Bytes& key) const {
        std::string value;
        if (!find_into(key, value)) throw std::out_of_range("ss::HashTable::at: no such key");
        return value;
    }

    /// Copies the value into `value`, whose memory is used again; false if the key is missing, and `value` is then
    /// unspecified.
    bool find_into(const Bytes& key, std::string& value) const { return find_hashed(hash_key(key), value); }

    /// f(std::size_t index, std::string_view value) for each of the keys that is there, in their order, with a copy of its
    /// value; returns how many are. Each is of a moment of its own, as if they were found one by one, but the cache misses
    /// of sixteen at a time overlap: where the table is larger than the caches, a key costs a half to a third of what it
    /// costs find_into. No lock is held in f.
    template <class F>
    std::size_t find_many(std::span<const std::string_view> keys, F f) const {
        const HashTable self = *this; // f may destroy the handle
        return find_many_in(
            keys, [&](std::string_view key) { return std::pair(&self, self.hash_key(key)); }, f);
    }

    /// The value as a number. Throws wrong_width if it has not the width of T.
    template <TableNumber T>
    [[nodiscard]] std::optional<T> find_as(const Bytes& key) const {
        const detail::HashedKey hashed = hash_key(key);
        bool hit = false;
        detail::NumberBytes number;
        domain_.read([&](auto reading) {
            return detail::attempt_lookup(region(), object_, reading, hashed, hit,
                                          [&](const auto&, const auto& record) {
                                              number = detail::NumberBytes(record);
                                              return true;
                                          });
        });
        if (!hit) return std::nullopt;
        return number.template as<T>();
    }

    [[nodiscard]] bool contains(const Bytes& key) const {
        const detail::HashedKey hashed = hash_key(key);
        bool hit = false;
        domain_.read([&](auto reading) {
            return detail::attempt_lookup(region(), object_, reading, hashed, hit,
                                          [](const auto&, const auto&) { return true; });
        });
        return hit;
    }
    [[nodiscard]] bool exists(const Bytes& key) const { return contains(key); }

    /// Calls f(std::string_view) with the value in place, under the lock; false if the key is missing. f may throw, and
    /// must be short: writers of the domain wait. Writing to the same domain within f throws would_deadlock. On a
    /// read-only pool f gets a copy.
    template <class F>
    bool visit(const Bytes& key, F f) const {
        if (domain_.core().attachment().is_read_only()) {
            std::string copy;
            const bool hit = find_into(key, copy);
            if (hit) f(std::string_view(copy));
            return hit;
        }
        const detail::HashedKey hashed = hash_key(key);
        const HashTable self = *this; // f may destroy the handle
        return self.domain_.locked([&] {
            bool hit = false;
            (void)detail::attempt_lookup(self.region(), self.object_, LockedReading{}, hashed, hit,
                                         [&](const auto&, const auto& record) {
                                             f(record.value());
                                             return true;
                                         });
            return hit;
        });
    }

    // --- the same, said with a transaction

    template <class A, bool V>
    [[nodiscard]] std::optional<std::string> find(const UserTransaction<A, V>& tx, const Bytes& key) const {
        check_joined(tx);
        return find(key);
    }
    template <class A, bool V>
    [[nodiscard]] bool contains(const UserTransaction<A, V>& tx, const Bytes& key) const {
        check_joined(tx);
        return contains(key);
    }
    template <TableNumber T, class A, bool V>
    [[nodiscard]] std::optional<T> find_as(const UserTransaction<A, V>& tx, const Bytes& key) const {
        check_joined(tx);
        return find_as<T>(key);
    }

    // --- all of it

    /// Entries: exact, of one moment.
    [[nodiscard]] std::uint64_t size() const {
        std::uint64_t size = 0;
        domain_.read([&](auto reading) { return detail::attempt_size(region(), object_, reading, size); });
        return size;
    }
    [[nodiscard]] bool empty() const { return size() == 0; }

    /// log2 of the entries that it has buckets for, rounded up: HashTableOptions::bits of a new one.
    [[nodiscard]] unsigned bits() const {
        unsigned bits = 0;
        domain_.read([&](auto reading) { return detail::attempt_bits(region(), object_, reading, bits); });
        return bits;
    }

    /// A walk over copies of all entries, in an order that looks random. What is there throughout comes exactly once,
    /// also while the table grows; what comes or goes meanwhile may or may not come; a value that changes is the old
    /// one or the new one. Holds no lock between steps.
    [[nodiscard]] iterator begin() const { return iterator(*this); }
    [[nodiscard]] iterator end() const noexcept { return {}; }

    /// f(std::string_view key, std::string_view value) for every entry, as begin() to end(), with no lock held in f.
    template <class F>
    void for_each(F f) const {
        detail::TableCursor cursor;
        detail::TableBatch batch;
        while (!cursor.end) {
            next_batch(cursor, batch);
            for (const auto& [key, value] : batch) f(std::string_view(key), std::string_view(value));
        }
    }

    /// One bucket's entries: what iterators are made of.
    void next_batch(detail::TableCursor& cursor, detail::TableBatch& batch) const {
        detail::read_batch(
            region(), object_, [this](auto attempt) { domain_.read(attempt); },
            [this](std::string_view bytes) { return Hash::hash(bytes, seed_); }, cursor, batch);
    }

    /// Walks the table under the lock; one sentence for each thing that is wrong. `Pool::verify` also holds all blocks
    /// against the allocator.
    [[nodiscard]] std::vector<std::string> verify() const {
        Census census(domain_.core().is_held_by_this_thread());
        domain_.read_settled([&] {
            const DirectoryEntry& entry = *object_.entry;
            detail::check_stands(domain_.core(), object_);
            detail::verify_hash_table(region(), entry, detail::entry_name(entry), &Hash::hash, census);
        });
        return std::move(census.problems());
    }

    /// Entries, buckets and bytes, each as it is, at constant cost: of one moment while nobody writes; and those of the whole
    /// domain, of a moment later.
    [[nodiscard]] HashTableStats stats() const {
        HashTableStats stats = table_stats();
        stats.domain = domain_.stats();
        stats.bytes_free = stats.domain.bytes_free;
        stats.garbage_bytes = stats.domain.garbage_bytes;
        stats.journal_high_water = stats.domain.journal_high_water;
        stats.recoveries = stats.domain.recoveries;
        return stats;
    }

    /// The library's side of it: what ss::transaction runs in.
    [[nodiscard]] DomainType& domain() noexcept { return domain_; }

private:
    [[nodiscard]] HashTableStats table_stats() const {
        HashTableStats stats;
        domain_.read([&](auto reading) { return detail::attempt_counts(region(), object_, reading, stats); });
        return stats;
    }

    static constexpr ObjectType type = {.type = hash_table_type,
                                        .type_fingerprint = hash_table_fingerprint,
                                        .hash = Hash::id,
                                        .hash_fingerprint = Hash::fingerprint};

    [[nodiscard]] ObjectRef open(std::string_view name, const HashTableOptions& options) {
        detail::check_options(options, domain_.core().attachment().name());
        return domain_.open_object(
            name, type, Hash::seeded, [&](Tx& tx, DirectoryEntry& entry) { make_empty(tx, entry, options); },
            &TableUpkeep::functions());
    }

    static void make_empty(Tx& tx, DirectoryEntry& entry, const HashTableOptions& options) {
        tx.store(entry.root[0], detail::make_head(tx, options.bits, options.page / word_size));
    }

    /// A stripe is one of these, opened in its own way.
    friend HashTable<Allocator, Striped<Lock>, Hash>;

    HashTable(DomainType domain, const ObjectRef& object, const HashSeed& seed)
        : domain_(std::move(domain)), object_(object), seed_(seed) {}

    [[nodiscard]] const Region& region() const noexcept { return domain_.region(); }

    friend detail::TableWatching<HashTable>;

    /// What a key is to watchers.
    [[nodiscard]] std::uint64_t thing(std::uint64_t hash) const noexcept {
        return detail::thing_of(region(), object_, hash);
    }

    void changed(Tx& tx, std::uint64_t hash) const {
        if (tx.is_watched()) [[unlikely]]
            tx.signal(thing(hash));
    }

    [[nodiscard]] detail::HashedKey hash_key(const Bytes& key) const {
        if (key.size() > max_bytes_size)
            throw_error(errc::too_large, "a key has more than " + std::to_string(max_bytes_size) + " bytes");
        return {.bytes = key.view(), .hash = Hash::hash(key.view(), seed_)};
    }

    /// find_many in whatever table, with its hash, table_of(key) says.
    template <class TableOf, class F>
    static std::size_t find_many_in(std::span<const std::string_view> keys, TableOf table_of, F& f) {
        constexpr std::size_t at_once = 16;
        std::size_t found = 0;
        std::string value;
        for (std::size_t first = 0; first < keys.size(); first += at_once) {
            const std::size_t count = std::min(at_once, keys.size() - first);
            std::array<std::pair<const HashTable*, detail::HashedKey>, at_once> which;
            std::array<detail::LookupAhead, at_once> ahead;
            for (std::size_t i = 0; i < count; ++i) {
                which[i] = table_of(keys[first + i]);
                const HashTable& table = *which[i].first;
                table.domain_.core().attachment().enter(); // each time: f may have forked
                ahead[i] = {table.region(), table.object_, which[i].second.hash};
            }
            for (std::size_t i = 0; i < count; ++i) ahead[i].look_outside(which[i].first->region());
            for (std::size_t i = 0; i < count; ++i)
                if (which[i].first->find_hashed(which[i].second, value)) {
                    ++found;
                    f(first + i, std::string_view(value));
                }
        }
        return found;
    }

    /// Flattened, since what a get costs in the cache is the calls and registers of its many small functions.
    [[gnu::flatten]] bool find_hashed(const detail::HashedKey& key, std::string& value) const {
        bool hit = false;
        domain_.read([&](auto reading) {
            return detail::attempt_lookup(
                region(), object_, reading, key, hit,
                [&](const auto& table, const auto& record) { return detail::copy_value(table, record, value); });
        });
        return hit;
    }

    /// f(tx) as a transaction of its own.
    template <class F>
    auto write(F f) {
        return domain_.run([&](Tx& tx) {
            tx.remember(TableUpkeep::functions(), object_);
            return f(tx);
        });
    }

    template <class UserTx, class F>
    auto join(const UserTx& tx, F f) {
        return domain_.join(tx, [&](Tx& inner) {
            inner.remember(TableUpkeep::functions(), object_);
            return f(inner);
        });
    }

    template <class UserTx>
    void check_joined(const UserTx& tx) const {
        domain_.check_joined(tx);
    }

    bool put(const Bytes& key, const Pieces& value) {
        return write([&](Tx& tx) { return put_in(tx, key, value); });
    }

    bool put_in(Tx& tx, const Bytes& key, const Pieces& value) {
        const std::uint64_t size = value.size();
        const detail::HashedKey hashed = hash_key(key);
        detail::BucketWriter writer(tx, object_, hashed);
        const bool is_new = !writer.found();
        if (is_new)
            writer.insert(value, size);
        else
            writer.overwrite(value, size);
        changed(tx, hashed.hash);
        return is_new;
    }

    bool insert_if_in(Tx& tx, const BytesCheck& check, const Bytes& key, const Pieces& value) {
        if (!holds_in(tx, check)) return false;
        (void)put_in(tx, key, value);
        return true;
    }

    bool erase_in(Tx& tx, const Bytes& key) {
        const detail::HashedKey hashed = hash_key(key);
        detail::BucketWriter writer(tx, object_, hashed);
        if (!writer.found()) return false;
        writer.erase();
        changed(tx, hashed.hash);
        return true;
    }

    [[nodiscard]] bool holds_in(Tx& tx, const BytesCheck& check) {
        const auto expected = check.value();
        const detail::BucketWriter writer(tx, object_, hash_key(check.key()));
        return writer.found() ? expected && writer.record().value() == *expected : !expected;
    }

    void clear_in(Tx& tx) {
        detail::check_stands(domain_.core(), object_);
        const std::uint64_t old = load(object_.entry->root[0]);
        const auto& head = region().at(Offset<detail::HashTableHead>{old});
        const std::uint64_t bits = load(head.bits);
        if (bits > detail::max_table_bits) region().refuse(old);
        const std::uint64_t fresh = detail::make_head(tx, bits, detail::page_words_of(region(), head));
        tx.touch(object_.entry->version);
        tx.store(object_.entry->root[0], fresh);
        detail::discard_head(tx, old);
        tx.signal_all();
    }

    template <TableNumber T>
    T incr_in(Tx& tx, const Bytes& key, T delta) {
        const detail::HashedKey hashed = hash_key(key);
        detail::BucketWriter writer(tx, object_, hashed);
        const T sum = detail::add_number(writer, delta);
        changed(tx, hashed.hash);
        return sum;
    }

    DomainType domain_;
    ObjectRef object_;
    HashSeed seed_;
};

} // namespace ss::inline v0
