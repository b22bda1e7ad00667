// The checksum, against the vectors of RFC 3720, appendix B.4.
#include <ss/base/crc32c.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

BOOST_AUTO_TEST_SUITE(base_crc32c)

using namespace ss;

namespace {

std::uint32_t of(std::string_view text) { return crc32c(std::as_bytes(std::span(text))); }

} // namespace

BOOST_AUTO_TEST_CASE(the_vectors_of_the_rfc) {
    std::array<unsigned char, 32> bytes{};
    const auto sum = [&] { return crc32c(std::as_bytes(std::span(bytes))); };
    BOOST_TEST(sum() == 0x8A91'36AAU);
    bytes.fill(0xFF);
    BOOST_TEST(sum() == 0x62A8'AB43U);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<unsigned char>(i);
    BOOST_TEST(sum() == 0x46DD'794EU);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<unsigned char>(31 - i);
    BOOST_TEST(sum() == 0x113F'DB5CU);
    // An iSCSI SCSI Read (10) command PDU.
    const std::array<unsigned char, 48> pdu = {0x01, 0xC0, 0, 0, 0, 0, 0, 0, 0,    0, 0, 0,    0, 0, 0, 0,
                                               0x14, 0,    0, 0, 0, 0, 4, 0, 0,    0, 0, 0x14, 0, 0, 0, 0x18,
                                               0x28, 0,    0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0,    0, 0, 0, 0};
    BOOST_TEST(crc32c(std::as_bytes(std::span(pdu))) == 0xD996'3A56U);
}

BOOST_AUTO_TEST_CASE(the_check_value_of_the_catalogues) {
    BOOST_TEST(of("123456789") == 0xE306'9283U);
    BOOST_TEST(of("") == 0U);
    static_assert(crc32c({}) == 0); // also at compile time
}

BOOST_AUTO_TEST_CASE(every_flipped_bit_changes_it) {
    std::vector<std::byte> bytes(124, std::byte{0x5A});
    const std::uint32_t before = crc32c(bytes);
    for (std::byte& byte : bytes)
        for (unsigned bit = 0; bit < 8; ++bit) {
            byte ^= std::byte{1} << bit;
            BOOST_TEST(crc32c(bytes) != before);
            byte ^= std::byte{1} << bit;
        }
    BOOST_TEST(crc32c(bytes) == before);
}

BOOST_AUTO_TEST_SUITE_END()
