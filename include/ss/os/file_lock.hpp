// Locks on single bytes of a file: how the kernel tells us who is alive.
//
// Open-file-description locks (fcntl(2), F_OFD_SETLK) belong to an open(), not to a process or a pid: they hold across
// PID, time and mount namespaces, are not lost when some other descriptor of the file is closed, and the kernel drops
// them when the last reference to that open() is gone, after the last instruction of its last process. A lock does not
// conflict with its own description: ask through another one.
#pragma once

#include <ss/os/kernel.hpp>

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

/// Whether somebody else holds a lock somewhere in a range of bytes.
enum class ByteState {
    free,    ///< nobody does
    held,    ///< somebody does
    unknown, ///< the kernel would not say: errno tells why
};

/// Asks whether a description other than `descriptor`'s holds what would keep us from locking [at, at + count): 0.6 us.
[[nodiscard]] inline ByteState probe_bytes(int descriptor, std::uint64_t at, std::uint64_t count = 1,
                                           ByteLock kind = ByteLock::exclusive) noexcept {
    struct flock range = {};
    range.l_type = static_cast<short>(kind);
    range.l_whence = SEEK_SET;
    range.l_start = static_cast<off_t>(at);
    range.l_len = static_cast<off_t>(count);
    if (retry_interrupted(Call::lock, [&] { return ::fcntl(descriptor, F_OFD_GETLK, &range); }) != 0)
        return ByteState::unknown;
    return range.l_type == F_UNLCK ? ByteState::free : ByteState::held;
}

} // namespace ss::inline v0::os
