// Every state of memory of a HashTable's operations: all of them in the default profile, a few in each policy's.
#include "crash/hash_table.hpp"

#include <ss/registry.hpp>
#include <ss/ss.hpp>

#include "crash/suite.hpp"

#include <boost/test/unit_test.hpp>

#include <tuple>

using namespace ss::test;

BOOST_AUTO_TEST_CASE(a_hash_table) {
    for (const Scenario& scenario : TableScenarios<ss::HashTable<>>::operations()) explore(scenario);
}

using FewTables = ss::registry::as_list<std::tuple, decltype(ss::registry::few_hash_tables)>;

BOOST_AUTO_TEST_CASE_TEMPLATE(a_hash_table_of_each_policy, Table, FewTables) {
    for (const Scenario& scenario : TableScenarios<Table>::few_operations()) explore(scenario);
}
