// All policies as Boost.Hana lists, and the structures that are made of them: the product, and the few profiles that have each
// policy once. Opt-in: needs Boost's headers. Tests, benchmarks and tools are made of it.
#pragma once

#include <ss/ss.hpp>

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
#include <type_traits>

namespace ss::inline v0 {

namespace registry {

namespace hana = boost::hana;

/// Every policy that comes with ss, as `hana::type`s.
inline constexpr auto allocators = hana::tuple_t<SimpleAllocator, LogarithmicAllocator, SegregatedAllocator>;
inline constexpr auto bare_locks = hana::tuple_t<NullLock, SpinLock, FutexLock, RobustMutex>;
inline constexpr auto hashes = hana::tuple_t<Fnv1a64, Wyhash, SipHash13>;
inline constexpr auto comparisons = hana::tuple_t<ByBytes>;

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
template <class P>
struct IsCompare : std::bool_constant<ComparePolicy<P>> {};

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

/// The Striped form of each lock.
inline constexpr auto striped = [](auto locks_list) {
    return hana::transform(locks_list,
                           [](auto lock) { return hana::type_c<Striped<typename decltype(lock)::type>>; });
};

/// A function of `hana::type`s; no lambda, which clang 14 cannot read back from a precompiled header.
template <template <class...> class List>
struct Listing {
    template <class... Types>
    std::type_identity<List<typename Types::type...>> operator()(Types...) const;
};

} // namespace detail

/// A list of types for typed tests: `List<A, B>` from a tuple of `hana::type`s.
template <template <class...> class List, class Types>
using AsList = typename decltype(hana::unpack(Types{}, detail::Listing<List>{}))::type;

namespace detail {

/// A list that costs the compiler next to nothing: a product of vectors has hundreds of types.
template <class... Ts>
struct Types {
    static constexpr auto tuple() { return hana::tuple_t<Ts...>; }
};

template <class... Lists>
struct Join {
    using type = Types<>;
};
template <class... Ts>
struct Join<Types<Ts...>> {
    using type = Types<Ts...>;
};
template <class... Ts, class... Us, class... Rest>
struct Join<Types<Ts...>, Types<Us...>, Rest...> : Join<Types<Ts..., Us...>, Rest...> {};

/// What the structure is of, and its policies: an element is none.
template <template <class...> class Structure, class... Ps>
inline constexpr bool fits = compatible<Ps...>;
template <class T, class... Ps>
inline constexpr bool fits<AtomicVector, T, Ps...> = compatible<Ps...>;

/// Structure<P...> with each compatible choice of one P from each list, behind those that are chosen.
template <template <class...> class Structure, class Chosen, class... Lists>
struct Product;
template <template <class...> class Structure, class... Ps>
struct Product<Structure, Types<Ps...>> {
    static constexpr auto form() {
        if constexpr (fits<Structure, Ps...>)
            return Types<Structure<Ps...>>{};
        else
            return Types<>{};
    }
    using type = decltype(form());
};
template <template <class...> class Structure, class... Ps, class... Qs, class... Rest>
struct Product<Structure, Types<Ps...>, Types<Qs...>, Rest...> {
    using type = typename Join<typename Product<Structure, Types<Ps..., Qs>, Rest...>::type...>::type;
};

/// The same of tuples of `hana::type`s.
template <template <class...> class Structure, class... Lists>
using ProductOf = typename Product<Structure, Types<>, AsList<Types, Lists>...>::type;

} // namespace detail

inline constexpr auto locks = detail::with_optimistic(bare_locks);

/// HashTable with every compatible triple of three lists of policies, as `hana::type`s.
template <class Allocators, class Locks, class Hashes>
constexpr auto hash_tables_of(Allocators, Locks, Hashes) {
    return detail::ProductOf<HashTable, Allocators, Locks, Hashes>::tuple();
}

/// HashTable with everything: the product.
inline constexpr auto hash_tables = hash_tables_of(allocators, locks, hashes);

/// HashTable in as few profiles as have every policy once: the allocators, the hashes, and the locks, of which two are
/// Optimistic, one shared and one for a single session. What is compiled for each of the few is compiled five times, not 72.
inline constexpr auto few_hash_tables = hana::tuple_t<HashTable<>, HashTable<SimpleAllocator, NullLock, Fnv1a64>,
                                                      HashTable<LogarithmicAllocator, SpinLock, SipHash13>,
                                                      HashTable<SimpleAllocator, RobustMutex, SipHash13>,
                                                      HashTable<LogarithmicAllocator, Optimistic<NullLock>, Fnv1a64>>;

/// Striped tables in a few profiles: readers with and without the lock, both alone and shared.
inline constexpr auto few_striped_tables =
    hana::tuple_t<HashTable<DefaultAllocator, Striped<DefaultLock>, DefaultHash>,
                  HashTable<LogarithmicAllocator, Striped<SpinLock>, SipHash13>,
                  HashTable<SimpleAllocator, Striped<Optimistic<NullLock>>, Fnv1a64>>;

/// A structure of an allocator and a lock with every compatible pair of two lists of policies, as `hana::type`s.
template <template <class, class> class Structure, class Allocators, class Locks>
constexpr auto structures_of(Allocators, Locks) {
    return detail::ProductOf<Structure, Allocators, Locks>::tuple();
}

/// PrefixTree with everything: the product.
inline constexpr auto prefix_trees = structures_of<PrefixTree>(allocators, locks);

/// Such a structure in as few profiles as have every policy once, chosen as those of few_hash_tables are.
template <template <class, class> class Structure>
inline constexpr auto few_of =
    hana::tuple_t<Structure<DefaultAllocator, DefaultLock>, Structure<SimpleAllocator, NullLock>,
                  Structure<LogarithmicAllocator, SpinLock>, Structure<SimpleAllocator, RobustMutex>,
                  Structure<LogarithmicAllocator, Optimistic<NullLock>>>;

inline constexpr auto few_prefix_trees = few_of<PrefixTree>;

/// Queue with everything, and in few profiles.
inline constexpr auto queues = structures_of<Queue>(allocators, locks);
inline constexpr auto few_queues = few_of<Queue>;

/// What an AtomicVector may be of. (A `long long` is another type than std::int64_t, of the same kind.)
inline constexpr auto vector_elements =
    hana::tuple_t<std::int64_t, std::uint64_t, std::int32_t, std::uint32_t, std::int16_t, std::uint16_t, std::int8_t,
                  std::uint8_t, double, float>;

/// AtomicVector with every compatible triple of lists of elements, and of two lists of policies, as `hana::type`s.
template <class Elements, class Allocators, class Locks>
constexpr auto atomic_vectors_of(Elements, Allocators, Locks) {
    return detail::ProductOf<AtomicVector, Elements, Allocators, Locks>::tuple();
}

/// AtomicVector with every element and every policy once.
inline constexpr auto few_atomic_vectors =
    hana::tuple_t<AtomicVector<std::int64_t>, AtomicVector<std::uint64_t, SimpleAllocator, NullLock>,
                  AtomicVector<std::int32_t, LogarithmicAllocator, SpinLock>,
                  AtomicVector<std::uint32_t, SimpleAllocator, RobustMutex>,
                  AtomicVector<std::int16_t, LogarithmicAllocator, Optimistic<NullLock>>, AtomicVector<std::uint16_t>,
                  AtomicVector<std::int8_t, SimpleAllocator, NullLock>,
                  AtomicVector<std::uint8_t, LogarithmicAllocator, SpinLock>,
                  AtomicVector<double, SimpleAllocator, RobustMutex>,
                  AtomicVector<float, LogarithmicAllocator, Optimistic<NullLock>>>;

/// PriorityQueue with every compatible triple of three lists of policies, as `hana::type`s.
template <class Allocators, class Locks, class Comparisons>
constexpr auto priority_queues_of(Allocators, Locks, Comparisons) {
    return detail::ProductOf<PriorityQueue, Allocators, Locks, Comparisons>::tuple();
}

/// PriorityQueue with everything: the product.
inline constexpr auto priority_queues = priority_queues_of(allocators, locks, comparisons);

/// PriorityQueue in as few profiles as have every policy once.
inline constexpr auto few_priority_queues =
    hana::tuple_t<PriorityQueue<>, PriorityQueue<SimpleAllocator, NullLock>,
                  PriorityQueue<LogarithmicAllocator, SpinLock>, PriorityQueue<SimpleAllocator, RobustMutex>,
                  PriorityQueue<LogarithmicAllocator, Optimistic<NullLock>>>;

/// "SEGREG FUTEX+o WYHASH4", "SEGREG FUTEX+o": the profile of a structure, as the pool records it.
template <class Structure>
[[nodiscard]] std::string profile_name() {
    std::string name = to_string(Structure::allocator_policy::id) + " " + to_string(Structure::lock_policy::id);
    if constexpr (requires { typename Structure::hash_policy; }) name += " " + to_string(Structure::hash_policy::id);
    if constexpr (requires { typename Structure::compare_policy; })
        name += " " + to_string(Structure::compare_policy::id);
    return name;
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

} // namespace ss::inline v0
