// Bytes as a string of operations on a PrefixTree, held against a std::map after each of them.
//
// What a fuzzer makes up, and what the replay of its corpus reads: both end here. A difference throws.
#pragma once

#include <ss/ss.hpp>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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
        if (operation >= 192) return look_closely(operation);
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

    /// What is rarer, or takes longer to hold against the model.
    void look_closely(std::uint8_t operation) {
        switch (operation % 8) {
        case 0:
        case 1:
            write_if(operation);
            break;
        case 2:
            read();
            break;
        case 3:
            step_on();
            break;
        case 4:
            measure();
            break;
        case 5:
            complete();
            break;
        case 6:
            look_at_range();
            break;
        default:
            check_all();
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

    /// A write under the condition that another key, or the same, is missing or has a value; its stamp says if it was
    /// written.
    void write_if(std::uint8_t operation) {
        const std::string checked = key(), k = key();
        const Value wanted = value(), v = value();
        const auto at = model_.find(checked);
        const auto stamp = tree_.stamp(k);
        bool written = false;
        switch (operation / 8 % 4) {
        case 0:
            written = !model_.contains(k);
            expect(tree_.try_insert(k, v) == written, "try_insert");
            if (written) model_[k] = v;
            break;
        case 1:
            written = at == model_.end();
            expect(tree_.insert_if(Check::missing(checked), k, v) == written, "insert_if something is missing");
            if (written) model_[k] = v;
            break;
        case 2:
            written = at != model_.end() && at->second == wanted;
            expect(tree_.insert_if(Check(checked, wanted), k, v) == written, "insert_if");
            if (written) model_[k] = v;
            break;
        default:
            written = at != model_.end() && at->second == wanted && model_.contains(k);
            expect(tree_.erase_if(Check(checked, wanted), k) == written, "erase_if");
            if (written) model_.erase(k);
            break;
        }
        expect(!written || tree_.stamp(k) != stamp, "the stamp of what was written");
    }

    void read() {
        const std::string k = key();
        const auto at = model_.find(k);
        const bool there = at != model_.end();
        expect(tree_.contains(k) == there && tree_.exists(k) == there, "contains");
        const std::optional<ValueType> type = tree_.type(k);
        expect(type.has_value() == there && (!there || *type == type_of(at->second)), "type");
        const bool seen = tree_.visit(k, [&](const ValueView& v) { expect(view_of(at->second) == v, "visit"); });
        expect(seen == there, "whether visit finds it");
        const auto found = tree_.iterator_at(k);
        expect(found.is_end() != there && (!there || found.key() == k), "iterator_at");
    }

    /// To the next key, and back to it from behind.
    void step_on() {
        const std::string k = key();
        const auto next = model_.upper_bound(k);
        const auto found = tree_.next_key_value(k);
        expect(found.has_value() == (next != model_.end()), "next_key_value");
        expect(!found || (found->first == next->first && found->second == next->second), "next_key_value");
        const auto found_key = tree_.next_key(k);
        expect(found_key.has_value() == found.has_value() && (!found || *found_key == found->first), "next_key");
        auto it = tree_.upper_bound(k);
        expect(it.is_end() == (next == model_.end()) && (it.is_end() || it.key() == next->first), "upper_bound");
        if (next == model_.begin()) return;
        --it;
        expect(!it.is_end() && it.key() == std::prev(next)->first, "back from upper_bound");
    }

    void measure() {
        const std::string prefix = key();
        const auto [begin, end] = range_of(prefix);
        const auto count = static_cast<std::uint64_t>(std::distance(begin, end));
        expect(tree_.count_prefix(prefix) == count, "count_prefix");
        const std::uint64_t nodes = tree_.nodes_for_prefix(prefix), bytes = tree_.bytes_for_prefix(prefix);
        expect(nodes <= tree_.node_size() && nodes <= 2 * count, "nodes_for_prefix");
        expect(tree_.nodes_for_prefix("") == tree_.node_size(), "nodes_for_prefix of all");
        expect(bytes <= tree_.bytes_for_prefix("") && (nodes == 0 || bytes >= nodes * word_size), "bytes_for_prefix");
    }

    void complete() {
        const std::string prefix = key();
        const std::size_t k = bytes_.byte() % 8;
        const auto [begin, end] = range_of(prefix);
        std::vector<std::pair<std::string, Value>> expected(begin, end);
        // By the kind of value alone, so that many are equal.
        const auto less = [](const Value& x, const Value& y) { return x.index() < y.index(); };
        std::ranges::stable_sort(expected, [&](const auto& x, const auto& y) { return less(y.second, x.second); });
        if (expected.size() > k) expected.resize(k);
        expect(tree_.top(prefix, k, less) == expected, "top");
    }

    void look_at_range() {
        const std::string prefix = key();
        auto [expected, end] = range_of(prefix);
        for (const auto& [k, v] : tree_.prefix(prefix)) {
            expect(expected != end && expected->first == k && expected->second == v, "prefix");
            ++expected;
        }
        expect(expected == end, "the end of prefix");
        const std::string to = key();
        auto from = model_.lower_bound(prefix);
        tree_.for_each(prefix, to, [&](std::string_view k, const ValueView& v) {
            expect(from != model_.end() && from->first < to && from->first == k && view_of(from->second) == v,
                   "for_each of a range");
            ++from;
        });
        expect(from == model_.end() || from->first >= to, "the end of for_each of a range");
    }

    [[nodiscard]] std::pair<Model::iterator, Model::iterator> range_of(const std::string& prefix) {
        const auto begin = model_.lower_bound(prefix);
        auto end = begin;
        while (end != model_.end() && end->first.starts_with(prefix)) ++end;
        return {begin, end};
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
