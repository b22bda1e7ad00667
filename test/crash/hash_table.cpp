// Every state of memory of a HashTable's operations: all of them in the default profile, a few with each policy.
#include "crash/hash_table.hpp"

#include <ss/registry.hpp>
#include <ss/ss.hpp>

#include "crash/suite.hpp"

#include <boost/test/unit_test.hpp>

#include <tuple>

using namespace ss::test;

using DefaultTable = std::tuple<ss::HashTable<>>;
using FewTables = ss::registry::AsList<std::tuple, decltype(ss::registry::few_hash_tables)>;

BOOST_AUTO_TEST_CASE_TEMPLATE(a_hash_table, Table, DefaultTable) {
    explore_all<Table>(
        [](auto table) { return TableScenarios::all(table_profile<typename decltype(table)::type>()); });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_hash_table_of_each_policy, Table, FewTables) {
    explore_all<Table>(
        [](auto table) { return TableScenarios::few(table_profile<typename decltype(table)::type>()); });
}
