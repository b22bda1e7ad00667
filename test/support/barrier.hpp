// Memory that a test shares with its children, and a barrier that they all meet at.
//
// Anonymous and shared, so it must be made before the fork. It is the tests' own: nothing of the library under test.
#pragma once

#include "support/sanitizer.hpp"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include <sys/mman.h>
#include <system_error>
#include <unistd.h>

namespace ss::test {

/// One T in memory that parent and children share. T is made of atomics; its destructor does not run.
template <class T>
class Shared {
public:
    template <class... Arguments>
    explicit Shared(Arguments&&... arguments) {
        void* memory = ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
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

/// A number that all add to.
using Counter = std::atomic<std::uint64_t>;

/// Calls `done` until it is true; throws std::runtime_error with `what` after `seconds` (more under a sanitizer).
template <class Done>
void wait_until(Done&& done, const char* what, int seconds = 30) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds * slowness);
    while (!done()) {
        if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error(std::string("timed out: ") + what);
        ::usleep(200);
    }
}

/// A barrier for `parties` processes or threads, again and again. Make it before the fork.
class Barrier {
public:
    explicit Barrier(unsigned parties) : parties_(parties) {}

    /// Returns once all have come. Throws std::runtime_error if they do not within 30 seconds, so that one that was
    /// killed on its way does not hang the others.
    void arrive_and_wait() const {
        const std::uint64_t phase = arrived_->fetch_add(1) / parties_;
        wait_until([&] { return arrived_->load() / parties_ > phase; }, "somebody never came to the barrier");
    }

    /// Comes without waiting: for the one who is about to be killed.
    void arrive() const { arrived_->fetch_add(1); }

private:
    unsigned parties_;
    Shared<Counter> arrived_{0U};
};

} // namespace ss::test
