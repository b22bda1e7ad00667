// Interleavings of writes with readers, drawn by lot, others each time; all pairs are in test/torture. What happens
// between two looks of a walk at a version is all in structure/tree_one_moment.cpp.
#include "crash/tree_interleavings.hpp"

#include "support/watchdog.hpp"

using namespace ss::test;

BOOST_AUTO_TEST_CASE(a_write_at_an_instruction_of_a_reader) {
    const Watchdog dog(400, "interleavings");
    interleave_some();
}
