// Every state of memory of a linked list's operations: blocks taken from and given back to each allocator.
#include "crash/list.hpp"

#include <ss/alloc/logarithmic_allocator.hpp>
#include <ss/alloc/segregated_allocator.hpp>
#include <ss/alloc/simple_allocator.hpp>
#include <ss/lock/futex_lock.hpp>
#include <ss/lock/optimistic.hpp>

#include "crash/suite.hpp"

#include <boost/test/unit_test.hpp>

#include <tuple>

using namespace ss::test;

using Allocators = std::tuple<ss::SimpleAllocator, ss::LogarithmicAllocator, ss::SegregatedAllocator>;

BOOST_AUTO_TEST_CASE_TEMPLATE(a_linked_list, A, Allocators) {
    for (const Scenario& scenario : list_scenarios<A, ss::Optimistic<ss::FutexLock>>()) explore(scenario);
}
