// An AtomicVector on a read-only pool: who looks, and who writes beside him.
#include "structure/atomic_vector_support.hpp"
#include "support/expect.hpp"
#include "support/temp_dir.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <vector>

BOOST_AUTO_TEST_SUITE(structure_atomic_vector_read_only)

using namespace ss::test;
using ss::AtomicVector;
using ss::errc;
using ss::Word;

BOOST_AUTO_TEST_CASE_TEMPLATE(on_a_read_only_pool, Vector, Vectors) {
    const TempDir directory;
    {
        const ss::Pool pool(directory / "pool");
        Vector vector(pool, "v");
        vector.expand(100);
        vector.store(42, 7);
    }
    const ss::Pool pool(directory / "pool", {.access = ss::Access::read_only});
    if constexpr (!ss::is_optimistic<typename Vector::lock_policy>) {
        BOOST_TEST(thrown_by([&] { const Vector vector(pool, "v"); }) == error(errc::read_only));
    } else {
        Vector vector(pool, "v");
        BOOST_TEST((vector.size() == 100U && vector.load(42) == 7 && vector.snapshot()[42] == 7));
        BOOST_TEST(thrown_by([&] { (void)vector.load(100); }).starts_with(no_element));
        BOOST_TEST(!vector.wait(42, 7, std::chrono::milliseconds(30)));
        BOOST_TEST(vector.wait(42, 6, std::chrono::milliseconds(30)));
        const auto refused = error(errc::read_only);
        typename Vector::value_type expected = 7;
        BOOST_TEST(thrown_by([&] { vector.store(42, 1); }) == refused);
        BOOST_TEST(thrown_by([&] { vector.exchange(42, 1); }) == refused);
        BOOST_TEST(thrown_by([&] { vector.compare_exchange(42, expected, 1); }) == refused);
        BOOST_TEST(thrown_by([&] { vector.fetch_add(42, 1); }) == refused);
        BOOST_TEST(thrown_by([&] { vector.expand(200); }) == refused);
        BOOST_TEST(thrown_by([&] { vector.expand(1); }) == refused);
        BOOST_TEST(thrown_by([&] { vector.notify(42); }) == refused);
        BOOST_TEST(thrown_by([&] { Vector(pool, "w"); }) == error(errc::no_such_object));
        BOOST_TEST((wrong_with(pool) == "" && wrong_with(vector) == "" && vector.stats().size == 100U));
        // Whoever writes goes on beside it.
        const ss::Pool writable(directory / "pool");
        Vector writer(writable, "v");
        writer.expand(5000);
        writer.store(4999, 3);
        BOOST_TEST((vector.size() == 5000U && vector.load(4999) == 3));
        ss::put(head_of(writer).published, 100); // as if he had died on the way
        BOOST_TEST((vector.load(4999) == 3 && vector.size() == 5000U));
        BOOST_TEST(writable.remove_object("v"));
        BOOST_TEST(thrown_by([&] { (void)vector.load(42); }) == error(errc::no_such_object));
    }
}

BOOST_AUTO_TEST_SUITE_END()
