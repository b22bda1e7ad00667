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
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ss::test {

template <class A, class L>
class List {
public:
    using Tx = typename Domain<A, L>::Tx;

    explicit List(const Pool& pool, std::string_view name = "list")
        : domain_(pool, 0),
          entry_(domain_.open_object(name, {.type = policy_id("list")}, false, [](auto&, DirectoryEntry&) {}).entry) {
    }

    /// f(tx, list) as one transaction.
    template <class F>
    void change(F f) {
        domain_.run([&](Tx& tx) {
            tx.touch(entry_->version);
            f(tx, *this);
        });
    }

    void push(Tx& tx, Word key, std::string_view bytes) {
        const std::uint64_t node = make(tx, key, bytes, load(entry_->root[0]));
        tx.store(entry_->root[0], node);
        tx.store(entry_->root[1], load(entry_->root[1]) + 1);
    }

    void erase(Tx& tx, Word key) {
        Word& link = link_to(key);
        const std::uint64_t node = load(link);
        tx.store(link, load(words(node)[0]));
        tx.store(entry_->root[1], load(entry_->root[1]) - 1);
        tx.free(node);
    }

    void replace(Tx& tx, Word key, std::string_view bytes) {
        Word& link = link_to(key);
        const std::uint64_t node = load(link);
        tx.store(link, make(tx, key, bytes, load(words(node)[0])));
        tx.free(node);
    }

    void clear(Tx& tx) {
        while (const std::uint64_t node = load(entry_->root[0])) erase(tx, load(words(node)[1]));
    }

    [[nodiscard]] Contents contents() const {
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

    [[nodiscard]] const Domain<A, L>& domain() const noexcept { return domain_; }

private:
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
        if (load(*link) == 0) throw std::runtime_error("no node " + std::to_string(key));
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
[[nodiscard]] std::vector<Scenario> list_scenarios() {
    using TheList = List<A, L>;
    using Tx = typename TheList::Tx;
    std::vector<Scenario> all;
    const auto add = [&](const char* name, auto operation) {
        Scenario scenario = scenario_of<A, L>(std::string("list: ") + name);
        scenario.prepare = [](const std::filesystem::path& path) {
            TheList list(open_pool(path));
            for (const Word size : {24, 100, 24, 600, 24, 40, 3000, 100, 24, 8})
                list.change([&, key = 100 + list.contents().size()](Tx& tx, TheList& self) {
                    self.push(tx, key, std::string(size, static_cast<char>('a' + key % 26)));
                });
            // Some free blocks, alone and side by side.
            for (const Word key : {101, 104, 105}) list.change([&](Tx& tx, TheList& self) { self.erase(tx, key); });
        };
        scenario.operate = [operation](const std::filesystem::path& path, const Markers& markers) {
            TheList list(open_pool(path));
            markers.begin();
            operation(list);
            markers.end();
        };
        scenario.contents = [](const Pool& pool) { return TheList(pool).contents(); };
        scenario.check = [](const Pool& pool) {
            const TheList list(pool);
            check_domain<A, L>(pool, [&](const auto& state, const auto& heap) { return list.bytes(state, heap); });
        };
        scenario.next = [](const Pool& pool) {
            TheList(pool).change([](Tx& tx, TheList& self) {
                self.push(tx, 1, std::string(40, 'n'));
                self.push(tx, 2, std::string(700, 'm'));
            });
            TheList(pool).change([](Tx& tx, TheList& self) { self.erase(tx, 1); });
        };
        scenario.next_contents = [](Contents contents) {
            contents["2"] = std::string(700, 'm');
            return contents;
        };
        all.push_back(std::move(scenario));
        return &all.back();
    };
    const auto in_transaction = [](auto f) {
        return [f](TheList& list) { list.change([&](Tx& tx, TheList& self) { f(tx, self); }); };
    };

    add("push", in_transaction([](Tx& tx, TheList& self) { self.push(tx, 7, std::string(24, 'x')); }));
    add("push, a size not seen",
        in_transaction([](Tx& tx, TheList& self) { self.push(tx, 7, std::string(200, 'x')); }));
    add("replace, same size",
        in_transaction([](Tx& tx, TheList& self) { self.replace(tx, 103, std::string(600, 'x')); }));
    add("replace, longer",
        in_transaction([](Tx& tx, TheList& self) { self.replace(tx, 107, std::string(250, 'x')); }));
    add("erase, first", in_transaction([](Tx& tx, TheList& self) { self.erase(tx, 109); }));
    add("erase, between free blocks", in_transaction([](Tx& tx, TheList& self) { self.erase(tx, 106); }));
    add("erase and push, one size", in_transaction([](Tx& tx, TheList& self) {
            self.erase(tx, 102);
            self.push(tx, 8, std::string(24, 'x'));
            self.push(tx, 9, std::string(24, 'y'));
        }));
    add("clear", in_transaction([](Tx& tx, TheList& self) { self.clear(tx); }));
    Scenario* const grows =
        add("push, the pool grows",
            in_transaction([](Tx& tx, TheList& self) { self.push(tx, 7, std::string(200, 'x')); }));
    grows->prepare = [small = grows->prepare](const std::filesystem::path& path) {
        // So full that one more such node does not fit: found out by a pool that is thrown away.
        const auto fill = [&](Word nodes) {
            small(path);
            TheList list(open_pool(path));
            const std::uint64_t before = list.domain().region().size();
            Word done = 0;
            for (; done < nodes && list.domain().region().size() == before; ++done)
                list.change([&](Tx& tx, TheList& self) { self.push(tx, 1000 + done, std::string(200, 'f')); });
            return done;
        };
        const Word nodes = fill(10'000);
        Pool::remove(path);
        (void)fill(nodes - 1);
    };
    add("throw in the middle", [](TheList& list) {
        try {
            list.change([](Tx& tx, TheList& self) {
                self.erase(tx, 102);
                self.push(tx, 8, std::string(24, 'x'));
                self.push(tx, 9, std::string(300, 'y'));
                throw 1;
            });
        } catch (int) {}
    })->changes = false;
    return all;
}

} // namespace ss::test
