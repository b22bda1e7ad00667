// Every state of memory of the smallest transaction, under each lock policy.
#include "crash/counter.hpp"

#include <ss/alloc/segregated_allocator.hpp>
#include <ss/lock/futex_lock.hpp>
#include <ss/lock/null_lock.hpp>
#include <ss/lock/optimistic.hpp>
#include <ss/lock/robust_mutex.hpp>
#include <ss/lock/spin_lock.hpp>

#include "crash/suite.hpp"

#include <boost/test/unit_test.hpp>

#include <tuple>

using namespace ss::test;

using Locks = std::tuple<ss::NullLock, ss::SpinLock, ss::FutexLock, ss::RobustMutex, ss::Optimistic<ss::FutexLock>>;

BOOST_AUTO_TEST_CASE_TEMPLATE(a_pair_of_words, L, Locks) { explore(counter_scenario<ss::SegregatedAllocator, L>()); }

BOOST_AUTO_TEST_CASE(a_pair_of_words_under_a_robust_mutex_that_nobody_has_locked_before) {
    Scenario scenario = counter_scenario<ss::SegregatedAllocator, ss::RobustMutex>();
    scenario.name += ", first lock";
    scenario.first_lock = true;
    explore(scenario);
}
