// The part that trees have in a storm, in the domain of its tables.
//
//     "bank"             accounts as those of the tables: transactions move units between both, and the sum of all never
//                        changes
//     "left", "right"    tokens, each in one of the two, between which transactions move them
//     "words"            keys with values that say which key they belong to; inserted, overwritten, erased by one or by
//                        prefix, walked. Under a prefix of its own each worker knows what there is
//     "counts tree"      as "counts"
#pragma once

#include <ss/ss.hpp>

#include "support/expect.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace ss::test {

inline constexpr unsigned tokens = 200;

/// The trees of a pool, in the profile of a table.
template <class Table>
class StormTrees {
    using Tree = PrefixTree<typename Table::allocator_policy, typename Table::lock_policy>;

public:
    explicit StormTrees(const Pool& pool)
        : bank_(pool, "bank"), left_(pool, "left"), right_(pool, "right"), words_(pool, "words"),
          counts_(pool, "counts tree") {}

    void begin() {
        for (unsigned i = 0; i < tokens; ++i) left_.insert(token(i), token_value(i));
    }

    /// Something, as worker number `worker`; counts what it finds wrong, and the increments that returned.
    void work(std::mt19937& random, unsigned worker, Table& book, std::int64_t accounts,
              std::atomic<std::uint64_t>& wrong, std::atomic<std::uint64_t>& counted) {
        const auto below = [&](unsigned limit) { return static_cast<unsigned>(random() % limit); };
        const std::string key = shared_key(below(3000));
        switch (below(10)) {
        case 0:
        case 1: {
            const std::string from = std::to_string(random() % static_cast<unsigned>(accounts));
            const std::string to = account(random() % static_cast<unsigned>(accounts));
            const auto amount = static_cast<std::int64_t>(below(9)) - 4;
            transaction(book, [&](auto& tx) {
                book.incr(tx, from, -amount);
                bank_.incr(tx, to, amount);
            });
            break;
        }
        case 2:
            if (!move_token(below(tokens))) ++wrong;
            break;
        case 3:
        case 4:
            words_.insert(key, value_of(key, below(200)));
            break;
        case 5:
            words_.erase(key);
            break;
        case 6:
            if (below(20) == 0) words_.erase_prefix(std::string_view(key).substr(0, key.size() - 2));
            if (below(200) == 0) words_.erase_prefix("key/");
            counts_.incr("all", 1);
            counted.fetch_add(1);
            break;
        case 7:
            if (const auto found = words_.find(key); found && !is_right(key, *found)) ++wrong;
            if (!walk_is_right(std::string_view(key).substr(0, key.size() - 1 - below(3)))) ++wrong;
            break;
        default:
            if (!own_keys_are_right(worker, below(24))) ++wrong;
        }
    }

    [[nodiscard]] std::int64_t sum() const {
        std::int64_t sum = 0;
        bank_.for_each([&](std::string_view, const ValueView& value) { sum += std::get<std::int64_t>(value); });
        return sum;
    }

    [[nodiscard]] std::int64_t counted() const {
        const auto found = counts_.find("all");
        return found ? std::get<std::int64_t>(*found) : 0;
    }

    /// What must be true when all is quiet.
    void check() const {
        for (unsigned i = 0; i < tokens; ++i) {
            const auto in_left = left_.find(token(i)), in_right = right_.find(token(i));
            BOOST_TEST(in_left.has_value() != in_right.has_value(), "token " << i << " is in both trees, or in none");
            BOOST_TEST((in_left == Value(token_value(i)) || in_right == Value(token_value(i))));
        }
        BOOST_TEST(left_.size() + right_.size() == tokens);
        std::uint64_t entries = 0;
        for (const auto& [key, value] : words_) {
            ++entries;
            BOOST_TEST((is_right(key, value) || key.starts_with("own/")));
        }
        BOOST_TEST(words_.size() == entries);
        for (const Tree* tree : {&bank_, &left_, &right_, &words_, &counts_}) BOOST_TEST(wrong_with(*tree) == "");
    }

private:
    [[nodiscard]] static std::string token(unsigned i) { return "a long way to token " + std::to_string(i); }
    [[nodiscard]] static std::string token_value(unsigned i) { return std::string(i % 40, 't') + token(i); }
    [[nodiscard]] static std::string account(std::uint64_t i) { return "account/" + std::to_string(i); }

    /// Nodes of every kind: 3000 keys, each of whose last three bytes is one of 15.
    [[nodiscard]] static std::string shared_key(unsigned i) {
        std::string key = "key/";
        for (int digit = 0; digit < 3; ++digit, i /= 15) key.push_back(static_cast<char>(i % 15 * 17));
        return key;
    }
    [[nodiscard]] static std::string value_of(const std::string& key, unsigned size) {
        return key + std::string(size, 'v') + key;
    }
    [[nodiscard]] static bool is_right(std::string_view key, const Value& value) {
        const auto* const string = std::get_if<std::string>(&value);
        return string != nullptr && string->size() >= 2 * key.size() && string->starts_with(key) &&
               string->ends_with(key);
    }

    /// From the tree that has it to the other one. False if it is in both, or in none.
    bool move_token(unsigned i) {
        const std::string key = token(i);
        bool is_in_one = true;
        transaction(left_, [&](auto& tx) {
            is_in_one = left_.contains(tx, key) != right_.contains(tx, key);
            if (left_.erase(tx, key))
                right_.insert(tx, key, token_value(i));
            else if (right_.erase(tx, key))
                left_.insert(tx, key, token_value(i));
        });
        return is_in_one;
    }

    /// Keys come in order, each with the prefix, each with its value.
    [[nodiscard]] bool walk_is_right(std::string_view prefix) const {
        std::string last;
        int left = 100;
        for (const auto& [key, value] : words_.prefix(prefix)) {
            if (!key.starts_with(prefix) || key <= last) return false;
            if (key.starts_with("key/") && !is_right(key, value)) return false;
            last = key;
            if (--left == 0) break;
        }
        return true;
    }

    /// Nobody else writes there, whatever they do beside it: it has exactly what we put in.
    [[nodiscard]] bool own_keys_are_right(unsigned worker, unsigned count) {
        const std::string prefix = "own/" + std::to_string(worker) + "/";
        words_.erase_prefix(prefix);
        if (words_.count_prefix(prefix) != 0) return false;
        const auto key_of = [&](unsigned i) { return prefix + static_cast<char>('a' + i) + std::string(i % 3, '-'); };
        for (unsigned i = 0; i < count; ++i) {
            if (i % 2 == 0)
                words_.insert(key_of(i), i);
            else
                words_.insert(key_of(i), std::string(i, 'o'));
        }
        if (count > 3 && !words_.erase(key_of(3))) return false;
        unsigned at = 0;
        for (const auto& [key, value] : words_.prefix(prefix)) {
            if (at == 3) ++at;
            if (key != key_of(at)) return false;
            if (value != (at % 2 == 0 ? Value(std::int64_t{at}) : Value(std::string(at, 'o')))) return false;
            ++at;
        }
        if (at != count && !(count == 4 && at == 3)) return false;
        return words_.count_prefix(prefix) == count - (count > 3 ? 1 : 0);
    }

    Tree bank_, left_, right_, words_, counts_;
};

} // namespace ss::test
