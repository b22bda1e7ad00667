// PrefixTree: an ordered map of binary keys to values of five types, shared by processes.
//
// The bytes are drawn in prefix_tree/layout.hpp and tagged.hpp. node.hpp looks at a node, reading.hpp goes down the tree,
// write.hpp changes it, load.hpp by many entries; quiet_walk.hpp and walk.hpp go along the keys, scan.hpp and iteration.hpp
// make scans and iterators of that; garbage.hpp frees, verify.hpp checks, print.hpp shows. Here they become one class.
#pragma once

#include <ss/domain/domain.hpp>
#include <ss/domain/watch.hpp>
#include <ss/structure/bytes.hpp>
#include <ss/structure/check.hpp>
#include <ss/structure/fwd.hpp>
#include <ss/structure/garbage.hpp>
#include <ss/structure/prefix_tree/greatest.hpp>
#include <ss/structure/prefix_tree/iteration.hpp>
#include <ss/structure/prefix_tree/load.hpp>
#include <ss/structure/prefix_tree/number.hpp>
#include <ss/structure/prefix_tree/print.hpp>
#include <ss/structure/prefix_tree/stats.hpp>
#include <ss/structure/prefix_tree/verify.hpp>
#include <ss/structure/prefix_tree/watch.hpp>
#include <ss/structure/prefix_tree/whole.hpp>
#include <ss/structure/prefix_tree/write.hpp>
#include <ss/structure/replace_policy.hpp>
#include <ss/structure/value.hpp>

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ss::inline v0 {

/// An ordered map in a pool: keys of any bytes, the empty one too, up to 64 KiB; values that are null, a bool, a 64-bit
/// integer, a double or a string of up to 4 GiB less one. Keys are in the order of their bytes, unsigned.
///
/// A handle: cheap to copy, may be used by several threads, keeps the pool attached. All that change it are all or
/// nothing, under a kill at any instruction and under a throw; who finds a dead writer's work undoes it, in
/// microseconds. With an `Optimistic` lock, find, iteration and their kin take no lock, work on a read-only pool, and
/// see only what was committed.
///
/// Every member function may throw what those of HashTable may. In all these cases nothing has changed.
///
/// An adaptive radix tree: a look-up costs by the bytes of the key, not by the number of keys. When not to use it: where
/// no order and no prefixes are needed, a HashTable is faster and takes less memory.
template <class Allocator, class Lock>
class PrefixTree : public detail::TreeWatching<PrefixTree<Allocator, Lock>>,
                   public detail::TreeLoading<PrefixTree<Allocator, Lock>> {
    static_assert(AllocatorPolicy<Allocator>,
                  "PrefixTree: the first parameter is not an allocator policy; docs/concepts.md says what one needs");
    static_assert(LockPolicy<Lock>,
                  "PrefixTree: the second parameter is not a lock policy; docs/concepts.md says what one needs");

    using DomainType = Domain<Allocator, Lock>;
    using Tx = typename DomainType::Tx;
    using Writer = detail::TreeWriter<Tx>;

public:
    using allocator_policy = Allocator;
    using lock_policy = Lock;
    using iterator = detail::TreeIterator<PrefixTree>;
    using value_type = std::pair<std::string, Value>;
    using PrefixRange = detail::PrefixRange<PrefixTree>;

    /// The same tree type with one policy exchanged: `PrefixTree<>::with<SpinLock>`.
    template <class P>
    using with = typename detail::ReplacePolicy<ss::PrefixTree, P, Allocator, Lock>::type;

    /// Opens the tree of that name, or makes it. The first structure of a domain claims it for its allocator and lock.
    /// Throws other_policies, other_type, name_too_long, invalid_argument, no_such_object and read_only (on a read-only
    /// pool), or what a write throws. Killed in the middle, there is a whole tree or none.
    PrefixTree(const Pool& pool, std::string_view name)
        : domain_(pool, domain_of(name, pool.domains())),
          object_(domain_.open_object(
              name, type_, false, [](Tx& tx, DirectoryEntry& entry) { detail::make_tree(tx, entry); },
              &detail::garbage_upkeep<DomainType>())) {}

    // --- writing

    /// Inserts or overwrites; true if the key is new. A transaction of about a dozen words. What may be a value, and what
    /// it becomes, is said at AnyValue. Throws too_large for a key past 64 KiB.
    bool insert(const Bytes& key, const AnyValue& value) { return put(key, detail::NewValue(value)); }
    /// The same with a string in pieces, which are joined.
    bool insert(const Bytes& key, std::initializer_list<Bytes> pieces) {
        return insert(key, detail::views_of(pieces));
    }
    bool insert(const Bytes& key, std::span<const std::string_view> pieces) {
        return put(key, detail::NewValue(pieces));
    }

    /// Inserts only if the key is missing; true if it was.
    bool try_insert(const Bytes& key, const AnyValue& value) { return insert_if(Check::missing(key), key, value); }

    /// Inserts or overwrites only if the check holds, which may be about another key of this tree; true if it did.
    bool insert_if(const ValueCheck& check, const Bytes& key, const AnyValue& value) {
        return write([&](Tx& tx) { return insert_if_in(tx, check, key, value); });
    }

    /// True if the key was there.
    bool erase(const Bytes& key) {
        return write([&](Tx& tx) { return erase_in(tx, key); });
    }

    /// Erases only if the check holds; true if it did and the key was there.
    bool erase_if(const ValueCheck& check, const Bytes& key) {
        return write([&](Tx& tx) { return holds_in(tx, check) && erase_in(tx, key); });
    }

    /// Erases every key that begins with `prefix`, itself included; how many. Counts them by a walk under the lock,
    /// takes them away by one store; the memory comes back in small steps, with later writes.
    std::uint64_t erase_prefix(const Bytes& prefix) {
        return write([&](Tx& tx) { return erase_prefix_in(tx, prefix); });
    }

    /// Removes all entries. size() is 0 at once; the memory comes back in small steps, with later writes.
    void clear() {
        write([&](Tx& tx) { clear_in(tx); });
    }

    /// Adds to an integer, or to a real, and returns the new value. A missing key is created as `delta`. Integers wrap.
    /// Throws wrong_type, and changes nothing, if the value is of another type; too_large for a `delta` that does not fit.
    std::int64_t incr(const Bytes& key, std::integral auto delta) requires(!std::same_as<decltype(delta), bool>) {
        return write([&](Tx& tx) { return incr_in(tx, key, std::get<std::int64_t>(AnyValue(delta).view())); });
    }
    double incr(const Bytes& key, std::floating_point auto delta) {
        return write([&](Tx& tx) { return incr_in(tx, key, static_cast<double>(delta)); });
    }

    // --- writing, as a part of a transaction: see ss::transaction

    template <class A, bool V>
    bool insert(const UserTransaction<A, V>& tx, const Bytes& key, const AnyValue& value) {
        return join(tx, [&](Tx& inner) { return put_in(inner, key, detail::NewValue(value)); });
    }
    template <class A, bool V>
    bool insert(const UserTransaction<A, V>& tx, const Bytes& key, std::initializer_list<Bytes> pieces) {
        return insert(tx, key, detail::views_of(pieces));
    }
    template <class A, bool V>
    bool insert(const UserTransaction<A, V>& tx, const Bytes& key, std::span<const std::string_view> pieces) {
        return join(tx, [&](Tx& inner) { return put_in(inner, key, detail::NewValue(pieces)); });
    }
    template <class A, bool V>
    bool try_insert(const UserTransaction<A, V>& tx, const Bytes& key, const AnyValue& value) {
        return insert_if(tx, Check::missing(key), key, value);
    }
    template <class A, bool V>
    bool insert_if(const UserTransaction<A, V>& tx, const ValueCheck& check, const Bytes& key,
                   const AnyValue& value) {
        return join(tx, [&](Tx& inner) { return insert_if_in(inner, check, key, value); });
    }
    template <class A, bool V>
    bool erase(const UserTransaction<A, V>& tx, const Bytes& key) {
        return join(tx, [&](Tx& inner) { return erase_in(inner, key); });
    }
    template <class A, bool V>
    bool erase_if(const UserTransaction<A, V>& tx, const ValueCheck& check, const Bytes& key) {
        return join(tx, [&](Tx& inner) { return holds_in(inner, check) && erase_in(inner, key); });
    }
    template <class A, bool V>
    std::uint64_t erase_prefix(const UserTransaction<A, V>& tx, const Bytes& prefix) {
        return join(tx, [&](Tx& inner) { return erase_prefix_in(inner, prefix); });
    }
    template <class A, bool V>
    void clear(const UserTransaction<A, V>& tx) {
        join(tx, [&](Tx& inner) { clear_in(inner); });
    }
    template <class A, bool V>
    std::int64_t incr(const UserTransaction<A, V>& tx, const Bytes& key,
                      std::integral auto delta) requires(!std::same_as<decltype(delta), bool>) {
        return join(tx,
                    [&](Tx& inner) { return incr_in(inner, key, std::get<std::int64_t>(AnyValue(delta).view())); });
    }
    template <class A, bool V>
    double incr(const UserTransaction<A, V>& tx, const Bytes& key, std::floating_point auto delta) {
        return join(tx, [&](Tx& inner) { return incr_in(inner, key, static_cast<double>(delta)); });
    }

    // --- reading. Within a transaction of this thread, these see its changes; but visit throws would_deadlock

    /// A copy of the value.
    [[nodiscard]] std::optional<Value> find(const Bytes& key) const {
        std::optional<Value> value(std::in_place);
        if (!find_into(key, *value)) value.reset();
        return value;
    }

    /// A copy of the value; std::out_of_range if the key is missing.
    [[nodiscard]] Value at(const Bytes& key) const {
        Value value;
        if (!find_into(key, value)) throw std::out_of_range("ss::PrefixTree::at: no such key");
        return value;
    }

    /// Copies the value into `value`; a string into the one that is there, whose memory is used again. False if the key
    /// is missing, and `value` is then unspecified.
    bool find_into(const Bytes& key, Value& value) const {
        return look_up(key, [&](const auto& path, const detail::ValueRef& found) {
            return detail::copy_value(path, found, value);
        });
    }

    /// The value as a bool, std::int64_t, double or std::string. Throws wrong_type if it is another.
    template <ValueAlternative T>
    [[nodiscard]] std::optional<T> find_as(const Bytes& key) const {
        Value value;
        if (!find_into(key, value)) return std::nullopt;
        if (T* const found = std::get_if<T>(&value)) return std::move(*found);
        throw_error(errc::wrong_type, "the value is of type " + std::string(to_string(type_of(value))) +
                                          ", asked for was " + std::string(to_string(type_of(Value(T())))));
    }

    /// What the value is; nothing if the key is missing.
    [[nodiscard]] std::optional<ValueType> type(const Bytes& key) const {
        ValueType type{};
        const bool hit = look_up(key, [&](const auto& path, const detail::ValueRef& found) {
            type = detail::StoredValue(path.region(), found).type();
            return true;
        });
        return hit ? std::optional(type) : std::nullopt;
    }

    /// Whether the key is there, with whatever value, null too. One walk down, as find, without a copy of the value.
    [[nodiscard]] bool contains(const Bytes& key) const {
        return look_up(key, [](const auto&, const detail::ValueRef&) { return true; });
    }
    /// The same: what the ancestor calls it.
    [[nodiscard]] bool exists(const Bytes& key) const { return contains(key); }

    /// Calls f(const ValueView&) with the value in place, under the lock; false if the key is missing. f may throw, and
    /// must be short: writers of the domain wait. Writing to the same domain within f throws would_deadlock. On a
    /// read-only pool f gets a copy.
    template <class F>
    bool visit(const Bytes& key, F f) const {
        if (domain_.core().attachment().is_read_only()) {
            Value copy;
            const bool hit = find_into(key, copy);
            if (hit) f(view_of(copy));
            return hit;
        }
        const PrefixTree self = *this; // f may destroy the handle
        return self.domain_.locked([&] {
            bool hit = false;
            (void)self.attempt(LockedReading{}, [&](auto& path) {
                return detail::look_up(path, key.view(), hit, [&](const auto&, const detail::ValueRef& value) {
                    f(detail::StoredValue(path.region(), value).view());
                    return true;
                });
            });
            return hit;
        });
    }

    /// The longest key of the tree that `key` begins with, itself included, and its value. `key` may be longer than keys
    /// are. The answer of one moment.
    [[nodiscard]] std::optional<value_type> longest_prefix(const Bytes& key) const {
        value_type found;
        bool hit = false;
        domain_.read([&](auto reading) {
            return attempt(reading, [&](auto& path) {
                return detail::look_up_longest(path, key.view(), hit,
                                               [&](const auto&, const detail::ValueRef& value, std::size_t size) {
                                                   found.first.assign(key.view().substr(0, size));
                                                   return detail::copy_value(path, value, found.second);
                                               });
            });
        });
        return hit ? std::optional(std::move(found)) : std::nullopt;
    }

    // --- the same, said with a transaction

    template <class A, bool V>
    [[nodiscard]] std::optional<Value> find(const UserTransaction<A, V>& tx, const Bytes& key) const {
        domain_.check_joined(tx);
        return find(key);
    }
    template <ValueAlternative T, class A, bool V>
    [[nodiscard]] std::optional<T> find_as(const UserTransaction<A, V>& tx, const Bytes& key) const {
        domain_.check_joined(tx);
        return find_as<T>(key);
    }
    template <class A, bool V>
    [[nodiscard]] bool contains(const UserTransaction<A, V>& tx, const Bytes& key) const {
        domain_.check_joined(tx);
        return contains(key);
    }

    // --- in order. Iterators read ahead, and hold no lock between steps: see detail::TreeIterator

    /// The first key, read with the three that follow it; end() of an empty tree.
    [[nodiscard]] iterator begin() const { return {*this, {.key = {}}}; }
    /// Behind the last key, also behind those that come later. Reads nothing.
    [[nodiscard]] iterator end() const { return iterator(*this); }

    /// The first key that is not before `key`, or end().
    [[nodiscard]] iterator lower_bound(const Bytes& key) const { return {*this, {.key = key.view()}}; }
    /// The first key behind `key`, or end().
    [[nodiscard]] iterator upper_bound(const Bytes& key) const {
        return {*this, {.key = key.view(), .inclusive = false}};
    }
    /// That key, or end() if it is missing.
    [[nodiscard]] iterator iterator_at(const Bytes& key) const {
        iterator found = lower_bound(key);
        return !found.is_end() && found.key() == key.view() ? found : end();
    }

    /// The entries whose keys begin with `prefix`: a range whose end is a sentinel of its own.
    [[nodiscard]] PrefixRange prefix(const Bytes& prefix) const { return {*this, prefix.view()}; }

    /// The first key behind `key`; `next_key()` is the first of all.
    [[nodiscard]] std::optional<std::string> next_key(const Bytes& key) const {
        detail::TreeBatch batch;
        read_one({.key = key.view(), .inclusive = false}, batch, true);
        return batch.empty() ? std::nullopt : std::optional<std::string>(batch.key(0));
    }
    [[nodiscard]] std::optional<std::string> next_key() const {
        detail::TreeBatch batch;
        read_one({}, batch, true);
        return batch.empty() ? std::nullopt : std::optional<std::string>(batch.key(0));
    }

    /// The same with its value.
    [[nodiscard]] std::optional<value_type> next_key_value(const Bytes& key) const {
        detail::TreeBatch batch;
        read_one({.key = key.view(), .inclusive = false}, batch);
        return entry_of(batch);
    }
    [[nodiscard]] std::optional<value_type> next_key_value() const {
        detail::TreeBatch batch;
        read_one({}, batch);
        return entry_of(batch);
    }

    /// f(std::string_view key, const ValueView& value) for each entry from key `from` on and before key `to`, in order:
    /// the fast scan, with no string for each key. If f returns a bool, false ends it. The views hold until f returns. No
    /// lock is held in f. Sees what iterators see. Costs the way down once, and then, while nobody changes the tree, what
    /// it takes to copy an entry; while somebody does, a way down for each.
    template <class F>
    void for_each(const Bytes& from, const Bytes& to, F f) const {
        scan({.key = from.view()}, [&](std::string_view key, const ValueView& value) {
            return key < to.view() && detail::wants_more(f, key, value);
        });
    }
    /// For all entries.
    template <class F>
    void for_each(F f) const {
        for_each_from("", std::move(f));
    }
    /// From key `from` on: lower_bound and as many steps as f likes.
    template <class F>
    void for_each_from(const Bytes& from, F f) const {
        scan({.key = from.view()},
             [&](std::string_view key, const ValueView& value) { return detail::wants_more(f, key, value); });
    }
    /// For those whose keys begin with `prefix`.
    template <class F>
    void for_each_prefix(const Bytes& prefix, F f) const {
        scan({.key = prefix.view()}, [&](std::string_view key, const ValueView& value) {
            return key.starts_with(prefix.view()) && detail::wants_more(f, key, value);
        });
    }

    /// Of the entries whose keys begin with `prefix` the `k` greatest, the greatest first, of equal ones those with the
    /// smaller key: completions, by weight. less(const Value&, const Value&). Looks at all of them; keeps k.
    template <class Less = ValueLess>
    [[nodiscard]] std::vector<value_type> top(const Bytes& prefix, std::size_t k, Less less = {}) const {
        detail::GreatestEntries greatest(k, std::move(less));
        for_each_prefix(prefix, [&](std::string_view key, const ValueView& value) { greatest.offer(key, value); });
        return std::move(greatest).sorted();
    }

    // --- all of it, or of a prefix

    /// Entries: exact, of one moment.
    [[nodiscard]] std::uint64_t size() const { return counts().entries; }
    [[nodiscard]] bool empty() const { return size() == 0; }
    /// Nodes: the same.
    [[nodiscard]] std::uint64_t node_size() const { return counts().nodes; }

    /// How many keys begin with `prefix`, how many nodes they take, and how many allocated bytes, those of their values
    /// included. By a walk over all of them, under the lock: exact, and writers wait. On a read-only pool without it, until
    /// nobody has written meanwhile.
    [[nodiscard]] std::uint64_t count_prefix(const Bytes& prefix) const { return sum_of(prefix, no_bytes).entries; }
    [[nodiscard]] std::uint64_t nodes_for_prefix(const Bytes& prefix) const { return sum_of(prefix, no_bytes).nodes; }
    [[nodiscard]] std::uint64_t bytes_for_prefix(const Bytes& prefix) const {
        return sum_of(prefix, [this](std::uint64_t block) { return block_size(block); }).bytes;
    }

    /// Walks the tree under the lock; one sentence for each thing that is wrong. `Pool::verify` also holds all blocks
    /// against the allocator.
    [[nodiscard]] std::vector<std::string> verify() const {
        Census census(domain_.core().is_held_by_this_thread());
        domain_.read_settled([&] {
            check_is_there();
            detail::verify_prefix_tree(domain_.region(), *object_.entry, detail::entry_name(*object_.entry), census);
        });
        return std::move(census.problems());
    }

    /// Shows the nodes as text.
    template <class Traits>
    void print(std::basic_ostream<char, Traits>& out) const {
        std::string text; // nobody waits for the stream
        detail::read_whole(domain_, object_, [&](const detail::Hook& root, auto) {
            text.clear();
            detail::append_subtree(text, domain_.region(), load(*root.slot));
            return true;
        });
        out << text;
    }

    /// Entries, nodes and their bytes, of one moment and at constant cost, since every change keeps them; and those of the
    /// whole domain, of a moment later.
    [[nodiscard]] PrefixTreeStats stats() const {
        const detail::SubtreeSum tree = counts();
        const DomainStats domain = domain_.stats();
        return {.entries = tree.entries,
                .nodes = tree.nodes,
                .bytes_allocated = tree.bytes,
                .bytes_free = domain.bytes_free,
                .garbage_bytes = domain.garbage_bytes,
                .journal_high_water = domain.journal_high_water,
                .recoveries = domain.recoveries,
                .domain = domain};
    }

    // --- the library's side of it

    /// What ss::transaction runs in.
    [[nodiscard]] DomainType& domain() noexcept { return domain_; }

    /// What iterators are made of: the entries from where the cursor is, or from `start` on.
    template <detail::Direction To>
    void read_batch(const detail::WalkStart& start, const detail::WalkLimit& limit, detail::TreeBatch& batch,
                    detail::TreeCursor& cursor) const {
        detail::read_batch<To>(
            domain_.core(), object_, [this](auto attempt) { domain_.read(attempt); }, start, limit, batch, cursor);
    }
    /// Moves whenever something in the tree does. Odd, which no batch is fresh at, when the tree is no more: its successor
    /// of the same name counts anew.
    [[nodiscard]] Word changes() const noexcept {
        const Word changes = load_acquire(object_.entry->root[detail::tree_changes_root]);
        return load(object_.entry->generation) == object_.generation ? changes : 1;
    }

private:
    static constexpr ObjectType type_ = {
        .type = prefix_tree_type, .type_fingerprint = prefix_tree_fingerprint, .hash = {}, .hash_fingerprint = 0};

    // --- reading

    static constexpr auto no_bytes = [](std::uint64_t) { return std::uint64_t{0}; };

    template <class Reading, class F>
    bool attempt(Reading reading, F f) const {
        return detail::attempt_in_tree(domain_.core(), object_, reading, f);
    }

    template <class F>
    bool look_up(const Bytes& key, F found) const {
        bool hit = false;
        domain_.read([&](auto reading) {
            return attempt(reading, [&](auto& path) { return detail::look_up(path, key.view(), hit, found); });
        });
        return hit;
    }

    [[nodiscard]] detail::SubtreeSum counts() const {
        detail::SubtreeSum counts;
        domain_.read(
            [&](auto reading) { return detail::attempt_tree_counts(domain_.core(), object_, reading, counts); });
        return counts;
    }

    void check_is_there() const { detail::check_stands(domain_.core(), object_); }

    /// block_size(offset) is what a block counts for.
    template <class BlockSize>
    [[nodiscard]] detail::SubtreeSum sum_of(const Bytes& prefix, BlockSize block_size) const {
        detail::SubtreeSum sum;
        detail::read_whole(domain_, object_, [&](const detail::Hook& root, auto valid) {
            sum = {};
            const detail::Way way = detail::find_way(domain_.region(), root, prefix.view(), true);
            return !way.hit || detail::sum_subtree(domain_.region(), load(*way.target.slot), block_size, valid, sum);
        });
        return sum;
    }

    [[nodiscard]] std::uint64_t block_size(std::uint64_t offset) const {
        const auto& state =
            *reinterpret_cast<const typename Allocator::State*>(domain_.core().block().allocator.data());
        return Allocator::block_size(state, detail::HeapView(domain_.core()), offset);
    }

    void read_one(const detail::WalkStart& start, detail::TreeBatch& batch, bool key_only = false) const {
        detail::TreeCursor cursor;
        read_batch<detail::Direction::up>(start, {.entries = 1, .bytes = 1, .keys_only = key_only}, batch, cursor);
    }

    [[nodiscard]] static std::optional<value_type> entry_of(const detail::TreeBatch& batch) {
        if (batch.empty()) return std::nullopt;
        return value_type(std::string(batch.key(0)), copy_of(batch.value(0)));
    }

    /// f(key, value) from `start` on, until it returns false.
    template <class F>
    void scan(const detail::WalkStart& start, F f) const {
        const PrefixTree self = *this; // f may destroy the handle
        detail::scan(self, start, f);
    }

    friend detail::TreeWatching<PrefixTree>;
    friend detail::TreeLoading<PrefixTree>;

    [[nodiscard]] detail::WatchedKeys watched() const noexcept { return {domain_.region(), object_}; }

    // --- writing

    /// f(tx) as a transaction of its own.
    template <class F>
    auto write(F f) {
        return domain_.run([&](Tx& tx) {
            tx.remember(detail::garbage_upkeep<DomainType>(), object_);
            return f(tx);
        });
    }

    template <class UserTx, class F>
    auto join(const UserTx& tx, F f) {
        return domain_.join(tx, [&](Tx& inner) {
            inner.remember(detail::garbage_upkeep<DomainType>(), object_);
            return f(inner);
        });
    }

    bool put(const Bytes& key, const detail::NewValue& value) {
        return write([&](Tx& tx) { return put_in(tx, key, value); });
    }

    bool put_in(Tx& tx, const Bytes& key, const detail::NewValue& value) {
        detail::check_tree_key(key);
        const bool is_new = Writer(tx, object_).insert(key.view(), value);
        watched().changed(tx, key.view());
        return is_new;
    }

    bool insert_if_in(Tx& tx, const ValueCheck& check, const Bytes& key, const AnyValue& value) {
        detail::check_tree_key(key);
        if (!holds_in(tx, check)) return false;
        (void)put_in(tx, key, detail::NewValue(value));
        return true;
    }

    bool erase_in(Tx& tx, const Bytes& key) {
        const bool hit = Writer(tx, object_).erase(key.view());
        if (hit) watched().changed(tx, key.view());
        return hit;
    }

    std::uint64_t erase_prefix_in(Tx& tx, const Bytes& prefix) {
        const std::uint64_t erased = Writer(tx, object_).erase_prefix(prefix.view());
        if (erased != 0) tx.signal_all();
        return erased;
    }

    void clear_in(Tx& tx) {
        Writer(tx, object_).clear();
        tx.signal_all();
    }

    [[nodiscard]] bool holds_in(Tx& tx, const ValueCheck& check) {
        const detail::ValueRef value = Writer(tx, object_).find(check.key());
        if (value.word == 0 || !check.value()) return value.word == 0 && !check.value();
        return detail::StoredValue(tx.region(), value).view() == *check.value();
    }

    template <class T>
    T incr_in(Tx& tx, const Bytes& key, T delta) {
        const T sum = detail::added(tx.region(), Writer(tx, object_).find(key.view()), delta);
        (void)put_in(tx, key, detail::NewValue(AnyValue(sum)));
        return sum;
    }

    DomainType domain_;
    ObjectRef object_;
};

} // namespace ss::inline v0
