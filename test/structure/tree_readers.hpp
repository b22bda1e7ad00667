// Readers and writers of one PrefixTree. Some keys are always there; others come and go around them, so that nodes are
// split, grown, shrunk, merged and cut off. Every value carries a checksum of itself and of its key.
#pragma once

#include <ss/registry.hpp>

#include "structure/self_checking.hpp"
#include "structure/tree_support.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace ss::test {

/// What went wrong, counted by kind.
struct TreeTally {
    Counter finds{0}, walks{0}, writes{0};
    Counter missed{0}, torn{0}, disordered{0}, longest{0}, never{0};
    std::atomic<bool> stop{false};
};

/// The keys that are always there: with and without a common prefix, one the beginning of others, one among many
/// neighbours.
inline const std::vector<std::string>& permanent_keys() {
    static const std::vector<std::string> keys = [] {
        std::vector<std::string> all = {"", "a", "ab", "ab/permanent and long enough", "m", "zz"};
        for (const char c : {'\0', '4', '\x7f', '\xff'}) all.push_back(std::string("node/") + c);
        for (const char c : {'1', '5', '9'}) all.push_back(std::string("small/") + c + " with a leaf");
        std::sort(all.begin(), all.end());
        return all;
    }();
    return keys;
}

/// Makes the tree and what is always in it.
template <class Tree>
void make_permanent(Tree& t) {
    std::mt19937_64 engine(1);
    for (const std::string& key : permanent_keys()) t.insert(key, make_value(key, engine));
    t.insert("longest", make_value("longest", engine));
}

/// Writes until told to stop. Writer 0 is the only one at "longest"; the others do all else.
template <class Tree>
void write_tree(Tree t, TreeTally& tally, unsigned number) {
    std::mt19937_64 engine(number);
    const auto put = [&](const std::string& key) { t.insert(key, make_value(key, engine)); };
    const auto& permanent = permanent_keys();
    while (!tally.stop) {
        ++tally.writes;
        switch (engine() % 8) {
        case 0: // grown to the largest kind and back
            for (unsigned i = 0; i < 256; ++i)
                if (i % 3 != 0) put(std::string("node/x") + static_cast<char>(i));
            for (unsigned i = 0; i < 256; ++i)
                if (i % 3 != 0) t.erase(std::string("node/x") + static_cast<char>(i));
            break;
        case 1: // a small node among the permanent ones
            for (const char c : {'2', '8', '0', '3', '7', '4', '6'}) put(std::string("small/") + c);
            for (const char c : {'0', '3', '2', '8', '6', '7', '4'}) t.erase(std::string("small/") + c);
            break;
        case 2: { // a node with permanent branches grows and shrinks around them
            const unsigned first = static_cast<unsigned>(engine() % 200);
            for (unsigned i = first; i < first + 50; ++i) {
                const std::string key = std::string("node/") + static_cast<char>(i);
                if (!std::binary_search(permanent.begin(), permanent.end(), key)) put(key);
            }
            for (unsigned i = first; i < first + 50; ++i) {
                const std::string key = std::string("node/") + static_cast<char>(i);
                if (!std::binary_search(permanent.begin(), permanent.end(), key)) t.erase(key);
            }
            break;
        }
        case 3: { // prefixes split and merge
            const std::string whole = "ab/permanent and long enough";
            const std::size_t cut = 4 + engine() % (whole.size() - 4);
            const std::string key = whole.substr(0, cut) + "!";
            put(key);
            if (engine() % 2 == 0) put(key + " and more");
            t.erase_prefix(key);
            break;
        }
        case 4: { // what begins with it is cut off, a lot at once
            for (int i = 0; i < 60; ++i) put("cut/" + std::to_string(engine() % 1000));
            t.erase_prefix("cut/");
            break;
        }
        case 5: // undone: never to be seen
            try {
                ss::transaction(t, [&](auto& tx) {
                    for (const std::string& key : permanent)
                        if (engine() % 2 == 0) t.erase(tx, key);
                    t.insert(tx, "never", "to be seen");
                    t.insert(tx, "m", "never to be seen");
                    t.erase_prefix(tx, "small/");
                    throw 1;
                });
            } catch (int) {}
            break;
        case 6: { // values in place and in new blocks
            const std::string& key = permanent[engine() % permanent.size()];
            put(key);
            break;
        }
        default: // one of two keys is always there: the longer comes before the shorter goes
            if (number != 0) break;
            put("longest/of all");
            t.erase("longest");
            put("longest");
            t.erase("longest/of all");
        }
    }
}

/// Reads in every way until told to stop.
template <class Tree>
void read_tree(const Tree& t, TreeTally& tally) {
    const auto& permanent = permanent_keys();
    const auto is_right = [](std::string_view key, const Value& value) {
        const auto* text = std::get_if<std::string>(&value);
        return text != nullptr && is_whole(key, *text);
    };
    Value value;
    /// Holds a walk, the keys in the order they came, against the permanent ones.
    const auto check_walk = [&](const std::vector<std::string>& keys, auto compare) {
        ++tally.walks;
        std::size_t found = 0;
        for (std::size_t i = 0; i < keys.size(); ++i) {
            if (i != 0 && !compare(keys[i - 1], keys[i])) ++tally.disordered;
            found += std::binary_search(permanent.begin(), permanent.end(), keys[i]);
        }
        if (found != permanent.size()) ++tally.missed;
    };
    std::vector<std::string> keys;
    for (std::uint64_t round = 0; !tally.stop; ++round) {
        const std::string& key = permanent[round % permanent.size()];
        ++tally.finds;
        if (!t.find_into(key, value))
            ++tally.missed;
        else if (!is_right(key, value))
            ++tally.torn;
        const auto longest = t.longest_prefix("longest/of all and more");
        if (!longest || !longest->first.starts_with("longest"))
            ++tally.longest;
        else if (!is_right(longest->first, longest->second))
            ++tally.torn;
        if (t.contains("never")) ++tally.never;
        if (round % 8 == 0) {
            keys.clear();
            t.for_each([&](std::string_view k, const ValueView& v) {
                keys.emplace_back(k);
                if (!is_right(k, copy_of(v))) ++tally.torn;
            });
            check_walk(keys, std::less<>());
        }
        if (round % 8 == 4) {
            keys.clear();
            for (const auto& [k, v] : t) {
                keys.push_back(k);
                if (!is_right(k, v)) ++tally.torn;
            }
            check_walk(keys, std::less<>());
            keys.clear();
            // From the end down to the first key, which is always there.
            for (auto it = t.end(); keys.empty() || !keys.back().empty();) {
                --it;
                if (it.is_end()) {
                    ++tally.missed;
                    break;
                }
                keys.emplace_back(it.key());
            }
            check_walk(keys, std::greater<>());
        }
        if (round % 16 == 2) {
            const auto next = t.next_key("l");
            if (!next || *next > "m") ++tally.missed;
            if (t.size() < permanent.size() + 1) ++tally.missed;
        }
        if (round % 32 == 3)
            t.visit(key, [&](const ValueView& v) {
                if (!is_right(key, copy_of(v))) ++tally.torn;
            });
    }
}

inline void check(const TreeTally& tally, const std::string& profile) {
    BOOST_TEST(tally.missed == 0U);
    BOOST_TEST(tally.torn == 0U);
    BOOST_TEST(tally.disordered == 0U);
    BOOST_TEST(tally.longest == 0U);
    BOOST_TEST(tally.never == 0U);
    BOOST_TEST(tally.finds > 20U);
    BOOST_TEST(tally.walks > 2U);
    BOOST_TEST(tally.writes > 5U);
    BOOST_TEST_MESSAGE(profile << ": " << tally.finds << " finds, " << tally.walks << " walks, " << tally.writes
                               << " rounds of writing");
}

} // namespace ss::test
