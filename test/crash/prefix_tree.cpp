// Every state of memory of a PrefixTree's operations: most of them in the default profile, a few with each policy.
#include "crash/prefix_tree.hpp"

#include <ss/registry.hpp>
#include <ss/ss.hpp>

#include "crash/prefix_tree_touches.hpp"
#include "crash/suite.hpp"

#include <boost/hana/drop_front.hpp>
#include <boost/hana/integral_constant.hpp>
#include <boost/test/unit_test.hpp>

#include <tuple>

using namespace ss::test;

using DefaultTree = std::tuple<ss::PrefixTree<>>;
using OtherTrees =
    ss::registry::AsList<std::tuple,
                         decltype(boost::hana::drop_front(ss::registry::few_prefix_trees, boost::hana::size_c<1>))>;

namespace {

/// All images of an operation, and a little of what follows.
constexpr Effort sparing = {.second = 2, .kills = 2, .kernel_kills = 6, .kernel_second = 1};

} // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(a_prefix_tree, Tree, DefaultTree) {
    explore_all<Tree>([](auto tree) { return TreeScenarios::most(tree_profile<typename decltype(tree)::type>()); },
                      sparing);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_prefix_tree_of_each_policy, Tree, OtherTrees) {
    explore_all<Tree>([](auto tree) { return TreeScenarios::few(tree_profile<typename decltype(tree)::type>()); },
                      sparing);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(readers_are_warned_of_every_change, Tree, DefaultTree) {
    skip_under_sanitizers();
    if constexpr (ss::test::slowness == 1)
        for (const Scenario& scenario : TreeScenarios::most(tree_profile<Tree>()))
            BOOST_TEST(unguarded_change<typename Tree::lock_policy>(scenario) == "");
}
