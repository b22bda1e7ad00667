// The registry's vectors: each element and policy, by type, and opening one by what the pool says it is of. The few profiles
// are opened here, for each takes its time to compile; torture/open_any.cpp opens all of them.
#include <ss/registry.hpp>

#include "face/profiles.hpp"
#include "support/expect.hpp"

#include <boost/hana/for_each.hpp>
#include <boost/hana/size.hpp>
#include <boost/hana/value.hpp>
#include <boost/test/unit_test.hpp>

#include <concepts>
#include <set>
#include <string>
#include <utility>

using namespace ss::test;
using ss::errc;
namespace hana = boost::hana;

namespace {

/// As what open_any opens it; "none" for one that has not been put to use.
std::string opened_as(const ss::Pool& pool, const std::string& name) {
    std::string found = "none";
    ss::open_any(pool, name, ss::policies<>,
                 [&]<OneOf<decltype(ss::registry::few_atomic_vectors)> Vector>(Vector& vector) {
                     if (vector.size() == 3 && vector.load(2) == 7) found = name_of<Vector>();
                 });
    return found;
}

} // namespace

BOOST_AUTO_TEST_CASE(the_product_has_each_vector_once) {
    constexpr auto all =
        ss::registry::atomic_vectors_of(ss::registry::vector_elements, ss::registry::allocators, ss::registry::locks);
    std::set<std::string> names;
    hana::for_each(all, [&](auto type) { names.insert(name_of<typename decltype(type)::type>()); });
    BOOST_TEST(names.size() == 10U * 3U * 8U);
    BOOST_TEST(hana::value(hana::size(all)) == names.size());
    std::set<std::string> elements, allocators, locks;
    hana::for_each(ss::registry::few_atomic_vectors, [&](auto type) {
        using Vector = typename decltype(type)::type;
        BOOST_TEST(names.contains(name_of<Vector>()));
        elements.insert(ss::detail::element_name(ss::detail::element_code<typename Vector::value_type>));
        allocators.insert(ss::to_string(Vector::allocator_policy::id));
        locks.insert(ss::to_string(ss::registry::detail::Bare<typename Vector::lock_policy>::type::id));
    });
    BOOST_TEST((elements.size() == 10U && allocators.size() == 3U && locks.size() == 4U));
    using Vector = ss::AtomicVector<int>;
    static_assert(
        std::same_as<Vector::with<ss::SpinLock>, ss::AtomicVector<int, ss::DefaultAllocator, ss::SpinLock>>);
    static_assert(
        std::same_as<Vector::with<ss::SimpleAllocator>, ss::AtomicVector<int, ss::SimpleAllocator, ss::DefaultLock>>);
}

BOOST_AUTO_TEST_CASE(every_few_vector_is_opened_as_what_it_is) {
    hana::for_each(ss::registry::few_atomic_vectors, [](auto type) {
        using Vector = typename decltype(type)::type;
        const ss::Pool pool = ss::Pool::anonymous();
        {
            Vector vector(pool, "vector");
            vector.expand(3);
            vector.store(2, 7);
        }
        BOOST_TEST(opened_as(pool, "vector") == name_of<Vector>());
        BOOST_TEST(wrong_with(pool) == "");
        const auto objects = pool.objects();
        BOOST_REQUIRE(objects.size() == 1U);
        BOOST_TEST((objects[0].type == "ATOMVEC" && objects[0].hash == "none" && objects[0].bytes != 0U));
        // Every other of them is refused: for its policies, or for its elements.
        hana::for_each(ss::registry::few_atomic_vectors, [&](auto other) {
            using Other = typename decltype(other)::type;
            if constexpr (std::same_as<Vector, Other>) {
            } else if constexpr (std::same_as<typename Vector::allocator_policy, typename Other::allocator_policy> &&
                                 std::same_as<typename Vector::lock_policy, typename Other::lock_policy>) {
                BOOST_TEST(thrown_by([&] { const Other wrong(pool, "vector"); }) == error(errc::other_type));
            } else {
                BOOST_TEST(thrown_by([&] { const Other wrong(pool, "vector"); }) == error(errc::other_policies));
            }
        });
        // A vector is no table, whatever the policies; nor is a table a vector.
        using Table = ss::HashTable<typename Vector::allocator_policy, typename Vector::lock_policy>;
        BOOST_TEST(thrown_by([&] { const Table wrong(pool, "vector"); }) == error(errc::other_type));
        const Table table(pool, "table");
        BOOST_TEST(thrown_by([&] { const Vector wrong(pool, "table"); }) == error(errc::other_type));
        BOOST_TEST(sentence_of([&] { const Vector wrong(pool, "table"); }).find("HASHTAB") != std::string::npos);
        BOOST_TEST(thrown_by([&] { opened_as(pool, "table"); }) == error(errc::other_type));
        BOOST_TEST(pool.remove_object("vector"));
        BOOST_TEST(thrown_by([&] { opened_as(pool, "vector"); }) == error(errc::no_such_object));
    });
}
