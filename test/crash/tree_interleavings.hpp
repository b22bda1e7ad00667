// A reader that is stopped at an instruction, a whole write that happens there, and then the reader goes on: what a
// storm of threads meets once in millions of reads is met here every time.
//
// What is in the tree before and after the write must be read, in order, whatever the instruction, with a value that it
// has before or after. Who asks for one thing must be told what is right before the write or after it.
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
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ss::test {

using Keys = std::vector<std::string>;
using Entries = std::vector<std::pair<std::string, Value>>;

/// What every key has before the write: long enough for a block, and for a torn copy to be seen.
inline const std::string first_value(20, 'x');

/// What is there, and what happens.
struct TreeWrite {
    const char* name;
    Keys before;
    std::function<void(PrefixTree<>&)> write;
    bool is_one = true; ///< one operation, or one transaction: nothing is there in between
};

/// Reads entries, in order; each reader says which of all keys it is to come by.
struct TreeReader {
    const char* name;
    std::function<Entries(const PrefixTree<>&)> read;
    std::function<bool(std::string_view)> covers;
    bool is_one = false; ///< one question, whose answer is of one moment
};

inline std::vector<TreeWrite> tree_writes() {
    const auto below = [](std::string_view prefix, std::string_view bytes) {
        Keys keys{"A", "z"};
        for (const char byte : bytes) keys.push_back(std::string(prefix) + byte);
        return keys;
    };
    // So many keys of a node, from 'b' to 'y' and then past all letters.
    const auto many = [&](int count) {
        std::string bytes;
        for (int i = 0; i < count; ++i) bytes += static_cast<char>(i < 24 ? 'b' + i : 0x7F + i - 24);
        return below("m", bytes);
    };
    return {
        {"the last slot fills a hole, Node4", below("m", "abc"), [](auto& t) { t.erase("ma"); }},
        {"the last slot fills a hole, Node16", below("m", "abcdefg"), [](auto& t) { t.erase("ma"); }},
        {"a slot of a Node48 is emptied", many(20), [](auto& t) { t.erase("mc"); }},
        {"a node grows", below("m", "bcde"), [](auto& t) { t.insert("ma", 1); }},
        {"a Node16 grows to a Node48", many(16), [](auto& t) { t.insert("ma", 1); }},
        {"a Node48 grows to a Node256", many(160), [](auto& t) { t.insert("ma", 1); }},
        {"a Node256 gets a key", many(161), [](auto& t) { t.insert("ma", 1); }},
        {"a value is overwritten in place", below("m", "bc"),
         [](auto& t) { t.insert("mc", std::string(first_value.size(), 'y')); }},
        {"a value gets another block", below("m", "bc"), [](auto& t) { t.insert("mc", std::string(200, 'y')); }},
        {"a node's own value goes", {"A", "m", "mb", "mc", "z"}, [](auto& t) { t.erase("m"); }},
        {"a node gets a value of its own", {"A", "mb", "mc", "z"}, [](auto& t) { t.insert("m", 1); }},
        {"a prefix is split", {"A", "macd", "mace", "z"}, [](auto& t) { t.insert("mb", 1); }},
        {"nodes merge", {"A", "mab", "macd", "mace", "z"}, [](auto& t) { t.erase("mab"); }},
        {"the root grows", {"A", "c", "e", "z"}, [](auto& t) { t.insert("b", 1); }},
        {"a subtree goes, and its memory comes back elsewhere",
         {"A", "max", "may", "maz", "mbx", "mby", "z"},
         [](auto& t) {
             t.erase_prefix("ma");
             for (int i = 0; i < 4; ++i) t.insert("mc" + std::to_string(i), i);
             for (int i = 0; i < 4; ++i) t.erase("mc" + std::to_string(i));
         },
         false},
        {"everything goes and most of it comes back, as one", below("m", "abc"),
         [](auto& t) {
             transaction(t, [&](auto& tx) {
                 t.clear(tx);
                 for (const char* key : {"z", "mc", "mb", "A"}) t.insert(tx, key, 1);
             });
         }},
        // In nodes side by side, so that a reader leaves the one and comes to the other.
        {"a key comes in one node and goes in the next, as one",
         {"A", "maa", "mab", "mac", "mba", "mbb", "mbc", "z"},
         [](auto& t) {
             transaction(t, [&](auto& tx) {
                 t.insert(tx, "mad", 1);
                 t.erase(tx, "mba");
             });
         }},
        {"a key goes in one node and comes in the next, as one",
         {"A", "maa", "mab", "mac", "mad", "mbb", "mbc", "mbd", "z"},
         [](auto& t) {
             transaction(t, [&](auto& tx) {
                 t.erase(tx, "mad");
                 t.insert(tx, "mba", 1);
             });
         }},
        // Two nodes below the one where it turns.
        {"a branch comes above and a key goes two nodes below, as one",
         {"A", "maa", "mab", "mac", "mdaa", "mdab", "mdac", "mdb", "z"},
         [](auto& t) {
             transaction(t, [&](auto& tx) {
                 t.insert(tx, "mb", 1);
                 t.erase(tx, "mdaa");
             });
         }},
    };
}

inline std::vector<TreeReader> tree_readers() {
    const auto all = [](std::string_view) { return true; };
    const auto one_of = [](std::set<std::string_view> keys) {
        return [keys = std::move(keys)](std::string_view key) { return keys.contains(key); };
    };
    const auto one = [](auto&& entry) {
        Entries entries;
        if (entry) entries.push_back(*entry);
        return entries;
    };
    // What an iterator stands at.
    const auto at = [](const auto& it) {
        Entries entries;
        if (!it.is_end()) entries.push_back(*it);
        return entries;
    };
    return {
        {"for_each",
         [](const PrefixTree<>& t) {
             Entries entries;
             t.for_each(
                 [&](std::string_view key, const ValueView& value) { entries.emplace_back(key, copy_of(value)); });
             return entries;
         },
         all},
        {"up",
         [](const PrefixTree<>& t) {
             Entries entries;
             for (auto it = t.begin(); !it.is_end(); ++it) entries.push_back(*it);
             return entries;
         },
         all},
        {"down",
         [](const PrefixTree<>& t) {
             Entries entries;
             auto it = t.end();
             for (--it; !it.is_end(); --it) entries.push_back(*it);
             std::reverse(entries.begin(), entries.end());
             return entries;
         },
         all},
        {"prefix",
         [](const PrefixTree<>& t) {
             Entries entries;
             for (auto&& entry : t.prefix("m")) entries.push_back(entry);
             return entries;
         },
         [](std::string_view key) { return key.starts_with("m"); }},
        {"next_key_value, until there is none",
         [](const PrefixTree<>& t) {
             Entries entries;
             for (auto next = t.next_key_value("m"); next; next = t.next_key_value(next->first))
                 entries.push_back(*next);
             return entries;
         },
         [](std::string_view key) { return key > "m"; }},
        {"find",
         [](const PrefixTree<>& t) {
             Entries entries;
             for (const char* key : {"A", "m", "macd", "mb", "mc", "me", "mg", "z"})
                 if (auto value = t.find(key)) entries.emplace_back(key, *value);
             return entries;
         },
         one_of({"A", "m", "macd", "mb", "mc", "me", "mg", "z"})},
        {"longest_prefix, of several",
         [](const PrefixTree<>& t) {
             Entries entries;
             for (const char* key : {"A?", "macd?", "mb", "z"})
                 if (auto found = t.longest_prefix(key)) entries.push_back(*found);
             return entries;
         },
         one_of({"A", "macd", "mb", "z"})},

        // One question each
        {"find mc",
         [=](const PrefixTree<>& t) {
             Entries entries;
             if (auto value = t.find("mc")) entries.emplace_back("mc", *value);
             return entries;
         },
         {},
         true},
        {"longest_prefix of mbb?", [=](const PrefixTree<>& t) { return one(t.longest_prefix("mbb?")); }, {}, true},
        {"next_key_value behind mac", [=](const PrefixTree<>& t) { return one(t.next_key_value("mac")); }, {}, true},
        {"next_key_value, the first of all",
         [=](const PrefixTree<>& t) { return one(t.next_key_value()); },
         {},
         true},
        {"lower_bound of mad", [=](const PrefixTree<>& t) { return at(t.lower_bound("mad")); }, {}, true},
        {"upper_bound of mad", [=](const PrefixTree<>& t) { return at(t.upper_bound("mad")); }, {}, true},
        {"the last key before mbb",
         [=](const PrefixTree<>& t) {
             detail::TreeBatch batch;
             detail::TreeCursor cursor;
             t.read_batch<detail::Direction::down>({.key = "mbb", .inclusive = false}, {.entries = 1}, batch, cursor);
             Entries entries;
             if (!batch.empty()) entries.emplace_back(batch.key(0), copy_of(batch.value(0)));
             return entries;
         },
         {},
         true},
    };
}

/// One write against one reader.
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
        before_ = text_of(reader.read(tree_));
        for (const auto& [key, value] : tree_) values_[key].insert(text_of(value));
        write.write(tree_);
        after_ = text_of(reader.read(tree_));
        for (const std::string& key : write.before)
            if (tree_.contains(key) && reader.covers && reader.covers(key)) throughout_.push_back(key);
        std::sort(throughout_.begin(), throughout_.end());
        for (const auto& [key, value] : tree_) values_[key].insert(text_of(value));
    }

    /// About `wanted` interleavings, at least one, spread over the reader's instructions from a random one on.
    [[nodiscard]] Result run(std::uint64_t wanted, std::mt19937_64& engine) {
        struct Seen {
            std::array<char, 16'000> text;
        };
        const Shared<Seen> seen;
        Tracee child([&](const Markers& markers) {
            const PrefixTree<> mine(pool_, "tree");
            for (;;) {
                markers.begin();
                const Entries entries = reader_->read(mine);
                markers.end();
                const std::string text = text_of(entries);
                std::memcpy(seen->text.data(), text.c_str(), std::min(text.size() + 1, seen->text.size()));
                markers.end();
            }
        });
        // How long the reader is, once it has what it allocates only once.
        reset();
        for (int marker = 0; marker < 4; ++marker) child.run_to_marker();
        std::uint64_t length = 0;
        while (child.step()) ++length;
        child.run_to_marker();
        const std::uint64_t stride = std::max<std::uint64_t>(length / wanted, 1);
        Result result;
        for (std::uint64_t at = engine() % stride;;) {
            reset();
            child.run_to_marker();
            std::uint64_t steps = 0;
            while (steps < at && child.step()) ++steps;
            if (steps < at) { // it has read to its end
                child.run_to_marker();
                if (result.interleavings != 0) break;
                at = engine() % (steps + 1); // where keys hang now, it has become shorter
                continue;
            }
            write_->write(tree_);
            child.run_to_marker();
            child.run_to_marker();
            ++result.interleavings;
            const std::string_view text(seen->text.data());
            if (!is_right(text) && result.bad++ == 0)
                result.first_bad = "at instruction " + std::to_string(at) + ": " + std::string(text);
            at += stride;
        }
        return result;
    }

private:
    void reset() {
        tree_.clear();
        for (const std::string& key : write_->before) tree_.insert(key, first_value);
    }

    [[nodiscard]] static std::string text_of(const Value& value) {
        if (const auto* string = std::get_if<std::string>(&value)) return *string;
        return std::to_string(std::get<std::int64_t>(value));
    }
    [[nodiscard]] static std::string text_of(const Entries& entries) {
        std::string text;
        for (const auto& [key, value] : entries) text += key + '=' + text_of(value) + ' ';
        return text;
    }

    [[nodiscard]] bool is_right(std::string_view text) const {
        if (reader_->is_one && write_->is_one) return text == before_ || text == after_;
        Keys keys;
        for (std::size_t at = 0, end = 0; (end = text.find(' ', at)) != std::string_view::npos; at = end + 1) {
            const std::size_t equals = text.find('=', at);
            keys.emplace_back(text.substr(at, equals - at));
            const auto known = values_.find(keys.back());
            if (known != values_.end() &&
                !known->second.contains(std::string(text.substr(equals + 1, end - equals - 1))))
                return false;
        }
        return std::adjacent_find(keys.begin(), keys.end(), std::greater_equal<>()) == keys.end() &&
               std::includes(keys.begin(), keys.end(), throughout_.begin(), throughout_.end());
    }

    const TreeWrite* write_;
    const TreeReader* reader_;
    Pool pool_;
    PrefixTree<> tree_;
    Keys throughout_;
    std::map<std::string, std::set<std::string>> values_; ///< which each key has, before or after
    std::string before_, after_;                          ///< what is read when nothing happens meanwhile
};

/// About `wanted` interleavings of a write with a reader. Prints what came of them.
inline void interleave(const TreeWrite& write, const TreeReader& reader, std::uint64_t wanted,
                       std::mt19937_64& engine) {
    const auto result = TreeInterleaving(write, reader).run(wanted, engine);
    BOOST_TEST_MESSAGE(write.name << " / " << reader.name << ": " << result.interleavings << " interleavings, "
                                  << result.bad << " bad");
    BOOST_TEST(result.interleavings != 0U, write.name << " / " << reader.name << " were not interleaved");
    BOOST_TEST(result.bad == 0U, write.name << " / " << reader.name << ", " << result.first_bad);
}

/// A dozen of each write with each reader. Other instructions each time.
inline void interleave_all() {
    const OneProcessor one_processor;
    std::mt19937_64 engine(std::random_device{}());
    for (const TreeWrite& write : tree_writes())
        for (const TreeReader& reader : tree_readers()) interleave(write, reader, 12, engine);
}

/// One of each write with a question, and of each third write with a walk, if it is a short one: some thousand
/// instructions the one, ten thousand the other. Drawn by lot, others each time.
inline void interleave_some() {
    const OneProcessor one_processor;
    std::mt19937_64 engine(std::random_device{}());
    std::vector<TreeReader> walks, questions;
    for (const TreeReader& reader : tree_readers()) (reader.is_one ? questions : walks).push_back(reader);
    const std::uint64_t third = engine() % 3;
    std::uint64_t number = 0;
    for (const TreeWrite& write : tree_writes()) {
        interleave(write, questions[engine() % questions.size()], 1, engine);
        if (number++ % 3 == third && write.before.size() <= 16)
            interleave(write, walks[engine() % walks.size()], 1, engine);
    }
}

} // namespace ss::test
