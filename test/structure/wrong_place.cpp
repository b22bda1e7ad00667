// Every form of every operation in the wrong place: a plain one within a transaction, and one with a transaction of
// another domain. None does anything, and the transaction goes on.
#include <ss/ss.hpp>

#include "support/expect.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <concepts>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>

BOOST_AUTO_TEST_SUITE(structure_wrong_place)

using namespace ss::test;
using ss::Check;
using ss::errc;

namespace {

constexpr std::array<std::string_view, 2> pieces = {"ab", "cd"};

struct TwoTables {
    TwoTables() {
        t.insert("k", "1");
        other.insert("k", "1");
        other.insert("d", "1");
    }
    ss::Pool pool = ss::Pool::anonymous(), elsewhere = ss::Pool::anonymous();
    ss::HashTable<> t{pool, "t"}, other{elsewhere, "t"};
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_plain_write_within_a_transaction, TwoTables) {
    ss::transaction(t, [&](auto& tx) {
        const auto refused = error(errc::would_deadlock);
        BOOST_TEST(thrown_by([&] { t.insert("k", "v"); }) == refused);
        BOOST_TEST(thrown_by([&] { t.insert("k", {"v", "w"}); }) == refused);
        BOOST_TEST(thrown_by([&] { t.insert("k", std::span<const std::string_view>(pieces)); }) == refused);
        BOOST_TEST(thrown_by([&] { t.try_insert("k", "v"); }) == refused);
        BOOST_TEST(thrown_by([&] { t.insert_if(Check("k", "nothing"), "k", "v"); }) == refused);
        BOOST_TEST(thrown_by([&] { t.erase("missing"); }) == refused);
        BOOST_TEST(thrown_by([&] { t.erase_if(Check("k", "nothing"), "k"); }) == refused);
        BOOST_TEST(thrown_by([&] { t.incr("n", 1); }) == refused);
        BOOST_TEST(thrown_by([&] { t.incr("f", 0.5); }) == refused);
        BOOST_TEST(thrown_by([&] { t.incr_as<std::uint8_t>("s", 1); }) == refused);
        BOOST_TEST(thrown_by([&] { t.clear(); }) == refused);
        BOOST_TEST(thrown_by([&] { t.visit("k", [](std::string_view) {}); }) == refused);
        t.insert(tx, "after", "all of it");
    });
    BOOST_TEST((t.size() == 2U && t.at("k") == "1" && t.at("after") == "all of it"));
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_FIXTURE_TEST_CASE(a_transaction_of_another_domain, TwoTables) {
    ss::transaction(t, [&](auto& tx) {
        const auto refused = error(errc::other_domain);
        BOOST_TEST(thrown_by([&] { other.insert(tx, "k", "v"); }) == refused);
        BOOST_TEST(thrown_by([&] { other.insert(tx, "k", {"v", "w"}); }) == refused);
        BOOST_TEST(thrown_by([&] { other.insert(tx, "k", std::span<const std::string_view>(pieces)); }) == refused);
        BOOST_TEST(thrown_by([&] { other.try_insert(tx, "k", "v"); }) == refused);
        BOOST_TEST(thrown_by([&] { other.insert_if(tx, Check("k", "nothing"), "k", "v"); }) == refused);
        BOOST_TEST(thrown_by([&] { other.erase(tx, "missing"); }) == refused);
        BOOST_TEST(thrown_by([&] { other.erase_if(tx, Check("k", "nothing"), "k"); }) == refused);
        BOOST_TEST(thrown_by([&] { other.incr(tx, "n", 1); }) == refused);
        BOOST_TEST(thrown_by([&] { other.incr(tx, "f", 0.5); }) == refused);
        BOOST_TEST(thrown_by([&] { other.incr_as<std::uint8_t>(tx, "s", 1); }) == refused);
        BOOST_TEST(thrown_by([&] { other.clear(tx); }) == refused);
        BOOST_TEST(thrown_by([&] { (void)other.find(tx, "k"); }) == refused);
        BOOST_TEST(thrown_by([&] { (void)other.contains(tx, "k"); }) == refused);
        BOOST_TEST(thrown_by([&] { (void)other.find_as<std::int64_t>(tx, "k"); }) == refused);
        t.insert(tx, "after", "all of it");
    });
    BOOST_TEST((t.size() == 2U && t.at("after") == "all of it"));
    BOOST_TEST((other.size() == 2U && other.at("k") == "1" && other.at("d") == "1"));
    BOOST_TEST((wrong_with(pool) == "" && wrong_with(elsewhere) == ""));
}

BOOST_FIXTURE_TEST_CASE(what_a_walk_yields_is_the_readers_own, TwoTables) {
    using Iterator = decltype(std::as_const(t).begin());
    static_assert(std::same_as<std::iter_value_t<Iterator>, std::pair<std::string, std::string>>);
    for (auto&& [key, value] : t) {
        std::string mine = value;
        mine = "changed " + key;
    }
    BOOST_TEST(t.at("k") == "1");
    for (auto entry : t) entry.second = "changed";
    BOOST_TEST(t.at("k") == "1");
}

BOOST_AUTO_TEST_SUITE_END()
