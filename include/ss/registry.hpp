// All policies as Boost.Hana lists, their product, and opening an object by what the pool says of it. Opt-in: needs
// Boost's headers. Tests, benchmarks and tools are made of it.
#pragma once

#include <ss/ss.hpp>

#include <boost/hana/cartesian_product.hpp>
#include <boost/hana/concat.hpp>
#include <boost/hana/filter.hpp>
#include <boost/hana/for_each.hpp>
#include <boost/hana/transform.hpp>
#include <boost/hana/tuple.hpp>
#include <boost/hana/type.hpp>
#include <boost/hana/unpack.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace ss::inline v0 {

namespace registry {

namespace hana = boost::hana;

/// Every policy that comes with ss, as `hana::type`s.
inline constexpr auto allocators = hana::tuple_t<SimpleAllocator, LogarithmicAllocator, SegregatedAllocator>;
inline constexpr auto bare_locks = hana::tuple_t<NullLock, SpinLock, FutexLock, RobustMutex>;
inline constexpr auto hashes = hana::tuple_t<Fnv1a64, Wyhash, SipHash13>;

/// True for policies that make a structure together. All of ours do; specialise it for one of yours that does not.
template <class... Ps>
inline constexpr bool compatible = true;

namespace detail {

template <template <class> class Concept, class... Ps>
constexpr auto only(Policies<Ps...>) {
    return hana::filter(hana::tuple_t<Ps...>,
                        [](auto policy) { return hana::bool_c<Concept<typename decltype(policy)::type>::value>; });
}
template <class P>
struct IsAllocator : std::bool_constant<AllocatorPolicy<P>> {};
template <class P>
struct IsLock : std::bool_constant<LockPolicy<P>> {};
template <class P>
struct IsHash : std::bool_constant<HashPolicy<P>> {};

template <class L>
struct Bare {
    using type = L;
};
template <class L>
struct Bare<Optimistic<L>> {
    using type = L;
};

/// Locks, and their Optimistic forms, however each is named.
inline constexpr auto with_optimistic = [](auto locks_list) {
    constexpr auto bare = [](auto lock) { return hana::type_c<typename Bare<typename decltype(lock)::type>::type>; };
    constexpr auto optimistic = [](auto lock) {
        return hana::type_c<Optimistic<typename Bare<typename decltype(lock)::type>::type>>;
    };
    return hana::concat(hana::transform(locks_list, bare), hana::transform(locks_list, optimistic));
};

} // namespace detail

inline constexpr auto locks = detail::with_optimistic(bare_locks);

/// HashTable with every compatible triple of three lists of policies, as `hana::type`s. The triples are filtered before
/// a table is formed of them.
template <class Allocators, class Locks, class Hashes>
constexpr auto hash_tables_of(Allocators allocators_list, Locks locks_list, Hashes hashes_list) {
    constexpr auto fits = [](auto triple) {
        return hana::unpack(triple, [](auto a, auto l, auto h) {
            return hana::bool_c<
                compatible<typename decltype(a)::type, typename decltype(l)::type, typename decltype(h)::type>>;
        });
    };
    constexpr auto form = [](auto triple) {
        return hana::unpack(triple, [](auto a, auto l, auto h) {
            return hana::type_c<
                HashTable<typename decltype(a)::type, typename decltype(l)::type, typename decltype(h)::type>>;
        });
    };
    return hana::transform(
        hana::filter(hana::cartesian_product(hana::make_tuple(allocators_list, locks_list, hashes_list)), fits),
        form);
}

/// HashTable with everything: the product.
inline constexpr auto hash_tables = hash_tables_of(allocators, locks, hashes);

/// HashTable in as few profiles as have every policy once.
inline constexpr auto few_hash_tables = hana::tuple_t<
    HashTable<>, HashTable<SimpleAllocator, NullLock, Fnv1a64>, HashTable<LogarithmicAllocator, SpinLock, SipHash13>,
    HashTable<SegregatedAllocator, FutexLock, Wyhash>, HashTable<SimpleAllocator, RobustMutex, SipHash13>,
    HashTable<LogarithmicAllocator, Optimistic<SpinLock>, Fnv1a64>,
    HashTable<SegregatedAllocator, Optimistic<RobustMutex>, Wyhash>,
    HashTable<SegregatedAllocator, Optimistic<NullLock>, Wyhash>>;

/// A list of types for typed tests: `List<A, B>` from a tuple of `hana::type`s.
template <template <class...> class List, class Types>
using AsList = typename decltype(hana::unpack(
    Types{}, [](auto... types) { return hana::type_c<List<typename decltype(types)::type...>>; }))::type;

/// "SEGREG FUTEX+o WYHASH4": the profile of a structure, as the pool records it.
template <class Table>
[[nodiscard]] std::string profile_name() {
    return to_string(Table::allocator_policy::id) + " " + to_string(Table::lock_policy::id) + " " +
           to_string(Table::hash_policy::id);
}

/// Calls f(hana::type_c<Table>) for the table type of `tables` whose policies have these names (ss::to_string of their
/// ids). False if there is none.
template <class Tables, class F>
bool with_profile(Tables tables, std::string_view allocator, std::string_view lock, std::string_view hash, F f) {
    bool found = false;
    hana::for_each(tables, [&](auto type) {
        using Table = typename decltype(type)::type;
        if (found || to_string(Table::allocator_policy::id) != allocator ||
            to_string(Table::lock_policy::id) != lock || to_string(Table::hash_policy::id) != hash)
            return;
        found = true;
        f(type);
    });
    return found;
}

} // namespace registry

/// Opens the object called `name` with the policies that the pool records, and calls f(table) with it: f is a generic
/// lambda, made for every profile of the built-in policies and `Mine...`.
///
/// Throws no_such_object; unknown_policy, naming what is unknown here; other_type for an object that is no HashTable; and
/// what opening a structure throws.
template <class... Mine, class F>
void open_any(const Pool& pool, const std::string& name, Policies<Mine...>, F f) {
    namespace hana = boost::hana;
    using All = typename Catalogue<Mine...>::All;
    const std::string& path = pool.attachment()->name();
    const std::uint64_t index = domain_of(name, pool.domains());
    pool.attachment()->enter();
    const DomainState& state = pool.attachment()->domain_state(index);
    if (load_acquire(state.claimed) != 1) throw Error(errc::no_such_object, "has no object \"" + name + "\"", path);
    bool versioned = false;
    const AnyLocker* const locker =
        detail::find_locker(All{}, load(state.lock_id), load(state.lock_fingerprint), versioned);
    const auto unknown = [&](const char* kind, Word id) {
        throw Error(errc::unknown_policy,
                    "object \"" + name + "\" has " + kind + " " + to_string(PolicyId{id}) +
                        ", which this program does not know",
                    path);
    };
    if (locker == nullptr) unknown("lock", load(state.lock_id));
    const DomainCore domain(pool.attachment(), index, *locker);
    domain.check_block();
    const auto object = find_object(domain, name);
    if (!object) throw Error(errc::no_such_object, "has no object \"" + name + "\"", path);
    const DirectoryEntry& entry = *object->entry;
    if (load(entry.type_id) != static_cast<Word>(hash_table_type))
        throw Error(errc::other_type,
                    "object \"" + name + "\" has type " + to_string(PolicyId{load(entry.type_id)}) + ", expected " +
                        to_string(hash_table_type),
                    path);
    constexpr auto tables = registry::hash_tables_of(
        hana::concat(registry::allocators,
                     registry::detail::only<registry::detail::IsAllocator>(Policies<Mine...>{})),
        hana::concat(registry::locks, registry::detail::with_optimistic(
                                          registry::detail::only<registry::detail::IsLock>(Policies<Mine...>{}))),
        hana::concat(registry::hashes, registry::detail::only<registry::detail::IsHash>(Policies<Mine...>{})));
    bool found = false;
    hana::for_each(tables, [&](auto type) {
        using Table = typename decltype(type)::type;
        if (found ||
            !detail::is_policy<typename Table::allocator_policy>(load(state.allocator_id),
                                                                 load(state.allocator_fingerprint)) ||
            !detail::is_policy<typename Table::lock_policy>(load(state.lock_id), load(state.lock_fingerprint)) ||
            !detail::is_policy<typename Table::hash_policy>(load(entry.hash_id), load(entry.hash_fingerprint)))
            return;
        found = true;
        Table table(pool, name);
        f(table);
    });
    if (found) return;
    bool known = false;
    detail::with_allocator(All{}, load(state.allocator_id), load(state.allocator_fingerprint),
                           [&]<class A>() { known = true; });
    if (!known) unknown("allocator", load(state.allocator_id));
    unknown("hash", load(entry.hash_id));
}

} // namespace ss::inline v0
