// HashTable<A, Striped<L>, H>: one table in all domains of its pool.
//
// A plain HashTable<A, L, H> in each domain, all with the same seed, so that a key's hash says which of them has it: bits
// 0 … pick the bucket, bits 32 to 47 the stripe, bits 56 to 63 are the tag. Here operations find their stripe, and what is
// of all stripes is put together; how stripes come and go is in striped_table/stripe.hpp.
#pragma once

#include <ss/structure/hash_table.hpp>
#include <ss/structure/striped_table/iteration.hpp>
#include <ss/structure/striped_table/open.hpp>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ss::inline v0 {

/// A hash table that has a stripe, with a lock, a journal and a heap of its own, in each domain of its pool.
///
/// All that HashTable has, with the same names, and for one key with the same meaning, cost and errors. What is different:
/// size, stats and walks are of one stripe after the other; clear is, too. `ss::transaction` takes one stripe,
/// `table.stripe(key)`; the forms with `tx` throw other_domain for keys of another. Within a visit, or a transaction of a
/// stripe, a write to the same stripe throws would_deadlock, one to an earlier stripe may throw lock_order.
///
/// To make one takes a transaction in each domain. Killed between, a table is there for all who open it for writing, who
/// make what is missing; a read-only pool refuses it until then (needs_recovery).
template <class Allocator, class Lock, class Hash>
class HashTable<Allocator, Striped<Lock>, Hash> {
public:
    /// What each stripe is.
    using Stripe = HashTable<Allocator, Lock, Hash>;

    using allocator_policy = Allocator;
    using lock_policy = Striped<Lock>;
    using hash_policy = Hash;
    using iterator = detail::StripedIterator<Stripe>;
    using value_type = std::pair<std::string, std::string>;

    /// The same table type with one policy exchanged.
    template <class P>
    using with = typename detail::ReplacePolicy<ss::HashTable, P, Allocator, Striped<Lock>, Hash>::type;

    /// Opens the table of that name, or makes it, and claims all domains of the pool for its allocator and for `Lock`.
    /// Throws what the constructor of a HashTable throws; other_policies if one of the domains has others.
    HashTable(const Pool& pool, std::string_view name, const HashTableOptions& options = {})
        : stripes_(open(pool, name, options)), seed_(stripes_->front().seed_) {}

    /// The plain table that has this key: for `ss::transaction`. Lives as long as this handle, or a copy of it.
    [[nodiscard]] Stripe& stripe(const Bytes& key) const { return (*stripes_)[index_of(key)]; }

    /// How many there are, as many as domains; and the one of that domain.
    [[nodiscard]] std::uint64_t stripes() const noexcept { return stripes_->size(); }
    [[nodiscard]] Stripe& stripe_at(std::uint64_t domain) const { return stripes_->at(domain); }

    // --- writing

    bool insert(const Bytes& key, const Bytes& value) { return stripe(key).insert(key, value); }
    bool insert(const Bytes& key, std::initializer_list<Bytes> pieces) { return stripe(key).insert(key, pieces); }
    bool insert(const Bytes& key, std::span<const std::string_view> pieces) {
        return stripe(key).insert(key, pieces);
    }
    bool try_insert(const Bytes& key, const Bytes& value) { return stripe(key).try_insert(key, value); }

    /// The check may be about a key of another stripe. Then both are locked, in the order of their domains, until the write
    /// has happened, which is a transaction of the written key's stripe alone. Within a visit or transaction of one of the two
    /// throws would_deadlock.
    bool insert_if(const BytesCheck& check, const Bytes& key, const Bytes& value) {
        Stripe& own = stripe(key);
        const Stripe& other = stripe(check.key());
        if (&own == &other) return own.insert_if(check, key, value);
        return write_beside(own, other, check, [&](auto& tx) {
            (void)own.put_in(tx, key, Pieces(value));
            return true;
        });
    }

    bool erase(const Bytes& key) { return stripe(key).erase(key); }

    /// As insert_if.
    bool erase_if(const BytesCheck& check, const Bytes& key) {
        Stripe& own = stripe(key);
        const Stripe& other = stripe(check.key());
        if (&own == &other) return own.erase_if(check, key);
        return write_beside(own, other, check, [&](auto& tx) { return own.erase_in(tx, key); });
    }

    /// Removes all entries, one stripe after the other: what is inserted meanwhile may stay or go, and a crash or an error
    /// in the middle leaves the stripes that it had not come to.
    void clear() {
        for (Stripe& stripe : *stripes_) stripe.clear();
    }

    std::int64_t incr(const Bytes& key, TableInteger auto delta) { return stripe(key).incr(key, delta); }
    double incr(const Bytes& key, std::floating_point auto delta) { return stripe(key).incr(key, delta); }
    template <TableNumber T>
    T incr_as(const Bytes& key, T delta) {
        return stripe(key).template incr_as<T>(key, delta);
    }

    // --- writing, as a part of a transaction of the key's stripe. Throws other_domain in any other

    template <class A, bool V>
    bool insert(const UserTransaction<A, V>& tx, const Bytes& key, const Bytes& value) {
        return stripe(key).insert(tx, key, value);
    }
    template <class A, bool V>
    bool insert(const UserTransaction<A, V>& tx, const Bytes& key, std::initializer_list<Bytes> pieces) {
        return stripe(key).insert(tx, key, pieces);
    }
    template <class A, bool V>
    bool insert(const UserTransaction<A, V>& tx, const Bytes& key, std::span<const std::string_view> pieces) {
        return stripe(key).insert(tx, key, pieces);
    }
    template <class A, bool V>
    bool try_insert(const UserTransaction<A, V>& tx, const Bytes& key, const Bytes& value) {
        return stripe(key).try_insert(tx, key, value);
    }
    template <class A, bool V>
    bool insert_if(const UserTransaction<A, V>& tx, const BytesCheck& check, const Bytes& key, const Bytes& value) {
        stripe(check.key()).check_joined(tx);
        return stripe(key).insert_if(tx, check, key, value);
    }
    template <class A, bool V>
    bool erase(const UserTransaction<A, V>& tx, const Bytes& key) {
        return stripe(key).erase(tx, key);
    }
    template <class A, bool V>
    bool erase_if(const UserTransaction<A, V>& tx, const BytesCheck& check, const Bytes& key) {
        stripe(check.key()).check_joined(tx);
        return stripe(key).erase_if(tx, check, key);
    }
    /// There is no transaction of all stripes.
    template <class A, bool V>
    void clear(const UserTransaction<A, V>& tx) = delete;
    template <class A, bool V>
    std::int64_t incr(const UserTransaction<A, V>& tx, const Bytes& key, TableInteger auto delta) {
        return stripe(key).incr(tx, key, delta);
    }
    template <class A, bool V>
    double incr(const UserTransaction<A, V>& tx, const Bytes& key, std::floating_point auto delta) {
        return stripe(key).incr(tx, key, delta);
    }
    template <TableNumber T, class A, bool V>
    T incr_as(const UserTransaction<A, V>& tx, const Bytes& key, T delta) {
        return stripe(key).template incr_as<T>(tx, key, delta);
    }

    // --- reading

    [[nodiscard]] std::optional<std::string> find(const Bytes& key) const { return stripe(key).find(key); }
    [[nodiscard]] std::string at(const Bytes& key) const { return stripe(key).at(key); }
    bool find_into(const Bytes& key, std::string& value) const {
        const detail::HashedKey hashed = stripes_->front().hash_key(key);
        return (*stripes_)[detail::stripe_of(hashed.hash, stripes_->size())].find_hashed(hashed, value);
    }
    /// As that of a HashTable.
    template <class F>
    std::size_t find_many(std::span<const std::string_view> keys, F f) const {
        const auto stripes = stripes_; // f may destroy the handle
        return Stripe::find_many_in(
            keys,
            [&](std::string_view key) -> std::pair<const Stripe*, detail::HashedKey> {
                const detail::HashedKey hashed = stripes->front().hash_key(key);
                return {&(*stripes)[detail::stripe_of(hashed.hash, stripes->size())], hashed};
            },
            f);
    }
    template <TableNumber T>
    [[nodiscard]] std::optional<T> find_as(const Bytes& key) const {
        return stripe(key).template find_as<T>(key);
    }
    [[nodiscard]] bool contains(const Bytes& key) const { return stripe(key).contains(key); }
    [[nodiscard]] bool exists(const Bytes& key) const { return contains(key); }
    template <class F>
    bool visit(const Bytes& key, F f) const {
        return stripe(key).visit(key, std::move(f));
    }
    template <class A, bool V>
    [[nodiscard]] std::optional<std::string> find(const UserTransaction<A, V>& tx, const Bytes& key) const {
        return stripe(key).find(tx, key);
    }
    template <class A, bool V>
    [[nodiscard]] bool contains(const UserTransaction<A, V>& tx, const Bytes& key) const {
        return stripe(key).contains(tx, key);
    }
    template <TableNumber T, class A, bool V>
    [[nodiscard]] std::optional<T> find_as(const UserTransaction<A, V>& tx, const Bytes& key) const {
        return stripe(key).template find_as<T>(tx, key);
    }

    [[nodiscard]] Stamp stamp(const Bytes& key) const { return stripe(key).stamp(key); }
    [[nodiscard]] std::optional<Stamp> watch(const Bytes& key, const Stamp& stamp, const Timeout& timeout) const {
        return stripe(key).watch(key, stamp, timeout);
    }

    // --- all of it

    /// Entries: the stripes' sizes, each exact and of a moment of its own. Where others write meanwhile, the sum may be one
    /// that the table never had; but what is there throughout is counted.
    [[nodiscard]] std::uint64_t size() const {
        std::uint64_t size = 0;
        for (const Stripe& stripe : *stripes_) size += stripe.size();
        return size;
    }
    [[nodiscard]] bool empty() const {
        return std::all_of(stripes_->begin(), stripes_->end(), [](const Stripe& stripe) { return stripe.empty(); });
    }

    /// log2 of the entries that all stripes have buckets for, rounded up.
    [[nodiscard]] unsigned bits() const { return log2_ceil(stats().buckets) + detail::bits_of_a_bucket; }

    /// A walk over copies of all entries, stripe by stripe, each as that of a HashTable.
    [[nodiscard]] iterator begin() const { return iterator(stripes_); }
    [[nodiscard]] iterator end() const noexcept { return {}; }

    template <class F>
    void for_each(F f) const {
        const auto stripes = stripes_; // f may destroy the handle
        for (const Stripe& stripe : *stripes) stripe.for_each([&f](auto key, auto value) { f(key, value); });
    }

    /// As that of a HashTable, for each stripe; and that every key is in its stripe.
    [[nodiscard]] std::vector<std::string> verify() const {
        std::vector<std::string> problems;
        for (std::uint64_t index = 0; index < stripes(); ++index) {
            const std::string where = "stripe " + std::to_string(index) + ": ";
            const Stripe& stripe = (*stripes_)[index];
            const std::vector<std::string> found = stripe.verify();
            for (const std::string& problem : found) problems.push_back(where + problem);
            if (!found.empty()) continue; // it may have no end
            std::uint64_t strangers = 0;
            stripe.for_each([&](std::string_view key, std::string_view) { strangers += index_of(key) != index; });
            if (strangers != 0)
                problems.push_back(where + "has " + std::to_string(strangers) + " keys that belong to other stripes");
        }
        return problems;
    }

    /// Sums over all stripes and their domains, each of a moment of its own; of high-water marks the highest.
    [[nodiscard]] HashTableStats stats() const {
        HashTableStats sum;
        for (const Stripe& stripe : *stripes_) {
            const HashTableStats one = stripe.stats();
            sum.entries += one.entries;
            sum.buckets += one.buckets;
            sum.bytes_allocated += one.bytes_allocated;
            sum.domain.entries += one.domain.entries;
            sum.domain.bytes_committed += one.domain.bytes_committed;
            sum.domain.bytes_allocated += one.domain.bytes_allocated;
            sum.domain.bytes_free += one.domain.bytes_free;
            sum.domain.garbage_bytes += one.domain.garbage_bytes;
            sum.domain.journal_high_water = std::max(sum.domain.journal_high_water, one.domain.journal_high_water);
            sum.domain.recoveries += one.domain.recoveries;
        }
        sum.bytes_free = sum.domain.bytes_free;
        sum.garbage_bytes = sum.domain.garbage_bytes;
        sum.journal_high_water = sum.domain.journal_high_water;
        sum.recoveries = sum.domain.recoveries;
        return sum;
    }

    /// There is no transaction of all stripes: says so to who calls ss::transaction with this table.
    template <class T = HashTable>
    [[nodiscard]] Domain<Allocator, Lock>& domain() const {
        static_assert(sizeof(T) == 0, "a striped table has a domain for each stripe, and a transaction runs in one: "
                                      "ss::transaction(table.stripe(key), f)");
    }

private:
    using Tx = typename Stripe::Tx;
    using Stripes = std::vector<Stripe>;

    [[nodiscard]] static std::shared_ptr<Stripes> open(const Pool& pool, std::string_view name,
                                                       const HashTableOptions& options) {
        detail::check_options(options, pool.attachment()->name());
        HashTableOptions of_each = options;
        of_each.bits -= std::min(options.bits, log2_ceil(pool.domains()));
        const auto make = [&of_each](Tx& tx, DirectoryEntry& entry) { Stripe::make_empty(tx, entry, of_each); };
        constexpr ObjectType type = {.type = striped_table_type,
                                     .type_fingerprint = striped_table_fingerprint,
                                     .hash = Hash::id,
                                     .hash_fingerprint = Hash::fingerprint};
        detail::StripesOpening<Allocator, Lock, decltype(make)> opening(pool, name, type, Hash::seeded,
                                                                        Stripe::TableUpkeep::functions(), make);
        auto stripes = std::make_shared<Stripes>();
        stripes->reserve(pool.domains());
        for (const ObjectRef& object : opening.open()) {
            const HashSeed seed{.first = load(object.entry->seed[0]), .second = load(object.entry->seed[1])};
            stripes->push_back(Stripe(opening.domain(stripes->size()), object, seed));
        }
        return stripes;
    }

    [[nodiscard]] std::uint64_t index_of(const Bytes& key) const {
        return detail::stripe_of(Hash::hash(key.view(), seed_), stripes_->size());
    }

    /// f(tx) as a transaction of `own`, if the check of a key of `other` holds, which stays locked until it has happened.
    template <class F>
    bool write_beside(Stripe& own, const Stripe& other, const BytesCheck& check, F f) {
        using Guard = typename Domain<Allocator, Lock>::Guard;
        const auto stripes = stripes_;
        std::optional<Guard> guard;
        const DomainCore& beside = other.domain_.core();
        if (beside.index() < own.domain_.core().index()) guard.emplace(beside);
        return own.write([&](Tx& tx) {
            if (!guard) guard.emplace(beside);
            const auto found = other.find(check.key());
            return found == check.value() && f(tx);
        });
    }

    std::shared_ptr<Stripes> stripes_;
    HashSeed seed_;
};

} // namespace ss::inline v0
