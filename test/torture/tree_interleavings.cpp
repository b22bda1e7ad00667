// Every interleaving of each write with each reader.
#include "crash/tree_interleavings.hpp"

using namespace ss::test;

BOOST_AUTO_TEST_CASE(a_write_at_each_instruction_of_a_reader) { interleave(0); }
