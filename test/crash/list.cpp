// Every state of memory of a linked list's operations: blocks taken from and given back to each allocator.
#include <ss/ss.hpp>

#include "crash/list_scenarios.hpp"
#include "crash/suite.hpp"

#include <boost/test/unit_test.hpp>

#include <tuple>

using namespace ss::test;

using DefaultAllocator = std::tuple<ss::DefaultAllocator>;
using OtherAllocators = std::tuple<ss::SimpleAllocator, ss::LogarithmicAllocator>;

BOOST_AUTO_TEST_CASE_TEMPLATE(a_linked_list, A, DefaultAllocator) {
    explore_all<A>([](auto allocator) {
        return ListScenarios::all(list_profile<typename decltype(allocator)::type, ss::DefaultLock>());
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_linked_list_with_each_allocator, A, OtherAllocators) {
    explore_all<A>([](auto allocator) {
        return ListScenarios::few(list_profile<typename decltype(allocator)::type, ss::DefaultLock>());
    });
}
