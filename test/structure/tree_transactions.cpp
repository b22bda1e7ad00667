// A PrefixTree in transactions, in every profile of few_prefix_trees: all or nothing, beside a HashTable, in the wrong
// place, from a read-only pool; and a little of everything in all of the product.
#include <ss/registry.hpp>

#include "structure/tree_support.hpp"
#include "support/expect.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

BOOST_AUTO_TEST_SUITE(structure_tree_transactions)

using namespace ss::test;
using ss::Check;
using ss::errc;
using ss::Value;
using ss::ValueView;

namespace {

constexpr std::array<std::string_view, 2> pieces = {"ab", "cd"};
const std::string long_text(100, 'x');

/// Runs op(t, tx) twice on trees of the same contents, in a transaction; the first is undone by a throw.
template <class Tree, class F>
void all_or_nothing(Tree& t, F op) {
    const TreeContents before = tree_contents(t);
    const std::uint64_t size = t.size(), nodes = t.node_size(), bytes = t.stats().bytes_allocated;
    const std::string shape = printed(t);
    BOOST_CHECK_THROW(ss::transaction(t,
                                      [&](auto& tx) {
                                          op(t, tx);
                                          throw std::runtime_error("undo");
                                      }),
                      std::runtime_error);
    BOOST_TEST(is_same(tree_contents(t), before));
    BOOST_TEST((t.size() == size && t.node_size() == nodes && t.stats().bytes_allocated == bytes));
    BOOST_TEST(printed(t) == shape);
    BOOST_TEST(wrong_with(t) == "");
    ss::transaction(t, [&](auto& tx) { op(t, tx); });
    BOOST_TEST(wrong_with(t) == "");
}

template <class Tree>
void use_everything(const ss::Pool& pool) {
    Tree t(pool, "t");
    BOOST_TEST(t.insert("a", "1"));
    BOOST_TEST(!t.insert("a", {"1", "2"}));
    BOOST_TEST(t.insert("b", pieces));
    BOOST_TEST(t.try_insert("c", 3));
    BOOST_TEST(t.insert_if(Check("a", "12"), "d", 4));
    BOOST_TEST(t.erase_if(Check::missing("z"), "d"));
    BOOST_TEST(!t.erase("d"));
    BOOST_TEST(t.incr("n", 2) == 2);
    BOOST_TEST(t.incr("f", 0.5) == 0.5);
    Value value;
    BOOST_TEST((t.find_into("b", value) && value == Value("abcd")));
    BOOST_TEST((t.at("a") == Value("12") && t.find("c").value() == Value(std::int64_t{3}) && t.exists("b")));
    BOOST_TEST(t.visit("a", [&](const ValueView& view) { value = ss::copy_of(view); }));
    BOOST_TEST((value == Value("12")));
    BOOST_TEST((t.size() == 5U && t.stats().entries == 5U && tree_contents(t).size() == 5U));
    BOOST_TEST((t.next_key("b").value() == "c" && t.longest_prefix("abc").value().first == "a"));
    BOOST_TEST((one_back(t.end()).key() == "n" && t.count_prefix("") == 5U));

    all_or_nothing(t, [&](Tree& tree, auto& tx) {
        BOOST_TEST(tree.insert(tx, "x", nullptr));
        BOOST_TEST(!tree.insert(tx, "x", {"1", "2"}));
        BOOST_TEST(tree.insert(tx, "y", std::span<const std::string_view>(pieces)));
        BOOST_TEST(!tree.try_insert(tx, "y", 3));
        BOOST_TEST(tree.try_insert(tx, "x long", long_text));
        BOOST_TEST(tree.insert_if(tx, Check("y", "abcd"), "z", 4));
        BOOST_TEST(!tree.insert_if(tx, Check("y", true), "z", 5));
        BOOST_TEST(tree.erase_if(tx, Check("z", 4), "b"));
        BOOST_TEST(tree.erase(tx, "c"));
        BOOST_TEST(tree.incr(tx, "n", 1) == 3);
        BOOST_TEST(tree.incr(tx, "f", 0.25) == 0.75);
        BOOST_TEST((tree.find(tx, "x").value() == Value("12") && !tree.contains(tx, "c")));
        BOOST_TEST(tree.erase_prefix(tx, "x") == 2U);
        // The plain forms of reads see the same.
        BOOST_TEST((tree.at("z") == Value(std::int64_t{4}) && !tree.contains("b") && tree.size() == 5U));
        BOOST_TEST((tree.count_prefix("x") == 0U && tree.longest_prefix("yy").value().first == "y"));
        BOOST_TEST(tree_contents(tree).size() == 5U);
        // One that throws and is caught has not happened, and the rest goes on.
        BOOST_TEST(thrown_by([&] { tree.incr(tx, "z", 1.5); }) == error(errc::wrong_type));
        BOOST_TEST(thrown_by([&] { tree.insert(tx, "z", ~std::uint64_t{0}); }) == error(errc::too_large));
        BOOST_TEST(thrown_by([&] { tree.insert(tx, std::string(65537, 'k'), 1); }) == error(errc::too_large));
        BOOST_TEST((tree.at("z") == Value(std::int64_t{4}) && tree.size() == 5U));
    });
    BOOST_TEST(t.size() == 5U);
    all_or_nothing(t, [&](Tree& tree, auto& tx) {
        tree.clear(tx);
        BOOST_TEST(tree.size() == 0U);
        for (int i = 0; i < 20; ++i) tree.insert(tx, std::to_string(i), i);
        BOOST_TEST((tree.size() == 20U && tree.erase_prefix(tx, "1") == 11U));
    });
    BOOST_TEST(t.size() == 9U);
    for (unsigned i = 0; i < 1000; ++i) t.insert(big_endian(i, 2), std::string(i % 90, 'x'));
    for (int i = 0; i < 1000; i += 2) BOOST_REQUIRE(t.erase(big_endian(static_cast<unsigned>(i), 2)));
    int walked = 0;
    for (auto it = t.begin(); it != t.end(); ++it) ++walked;
    BOOST_TEST((walked == 509 && t.size() == 509U));
    t.clear();
    BOOST_TEST(t.empty());
    drain(t);
    BOOST_TEST(wrong_with(t) == "");
}

/// Insert, find, erase and walk, and no more: this is compiled for all of the product.
template <class Tree>
void use_a_little(const ss::Pool& pool) {
    Tree t(pool, "t");
    for (int i = 0; i < 300; ++i) t.insert("key " + std::to_string(i), i);
    for (int i = 0; i < 300; i += 2) BOOST_REQUIRE(t.erase("key " + std::to_string(i)));
    for (int i = 0; i < 300; ++i) BOOST_REQUIRE(t.find("key " + std::to_string(i)).has_value() == (i % 2 == 1));
    std::string last;
    int walked = 0;
    for (auto it = t.begin(); it != t.end(); ++it, ++walked) {
        BOOST_REQUIRE(it.key() > last);
        last = it.key();
    }
    BOOST_TEST(walked == 150);
}

struct TwoTrees {
    TwoTrees() {
        t.insert("k", "1");
        other.insert("k", "1");
        other.insert("d", "1");
    }
    ~TwoTrees() { BOOST_TEST((wrong_with(pool) == "" && wrong_with(elsewhere) == "")); }

    ss::Pool pool = ss::Pool::anonymous(), elsewhere = ss::Pool::anonymous();
    ss::PrefixTree<> t{pool, "t"}, other{elsewhere, "t"};
};

/// Every form of writing, in a transaction `tx...` or without.
template <class Tree, class... Tx>
void expect_refused(Tree& t, errc code, Tx&... tx) {
    const auto refused = error(code);
    BOOST_TEST(thrown_by([&] { t.insert(tx..., "k", "v"); }) == refused);
    BOOST_TEST(thrown_by([&] { t.insert(tx..., "k", {"v", "w"}); }) == refused);
    BOOST_TEST(thrown_by([&] { t.insert(tx..., "k", std::span<const std::string_view>(pieces)); }) == refused);
    BOOST_TEST(thrown_by([&] { t.try_insert(tx..., "k", "v"); }) == refused);
    BOOST_TEST(thrown_by([&] { t.insert_if(tx..., Check("k", "nothing"), "k", "v"); }) == refused);
    BOOST_TEST(thrown_by([&] { t.erase(tx..., "missing"); }) == refused);
    BOOST_TEST(thrown_by([&] { t.erase_if(tx..., Check("k", "nothing"), "k"); }) == refused);
    BOOST_TEST(thrown_by([&] { t.erase_prefix(tx..., "missing"); }) == refused);
    BOOST_TEST(thrown_by([&] { t.incr(tx..., "n", 1); }) == refused);
    BOOST_TEST(thrown_by([&] { t.incr(tx..., "f", 0.5); }) == refused);
    BOOST_TEST(thrown_by([&] { t.clear(tx...); }) == refused);
}

} // namespace

BOOST_AUTO_TEST_CASE(every_policy_at_least_once) {
    boost::hana::for_each(ss::registry::few_prefix_trees, [](auto type) {
        using Tree = typename decltype(type)::type;
        BOOST_TEST_CONTEXT(ss::registry::profile_name<Tree>()) {
            const ss::Pool pool = ss::Pool::anonymous();
            use_everything<Tree>(pool);
            BOOST_TEST(wrong_with(pool) == "");
        }
    });
}

BOOST_AUTO_TEST_CASE(all_of_the_product) {
    int profiles = 0;
    boost::hana::for_each(ss::registry::prefix_trees, [&](auto type) {
        using Tree = typename decltype(type)::type;
        BOOST_TEST_CONTEXT(ss::registry::profile_name<Tree>()) {
            const ss::Pool pool = ss::Pool::anonymous();
            use_a_little<Tree>(pool);
            BOOST_TEST(wrong_with(pool) == "");
        }
        ++profiles;
    });
    BOOST_TEST(profiles == 24);
}

BOOST_FIXTURE_TEST_CASE(a_plain_write_within_a_transaction, TwoTrees) {
    ss::transaction(t, [&](auto& tx) {
        expect_refused(t, errc::would_deadlock);
        BOOST_TEST(thrown_by([&] { t.visit("k", [](const ValueView&) {}); }) == error(errc::would_deadlock));
        t.insert(tx, "after", "all of it");
    });
    BOOST_TEST((t.size() == 2U && t.at("k") == Value("1")));
    t.visit("k", [&](const ValueView& view) {
        expect_refused(t, errc::would_deadlock);
        BOOST_TEST((view == ValueView(std::string_view("1")) && t.at("k") == Value("1") && t.size() == 2U));
        BOOST_TEST(tree_contents(t).size() == 2U);
        BOOST_TEST(t.count_prefix("") == 2U);
    });
    BOOST_CHECK_THROW(t.visit("k", [](const ValueView&) { throw std::logic_error("of the user"); }),
                      std::logic_error);
    BOOST_TEST(thrown_by([&] {
                   t.visit("k", [](const ValueView&) { throw ss::Error(errc::damaged, "of the user's own"); });
               }) == error(errc::damaged));
    BOOST_TEST(t.insert("free again", 1));
}

BOOST_FIXTURE_TEST_CASE(a_transaction_of_another_domain, TwoTrees) {
    ss::transaction(t, [&](auto& tx) {
        expect_refused(other, errc::other_domain, tx);
        BOOST_TEST(thrown_by([&] { (void)other.find(tx, "k"); }) == error(errc::other_domain));
        BOOST_TEST(thrown_by([&] { (void)other.contains(tx, "k"); }) == error(errc::other_domain));
        t.insert(tx, "after", "all of it");
    });
    BOOST_TEST((t.size() == 2U && other.size() == 2U && other.at("k") == Value("1")));
}

BOOST_AUTO_TEST_CASE(a_tree_and_a_table_in_one_domain) {
    const ss::Pool pool = ss::Pool::anonymous();
    ss::PrefixTree<> tree(pool, "tree");
    ss::HashTable<> table(pool, "table");
    for (int i = 0; i < 50; ++i) {
        tree.insert(std::to_string(i), long_text);
        table.insert(std::to_string(i), long_text);
    }
    const auto move = [&](auto& tx) {
        for (int i = 0; i < 10; ++i) {
            const std::string key = std::to_string(i);
            BOOST_TEST(tree.erase(tx, key));
            BOOST_TEST(table.insert(tx, "moved " + key, long_text));
            BOOST_TEST(table.incr(tx, "count", 1) == i + 1);
        }
        BOOST_TEST((tree.size() == 40U && table.size() == 61U));
        BOOST_TEST(tree.insert_if(tx, Check::missing("0"), "done", true));
    };
    BOOST_CHECK_THROW(ss::transaction(table,
                                      [&](auto& tx) {
                                          move(tx);
                                          throw std::runtime_error("undo");
                                      }),
                      std::runtime_error);
    BOOST_TEST((tree.size() == 50U && table.size() == 50U && !tree.contains("done")));
    BOOST_TEST(wrong_with(pool) == "");
    ss::transaction(tree, move);
    BOOST_TEST((tree.size() == 41U && table.size() == 61U && tree.contains("done")));
    ss::transaction(tree, [&](auto& tx) {
        tree.clear(tx);
        table.clear(tx);
    });
    BOOST_TEST((tree.empty() && table.empty()));
    drain(tree);
    // Names do not mix.
    BOOST_TEST(thrown_by([&] { const ss::HashTable<> wrong(pool, "tree"); }) == error(errc::other_type));
    BOOST_TEST(thrown_by([&] { const ss::PrefixTree<> wrong(pool, "table"); }) == error(errc::other_type));
    BOOST_TEST(pool.objects().size() == 2U);
    BOOST_TEST(pool.remove_object("tree"));
    BOOST_TEST(table.insert("k", "v"));
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE(handles_are_copied_and_moved) {
    std::optional<ss::Pool> pool(ss::Pool::anonymous());
    std::optional<ss::PrefixTree<>> first(std::in_place, *pool, "t");
    first->insert("a", 1);
    ss::PrefixTree<> copy(*first);
    ss::PrefixTree<> moved(std::move(*first));
    first.reset();
    pool.reset(); // the handles keep the pool attached
    moved.insert("b", 2);
    BOOST_TEST((copy.size() == 2U && copy.at("b") == Value(std::int64_t{2})));
    ss::PrefixTree<> other(ss::Pool::anonymous(), "t");
    other = copy;
    BOOST_TEST(other.contains("b"));
    std::optional<ss::PrefixTree<>> handle(copy);
    handle->visit("a", [&](const ValueView&) { handle.reset(); });
    BOOST_TEST(copy.insert("c", 3));
}

BOOST_AUTO_TEST_CASE(a_read_only_pool_reads_everything_and_writes_nothing) {
    if (ss::thread_sanitizer) skip("a read-only mapping, whose versions ThreadSanitizer's build would write");
    const TempDir directory;
    TreeContents all;
    std::string shape;
    {
        const ss::Pool pool(directory / "pool");
        ss::PrefixTree<> t(pool, "t");
        for (unsigned i = 0; i < 500; ++i) t.insert("key " + std::to_string(i), std::string(i % 100, 'v'));
        all = tree_contents(t);
        shape = printed(t);
    }
    const ss::Pool pool(directory / "pool", {.access = ss::Access::read_only});
    ss::PrefixTree<> t(pool, "t");
    BOOST_TEST(is_same(tree_contents(t), all));
    BOOST_TEST((t.at("key 5") == Value("vvvvv") && t.type("key 5").value() == ss::ValueType::string));
    BOOST_TEST((one_back(t.end()).key() == "key 99" && t.longest_prefix("key 77!").value().first == "key 77"));
    std::string seen;
    BOOST_TEST(t.visit("key 7", [&](const ValueView& view) { seen = std::get<std::string_view>(view); }));
    BOOST_TEST(seen == "vvvvvvv");
    BOOST_TEST((t.size() == 500U && t.count_prefix("key 1") == 111U && t.bytes_for_prefix("") != 0U));
    BOOST_TEST(t.top("key", 3, [](const Value& a, const Value& b) { return a.index() < b.index(); }).size() == 3U);
    BOOST_TEST((printed(t) == shape && wrong_with(t) == "" && wrong_with(pool) == ""));
    expect_refused(t, errc::read_only);
    BOOST_TEST(thrown_by([&] { ss::transaction(t, [](auto&) {}); }) == error(errc::read_only));
    BOOST_TEST(thrown_by([&] { const ss::PrefixTree<> none(pool, "none"); }) == error(errc::no_such_object));
    BOOST_TEST(thrown_by([&] { const ss::PrefixTree<>::with<ss::FutexLock> locking(pool, "t"); }) ==
               error(errc::read_only));
}

BOOST_AUTO_TEST_SUITE_END()
