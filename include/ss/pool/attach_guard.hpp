// One at a time: the attach byte of a pool.
#pragma once

#include <ss/base/deadline.hpp>
#include <ss/base/error.hpp>
#include <ss/os/file.hpp>
#include <ss/os/file_lock.hpp>
#include <ss/os/fork_bracket.hpp>
#include <ss/os/futex.hpp>
#include <ss/pool/layout.hpp>
#include <ss/pool/pool_file.hpp>

#include <cerrno>
#include <chrono>
#include <optional>

namespace ss::inline v0 {

/// Holds the attach byte of a pool: nobody attaches, detaches, trims or claims a domain meanwhile, and no fork() of
/// this process is under way. The kernel drops the byte if we die.
class AttachGuard {
public:
    /// Readers share the byte. It is polled, since the kernel's own wait cannot be given a time; the pauses grow with the
    /// time that has passed, so that a crowd does not keep the one who is at it from the processor. Forks go on meanwhile.
    /// Throws attach_timeout, or what the kernel refuses.
    AttachGuard(const PoolFile& file, os::ByteLock kind, Deadline deadline) {
        std::chrono::nanoseconds pause = std::chrono::microseconds(20);
        while (!try_take(file, kind)) {
            do {
                if (std::chrono::steady_clock::now() >= deadline)
                    throw Error(errc::attach_timeout, "somebody has been attaching for too long", file.name());
                os::sleep_for(pause);
                if (pause < std::chrono::milliseconds(10)) pause *= 2;
            } while (os::probe_bytes(file.get(), LockBytes::attach, 1, kind) == os::ByteState::held);
        }
    }

    AttachGuard(const AttachGuard&) = delete;
    AttachGuard& operator=(const AttachGuard&) = delete;

private:
    [[nodiscard]] bool try_take(const PoolFile& file, os::ByteLock kind) {
        bracket_.emplace();
        // A description of its own: a child shares ours, and would pass our own lock.
        description_ = file.open_again(kind == os::ByteLock::shared ? O_RDONLY : O_RDWR);
        const int error = os::try_lock_byte(description_.descriptor(), LockBytes::attach, kind);
        if (error == 0) return true;
        description_.reset();
        bracket_.reset();
        if (error != EAGAIN) os::throw_errno(error, "lock a byte of the pool", file.name());
        return false;
    }

    std::optional<os::ForkBracket> bracket_; // before the description, so that no child inherits that
    os::File description_;
};

} // namespace ss::inline v0
