// Watching keys and prefixes: every change is noticed, by sleepers in other processes too, and few things that are none.
#include <ss/registry.hpp>
#include <ss/ss.hpp>

#include "support/barrier.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <tuple>

BOOST_AUTO_TEST_SUITE(structure_watch)

using namespace ss;
using namespace std::chrono_literals;

namespace {

using Trees = registry::AsList<std::tuple, decltype(registry::few_prefix_trees)>;
using Tables = registry::AsList<std::tuple, decltype(registry::few_hash_tables)>;
using TablesOfAllSorts =
    registry::AsList<std::tuple,
                     decltype(boost::hana::concat(registry::few_hash_tables, registry::few_striped_tables))>;

/// The next stamp if the key has changed since `seen`; without waiting.
template <class Structure>
std::optional<Stamp> changed(const Structure& structure, const char* key, const Stamp& seen) {
    return structure.watch(key, seen, 0ms);
}

} // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(each_change_of_a_key_moves_its_stamp, Table, TablesOfAllSorts) {
    Pool pool = Pool::anonymous({.domains = 4});
    Table table(pool, "t");
    Stamp seen = table.stamp("k");
    const auto moved = [&] {
        const auto next = changed(table, "k", seen);
        if (next) seen = *next;
        return next.has_value();
    };
    BOOST_TEST(!moved());
    table.insert("k", "v");
    BOOST_TEST(moved());
    BOOST_TEST(!moved());
    table.insert("k", "w");
    BOOST_TEST(moved());
    table.insert("k", std::string(1000, 'x'));
    BOOST_TEST(moved());
    for (int i = 0; i < 1000; ++i) table.insert("other" + std::to_string(i), "v");
    BOOST_TEST(!moved());
    table.erase("k");
    BOOST_TEST(moved());
    table.erase("k");
    BOOST_TEST(!moved());
    table.try_insert("k", "v");
    BOOST_TEST(moved());
    table.try_insert("k", "v");
    BOOST_TEST(!moved());
    table.erase_if(Check("k", "v"), "k");
    BOOST_TEST(moved());
    table.incr("k", 1);
    BOOST_TEST(moved());
    table.incr("k", 1);
    BOOST_TEST(moved());
    if constexpr (is_striped<typename Table::lock_policy>)
        transaction(table.stripe("k"), [&](auto& tx) { table.insert(tx, "k", "of its stripe"); });
    else
        transaction(table, [&](auto& tx) {
            table.insert(tx, "k", "of many");
            table.erase(tx, "other1");
        });
    BOOST_TEST(moved());
    table.clear();
    BOOST_TEST(moved());
    // A stamp that was taken long ago is still out of date when the key has changed again and again.
    const Stamp old = seen;
    for (int i = 0; i < 10; ++i) table.insert("k", std::to_string(i));
    BOOST_TEST((changed(table, "k", old) && changed(table, "k", old)));
    BOOST_TEST(pool.verify().empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(each_change_below_a_prefix_moves_its_stamp, Tree, Trees) {
    Pool pool = Pool::anonymous();
    Tree tree(pool, "t");
    Stamp seen = tree.stamp("a/");
    const auto moved = [&] {
        const auto next = tree.watch_prefix("a/", seen, 0ms);
        if (next) seen = *next;
        return next.has_value();
    };
    BOOST_TEST(!moved());
    tree.insert("a/x", 1);
    BOOST_TEST(moved());
    tree.insert("a/", "the prefix itself");
    BOOST_TEST(moved());
    for (int i = 0; i < 1000; ++i) tree.insert("b/" + std::to_string(i), i);
    tree.insert("a", 1);
    tree.insert("", 1);
    BOOST_TEST(!moved());
    tree.incr("a/x", 1);
    BOOST_TEST(moved());
    tree.erase("a/x");
    BOOST_TEST(moved());
    tree.erase("a/x");
    BOOST_TEST(!moved());
    tree.insert("a/" + std::string(60'000, 'y'), nullptr);
    BOOST_TEST(moved());
    tree.erase_prefix("a/yy");
    BOOST_TEST(moved());
    tree.erase_prefix("no such");
    BOOST_TEST(!moved());
    transaction(tree, [&](auto& tx) { tree.insert(tx, "a/z", 1); });
    BOOST_TEST(moved());
    tree.clear();
    BOOST_TEST(moved());
    // The stamp of a key is one of its own.
    Stamp key = tree.stamp("a/");
    tree.insert("a/b", 1);
    BOOST_TEST(!tree.watch("a/", key, 0ms));
    BOOST_TEST(tree.watch_prefix("a/", key, 0ms).has_value());
    tree.insert("a/", 1);
    BOOST_TEST(tree.watch("a/", key, 0ms).has_value());
    // A long prefix is watched by its first 64 bytes, the empty one is all of the tree.
    const std::string longer(100, 'l');
    key = tree.stamp(longer);
    tree.insert(longer + "and more", 1);
    BOOST_TEST(tree.watch_prefix(longer, key, 0ms).has_value());
    key = tree.stamp("");
    tree.insert("anything", 1);
    BOOST_TEST(tree.watch_prefix("", key, 0ms).has_value());
    BOOST_TEST(pool.verify().empty());
}

BOOST_AUTO_TEST_CASE(several_watchers_may_share_a_signal) {
    Pool pool = Pool::anonymous();
    HashTable<> table(pool, "t");
    std::vector<Stamp> stamps;
    for (int i = 0; i < 2000; ++i) stamps.push_back(table.stamp(std::to_string(i)));
    table.insert("7", "seven");
    BOOST_TEST(table.watch("7", stamps[7], 0ms).has_value());
    std::uint64_t moved = 0;
    for (int i = 0; i < 2000; ++i)
        moved += table.watch(std::to_string(i), stamps[static_cast<std::size_t>(i)], 0ms) ? 1U : 0U;
    BOOST_TEST(moved >= 1U);
    BOOST_TEST(moved < 40U); // of 256 signals one has moved
    for (int i = 0; i < 2000; ++i) stamps[static_cast<std::size_t>(i)] = table.stamp(std::to_string(i));
    for (int i = 0; i < 2000; ++i) table.insert(std::to_string(i), "v");
    for (int i = 0; i < 2000; ++i)
        BOOST_TEST(table.watch(std::to_string(i), stamps[static_cast<std::size_t>(i)], 0ms).has_value());
}

BOOST_AUTO_TEST_CASE(a_transaction_that_is_undone_may_move_a_stamp_and_the_next_change_does) {
    Pool pool = Pool::anonymous();
    PrefixTree<> tree(pool, "t");
    Stamp seen = tree.stamp("k");
    BOOST_CHECK_THROW(transaction(tree,
                                  [&](auto& tx) {
                                      tree.insert(tx, "k", 1);
                                      throw std::runtime_error("no");
                                  }),
                      std::runtime_error);
    if (const auto next = tree.watch("k", seen, 0ms)) seen = *next;
    BOOST_TEST(!tree.watch("k", seen, 0ms));
    tree.insert("k", 1);
    BOOST_TEST(tree.watch("k", seen, 0ms).has_value());
    BOOST_TEST(pool.verify().empty());
}

BOOST_AUTO_TEST_CASE(a_sleeper_in_another_process_is_woken) {
    Pool pool = Pool::anonymous();
    HashTable<> table(pool, "t");
    PrefixTree<> tree(pool, "u");
    ss::test::Shared<std::atomic<int>> awake;
    ss::test::Process sleeper([&] {
        Stamp seen = tree.stamp("settings/");
        ++*awake;
        for (int i = 0; i < 100; ++i) {
            const auto next = tree.watch_prefix("settings/", seen, 60s);
            if (!next) std::_Exit(3);
            seen = *next;
            ++*awake;
        }
        std::_Exit(0);
    });
    for (int i = 0; i < 100; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        while (*awake <= i && std::chrono::steady_clock::now() - begin < 20s) std::this_thread::yield();
        BOOST_REQUIRE(*awake == i + 1);
        tree.insert("elsewhere", i);
        tree.insert("settings/x", i);
    }
    BOOST_TEST(sleeper.wait().clean());
}

BOOST_AUTO_TEST_CASE(a_change_whose_writer_was_killed_is_noticed) {
    const ss::test::TempDir directory;
    const auto path = directory / "pool";
    Pool pool(path);
    HashTable<> table(pool, "t");
    for (int i = 0; i < 30; ++i) {
        const Stamp seen = table.stamp("k");
        ss::test::Process writer([&] {
            const Pool mine(path);
            HashTable<> theirs(mine, "t");
            for (;;) theirs.insert("k", "v");
        });
        BOOST_TEST(table.watch("k", seen, 20s).has_value());
        const Stamp before = table.stamp("k");
        std::this_thread::sleep_for(std::chrono::microseconds(i * 37));
        BOOST_TEST(writer.kill().killed());
        (void)table.watch("k", before, 200ms);
        const Stamp after = table.stamp("k"); // recovers
        BOOST_TEST(!table.watch("k", after, 0ms));
    }
    BOOST_TEST(pool.verify().empty());
}

BOOST_AUTO_TEST_CASE(a_read_only_pool_watches_too) {
    const ss::test::TempDir directory;
    const auto path = directory / "pool";
    Pool pool(path);
    HashTable<> table(pool, "t");
    PrefixTree<> tree(pool, "u");
    const Pool readable(path, {.access = Access::read_only});
    const HashTable<> watched(readable, "t");
    const PrefixTree<> watched_tree(readable, "u");
    Stamp seen = watched.stamp("k"), seen_tree = watched_tree.stamp("p/");
    BOOST_TEST(!watched.watch("k", seen, 0ms));
    BOOST_TEST(!watched_tree.watch_prefix("p/", seen_tree, 15ms));
    table.insert("k", "v");
    tree.insert("p/k", "v");
    BOOST_TEST(watched.watch("k", seen, 0ms).has_value());
    BOOST_TEST(watched_tree.watch_prefix("p/", seen_tree, 0ms).has_value());
    seen = watched.stamp("k");
    for (int i = 0; i < 10'000; ++i) table.insert(std::to_string(i), "v"); // splits
    seen = watched.stamp("k");
    table.erase("k");
    BOOST_TEST(watched.watch("k", seen, 1s).has_value());
}

BOOST_AUTO_TEST_CASE(what_cannot_be_waited_for_is_an_error) {
    Pool pool = Pool::anonymous();
    HashTable<> table(pool, "t");
    const Stamp seen = table.stamp("k");
    transaction(table, [&](auto&) {
        BOOST_CHECK_EXCEPTION((void)table.stamp("k"), Error,
                              [](const Error& error) { return error.code() == errc::would_deadlock; });
        BOOST_CHECK_EXCEPTION((void)table.watch("k", seen, 1s), Error,
                              [](const Error& error) { return error.code() == errc::would_deadlock; });
    });
    pool.remove_object("t");
    BOOST_CHECK_EXCEPTION((void)table.watch("k", seen, 10s), Error,
                          [](const Error& error) { return error.code() == errc::no_such_object; });
}

BOOST_AUTO_TEST_SUITE_END()
