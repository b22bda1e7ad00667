// Locks on single bytes of a file: how the kernel tells us who is alive.
//
// Open-file-description locks (fcntl(2), F_OFD_SETLK) belong to an open(), not to a process or a pid: they hold across
// PID, time and mount namespaces, are not lost when some other descriptor of the file is closed, and the kernel drops
// them when the last reference to that open() is gone, after the last instruction of its last process. A lock does not
// conflict with its own description: ask through another one.
#pragma once

#include <ss/os/futex.hpp>
#include <ss/os/kernel.hpp>

#include <chrono>
#include <cstdint>

#include <fcntl.h>

namespace ss::inline v0::os {

enum class ByteLock : short { shared = F_RDLCK, exclusive = F_WRLCK, none = F_UNLCK };

/// Takes or drops the lock on byte `at` at once. Returns 0, EAGAIN (somebody else holds it), or another errno.
[[nodiscard]] inline int try_lock_byte(int descriptor, std::uint64_t at, ByteLock kind) noexcept {
    struct flock range = {};
    range.l_type = static_cast<short>(kind);
    range.l_whence = SEEK_SET;
    range.l_start = static_cast<off_t>(at);
    range.l_len = 1;
    const int result = retry_interrupted(Call::lock, [&] { return ::fcntl(descriptor, F_OFD_SETLK, &range); });
    if (result == 0) return 0;
    return errno == EACCES ? EAGAIN : errno;
}

/// As try_lock_byte, but tries again until `deadline`: polling, since the blocking form cannot be given a time.
[[nodiscard]] inline int lock_byte_until(int descriptor, std::uint64_t at, ByteLock kind,
                                         std::chrono::steady_clock::time_point deadline) noexcept {
    auto pause = std::chrono::microseconds(20);
    for (;;) {
        const int error = try_lock_byte(descriptor, at, kind);
        if (error != EAGAIN || std::chrono::steady_clock::now() >= deadline) return error;
        sleep_for(pause);
        if (pause < std::chrono::microseconds(2000)) pause *= 2;
    }
}

/// What another description holds somewhere in a range of bytes.
enum class ByteState {
    free,    ///< nobody else holds what would keep us from an exclusive lock
    held,    ///< somebody does
    unknown, ///< the kernel would not say
};

/// Asks whether any byte of [at, at + count) is locked by a description other than `descriptor`'s: 0.6 us.
[[nodiscard]] inline ByteState probe_bytes(int descriptor, std::uint64_t at, std::uint64_t count = 1) noexcept {
    struct flock range = {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    range.l_start = static_cast<off_t>(at);
    range.l_len = static_cast<off_t>(count);
    if (retry_interrupted(Call::lock, [&] { return ::fcntl(descriptor, F_OFD_GETLK, &range); }) != 0)
        return ByteState::unknown;
    return range.l_type == F_UNLCK ? ByteState::free : ByteState::held;
}

} // namespace ss::inline v0::os
