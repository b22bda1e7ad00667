// An AtomicVector for which there is no room: it is as it was, and goes on when there is some.
#include "structure/atomic_vector_support.hpp"
#include "support/expect.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <cstdint>
#include <string>
#include <tuple>

BOOST_AUTO_TEST_SUITE(structure_atomic_vector_no_room)

using namespace ss::test;
using ss::AtomicVector;
using ss::errc;
using ss::Word;

/// With each allocator, and an element of each width.
using Some = std::tuple<AtomicVector<std::int64_t>, AtomicVector<float, ss::SimpleAllocator, ss::FutexLock>,
                        AtomicVector<std::uint16_t, ss::LogarithmicAllocator>>;

BOOST_AUTO_TEST_CASE_TEMPLATE(no_room_at_the_nth_growth, Vector, Some) {
    static int left = 0;
    for (int n = 1; n < 100; ++n) {
        const ss::Pool pool = ss::Pool::anonymous();
        Vector vector(pool, "v");
        vector.expand(50);
        vector.store(49, 49);
        const std::uint64_t size = 24 * ss::mebi / sizeof(typename Vector::value_type);
        left = n;
        ss::os::refuse =
            +[](ss::os::Call call) { return call == ss::os::Call::fallocate && --left <= 0 ? ENOSPC : 0; };
        const std::string thrown = thrown_by([&] { vector.expand(size); });
        const bool was_refused = left <= 0;
        ss::os::refuse = nullptr;
        if (!was_refused) {
            BOOST_TEST((thrown == "nothing" && vector.size() == size && n > 2));
            break;
        }
        if (thrown != "nothing") {
            BOOST_TEST(thrown == error(errc::out_of_space));
            BOOST_TEST((vector.size() == 50U && vector.load(49) == 49));
            BOOST_TEST(thrown_by([&] { (void)vector.load(50); }).starts_with(no_element));
        }
        BOOST_TEST(wrong_with(pool) == "");
        vector.expand(size); // goes on
        BOOST_TEST((vector.size() == size && vector.load(49) == 49 && vector.load(size - 1) == 0));
        BOOST_TEST(wrong_with(pool) == "");
    }
}

BOOST_AUTO_TEST_CASE(past_max_size) {
    const ss::Pool pool = ss::Pool::anonymous({.max_size = 4 * ss::mebi});
    AtomicVector<std::uint8_t> vector(pool, "v");
    vector.expand(1'500'000);
    vector.store(1'499'999, 9);
    BOOST_TEST(thrown_by([&] { vector.expand(2'500'000); }) == error(errc::past_max_size));
    BOOST_TEST(thrown_by([&] { vector.expand(1'000'000'000); }) == error(errc::past_max_size));
    BOOST_TEST((vector.size() == 1'500'000U && vector.load(1'499'999) == 9));
    BOOST_TEST(wrong_with(pool) == "");
    vector.expand(2'000'000);
    BOOST_TEST(vector.size() == 2'000'000U);
}

BOOST_AUTO_TEST_SUITE_END()
