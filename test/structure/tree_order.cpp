// The order of a PrefixTree: iterators both ways, bounds, prefixes, and what walks see of changes.
#include <ss/ss.hpp>

#include "structure/tree_support.hpp"
#include "support/expect.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <semaphore>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#ifndef __clang__
#include <ranges>
#endif

BOOST_AUTO_TEST_SUITE(structure_tree_order)

using namespace ss::test;
using namespace std::string_literals;
using ss::errc;
using ss::Value;
using ss::ValueView;

namespace {

using Tree = ss::PrefixTree<>;
using Range = decltype(std::declval<const Tree&>().prefix(""));

static_assert(std::bidirectional_iterator<Tree::iterator>);
static_assert(std::same_as<std::iter_value_t<Tree::iterator>, std::pair<std::string, Value>>);
static_assert(std::same_as<std::iter_reference_t<Tree::iterator>, std::pair<std::string, Value>>);
static_assert(std::sentinel_for<Tree::iterator, Tree::iterator>);
static_assert(std::sentinel_for<std::default_sentinel_t, Tree::iterator>);
static_assert(std::sentinel_for<decltype(std::declval<Range>().end()), Tree::iterator>);
#ifndef __clang__
static_assert(std::ranges::bidirectional_range<Tree> && std::ranges::bidirectional_range<const Tree>);
static_assert(std::ranges::common_range<Tree>);
static_assert(std::ranges::input_range<Range> && std::ranges::input_range<const Range>);
static_assert(std::ranges::forward_range<Range> && !std::ranges::common_range<Range>);
#endif

std::string key_of(int number) { return "key " + big_endian(static_cast<std::uint64_t>(number), 3); }

struct Fresh {
    ss::Pool pool = ss::Pool::anonymous();
    Tree t{pool, "tree"};

    ~Fresh() { BOOST_TEST(wrong_with(pool) == ""); }

    void put(std::initializer_list<const char*> keys) {
        for (const char* key : keys) t.insert(key, key);
    }
    std::vector<std::string> rest_from(Tree::iterator it) const {
        std::vector<std::string> keys;
        for (; it != t.end(); ++it) keys.emplace_back(it.key());
        return keys;
    }
};

using Keys = std::vector<std::string>;

bool less(const Value& a, const Value& b) { return std::get<std::int64_t>(a) < std::get<std::int64_t>(b); }

/// Keys that begin with each other, of the smallest and greatest bytes, with gaps in prefixes and between slots.
std::map<std::string, Value> samples() {
    std::map<std::string, Value> all;
    std::mt19937 engine(4);
    const std::string bytes = "\x00\x01\x61\x7f\x80\xff"s;
    for (int i = 0; i < 500; ++i) {
        std::string key(engine() % 5, '\0');
        for (char& c : key) c = bytes[engine() % bytes.size()];
        if (i % 5 == 0) key += std::string(static_cast<std::size_t>(i % 40), bytes[engine() % bytes.size()]);
        all.emplace(key, std::int64_t{i});
    }
    for (unsigned i = 0; i < 256; i += 2)
        all.emplace("dense" + std::string(1, static_cast<char>(i)), std::int64_t{i});
    return all;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(order, Fresh)

BOOST_AUTO_TEST_CASE(an_empty_tree) {
    BOOST_TEST((t.begin() == t.end() && t.begin().is_end() && t.begin() == std::default_sentinel));
    BOOST_TEST((--t.end() == t.end()));
    BOOST_TEST((t.lower_bound("") == t.end() && t.upper_bound("a") == t.end() && t.iterator_at("") == t.end()));
    BOOST_TEST((t.prefix("").empty() && !t.next_key().has_value() && !t.next_key_value("").has_value()));
    BOOST_TEST((!t.longest_prefix("").has_value() && !t.longest_prefix("a").has_value()));
    BOOST_TEST((t.count_prefix("") == 0U && t.nodes_for_prefix("a") == 0U && t.bytes_for_prefix("") == 0U));
    BOOST_TEST((t.erase_prefix("") == 0U && t.top("", 5, less).empty()));
    t.for_each([](std::string_view, const ValueView&) { BOOST_ERROR("called for an empty tree"); });
    t.clear();
    BOOST_TEST(printed(t).empty());
    BOOST_TEST((Tree::iterator() == Tree::iterator()));
}

BOOST_AUTO_TEST_CASE(everything_against_a_map) {
    const auto all = samples();
    for (const auto& [key, value] : all) t.insert(key, value);
    BOOST_TEST(is_same(tree_contents(t), all));
    std::set<std::string> asked;
    for (const auto& [key, value] : all) {
        asked.insert(key);
        asked.insert(key + '\0');
        asked.insert(key + "\xff");
        if (key.empty()) continue;
        asked.insert(key.substr(0, key.size() - 1));
        std::string near = key;
        near.back() = static_cast<char>(near.back() + 1);
        asked.insert(near);
        near.back() = static_cast<char>(near.back() - 2);
        asked.insert(near);
    }
    for (const std::string& key : asked) {
        const auto lower = all.lower_bound(key), upper = all.upper_bound(key);
        const auto is_at = [&](const Tree::iterator& it, auto expected) {
            if (expected == all.end()) return it == t.end();
            return it != t.end() && it.key() == expected->first &&
                   *it == std::pair(expected->first, expected->second);
        };
        BOOST_REQUIRE(is_at(t.lower_bound(key), lower));
        BOOST_REQUIRE(is_at(t.upper_bound(key), upper));
        BOOST_REQUIRE(is_at(t.iterator_at(key), all.find(key)));
        BOOST_REQUIRE(t.next_key(key) == (upper == all.end() ? std::nullopt : std::optional(upper->first)));
        const auto next = t.next_key_value(key);
        BOOST_REQUIRE(
            (next.has_value() == (upper != all.end()) && (!next || *next == std::pair(upper->first, upper->second))));
        // Backwards from there, a few steps, and back again.
        auto it = t.lower_bound(key);
        auto at = lower;
        for (int i = 0; i < 7 && at != all.begin(); ++i) BOOST_REQUIRE(is_at(--it, --at));
        for (int i = 0; i < 9 && at != all.end(); ++i) BOOST_REQUIRE(is_at(++it, ++at));
        // What begins with it.
        std::map<std::string, Value> with;
        for (auto i = lower; i != all.end() && i->first.starts_with(key); ++i) with.insert(*i);
        std::map<std::string, Value> found;
        for (const auto& [k, v] : t.prefix(key)) found.emplace(k, v);
        BOOST_REQUIRE(is_same(found, with));
        found.clear();
        t.for_each_prefix(key, [&](std::string_view k, const ValueView& v) { found.emplace(k, ss::copy_of(v)); });
        BOOST_REQUIRE(is_same(found, with));
        BOOST_REQUIRE(t.count_prefix(key) == with.size());
        BOOST_REQUIRE(t.prefix(key).empty() == with.empty());
        // What it begins with.
        std::optional<std::string> longest;
        for (std::size_t size = 0; size <= key.size(); ++size)
            if (all.contains(key.substr(0, size))) longest = key.substr(0, size);
        const auto match = t.longest_prefix(key);
        BOOST_REQUIRE(match.has_value() == longest.has_value());
        if (match) BOOST_REQUIRE((match->first == *longest && match->second == all.at(*longest)));
    }
    BOOST_TEST(t.next_key().value() == all.begin()->first);
    BOOST_TEST((t.next_key_value().value() == std::pair(all.begin()->first, all.begin()->second)));
    // All of it backwards.
    auto it = t.end();
    for (auto at = all.rbegin(); at != all.rend(); ++at) BOOST_REQUIRE((*--it == std::pair(at->first, at->second)));
    BOOST_TEST((it == t.begin()));
    BOOST_TEST((--it == t.end())); // as the library says; --begin() of others is undefined
    // Ranges of keys.
    std::mt19937 engine(6);
    const Keys keys(asked.begin(), asked.end());
    for (int i = 0; i < 300; ++i) {
        const std::string &from = keys[engine() % keys.size()], &to = keys[engine() % keys.size()];
        Keys expected, found;
        for (const auto& [key, value] : all)
            if (key >= from && key < to) expected.push_back(key);
        t.for_each(from, to, [&](std::string_view key, const ValueView&) { found.emplace_back(key); });
        BOOST_REQUIRE((found == expected));
        // From there on so many, as long as there are any.
        const auto begin = all.lower_bound(from);
        const std::size_t most = 1 + engine() % 60;
        auto at = begin;
        std::size_t steps = 0;
        t.for_each_from(from, [&](std::string_view key, const ValueView& value) {
            BOOST_REQUIRE((at != all.end() && key == at->first && is_same(ss::copy_of(value), at->second)));
            ++at;
            return ++steps < most;
        });
        BOOST_REQUIRE((steps == most || at == all.end()));
    }
}

BOOST_AUTO_TEST_CASE(sums_of_prefixes_add_up) {
    const std::uint64_t empty = t.stats().bytes_allocated;
    for (const auto& [key, value] : samples()) t.insert(key, std::string(key.size() * 3, 'v'));
    BOOST_TEST(t.bytes_for_prefix("") + empty == t.stats().bytes_allocated);
    BOOST_TEST(t.nodes_for_prefix("") == t.node_size());
    std::uint64_t entries = 0, nodes = 0, bytes = 0;
    for (unsigned byte = 0; byte < 256; ++byte) {
        const std::string prefix(1, static_cast<char>(byte));
        entries += t.count_prefix(prefix);
        nodes += t.nodes_for_prefix(prefix);
        bytes += t.bytes_for_prefix(prefix);
    }
    BOOST_TEST(entries + t.contains("") == t.size());
    BOOST_TEST(nodes + 1 == t.node_size()); // the root has no prefix: keys begin with all bytes
    BOOST_TEST(bytes < t.bytes_for_prefix(""));
    // In the middle of a node's prefix it is the same as at its end.
    BOOST_TEST(t.count_prefix("den") == 128U);
    BOOST_TEST(t.nodes_for_prefix("den") == t.nodes_for_prefix("dense"));
    BOOST_TEST(t.bytes_for_prefix("d") == t.bytes_for_prefix("dense"));
    BOOST_TEST(t.count_prefix("dens ") == 0U);
    BOOST_TEST(t.erase_prefix("dens ") == 0U);
    BOOST_TEST(t.erase_prefix("dens") == 128U);
    BOOST_TEST(t.erase_prefix("dens") == 0U);
}

BOOST_AUTO_TEST_CASE(the_greatest_of_a_prefix) {
    put({"b", "ab", "ac"});
    t.clear();
    const std::vector<std::pair<const char*, int>> words = {{"able", 5},   {"about", 9},  {"above", 5}, {"abroad", 5},
                                                            {"absent", 1}, {"back", 100}, {"ab", 9}};
    for (const auto& [word, weight] : words) t.insert(word, weight);
    const auto keys_of = [](const auto& entries) {
        Keys keys;
        for (const auto& [key, value] : entries) keys.push_back(key);
        return keys;
    };
    BOOST_TEST((keys_of(t.top("ab", 4, less)) == Keys{"ab", "about", "able", "above"}));
    BOOST_TEST((keys_of(t.top("ab", 1, less)) == Keys{"ab"}));
    BOOST_TEST((keys_of(t.top("ab", 100, less)) == Keys{"ab", "about", "able", "above", "abroad", "absent"}));
    BOOST_TEST((keys_of(t.top("", 2, less)) == Keys{"back", "ab"}));
    BOOST_TEST(t.top("ab", 0, less).empty());
    BOOST_TEST(t.top("abx", 3, less).empty());
    BOOST_TEST((std::get<std::int64_t>(t.top("ab", 1, less)[0].second) == 9));
    // Many, against sorting them all.
    std::mt19937 engine(5);
    std::vector<std::pair<std::int64_t, std::string>> all;
    for (int i = 0; i < 700; ++i) {
        all.emplace_back(-static_cast<std::int64_t>(engine() % 40), key_of(i));
        t.insert(key_of(i), -all.back().first);
    }
    std::sort(all.begin(), all.end());
    for (const std::size_t k : {1U, 2U, 33U, 699U, 700U}) {
        Keys expected;
        for (std::size_t i = 0; i < k; ++i) expected.push_back(all[i].second);
        BOOST_TEST((keys_of(t.top("key ", k, less)) == expected));
    }
}

BOOST_AUTO_TEST_CASE(changes_after_the_current_key_are_seen_and_those_before_are_not) {
    put({"b", "d", "f", "h"});
    auto it = t.begin();
    t.insert("a", 1); // before
    t.insert("c", 1); // right behind
    t.erase("d");
    t.insert("f", "changed");
    t.erase("b"); // it stands there, and has a copy
    BOOST_TEST((it.key() == "b" && it->second == Value("b")));
    BOOST_TEST((rest_from(std::next(it)) == Keys{"c", "f", "h"}));
    ++it;
    ++it;
    BOOST_TEST((it->second == Value("changed")));
    t.insert("e", 1);
    BOOST_TEST(((--it).key() == "e"));
    t.erase("c");
    BOOST_TEST(((--it).key() == "a"));
    BOOST_TEST(((--it) == t.end()));
    // At the last key, and something comes behind.
    it = t.lower_bound("h");
    t.insert("i", 1);
    BOOST_TEST(((++it).key() == "i"));
    BOOST_TEST((++it == t.end()));
    // A walk may write and erase what it stands at.
    for (auto walk = t.begin(); walk != t.end(); ++walk) t.erase(walk.key());
    BOOST_TEST(t.empty());
}

BOOST_AUTO_TEST_CASE(walks_within_a_transaction_see_its_changes) {
    put({"a", "b", "c", "d", "e"});
    ss::transaction(t, [&](auto& tx) {
        t.insert(tx, "f", 1);
        auto it = t.begin();
        BOOST_TEST((it.key() == "a"));
        t.erase(tx, "b");
        BOOST_TEST(((++it).key() == "c"));
        t.insert(tx, "d", "changed");
        BOOST_TEST(((++it)->second == Value("changed")));
        t.insert(tx, "da", 1);
        BOOST_TEST(((++it).key() == "da"));
        t.erase(tx, "d");
        BOOST_TEST(((--it).key() == "c"));
        BOOST_TEST((rest_from(t.begin()) == Keys{"a", "c", "da", "e", "f"}));
        Keys seen;
        t.for_each([&](std::string_view key, const ValueView&) {
            seen.emplace_back(key);
            if (key == "a") {
                t.erase(tx, "c");
                t.insert(tx, "b", 1);
            }
        });
        BOOST_TEST((seen == Keys{"a", "b", "da", "e", "f"}));
    });
    // One that is undone was never there, for those who began in it either.
    auto it = t.end();
    BOOST_CHECK_THROW(ss::transaction(t,
                                      [&](auto& tx) {
                                          t.erase(tx, "da");
                                          it = t.begin();
                                          throw std::runtime_error("undone");
                                      }),
                      std::runtime_error);
    BOOST_TEST((rest_from(it) == Keys{"a", "b", "da", "e", "f"}));
}

BOOST_AUTO_TEST_CASE(a_scan_sees_what_an_iterator_sees) {
    for (int i = 0; i < 2000; ++i) t.insert(key_of(i), i);
    Keys seen;
    t.for_each([&](std::string_view key, const ValueView& value) {
        seen.emplace_back(key);
        if (key == key_of(10)) {
            t.erase(key_of(11));
            t.erase(key_of(5));
            t.insert(key_of(12) + "and more", 12);
            t.insert(key_of(13), "changed");
        }
        if (key == key_of(13)) BOOST_TEST((value == ValueView(std::string_view("changed"))));
    });
    BOOST_TEST(seen.size() == 2000U);
    BOOST_TEST(std::count(seen.begin(), seen.end(), key_of(11)) == 0);
    BOOST_TEST(std::count(seen.begin(), seen.end(), key_of(12) + "and more") == 1);
    // It may take away what it stands on, and all the rest.
    std::size_t calls = 0;
    t.for_each([&](std::string_view key, const ValueView&) {
        ++calls;
        t.erase(key);
    });
    BOOST_TEST((calls == 1999U && t.empty()));
    put({"a", "b", "c"});
    calls = 0;
    t.for_each([&](std::string_view, const ValueView&) {
        ++calls;
        t.clear();
    });
    BOOST_TEST(calls == 1U);
}

BOOST_AUTO_TEST_CASE(a_scan_ends_where_it_is_told_to) {
    put({"a", "b", "ba", "bb", "bc", "c"});
    Keys seen;
    const auto until = [&](std::string_view last) {
        seen.clear();
        return [&seen, last](std::string_view key, const ValueView&) {
            seen.emplace_back(key);
            return key != last;
        };
    };
    t.for_each(until("ba"));
    BOOST_TEST((seen == Keys{"a", "b", "ba"}));
    t.for_each("b", "c", until("bb"));
    BOOST_TEST((seen == Keys{"b", "ba", "bb"}));
    t.for_each("b", "bb", until("c"));
    BOOST_TEST((seen == Keys{"b", "ba"}));
    t.for_each_from("bb", until("c"));
    BOOST_TEST((seen == Keys{"bb", "bc", "c"}));
    t.for_each_from("bb", until("bb"));
    BOOST_TEST((seen == Keys{"bb"}));
    t.for_each_from("d", until("a"));
    BOOST_TEST(seen.empty());
    t.for_each_prefix("b", until("bb"));
    BOOST_TEST((seen == Keys{"b", "ba", "bb"}));
    t.for_each_prefix("b", until("none"));
    BOOST_TEST((seen == Keys{"b", "ba", "bb", "bc"}));
    // What returns something else than a bool goes on.
    int count = 0;
    t.for_each_from("", [&](std::string_view, const ValueView&) { return count++; });
    BOOST_TEST(count == 6);
}

BOOST_AUTO_TEST_CASE(values_of_all_kinds_come_out_of_scans) {
    const std::map<std::string, Value> all = {
        {"null", nullptr},
        {"true", true},
        {"false", false},
        {"small", std::int64_t{-5}},
        {"large", std::numeric_limits<std::int64_t>::min()},
        {"real", 0.5},
        {"", "short"},
        {"seven", "7 bytes"},
        {"leaf", "a string in a leaf, behind its prefix"},
        {"leaf and more", std::string(300, 'b')},
        {"block", std::string(2000, 'c')},
        {"long " + std::string(500, 'k'), std::string(200'000, 'd')}, // more than a batch
        {"longer " + std::string(60'000, 'k'), std::string(100'000, 'e')},
        {"zeros", std::string(9, '\0')},
    };
    for (const auto& [key, value] : all) t.insert(key, value);
    std::map<std::string, Value> found;
    t.for_each([&](std::string_view key, const ValueView& value) { found.emplace(key, ss::copy_of(value)); });
    BOOST_TEST(is_same(found, all));
    BOOST_TEST(is_same(tree_contents(t), all));
    auto at = all.end();
    for (auto it = t.end(); at != all.begin();) BOOST_REQUIRE((*--it == std::pair<std::string, Value>(*--at)));
}

BOOST_AUTO_TEST_CASE(iterators_are_copies_of_their_own) {
    for (int i = 0; i < 300; ++i) t.insert(key_of(i), i);
    std::optional<Tree> handle(t);
    auto it = handle->begin();
    auto range = std::optional(handle->prefix("key "));
    handle.reset(); // the handle goes, the walks go on
    for (int i = 0; i < 150; ++i) BOOST_REQUIRE((it++).key() == key_of(i));
    const auto copy = it;
    ++it;
    BOOST_TEST((copy.key() == key_of(150) && it.key() == key_of(151) && copy != it && --it == copy));
    BOOST_TEST((it-- == copy && it.key() == key_of(149)));
    int count = 0;
    for (const auto& entry : *range) count += entry.first == key_of(count);
    BOOST_TEST(count == 300);
    auto end = range->end();
    auto first = range->begin();
    range.reset();
    BOOST_TEST((first != end && first.key() == key_of(0)));
    // Across a clear.
    t.clear();
    BOOST_TEST((it.key() == key_of(149)));
    BOOST_TEST((++it == t.end()));
    it = copy;
    t.insert(key_of(200), 1);
    t.insert(key_of(3), 1);
    BOOST_TEST(((++it).key() == key_of(200)));
    it = copy;
    BOOST_TEST(((--it).key() == key_of(3)));
}

BOOST_AUTO_TEST_CASE(walks_of_a_removed_tree_are_told_so) {
    const auto gone = error(errc::no_such_object);
    for (const int comes_again : {0, 1}) {
        ss::Pool other = ss::Pool::anonymous();
        Tree old(other, "old");
        for (const char* key : {"a", "b", "c"}) old.insert(key, "old");
        auto it = old.begin();
        auto back = one_back(old.end());
        BOOST_TEST(other.remove_object("old"));
        // The next tree may lie where the old one lay, and have changed as often.
        if (comes_again == 1) {
            Tree fresh(other, "old");
            for (const char* key : {"x", "y", "z"}) fresh.insert(key, "fresh");
        }
        BOOST_TEST(thrown_by([&] { ++it; }) == gone);
        BOOST_TEST(thrown_by([&] { --back; }) == gone);
        BOOST_TEST(thrown_by([&] { (void)old.begin(); }) == gone);
        BOOST_TEST(thrown_by([&] { (void)old.find("a"); }) == gone);
        BOOST_TEST(thrown_by([&] { (void)old.longest_prefix("a"); }) == gone);
        BOOST_TEST(thrown_by([&] { (void)old.next_key("a"); }) == gone);
        BOOST_TEST(thrown_by([&] { (void)old.size(); }) == gone);
        BOOST_TEST(thrown_by([&] { (void)old.count_prefix(""); }) == gone);
        BOOST_TEST(thrown_by([&] { (void)printed(old); }) == gone);
        BOOST_TEST(thrown_by([&] { (void)old.verify(); }) == gone);
        BOOST_TEST(thrown_by([&] { (void)old.stats(); }) == gone);
        BOOST_TEST(thrown_by([&] { old.visit("a", [](const ValueView&) {}); }) == gone);
        BOOST_TEST(thrown_by([&] { old.for_each([](std::string_view, const ValueView&) {}); }) == gone);
        BOOST_TEST(thrown_by([&] { old.insert("a", 1); }) == gone);
        BOOST_TEST(thrown_by([&] { old.erase("a"); }) == gone);
        BOOST_TEST(thrown_by([&] { old.erase_prefix("a"); }) == gone);
        BOOST_TEST(thrown_by([&] { old.clear(); }) == gone);
        BOOST_TEST(thrown_by([&] { old.incr("a", 1); }) == gone);
        BOOST_TEST(wrong_with(other) == "");
    }
}

BOOST_AUTO_TEST_CASE(what_a_walk_yields_is_the_readers_own) {
    t.insert("k", "1");
    for (auto&& [key, value] : t) value = "changed " + key;
    for (auto entry : t.prefix("k")) entry.second = nullptr;
    BOOST_TEST((t.at("k") == Value("1")));
}

#ifndef __clang__ // whose version 14 cannot compile libstdc++'s views
BOOST_AUTO_TEST_CASE(pipelines) {
    for (int i = 0; i < 200; ++i) t.insert(key_of(i), i);
    t.insert("other", 1);
    const auto number = [](const auto& entry) { return std::get<std::int64_t>(entry.second); };
    std::vector<std::int64_t> found;
    for (const std::int64_t n : t | std::views::drop(5) | std::views::transform(number) |
                                    std::views::filter([](std::int64_t n) { return n % 2 == 0; }) |
                                    std::views::take(3))
        found.push_back(n);
    BOOST_TEST((found == std::vector<std::int64_t>{6, 8, 10}));
    found.clear();
    for (const auto& entry : t | std::views::reverse | std::views::take(3)) found.push_back(number(entry));
    BOOST_TEST((found == std::vector<std::int64_t>{1, 199, 198}));
    BOOST_TEST(std::ranges::count_if(t.prefix("key "), [](const auto&) { return true; }) == 200);
    found.clear();
    for (const std::int64_t n : t.prefix("key ") | std::views::transform(number) | std::views::drop(198))
        found.push_back(n);
    BOOST_TEST((found == std::vector<std::int64_t>{198, 199}));
    for (auto&& key : t.prefix("oth") | std::views::keys) BOOST_TEST(key == "other");
    BOOST_TEST(std::ranges::distance(t) == 201);
    BOOST_TEST(
        (std::ranges::find(t, "other", [](const auto& entry) { return entry.first; }) == t.iterator_at("other")));
}
#endif

BOOST_AUTO_TEST_SUITE_END()

namespace {

/// Where a walk is, as TreeReading is; but at its n-th return to a node it lets a writer do something, right after the
/// node was found unchanged.
class Interrupted : public ss::detail::TreeReading<ss::OptimisticReading> {
    using Base = ss::detail::TreeReading<ss::OptimisticReading>;

public:
    using Base::Base;
    using Base::Place;

    [[nodiscard]] bool return_to(const Place& place) {
        const bool unchanged = Base::return_to(place);
        if (left > 0 && --left == 0) interrupt();
        return unchanged;
    }

    int left = 0;
    std::function<void()> interrupt;
};

} // namespace

BOOST_AUTO_TEST_CASE(nothing_is_missed_where_a_change_is_undone) {
    // A writer takes a key out of a node while a walk is in it, and puts it back by a rollback. Whatever the moment, the
    // walk must not go past the key that all the time was there for all who see only what was committed.
    const ss::Pool pool = ss::Pool::anonymous();
    Tree t(pool, "t");
    const Keys all = {"aa", "ab", "ac", "ad", "ba", "bb", "c"};
    for (const std::string& key : all) t.insert(key, key);
    const ss::DomainCore& core = t.domain().core();
    const ss::ObjectRef object = ss::find_object(core, "t").value();
    for (const char* gone : {"aa", "ab", "ac", "ad", "ba", "bb", "c"})
        for (int moment = 1; moment < 20; ++moment) {
            std::binary_semaphore begun(0), walked(0), over(0);
            bool interrupted = false;
            std::thread writer([&] {
                begun.acquire();
                if (!interrupted) return;
                try {
                    ss::transaction(t, [&](auto& tx) {
                        t.erase(tx, gone);
                        walked.release();
                        over.acquire();
                        throw 1;
                    });
                } catch (int) {}
                walked.release();
            });
            Interrupted path(core, object, ss::OptimisticReading{});
            path.left = moment;
            path.interrupt = [&] {
                interrupted = true;
                begun.release();
                walked.acquire(); // the key is gone, and nothing is committed
            };
            BOOST_REQUIRE(path.enter());
            ss::detail::TreeBatch batch;
            ss::detail::TreeWalk<ss::detail::Direction::up, Interrupted> walk(path, {}, batch);
            (void)walk.run({.key = {}});
            if (interrupted) {
                over.release();
                walked.acquire();
            } else {
                begun.release();
            }
            writer.join();
            for (std::size_t i = 0; i < batch.size(); ++i)
                BOOST_REQUIRE_MESSAGE(batch.key(i) == all[i], "with " << gone << " gone for a moment, at step "
                                                                      << moment << ", " << batch.key(i)
                                                                      << " came instead of " << all[i]);
        }
}

BOOST_AUTO_TEST_SUITE_END()
