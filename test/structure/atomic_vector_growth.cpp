// How an AtomicVector grows: over segments, in steps, in transactions; whose growth nobody has published.
#include "structure/atomic_vector_support.hpp"
#include "support/expect.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <type_traits>

BOOST_AUTO_TEST_SUITE(structure_atomic_vector_growth)

using namespace ss::test;
using ss::AtomicVector;
using ss::errc;
using ss::Word;

BOOST_AUTO_TEST_CASE_TEMPLATE(growth_over_many_segments, Vector, Vectors) {
    using T = typename Vector::value_type;
    const ss::Pool pool = ss::Pool::anonymous();
    Vector vector(pool, "v");
    const auto value_at = [](std::uint64_t index) { return static_cast<T>(index % 101); };
    std::uint64_t size = 0;
    for (const std::uint64_t next : {1U, 2U, 63U, 64U, 65U, 128U, 129U, 1000U, 70'000U, 70'001U, 300'000U}) {
        vector.expand(next);
        BOOST_REQUIRE(vector.size() == next);
        for (std::uint64_t index = size; index < next; ++index)
            if (vector.load(index) != T{}) BOOST_FAIL("a new element is not zero: " << index);
        for (std::uint64_t index = size; index < next; ++index) vector.store(index, value_at(index));
        size = next;
        BOOST_TEST(thrown_by([&] { vector.store(size, T{}); }).starts_with(no_element));
        BOOST_TEST(thrown_by([&] { vector.store(~std::uint64_t{0}, T{}); }).starts_with(no_element));
    }
    for (std::uint64_t index = 0; index < size; ++index)
        if (vector.load(index) != value_at(index)) BOOST_FAIL("an element has changed: " << index);
    for (const Word segment : head_of(vector).segments)
        BOOST_TEST((segment == 0 || ss::detail::AlignedBlock::use(segment) % ss::cache_line == 0));
    BOOST_TEST(ss::load(head_of(vector).pending) == 0U);
    BOOST_TEST(wrong_with(pool) == "");
    // Two handles, one object; and one under a name in another domain.
    const Vector again(pool, "v");
    BOOST_TEST((again.size() == size && again.load(size - 1) == value_at(size - 1)));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_large_one_is_made_in_steps, Vector, Vectors) {
    const ss::Pool pool = ss::Pool::anonymous();
    Vector vector(pool, "v");
    const std::uint64_t size = 16 * ss::mebi / sizeof(typename Vector::value_type) + 1; // the last segment has 16 MiB
    vector.expand(size);
    BOOST_TEST(vector.size() == size);
    BOOST_TEST((vector.load(size - 1) == 0));
    BOOST_TEST(wrong_with(vector) == "");
}

BOOST_AUTO_TEST_CASE(half_a_segment_is_gone_on_with) {
    // As if somebody had died after a few steps.
    const ss::Pool pool = ss::Pool::anonymous();
    AtomicVector<std::int64_t> vector(pool, "v");
    vector.expand(10);
    vector.store(9, 9);
    using Domain = ss::Domain<ss::DefaultAllocator, ss::DefaultLock>;
    const auto object = *ss::find_object(vector.domain().core(), "v");
    const std::uint64_t size = 4 * ss::mebi / 8;
    ss::detail::Growth growth;
    int steps = 0;
    const auto step = [&] {
        ++steps;
        return vector.domain().run(
            [&](Domain::Tx& tx) { return ss::detail::VectorExpander<Domain::Tx>(tx, object).step(size, 8, growth); });
    };
    while (!step()) {
        BOOST_TEST((vector.size() == 10U && vector.load(9) == 9));
        BOOST_TEST(wrong_with(pool) == "");
        if (steps == 3) {
            vector.expand(1000); // somebody who wants less
            BOOST_REQUIRE(vector.size() == 1000U);
            break;
        }
    }
    BOOST_TEST(ss::load(head_of(vector).pending) != 0U);
    const std::uint64_t before = vector.stats().domain.bytes_allocated;
    vector.expand(size);
    BOOST_TEST((vector.size() == size && vector.load(9) == 9 && vector.load(size - 1) == 0));
    BOOST_TEST(ss::load(head_of(vector).pending) == 0U);
    BOOST_TEST(vector.stats().domain.bytes_allocated < before + 2 * ss::mebi + 4096 + 64); // what was pending is used
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(as_a_part_of_a_transaction, Vector, Vectors) {
    using Table = ss::HashTable<typename Vector::allocator_policy, typename Vector::lock_policy>;
    const ss::Pool pool = ss::Pool::anonymous();
    Vector vector(pool, "v");
    Table table(pool, "t");
    vector.expand(3);
    const auto expand_to = [&](std::uint64_t size, auto f) {
        ss::transaction(table, [&](auto& tx) {
            table.insert(tx, "size", std::to_string(size));
            vector.expand(tx, size);
            BOOST_TEST(vector.size() == 3U); // not yet
            BOOST_TEST(thrown_by([&] { (void)vector.load(3); }).starts_with(no_element));
            vector.fetch_add(1, 1); // belongs to no transaction
            vector.expand(2);
            BOOST_TEST(thrown_by([&] { vector.expand(5000); }) == error(errc::would_deadlock));
            f(tx);
        });
    };
    BOOST_TEST(thrown_by([&] { expand_to(1000, [](auto&) { throw std::runtime_error("not so"); }); }) == "not so");
    BOOST_TEST((vector.size() == 3U && !table.contains("size") && vector.load(1) == 1));
    BOOST_TEST(wrong_with(pool) == "");
    expand_to(1000, [&](auto& tx) {
        BOOST_TEST(thrown_by([&] { vector.expand(tx, ~std::uint64_t{0}); }) == error(errc::too_large));
        vector.expand(tx, 2000);
        if constexpr (std::is_integral_v<typename Vector::value_type>) vector.expand_bits(tx, 1);
    });
    BOOST_TEST((vector.size() == 2000U && table.at("size") == "1000" && vector.load(1) == 2));
    BOOST_TEST(vector.load(1999) == 0);
    // Another domain's.
    const ss::Pool other = ss::Pool::anonymous();
    Vector elsewhere(other, "v");
    ss::transaction(table, [&](auto& tx) {
        BOOST_TEST(thrown_by([&] { elsewhere.expand(tx, 1); }) == error(errc::other_domain));
    });
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE(a_size_that_nobody_has_published) {
    // As if somebody had died between the commit and the publishing.
    const ss::Pool pool = ss::Pool::anonymous();
    AtomicVector<int> vector(pool, "v");
    vector.expand(100);
    const auto unpublish = [&] { ss::put(head_of(vector).published, 60); };
    unpublish();
    BOOST_TEST(vector.load(59) == 0);
    BOOST_TEST(ss::load(head_of(vector).published) == 60U);
    BOOST_TEST(thrown_by([&] { (void)vector.load(100); }).starts_with(no_element));
    BOOST_TEST(ss::load(head_of(vector).published) == 60U);
    BOOST_TEST(vector.load(99) == 0);
    BOOST_TEST(ss::load(head_of(vector).published) == 100U);
    unpublish();
    BOOST_TEST(wrong_with(pool) == "");
    BOOST_TEST(vector.size() == 100U);
    BOOST_TEST(ss::load(head_of(vector).published) == 100U);
    unpublish();
    ss::transaction(vector, [&](auto& tx) {
        BOOST_TEST(vector.size() == 100U);
        unpublish();
        vector.expand(tx, 200);
        BOOST_TEST(vector.size() == 100U);
    });
    BOOST_TEST(vector.size() == 200U);
    // Beside a transaction of this thread on something else.
    ss::put(head_of(vector).published, 60);
    ss::HashTable<> table(pool, "t");
    ss::transaction(table, [&](auto& tx) {
        table.insert(tx, "k", "v");
        BOOST_TEST(vector.load(199) == 0);
    });
}

BOOST_AUTO_TEST_SUITE_END()
