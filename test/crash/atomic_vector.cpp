// Every state of memory of an AtomicVector's operations: all of them in the default profile, a few with each policy.
#include "crash/atomic_vector.hpp"

#include <ss/registry.hpp>
#include <ss/ss.hpp>

#include "crash/suite.hpp"

#include <boost/hana/drop_front.hpp>
#include <boost/hana/integral_constant.hpp>
#include <boost/test/unit_test.hpp>

#include <tuple>

using namespace ss::test;

using DefaultVector = std::tuple<ss::AtomicVector<std::int64_t>>;
using OtherVectors =
    ss::registry::AsList<std::tuple,
                         decltype(boost::hana::drop_front(ss::registry::few_atomic_vectors, boost::hana::size_c<1>))>;

namespace {

/// All images of an operation, and a little of what follows.
constexpr Effort sparing = {.second = 2, .kills = 2, .kernel_kills = 6, .kernel_second = 1};

} // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(a_vector, Vector, DefaultVector) {
    explore_all<Vector>(
        [](auto vector) {
            return AtomicVectorScenarios::all(atomic_vector_profile<typename decltype(vector)::type>());
        },
        sparing);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_vector_of_each_policy, Vector, OtherVectors) {
    explore_all<Vector>(
        [](auto vector) {
            return AtomicVectorScenarios::few(atomic_vector_profile<typename decltype(vector)::type>());
        },
        sparing);
}
