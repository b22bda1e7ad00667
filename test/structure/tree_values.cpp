// The values of a PrefixTree: five types and their borders, what each type of C++ becomes, checks, sums.
#include <ss/ss.hpp>

#include "structure/tree_support.hpp"
#include "support/expect.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

BOOST_AUTO_TEST_SUITE(structure_tree_values)

using namespace ss::test;
using namespace std::string_literals;
using namespace std::string_view_literals;
using ss::Check;
using ss::errc;
using ss::Value;
using ss::ValueType;
using ss::ValueView;

namespace {

struct Fresh {
    ss::Pool pool = ss::Pool::anonymous();
    ss::PrefixTree<> t{pool, "tree"};

    ~Fresh() {
        BOOST_TEST(wrong_with(pool) == "");
        BOOST_TEST(wrong_with(t) == "");
    }

    /// What is found, by each way of finding it, is this.
    void expect(std::string_view key, const Value& value) const {
        BOOST_TEST_CONTEXT("key " << key << " of type " << ss::to_string(ss::type_of(value))) {
            BOOST_TEST(is_same(t.at(key), value));
            BOOST_TEST(is_same(t.find(key).value(), value));
            BOOST_TEST((t.type(key).value() == ss::type_of(value)));
            for (Value into : {Value(), Value("some text that is longer than it"), Value(1.5)}) {
                BOOST_TEST(t.find_into(key, into));
                BOOST_TEST(is_same(into, value));
            }
            BOOST_TEST(t.visit(key, [&](const ValueView& view) { BOOST_TEST(is_same(ss::copy_of(view), value)); }));
            BOOST_TEST(is_same(t.lower_bound(key)->second, value));
            bool seen = false;
            t.for_each([&](std::string_view k, const ValueView& view) {
                if (k == key) seen = is_same(ss::copy_of(view), value);
            });
            BOOST_TEST(seen);
        }
    }
};

constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t smallest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t border = std::int64_t{1} << 60; ///< the first that needs a block

/// Values at every border of how they are stored.
const std::vector<Value>& borders() {
    static const std::vector<Value> all = [] {
        std::vector<Value> values = {nullptr, false, true};
        for (const std::int64_t i :
             {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, border - 1, border, border + 1, -border - 1,
              -border, -border + 1, largest, largest - 1, smallest, smallest + 1})
            values.emplace_back(i);
        using Limits = std::numeric_limits<double>;
        for (const double d : {0.0, -0.0, 1.5, Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(),
                               Limits::denorm_min(), Limits::max(), Limits::lowest()})
            values.emplace_back(d);
        for (const std::size_t size :
             {0U, 1U, 6U, 7U, 8U, 9U, 15U, 16U, 17U, 55U, 56U, 57U, 63U, 64U, 65U, 72U, 73U, 300U, 5000U})
            values.emplace_back(tree_bytes(size, 7));
        values.emplace_back("\0"s);
        values.emplace_back("\0\0\0\0\0\0\0"s);
        values.emplace_back("\0\0\0\0\0\0\0\0"s);
        values.emplace_back("a\0b"s);
        values.emplace_back("\xff\xff\xff\xff\xff\xff\xff"s);
        values.emplace_back("12345678\0"s);
        return values;
    }();
    return all;
}

template <class T>
concept Insertable = requires(ss::PrefixTree<>& tree, T value) {
    tree.insert("key", value);
};
struct Plain {};
enum Unscoped { one };
enum class Scoped { one };

static_assert(Insertable<bool> && Insertable<char> && Insertable<signed char> && Insertable<unsigned char>);
static_assert(Insertable<short> && Insertable<unsigned> && Insertable<long long> && Insertable<unsigned long>);
static_assert(Insertable<wchar_t> && Insertable<char8_t> && Insertable<char32_t>);
static_assert(Insertable<float> && Insertable<double> && Insertable<long double>);
static_assert(Insertable<std::nullptr_t> && Insertable<Value> && Insertable<ValueView>);
static_assert(Insertable<const char*> && Insertable<char*> && Insertable<std::string> &&
              Insertable<std::string_view>);
static_assert(Insertable<std::span<const std::string_view>> && Insertable<std::array<std::string_view, 2>>);
static_assert(Insertable<std::initializer_list<std::string_view>>);
static_assert(!Insertable<void*> && !Insertable<const void*> && !Insertable<int*> && !Insertable<unsigned char*>);
static_assert(!Insertable<const wchar_t*> && !Insertable<const char8_t*> && !Insertable<bool*>);
static_assert(!Insertable<Plain> && !Insertable<Unscoped> && !Insertable<Scoped> && !Insertable<std::vector<char>>);
static_assert(!Insertable<std::optional<int>> && !Insertable<std::optional<Value>>);
static_assert(!Insertable<int (*)()> && !Insertable<std::vector<bool>::reference>);

} // namespace

BOOST_FIXTURE_TEST_SUITE(values, Fresh)

BOOST_AUTO_TEST_CASE(each_at_its_borders) {
    for (const Value& value : borders()) {
        t.clear();
        BOOST_TEST(t.insert("k", value)); // in a leaf
        expect("k", value);
        BOOST_TEST(t.insert("k longer", 1)); // in a node's value word
        expect("k", value);
        BOOST_TEST(t.insert("l", 1));
        BOOST_TEST(t.insert("", value)); // in the root's
        expect("", value);
        BOOST_TEST(t.insert("m", value)); // in a slot
        expect("m", value);
        BOOST_TEST(!t.insert("m", ss::view_of(value)));
        expect("m", value);
        BOOST_REQUIRE(wrong_with(pool) == "");
    }
    t.clear();
    t.insert("", Value("alone in the root"));
    expect("", Value("alone in the root"));
    BOOST_TEST(t.node_size() == 0U);
}

BOOST_AUTO_TEST_CASE(each_over_each) {
    drain(t);
    const std::uint64_t empty = t.stats().bytes_allocated;
    for (const std::string key : {"k", "key in a leaf", ""}) {
        for (const Value& before : borders())
            for (const Value& after : borders()) {
                t.insert(key, before);
                BOOST_REQUIRE(!t.insert(key, after));
                BOOST_REQUIRE(is_same(t.at(key), after));
                BOOST_REQUIRE(wrong_with(t) == "");
            }
        BOOST_TEST(wrong_with(pool) == "");
        BOOST_TEST(t.size() == 1U);
        t.erase(key);
        BOOST_TEST(t.stats().domain.bytes_allocated == empty);
    }
    // A block is used again in place or not, whatever its size was and is: no byte is lost.
    for (std::size_t before = 0; before <= 90; ++before)
        for (std::size_t after = 0; after <= 90; ++after) {
            t.insert("k", tree_bytes(before, 1));
            t.insert("k", tree_bytes(after, 2));
            BOOST_REQUIRE((t.at("k") == Value(tree_bytes(after, 2))));
        }
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE(a_string_of_a_mebibyte) {
    const std::string large = tree_bytes(ss::mebi + 1);
    t.insert("l", large);
    expect("l", large);
    t.insert("l", 5);
    t.insert("l", large);
    expect("l", large);
    BOOST_TEST(t.bytes_for_prefix("l") >= ss::mebi);
    t.erase("l");
    BOOST_TEST(t.bytes_for_prefix("l") == 0U);
    // Views that claim so many bytes: nobody may look at them.
    const std::string_view huge("x", ss::max_bytes_size + 1);
    const std::string_view half("x", ss::max_bytes_size / 2 + 1);
    BOOST_TEST(thrown_by([&] { t.insert("k", huge); }) == error(errc::too_large));
    BOOST_TEST(thrown_by([&] { t.insert("k", {half, half}); }) == error(errc::too_large));
    BOOST_TEST(t.empty());
}

BOOST_AUTO_TEST_CASE(what_each_type_becomes) {
    const auto becomes = [&](const auto& value, const Value& expected) {
        t.clear();
        BOOST_TEST(t.insert("k", value));
        expect("k", expected);
        BOOST_TEST(t.insert_if(Check("k", value), "k", value));
        BOOST_TEST(!t.try_insert("k", value));
        BOOST_TEST(t.try_insert("k2", value));
        expect("k2", expected);
        ss::transaction(t, [&](auto& tx) { t.insert(tx, "k3", value); });
        expect("k3", expected);
    };
    const auto integer = [](std::int64_t i) { return Value(i); };
    becomes(true, true);
    becomes(false, false);
    becomes('a', integer(97));
    becomes(static_cast<signed char>(-1), integer(-1));
    becomes(static_cast<unsigned char>(255), integer(255));
    becomes(u8'a', integer(97));
    becomes(L'a', integer(97));
    becomes(U'\U0001F600', integer(0x1F600));
    becomes(short{-5}, integer(-5));
    becomes(static_cast<unsigned short>(65535), integer(65535));
    becomes(-7, integer(-7));
    becomes(0, integer(0)); // no null pointer
    becomes(4'000'000'000U, integer(4'000'000'000));
    becomes(5L, integer(5));
    becomes(smallest, integer(smallest));
    becomes(static_cast<std::size_t>(largest), integer(largest));
    becomes(6ULL, integer(6));
    becomes(1.5F, 1.5);
    becomes(2.5, 2.5);
    becomes(3.5L, 3.5);
    becomes(nullptr, nullptr);
    becomes("literal", Value("literal"));
    becomes("", Value(""));
    const char* const pointer = "pointer";
    becomes(pointer, Value("pointer"));
    char array[] = "array";
    becomes(array, Value("array"));
    char* const writable = array;
    becomes(writable, Value("array"));
    becomes("with\0zero"s, Value("with\0zero"s));
    becomes("view\0"sv, Value("view\0"s));
    becomes(Value(true), true);
    becomes(Value(), nullptr);
    becomes(ValueView(2.5), 2.5);
    becomes(ValueView("text"sv), Value("text"));
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused) {
    t.insert("k", "stays");
    for (const std::uint64_t number : {std::numeric_limits<std::uint64_t>::max(), std::uint64_t{1} << 63}) {
        BOOST_TEST(thrown_by([&] { t.insert("k", number); }) == error(errc::too_large));
        BOOST_TEST(thrown_by([&] { t.try_insert("new", number); }) == error(errc::too_large));
        BOOST_TEST(thrown_by([&] { (void)Check("k", number); }) == error(errc::too_large));
        BOOST_TEST(sentence_of([&] { t.insert("k", number); }).find(std::to_string(number)) != std::string::npos);
    }
    const char* const null = nullptr;
    char* const writable_null = nullptr;
    BOOST_TEST(thrown_by([&] { t.insert("k", null); }) == error(errc::invalid_argument));
    BOOST_TEST(thrown_by([&] { t.insert("k", writable_null); }) == error(errc::invalid_argument));
    BOOST_TEST(thrown_by([&] { t.insert(null, 1); }) == error(errc::invalid_argument));
    BOOST_TEST(thrown_by([&] { (void)t.find(null); }) == error(errc::invalid_argument));
    BOOST_TEST(thrown_by([&] { (void)Check("k", null); }) == error(errc::invalid_argument));
    BOOST_TEST(thrown_by([&] { (void)t.prefix(null); }) == error(errc::invalid_argument));
    BOOST_TEST(t.size() == 1U);
    expect("k", Value("stays"));
}

BOOST_AUTO_TEST_CASE(strings_in_pieces) {
    BOOST_TEST(t.insert("k", {"ab", "", "c"sv, "defghijklmn"}));
    expect("k", Value("abcdefghijklmn"));
    const std::array<std::string_view, 3> pieces = {"123", "45", "67"};
    BOOST_TEST(!t.insert("k", std::span<const std::string_view>(pieces)));
    expect("k", Value("1234567"));
    BOOST_TEST(!t.insert("k", pieces));
    BOOST_TEST(!t.insert("k", std::vector<std::string_view>{"one", "two"}));
    expect("k", Value("onetwo"));
    t.insert("k", {});
    expect("k", Value(""));
    t.insert("k", {"one"});
    expect("k", Value("one"));
    t.insert("k", std::span<const std::string_view>());
    expect("k", Value(""));
    const std::string whole = tree_bytes(20);
    for (std::size_t size = 0; size <= whole.size(); ++size)
        for (std::size_t a = 0; a <= size; ++a)
            for (std::size_t b = a; b <= size; ++b) {
                const std::string_view view = std::string_view(whole).substr(0, size);
                t.insert("cut", {view.substr(0, a), view.substr(a, b - a), view.substr(b)});
                BOOST_REQUIRE((t.at("cut") == Value(std::string(view))));
                BOOST_REQUIRE(wrong_with(t) == "");
            }
}

/// Where the string of "k" plus some more key is, and what the tree's counters and `pool.verify` say of it.
BOOST_AUTO_TEST_CASE(strings_in_leaves_and_in_blocks) {
    using ss::detail::Tag;
    t.insert("k", 1); // so that all other keys end in a leaf
    const auto tag_of = [&](const std::string& key) {
        const ss::DomainCore& core = t.domain().core();
        const ss::detail::Hook root{.slot = &tree_head(core, "tree").root};
        const ss::detail::Way way = ss::detail::find_way(core.region(), root, key, false);
        BOOST_REQUIRE(way.hit);
        const ss::Word word = ss::load(*way.target.slot);
        return ss::detail::Tagged::tag(
            ss::detail::Tagged::is_node(word) ? ss::load(ss::detail::NodeView(core.region(), word).value()) : word);
    };
    const auto check = [&](const std::string& key, const std::string& text, Tag tag) {
        BOOST_TEST_CONTEXT("a key of " << key.size() << " bytes, a value of " << text.size()) {
            BOOST_REQUIRE((t.at(key) == Value(text)));
            BOOST_REQUIRE((tag_of(key) == tag));
            BOOST_REQUIRE(t.bytes_for_prefix("") <= t.stats().bytes_allocated);
            BOOST_REQUIRE(wrong_with(t) == "");
        }
    };
    // The rest of the key and the string, in words: 1 + 47 is the most.
    const std::array<std::size_t, 12> sizes = {8, 9, 15, 16, 17, 64, 65, 72, 376, 377, 384, 1000};
    const auto tag_with = [](std::size_t prefix, std::size_t size) {
        return (prefix + 7) / 8 + (size + 7) / 8 <= 48 ? Tag::leaf_text : Tag::text_block;
    };
    for (const std::size_t rest : std::array<std::size_t, 4>{1, 8, 9, 200})
        for (const std::size_t before : sizes)
            for (const std::size_t after : sizes) {
                const std::string key = "kx" + tree_bytes(rest);
                const auto tag = [&](std::size_t size) { return tag_with(rest, size); };
                t.insert(key, tree_bytes(before, 1));
                check(key, tree_bytes(before, 1), tag(before));
                t.insert(key, tree_bytes(after, 2));
                check(key, tree_bytes(after, 2), tag(after));
                // The leaf becomes a node with a branch, whose value is a block; and a leaf again.
                t.insert(key + "branch", tree_bytes(before, 3));
                check(key, tree_bytes(after, 2), Tag::text_block);
                BOOST_REQUIRE(t.erase(key + "branch"));
                check(key, tree_bytes(after, 2), tag(after));
                // Its prefix is cut to nothing, and so there is no leaf.
                t.insert("kx!", 1);
                check(key, tree_bytes(after, 2), rest == 1 ? Tag::text_block : tag_with(rest - 1, after));
                BOOST_REQUIRE(t.erase("kx!"));
                check(key, tree_bytes(after, 2), tag(after));
                // By words and back.
                t.insert(key, 5);
                t.insert(key, tree_bytes(before, 4));
                check(key, tree_bytes(before, 4), tag(before));
                t.insert(key, "7 bytes");
                check(key, "7 bytes", Tag::text);
                BOOST_REQUIRE(t.erase(key));
            }
    BOOST_TEST(t.size() == 1U);
}

BOOST_AUTO_TEST_CASE(checks_compare_type_and_value) {
    const std::vector<Value> samples = {
        nullptr, false, true,      std::int64_t{0}, std::int64_t{1},     border, 0.0, 1.0,
        "",      "0",   "1234567", "12345678",      std::string(70, 'x')};
    for (const Value& held : samples)
        for (const Value& wanted : samples) {
            t.insert("k", held);
            const bool same = is_same(held, wanted);
            BOOST_REQUIRE(t.insert_if(Check("k", wanted), "other", 1) == same);
            BOOST_REQUIRE(t.erase_if(Check("k", wanted), "other") == same);
            BOOST_REQUIRE(!t.insert_if(Check("missing", wanted), "other", 1));
        }
    // Null is not absence, neither way.
    t.insert("k", nullptr);
    BOOST_TEST(!t.insert_if(Check::missing("k"), "k", 1));
    BOOST_TEST(!t.insert_if(Check("none", nullptr), "k", 1));
    BOOST_TEST(t.contains("k"));
    BOOST_TEST((t.type("k").value() == ValueType::null && !t.type("none").has_value()));
    // Reals compare as numbers do.
    t.insert("k", std::numeric_limits<double>::quiet_NaN());
    BOOST_TEST(!t.insert_if(Check("k", std::numeric_limits<double>::quiet_NaN()), "k", 1));
    t.insert("k", -0.0);
    BOOST_TEST(t.insert_if(Check("k", 0.0), "k", 1));
    BOOST_TEST(t.erase_if(Check::missing("none"), "k"));
    BOOST_TEST(!t.erase_if(Check::missing("none"), "k"));
    // A temporary's views live as long as the full expression.
    t.insert("a", std::string(50, 'x'));
    BOOST_TEST(t.insert_if(Check("a"s, std::string(50, 'x')), "d"s, "3"s));
}

namespace {

/// Whether a structure takes a Check of such a value.
template <class T, class V>
constexpr bool takes_check_of = requires(T& t, const V& value) {
    t.insert_if(Check("k", value), "k", "2");
    t.erase_if(Check("k", value), "k");
};

} // namespace

BOOST_AUTO_TEST_CASE(a_hash_table_takes_checks_of_strings_only) {
    BOOST_TEST((takes_check_of<ss::HashTable<>, std::string_view> && takes_check_of<ss::HashTable<>, std::string>));
    BOOST_TEST((takes_check_of<ss::HashTable<>, char[3]> && takes_check_of<ss::HashTable<>, const char*>));
    BOOST_TEST((!takes_check_of<ss::HashTable<>, int> && !takes_check_of<ss::HashTable<>, double>));
    BOOST_TEST((!takes_check_of<ss::HashTable<>, bool> && !takes_check_of<ss::HashTable<>, std::nullptr_t>));
    BOOST_TEST((!takes_check_of<ss::HashTable<>, Value> && !takes_check_of<ss::HashTable<>, ss::ValueView>));
    BOOST_TEST((takes_check_of<ss::PrefixTree<>, int> && takes_check_of<ss::PrefixTree<>, Value> &&
                takes_check_of<ss::PrefixTree<>, std::string>));
    ss::HashTable<> table(pool, "table");
    table.insert("k", "1");
    BOOST_TEST(table.insert_if(Check("k", "1"), "k", "2"));
    BOOST_TEST(!table.insert_if(Check("k", "1"), "k", "3"));
    BOOST_TEST(table.at("k") == "2");
}

BOOST_AUTO_TEST_CASE(integers_are_added_to) {
    static_assert(std::same_as<decltype(t.incr("n", short{1})), std::int64_t>);
    static_assert(std::same_as<decltype(t.incr("n", 1.0F)), double>);
    BOOST_TEST(t.incr("n", 5) == 5);
    BOOST_TEST(t.incr("n", -7) == -2);
    BOOST_TEST(t.incr("n", std::int8_t{-1}) == -3);
    BOOST_TEST(t.incr("n", 10U) == 7);
    BOOST_TEST(t.incr("n", 0) == 7);
    expect("n", std::int64_t{7});
    // Over the border of what needs a block, and back, both ways.
    for (const std::int64_t sign : {1, -1}) {
        t.insert("n", sign * (border - 2));
        for (std::int64_t i = border - 1; i < border + 3; ++i) {
            BOOST_TEST(t.incr("n", sign) == sign * i);
            expect("n", sign * i);
            BOOST_TEST(wrong_with(pool) == "");
        }
        for (std::int64_t i = border + 1; i > border - 3; --i) {
            BOOST_TEST(t.incr("n", -sign) == sign * i);
            expect("n", sign * i);
            BOOST_TEST(wrong_with(pool) == "");
        }
    }
    t.insert("n", largest);
    BOOST_TEST(t.incr("n", 1) == smallest);
    expect("n", smallest);
    BOOST_TEST(t.incr("n", -1) == largest);
    BOOST_TEST(thrown_by([&] { t.incr("n", ~std::uint64_t{0}); }) == error(errc::too_large)); // as insert says
    BOOST_TEST(t.incr("n", -1) == largest - 1);
    t.insert("n", border);
    BOOST_TEST(t.incr("n", -border) == 0);
    expect("n", std::int64_t{0});
    BOOST_TEST(t.size() == 1U);
    t.erase("n");
}

BOOST_AUTO_TEST_CASE(reals_are_added_to) {
    BOOST_TEST(t.incr("d", 0.5F) == 0.5);
    BOOST_TEST(t.incr("d", 0.25) == 0.75);
    expect("d", 0.75);
    t.incr("d", std::numeric_limits<double>::infinity());
    BOOST_TEST(std::isnan(t.incr("d", -std::numeric_limits<double>::infinity())));
}

BOOST_AUTO_TEST_CASE(what_is_no_number_of_that_type_stays) {
    for (const Value& value : borders()) {
        t.insert("k", value);
        if (ss::type_of(value) != ValueType::integer) {
            BOOST_TEST(thrown_by([&] { t.incr("k", 1); }) == error(errc::wrong_type));
            ss::transaction(
                t, [&](auto& tx) { BOOST_TEST(thrown_by([&] { t.incr(tx, "k", 1); }) == error(errc::wrong_type)); });
        }
        if (ss::type_of(value) != ValueType::real)
            BOOST_TEST(thrown_by([&] { t.incr("k", 1.0); }) == error(errc::wrong_type));
        BOOST_TEST(is_same(t.at("k"), value));
    }
    t.insert("k", "text");
    const std::string said = sentence_of([&] { t.incr("k", 1); });
    BOOST_TEST((said.find("string") != std::string::npos && said.find("integer") != std::string::npos), said);
}

BOOST_AUTO_TEST_CASE(what_is_missing) {
    Value value = 5.0;
    BOOST_TEST(!t.find("k").has_value());
    BOOST_TEST(!t.find_into("k", value));
    BOOST_CHECK_THROW((void)t.at("k"), std::out_of_range);
    BOOST_TEST(!t.visit("k", [](const ValueView&) { BOOST_ERROR("called for a key that is missing"); }));
    BOOST_TEST((!t.contains("k") && !t.exists("k") && !t.type("k").has_value() && !t.erase("k")));
    t.insert("key", 1);
    for (const char* none : {"", "k", "ke", "keyy", "kez", "l"}) {
        BOOST_TEST((!t.contains(none) && !t.erase(none) && !t.find(none).has_value()));
        BOOST_TEST(!t.insert_if(Check(none, 1), "key", 2));
    }
    BOOST_TEST((t.contains("key") && t.exists("key")));
}

BOOST_AUTO_TEST_CASE(found_as_one_type) {
    t.insert("bool", true);
    t.insert("integer", -7);
    t.insert("large", std::numeric_limits<std::int64_t>::min());
    t.insert("real", 0.5);
    t.insert("text", "short");
    t.insert("long", "a text that does not fit into a word");
    t.insert("null", nullptr);
    const auto look = [&](auto find) {
        BOOST_TEST(find.template operator()<bool>("bool").value());
        BOOST_TEST(find.template operator()<std::int64_t>("integer").value() == -7);
        BOOST_TEST(
            (find.template operator()<std::int64_t>("large").value() == std::numeric_limits<std::int64_t>::min()));
        BOOST_TEST(find.template operator()<double>("real").value() == 0.5);
        BOOST_TEST(find.template operator()<std::string>("text").value() == "short");
        BOOST_TEST(find.template operator()<std::string>("long").value() == "a text that does not fit into a word");
        BOOST_TEST(!find.template operator()<std::string>("none").has_value());
        for (const char* const other : {"bool", "real", "text", "long", "null"})
            BOOST_TEST(thrown_by([&] { (void)find.template operator()<std::int64_t>(other); }) ==
                       error(errc::wrong_type));
        for (const char* const other : {"integer", "real", "null"})
            BOOST_TEST(thrown_by([&] { (void)find.template operator()<bool>(other); }) == error(errc::wrong_type));
    };
    look([&]<class T>(const char* key) { return t.find_as<T>(key); });
    ss::transaction(t, [&](auto& tx) { look([&]<class T>(const char* key) { return t.find_as<T>(tx, key); }); });
}

BOOST_AUTO_TEST_CASE(the_order_of_values) {
    const double not_a_number = std::numeric_limits<double>::quiet_NaN();
    // As top() has it unless told otherwise: null, bools, integers, reals with what is none first, texts by bytes.
    const std::vector<Value> rising = {nullptr,
                                       false,
                                       true,
                                       std::int64_t{-5},
                                       std::int64_t{5},
                                       not_a_number,
                                       -1.5,
                                       0.0,
                                       1e300,
                                       "",
                                       "a",
                                       "a text that is longer",
                                       "b"};
    for (std::size_t i = 0; i < rising.size(); ++i)
        for (std::size_t j = 0; j < rising.size(); ++j)
            BOOST_TEST(ss::ValueLess()(rising[i], rising[j]) == (i < j), i << " and " << j);
    for (std::size_t i = 0; i < rising.size(); ++i) t.insert("k" + std::to_string(100 + i), rising[i]);
    for (const std::size_t k : {1U, 4U, 13U, 20U}) {
        const auto top = t.top("k", k);
        BOOST_REQUIRE(top.size() == std::min(k, rising.size()));
        for (std::size_t i = 0; i < top.size(); ++i)
            BOOST_TEST(is_same(top[i].second, rising[rising.size() - 1 - i]));
    }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE_END()
