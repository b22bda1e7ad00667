// What may be interrupted of a HashTable: two of them, "t" and "u", in the one domain of a pool.
#pragma once

#include <ss/ss.hpp>

#include "crash/profile.hpp"
#include "crash/scenario.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace ss::test {

/// The objects of a pool and all that is in them, by every way that there is to read it.
template <class Table>
[[nodiscard]] Contents table_contents(const Pool& pool) {
    Contents found;
    for (const ObjectInfo& object : pool.objects()) {
        found["object " + object.name] = object.type;
        const Table table(pool, object.name);
        std::uint64_t entries = 0;
        table.for_each([&](std::string_view key, std::string_view value) {
            ++entries;
            if (!found.emplace(object.name + ": " + std::string(key), value).second)
                throw std::runtime_error("the key \"" + std::string(key) + "\" comes twice");
            if (table.find(key) != value) throw std::runtime_error("\"" + std::string(key) + "\" is not found");
        });
        if (table.size() != entries)
            throw std::runtime_error("a table of " + std::to_string(table.size()) + " has " +
                                     std::to_string(entries) + " entries");
    }
    return found;
}

/// Throws unless the pool verifies, and, once all garbage is freed, verifies again and has exactly the bytes allocated
/// that its objects use.
template <class Table>
void check_tables(const Pool& pool) {
    const auto verify = [&](const char* when) {
        if (const auto problems = pool.verify(); !problems.empty())
            throw std::runtime_error(std::string("verify ") + when + ": " + problems.front());
    };
    verify("as found");
    using A = typename Table::allocator_policy;
    Domain<A, typename Table::lock_policy> domain(pool, 0);
    while (domain.run([](auto& tx) { return detail::reap_hash_table(tx); })) {}
    verify("without garbage");
    std::uint64_t bytes = 0;
    for (const ObjectInfo& object : pool.objects()) bytes += object.bytes;
    const DomainBlock& block = domain.core().block();
    for (Offset<DirectoryPage> page{load(block.directory.next)}; page;
         page.value = load(domain.region().at(page).next))
        bytes += A::block_size(*reinterpret_cast<const typename A::State*>(block.allocator.data()),
                               detail::HeapView(domain.core()), load(domain.region().at(page).block));
    const DomainStats stats = domain.stats();
    if (stats.garbage_bytes != 0) throw std::runtime_error("there is garbage that cannot be freed");
    if (stats.bytes_allocated != bytes)
        throw std::runtime_error(std::to_string(stats.bytes_allocated) + " bytes are allocated, " +
                                 std::to_string(bytes) + " are used");
}

template <class Table>
class TableScenarios {
public:
    using Path = std::filesystem::path;
    static constexpr unsigned bits = 2; ///< of both tables: 4 buckets, and one more with the 17th entry

    /// A scenario without prepare and operate.
    [[nodiscard]] static Scenario blank(const std::string& name) {
        Scenario scenario = scenario_of<typename Table::allocator_policy, typename Table::lock_policy>(name);
        scenario.profile += " " + to_string(Table::hash_policy::id);
        scenario.contents = &table_contents<Table>;
        scenario.check = &check_tables<Table>;
        scenario.next = [](const Pool& pool) {
            Table t(pool, "t", {.bits = bits});
            t.insert("next", std::string(700, 'n'));
            t.insert("one more", std::string(30, 'm'));
            t.erase("next");
        };
        scenario.next_contents = [](Contents contents) {
            contents["object t"] = to_string(hash_table_type);
            contents["t: one more"] = std::string(30, 'm');
            return contents;
        };
        return scenario;
    }

    /// "t" with 12 entries of many sizes, "u" with 3, and some free blocks. Keys k0, k1, …
    static void prepare(const Path& path) {
        const Pool pool = open_pool(path);
        Table t(pool, "t", {.bits = bits});
        Table u(pool, "u", {.bits = bits});
        for (const std::size_t size : {0, 8, 24, 64, 65, 100, 600, 40, 8, 3000, 24, 200})
            t.insert("k" + std::to_string(t.size()), std::string(size, static_cast<char>('a' + t.size())));
        t.insert("", "the empty key");
        t.erase("k2");
        u.insert("k0", std::string(300, 'u'));
        u.insert("k1", "v");
        u.incr("n", 41);
        u.erase("k0");
        u.insert("k0", std::string(20, 'u'));
    }

    /// Everything that changes a table.
    [[nodiscard]] static std::vector<Scenario> operations() {
        TableScenarios all;
        all.add("insert, new", [](Table& t, Table&) { t.insert("new", std::string(24, 'x')); });
        all.add("insert, a size not seen", [](Table& t, Table&) { t.insert("new", std::string(150, 'x')); });
        all.add("overwrite, shorter, in place", [](Table& t, Table&) { t.insert("k3", std::string(30, 'x')); });
        all.add("overwrite, shorter, moved", [](Table& t, Table&) { t.insert("k6", std::string(100, 'x')); });
        all.add("overwrite, longer", [](Table& t, Table&) { t.insert("k4", std::string(250, 'x')); });
        all.add("erase", [](Table& t, Table&) { t.erase("k9"); });
        all.add("incr, old", [](Table&, Table& u) { u.incr("n", 1); });
        all.add("incr, new", [](Table& t, Table&) { t.incr("n", 7); });
        all.add("clear", [](Table& t, Table&) { t.clear(); });
        all.add("two tables", [](Table& t, Table& u) {
            transaction(t, [&](auto& tx) {
                t.insert(tx, "new", std::string(24, 'x'));
                u.erase(tx, "k0");
                u.incr(tx, "n", 1);
                t.insert(tx, "k6", std::string(20, 'y'));
            });
        });
        all.add("two tables, clear and insert", [](Table& t, Table& u) {
            transaction(t, [&](auto& tx) {
                u.insert(tx, "k5", std::string(90, 'x'));
                t.clear(tx);
                t.insert(tx, "k5", std::string(90, 'x'));
            });
        });
        all.add("two tables, thrown out",
                [](Table& t, Table& u) {
                    try {
                        transaction(t, [&](auto& tx) {
                            t.erase(tx, "k7");
                            u.insert(tx, "new", std::string(90, 'x'));
                            throw 1;
                        });
                    } catch (int) {}
                })
            .changes = false;
        all.add("insert, a chain begins", &all_in_one_bucket<7>,
                [](Table& t, Table&) { t.insert(key_of_bucket(t, 7), "x"); });
        all.add("erase, a chain ends", &all_in_one_bucket<8>, [](Table& t, Table&) { t.erase(key_of_bucket(t, 7)); });
        all.add("insert, a bucket splits", &full, [](Table& t, Table&) { t.insert("new", std::string(24, 'x')); });
        all.add("insert, a chain splits", &all_in_one_bucket<16>, [](Table& t, Table&) { t.insert("new", "x"); });
        all.add("erase, buckets merge", &about_to_merge, [](Table& t, Table&) { t.erase("m6"); });
        all.add("insert, garbage is freed", &with_garbage, [](Table& t, Table&) { t.insert("new", "x"); });
        all.add("insert, the pool grows", &about_to_grow,
                [](Table& t, Table&) { t.insert("new", std::string(300, 'g')); });
        return std::move(all.scenarios_);
    }

    /// Those few that are looked at in every profile: one that frees and allocates, and one of everything.
    [[nodiscard]] static std::vector<Scenario> few_operations() {
        std::vector<Scenario> few;
        for (Scenario& scenario : operations())
            if (scenario.name == "table: overwrite, longer" || scenario.name == "table: two tables" ||
                scenario.name == "table: insert, a bucket splits")
                few.push_back(std::move(scenario));
        return few;
    }

private:
    template <class Operation>
    Scenario& add(const std::string& name, Operation operation) {
        return add(name, &prepare, operation);
    }

    template <class Operation>
    Scenario& add(const std::string& name, void (*prepare_pool)(const Path&), Operation operation) {
        Scenario scenario = blank("table: " + name);
        scenario.prepare = prepare_pool;
        scenario.operate = [operation](const Path& path, const Markers& markers) {
            const Pool pool = open_pool(path);
            Table t(pool, "t", {.bits = bits});
            Table u(pool, "u", {.bits = bits});
            markers.begin();
            operation(t, u);
            markers.end();
        };
        scenarios_.push_back(std::move(scenario));
        return scenarios_.back();
    }

    /// The n-th of the keys b0, b1, … that belong into the first of the table's buckets.
    [[nodiscard]] static std::string key_of_bucket(Table& t, std::uint64_t n) {
        const auto object = find_object(t.domain().core(), "t");
        const HashSeed seed{.first = load(object->entry->seed[0]), .second = load(object->entry->seed[1])};
        for (std::uint64_t i = 0;; ++i) {
            std::string key = "b" + std::to_string(i);
            if (Table::hash_policy::hash(key, seed) % (1U << bits) == 0 && n-- == 0) return key;
        }
    }

    template <std::uint64_t Entries>
    static void all_in_one_bucket(const Path& path) {
        const Pool pool = open_pool(path);
        Table t(pool, "t", {.bits = bits});
        const Table u(pool, "u", {.bits = bits});
        for (std::uint64_t i = 0; i < Entries; ++i) t.insert(key_of_bucket(t, i), std::string(i * 10, 'b'));
    }

    /// As many entries as the buckets bear: the next one splits a bucket, and needs the first of a new segment.
    static void full(const Path& path) {
        prepare(path);
        Table t(open_pool(path), "t");
        for (std::uint64_t i = 0; t.size() < detail::entries_to_split << bits; ++i)
            t.insert("f" + std::to_string(i), std::string(11, 'f'));
    }

    /// One erase before the last bucket, which is the first one of its segment, is merged away.
    static void about_to_merge(const Path& path) {
        const Pool pool = open_pool(path);
        Table t(pool, "t", {.bits = 0});
        const Table u(pool, "u", {.bits = bits});
        for (int i = 0; i < 12; ++i) t.insert("m" + std::to_string(i), std::string(20, 'm'));
        for (int i = 0; i < 6; ++i) t.erase("m" + std::to_string(i));
    }

    /// What a cleared table has left, none of it freed yet but what the clear itself frees.
    static void with_garbage(const Path& path) {
        prepare(path);
        Table t(open_pool(path), "t");
        for (int i = 0; i < 30; ++i) t.insert("g" + std::to_string(i), std::string(40, 'g'));
        t.clear();
    }

    /// So full that another such entry makes the pool grow. Found out by pools that are thrown away: each has seeds of
    /// its own, and so not quite the same blocks.
    static void about_to_grow(const Path& path) {
        const Path trial = path.string() + "-trial";
        const auto grows = [](const Path& where, std::uint64_t i) {
            Table t(open_pool(where), "t");
            const std::uint64_t before = t.stats().domain.bytes_committed;
            t.insert(i == 0 ? "new" : "g" + std::to_string(i), std::string(300, 'g'));
            return t.stats().domain.bytes_committed != before;
        };
        prepare(trial);
        std::uint64_t entries = 1;
        while (!grows(trial, entries)) ++entries;
        for (bool fits = true; fits;) {
            Pool::remove(path);
            prepare(path);
            for (std::uint64_t i = 1; i < entries; ++i) (void)grows(path, i);
            std::filesystem::copy_file(path, trial, std::filesystem::copy_options::overwrite_existing);
            fits = !grows(trial, 0);
        }
        Pool::remove(trial);
    }

    std::vector<Scenario> scenarios_;
};

} // namespace ss::test
