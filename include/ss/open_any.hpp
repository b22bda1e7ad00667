// Opening an object as what the pool says that it is. Opt-in: needs Boost's headers.
//
//     the pool's record: lock, allocator, hash …  ──find──>  its place in a list of all profiles' records
//                                                                │ the same place
//                                             f(structure)  <──  a list of functions that open
#pragma once

#include <ss/profiles.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

namespace ss::inline v0 {

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
template <class A, class L, class H>
inline constexpr RecordedProfile profile_of<HashTable<A, Striped<L>, H>> = profile_of<HashTable<A, L, H>>;
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
        if (is(hash_table_type) || is(striped_table_type) || is(priority_queue_type)) {
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
    else if (opener.is(striped_table_type))
        opener.open(ProductOf<HashTable, Allocators, decltype(striped(Locks{})), Hashes>{}, f);
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
