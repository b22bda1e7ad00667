// A domain with its policies: locked, transactional, recovered when locked.
#pragma once

#include <ss/domain/claim.hpp>
#include <ss/domain/directory.hpp>
#include <ss/domain/domain_core.hpp>
#include <ss/domain/guard.hpp>
#include <ss/domain/heap_view.hpp>
#include <ss/domain/optimistic_read.hpp>
#include <ss/domain/transaction.hpp>
#include <ss/os/machine.hpp>
#include <ss/pool/pool.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace ss::inline v0 {

/// The unit of locking, of failure and of memory. Structures hold one each; several on the same domain of the same Pool
/// object share its lock's owner, so a thread that holds it is known to all of them.
template <class A, class L>
class Domain {
    static_assert(AllocatorPolicy<A>,
                  "the first policy is not an allocator policy: see docs/concepts.md for what to write");
    static_assert(LockPolicy<L>, "the second policy is not a lock policy: see docs/concepts.md for what to write");
    static_assert(
        !is_striped<L>,
        "Striped<L> is a lock policy of HashTable alone: a PrefixTree, Queue, PriorityQueue, AtomicVector or Root "
        "lives in one domain, so write L");

public:
    static constexpr bool versioned = is_optimistic<L>;
    using Tx = Transaction<A, versioned>;
    using UserTx = UserTransaction<A, versioned>;
    using Guard = DomainGuard<StaticLocker<L>>;

    /// Opens domain `index`, and claims it for these policies if nobody has. Throws other_policies; read_only if a
    /// profile whose readers lock is asked for on a read-only pool; no_such_object if that is empty yet.
    Domain(const Pool& pool, std::uint64_t index) : core_(pool.attachment(), index, any_locker<L>) {
        Attachment& attachment = core_.attachment();
        attachment.enter();
        if (!versioned && attachment.is_read_only())
            throw Error(errc::read_only,
                        "is open read-only, and readers of lock " + to_string(L::id) +
                            " take the lock: use an Optimistic one",
                        attachment.name());
        if (!core_.is_claimed()) {
            if (attachment.is_read_only())
                throw Error(errc::no_such_object, "domain " + std::to_string(index) + " has no objects yet",
                            attachment.name());
            detail::claim<A, L>(core_);
        }
        detail::check_policies(core_, A::id, A::fingerprint, L::id, L::fingerprint);
        core_.check_block();
    }

    [[nodiscard]] const DomainCore& core() const noexcept { return core_; }
    [[nodiscard]] const Region& region() const noexcept { return core_.region(); }

    /// f(Tx&) as one transaction under the lock, and then what the structures in it want done. Returns what f returns.
    /// If f throws, nothing has happened. If it runs out of space, garbage is freed, some at a time, and f runs again
    /// until it finds room or there is none left: so f is the library's own, and does not mind.
    template <class F>
    auto run(F f) -> std::invoke_result_t<F&, Tx&> {
        Guard guard(core_);
        for (;;) {
            Tx tx(core_, guard.stamp());
            try {
                return conclude(guard, tx, f, tx);
            } catch (const Error& error) {
                if (!guard.is_ours()) throw;
                tx.rollback();
                if (!is_full(error) || !reclaim(tx)) rethrow(error);
            } catch (...) {
                if (guard.is_ours()) tx.rollback();
                throw;
            }
        }
    }

    /// f(UserTx&) as one transaction under the lock: a user's own, which runs once.
    template <class F>
    auto transact(F& f) -> std::invoke_result_t<F&, UserTx&> {
        Guard guard(core_);
        Tx tx(core_, guard.stamp());
        UserTx user(tx);
        try {
            return conclude(guard, tx, f, user);
        } catch (const Error& error) {
            if (!guard.is_ours()) throw;
            tx.rollback();
            while (is_full(error) && reclaim(tx)) {} // so that it may work the next time
            rethrow(error);
        } catch (...) {
            if (guard.is_ours()) tx.rollback();
            throw;
        }
    }

    /// f(Tx&) as a part of somebody's transaction: if it throws, and the user catches that, it has not happened. Throws
    /// other_domain, forked.
    template <class UserTransactionType, class F>
    auto join(UserTransactionType& user, F f) -> std::invoke_result_t<F&, Tx&> {
        auto& any = user.inner();
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(any)>, Tx>) {
            Tx& tx = any;
            if (&tx.block() == &core_.block()) {
                const auto point = tx.savepoint();
                try {
                    return f(tx);
                } catch (...) {
                    if (core_.attachment().is_current(tx.stamp())) tx.undo_to(point);
                    throw;
                }
            }
        }
        throw_other_domain(user.domain());
    }

    /// f(Tx&) as a transaction of its own while this thread holds the lock and no transaction is under way.
    template <class F>
    auto step(F f) -> std::invoke_result_t<F&, Tx&> {
        Tx tx(core_, core_.attachment().enter());
        try {
            if constexpr (std::is_void_v<std::invoke_result_t<F&, Tx&>>) {
                f(tx);
                tx.commit();
            } else {
                auto result = f(tx);
                tx.commit();
                return result;
            }
        } catch (...) {
            tx.rollback();
            throw;
        }
    }

    /// f() under the lock, with nothing to undo. After f returns or throws in a forked child, errc::forked is thrown.
    template <class F>
    auto locked(F f) const {
        Guard guard(core_);
        if constexpr (std::is_void_v<std::invoke_result_t<F&>>) {
            f();
            check_ours(guard);
        } else {
            auto result = f();
            check_ours(guard);
            return result;
        }
    }

    /// attempt(reading) until it returns true: see optimistic_read.hpp. With the lock in profiles that are not optimistic.
    template <class F>
    void read(F attempt) const {
        if constexpr (versioned)
            read_optimistically(core_, StaticLocker<L>{}, attempt);
        else
            read_locked(core_, StaticLocker<L>{}, attempt);
    }

    /// f() under the lock; on a read-only pool without it, where f is right only while nobody writes.
    template <class F>
    void read_settled(F f) const {
        if (core_.attachment().is_read_only()) {
            core_.attachment().enter();
            f();
        } else {
            read_locked(core_, StaticLocker<L>{}, [&](auto) {
                f();
                return true;
            });
        }
    }

    /// Throws other_domain or forked unless `user` is a transaction of this domain.
    template <class UserTransactionType>
    void check_joined(const UserTransactionType& user) const {
        if (&user.inner().block() != &core_.block()) throw_other_domain(user.domain());
    }

    /// Finds the object of that name, or makes it: make(tx, entry) fills the roots of a new one. `upkeep` is of its kind.
    /// Throws other_type, other_policies, name_too_long, invalid_argument (an empty name), no_such_object (read-only
    /// pools).
    template <class F>
    [[nodiscard]] ObjectRef open_object(std::string_view name, const ObjectType& type, bool seeded, F make,
                                        const Upkeep::Functions* upkeep = nullptr) {
        if (name.size() > max_name_size)
            throw Error(errc::name_too_long,
                        "an object's name has " + std::to_string(name.size()) + " bytes, expected at most " +
                            std::to_string(max_name_size),
                        core_.attachment().name());
        if (name.empty()) throw Error(errc::invalid_argument, "an object's name is empty", core_.attachment().name());
        for (;;) {
            const ObjectRef found = find_or_make(name, type, seeded, make, upkeep);
            bool stands = false; // false: removed meanwhile, and its entry may be another object's by now
            detail::read_directory(core_, [&] {
                stands = load(found.entry->generation) == found.generation;
                if (stands) check_object(core_, name, *found.entry, type);
            });
            if (stands) return found;
        }
    }

    /// Of one moment; under the lock, since what allocators count by walking has no version. On a read-only pool again and
    /// again until it fits together.
    [[nodiscard]] DomainStats stats() const {
        DomainStats stats;
        for (int attempt = 0;; ++attempt) {
            try {
                read_settled([&] { stats = stats_as_they_are(); });
                return stats;
            } catch (const Error& error) {
                if (!core_.attachment().is_read_only() || error.code() != errc::damaged || attempt == 1000)
                    rethrow(error);
            }
        }
    }

private:
    [[nodiscard]] DomainStats stats_as_they_are() const {
        const DomainBlock& block = core_.block();
        DomainStats stats;
        stats.entries = load(block.objects);
        stats.bytes_committed = region().size();
        const auto& allocator = *reinterpret_cast<const typename A::State*>(block.allocator.data());
        stats.bytes_allocated = A::bytes_allocated(allocator);
        stats.bytes_free = A::bytes_free(allocator, detail::HeapView(core_));
        stats.garbage_bytes = load(block.garbage.bytes);
        stats.journal_high_water = load(block.journal_high_water);
        stats.recoveries = load(block.recoveries);
        return stats;
    }

    [[nodiscard]] static bool is_full(const Error& error) noexcept {
        return error.code() == errc::out_of_space || error.code() == errc::past_max_size;
    }

    template <class F>
    [[nodiscard]] ObjectRef find_or_make(std::string_view name, const ObjectType& type, bool seeded, F& make,
                                         const Upkeep::Functions* upkeep) {
        if (const auto found = find_object(core_, name)) return *found;
        if (core_.attachment().is_read_only())
            throw Error(errc::no_such_object, "has no object \"" + std::string(name) + "\"",
                        core_.attachment().name());
        std::array<Word, 2> seed{};
        if (seeded) os::random_words(seed);
        return run([&](Tx& tx) {
            if (upkeep != nullptr) tx.remember(*upkeep, {});
            if (const auto theirs = find_object(core_, name)) return *theirs;
            DirectoryEntry& entry = enter_object(tx, name, type, seed);
            make(tx, entry);
            return ObjectRef{.entry = &entry, .generation = load(entry.generation)};
        });
    }

    /// What is caught, with the pool's path if it has none: allocators, keys and values know nothing of paths. A user's
    /// own class of exception stays what it is.
    [[noreturn, gnu::cold]] void rethrow(const Error& error) const {
        if (!error.path().empty() || typeid(error) != typeid(Error)) throw;
        throw error.at(core_.attachment().name());
    }

    [[noreturn, gnu::cold]] void throw_other_domain(std::uint64_t theirs) const {
        throw Error(errc::other_domain,
                    "the structure lives in domain " + std::to_string(core_.index()) +
                        ", the transaction in domain " + std::to_string(theirs) + " or in another pool",
                    core_.attachment().name());
    }

    void check_ours(const Guard& guard) const {
        if (!guard.is_ours())
            throw Error(errc::forked, "a callback forked, and this is the child: the lock is the parent's",
                        core_.attachment().name());
    }

    template <class F, class Argument>
    auto conclude(Guard& guard, Tx& tx, F& f, Argument& argument) {
        if constexpr (std::is_void_v<std::invoke_result_t<F&, Argument&>>) {
            f(argument);
            finish(guard, tx);
        } else {
            auto result = f(argument);
            finish(guard, tx);
            return result;
        }
    }

    void finish(Guard& guard, Tx& tx) {
        check_ours(guard);
        tx.commit();
        guard.wake_after(tx.wakes());
        tx.for_each_upkeep([this](const Upkeep& upkeep) {
            try {
                upkeep.functions->run(this, upkeep);
            } catch (const std::exception&) {
                // The operation has happened. A full disk is met again when it stands in somebody's way.
            }
        });
    }

    /// Frees some garbage of the structures in `tx`; true if there was any.
    [[nodiscard]] bool reclaim(const Tx& tx) {
        bool any = false;
        tx.for_each_upkeep([&](const Upkeep& upkeep) { any |= upkeep.functions->reclaim(this, upkeep); });
        return any;
    }

    DomainCore core_;
};

/// Changes several structures of one domain as one: `transaction(t, [&](auto& tx) { t.insert(tx, k, v); u.erase(tx, k); })`.
///
/// All of it happens or nothing, under a kill and under a throw, and optimistic readers see none of it before. Runs in
/// t's domain; returns what f returns; f runs once. Operations with `tx` see the changes before them. One that throws
/// and is caught within f has not happened, and f may go on. Throws what f throws; other_domain for a structure that
/// lives elsewhere; would_deadlock for the forms without `tx` that write; transaction_too_large at the operation that
/// does not fit (journal_capacity words, touched_capacity buckets, free_capacity blocks).
template <class Structure, class F>
auto transaction(Structure& t, F&& f) {
    auto domain = t.domain(); // a copy: f may destroy the handle
    return domain.transact(f);
}

} // namespace ss::inline v0
