// What a lock policy is.
//
// A lock policy is a set of static functions over a `State` in the pool's volatile zone. The State is plain data; all
// zeros means unlocked and ready, unless the policy has an `initialize` that makes it so. Who holds a lock is a session
// (pool/session.hpp), and a lock is taken over only from a session that has certainly ended: never by time.
//
// That an owner died is told by the result. The taker need not believe it: whether there is something to undo is read
// from the journal, which also knows of owners that threw, or died while they recovered.
#pragma once

#include <ss/base/deadline.hpp>
#include <ss/base/policy.hpp>
#include <ss/pool/layout.hpp>
#include <ss/pool/session.hpp>

#include <concepts>
#include <cstdint>
#include <type_traits>

namespace ss::inline v0 {

enum class LockResult {
    acquired,   ///< ours
    owner_died, ///< ours, taken over from a session that ended while it held the lock
    busy,       ///< not ours: a living session holds it, or we did not look whether it lives
};

/// See docs/concepts.md for the table of these expressions and a minimal conforming class.
template <class L>
concept LockPolicy = std::is_standard_layout_v<typename L::State> && sizeof(typename L::State) <= lock_state_size &&
                     alignof(typename L::State) <= cache_line&& requires(typename L::State& state,
                                                                         const typename L::State& constant,
                                                                         const Session& session, Deadline deadline) {
    { L::id } -> std::convertible_to<PolicyId>;
    { L::fingerprint } -> std::convertible_to<std::uint64_t>;
    // Waits for as long as the owner lives. Never `busy`.
    { L::acquire(state, session) } -> std::same_as<LockResult>;
    // Tries once and asks nobody: `busy` may mean a dead owner.
    { L::try_acquire(state, session) } -> std::same_as<LockResult>;
    // Waits until `deadline`, and looks at least once whether the owner lives, even if that has passed.
    { L::acquire_until(state, session, deadline) } -> std::same_as<LockResult>;
    // By the thread that acquired it.
    L::release(state, session);
    // The token of the session that holds the lock, 0 if none does: for messages, and for readers without the lock.
    { L::owner(constant) } -> std::same_as<Token>;
};

/// True for policies whose readers take no lock: `Optimistic<L>`.
template <class L>
inline constexpr bool is_optimistic = requires {
    requires L::optimistic;
};

/// True for `Striped<L>`, which only a HashTable takes.
template <class L>
inline constexpr bool is_striped = requires {
    requires L::striped;
};

/// True for policies that stay with one session between operations, and do not keep its threads apart: a reader that took
/// such a lock would keep the writers out, or walk in on one.
template <class L>
inline constexpr bool is_single_session = requires {
    requires L::single_session;
};

/// True for policies whose State is not ready when it is all zeros. `initialize` runs under the attach byte, once in an
/// era; killed in the middle, it runs again.
template <class L>
inline constexpr bool needs_initialize = requires(typename L::State& state, const Session& session) {
    L::initialize(state, session);
};

} // namespace ss::inline v0
