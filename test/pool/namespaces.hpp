// Namespaces of our own, for those who may make them.
#pragma once

#include "support/skip.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

#include <sched.h>
#include <unistd.h>

namespace ss::test {

/// In a child: makes the namespaces that `flags` name (CLONE_NEW…), or skips. Who is not root gets a user namespace
/// beside them, in which he is. A PID namespace is for the children made from now on.
inline void enter_namespaces(int flags) {
    const uid_t user = ::geteuid();
    const gid_t group = ::getegid();
    if (::unshare(user == 0 ? flags : flags | CLONE_NEWUSER) != 0)
        skip(std::string("no namespaces to be had: ") + std::strerror(errno));
    if (user == 0) return;
    std::ofstream("/proc/self/setgroups") << "deny";
    std::ofstream("/proc/self/uid_map") << "0 " << user << " 1";
    std::ofstream("/proc/self/gid_map") << "0 " << group << " 1";
}

} // namespace ss::test
