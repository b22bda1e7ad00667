// What figures depend on: the machine, the compiler, the state of the source. For people to read, so what is not there
// to be found is "unknown" and no error.
#pragma once

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include <sys/utsname.h>
#include <unistd.h>

namespace bench {

namespace detail {

/// The first line of a command's output, empty if there is none.
[[nodiscard]] inline std::string first_line_of(const char* command) {
    std::FILE* const pipe = ::popen(command, "r"); // NOLINT: a fixed command of ours
    if (pipe == nullptr) return {};
    std::array<char, 256> line{};
    std::string text = std::fgets(line.data(), line.size(), pipe) == nullptr ? "" : line.data();
    ::pclose(pipe);
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

/// The rest of the first line of a file that begins with `key`, and what stands behind its colon.
[[nodiscard]] inline std::string field_of(const char* path, const std::string& key) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);)
        if (line.starts_with(key)) {
            const auto colon = line.find(':');
            const auto begin = colon == std::string::npos ? colon : line.find_first_not_of(" \t", colon + 1);
            return begin == std::string::npos ? "unknown" : line.substr(begin);
        }
    return "unknown";
}

[[nodiscard]] inline std::string first_line_of_file(const char* path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line.empty() ? "unknown" : line;
}

} // namespace detail

/// SS_COMMIT if that is set, else what git says of the working directory; "+" where that has changes.
[[nodiscard]] inline std::string source_commit() {
    if (const char* const given = std::getenv("SS_COMMIT"); given != nullptr && *given != '\0') return given;
    const std::string commit = detail::first_line_of("git rev-parse --short=12 HEAD 2>/dev/null");
    if (commit.empty()) return "unknown";
    return commit + (detail::first_line_of("git status --porcelain 2>/dev/null").empty() ? "" : "+");
}

[[nodiscard]] inline std::string compiler() {
#ifdef __clang__
    return std::string("clang ") + __clang_version__;
#else
    return std::string("g++ ") + __VERSION__;
#endif
}

[[nodiscard]] inline nlohmann::json describe_machine() {
    utsname system{};
    ::uname(&system);
    return {
        {"processor", detail::field_of("/proc/cpuinfo", "model name")},
        {"cores", std::thread::hardware_concurrency()},
        {"memory", detail::field_of("/proc/meminfo", "MemTotal")},
        {"kernel", std::string(system.sysname) + " " + system.release},
        {"transparent huge pages", detail::first_line_of_file("/sys/kernel/mm/transparent_hugepage/enabled")},
        {"transparent huge pages of tmpfs",
         detail::first_line_of_file("/sys/kernel/mm/transparent_hugepage/shmem_enabled")},
        {"load", detail::first_line_of_file("/proc/loadavg")},
    };
}

[[nodiscard]] inline std::string utc_now() {
    return fmt::format("{:%FT%TZ}", fmt::gmtime(std::chrono::system_clock::now()));
}

} // namespace bench
