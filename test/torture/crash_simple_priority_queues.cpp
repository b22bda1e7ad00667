// Every state of memory of every operation on a priority queue, in all profiles with the SimpleAllocator.
#include "crash/torture.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_CASE(every_operation_under_every_lock) {
    ss::test::torture_priority_queues<ss::SimpleAllocator>(ss::test::AllLocks{});
}
