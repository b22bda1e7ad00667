// No lock, for a pool that one session writes.
#pragma once

#include <ss/lock/concept.hpp>

namespace ss::inline v0 {

/// Remembers the one session that may write and refuses all others with errc::in_use until that has ended: it stays the
/// owner between operations too. Acquiring costs one load, releasing nothing.
///
/// When not to use it: with several processes that write, or several threads in this one, between which it keeps no
/// order whatever. `Optimistic<NullLock>` is one writing thread and any number of reading processes.
struct NullLock {
    struct State {
        std::atomic<std::uint32_t> owner;
    };

    /// Acquiring excludes other sessions, and not the other threads of this one.
    static constexpr bool single_session = true;
    static constexpr PolicyId id = policy_id("NULL");
    static constexpr std::uint64_t fingerprint = ss::fingerprint(1, sizeof(State), slot_bits, generation_bits);

    [[nodiscard]] static LockResult try_acquire(State& state, const Session& session) {
        if (state.owner.load(std::memory_order_relaxed) == session.token()) [[likely]]
            return LockResult::acquired;
        return claim(state, session);
    }

    [[nodiscard]] static LockResult acquire_until(State& state, const Session& session, Deadline) {
        return try_acquire(state, session);
    }

    [[nodiscard]] static LockResult acquire(State& state, const Session& session) {
        return try_acquire(state, session);
    }

    static void release(State&, const Session&) noexcept {}

    [[nodiscard]] static Token owner(const State& state) noexcept {
        return state.owner.load(std::memory_order_acquire);
    }

private:
    [[gnu::cold, gnu::noinline]] static LockResult claim(State& state, const Session& session) {
        std::uint32_t seen = state.owner.load(std::memory_order_acquire);
        while (seen == 0 || session.is_dead(seen))
            if (state.owner.compare_exchange_strong(seen, session.token(), std::memory_order_acq_rel))
                return seen == 0 ? LockResult::acquired : LockResult::owner_died;
        throw Error(errc::in_use,
                    session.describe(seen) + " has this domain to itself (NullLock), we are " +
                        session.describe(session.token()),
                    session.path());
    }
};

} // namespace ss::inline v0
