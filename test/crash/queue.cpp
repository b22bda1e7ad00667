// Every state of memory of a Queue's operations, and of watching: nearly all of them in the default profile, a few with
// each policy.
#include "crash/queue.hpp"

#include <ss/registry.hpp>
#include <ss/ss.hpp>

#include "crash/suite.hpp"

#include <boost/hana/drop_front.hpp>
#include <boost/hana/integral_constant.hpp>
#include <boost/test/unit_test.hpp>

#include <tuple>

using namespace ss::test;

using DefaultQueue = std::tuple<ss::Queue<>>;
using OtherQueues =
    ss::registry::AsList<std::tuple,
                         decltype(boost::hana::drop_front(ss::registry::few_queues, boost::hana::size_c<1>))>;

namespace {

/// All images of an operation, and a little of what follows.
constexpr Effort sparing = {.second = 2, .kills = 2, .kernel_kills = 6, .kernel_second = 1};

} // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(a_queue, Queue, DefaultQueue) {
    explore_all<Queue>(
        [](auto queue) { return QueueScenarios::most(queue_profile<typename decltype(queue)::type>()); }, sparing);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_queue_of_each_policy, Queue, OtherQueues) {
    explore_all<Queue>(
        [](auto queue) { return QueueScenarios::few(queue_profile<typename decltype(queue)::type>()); }, sparing);
}
