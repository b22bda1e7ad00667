// All policies as Boost.Hana lists, their product, and opening an object by what the pool says of it. Opt-in: needs
// Boost's headers. Tests, benchmarks and tools are made of it.
#pragma once

#include <ss/ss.hpp>

#include <boost/hana/concat.hpp>
#include <boost/hana/filter.hpp>
#include <boost/hana/for_each.hpp>
#include <boost/hana/transform.hpp>
#include <boost/hana/tuple.hpp>
#include <boost/hana/type.hpp>
#include <boost/hana/unpack.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
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

} // namespace detail

/// A list of types for typed tests: `List<A, B>` from a tuple of `hana::type`s.
template <template <class...> class List, class Types>
using AsList = typename decltype(hana::unpack(
    Types{}, [](auto... types) { return hana::type_c<List<typename decltype(types)::type...>>; }))::type;

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

namespace detail {

/// What a pool records of an object, beside its kind: the domain's policies, and what is the object's own.
struct RecordedProfile {
    Word allocator;
    Word allocator_fingerprint;
    Word lock;
    Word lock_fingerprint;
    Word own;             ///< hash or comparison; 0 for structures that have none
    Word own_fingerprint; ///< of that, or of a vector's elements

    bool operator==(const RecordedProfile&) const = default;
};

template <class A, class L>
[[nodiscard]] constexpr RecordedProfile recorded_profile(PolicyId own, std::uint64_t own_fingerprint) noexcept {
    return {static_cast<Word>(A::id), A::fingerprint,         static_cast<Word>(L::id),
            L::fingerprint,           static_cast<Word>(own), own_fingerprint};
}

template <class Structure>
inline constexpr RecordedProfile profile_of{};
template <class A, class L, class H>
inline constexpr RecordedProfile profile_of<HashTable<A, L, H>> = recorded_profile<A, L>(H::id, H::fingerprint);
template <class A, class L>
inline constexpr RecordedProfile profile_of<PrefixTree<A, L>> = recorded_profile<A, L>({}, 0);
template <class A, class L>
inline constexpr RecordedProfile profile_of<Queue<A, L>> = recorded_profile<A, L>({}, 0);
template <class A, class L, class C>
inline constexpr RecordedProfile profile_of<PriorityQueue<A, L, C>> = recorded_profile<A, L>(C::id, C::fingerprint);
template <class T, class A, class L>
inline constexpr RecordedProfile
    profile_of<AtomicVector<T, A, L>> = recorded_profile<A, L>({}, atomic_vector_fingerprint<T>);

/// Finds out what an object is, so that it can be opened as that.
template <class... Mine>
class AnyOpener {
    using All = typename Catalogue<Mine...>::All;

public:
    /// Throws no_such_object; unknown_policy for a lock that is not known here.
    AnyOpener(const Pool& pool, const std::string& name)
        : pool_(&pool), name_(&name), index_(domain_of(name, pool.domains())) {
        pool.attachment()->enter();
        state_ = &pool.attachment()->domain_state(index_);
        if (load_acquire(state_->claimed) != 1) throw_missing();
        bool versioned = false;
        const AnyLocker* const locker =
            find_locker(All{}, load(state_->lock_id), load(state_->lock_fingerprint), versioned);
        if (locker == nullptr) throw_unknown("lock", load(state_->lock_id));
        const DomainCore domain(pool.attachment(), index_, *locker);
        domain.check_block();
        const auto object = find_object(domain, name);
        if (!object) throw_missing();
        entry_ = object->entry;
    }

    [[nodiscard]] bool is(PolicyId type) const noexcept { return load(entry_->type_id) == static_cast<Word>(type); }

    /// Calls f(structure) with the one of these types that has the recorded policies. Of those that f does not take, no
    /// code is made. `own_policy` is what messages call that which is not of the domain. Throws other_type if f takes none
    /// such; unknown_policy, naming it.
    template <class... Structures, class F>
    void open(registry::detail::Types<Structures...>, F& f, const char* own_policy = "hash") const {
        static constexpr std::array<RecordedProfile, sizeof...(Structures)> profiles = {profile_of<Structures>...};
        static constexpr std::array<Opening<F>, sizeof...(Structures)> openings = {opening<Structures, F>()...};
        const auto found = std::find(profiles.begin(), profiles.end(), profile());
        if (found != profiles.end()) return openings[static_cast<std::size_t>(found - profiles.begin())](*this, f);
        bool known = false;
        with_allocator(All{}, load(state_->allocator_id), load(state_->allocator_fingerprint),
                       [&]<class A>() { known = true; });
        if (!known) throw_unknown("allocator", load(state_->allocator_id));
        throw_unknown(own_policy, load(entry_->hash_id));
    }

    [[noreturn]] void throw_not_taken() const {
        throw Error(errc::other_type,
                    "object \"" + *name_ + "\" has type " + to_string(PolicyId{load(entry_->type_id)}) +
                        ", which is not what it is to be opened as",
                    path());
    }

private:
    template <class F>
    using Opening = void (*)(const AnyOpener&, F&);

    template <class Structure, class F>
    [[nodiscard]] static constexpr Opening<F> opening() noexcept {
        if constexpr (std::is_invocable_v<F&, Structure&>)
            return [](const AnyOpener& self, F& f) {
                Structure structure(*self.pool_, *self.name_);
                f(structure);
            };
        else
            return &refuse<F>;
    }

    template <class F>
    static void refuse(const AnyOpener& self, F&) {
        self.throw_not_taken();
    }

    [[nodiscard]] RecordedProfile profile() const noexcept {
        RecordedProfile profile = {.allocator = load(state_->allocator_id),
                                   .allocator_fingerprint = load(state_->allocator_fingerprint),
                                   .lock = load(state_->lock_id),
                                   .lock_fingerprint = load(state_->lock_fingerprint),
                                   .own = 0,
                                   .own_fingerprint = 0};
        if (is(hash_table_type) || is(priority_queue_type)) {
            profile.own = load(entry_->hash_id);
            profile.own_fingerprint = load(entry_->hash_fingerprint);
        } else if (is(atomic_vector_type)) {
            profile.own_fingerprint = load(entry_->type_fingerprint);
        }
        return profile;
    }

    [[nodiscard]] const std::string& path() const { return pool_->attachment()->name(); }

    [[noreturn]] void throw_missing() const {
        throw Error(errc::no_such_object, "has no object \"" + *name_ + "\"", path());
    }
    [[noreturn]] void throw_unknown(const char* kind, Word id) const {
        throw Error(errc::unknown_policy,
                    "object \"" + *name_ + "\" has " + kind + " " + to_string(PolicyId{id}) +
                        ", which this program does not know",
                    path());
    }

    const Pool* pool_;
    const std::string* name_;
    std::uint64_t index_;
    const DomainState* state_ = nullptr;
    const DirectoryEntry* entry_ = nullptr;
};

} // namespace detail

/// Opens the object called `name` as what the pool says it is, and calls f(structure) with it. f is a generic lambda,
/// made for every profile of the built-in policies and `Mine...` of each structure that it takes:
/// `[](auto& structure)` for all of them, `[]<class A, class L, class H>(ss::HashTable<A, L, H>& table)` for one kind.
/// (Vectors are ten for each profile, so whoever has nothing to do with them compiles faster without.)
///
/// Throws no_such_object; unknown_policy, naming what is unknown here; other_type for an object that f does not take, or
/// that is no structure of ss; and what opening a structure throws.
template <class... Mine, class F>
void open_any(const Pool& pool, const std::string& name, Policies<Mine...>, F f) {
    namespace hana = boost::hana;
    using namespace registry::detail;
    using Own = Policies<Mine...>;
    using Allocators = decltype(hana::concat(registry::allocators, only<IsAllocator>(Own{})));
    using Locks = decltype(hana::concat(registry::locks, with_optimistic(only<IsLock>(Own{}))));
    using Hashes = decltype(hana::concat(registry::hashes, only<IsHash>(Own{})));
    using Comparisons = decltype(hana::concat(registry::comparisons, only<IsCompare>(Own{})));
    using Elements = std::remove_const_t<decltype(registry::vector_elements)>;
    const detail::AnyOpener<Mine...> opener(pool, name);
    if (opener.is(hash_table_type))
        opener.open(ProductOf<HashTable, Allocators, Locks, Hashes>{}, f);
    else if (opener.is(prefix_tree_type))
        opener.open(ProductOf<PrefixTree, Allocators, Locks>{}, f);
    else if (opener.is(queue_type))
        opener.open(ProductOf<Queue, Allocators, Locks>{}, f);
    else if (opener.is(atomic_vector_type))
        opener.open(ProductOf<AtomicVector, Elements, Allocators, Locks>{}, f);
    else if (opener.is(priority_queue_type))
        opener.open(ProductOf<PriorityQueue, Allocators, Locks, Comparisons>{}, f, "comparison");
    else
        opener.throw_not_taken();
}

} // namespace ss::inline v0
