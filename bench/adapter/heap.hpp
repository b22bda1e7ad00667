// The memory of contestants that live in the process's own heap.
#pragma once

#include "../kernel/measure.hpp"

#include <fstream>
#include <malloc.h>

#include <unistd.h>

namespace bench {

/// Pages of the process that no file and no other process has a part in.
[[nodiscard]] inline double private_bytes() {
    std::ifstream file("/proc/self/statm");
    double size = 0, resident = 0, shared = 0;
    file >> size >> resident >> shared;
    return (resident - shared) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

/// For those who use malloc alone.
[[nodiscard]] inline Memory malloc_memory() {
    const struct mallinfo2 info = ::mallinfo2();
    return {.allocated = static_cast<double>(info.uordblks + info.hblkhd), .taken = private_bytes()};
}

} // namespace bench
