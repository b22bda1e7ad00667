// Arithmetic on offsets, at its edges.
#include <ss/base/bits.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <limits>

BOOST_AUTO_TEST_SUITE(base_bits)

using namespace ss;

static constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();

BOOST_AUTO_TEST_CASE(alignment) {
    BOOST_TEST(align_up(0, 64) == 0U);
    BOOST_TEST(align_up(1, 64) == 64U);
    BOOST_TEST(align_up(64, 64) == 64U);
    BOOST_TEST(align_up(most - 63, 64) == most - 63);
    BOOST_TEST(align_down(63, 64) == 0U);
    BOOST_TEST(align_down(64, 64) == 64U);
    BOOST_TEST(align_down(most, 4096) == most - 4095);
    BOOST_TEST(is_aligned(0, 4096));
    BOOST_TEST(is_aligned(8192, 4096));
    BOOST_TEST(!is_aligned(8193, 4096));
    BOOST_TEST(is_aligned(most, 1));
}

BOOST_AUTO_TEST_CASE(logarithms_of_powers_and_their_neighbours) {
    BOOST_TEST(log2_floor(0) == 0U);
    BOOST_TEST(log2_ceil(0) == 0U);
    BOOST_TEST(log2_floor(1) == 0U);
    BOOST_TEST(log2_ceil(1) == 0U);
    for (unsigned bit = 1; bit < 64; ++bit) {
        const std::uint64_t power = std::uint64_t{1} << bit;
        BOOST_TEST(log2_floor(power) == bit);
        BOOST_TEST(log2_ceil(power) == bit);
        BOOST_TEST(log2_floor(power - 1) == bit - 1);
        if (bit > 1) BOOST_TEST(log2_ceil(power - 1) == bit);
        BOOST_TEST(log2_ceil(power + 1) == bit + 1);
    }
    BOOST_TEST(log2_ceil(most) == 64U);
}

BOOST_AUTO_TEST_CASE(a_range_fits_without_the_sum_that_overflows) {
    BOOST_TEST(fits(0, 0, 0));
    BOOST_TEST(fits(0, 10, 10));
    BOOST_TEST(fits(10, 0, 10));
    BOOST_TEST(!fits(1, 10, 10));
    BOOST_TEST(!fits(11, 0, 10));
    BOOST_TEST(!fits(most, 2, 10)); // the sum would be 1
    BOOST_TEST(!fits(2, most, 10));
    BOOST_TEST(!fits(most - 7, 8, most - 1));
    BOOST_TEST(fits(most - 8, 8, most));
    BOOST_TEST(fits(0, most, most));
}

BOOST_AUTO_TEST_CASE(reversed_bits) {
    BOOST_TEST(reverse_bits(0) == 0U);
    BOOST_TEST(reverse_bits(most) == most);
    for (unsigned bit = 0; bit < 64; ++bit)
        BOOST_TEST(reverse_bits(std::uint64_t{1} << bit) == std::uint64_t{1} << (63 - bit));
    BOOST_TEST(reverse_bits(reverse_bits(0x0123'4567'89AB'CDEFU)) == 0x0123'4567'89AB'CDEFU);
}

BOOST_AUTO_TEST_SUITE_END()
