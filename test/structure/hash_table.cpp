// Every name of HashTable, in the default profile, by one process: what it does, returns and throws.
#include <ss/ss.hpp>

#include "support/expect.hpp"
#include "support/sanitizer.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

BOOST_AUTO_TEST_SUITE(structure_hash_table)

using namespace ss::test;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

struct Fresh {
    ss::Pool pool = ss::Pool::anonymous();
    ss::HashTable<> t{pool, "table"};

    ~Fresh() {
        BOOST_TEST(wrong_with(pool) == "");
        BOOST_TEST(wrong_with(t) == "");
    }
};

/// Bytes that differ from place to place, from 0 to 255.
std::string bytes(std::size_t size, unsigned seed = 0) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 + i / 251 + seed);
    return text;
}

template <class Table>
std::map<std::string, std::string> contents(const Table& table) {
    std::map<std::string, std::string> all;
    for (const auto& [key, value] : table)
        if (!all.emplace(key, value).second) BOOST_ERROR("the walk met " + key + " twice");
    return all;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(names, Fresh)

BOOST_AUTO_TEST_CASE(insert_tells_whether_the_key_is_new) {
    BOOST_TEST(t.insert("a", "1"));
    BOOST_TEST(!t.insert("a", "2"));
    BOOST_TEST(t.find("a").value() == "2");
    BOOST_TEST(t.size() == 1U);
}

BOOST_AUTO_TEST_CASE(insert_joins_pieces) {
    BOOST_TEST(t.insert("list", {"ab", "", "c"sv, "defghijklmn"}));
    BOOST_TEST(t.at("list") == "abcdefghijklmn");
    const std::array<std::string_view, 3> pieces = {"1234567", "89", "0"};
    BOOST_TEST(!t.insert("list", std::span<const std::string_view>(pieces)));
    BOOST_TEST(t.at("list") == "1234567890");
    t.insert("none", std::initializer_list<std::string_view>{});
    BOOST_TEST(t.at("none").empty());
    t.insert("braces", {});
    BOOST_TEST(t.at("braces").empty());
    // Every way to cut up to four words in three, so that each piece begins and ends everywhere in a word.
    const std::string whole = bytes(32);
    for (std::size_t size = 0; size <= whole.size(); ++size)
        for (std::size_t a = 0; a <= size; ++a)
            for (std::size_t b = a; b <= size; b += 3) {
                const std::string_view view = std::string_view(whole).substr(0, size);
                t.insert("cut", {view.substr(0, a), view.substr(a, b - a), view.substr(b)});
                BOOST_REQUIRE(t.at("cut") == view);
            }
}

BOOST_AUTO_TEST_CASE(try_insert_only_inserts) {
    BOOST_TEST(t.try_insert("a", "1"));
    BOOST_TEST(!t.try_insert("a", "2"));
    BOOST_TEST(t.at("a") == "1");
}

BOOST_AUTO_TEST_CASE(insert_if_checks_this_key_or_another) {
    using ss::Check;
    BOOST_TEST(!t.insert_if(Check("a", "1"), "a", "2"));
    BOOST_TEST(!t.contains("a"));
    BOOST_TEST(t.insert_if(Check::missing("a"), "a", "1"));
    BOOST_TEST(!t.insert_if(Check::missing("a"), "a", "2"));
    BOOST_TEST(!t.insert_if(Check("a", "10"), "a", "2"));
    BOOST_TEST(!t.insert_if(Check("a", ""), "a", "2"));
    BOOST_TEST(t.at("a") == "1");
    BOOST_TEST(t.insert_if(Check("a", "1"), "a", "2"));
    BOOST_TEST(t.at("a") == "2");
    BOOST_TEST(t.insert_if(Check("a", "2"), "b", "seen"));
    BOOST_TEST(!t.insert_if(Check("a", "1"), "b", "not seen"));
    BOOST_TEST(t.insert_if(Check::missing("c"), "b", "seen twice"));
    BOOST_TEST(!t.insert_if(Check::missing("a"), "b", "not seen"));
    BOOST_TEST(t.at("b") == "seen twice");
    t.insert("empty", "");
    BOOST_TEST(t.insert_if(Check("empty", ""), "empty", "no more"));
    BOOST_TEST(!t.insert_if(Check("empty", ""), "empty", "twice"));
    // A temporary's views live as long as the full expression.
    BOOST_TEST(t.insert_if(Check("a"s, std::to_string(2)), "d"s, "3"s));
}

BOOST_AUTO_TEST_CASE(erase_tells_whether_it_was_there) {
    t.insert("a", "1");
    BOOST_TEST(!t.erase("b"));
    BOOST_TEST(t.erase("a"));
    BOOST_TEST(!t.erase("a"));
    BOOST_TEST(t.empty());
}

BOOST_AUTO_TEST_CASE(erase_if_needs_both) {
    using ss::Check;
    t.insert("a", "1");
    t.insert("b", "2");
    BOOST_TEST(!t.erase_if(Check("a", "2"), "a"));
    BOOST_TEST(!t.erase_if(Check("a", "1"), "c"));
    BOOST_TEST(!t.erase_if(Check::missing("a"), "b"));
    BOOST_TEST(t.size() == 2U);
    BOOST_TEST(t.erase_if(Check("b", "2"), "a"));
    BOOST_TEST(t.erase_if(Check::missing("a"), "b"));
    BOOST_TEST(t.empty());
}

BOOST_AUTO_TEST_CASE(reading_what_is_there_and_what_is_not) {
    t.insert("a", "1");
    const ss::HashTable<>& reader = t;
    BOOST_TEST(reader.find("a").value() == "1");
    BOOST_TEST(!reader.find("b").has_value());
    BOOST_TEST(reader.at("a") == "1");
    BOOST_CHECK_THROW((void)reader.at("b"), std::out_of_range);
    BOOST_TEST((reader.contains("a") && reader.exists("a") && !reader.contains("b") && !reader.exists("b")));
}

BOOST_AUTO_TEST_CASE(find_into_uses_its_memory_again) {
    t.insert("long", bytes(1000));
    t.insert("short", "x");
    std::string buffer;
    BOOST_TEST(t.find_into("long", buffer));
    BOOST_TEST(buffer == bytes(1000));
    const char* const memory = buffer.data();
    BOOST_TEST(t.find_into("short", buffer));
    BOOST_TEST(buffer == "x");
    BOOST_TEST(t.find_into("long", buffer));
    BOOST_TEST(buffer == bytes(1000));
    BOOST_TEST(static_cast<const void*>(buffer.data()) == static_cast<const void*>(memory));
    BOOST_TEST(!t.find_into("none", buffer));
}

BOOST_AUTO_TEST_CASE(visit_shows_the_value_in_place) {
    t.insert("a", bytes(500));
    const char* first = nullptr;
    BOOST_TEST(t.visit("a", [&](std::string_view value) {
        BOOST_TEST(value == bytes(500));
        first = value.data();
    }));
    t.visit("a", [&](std::string_view value) {
        BOOST_TEST(static_cast<const void*>(value.data()) == static_cast<const void*>(first)); // no copy
    });
    BOOST_TEST(!t.visit("b", [](std::string_view) { BOOST_ERROR("called for a key that is missing"); }));
    t.insert("empty", "");
    bool called = false;
    t.visit("empty", [&](std::string_view value) { called = value.empty(); });
    BOOST_TEST(called);
}

BOOST_AUTO_TEST_CASE(visit_refuses_what_would_deadlock_and_lets_reads_through) {
    ss::HashTable<> other(pool, "other in the same domain");
    other.insert("x", "1");
    t.insert("a", "1");
    t.visit("a", [&](std::string_view) {
        BOOST_TEST(thrown_by([&] { t.insert("b", "2"); }) == error(ss::errc::would_deadlock));
        BOOST_TEST(thrown_by([&] { t.erase("a"); }) == error(ss::errc::would_deadlock));
        BOOST_TEST(thrown_by([&] { t.incr("n", 1); }) == error(ss::errc::would_deadlock));
        BOOST_TEST(thrown_by([&] { t.clear(); }) == error(ss::errc::would_deadlock));
        BOOST_TEST(thrown_by([&] { other.insert("b", "2"); }) == error(ss::errc::would_deadlock));
        BOOST_TEST(thrown_by([&] { t.visit("a", [](std::string_view) {}); }) == error(ss::errc::would_deadlock));
        BOOST_TEST(thrown_by([&] { ss::transaction(other, [](auto&) {}); }) == error(ss::errc::would_deadlock));
        BOOST_TEST(thrown_by([&] { const ss::HashTable<> made(pool, "new"); }) == error(ss::errc::would_deadlock));
        BOOST_TEST(thrown_by([&] { pool.remove_object("table"); }) == error(ss::errc::would_deadlock));
        BOOST_TEST(t.at("a") == "1");
        BOOST_TEST(other.at("x") == "1");
        BOOST_TEST(t.size() == 1U);
        BOOST_TEST(contents(t).size() == 1U);
        BOOST_TEST(pool.objects().size() == 2U);
    });
    BOOST_TEST(t.insert("b", "2")); // the lock is free again
}

BOOST_AUTO_TEST_CASE(visit_lets_exceptions_through) {
    t.insert("a", "1");
    BOOST_CHECK_THROW(t.visit("a", [](std::string_view) { throw std::logic_error("of the user"); }),
                      std::logic_error);
    BOOST_CHECK_THROW(t.visit("a", [](std::string_view) { throw 5; }), int);
    BOOST_TEST(thrown_by([&] {
                   t.visit("a", [](std::string_view) { throw ss::Error(ss::errc::damaged, "of the user's own"); });
               }) == error(ss::errc::damaged));
    BOOST_TEST(t.insert("b", "2"));
}

BOOST_AUTO_TEST_CASE(keys_and_values_are_any_bytes) {
    const std::vector<std::string> samples = {"",         "\0"s,      "\0\0"s,      "a\0"s,     "a",
                                              "\0a"s,     "1234567",  "1234567\0"s, "12345678", "123456789",
                                              "\xff\xff", bytes(300), bytes(299),   bytes(256)};
    for (const std::string& key : samples)
        for (const std::string& value : samples) {
            t.insert(key, value);
            BOOST_REQUIRE(t.at(key) == value);
        }
    BOOST_TEST(t.size() == samples.size());
    for (const std::string& key : samples) BOOST_TEST(t.erase(key));
}

BOOST_AUTO_TEST_CASE(all_sizes_of_keys_and_values_up_to_300) {
    std::map<std::string, std::string> expected;
    for (std::size_t size = 0; size <= 300; ++size) {
        const std::string key = bytes(size, 7);
        BOOST_TEST(t.insert(key, bytes(300 - size)));
        expected[key] = bytes(300 - size);
        BOOST_REQUIRE(t.at(key) == bytes(300 - size));
    }
    BOOST_TEST((contents(t) == expected));
    for (std::size_t size = 0; size <= 300; ++size) t.insert(bytes(size, 7), bytes(size));
    for (std::size_t size = 0; size <= 300; ++size) BOOST_REQUIRE(t.at(bytes(size, 7)) == bytes(size));
}

BOOST_AUTO_TEST_CASE(overwriting_by_shorter_and_longer_values) {
    // Words in place are 8; around that, and where a new value ends in the middle of an old word, is what may go wrong.
    for (std::size_t before = 0; before <= 80; ++before)
        for (std::size_t after = 0; after <= 80; ++after) {
            t.insert("k", bytes(before, 1));
            t.insert("k", bytes(after, 2));
            BOOST_REQUIRE(t.at("k") == bytes(after, 2));
        }
    // Short, then as long as it was: the record keeps its room or finds another, and counts its bytes right.
    for (std::size_t size : {64U, 0U, 64U, 1U, 65U, 63U, 9U, 72U, 8U}) {
        t.insert("k", bytes(size));
        BOOST_REQUIRE(t.at("k") == bytes(size));
        BOOST_REQUIRE(wrong_with(pool) == "");
    }
    BOOST_TEST(t.size() == 1U);
}

BOOST_AUTO_TEST_CASE(values_of_many_mebibytes) {
    const std::string large = bytes(5 * ss::mebi + 3);
    const std::string larger = bytes(17 * ss::mebi - 5);
    t.insert("l", large);
    BOOST_TEST((t.at("l") == large));
    t.insert("l", larger);
    BOOST_TEST((t.at("l") == larger));
    t.insert(larger, "as a key");
    BOOST_TEST(t.at(larger) == "as a key");
    BOOST_TEST((contents(t).size() == 2U));
    t.visit("l", [&](std::string_view value) { BOOST_TEST((value == larger)); });
    t.insert("l", "s");
    t.erase(larger);
    BOOST_TEST(t.size() == 1U);
}

BOOST_AUTO_TEST_CASE(past_4_gibibytes_less_one_is_too_large) {
    // Views that claim so many bytes: nobody may look at them.
    const std::string_view huge("x", ss::max_bytes_size + 1);
    const std::string_view half("x", ss::max_bytes_size / 2 + 1);
    t.insert("k", "v");
    BOOST_TEST(thrown_by([&] { t.insert(huge, "v"); }) == error(ss::errc::too_large));
    BOOST_TEST(thrown_by([&] { t.insert("k", huge); }) == error(ss::errc::too_large));
    BOOST_TEST(thrown_by([&] { t.insert("k", {half, half}); }) == error(ss::errc::too_large));
    BOOST_TEST(thrown_by([&] { t.insert("k", {huge, huge}); }) == error(ss::errc::too_large));
    BOOST_TEST(thrown_by([&] { t.insert_if(ss::Check::missing("z"), "k", huge); }) == error(ss::errc::too_large));
    BOOST_TEST(thrown_by([&] { t.insert_if(ss::Check::missing(huge), "k", "w"); }) == error(ss::errc::too_large));
    BOOST_TEST(!t.insert_if(ss::Check("k", huge), "k", "w"));
    BOOST_TEST(thrown_by([&] { (void)t.find(huge); }) == error(ss::errc::too_large));
    BOOST_TEST(thrown_by([&] { t.erase(huge); }) == error(ss::errc::too_large));
    BOOST_TEST(thrown_by([&] { t.incr(huge, 1); }) == error(ss::errc::too_large));
    BOOST_TEST(t.at("k") == "v");
    BOOST_TEST(t.size() == 1U);
    // What is allowed and does not fit into the pool's max_size is another error, and no byte is read for it either.
    const ss::Pool small = ss::Pool::anonymous({.max_size = 16 * ss::mebi});
    ss::HashTable<> narrow(small, "narrow");
    const std::string_view allowed("x", ss::max_bytes_size);
    BOOST_TEST(thrown_by([&] { narrow.insert("k", allowed); }) == error(ss::errc::past_max_size));
    BOOST_TEST(narrow.empty());
    BOOST_TEST(wrong_with(small) == "");
}

BOOST_AUTO_TEST_CASE(null_pointers_are_refused) {
    const char* const null = nullptr;
    char* const writable_null = nullptr;
    BOOST_TEST(thrown_by([&] { t.insert(null, "v"); }) == error(ss::errc::invalid_argument));
    BOOST_TEST(thrown_by([&] { t.insert("k", null); }) == error(ss::errc::invalid_argument));
    BOOST_TEST(thrown_by([&] { t.insert("k", writable_null); }) == error(ss::errc::invalid_argument));
    BOOST_TEST(thrown_by([&] { (void)t.find(null); }) == error(ss::errc::invalid_argument));
    BOOST_TEST(thrown_by([&] { t.insert_if(ss::Check(null, "v"), "k", "v"); }) == error(ss::errc::invalid_argument));
    BOOST_TEST(t.empty());
    // A null view is an empty one.
    t.insert(std::string_view(), std::string_view());
    BOOST_TEST(t.at("").empty());
}

BOOST_AUTO_TEST_CASE(integers_of_every_width) {
    const auto check = [&]<class T>(T) {
        const std::string key = "integer of " + std::to_string(sizeof(T)) + (std::is_signed_v<T> ? "s" : "u");
        BOOST_TEST((t.incr_as<T>(key, 5) == T{5}));
        BOOST_TEST(t.at(key).size() == sizeof(T));
        BOOST_TEST((t.incr_as<T>(key, static_cast<T>(-2)) == T{3}));
        BOOST_TEST((t.find_as<T>(key).value() == T{3}));
        T value;
        const std::string raw = t.at(key);
        std::memcpy(&value, raw.data(), sizeof value);
        BOOST_TEST((value == T{3})); // native byte order
        t.incr_as<T>(key, static_cast<T>(std::numeric_limits<T>::max() - 3));
        BOOST_TEST((t.find_as<T>(key).value() == std::numeric_limits<T>::max()));
        BOOST_TEST((t.incr_as<T>(key, 1) == std::numeric_limits<T>::min())); // wraps
        BOOST_TEST((t.incr_as<T>(key, static_cast<T>(-1)) == std::numeric_limits<T>::max()));
        BOOST_TEST(!t.find_as<T>("none").has_value());
    };
    check(std::int8_t{});
    check(std::int16_t{});
    check(std::int32_t{});
    check(std::int64_t{});
    check(std::uint8_t{});
    check(std::uint16_t{});
    check(std::uint32_t{});
    check(std::uint64_t{});
}

BOOST_AUTO_TEST_CASE(incr_counts_in_64_bits) {
    BOOST_TEST(t.incr("n", 1) == 1);
    BOOST_TEST(t.incr("n", -5) == -4);
    BOOST_TEST(t.incr("n", std::int8_t{-1}) == -5);
    BOOST_TEST(t.incr("n", 10U) == 5);
    BOOST_TEST(t.incr("n", 0) == 5);
    static_assert(std::is_same_v<decltype(t.incr("n", short{1})), std::int64_t>);
    BOOST_TEST(t.at("n").size() == 8U);
    BOOST_TEST(t.incr("n", std::numeric_limits<std::int64_t>::max()) == std::numeric_limits<std::int64_t>::min() + 4);
    BOOST_TEST(t.incr("m", ~std::uint64_t{0}) == -1);
}

BOOST_AUTO_TEST_CASE(floating_numbers) {
    static_assert(std::is_same_v<decltype(t.incr("d", 1.0F)), double>);
    BOOST_TEST(t.incr("d", 0.5) == 0.5);
    BOOST_TEST(t.incr("d", 0.25F) == 0.75);
    BOOST_TEST(t.at("d").size() == 8U);
    BOOST_TEST(t.incr_as<float>("f", 1.5F) == 1.5F);
    BOOST_TEST(t.incr_as<float>("f", -0.25F) == 1.25F);
    BOOST_TEST(t.at("f").size() == 4U);
    BOOST_TEST(t.find_as<float>("f").value() == 1.25F);
    t.incr("d", std::numeric_limits<double>::infinity());
    BOOST_TEST(std::isinf(t.find_as<double>("d").value()));
    BOOST_TEST(std::isnan(t.incr("d", -std::numeric_limits<double>::infinity())));
}

BOOST_AUTO_TEST_CASE(a_value_of_another_width_throws_and_stays) {
    for (const std::string& value : {""s, "1"s, "1234567"s, "123456789"s, bytes(200)}) {
        t.insert("k", value);
        BOOST_TEST(thrown_by([&] { t.incr("k", 1); }) == error(ss::errc::wrong_width));
        BOOST_TEST(thrown_by([&] { t.incr("k", 1.0); }) == error(ss::errc::wrong_width));
        BOOST_TEST(thrown_by([&] { t.incr_as<std::int32_t>("k", 1); }) == error(ss::errc::wrong_width));
        BOOST_TEST(thrown_by([&] { (void)t.find_as<std::int64_t>("k"); }) == error(ss::errc::wrong_width));
        BOOST_TEST(t.at("k") == value);
    }
    t.incr_as<std::int16_t>("s", 3);
    BOOST_TEST(thrown_by([&] { t.incr_as<std::int8_t>("s", 3); }) == error(ss::errc::wrong_width));
    BOOST_TEST(thrown_by([&] { t.incr("s", 3); }) == error(ss::errc::wrong_width));
    BOOST_TEST(t.find_as<std::int16_t>("s").value() == 3);
    const std::string said = sentence_of([&] { t.incr("s", 3); });
    BOOST_TEST((said.find('2') != std::string::npos && said.find('8') != std::string::npos), said);
}

BOOST_AUTO_TEST_CASE(many_at_once) {
    std::vector<std::string> keys;
    for (int i = 0; i < 300; ++i) {
        keys.push_back(std::to_string(i));
        if (i % 3 != 0) t.insert(keys.back(), bytes(static_cast<std::size_t>(i))); // in pages, and outside
    }
    keys.insert(keys.end(), {"1", "1", "", "none"});
    t.insert("", "empty");
    const std::vector<std::string_view> views(keys.begin(), keys.end());
    std::vector<std::size_t> hits;
    const auto check = [&](std::size_t index, std::string_view value) {
        hits.push_back(index);
        BOOST_TEST((value == t.at(views[index])));
        t.insert("new " + std::to_string(index), "no lock is held");
    };
    const std::size_t found = t.find_many(views, check);
    std::vector<std::size_t> expected;
    for (std::size_t i = 0; i < views.size(); ++i)
        if (t.contains(views[i])) expected.push_back(i);
    BOOST_TEST((hits == expected && found == expected.size() && found == 203U));
    BOOST_TEST(t.find_many({}, check) == 0U);
    // What f throws comes through; what a transaction has changed is seen.
    BOOST_CHECK_THROW(t.find_many(views, [](std::size_t, std::string_view) { throw 1; }), int);
    ss::transaction(t, [&](auto& tx) {
        t.erase(tx, "1");
        BOOST_TEST(t.find_many(views, [](std::size_t, std::string_view) {}) == 200U);
    });
}

BOOST_AUTO_TEST_CASE(size_empty_and_clear) {
    BOOST_TEST((t.empty() && t.size() == 0U));
    for (int i = 0; i < 5000; ++i) t.insert(std::to_string(i), bytes(100));
    BOOST_TEST((t.size() == 5000U && !t.empty()));
    const unsigned before = t.bits();
    const std::uint64_t allocated = t.stats().domain.bytes_allocated;
    t.clear();
    BOOST_TEST((t.size() == 0U && t.empty()));
    BOOST_TEST(!t.contains("1"));
    BOOST_TEST((t.begin() == t.end()));
    BOOST_TEST((t.bits() == 8U && before > 8U));
    BOOST_TEST(t.stats().garbage_bytes > 400'000U);
    BOOST_TEST(wrong_with(pool) == "");
    // The memory comes back with later writes, a little each.
    for (int i = 0; i < 4000; ++i) t.insert("k", "v");
    BOOST_TEST(t.stats().garbage_bytes == 0U);
    BOOST_TEST(t.stats().domain.bytes_allocated < allocated / 10);
    t.clear();
    t.clear();
    BOOST_TEST(t.empty());
}

BOOST_AUTO_TEST_CASE(walks) {
    BOOST_TEST((t.begin() == t.end()));
    std::map<std::string, std::string> expected;
    for (int i = 0; i < 3000; ++i) {
        const std::string key = std::to_string(i);
        t.insert(key, bytes(static_cast<std::size_t>(i % 50)));
        expected[key] = bytes(static_cast<std::size_t>(i % 50));
    }
    BOOST_TEST((contents(t) == expected));
    std::map<std::string, std::string> visited;
    t.for_each([&](std::string_view key, std::string_view value) { visited.emplace(key, value); });
    BOOST_TEST((visited == expected));
    auto it = t.begin();
    const auto copy = it;
    const auto first = *it;
    BOOST_TEST((*it++ == first && *copy == first));
    BOOST_TEST((*it != first && it != copy));
    ++it;
    // A walk may write, and outlives the handle that it began on.
    std::optional<ss::HashTable<>> handle(t);
    auto walk = handle->begin();
    handle.reset();
    std::size_t rest = 0;
    for (; walk != t.end(); ++walk, ++rest) t.erase(walk->first);
    BOOST_TEST(rest == 3000U);
    BOOST_TEST(t.empty());
    // No lock is held in for_each.
    t.insert("a", "1");
    t.for_each([&](std::string_view, std::string_view) { t.insert("b", "2"); });
    BOOST_TEST(t.contains("b"));
}

BOOST_AUTO_TEST_CASE(stats_tell_what_there_is) {
    const ss::HashTableStats empty = t.stats();
    BOOST_TEST(empty.entries == 0U);
    BOOST_TEST(empty.buckets == 32U);
    for (int i = 0; i < 100; ++i) t.insert(std::to_string(i), bytes(100));
    const ss::HashTableStats some = t.stats();
    BOOST_TEST(some.entries == 100U);
    BOOST_TEST(some.bytes_allocated >= empty.bytes_allocated + 100 * (8 + 8 + 104));
    BOOST_TEST(some.domain.bytes_allocated - empty.domain.bytes_allocated ==
               some.bytes_allocated - empty.bytes_allocated);
    BOOST_TEST(some.domain.bytes_committed == some.domain.bytes_committed / 4096 * 4096);
    BOOST_TEST(some.domain.entries == 1U);
    BOOST_TEST(some.recoveries == 0U);
    BOOST_TEST(some.journal_high_water > 0U);
    for (int i = 0; i < 100; ++i) t.erase(std::to_string(i));
    BOOST_TEST(t.stats().bytes_allocated == empty.bytes_allocated);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(the_option_bits) {
    for (unsigned bits = 0; bits <= (address_sanitizer ? 12U : 20U); ++bits) {
        const ss::Pool pool = ss::Pool::anonymous();
        ss::HashTable<> t(pool, "t", {.bits = bits});
        BOOST_TEST(t.bits() == bits);
        BOOST_TEST(t.stats().buckets == std::max(std::uint64_t{1}, (std::uint64_t{1} << bits) / 8));
        for (int i = 0; i < 100; ++i) t.insert(std::to_string(i), "v");
        BOOST_TEST(t.size() == 100U);
        for (int i = 0; i < 100; ++i) BOOST_REQUIRE(t.contains(std::to_string(i)));
        BOOST_TEST(t.bits() >= bits);
        // Who opens it again gets what it was made with.
        const ss::HashTable<> again(pool, "t", {.bits = 3});
        BOOST_TEST(again.bits() == t.bits());
        for (int i = 0; i < 100; ++i) t.erase(std::to_string(i));
        for (int i = 0; i < 100; ++i) t.erase("nothing, but a little upkeep");
        BOOST_TEST(t.bits() == bits); // and never fewer
        BOOST_TEST(wrong_with(pool) == "");
    }
    const ss::Pool pool = ss::Pool::anonymous();
    BOOST_TEST(thrown_by([&] { const ss::HashTable<> t(pool, "t", {.bits = 33}); }) ==
               error(ss::errc::invalid_argument));
    BOOST_TEST(thrown_by([&] { const ss::HashTable<> t(pool, "t", {.bits = 32}); }) ==
               error(ss::errc::past_max_size));
    BOOST_TEST(pool.objects().empty());
}

BOOST_AUTO_TEST_CASE(handles_are_copied_and_moved) {
    std::optional<ss::Pool> pool(ss::Pool::anonymous());
    std::optional<ss::HashTable<>> first(std::in_place, *pool, "t");
    first->insert("a", "1");
    ss::HashTable<> copy(*first);
    ss::HashTable<> moved(std::move(*first));
    first.reset();
    const ss::HashTable<> second(*pool, "t");
    pool.reset(); // the handles keep the pool attached
    BOOST_TEST(copy.at("a") == "1");
    moved.insert("b", "2");
    BOOST_TEST(second.at("b") == "2");
    BOOST_TEST(copy.size() == 2U);
    ss::HashTable<> other(ss::Pool::anonymous(), "t");
    other = copy;
    BOOST_TEST(other.at("b") == "2");
    other = std::move(moved);
    BOOST_TEST(other.at("b") == "2");
}

BOOST_AUTO_TEST_CASE(a_removed_table_is_gone_for_its_handles) {
    const ss::Pool pool = ss::Pool::anonymous();
    ss::HashTable<> t(pool, "t");
    t.insert("a", "1");
    for (int i = 0; i < 64; ++i) t.insert(std::to_string(i), ""); // of one alone, the last bucket may be the home
    auto walk = t.begin();
    BOOST_TEST(pool.remove_object("t"));
    BOOST_TEST(!pool.remove_object("t"));
    const auto gone = error(ss::errc::no_such_object);
    BOOST_TEST(thrown_by([&] { t.insert("a", "2"); }) == gone);
    BOOST_TEST(thrown_by([&] { t.erase("a"); }) == gone);
    BOOST_TEST(thrown_by([&] { t.clear(); }) == gone);
    BOOST_TEST(thrown_by([&] { t.incr("n", 1); }) == gone);
    BOOST_TEST(thrown_by([&] { (void)t.find("a"); }) == gone);
    BOOST_TEST(thrown_by([&] { (void)t.find_as<int>("a"); }) == gone);
    BOOST_TEST(thrown_by([&] { (void)t.contains("a"); }) == gone);
    BOOST_TEST(thrown_by([&] { t.visit("a", [](std::string_view) {}); }) == gone);
    BOOST_TEST(thrown_by([&] { (void)t.size(); }) == gone);
    BOOST_TEST(thrown_by([&] { (void)t.stats(); }) == gone);
    BOOST_TEST(thrown_by([&] { (void)t.verify(); }) == gone);
    BOOST_TEST(thrown_by([&] { (void)t.begin(); }) == gone);
    BOOST_TEST(thrown_by([&] {
                   while (walk != t.end()) ++walk;
               }) == gone);
    BOOST_TEST(thrown_by([&] { ss::transaction(t, [&](auto& tx) { t.insert(tx, "a", "1"); }); }) == gone);
    // The name can be had again, and is another object.
    ss::HashTable<> fresh(pool, "t");
    BOOST_TEST(fresh.empty());
    fresh.insert("b", "2");
    BOOST_TEST(thrown_by([&] { (void)t.find("b"); }) == gone);
    BOOST_TEST(thrown_by([&] { t.insert("c", "3"); }) == gone);
    BOOST_TEST(fresh.size() == 1U);
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE(a_read_only_pool_reads_everything_and_writes_nothing) {
    const TempDir directory;
    {
        const ss::Pool pool(directory / "pool");
        ss::HashTable<> t(pool, "t");
        for (int i = 0; i < 100; ++i) t.insert(std::to_string(i), bytes(100));
        t.incr("n", 7);
        const ss::HashTable<>::with<ss::FutexLock> never(ss::Pool::anonymous(), "compiles");
    }
    const ss::Pool pool(directory / "pool", {.access = ss::Access::read_only});
    ss::HashTable<> t(pool, "t");
    BOOST_TEST(t.at("5") == bytes(100));
    BOOST_TEST(t.find_as<std::int64_t>("n").value() == 7);
    BOOST_TEST(t.size() == 101U);
    BOOST_TEST(contents(t).size() == 101U);
    std::string seen;
    BOOST_TEST(t.visit("5", [&](std::string_view value) { seen = value; }));
    BOOST_TEST(seen == bytes(100));
    BOOST_TEST(t.stats().entries == 101U);
    BOOST_TEST(wrong_with(t) == "");
    BOOST_TEST(wrong_with(pool) == "");
    BOOST_TEST(pool.objects().size() == 1U);
    const auto refused = error(ss::errc::read_only);
    BOOST_TEST(thrown_by([&] { t.insert("a", "1"); }) == refused);
    BOOST_TEST(thrown_by([&] { t.erase("5"); }) == refused);
    BOOST_TEST(thrown_by([&] { t.clear(); }) == refused);
    BOOST_TEST(thrown_by([&] { t.incr("n", 1); }) == refused);
    BOOST_TEST(thrown_by([&] { ss::transaction(t, [](auto&) {}); }) == refused);
    BOOST_TEST(thrown_by([&] { pool.remove_object("t"); }) == refused);
    BOOST_TEST(thrown_by([&] { const ss::HashTable<> none(pool, "none"); }) == error(ss::errc::no_such_object));
    // Readers of a profile that is not optimistic lock, so that cannot even be made.
    BOOST_TEST(thrown_by([&] { const ss::HashTable<>::with<ss::FutexLock> locking(pool, "t"); }) == refused);
}

BOOST_AUTO_TEST_SUITE_END()
