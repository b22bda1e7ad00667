// libFuzzer's way in. Built and run by ./dev torture; a difference, a sanitizer's complaint or a hang ends it, and leaves the
// bytes that led there.
#include "fuzz/tree_operations.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) { // NOLINT: libFuzzer's name
    try {
        ss::test::TreeOperations({data, size}).run();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        std::abort();
    }
    return 0;
}
