// Every form of every operation once in each profile of few_hash_tables, against the same expectations.
#include <ss/registry.hpp>

#include "support/expect.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

BOOST_AUTO_TEST_SUITE(structure_profiles)

using namespace ss::test;
using ss::Check;

namespace {

/// Runs op(t, tx) twice on tables of the same contents, in a transaction; the first is undone by a throw.
template <class Table, class F>
void all_or_nothing(Table& t, F op) {
    std::map<std::string, std::string> before;
    for (const auto& [key, value] : t) before.emplace(key, value);
    BOOST_CHECK_THROW(ss::transaction(t,
                                      [&](auto& tx) {
                                          op(t, tx);
                                          throw std::runtime_error("undo");
                                      }),
                      std::runtime_error);
    std::map<std::string, std::string> after;
    for (const auto& [key, value] : t) after.emplace(key, value);
    BOOST_TEST((before == after));
    BOOST_TEST(t.size() == before.size());
    ss::transaction(t, [&](auto& tx) { op(t, tx); });
}

/// All but what takes a transaction. Leaves 6 entries.
template <class Table>
void use_plain_forms(Table& t) {
    const std::array<std::string_view, 2> pieces = {"ab", "cd"};
    BOOST_TEST(t.insert("a", "1"));
    BOOST_TEST(!t.insert("a", {"1", "2"}));
    BOOST_TEST(t.insert("b", std::span<const std::string_view>(pieces)));
    BOOST_TEST(t.try_insert("c", "3"));
    BOOST_TEST(t.insert_if(Check("a", "12"), "d", "4"));
    BOOST_TEST(t.erase_if(Check::missing("z"), "d"));
    BOOST_TEST(!t.erase("d"));
    BOOST_TEST(t.incr("n", 2) == 2);
    BOOST_TEST(t.incr("f", 0.5) == 0.5);
    BOOST_TEST(t.template incr_as<std::uint16_t>("s", 7) == 7);
    BOOST_TEST(t.template find_as<std::uint16_t>("s").value() == 7);
    std::string value;
    BOOST_TEST((t.find_into("b", value) && value == "abcd"));
    BOOST_TEST((t.at("a") == "12" && t.find("c").value() == "3" && t.contains("b") && t.exists("b")));
    BOOST_TEST(t.visit("a", [&](std::string_view in_place) { value = in_place; }));
    BOOST_TEST(value == "12");
    BOOST_TEST(t.size() == 6U);
    BOOST_TEST(t.stats().entries == 6U);
    std::size_t walked = 0;
    t.for_each([&](std::string_view, std::string_view) { ++walked; });
    BOOST_TEST(walked == 6U);
    BOOST_TEST(static_cast<std::size_t>(std::distance(t.begin(), t.end())) == walked);
}

template <class Table>
void use_transactions(Table& t) {
    const std::array<std::string_view, 2> pieces = {"ab", "cd"};
    all_or_nothing(t, [&](Table& table, auto& tx) {
        BOOST_TEST(table.insert(tx, "x", "1"));
        BOOST_TEST(!table.insert(tx, "x", {"1", "2"}));
        BOOST_TEST(table.insert(tx, "y", std::span<const std::string_view>(pieces)));
        BOOST_TEST(!table.try_insert(tx, "y", "3"));
        BOOST_TEST(table.insert_if(tx, Check("y", "abcd"), "z", "4"));
        BOOST_TEST(table.erase_if(tx, Check("z", "4"), "b"));
        BOOST_TEST(table.erase(tx, "c"));
        BOOST_TEST(table.incr(tx, "n", 1) == 3);
        BOOST_TEST(table.incr(tx, "f", 0.25) == 0.75);
        BOOST_TEST(table.template incr_as<std::uint16_t>(tx, "s", 1) == 8);
        BOOST_TEST(table.template find_as<std::uint16_t>(tx, "s").value() == 8);
        BOOST_TEST((table.find(tx, "x").value() == "12" && !table.contains(tx, "c")));
        // The plain forms of reads see the same.
        BOOST_TEST((table.at("z") == "4" && !table.contains("b") && table.size() == 7U));
    });
    BOOST_TEST(t.size() == 7U);
    all_or_nothing(t, [&](Table& table, auto& tx) {
        table.clear(tx);
        BOOST_TEST(table.size() == 0U);
        for (int i = 0; i < 50; ++i) table.insert(tx, std::to_string(i), "value");
        BOOST_TEST(table.size() == 50U);
    });
    BOOST_TEST(t.size() == 50U);
}

/// Grows, shrinks and clears.
template <class Table>
void use_much_of_it(Table& t) {
    for (int i = 0; i < 1000; ++i) t.insert(std::to_string(i), std::string(static_cast<std::size_t>(i % 90), 'x'));
    BOOST_TEST(t.bits() >= 7U);
    for (int i = 0; i < 1000; i += 2) BOOST_REQUIRE(t.erase(std::to_string(i)));
    for (int i = 1; i < 1000; i += 2) BOOST_REQUIRE(t.at(std::to_string(i)).size() == std::size_t(i % 90));
    t.clear();
    BOOST_TEST(t.empty());
    BOOST_TEST(wrong_with(t) == "");
}

} // namespace

BOOST_AUTO_TEST_CASE(every_policy_at_least_once) {
    boost::hana::for_each(ss::registry::few_hash_tables, [](auto type) {
        using Table = typename decltype(type)::type;
        BOOST_TEST_CONTEXT(ss::registry::profile_name<Table>()) {
            const ss::Pool pool = ss::Pool::anonymous();
            Table t(pool, "t", {.bits = 1});
            use_plain_forms(t);
            use_transactions(t);
            use_much_of_it(t);
            BOOST_TEST(wrong_with(pool) == "");
        }
    });
}

BOOST_AUTO_TEST_CASE(striped_tables) {
    boost::hana::for_each(ss::registry::few_striped_tables, [](auto type) {
        using Table = typename decltype(type)::type;
        for (const std::uint64_t domains : {1U, 2U, 7U, 16U})
            BOOST_TEST_CONTEXT(ss::registry::profile_name<Table>() << " in " << domains << " domains") {
                const ss::Pool pool = ss::Pool::anonymous({.domains = domains});
                Table t(pool, "t", {.bits = 1});
                use_plain_forms(t);
                use_much_of_it(t);
                BOOST_TEST(wrong_with(pool) == "");
            }
    });
}

BOOST_AUTO_TEST_SUITE_END()
