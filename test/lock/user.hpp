// A user of a lock: a session and the lock of a pool's first domain, by the calls that a domain makes.
#pragma once

#include <ss/lock/locker.hpp>
#include <ss/pool/pool.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

namespace ss::test {

using namespace std::chrono_literals;

[[nodiscard]] inline std::string text(LockResult result) {
    switch (result) {
    case LockResult::acquired:
        return "acquired";
    case LockResult::owner_died:
        return "owner_died";
    case LockResult::busy:
        return "busy";
    }
    return "none of the three results";
}

/// To be made anew in each process: it is the process's session. Threads may share one.
template <LockPolicy L>
class LockUser {
public:
    explicit LockUser(const std::filesystem::path& path)
        : LockUser(Pool(path, PoolOptions{.max_size = 16 * mebi, .lock_timeout = 20s})) {}

    explicit LockUser(Pool pool) : pool_(std::move(pool)) { attach(); }

    /// After a fork.
    void attach() {
        pool_.attachment()->enter();
        StaticLocker<L>::prepare(*pool_.attachment(), slot());
    }

    [[nodiscard]] LockResult try_acquire() { return note(StaticLocker<L>::try_acquire(slot(), session())); }
    [[nodiscard]] LockResult acquire() { return note(L::acquire(state(), session())); }
    [[nodiscard]] LockResult acquire_until(Deadline deadline) {
        return note(StaticLocker<L>::acquire_until(slot(), session(), deadline));
    }
    [[nodiscard]] LockResult acquire_within(std::chrono::milliseconds duration) {
        return acquire_until(std::chrono::steady_clock::now() + duration);
    }
    void release() {
        holder().store(0, std::memory_order_relaxed);
        StaticLocker<L>::release(slot(), session());
    }
    [[nodiscard]] Token owner() { return StaticLocker<L>::owner(slot()); }
    [[nodiscard]] Token token() { return session().token(); }

    [[nodiscard]] const Pool& pool() const { return pool_; }
    [[nodiscard]] const Session& session() { return pool_.attachment()->session(); }
    [[nodiscard]] LockSlot& slot() { return pool_.attachment()->lock_slot(0); }
    [[nodiscard]] typename L::State& state() { return *reinterpret_cast<typename L::State*>(slot().state.data()); }

private:
    /// The thread that has the lock, as the attachment wants to know it: who ends with a lock in hand leaves it mapped.
    [[nodiscard]] std::atomic<std::uint64_t>& holder() { return pool_.attachment()->owner(0); }

    LockResult note(LockResult result) {
        if (result != LockResult::busy) holder().store(this_thread(), std::memory_order_relaxed);
        return result;
    }

    Pool pool_;
};

} // namespace ss::test
