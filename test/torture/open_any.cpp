// Every profile of every structure, and every element of a vector: made, listed, and opened as what the pool says it is.
#include <ss/registry.hpp>

#include "face/profiles.hpp"
#include "support/expect.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace ss::test;
using namespace ss::registry;

namespace {

std::string opened_as(const ss::Pool& pool) {
    std::string found = "none";
    ss::open_any(pool, "x", ss::policies<>, [&]<class Structure>(Structure& structure) {
        if (structure.size() == 0) found = name_of<Structure>();
    });
    return found;
}

/// Each of the list as the only object of a pool.
template <class Structures>
void check(Structures structures) {
    hana::for_each(structures, [](auto type) {
        using Structure = typename decltype(type)::type;
        const ss::Pool pool = ss::Pool::anonymous();
        { const Structure made(pool, "x"); }
        BOOST_TEST(opened_as(pool) == name_of<Structure>());
        BOOST_TEST(wrong_with(pool) == "");
        BOOST_TEST(pool.objects().size() == 1U);
    });
}

} // namespace

BOOST_AUTO_TEST_CASE(hash_tables_of_every_profile) { check(hash_tables); }
BOOST_AUTO_TEST_CASE(prefix_trees_of_every_profile) { check(prefix_trees); }
BOOST_AUTO_TEST_CASE(queues_of_every_profile) { check(queues); }
BOOST_AUTO_TEST_CASE(priority_queues_of_every_profile) { check(priority_queues); }
BOOST_AUTO_TEST_CASE(atomic_vectors_of_every_element_and_profile) {
    check(atomic_vectors_of(vector_elements, allocators, locks));
}
