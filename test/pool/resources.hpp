// What a process holds of the kernel, to see whether a call that failed left something behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <string>

#include <unistd.h>

namespace ss::test {

struct Resources {
    std::size_t descriptors = 0;
    std::size_t shared_mappings = 0;
    std::uint64_t shared_bytes = 0; ///< mapped

    friend bool operator==(const Resources&, const Resources&) = default;
    friend std::ostream& operator<<(std::ostream& out, const Resources& held) {
        return out << held.descriptors << " descriptors, " << held.shared_mappings << " shared mappings of "
                   << held.shared_bytes << " bytes";
    }

    [[nodiscard]] static Resources now() {
        Resources held;
        held.descriptors = static_cast<std::size_t>(std::distance(
            std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator()));
        std::ifstream maps("/proc/self/maps");
        for (std::string line; std::getline(maps, line);) {
            if (line.find(" rw-s ") == std::string::npos && line.find(" r--s ") == std::string::npos) continue;
            ++held.shared_mappings;
            held.shared_bytes += std::stoull(line.substr(line.find('-') + 1), nullptr, 16) -
                                 std::stoull(line.substr(0, line.find('-')), nullptr, 16);
        }
        return held;
    }
};

/// Bytes of address space that this process uses, all in all.
[[nodiscard]] inline std::uint64_t address_space() {
    std::ifstream status("/proc/self/statm");
    std::uint64_t pages = 0;
    status >> pages;
    return pages * static_cast<std::uint64_t>(::getpagesize());
}

} // namespace ss::test
