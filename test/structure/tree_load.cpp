// Loading a PrefixTree: the same as inserting one entry after the other, whatever the order, and whatever ends it.
#include <ss/ss.hpp>

#include "structure/tree_support.hpp"
#include "support/expect.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

BOOST_AUTO_TEST_SUITE(structure_tree_load)

using namespace ss::test;
using ss::errc;
using ss::Value;

namespace {

using Tree = ss::PrefixTree<>;
using Entries = std::vector<std::pair<std::string, Value>>;

Value value_of(std::uint64_t number) {
    switch (number % 6) {
    case 0:
        return nullptr;
    case 1:
        return number % 4 == 1;
    case 2:
        return static_cast<std::int64_t>(number << 40 | 1U << 31);
    case 3:
        return static_cast<double>(number) / 3;
    case 4:
        return std::string(number % 12, 's');
    default:
        return std::string(number % 600, 'l');
    }
}

/// Keys that begin with each other, dense ones, long ones, in their order.
Entries entries_of(unsigned seed, std::size_t count) {
    std::mt19937 engine(seed);
    std::map<std::string, Value> all;
    while (all.size() < count) {
        std::string key;
        switch (engine() % 4) {
        case 0:
            key = std::to_string(engine() % (4 * count));
            break;
        case 1:
            key = "dense " + big_endian(engine() % count, 2);
            break;
        case 2:
            key = std::string(engine() % 70, 'c');
            break;
        default:
            key = "/home/user" + std::to_string(engine() % 9) + "/a directory/" + std::to_string(engine() % count);
        }
        all.emplace(key, value_of(engine()));
    }
    return {all.begin(), all.end()};
}

TreeContents map_of(const Entries& entries) {
    TreeContents all;
    for (const auto& [key, value] : entries) all.insert_or_assign(key, value);
    return all;
}

template <class T>
void check_against_a_map() {
    for (const std::size_t count : {0U, 1U, 2U, 127U, 128U, 129U, 5000U})
        for (const bool in_order : {true, false}) {
            const ss::Pool pool = ss::Pool::anonymous();
            T t(pool, "t");
            TreeContents expected;
            for (unsigned round = 0; round < 3; ++round) { // into an empty tree, and among what is there
                Entries entries = entries_of(round, count);
                if (!in_order) {
                    std::shuffle(entries.begin(), entries.end(), std::mt19937(round));
                    const Entries twice(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(count / 2));
                    entries.insert(entries.end(), twice.begin(), twice.end());
                    for (std::size_t i = count; i < entries.size(); ++i) entries[i].second = value_of(i);
                }
                const std::size_t before = expected.size();
                for (const auto& [key, value] : entries) expected.insert_or_assign(key, value);
                BOOST_TEST(t.load(entries) == expected.size() - before);
                BOOST_TEST(is_same(tree_contents(t), expected));
                BOOST_TEST(t.size() == expected.size());
                BOOST_TEST(wrong_with(pool) == "");
            }
            for (const auto& [key, value] : expected) BOOST_REQUIRE((t.find(key) && is_same(*t.find(key), value)));
            for (const auto& [key, value] : expected) BOOST_REQUIRE(t.erase(key));
            BOOST_TEST(wrong_with(pool) == "");
        }
}

} // namespace

BOOST_AUTO_TEST_CASE(loaded_is_what_inserting_makes) {
    check_against_a_map<Tree>();
    check_against_a_map<ss::PrefixTree<ss::LogarithmicAllocator, ss::FutexLock>>();
    check_against_a_map<Tree::with<ss::SimpleAllocator>>();
}

BOOST_AUTO_TEST_CASE(the_nodes_are_those_that_inserting_makes) {
    const Entries entries = entries_of(7, 3000);
    const ss::Pool pool = ss::Pool::anonymous();
    Tree loaded(pool, "loaded"), inserted(pool, "inserted");
    loaded.load(entries);
    for (const auto& [key, value] : entries) inserted.insert(key, value);
    BOOST_TEST(structure_of(loaded) == structure_of(inserted));
}

BOOST_AUTO_TEST_CASE(it_takes_what_insert_takes) {
    const ss::Pool pool = ss::Pool::anonymous();
    Tree t(pool, "t");
    const std::map<std::string_view, int> numbers = {{"a", 1}, {"b", 2}};
    BOOST_TEST(t.load(numbers) == 2U);
    const std::pair<const char*, const char*> texts[] = {{"b", "two"}, {"c", "three"}};
    BOOST_TEST(t.load(std::vector(std::begin(texts), std::end(texts))) == 1U);
    int left = 300;
    const auto next = [&]() -> std::optional<std::pair<std::string, double>> {
        if (left == 0) return std::nullopt;
        --left;
        return std::pair("n" + std::to_string(left), left / 2.0);
    };
    BOOST_TEST(t.load(next) == 300U);
    BOOST_TEST((t.at("a") == Value(std::int64_t{1}) && t.at("b") == Value("two") && t.at("n7") == Value(3.5)));
    BOOST_TEST(t.size() == 303U);
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE(all_before_what_throws_is_there) {
    Entries entries = entries_of(3, 1000);
    for (const std::size_t at : {0U, 1U, 100U, 128U, 700U}) {
        const ss::Pool pool = ss::Pool::anonymous();
        Tree t(pool, "t");
        std::size_t given = 0;
        const auto next = [&]() -> std::optional<std::pair<std::string, Value>> {
            if (given == at) throw std::runtime_error("no more");
            return entries[given++];
        };
        BOOST_CHECK_THROW(t.load(next), std::runtime_error);
        BOOST_TEST(is_same(tree_contents(t), map_of({entries.begin(), entries.begin() + static_cast<int>(at)})));
        Entries with_a_long_key = entries;
        with_a_long_key[at].first = std::string(64 * 1024 + 1, 'k');
        t.clear();
        BOOST_TEST(thrown_by([&] { t.load(with_a_long_key); }) == error(errc::too_large));
        BOOST_TEST(is_same(tree_contents(t), map_of({entries.begin(), entries.begin() + static_cast<int>(at)})));
        BOOST_TEST(wrong_with(pool) == "");
    }
}

BOOST_AUTO_TEST_CASE(more_than_a_journal_has_room_for) {
    // Values with blocks of their own, in slots, all of them freed by the second load: more than a transaction can free.
    Entries entries;
    for (std::uint64_t i = 0; i < 2000; ++i) entries.emplace_back(big_endian(i, 2), std::string(100, 'o'));
    const ss::Pool pool = ss::Pool::anonymous();
    ss::PrefixTree<ss::LogarithmicAllocator> t(pool, "t");
    BOOST_TEST(t.load(entries) == 2000U);
    for (auto& [key, value] : entries) value = std::string(200, 'n');
    BOOST_TEST(t.load(entries) == 0U);
    BOOST_TEST(is_same(tree_contents(t), map_of(entries)));
    BOOST_TEST(t.stats().journal_high_water < ss::journal_capacity);
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE(watchers_are_told) {
    const ss::Pool pool = ss::Pool::anonymous();
    Tree t(pool, "t");
    const ss::Stamp key = t.stamp("b"), prefix = t.stamp("p/"), other = t.stamp("q");
    t.load(Entries{{"a", 1}, {"b", 2}, {"c", 3}, {"p/1", 4}, {"p/2", 5}});
    BOOST_TEST(t.watch("b", key, std::chrono::seconds(0)).has_value());
    BOOST_TEST(t.watch_prefix("p/", prefix, std::chrono::seconds(0)).has_value());
    BOOST_TEST(!t.watch("q", other, std::chrono::seconds(0)).has_value());
}

BOOST_AUTO_TEST_CASE(a_reader_sees_a_beginning_of_it) {
    const Entries entries = entries_of(5, 20000);
    const ss::Pool pool = ss::Pool::anonymous();
    Tree t(pool, "t");
    std::atomic<bool> done = false;
    std::thread writer([&] {
        for (int i = 0; i < 5; ++i) {
            t.load(entries);
            t.clear();
        }
        done = true;
    });
    std::uint64_t wrong = 0, looks = 0;
    for (std::mt19937 engine(1); !done; ++looks) {
        // Who has an entry has all those of the same load that come before it.
        const std::size_t late = engine() % entries.size(), early = engine() % (late + 1);
        const bool before = t.size() != 0;
        const bool has_late = t.contains(entries[late].first), has_early = t.contains(entries[early].first);
        wrong += before && has_late && !has_early && t.contains(entries[late].first);
    }
    writer.join();
    BOOST_TEST(wrong == 0U);
    BOOST_TEST(looks > 100U);
}

BOOST_AUTO_TEST_CASE(a_kill_leaves_a_beginning_of_it) {
    const TempDir directory;
    const Entries entries = entries_of(9, 30000);
    std::size_t amid = 0;
    for (int round = 0; round < 12; ++round) {
        const auto path = directory.path() / ("pool" + std::to_string(round));
        const ss::Pool pool(path);
        Tree t(pool, "t");
        Process loader([&] {
            const ss::Pool own(path);
            Tree(own, "t").load(entries);
        });
        while (t.size() < static_cast<std::uint64_t>(round) * 2000) std::this_thread::yield();
        loader.kill();
        const std::uint64_t size = t.size();
        BOOST_REQUIRE(size <= entries.size());
        amid += size != 0 && size != entries.size();
        BOOST_TEST(is_same(tree_contents(t), map_of({entries.begin(), entries.begin() + static_cast<int>(size)})));
        BOOST_TEST(wrong_with(pool) == "");
    }
    BOOST_TEST(amid > 0U);
}

BOOST_AUTO_TEST_SUITE_END()
