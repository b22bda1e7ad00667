// A lock policy of your own: what it needs is below, and docs/concepts.md has the table.
//
// A lock policy says how to wait. That a transaction is all or nothing is none of its business: whoever gets the lock
// next, by whatever policy, finds the journal and undoes what was half done.
#include <ss/ss.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace {

/// One word: 0, or the token of the session that holds the lock. Who finds it taken naps, for 20 us first and twice as
/// long each time, up to 2 ms, and looks after each nap whether the owner is still alive. Nobody spins and nobody is
/// woken, so a crowd of waiters costs next to nothing.
///
/// When not to use it: where a wait has to be short. ss::FutexLock wakes who waits; here the nap is slept to its end.
struct NapLock {
    /// What lies in the pool. All zeros is unlocked.
    struct State {
        std::atomic<std::uint32_t> owner;
    };

    // Recorded in the pool: it will not be opened with another lock, nor with another layout of this one.
    static constexpr ss::PolicyId id = ss::policy_id("nap");
    static constexpr std::uint64_t fingerprint = ss::fingerprint(1, sizeof(State));

    static ss::LockResult try_acquire(State& state, const ss::Session& session) noexcept {
        ss::Token nobody = 0;
        const bool ours = state.owner.compare_exchange_strong(nobody, session.token(), std::memory_order_acquire);
        return ours ? ss::LockResult::acquired : ss::LockResult::busy;
    }

    static ss::LockResult acquire_until(State& state, const ss::Session& session, ss::Deadline deadline) {
        using std::chrono::nanoseconds;
        constexpr nanoseconds shortest = std::chrono::microseconds(20);
        constexpr nanoseconds longest = std::chrono::milliseconds(2);
        for (nanoseconds nap = shortest;; nap = std::min(nap * 2, longest)) {
            if (try_acquire(state, session) == ss::LockResult::acquired) return ss::LockResult::acquired;
            // A lock is taken from the dead alone, however long the living hold it. No two sessions ever have the same
            // token, so this cannot take it from somebody who came by in the meantime.
            ss::Token owner = state.owner.load(std::memory_order_relaxed);
            if (session.is_dead(owner) &&
                state.owner.compare_exchange_strong(owner, session.token(), std::memory_order_acquire))
                return ss::LockResult::owner_died;
            const auto left = deadline - std::chrono::steady_clock::now();
            if (left <= nanoseconds::zero()) return ss::LockResult::busy;
            std::this_thread::sleep_for(std::min<nanoseconds>(nap, left));
        }
    }

    static ss::LockResult acquire(State& state, const ss::Session& session) {
        return acquire_until(state, session, ss::Deadline::max());
    }

    static void release(State& state, const ss::Session&) noexcept {
        state.owner.store(0, std::memory_order_release);
    }

    static ss::Token owner(const State& state) noexcept { return state.owner.load(std::memory_order_acquire); }
};

static_assert(ss::LockPolicy<NapLock>);

/// HashTable with it. ss::Optimistic<NapLock> would do as well: then readers do not lock at all.
using Table = ss::HashTable<>::with<NapLock>;

constexpr int rounds = 20'000;

void count(Table& table) {
    for (int i = 0; i < rounds; ++i) table.incr("rounds", 1);
}

/// Dies with the lock in its hand, and a change made but not committed.
void die_in_the_middle(Table& table) {
    ss::transaction(table, [&](auto& tx) {
        table.incr(tx, "rounds", 1'000'000);
        std::raise(SIGKILL);
    });
}

template <class F>
pid_t in_a_child(F body) {
    const pid_t child = fork();
    if (child < 0) std::perror("fork"), std::exit(1);
    if (child > 0) return child;
    body();
    std::_Exit(0);
}

/// What the pool says to somebody who comes with another lock.
bool refuses_other_locks(const ss::Pool& pool) {
    try {
        const ss::HashTable<> table(pool, "table");
        return false;
    } catch (const ss::Error& error) {
        std::printf("with another lock:  %s\n", error.what());
        return error.code() == ss::errc::other_policies;
    }
}

} // namespace

int main() {
    const ss::Pool pool = ss::Pool::memfd("naps");
    Table table(pool, "table");
    const pid_t worker = in_a_child([&] { count(table); });
    const pid_t victim = in_a_child([&] { die_in_the_middle(table); });
    count(table);
    waitpid(worker, nullptr, 0);
    waitpid(victim, nullptr, 0);

    const auto counted = table.find_as<std::int64_t>("rounds").value_or(0); // takes over, should nobody have yet
    const auto recoveries = table.stats().domain.recoveries;
    std::printf("rounds:             %lld of %d\n", static_cast<long long>(counted), 2 * rounds);
    std::printf("deaths recovered:   %llu of 1\n", static_cast<unsigned long long>(recoveries));

    // Pool's own calls know the policies of ss; a Catalogue adds yours.
    const auto problems = pool.verify<ss::Catalogue<NapLock>>();
    for (const auto& problem : problems) std::printf("wrong:              %s\n", problem.c_str());

    const bool refuses = refuses_other_locks(pool);
    return counted == 2 * rounds && recoveries == 1 && problems.empty() && refuses ? 0 : 1;
}
