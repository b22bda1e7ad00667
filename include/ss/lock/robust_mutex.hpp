// The C library's robust mutex.
#pragma once

#include <ss/base/word.hpp>
#include <ss/lock/concept.hpp>

#include <string>
#include <time.h>

#include <errno.h>
#include <pthread.h>

namespace ss::inline v0 {

/// PTHREAD_PROCESS_SHARED and PTHREAD_MUTEX_ROBUST (pthread_mutexattr_setrobust(3)): the kernel itself marks the mutex
/// when its owner dies, before it tears the process down, so a death is noticed within a tenth of a millisecond however
/// large the process was; and unlike the token locks it notices a thread that ends while its process goes on. Beside it
/// lies the owner's token, by which readers without the lock ask whether it lives. Never PTHREAD_PRIO_INHERIT, with
/// which a waiter in another PID namespace aborts.
///
/// The kernel knows owners by thread ids, and those of two PID namespaces collide: a living owner would then count as
/// dead. So the mutex belongs to the namespace in which the era began, and to one C library; others get
/// errc::other_namespace or errc::other_policies.
///
/// When not to use it: between containers, with peers that may write nonsense into the pool (the C library follows
/// pointers that lie beside the mutex), or for speed: it costs about three times what FutexLock does.
struct RobustMutex {
    struct State {
        pthread_mutex_t mutex;
        std::atomic<std::uint32_t> token;
        std::uint32_t reserved;
        std::uint64_t pid_namespace;
    };

#if defined(__GLIBC__)
    static constexpr std::uint64_t c_library = 1;
#else
    static constexpr std::uint64_t c_library = 2;
#endif
    static constexpr PolicyId id = policy_id("ROBUST");
    static constexpr std::uint64_t fingerprint =
        ss::fingerprint(1, sizeof(State), sizeof(pthread_mutex_t), c_library, slot_bits, generation_bits);

    static void initialize(State& state, const Session& session) {
        pthread_mutexattr_t attributes;
        pthread_mutexattr_init(&attributes);
        pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
        pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
        const int error = pthread_mutex_init(&state.mutex, &attributes);
        pthread_mutexattr_destroy(&attributes);
        if (error != 0)
            throw Error(errc::system, "cannot make a robust mutex: error " + std::to_string(error), session.path());
        state.token.store(0, std::memory_order_relaxed);
        state.pid_namespace = session.pid_namespace();
    }

    [[nodiscard]] static LockResult try_acquire(State& state, const Session& session) {
        check_namespace(state, session);
        return conclude(pthread_mutex_trylock(&state.mutex), state, session);
    }

    [[nodiscard]] static LockResult acquire_until(State& state, const Session& session, Deadline deadline) {
        LockResult result = try_acquire(state, session);
        // In slices, for a wake can be lost with a process that was killed between its turn and its lock.
        while (result == LockResult::busy && std::chrono::steady_clock::now() < deadline)
            result = conclude(lock_for(state.mutex, std::chrono::milliseconds(10)), state, session);
        return result;
    }

    [[nodiscard]] static LockResult acquire(State& state, const Session& session) {
        return acquire_until(state, session, Deadline::max());
    }

    static void release(State& state, const Session&) noexcept {
        state.token.store(0, std::memory_order_release);
        pthread_mutex_unlock(&state.mutex);
    }

    [[nodiscard]] static Token owner(const State& state) noexcept {
        return state.token.load(std::memory_order_acquire);
    }

private:
    static void check_namespace(const State& state, const Session& session) {
        if (state.pid_namespace == session.pid_namespace() && state.pid_namespace != 0) [[likely]]
            return;
        throw Error(errc::other_namespace,
                    "a robust mutex of PID namespace " + std::to_string(state.pid_namespace) + ", we are in " +
                        std::to_string(session.pid_namespace()) +
                        " (0 is unknown): the thread ids of one mean nothing in another",
                    session.path());
    }

    [[nodiscard]] static int lock_for(pthread_mutex_t& mutex, std::chrono::nanoseconds slice) noexcept {
#if defined(__GLIBC__)
        constexpr bool has_clocklock = !thread_sanitizer; // which does not know that call
#else
        constexpr bool has_clocklock = false;
#endif
        timespec until = {};
        clock_gettime(has_clocklock ? CLOCK_MONOTONIC : CLOCK_REALTIME, &until);
        until.tv_nsec += slice.count();
        if (until.tv_nsec >= 1'000'000'000) {
            until.tv_nsec -= 1'000'000'000;
            ++until.tv_sec;
        }
#if defined(__GLIBC__)
        if constexpr (has_clocklock) return pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &until);
#endif
        return pthread_mutex_timedlock(&mutex, &until);
    }

    [[nodiscard]] static LockResult conclude(int error, State& state, const Session& session) {
        if (error == EBUSY || error == ETIMEDOUT) return LockResult::busy;
        if (error != 0 && error != EOWNERDEAD)
            throw Error(errc::system, "cannot lock a robust mutex: error " + std::to_string(error), session.path());
        // Consistent at once: what there is to undo is written in the journal, not in the mutex.
        if (error == EOWNERDEAD) pthread_mutex_consistent(&state.mutex);
        state.token.store(session.token(), std::memory_order_release);
        return error == 0 ? LockResult::acquired : LockResult::owner_died;
    }
};

} // namespace ss::inline v0
