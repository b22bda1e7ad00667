// A linked list in the heap: blocks that come and go, by the plainest structure there is.
//
//     roots of the directory entry   first | count
//     node                           next | key | bytes | the bytes, in words
#pragma once

#include <ss/domain/domain.hpp>

#include "crash/profile.hpp"
#include "crash/scenario.hpp"

#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace ss::test {

/// A list within a transaction.
class ListEditor {
public:
    ListEditor() = default;
    ListEditor(const ListEditor&) = delete;
    ListEditor& operator=(const ListEditor&) = delete;
    virtual ~ListEditor() = default;
    virtual void push(Word key, std::string_view bytes) = 0;
    virtual void erase(Word key) = 0;
    virtual void replace(Word key, std::string_view bytes) = 0;
    virtual void clear() = 0;
};

/// A list without its type, so that what is done to lists is compiled once.
class AnyList {
public:
    AnyList() = default;
    AnyList(const AnyList&) = delete;
    AnyList& operator=(const AnyList&) = delete;
    virtual ~AnyList() = default;
    /// f(editor) as one transaction.
    virtual void change(const std::function<void(ListEditor&)>& f) = 0;
    [[nodiscard]] virtual Contents contents() const = 0;
    /// Bytes of the domain.
    [[nodiscard]] virtual std::uint64_t committed() const = 0;
};

/// What the scenarios of lists need to know of a profile.
struct ListProfile {
    Scenario blank; ///< all of a scenario but its name, prepare, operate and next
    std::function<std::unique_ptr<AnyList>(const Pool&)> open;
};

template <class A, class L>
class List final : public AnyList {
    using Tx = typename Domain<A, L>::Tx;

public:
    explicit List(const Pool& pool, std::string_view name = "list")
        : domain_(pool, 0),
          entry_(domain_.open_object(name, {.type = policy_id("list")}, false, [](auto&, DirectoryEntry&) {}).entry) {
    }

    void change(const std::function<void(ListEditor&)>& f) override {
        domain_.run([&](Tx& tx) {
            tx.touch(entry_->version);
            Editor editor(*this, tx);
            f(editor);
        });
    }

    [[nodiscard]] std::uint64_t committed() const override { return domain_.region().size(); }

    [[nodiscard]] Contents contents() const override {
        Contents found;
        domain_.read([&](auto reading) {
            found.clear();
            Word seen = 0;
            if (!reading.begin(entry_->version, seen)) return false;
            bool whole = true;
            Word steps = 0;
            for (std::uint64_t node = load(entry_->root[0]); node != 0 && steps < longest; ++steps) {
                const Region& region = domain_.region();
                if (!is_aligned(node, word_size) || !region.contains(node, 3 * word_size)) break;
                const Word* const header = words(node);
                const Word bytes = load(header[2]);
                if (bytes > largest || !region.contains(node, (3 + word_count(bytes)) * word_size)) break;
                found[std::to_string(load(header[1]))] = copy(header + 3, bytes);
                node = load(header[0]);
                whole = node == 0;
            }
            const Word count = load(entry_->root[1]);
            if (!reading.validate(entry_->version, seen)) return false;
            if (!whole || steps != count || found.size() != count)
                throw std::runtime_error("a list that says " + std::to_string(count) + " and has " +
                                         std::to_string(found.size()) + " nodes");
            return true;
        });
        return found;
    }

    /// The bytes of all blocks that the list needs, by the allocator's own measure. Under the lock.
    template <class State, class HeapView>
    [[nodiscard]] std::uint64_t bytes(const State& state, const HeapView& heap) const {
        std::uint64_t sum = 0;
        for (std::uint64_t node = load(entry_->root[0]); node != 0; node = load(words(node)[0]))
            sum += A::block_size(state, heap, node);
        return sum;
    }

private:
    class Editor final : public ListEditor {
    public:
        Editor(List& list, Tx& tx) noexcept : list_(&list), tx_(&tx) {}

        void push(Word key, std::string_view bytes) override {
            const std::uint64_t node = make(*tx_, key, bytes, load(first()));
            tx_->store(first(), node);
            tx_->store(count(), load(count()) + 1);
        }

        void erase(Word key) override {
            Word& link = list_->link_to(key);
            const std::uint64_t node = load(link);
            tx_->store(link, load(list_->words(node)[0]));
            tx_->store(count(), load(count()) - 1);
            tx_->free(node);
        }

        void replace(Word key, std::string_view bytes) override {
            Word& link = list_->link_to(key);
            const std::uint64_t node = load(link);
            tx_->store(link, make(*tx_, key, bytes, load(list_->words(node)[0])));
            tx_->free(node);
        }

        void clear() override {
            while (const std::uint64_t node = load(first())) erase(load(list_->words(node)[1]));
        }

    private:
        [[nodiscard]] Word& first() const noexcept { return list_->entry_->root[0]; }
        [[nodiscard]] Word& count() const noexcept { return list_->entry_->root[1]; }

        List* list_;
        Tx* tx_;
    };

    static constexpr Word longest = 10'000;
    static constexpr Word largest = 16 * mebi;

    [[nodiscard]] static Word word_count(Word bytes) noexcept { return (bytes + word_size - 1) / word_size; }

    [[nodiscard]] static std::string copy(const Word* from, Word bytes) {
        std::string text(word_count(bytes) * word_size, '\0');
        for (Word i = 0; i < word_count(bytes); ++i) {
            const Word word = load(from[i]);
            std::memcpy(text.data() + i * word_size, &word, word_size);
        }
        text.resize(bytes);
        return text;
    }

    [[nodiscard]] Word* words(std::uint64_t node) const { return domain_.region().words(node, 3); }

    [[nodiscard]] Word& link_to(Word key) {
        Word* link = &entry_->root[0];
        while (load(*link) != 0 && load(words(load(*link))[1]) != key) link = &words(load(*link))[0];
        if (load(*link) == 0) throw std::runtime_error(numbered("no node ", key));
        return *link;
    }

    static std::uint64_t make(Tx& tx, Word key, std::string_view bytes, Word next) {
        const Word count = word_count(bytes.size());
        const std::uint64_t node = tx.allocate((3 + count) * word_size);
        Word* const words = tx.region().words(node, 3 + count);
        tx.fill(words[0], next);
        tx.fill(words[1], key);
        tx.fill(words[2], bytes.size());
        for (Word i = 0; i < count; ++i) {
            Word word = 0;
            std::memcpy(&word, bytes.data() + i * word_size, std::min<std::size_t>(word_size, bytes.size() - i * 8));
            tx.fill(words[3 + i], word);
        }
        return node;
    }

    Domain<A, L> domain_;
    DirectoryEntry* entry_;
};

template <class A, class L>
[[nodiscard]] ListProfile list_profile() {
    using TheList = List<A, L>;
    Scenario blank = scenario_of<A, L>("");
    blank.contents = [](const Pool& pool) { return TheList(pool).contents(); };
    blank.check = [](const Pool& pool) {
        const TheList list(pool);
        check_domain<A, L>(pool, [&](const auto& state, const auto& heap) { return list.bytes(state, heap); });
    };
    return {.blank = std::move(blank), .open = [](const Pool& pool) { return std::make_unique<TheList>(pool); }};
}

} // namespace ss::test
