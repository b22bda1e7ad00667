// A process that the kernel kills where it would wake another: behind its commit, and before anybody hears of it.
#pragma once

#include "support/skip.hpp"

#include <array>
#include <cstddef>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

namespace ss::test {

/// From now on, FUTEX_WAKE ends this process, all of it and at once, with SIGSYS. Skips where the kernel has no filters.
inline void die_when_waking() {
    const auto word = [](std::size_t offset) {
        return sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<__u32>(offset));
    };
    std::array<sock_filter, 7> program = {
        word(offsetof(seccomp_data, nr)),
        sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_futex, 0, 4),
        word(offsetof(seccomp_data, args) + sizeof(__u64)), // the lower half of the operation, where bytes go up
        sock_filter BPF_STMT(BPF_ALU | BPF_AND | BPF_K, static_cast<__u32>(FUTEX_CMD_MASK)),
        sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FUTEX_WAKE, 0, 1),
        sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog filter = {.len = static_cast<unsigned short>(program.size()), .filter = program.data()};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) != 0)
        skip("this kernel has no filters of system calls");
}

} // namespace ss::test
