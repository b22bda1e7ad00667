// The policies and structures that are known here, and what can be done to a pool whatever is in it.
//
// A pool records policies by id and fingerprint. A Catalogue finds the code that belongs to them: it locks a domain by
// pointers (AnyLocker), and picks the allocator and the hash out of its lists. Pool's own calls use BuiltIns.
#pragma once

#include <ss/alloc/logarithmic_allocator.hpp>
#include <ss/alloc/segregated_allocator.hpp>
#include <ss/alloc/simple_allocator.hpp>
#include <ss/compare/by_bytes.hpp>
#include <ss/domain/backup.hpp>
#include <ss/domain/census.hpp>
#include <ss/domain/directory.hpp>
#include <ss/domain/transaction.hpp>
#include <ss/hash/fnv1a64.hpp>
#include <ss/hash/siphash13.hpp>
#include <ss/hash/wyhash.hpp>
#include <ss/lock/futex_lock.hpp>
#include <ss/lock/null_lock.hpp>
#include <ss/lock/optimistic.hpp>
#include <ss/lock/robust_mutex.hpp>
#include <ss/lock/spin_lock.hpp>
#include <ss/pool/pool.hpp>
#include <ss/structure/atomic_vector.hpp>
#include <ss/structure/hash_table.hpp>
#include <ss/structure/kinds.hpp>
#include <ss/structure/prefix_tree.hpp>
#include <ss/structure/priority_queue.hpp>
#include <ss/structure/queue.hpp>
#include <ss/structure/striped_table.hpp>
#include <ss/structure/striped_table/survey.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace ss::inline v0 {

/// A list of policies of any kind.
template <class... Ps>
struct Policies {};

template <class... Ps>
inline constexpr Policies<Ps...> policies{};

namespace detail {

/// True if the pool's record is of policy P.
template <class P>
[[nodiscard]] bool is_policy(Word id, Word fingerprint) noexcept {
    return id == static_cast<Word>(P::id) && fingerprint == P::fingerprint;
}

/// f.operator()<P>() for the first allocator policy of the list that the record names; false if none does.
template <class... Ps, class F>
bool with_allocator(Policies<Ps...>, Word id, Word fingerprint, F f) {
    const auto attempt = [&]<class P>() {
        if constexpr (AllocatorPolicy<P>)
            if (is_policy<P>(id, fingerprint)) return f.template operator()<P>(), true;
        return false;
    };
    return (attempt.template operator()<Ps>() || ...);
}

/// The code of the lock policy that the record names; null if none of the list is it. Lists name bare locks; their
/// Optimistic forms are found, too.
template <class... Ps>
[[nodiscard]] const AnyLocker* find_locker(Policies<Ps...>, Word id, Word fingerprint, bool& versioned) {
    const AnyLocker* found = nullptr;
    const auto attempt = [&]<class P>() {
        if constexpr (LockPolicy<P>) {
            if (is_policy<P>(id, fingerprint)) {
                found = &any_locker<P>;
                versioned = is_optimistic<P>;
            }
            if constexpr (!is_optimistic<P>)
                if (is_policy<Optimistic<P>>(id, fingerprint)) {
                    found = &any_locker<Optimistic<P>>;
                    versioned = true;
                }
        }
    };
    (attempt.template operator()<Ps>(), ...);
    return found;
}

/// The code of the object's own policy: what it hashes by, or compares by.
template <class... Ps>
[[nodiscard]] ObjectCode find_code(Policies<Ps...>, const DirectoryEntry& entry) {
    ObjectCode found;
    const auto attempt = [&]<class P>() {
        if constexpr (HashPolicy<P>)
            if (is_policy<P>(load(entry.hash_id), load(entry.hash_fingerprint))) found.hash = &P::hash;
        if constexpr (ComparePolicy<P>)
            if (is_policy<P>(load(entry.hash_id), load(entry.hash_fingerprint))) found.less = &P::less;
    };
    (attempt.template operator()<Ps>(), ...);
    return found;
}

} // namespace detail

/// What comes with ss, and `Mine...`: policies of yours, for pools that were made with them.
/// `pool.verify<ss::Catalogue<MyLock>>()`.
template <class... Mine>
struct Catalogue {
    using All = Policies<SimpleAllocator, LogarithmicAllocator, SegregatedAllocator, NullLock, SpinLock, FutexLock,
                         RobustMutex, Fnv1a64, Wyhash, SipHash13, ByBytes, Mine...>;

    /// See Pool::objects.
    [[nodiscard]] static std::vector<ObjectInfo> objects(const Pool& pool) {
        std::vector<ObjectInfo> infos;
        detail::StripeSurvey stripes(pool.domains());
        for_each_domain(pool, [&](const DomainCore& domain, bool) {
            for (const auto& [name, object] : list_objects(domain)) {
                if (detail::HashTableKind::is_stripe(*object.entry)) {
                    stripes.note(name, domain.index(), *object.entry, bytes_of(domain.region(), *object.entry));
                    if (domain_of(name, pool.domains()) != domain.index()) continue;
                }
                infos.push_back({.name = name,
                                 .type = to_string(PolicyId{load(object.entry->type_id)}),
                                 .domain = domain.index(),
                                 .allocator = to_string(PolicyId{load(domain.state().allocator_id)}),
                                 .lock = to_string(PolicyId{load(domain.state().lock_id)}),
                                 .hash = to_string(PolicyId{load(object.entry->hash_id)}),
                                 .bytes = bytes_of(domain.region(), *object.entry)});
            }
        });
        for (ObjectInfo& info : infos)
            if (const auto bytes = stripes.bytes_of(info.name)) info.bytes = *bytes;
        return infos;
    }

    /// See Pool::remove_object.
    static bool remove_object(const Pool& pool, const std::string& name) {
        const std::uint64_t index = domain_of(name, pool.domains());
        if (!is_claimed(pool, index)) {
            if (pool.attachment()->is_read_only())
                throw Error(errc::read_only, "is open read-only", pool.attachment()->name());
            return false;
        }
        bool versioned = false;
        DomainCore home = open_domain(pool, index, versioned);
        bool had_stripes = true; // what a table of that name may have left, if there is nothing now
        const auto always = [&](const ObjectRef& object) {
            had_stripes = detail::HashTableKind::is_stripe(*object.entry);
            return true;
        };
        bool removed = remove_from(home, versioned, name, always);
        if (had_stripes) removed |= remove_stripes(pool, home, name);
        return removed;
    }

    /// See Pool::verify.
    [[nodiscard]] static std::vector<std::string> verify(const Pool& pool) {
        std::vector<std::string> problems;
        detail::StripeSurvey stripes(pool.domains());
        for (std::uint64_t index = 0; index < pool.domains(); ++index) {
            if (!is_claimed(pool, index)) continue;
            Census census;
            try {
                bool versioned = false;
                const DomainCore domain = open_domain(pool, index, versioned);
                if (pool.attachment()->is_read_only()) {
                    verify_domain(domain, census, stripes);
                } else {
                    const DomainGuard<AnyLocker> guard(domain, domain.locker());
                    verify_domain(domain, census, stripes);
                }
            } catch (const Error& error) { census.complain(error.what()); }
            for (const std::string& problem : census.problems())
                problems.push_back("domain " + std::to_string(index) + ": " + problem);
        }
        stripes.complain(problems);
        return problems;
    }

    /// See Pool::trim.
    static std::uint64_t trim(const Pool& pool) {
        Attachment& attachment = *pool.attachment();
        attachment.enter();
        std::uint64_t given_back = 0;
        for_each_domain(pool, [&](const DomainCore& shared, bool versioned) {
            DomainCore domain = shared;
            with_transactions(domain, versioned, [&](auto& begin) {
                DomainGuard<AnyLocker> guard(domain, domain.locker());
                const AttachGuard alone = attachment.exclude_attachers();
                // `shared` and `domain` hold one reference each, the caller's handle is the third.
                if (pool.attachment().use_count() > 3 || !attachment.session().is_alone(true))
                    throw Error(errc::in_use,
                                "is in use: trim needs every other Pool object and structure to be gone",
                                attachment.name());
                begin(guard, [](auto& tx) { return detail::reap_garbage(tx); });
                std::uint64_t end = 0;
                begin(guard, [&]<class Tx>(Tx& tx) {
                    end = Tx::Allocator::trim(tx.allocator(), tx);
                    return false;
                });
                const std::uint64_t before = domain.region().size();
                attachment.shrink(domain.index(), end - domain.region().begin());
                given_back += before - domain.region().size();
            });
        });
        return given_back;
    }

    /// See Pool::backup.
    static void backup(const Pool& pool, const std::filesystem::path& path) {
        std::vector<DomainCore> domains;
        for_each_domain(pool, [&](const DomainCore& domain, bool) { domains.push_back(domain); });
        std::vector<std::unique_ptr<DomainGuard<AnyLocker>>> guards;
        for (const DomainCore& domain : domains)
            guards.push_back(std::make_unique<DomainGuard<AnyLocker>>(domain, domain.locker()));
        std::vector<std::uint64_t> locked;
        for (const DomainCore& domain : domains) locked.push_back(domain.index());
        detail::write_backup(*pool.attachment(), locked, path);
    }

private:
    /// Removes the object of that name from a domain if which(object) says so, under the lock. False if there is none.
    template <class Which>
    static bool remove_from(DomainCore& domain, bool versioned, const std::string& name, Which which) {
        bool removed = false;
        with_transactions(domain, versioned, [&](auto& begin) {
            DomainGuard<AnyLocker> guard(domain, domain.locker());
            const auto object = find_object(domain, name);
            if (!object || !which(*object)) return;
            begin(guard, [&](auto& tx) {
                const bool known =
                    detail::AllKinds::with(*object->entry, [&]<class Kind>() { Kind::discard(tx, *object); });
                if (!known)
                    throw Error(errc::unknown_policy,
                                "object \"" + name + "\" is of type " +
                                    to_string(PolicyId{load(object->entry->type_id)}) +
                                    ", which this program does not know how to free",
                                domain.attachment().name());
                tx.signal_all();
                leave_object(tx, *object->entry);
                return false;
            });
            removed = true;
        });
        return removed;
    }

    /// Removes what a striped table, whose home stripe is gone, has in the other domains. Of domains with policies that are
    /// unknown here it has none, or the home stripe would have had them.
    static bool remove_stripes(const Pool& pool, const DomainCore& home, const std::string& name) {
        bool removed = false;
        for (std::uint64_t index = 0; index < pool.domains(); ++index) {
            const DomainState& state = pool.attachment()->domain_state(index);
            bool versioned = false;
            if (index == home.index() || !is_claimed(pool, index) ||
                detail::find_locker(All{}, load(state.lock_id), load(state.lock_fingerprint), versioned) == nullptr)
                continue;
            DomainCore domain = open_domain(pool, index, versioned);
            const auto stripe = detail::find_stripe(domain, name);
            if (!stripe || !stripe->is_stripe || !detail::is_left_over(home, name, *stripe)) continue;
            removed |= remove_from(domain, versioned, name, [&](const ObjectRef& object) {
                return object.entry == stripe->object.entry && object.generation == stripe->object.generation;
            });
        }
        return removed;
    }

    [[nodiscard]] static bool is_claimed(const Pool& pool, std::uint64_t index) {
        pool.attachment()->enter();
        return load_acquire(pool.attachment()->domain_state(index).claimed) == 1;
    }

    /// Throws unknown_policy, naming it, damaged.
    [[nodiscard]] static DomainCore open_domain(const Pool& pool, std::uint64_t index, bool& versioned) {
        const DomainState& state = pool.attachment()->domain_state(index);
        const AnyLocker* const locker =
            detail::find_locker(All{}, load(state.lock_id), load(state.lock_fingerprint), versioned);
        if (locker == nullptr) throw_unknown(pool, index, "lock", load(state.lock_id));
        DomainCore domain(pool.attachment(), index, *locker);
        domain.check_block();
        return domain;
    }

    /// f(domain, versioned) for each domain that has anything.
    template <class F>
    static void for_each_domain(const Pool& pool, F f) {
        for (std::uint64_t index = 0; index < pool.domains(); ++index) {
            if (!is_claimed(pool, index)) continue;
            bool versioned = false;
            f(open_domain(pool, index, versioned), versioned);
        }
    }

    /// f(begin), where begin(guard, g) runs g(tx) in transactions of the domain's allocator, while g returns true.
    template <class F>
    static void with_transactions(DomainCore& domain, bool versioned, F f) {
        const auto with = [&]<class A, bool Versioned>() {
            const auto begin = [&](DomainGuard<AnyLocker>& guard, auto g) {
                for (bool more = true; more;) {
                    Transaction<A, Versioned> tx(domain, guard.stamp());
                    try {
                        more = g(tx);
                        tx.commit();
                        guard.wake_after(tx.wakes());
                    } catch (...) {
                        tx.rollback();
                        throw;
                    }
                }
            };
            f(begin);
        };
        const Word id = load(domain.state().allocator_id);
        const bool known =
            detail::with_allocator(All{}, id, load(domain.state().allocator_fingerprint), [&]<class A>() {
                if (versioned)
                    with.template operator()<A, true>();
                else
                    with.template operator()<A, false>();
            });
        if (!known) throw_unknown(domain.attachment(), domain.index(), "allocator", id);
    }

    [[nodiscard]] static std::uint64_t bytes_of(const Region& region, const DirectoryEntry& entry) {
        std::uint64_t bytes = 0;
        detail::AllKinds::with(entry, [&]<class Kind>() { bytes = Kind::bytes(region, entry); });
        return bytes;
    }

    static void verify_domain(const DomainCore& domain, Census& census, detail::StripeSurvey& stripes) {
        const Word id = load(domain.state().allocator_id);
        const bool known = detail::with_allocator(All{}, id, load(domain.state().allocator_fingerprint),
                                                  [&]<class A>() { verify_heap<A>(domain, census, stripes); });
        if (!known) throw_unknown(domain.attachment(), domain.index(), "allocator", id);
    }

    template <class A>
    static void verify_heap(const DomainCore& domain, Census& census, detail::StripeSurvey& stripes) {
        bool complete = true;
        std::uint64_t live = 0;
        detail::find_entry(domain, [&](const DirectoryEntry& entry) {
            if (!detail::is_live(entry)) return false;
            ++live;
            const std::string name = detail::entry_name(entry);
            complete &= verify_object<A>(domain, entry, name, census);
            const bool is_stripe = detail::HashTableKind::is_stripe(entry);
            if (is_stripe) stripes.note(name, domain.index(), entry, 0);
            if (load(entry.name_size) - 1 >= max_name_size ||
                (!is_stripe && domain_of(name, domain.attachment().header().domains) != domain.index()))
                census.complain("the name \"" + name + "\" cannot be one of this domain");
            return false;
        });
        if (live != load(domain.block().objects))
            census.complain("the directory has " + std::to_string(live) + " objects and counts " +
                            std::to_string(load(domain.block().objects)));
        const std::uint64_t garbage = census.bytes<A>(
            domain, [&] { detail::AllKinds::for_each([&]<class Kind>() { Kind::count_garbage(domain, census); }); });
        if (garbage != load(domain.block().garbage.bytes))
            census.complain("the garbage lists hold " + std::to_string(garbage) + " bytes and count " +
                            std::to_string(load(domain.block().garbage.bytes)));
        for (const Word& version : domain.block().versions)
            if ((load(version) & 1) != 0) census.complain("a node's version is odd, and nobody holds the lock");
        for (const Signal& signal : domain.block().signals)
            if ((load(signal.version) & 1) != 0) census.complain("a signal is odd, and nobody holds the lock");
        count_directory(domain, census);
        census.settle<A>(domain, complete);
    }

    /// False if it is of a kind that is not known here, so that its blocks were not counted.
    template <class A>
    static bool verify_object(const DomainCore& domain, const DirectoryEntry& entry, const std::string& name,
                              Census& census) {
        bool complete = false;
        detail::AllKinds::with(entry, [&]<class Kind>() {
            complete = Kind::verify(domain, entry, name, detail::find_code(All{}, entry), census);
            if (complete)
                settle_object<A>(domain, entry, std::string(Kind::noun) + " \"" + name + "\"", census,
                                 [&] { Kind::count(domain, entry, census); });
        });
        return complete;
    }

    /// count() counts the object's blocks, which are held against what it says itself.
    template <class A, class F>
    static void settle_object(const DomainCore& domain, const DirectoryEntry& entry, const std::string& what,
                              Census& census, F count) {
        const std::uint64_t counted = census.bytes<A>(domain, [&] {
            try {
                count();
            } catch (const Error& error) { census.complain(what + " cannot be counted: " + error.what()); }
        });
        if (counted != bytes_of(domain.region(), entry))
            census.complain(what + " has blocks of " + std::to_string(counted) + " bytes and counts " +
                            std::to_string(bytes_of(domain.region(), entry)));
    }

    static void count_directory(const DomainCore& domain, Census& census) {
        std::uint64_t left = domain.region().size() / sizeof(DirectoryPage) + 1;
        for (Offset<DirectoryPage> page{load(domain.block().directory.next)}; page; --left) {
            if (left == 0) domain.region().refuse(page.value);
            const std::uint64_t block = load(domain.region().at(page).block);
            census.use(block, page.value - block + sizeof(DirectoryPage));
            page.value = load(domain.region().at(page).next);
        }
    }

    [[noreturn]] static void throw_unknown(const Pool& pool, std::uint64_t index, const char* kind, Word id) {
        throw_unknown(*pool.attachment(), index, kind, id);
    }
    [[noreturn]] static void throw_unknown(const Attachment& attachment, std::uint64_t index, const char* kind,
                                           Word id) {
        throw Error(errc::unknown_policy,
                    "domain " + std::to_string(index) + " has " + kind + " " + to_string(PolicyId{id}) +
                        ", which this program does not know; a Catalogue can name it",
                    attachment.name());
    }
};

struct BuiltIns : Catalogue<> {};

} // namespace ss::inline v0
