// Bytes as a string of operations on a PrefixTree, held against a std::map after each of them.
//
// What a fuzzer makes up, and what the replay of its corpus reads: both end here. A difference throws.
#pragma once

#include <ss/ss.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace ss::test {

/// Takes what it needs from a string of bytes; zeros when that has come to its end.
class ByteSource {
public:
    explicit ByteSource(std::span<const std::uint8_t> bytes) noexcept : bytes_(bytes) {}

    [[nodiscard]] bool is_empty() const noexcept { return bytes_.empty(); }
    [[nodiscard]] std::uint8_t byte() noexcept {
        if (bytes_.empty()) return 0;
        const std::uint8_t first = bytes_.front();
        bytes_ = bytes_.subspan(1);
        return first;
    }
    [[nodiscard]] std::int64_t number() noexcept {
        std::uint64_t number = 0;
        for (int i = 0; i < 8; ++i) number = number << 8 | byte();
        return static_cast<std::int64_t>(number);
    }
    [[nodiscard]] std::string string(std::size_t size) {
        std::string string(size, '\0');
        for (char& c : string) c = static_cast<char>(byte());
        return string;
    }

private:
    std::span<const std::uint8_t> bytes_;
};

class TreeOperations {
public:
    using Tree = PrefixTree<>;

    explicit TreeOperations(std::span<const std::uint8_t> bytes)
        : bytes_(bytes), pool_(Pool::anonymous({.max_size = 64 * mebi})), tree_(pool_, "tree") {}

    void run() {
        while (!bytes_.is_empty()) {
            step();
            expect(tree_.size() == model_.size(), "the size");
        }
        check_all();
        tree_.clear();
        model_.clear();
        check_all();
    }

private:
    using Model = std::map<std::string, Value>;

    static void expect(bool holds, const char* what) {
        if (!holds) throw std::logic_error(std::string("the tree and the model differ: ") + what);
    }

    /// Short ones of few bytes, all bytes, or behind a prefix that many share and that is longer than a node.
    std::string key() {
        const std::uint8_t shape = bytes_.byte();
        const std::size_t size = shape >> 4;
        switch (shape & 3) {
        case 0:
            return bytes_.string(size);
        case 1: {
            std::string key = bytes_.string(size);
            for (char& c : key) c = static_cast<char>(c & 1);
            return key;
        }
        case 2:
            return std::string(40 + (shape & 12), 'p') + bytes_.string(size);
        default:
            return std::string(size * 20, '\0') + bytes_.string(1);
        }
    }

    Value value() {
        const std::uint8_t kind = bytes_.byte();
        switch (kind % 6) {
        case 0:
            return nullptr;
        case 1:
            return (kind & 64) != 0;
        case 2:
            return std::int64_t{kind} - 128;
        case 3:
            return bytes_.number();
        case 4:
            return static_cast<double>(kind) / 8;
        default:
            return std::string(kind, static_cast<char>(kind));
        }
    }

    void step() {
        const std::uint8_t operation = bytes_.byte();
        switch (operation % 12) {
        case 0:
        case 1:
        case 2:
        case 3:
            insert();
            break;
        case 4:
        case 5:
            erase();
            break;
        case 6:
            erase_prefix();
            break;
        case 7:
            increment();
            break;
        case 8:
            look();
            break;
        case 9:
            walk();
            break;
        case 10:
            fill(operation);
            break;
        default:
            transact();
            break;
        }
    }

    void insert() {
        const std::string k = key();
        const Value v = value();
        expect(tree_.insert(k, v) == !model_.contains(k), "insert");
        model_[k] = v;
    }

    void erase() {
        const std::string k = key();
        expect(tree_.erase(k) == (model_.erase(k) != 0), "erase");
    }

    void erase_prefix() {
        const std::string prefix = key();
        std::uint64_t erased = 0;
        auto at = model_.lower_bound(prefix);
        for (; at != model_.end() && at->first.starts_with(prefix); ++erased) at = model_.erase(at);
        expect(tree_.count_prefix(prefix) == erased, "count_prefix");
        expect(tree_.erase_prefix(prefix) == erased, "erase_prefix");
    }

    void increment() {
        const std::string k = key();
        const std::int64_t delta = bytes_.number();
        const auto at = model_.find(k);
        if (at != model_.end() && type_of(at->second) != ValueType::integer) {
            try {
                tree_.incr(k, delta);
            } catch (const Error& error) {
                expect(error.code() == errc::wrong_type, "what incr throws");
                return;
            }
            expect(false, "incr of what is no integer");
        }
        const std::uint64_t old =
            at == model_.end() ? 0 : static_cast<std::uint64_t>(std::get<std::int64_t>(at->second));
        const auto sum = static_cast<std::int64_t>(old + static_cast<std::uint64_t>(delta));
        expect(tree_.incr(k, delta) == sum, "incr");
        model_[k] = sum;
    }

    void look() {
        const std::string k = key();
        const auto at = model_.find(k);
        const std::optional<Value> found = tree_.find(k);
        expect(found.has_value() == (at != model_.end()) && (!found || *found == at->second), "find");
        std::optional<std::string> longest;
        for (std::size_t size = 0; size <= k.size(); ++size)
            if (model_.contains(k.substr(0, size))) longest = k.substr(0, size);
        const auto match = tree_.longest_prefix(k);
        expect(match.has_value() == longest.has_value() && (!match || match->first == *longest), "longest_prefix");
    }

    void walk() {
        const std::string k = key();
        auto expected = model_.lower_bound(k);
        auto it = tree_.lower_bound(k);
        for (std::uint8_t steps = bytes_.byte(); steps != 0; steps /= 2) {
            expect(it.is_end() == (expected == model_.end()), "the end of a walk");
            if (it.is_end() || (steps & 1) != 0) {
                if (expected == model_.begin()) return;
                --it;
                --expected;
            } else {
                ++it;
                ++expected;
            }
            expect(it.is_end() == (expected == model_.end()), "the end of a walk");
            expect(it.is_end() || (it.key() == expected->first && (*it).second == expected->second), "a walk");
        }
    }

    /// Many branches of one node at once, so that the large kinds come about.
    void fill(std::uint8_t operation) {
        const std::string prefix = key();
        const unsigned step = 1U + operation / 12 % 4;
        const bool out = (operation & 1) != 0;
        for (unsigned byte = bytes_.byte(); byte < 256; byte += step) {
            const std::string k = prefix + static_cast<char>(byte);
            if (out) {
                expect(tree_.erase(k) == (model_.erase(k) != 0), "erase");
            } else {
                expect(tree_.insert(k, byte) == !model_.contains(k), "insert");
                model_[k] = std::int64_t{byte};
            }
        }
    }

    /// Two changes as one; half of the time it is undone.
    void transact() {
        const std::string a = key(), b = key();
        const Value v = value();
        struct Undo {};
        const bool undo = (bytes_.byte() & 1) != 0;
        try {
            transaction(tree_, [&](auto& tx) {
                tree_.insert(tx, a, v);
                tree_.erase(tx, b);
                if (undo) throw Undo();
            });
            model_[a] = v;
            model_.erase(b);
        } catch (const Undo&) { expect(undo, "an undone transaction"); }
    }

    void check_all() {
        auto expected = model_.begin();
        tree_.for_each([&](std::string_view k, const ValueView& v) {
            expect(expected != model_.end() && expected->first == k && view_of(expected->second) == v, "for_each");
            ++expected;
        });
        expect(expected == model_.end(), "the end of for_each");
        for (const std::string& problem : pool_.verify()) throw std::logic_error(problem);
    }

    ByteSource bytes_;
    Pool pool_;
    Tree tree_;
    Model model_;
};

} // namespace ss::test
