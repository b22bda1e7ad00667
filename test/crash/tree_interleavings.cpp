// A few of the interleavings of each write with each reader, others each time; all of them are in test/torture.
#include "crash/tree_interleavings.hpp"

#include "support/watchdog.hpp"

using namespace ss::test;

BOOST_AUTO_TEST_CASE(a_write_at_an_instruction_of_a_reader) {
    const Watchdog dog(400, "interleavings");
    interleave(1);
}
