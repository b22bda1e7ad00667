// Names of policies, as numbers and as text.
#include <ss/base/policy.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <set>

BOOST_AUTO_TEST_SUITE(base_policy)

using namespace ss;

BOOST_AUTO_TEST_CASE(an_id_is_its_letters_in_order) {
    static_assert(static_cast<std::uint64_t>(policy_id("A")) == 'A');
    static_assert(static_cast<std::uint64_t>(policy_id("AB")) == ('A' | 'B' << 8));
    static_assert(policy_id("mine_07") != policy_id("mine_0"));
    static_assert(policy_id("mine") != policy_id("MINE"));
    BOOST_TEST(to_string(policy_id("FUTEX")) == "FUTEX");
    BOOST_TEST(to_string(policy_id("mine_07")) == "mine_07");
    BOOST_TEST(to_string(PolicyId{}) == "none");
}

BOOST_AUTO_TEST_CASE(the_flag_is_told_and_takes_the_place_of_another) {
    constexpr PolicyId plain = policy_id("FUTEX");
    static_assert(with_flag(plain, 'o') != plain);
    static_assert(with_flag(plain, '\0') == plain);
    static_assert(with_flag(with_flag(plain, 'x'), 'o') == with_flag(plain, 'o'));
    BOOST_TEST(to_string(with_flag(plain, 'o')) == "FUTEX+o");
    BOOST_TEST(to_string(with_flag(policy_id("sevench"), 'o')) == "sevench+o");
}

BOOST_AUTO_TEST_CASE(a_damaged_id_can_be_printed) {
    BOOST_TEST(to_string(PolicyId{~std::uint64_t{0}}) == "???????+?");
    BOOST_TEST(to_string(PolicyId{0x0A07'4100}) == "A??"); // zeros are left out
    for (const char c : to_string(PolicyId{0x8001'7F20'0D0A'001BU})) BOOST_TEST((c > ' ' && c < '\x7f'));
}

BOOST_AUTO_TEST_CASE(each_fact_and_their_order_change_a_fingerprint) {
    static_assert(fingerprint(1, 2) == fingerprint(1, std::uint64_t{2}));
    const std::set<std::uint64_t> prints = {fingerprint(1),    fingerprint(2),       fingerprint(1, 0),
                                            fingerprint(0, 1), fingerprint(1, 2, 3), fingerprint(1, 3, 2),
                                            fingerprint(0),    fingerprint(0, 0),    fingerprint(1ULL << 63)};
    BOOST_TEST(prints.size() == 9U);
}

BOOST_AUTO_TEST_SUITE_END()
