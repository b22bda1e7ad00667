// The nodes of a PrefixTree: each kind grown and shrunk through each capacity, chains as deep as keys are long, and all
// memory back in the end.
#include <ss/ss.hpp>

#include "structure/tree_support.hpp"
#include "support/expect.hpp"
#include "support/sanitizer.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <random>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

BOOST_AUTO_TEST_SUITE(structure_tree_nodes)

using namespace ss::test;
using namespace std::string_literals;

namespace {

/// "Node16 of 9/16", from what print() says of the root.
std::string root_of(const ss::PrefixTree<>& t) {
    const std::string text = printed(t);
    std::smatch match;
    return std::regex_search(text, match, std::regex("^(Node[0-9]+ of [0-9]+/[0-9]+)")) ? match.str(1) : "none";
}

constexpr std::array<std::pair<unsigned, unsigned>, 10> kinds = {
    {{2, 4}, {4, 4}, {8, 16}, {16, 16}, {24, 16}, {32, 48}, {48, 48}, {96, 48}, {160, 48}, {256, 256}}};

std::string expected(unsigned count, std::size_t kind) {
    return "Node" + std::to_string(kinds[kind].second) + " of " + std::to_string(count) + "/" +
           std::to_string(kinds[kind].first);
}

/// All bytes in the order of `order` below one node come and go, with a look at each step.
void breathe(const std::vector<unsigned>& in, const std::vector<unsigned>& out, bool with_value,
             const std::string& prefix) {
    const ss::Pool pool = ss::Pool::anonymous();
    ss::PrefixTree<> t(pool, "t");
    const std::uint64_t empty = t.stats().bytes_allocated;
    std::set<unsigned> there;
    const auto key = [&](unsigned byte) { return prefix + static_cast<char>(byte); };
    const auto check = [&](unsigned step) {
        BOOST_REQUIRE(wrong_with(t) == "");
        if (step % 32 == 0) BOOST_REQUIRE(wrong_with(pool) == "");
        BOOST_REQUIRE(t.size() == there.size() + with_value);
        for (unsigned byte = 0; byte < 256; ++byte) BOOST_REQUIRE(t.contains(key(byte)) == there.contains(byte));
        BOOST_REQUIRE(t.contains(prefix) == with_value);
        auto at = there.begin();
        t.for_each([&](std::string_view k, const ss::ValueView& v) {
            if (k == prefix) return;
            BOOST_REQUIRE((at != there.end() && k == key(*at) && v == ss::ValueView(std::int64_t{*at})));
            ++at;
        });
        BOOST_REQUIRE((at == there.end()));
        auto back = there.rbegin();
        for (auto it = t.end(); back != there.rend(); ++back) BOOST_REQUIRE((--it).key() == key(*back));
    };
    if (with_value) t.insert(prefix, "of the node itself");
    std::size_t kind = 0;
    for (const unsigned byte : in) {
        BOOST_REQUIRE(t.insert(key(byte), byte));
        there.insert(byte);
        const auto count = static_cast<unsigned>(there.size());
        while (kinds[kind].first < count) ++kind;
        if (count + with_value > 1) BOOST_REQUIRE(root_of(t) == expected(count, kind));
        check(count);
    }
    for (const unsigned byte : out) {
        BOOST_REQUIRE(t.erase(key(byte)));
        there.erase(byte);
        const auto count = static_cast<unsigned>(there.size());
        // One kind down at a time, where a quarter stays free.
        if (kind > 0 && count + std::max(kinds[kind - 1].first / 4, 1U) <= kinds[kind - 1].first) --kind;
        if (count + with_value > 1) BOOST_REQUIRE(root_of(t) == expected(count, kind));
        check(count);
    }
    BOOST_TEST(t.node_size() == (with_value && !prefix.empty() ? 1U : 0U));
    if (with_value) t.erase(prefix);
    BOOST_TEST(t.node_size() == 0U);
    BOOST_TEST(t.stats().bytes_allocated == empty);
    BOOST_TEST(t.stats().domain.bytes_allocated == empty);
    BOOST_TEST(wrong_with(pool) == "");
}

std::vector<unsigned> ascending() {
    std::vector<unsigned> all(256);
    std::iota(all.begin(), all.end(), 0U);
    return all;
}
std::vector<unsigned> descending() {
    std::vector<unsigned> all = ascending();
    std::reverse(all.begin(), all.end());
    return all;
}
std::vector<unsigned> shuffled(unsigned seed) {
    std::vector<unsigned> all = ascending();
    std::shuffle(all.begin(), all.end(), std::mt19937(seed));
    return all;
}

/// Keys of all shapes: short and long, beginnings of each other, dense and sparse.
std::vector<std::string> assorted(unsigned count, unsigned seed) {
    std::mt19937 engine(seed);
    std::set<std::string> keys;
    while (keys.size() < count) {
        std::string key;
        switch (engine() % 5) {
        case 0:
            key = big_endian(engine() % 3000, 2 + count % 3);
            break;
        case 1:
            key = std::string(engine() % 200, static_cast<char>(engine() % 3));
            break;
        case 2:
            key = "a prefix that many of them share/" + std::to_string(engine() % 1000) +
                  (engine() % 2 == 0 ? "/and something behind it" : "");
            break;
        case 3:
            key.resize(engine() % 6);
            for (char& c : key) c = "\x00\x01\x7f\xff"[engine() % 4];
            break;
        default:
            key.resize(engine() % 300);
            for (char& c : key) c = static_cast<char>(engine());
        }
        keys.insert(key);
    }
    std::vector<std::string> order(keys.begin(), keys.end());
    std::shuffle(order.begin(), order.end(), engine);
    return order;
}

/// A value with a block, or one without.
ss::Value value_of(std::size_t i) {
    if (i % 3 == 0) return static_cast<std::int64_t>(i);
    if (i % 3 == 1) return std::string(i % 100, 'v');
    return static_cast<double>(i);
}

template <class Allocator>
void give_all_back() {
    const ss::Pool pool = ss::Pool::anonymous();
    ss::PrefixTree<Allocator> t(pool, "t");
    const std::uint64_t empty = t.stats().bytes_allocated;
    const std::vector<std::string> keys = assorted(1500, 3);
    const auto fill = [&] {
        for (std::size_t i = 0; i < keys.size(); ++i) BOOST_REQUIRE(t.insert(keys[i], value_of(i)));
        BOOST_TEST(wrong_with(pool) == "");
        BOOST_TEST(t.size() == keys.size());
        BOOST_TEST(t.bytes_for_prefix("") + empty == t.stats().bytes_allocated);
        BOOST_TEST(t.nodes_for_prefix("") == t.node_size());
    };
    const auto expect_empty = [&](const char* how) {
        BOOST_TEST_CONTEXT(how) {
            BOOST_TEST(t.size() == 0U);
            BOOST_TEST(t.node_size() == 0U);
            BOOST_TEST(t.stats().bytes_allocated == empty);
            BOOST_TEST(wrong_with(pool) == ""); // with the garbage still there
            BOOST_TEST((t.begin() == t.end()));
            drain(t);
            BOOST_TEST(t.stats().domain.bytes_allocated == empty);
            BOOST_TEST(wrong_with(pool) == "");
        }
    };
    fill();
    for (std::size_t i = 0; i < keys.size(); ++i) {
        BOOST_REQUIRE(t.erase(keys[i]));
        if (i % 100 == 0) BOOST_REQUIRE(wrong_with(pool) == "");
    }
    BOOST_TEST(t.stats().garbage_bytes == 0U); // one key is never so much that it is put off
    expect_empty("erase");
    fill();
    t.clear();
    expect_empty("clear");
    fill();
    BOOST_TEST(t.erase_prefix("") == keys.size());
    expect_empty("erase_prefix of all");
    fill();
    std::uint64_t left = keys.size();
    for (unsigned byte = 256; byte-- > 0;) {
        const std::string prefix(1, static_cast<char>(byte));
        const std::uint64_t count = t.count_prefix(prefix);
        const std::uint64_t bytes = t.bytes_for_prefix(prefix);
        const std::uint64_t before = t.stats().bytes_allocated;
        BOOST_REQUIRE(t.erase_prefix(prefix) == count);
        left -= count;
        BOOST_REQUIRE(t.size() == left);
        BOOST_REQUIRE(t.count_prefix(prefix) == 0U);
        BOOST_REQUIRE((t.stats().bytes_allocated <= before - bytes || count == 0 || left < 2));
        if (byte % 16 == 0) BOOST_REQUIRE(wrong_with(pool) == "");
    }
    BOOST_TEST(t.erase(""));
    expect_empty("erase_prefix of each byte");
    // New keys while the garbage of the old ones is still taken apart.
    fill();
    t.clear();
    fill();
    BOOST_TEST(tree_contents(t).size() == keys.size());
    t.clear();
    expect_empty("clear, fill and clear");
}

} // namespace

BOOST_AUTO_TEST_CASE(a_byte_among_sixteen) {
    std::mt19937_64 engine(1);
    for (int round = 0; round < 400; ++round) {
        // Of few different bytes or many, so that there are some twice, past the count too; and neighbours, which a
        // borrow could mistake.
        const std::uint64_t mask = round % 3 == 0 ? ~std::uint64_t{0} : 0x0101'0101'0101'0101U << round % 8;
        const ss::Word base = 0x0101'0101'0101'0101U * (engine() % 256);
        const ss::Word low = (engine() & mask) ^ base;
        const ss::Word high = (engine() & mask) ^ base;
        for (unsigned count = 0; count <= 16; ++count)
            for (unsigned byte = 0; byte < 256; ++byte) {
                unsigned right = 16;
                for (unsigned i = count; i-- > 0;)
                    if ((i < 8 ? low >> (8 * i) : high >> (8 * (i - 8))) % 256 == byte) right = i;
                const auto b = static_cast<std::uint8_t>(byte);
                BOOST_REQUIRE(ss::detail::find_byte_portable(low, high, count, b) == right);
#ifdef __SSE2__
                BOOST_REQUIRE(ss::detail::find_byte_sse2(low, high, count, b) == right);
#endif
                BOOST_REQUIRE(ss::detail::find_byte(low, high, count, b) == right);
            }
    }
}

BOOST_AUTO_TEST_CASE(every_kind_there_and_back) {
    breathe(ascending(), ascending(), false, "");
    breathe(ascending(), descending(), true, "p");
    breathe(descending(), ascending(), false, "a longer prefix");
    breathe(shuffled(1), shuffled(2), true, "");
    breathe(shuffled(3), shuffled(4), false, "12345678");
}

BOOST_AUTO_TEST_CASE(a_key_that_comes_and_goes_moves_no_node) {
    const ss::Pool pool = ss::Pool::anonymous();
    ss::PrefixTree<> t(pool, "t");
    for (unsigned byte = 0; byte < 256; ++byte) {
        t.insert(std::string(1, static_cast<char>(byte)), byte);
        if (byte < 2) continue;
        const std::string before = printed(t);
        // What has just grown does not shrink by the next one that goes, and grow again.
        for (int i = 0; i < 3; ++i) {
            t.erase(std::string(1, static_cast<char>(byte)));
            t.insert(std::string(1, static_cast<char>(byte)), byte);
            BOOST_REQUIRE(printed(t) == before);
        }
    }
}

BOOST_AUTO_TEST_CASE(all_memory_comes_back_segregated) { give_all_back<ss::SegregatedAllocator>(); }
BOOST_AUTO_TEST_CASE(all_memory_comes_back_logarithmic) { give_all_back<ss::LogarithmicAllocator>(); }
BOOST_AUTO_TEST_CASE(all_memory_comes_back_simple) { give_all_back<ss::SimpleAllocator>(); }

BOOST_AUTO_TEST_CASE(a_tree_is_what_its_contents_are) {
    // However it came about, it has the same nodes as one in which the same keys were put in another order.
    const std::vector<std::string> keys = assorted(600, 8);
    std::mt19937 engine(8);
    const ss::Pool pool = ss::Pool::anonymous();
    ss::PrefixTree<> t(pool, "t");
    std::vector<bool> there(keys.size());
    for (int round = 0; round < 12; ++round) {
        for (int i = 0; i < 400; ++i) {
            const std::size_t at = engine() % keys.size();
            if (engine() % 100 < (round % 2 == 0 ? 80U : 15U)) {
                t.insert(keys[at], static_cast<std::int64_t>(at));
                there[at] = true;
            } else {
                BOOST_REQUIRE(t.erase(keys[at]) == there[at]);
                there[at] = false;
            }
        }
        if (round % 4 == 3) {
            t.erase_prefix("a prefix");
            for (std::size_t i = 0; i < keys.size(); ++i)
                if (keys[i].starts_with("a prefix")) there[i] = false;
        }
        ss::PrefixTree<> fresh(pool, "fresh");
        fresh.clear();
        for (std::size_t i = keys.size(); i-- > 0;)
            if (there[i]) fresh.insert(keys[i], static_cast<std::int64_t>(i));
        BOOST_TEST(t.size() == fresh.size());
        BOOST_TEST(t.node_size() == fresh.node_size());
        BOOST_TEST((structure_of(t) == structure_of(fresh)));
        BOOST_TEST(wrong_with(pool) == "");
    }
}

BOOST_AUTO_TEST_CASE(a_chain_of_keys) {
    const Watchdog dog(100, "a chain of keys that begin with each other");
    constexpr std::size_t deep = 6000 / (slowness > 1 ? 3 : 1);
    const ss::Pool pool = ss::Pool::anonymous();
    ss::PrefixTree<> t(pool, "t");
    const std::uint64_t empty = t.stats().bytes_allocated;
    const std::string all(deep, 'a');
    const auto key = [&](std::size_t size) { return std::string_view(all).substr(0, size); };
    const auto fill = [&](bool up) {
        for (std::size_t i = 0; i <= deep; ++i)
            BOOST_REQUIRE(t.insert(key(up ? i : deep - i), static_cast<std::int64_t>(up ? i : deep - i)));
    };
    fill(true);
    BOOST_TEST(wrong_with(t) == "");
    BOOST_TEST(t.node_size() == deep);
    BOOST_TEST(t.size() == deep + 1);
    BOOST_TEST(t.count_prefix("") == deep + 1);
    BOOST_TEST(t.count_prefix(key(deep - 10)) == 11U);
    BOOST_TEST(t.nodes_for_prefix("") == deep);
    BOOST_TEST(t.bytes_for_prefix("") == t.stats().bytes_allocated - empty);
    std::size_t size = 0;
    t.for_each([&](std::string_view k, const ss::ValueView& v) {
        BOOST_REQUIRE((k == key(size) && v == ss::ValueView(static_cast<std::int64_t>(size))));
        ++size;
    });
    BOOST_TEST(size == deep + 1);
    size = deep;
    for (auto it = one_back(t.end()); size > deep - 200; --it, --size) BOOST_REQUIRE(it.key() == key(size));
    BOOST_TEST(t.longest_prefix(all + "aaaa").value().first.size() == deep);
    BOOST_TEST(t.longest_prefix(std::string(17, 'a') + "b").value().first.size() == 17U);
    BOOST_TEST(t.next_key(key(deep - 1)).value() == all);
    BOOST_TEST(!t.next_key(all).has_value());
    BOOST_TEST((t.lower_bound(all + "a") == t.end()));
    {
        const std::string text = printed(t);
        BOOST_TEST(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) == deep + 1);
    }
    BOOST_TEST(t.erase_prefix(key(deep / 2)) == deep - deep / 2 + 1);
    BOOST_TEST(t.size() == deep / 2);
    BOOST_TEST(wrong_with(pool) == "");
    t.clear();
    drain(t);
    BOOST_TEST(t.stats().domain.bytes_allocated == empty);
    fill(false);
    BOOST_TEST(t.node_size() == deep);
    BOOST_TEST(wrong_with(t) == "");
    for (std::size_t i = 0; i <= deep; ++i)
        BOOST_REQUIRE(t.erase(key(i % 2 == 0 ? i : deep - i / 2 * 2 - 1)) == true);
    BOOST_TEST(t.empty());
    BOOST_TEST(t.stats().domain.bytes_allocated == empty);
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE(keys_of_64_kibibytes) {
    const ss::Pool pool = ss::Pool::anonymous();
    ss::PrefixTree<> t(pool, "t");
    const std::uint64_t empty = t.stats().bytes_allocated;
    const std::string longest = tree_bytes(ss::detail::max_key_size);
    BOOST_TEST(longest.size() == 65536U);
    BOOST_TEST(t.insert(longest, "longest"));
    BOOST_TEST(t.node_size() == 1U);
    // Neighbours that leave it at its first byte, in a word's middle, at its last byte and before its end.
    const std::vector<std::size_t> places = {0, 1, 7, 8, 13, 1000, 65535};
    for (const std::size_t place : places) {
        std::string other = longest;
        other[place] = static_cast<char>(other[place] + 1);
        BOOST_TEST(t.insert(other, static_cast<std::int64_t>(place)));
        BOOST_TEST(t.insert(longest.substr(0, place), "before"));
        BOOST_TEST(wrong_with(pool) == "");
    }
    for (const std::size_t place : places) {
        std::string other = longest;
        other[place] = static_cast<char>(other[place] + 1);
        BOOST_TEST((t.at(other) == ss::Value(static_cast<std::int64_t>(place))));
        BOOST_TEST((t.at(longest.substr(0, place)) == ss::Value("before")));
    }
    BOOST_TEST((t.at(longest) == ss::Value("longest")));
    BOOST_TEST(tree_contents(t).size() == 1 + 2 * places.size());
    // One byte more is refused by all that would store it, and is missing for all that look.
    const std::string past = longest + "x";
    const TreeContents before = tree_contents(t);
    const std::string shape = printed(t);
    const auto refused = error(ss::errc::too_large);
    BOOST_TEST(thrown_by([&] { t.insert(past, 1); }) == refused);
    BOOST_TEST(thrown_by([&] { t.insert(past, {"a", "b"}); }) == refused);
    BOOST_TEST(thrown_by([&] { t.try_insert(past, 1); }) == refused);
    BOOST_TEST(thrown_by([&] { t.insert_if(ss::Check::missing("no"), past, 1); }) == refused);
    BOOST_TEST(thrown_by([&] { t.incr(past, 1); }) == refused);
    BOOST_TEST(thrown_by([&] { t.incr(past, 1.5); }) == refused);
    ss::transaction(t, [&](auto& tx) {
        BOOST_TEST(thrown_by([&] { t.insert(tx, past, 1); }) == refused);
        BOOST_TEST(thrown_by([&] { t.incr(tx, past, 1); }) == refused);
    });
    BOOST_TEST(is_same(tree_contents(t), before));
    BOOST_TEST(printed(t) == shape);
    BOOST_TEST(!t.contains(past));
    BOOST_TEST(!t.erase(past));
    BOOST_TEST(t.erase_prefix(past) == 0U);
    BOOST_TEST(t.count_prefix(past) == 0U);
    BOOST_TEST((t.prefix(past).empty() && t.iterator_at(past) == t.end()));
    BOOST_TEST((t.longest_prefix(past + past).value().first == longest));
    BOOST_TEST((t.lower_bound(past).is_end() || t.lower_bound(past).key() > past));
    BOOST_TEST((one_back(t.upper_bound(past)).key() == longest));
    for (const auto& [key, value] : before) BOOST_TEST(t.erase(key));
    BOOST_TEST(t.stats().domain.bytes_allocated == empty);
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_SUITE_END()
