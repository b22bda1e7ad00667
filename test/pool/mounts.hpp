// File systems of our own, in a mount namespace of our own, which go with the process.
#pragma once

#include "pool/namespaces.hpp"
#include "support/skip.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>

#include <sys/mount.h>

namespace ss::test {

/// In a child: makes a mount namespace, or skips.
inline void enter_mount_namespace() {
    enter_namespaces(CLONE_NEWNS);
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        skip(std::string("mounts cannot be made private: ") + std::strerror(errno));
}

/// In a child that has called enter_mount_namespace: mounts, or skips.
inline void mount_or_skip(const char* type, const std::filesystem::path& at, const std::string& options) {
    if (::mount(type, at.c_str(), type, 0, options.c_str()) != 0)
        skip(std::string("cannot mount ") + type + ": " + std::strerror(errno));
}

} // namespace ss::test
