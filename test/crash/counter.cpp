// Every state of memory of the smallest transaction, under each lock policy.
#include "crash/counter.hpp"

#include <ss/ss.hpp>

#include "crash/suite.hpp"

#include <boost/test/unit_test.hpp>

#include <tuple>

using namespace ss::test;

using Locks = std::tuple<ss::NullLock, ss::SpinLock, ss::FutexLock, ss::RobustMutex, ss::Optimistic<ss::FutexLock>>;

BOOST_AUTO_TEST_CASE_TEMPLATE(a_pair_of_words, L, Locks) {
    explore_all<L>(
        [](auto lock) { return counter_scenarios<ss::SegregatedAllocator, typename decltype(lock)::type>(); });
}
