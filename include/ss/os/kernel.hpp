// The seam between ss and the kernel: every system call that can refuse passes `permit` first, so that a test can
// refuse the n-th one in any way the kernel could. Costs one load beside a system call.
#pragma once

#include <ss/base/error.hpp>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

namespace ss::inline v0::os {

/// The system calls that ss makes and the kernel can refuse.
enum class Call {
    open,
    stat,
    link,
    unlink,
    rename,
    chmod,
    fallocate,
    truncate,
    read,
    write,
    sync,
    map,
    advise,
    lock,
    memfd,
    random,
};

/// Null in production. A test sets it: called before each call, it returns 0 to let the kernel answer, or the errno
/// that the kernel is to have answered.
inline std::atomic<int (*)(Call)> refuse{nullptr};

/// True if the call may go to the kernel; otherwise errno is set.
[[nodiscard]] inline bool permit(Call call) noexcept {
    auto* const hook = refuse.load(std::memory_order_relaxed);
    if (hook == nullptr) [[likely]]
        return true;
    const int error = hook(call);
    if (error != 0) errno = error;
    return error == 0;
}

/// Repeats an interrupted call. `call` returns -1 and sets errno on failure, as system calls do.
template <class F>
[[nodiscard]] auto retry_interrupted(Call kind, F call) noexcept -> decltype(call()) {
    for (;;) {
        if (!permit(kind)) {
            if (errno == EINTR) continue;
            return -1;
        }
        const auto result = call();
        if (result != -1 || errno != EINTR) return result;
    }
}

/// What an errno means to our callers.
[[nodiscard]] inline errc classify(int error) noexcept {
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return errc::no_such_file;
    case EEXIST:
        return errc::already_exists;
    case EACCES:
    case EPERM:
    case ELOOP:
        return errc::permission;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return errc::out_of_space;
    case EROFS:
        return errc::read_only;
    case EOPNOTSUPP:
    case ENODEV:
        return errc::filesystem;
    default:
        return errc::system;
    }
}

/// Throws the Error that `error` (an errno) stands for. `doing` completes the sentence "cannot …".
[[noreturn, gnu::cold, gnu::noinline]] inline void throw_errno(int error, std::string_view doing,
                                                               const std::string& path = {}) {
    throw Error(classify(error), "cannot " + std::string(doing) + ": " + std::strerror(error), path);
}

} // namespace ss::inline v0::os
