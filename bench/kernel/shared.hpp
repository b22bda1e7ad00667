// Memory that forked workers share, and the barrier they meet at. It is the benchmark's own and nobody's library, so
// that workers of every contestant meet in the same way.
#pragma once

#include <climits>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <new>
#include <utility>

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>

namespace bench {

/// One T in memory that parent and children share; made before the fork. Its destructor does not run.
template <class T>
class Shared {
public:
    template <class... Arguments>
    explicit Shared(Arguments&&... arguments) {
        void* const memory = ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
        object_ = new (memory) T(std::forward<Arguments>(arguments)...);
    }

    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;

    ~Shared() { ::munmap(static_cast<void*>(object_), sizeof(T)); }

    T& operator*() const noexcept { return *object_; }
    T* operator->() const noexcept { return object_; }

private:
    T* object_ = nullptr;
};

/// A barrier for processes or threads, again and again; lies in Shared memory. Who waits sleeps: on a machine with as
/// many cores as workers, one that spins would take a core from those who are measured.
class Barrier {
public:
    explicit Barrier(std::uint32_t parties) noexcept : parties_(parties) {}

    void arrive_and_wait() noexcept {
        const std::uint32_t phase = phase_.load(std::memory_order_acquire);
        if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == parties_) {
            arrived_.store(0, std::memory_order_relaxed);
            phase_.store(phase + 1, std::memory_order_release);
            futex(FUTEX_WAKE, INT_MAX);
            return;
        }
        while (phase_.load(std::memory_order_acquire) == phase) futex(FUTEX_WAIT, phase);
    }

private:
    void futex(int operation, std::uint32_t value) noexcept {
        ::syscall(SYS_futex, &phase_, operation, value, nullptr, nullptr, 0);
    }

    std::uint32_t parties_;
    std::atomic<std::uint32_t> arrived_ = 0;
    std::atomic<std::uint32_t> phase_ = 0;
};

static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

} // namespace bench
