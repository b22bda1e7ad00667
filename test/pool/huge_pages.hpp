// Whether this machine gives huge pages to shared memory, and where they are.
#pragma once

#include <ss/os/file.hpp>
#include <ss/os/mapping.hpp>
#include <ss/pool/pool.hpp>

#include "support/skip.hpp"

#include <cstdint>
#include <fstream>
#include <string>

namespace ss::test {

/// Skips the test where the kernel would refuse to collapse shared memory. Asks for as much as a test does, so that a virtual
/// machine has the memory at hand afterwards.
inline void need_huge_pages() {
    constexpr std::uint64_t size = 16 * os::huge_page;
    const os::File file = os::make_memory_file("probe");
    const os::Mapping mapping = os::try_map_shared(file.descriptor(), size, true);
    if (os::try_allocate(file.descriptor(), 0, size) != 0) skip("there is no shared memory to be had");
    if (const os::HugePages asked = os::collapse(mapping.data(), size); asked.refused)
        skip("the kernel puts no huge page behind shared memory: " + asked.refused.message());
}

/// Bytes of the mapping that begins at `begin` that this process has mapped as huge pages, by what the kernel says.
[[nodiscard]] inline std::uint64_t huge_bytes(const std::byte* begin) {
    std::ifstream smaps("/proc/self/smaps");
    bool found = false;
    for (std::string line; std::getline(smaps, line);) {
        const std::size_t dash = line.find('-');
        if (dash != std::string::npos && dash == line.find_first_not_of("0123456789abcdef"))
            found = std::stoull(line, nullptr, 16) == reinterpret_cast<std::uintptr_t>(begin);
        else if (found && line.starts_with("ShmemPmdMapped:"))
            return std::stoull(line.substr(line.find_first_of("0123456789"))) * kibi;
    }
    return 0;
}

[[nodiscard]] inline std::uint64_t huge_bytes(const Pool& pool) {
    return huge_bytes(pool.attachment()->region(0).data(0));
}

} // namespace ss::test
