#include "alloc/conformance.hpp"
#include <ss/alloc/logarithmic_allocator.hpp>
#include <ss/alloc/segregated_allocator.hpp>
#include <ss/alloc/simple_allocator.hpp>
#include <boost/test/unit_test.hpp>
BOOST_AUTO_TEST_CASE(simple) { ss::test::check_allocator_policy<ss::SimpleAllocator>(); }
BOOST_AUTO_TEST_CASE(logarithmic) { ss::test::check_allocator_policy<ss::LogarithmicAllocator>(); }
BOOST_AUTO_TEST_CASE(segregated) { ss::test::check_allocator_policy<ss::SegregatedAllocator>(); }
