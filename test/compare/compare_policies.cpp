// The comparison policies: each conforms, and is the order that its name says. What is none does not pass as one.
#include <ss/compare/by_bytes.hpp>

#include "compare/conformance.hpp"
#include "structure/priority_queue_support.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

using namespace ss::test;

namespace not_policies {

// What is no policy does not compile as one.

struct Throws {
    static constexpr ss::PolicyId id = ss::policy_id("x");
    static constexpr std::uint64_t fingerprint = 1;
    static bool less(std::string_view, std::string_view);
};
struct ThreeWay {
    static constexpr ss::PolicyId id = ss::policy_id("x");
    static constexpr std::uint64_t fingerprint = 1;
    static int less(std::string_view, std::string_view) noexcept;
};
struct LateId {
    static inline ss::PolicyId id = ss::policy_id("x");
    static constexpr std::uint64_t fingerprint = 1;
    static bool less(std::string_view, std::string_view) noexcept;
};
struct NoFingerprint {
    static constexpr ss::PolicyId id = ss::policy_id("x");
    static bool less(std::string_view, std::string_view) noexcept;
};
struct NotStatic {
    static constexpr ss::PolicyId id = ss::policy_id("x");
    static constexpr std::uint64_t fingerprint = 1;
    bool less(std::string_view, std::string_view) const noexcept;
};
static_assert(!ss::ComparePolicy<Throws> && !ss::ComparePolicy<ThreeWay> && !ss::ComparePolicy<LateId> &&
              !ss::ComparePolicy<NoFingerprint> && !ss::ComparePolicy<NotStatic> && !ss::ComparePolicy<int>);

// What is a policy by its form and not by its answers: the suite has to see it.

struct LessOrSame {
    static bool less(std::string_view a, std::string_view b) noexcept { return a <= b; }
};
/// Each beats the next, and the third the first.
struct Circle {
    static bool less(std::string_view a, std::string_view b) noexcept {
        return (a.size() + 1) % 3 == b.size() % 3 && a != b;
    }
};
/// Near is the same: 1 is as 2 and 2 as 3, but 1 is not as 3.
struct Near {
    static bool less(std::string_view a, std::string_view b) noexcept { return a.size() + 3 < b.size(); }
};
struct ByAddress {
    static bool less(std::string_view a, std::string_view b) noexcept { return a.data() < b.data(); }
};

} // namespace not_policies

BOOST_AUTO_TEST_SUITE(compare_policies)

BOOST_AUTO_TEST_CASE(by_bytes_conforms) { check_compare_policy<ss::ByBytes>(); }

BOOST_AUTO_TEST_CASE(by_bytes_is_the_order_of_unsigned_bytes) {
    const std::vector<std::string> strings = strings_to_compare();
    for (const std::string& a : strings)
        for (const std::string& b : strings) {
            const int order = std::memcmp(a.data(), b.data(), std::min(a.size(), b.size()));
            BOOST_REQUIRE(ss::ByBytes::less(a, b) == (order < 0 || (order == 0 && a.size() < b.size())));
        }
    static_assert(ss::ByBytes::less("", "a") && ss::ByBytes::less("a", "ab") && !ss::ByBytes::less("b", "ab"));
    static_assert(ss::ByBytes::less("\x7f", "\x80"));
}

BOOST_AUTO_TEST_CASE(those_of_the_tests_conform) {
    std::vector<std::string> numbers;
    for (std::uint64_t i = 1; i < 40; ++i) numbers.push_back(big_endian(i * 7919) + std::string(i % 3, 'x'));
    check_compare_policy<LargestFirst>(numbers);
    check_compare_policy<ByRest>();
}

BOOST_AUTO_TEST_CASE(what_is_no_order_is_noticed) {
    using namespace not_policies;
    const std::vector<std::string> strings = strings_to_compare();
    const auto laws_of = [&]<class C>(C) { return broken_laws(Comparisons::of<C>(strings), strings.size()); };
    BOOST_TEST(laws_of(ss::ByBytes()).all() == 0U);
    BOOST_TEST(laws_of(LessOrSame()).irreflexive == strings.size());
    BOOST_TEST(laws_of(Circle()).transitive > 0U);
    BOOST_TEST((laws_of(Near()).transitive == 0U && laws_of(Near()).same > 0U));
    BOOST_TEST(!depends_on_bytes_alone<ByAddress>(strings, Comparisons::of<ByAddress>(strings)));
}

BOOST_AUTO_TEST_SUITE_END()
