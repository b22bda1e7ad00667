// A reader that is stopped at an instruction, a whole write that happens there, and then the reader goes on: what a
// storm of threads meets once in millions of reads is met here every time.
//
// What is in the tree before and after the write must be read, in order, whatever the instruction.
#pragma once

#include <ss/ss.hpp>

#include "crash/single_step.hpp"
#include "support/barrier.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <iterator>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace ss::test {

using Keys = std::vector<std::string>;

/// What is there, what happens, and what is there throughout.
struct TreeWrite {
    const char* name;
    Keys before;
    std::function<void(PrefixTree<>&)> write;
};

/// Reads keys, in order; each reader says which of all keys it is to come by.
struct TreeReader {
    const char* name;
    std::function<Keys(const PrefixTree<>&)> read;
    std::function<bool(std::string_view)> covers;
};

inline std::vector<TreeWrite> tree_writes() {
    const auto below = [](std::string_view prefix, std::string_view bytes) {
        Keys keys{"A", "z"};
        for (const char byte : bytes) keys.push_back(std::string(prefix) + byte);
        return keys;
    };
    return {
        {"the last slot fills a hole, Node4", below("m", "abc"), [](auto& t) { t.erase("ma"); }},
        {"the last slot fills a hole, Node16", below("m", "abcdefg"), [](auto& t) { t.erase("ma"); }},
        {"a node grows", below("m", "bcde"), [](auto& t) { t.insert("ma", 1); }},
        {"a prefix is split", {"A", "macd", "mace", "z"}, [](auto& t) { t.insert("mb", 1); }},
        {"nodes merge", {"A", "mab", "macd", "mace", "z"}, [](auto& t) { t.erase("mab"); }},
        {"the root grows", {"A", "c", "e", "z"}, [](auto& t) { t.insert("b", 1); }},
        {"a subtree goes, and its memory comes back elsewhere",
         {"A", "max", "may", "maz", "mbx", "mby", "z"},
         [](auto& t) {
             t.erase_prefix("ma");
             for (int i = 0; i < 4; ++i) t.insert("mc" + std::to_string(i), i);
             for (int i = 0; i < 4; ++i) t.erase("mc" + std::to_string(i));
         }},
        {"everything goes and most of it comes back, as one", below("m", "abc"),
         [](auto& t) {
             transaction(t, [&](auto& tx) {
                 t.clear(tx);
                 for (const char* key : {"z", "mc", "mb", "A"}) t.insert(tx, key, 1);
             });
         }},
    };
}

inline std::vector<TreeReader> tree_readers() {
    const auto all = [](std::string_view) { return true; };
    return {
        {"for_each",
         [](const PrefixTree<>& t) {
             Keys keys;
             t.for_each([&](std::string_view key, const ValueView&) { keys.emplace_back(key); });
             return keys;
         },
         all},
        {"up",
         [](const PrefixTree<>& t) {
             Keys keys;
             for (auto it = t.begin(); !it.is_end(); ++it) keys.emplace_back(it.key());
             return keys;
         },
         all},
        {"down",
         [](const PrefixTree<>& t) {
             Keys keys;
             auto it = t.end();
             for (--it; !it.is_end(); --it) keys.emplace_back(it.key());
             std::reverse(keys.begin(), keys.end());
             return keys;
         },
         all},
        {"next_key, until there is none",
         [](const PrefixTree<>& t) {
             Keys keys;
             for (auto key = t.next_key("m"); key; key = t.next_key(*key)) keys.push_back(*key);
             return keys;
         },
         [](std::string_view key) { return key > "m"; }},
        {"find",
         [](const PrefixTree<>& t) {
             Keys keys;
             for (const char* key : {"A", "macd", "mb", "mc", "me", "mg", "z"})
                 if (t.find(key)) keys.emplace_back(key);
             return keys;
         },
         [](std::string_view key) {
             return std::set<std::string_view>{"A", "macd", "mb", "mc", "me", "mg", "z"}.contains(key);
         }},
        {"longest_prefix",
         [](const PrefixTree<>& t) {
             Keys keys;
             for (const char* key : {"A?", "macd?", "mb", "z"})
                 if (auto found = t.longest_prefix(key)) keys.push_back(found->first);
             return keys;
         },
         [](std::string_view key) {
             return std::set<std::string_view>{"A", "macd", "mb", "z"}.contains(key);
         }},
    };
}

/// One write against one reader: at each `stride`-th instruction from `first` on, the write happens.
class TreeInterleaving {
public:
    struct Result {
        std::uint64_t interleavings = 0, bad = 0;
        std::string first_bad;
    };

    TreeInterleaving(const TreeWrite& write, const TreeReader& reader)
        : write_(&write), reader_(&reader), pool_(Pool::memfd("interleaving", {.max_size = 16 * mebi})),
          tree_(pool_, "tree") {
        reset();
        Keys after = write.before;
        write.write(tree_);
        std::erase_if(after, [&](const std::string& key) { return !tree_.contains(key) || !reader.covers(key); });
        std::sort(after.begin(), after.end());
        throughout_ = after;
    }

    /// About `wanted` interleavings, spread over the reader's instructions from a random one on; all of them if 0.
    [[nodiscard]] Result run(std::uint64_t wanted, std::mt19937_64& engine) {
        struct Seen {
            std::array<char, 4000> text;
        };
        const Shared<Seen> seen;
        Tracee child([&](const Markers& markers) {
            const PrefixTree<> mine(pool_, "tree");
            for (;;) {
                markers.begin();
                std::string text;
                for (const std::string& key : reader_->read(mine)) text += key + ' ';
                std::memcpy(seen->text.data(), text.c_str(), text.size() + 1);
                markers.end();
            }
        });
        reset();
        child.run_to_marker();
        std::uint64_t length = 0;
        while (child.step()) ++length;
        const std::uint64_t stride = wanted == 0 ? 1 : std::max<std::uint64_t>(length / wanted, 1);
        Result result;
        bool met = true;
        for (std::uint64_t at = engine() % stride; met; at += stride) {
            reset();
            child.run_to_marker();
            for (std::uint64_t i = 0; met && i < at; ++i) met = child.step();
            if (!met) break; // it has read to its end
            write_->write(tree_);
            child.run_to_marker();
            ++result.interleavings;
            const std::string_view text(seen->text.data());
            if (is_right(text)) continue;
            if (result.bad++ == 0)
                result.first_bad = "at instruction " + std::to_string(at) + ": " + std::string(text);
        }
        return result;
    }

private:
    void reset() {
        tree_.clear();
        for (const std::string& key : write_->before) tree_.insert(key, 1);
    }

    [[nodiscard]] bool is_right(std::string_view text) const {
        Keys keys;
        for (std::size_t at = 0, end = 0; (end = text.find(' ', at)) != std::string_view::npos; at = end + 1)
            keys.emplace_back(text.substr(at, end - at));
        return std::adjacent_find(keys.begin(), keys.end(), std::greater_equal<>()) == keys.end() &&
               std::includes(keys.begin(), keys.end(), throughout_.begin(), throughout_.end());
    }

    const TreeWrite* write_;
    const TreeReader* reader_;
    Pool pool_;
    PrefixTree<> tree_;
    Keys throughout_;
};

/// Each write against each reader, with so many interleavings, or all if 0. Prints what came of it.
inline void interleave(std::uint64_t wanted) {
    const OneProcessor one_processor;
    std::mt19937_64 engine(std::random_device{}());
    for (const TreeWrite& write : tree_writes())
        for (const TreeReader& reader : tree_readers()) {
            TreeInterleaving interleaving(write, reader);
            const auto result = interleaving.run(wanted, engine);
            BOOST_TEST_MESSAGE(write.name << " / " << reader.name << ": " << result.interleavings
                                          << " interleavings, " << result.bad << " bad");
            BOOST_TEST(result.interleavings != 0U);
            BOOST_TEST(result.bad == 0U, write.name << " / " << reader.name << ", " << result.first_bad);
        }
}

} // namespace ss::test
