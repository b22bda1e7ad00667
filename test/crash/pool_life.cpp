// Every state of memory of making, opening and closing a pool, and of making and removing what is in it.
#include "crash/pool_life.hpp"

#include <ss/ss.hpp>

#include "crash/suite.hpp"

#include <boost/test/unit_test.hpp>

using namespace ss::test;

BOOST_AUTO_TEST_CASE(a_pool) {
    for (const Scenario& scenario : PoolScenarios<ss::HashTable<>>::all()) explore(scenario);
}
