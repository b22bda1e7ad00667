// A dozen interleavings of each write with each reader, others each time, for as many minutes as one likes.
#include "crash/tree_interleavings.hpp"

#include <chrono>
#include <cstdlib>

using namespace ss::test;

BOOST_AUTO_TEST_CASE(for_minutes) {
    const char* const minutes = std::getenv("SS_TORTURE_MINUTES");
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::minutes(minutes == nullptr ? 1 : std::atoi(minutes));
    do interleave_all();
    while (std::chrono::steady_clock::now() < end);
}
