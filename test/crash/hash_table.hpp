// What may be interrupted of a HashTable.
#pragma once

#include <ss/pool/pool.hpp>

#include "crash/profile.hpp"
#include "crash/scenario.hpp"
#include "crash/tables.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ss::test {

/// "t" with 12 entries of many sizes, keys "k0", "k1", … and "", and "u" with 3; and some free blocks.
inline std::unique_ptr<TwoTables> prepare_tables(const TableProfile& profile, const Pool& pool) {
    auto tables = profile.open(pool, table_bits);
    for (const std::size_t size : {0U, 8U, 24U, 64U, 65U, 100U, 600U, 40U, 8U, 3000U, 24U, 200U}) {
        const std::uint64_t n = tables->size();
        tables->t().insert(numbered("k", n), std::string(size, static_cast<char>('a' + n)));
    }
    tables->t().insert("", "the empty key");
    tables->t().erase("k2");
    tables->u().insert("k0", std::string(300, 'u'));
    tables->u().insert("k1", "v");
    tables->u().incr("n", 41);
    tables->u().erase("k0");
    tables->u().insert("k0", std::string(20, 'u'));
    return tables;
}

class TableScenarios {
    using Path = std::filesystem::path;
    using Prepare = std::function<void(const TableProfile&, const Path&)>;
    using Operation = std::function<void(TwoTables&)>;

public:
    /// Everything that changes a table.
    [[nodiscard]] static std::vector<Scenario> all(const TableProfile& profile) {
        TableScenarios all(profile);
        const auto x = [](std::size_t size) { return std::string(size, 'x'); };
        all.add("insert, new", [x](TwoTables& two) { two.t().insert("new", x(24)); });
        all.add("insert, a size not seen", [x](TwoTables& two) { two.t().insert("new", x(150)); });
        all.add("overwrite, shorter, in place", [x](TwoTables& two) { two.t().insert("k3", x(30)); });
        all.add("overwrite, shorter, moved", [x](TwoTables& two) { two.t().insert("k6", x(100)); });
        all.add("overwrite, longer", [x](TwoTables& two) { two.t().insert("k4", x(250)); });
        all.add("erase", [](TwoTables& two) { two.t().erase("k9"); });
        all.add("incr, old", [](TwoTables& two) { two.u().incr("n", 1); });
        all.add("incr, new", [](TwoTables& two) { two.t().incr("n", 7); });
        all.add("clear", [](TwoTables& two) { two.t().clear(); });
        all.add("two tables", [x](TwoTables& two) {
            two.transact([&](AnyTable& t, AnyTable& u) {
                t.insert("new", x(24));
                u.erase("k0");
                u.incr("n", 1);
                t.insert("k6", x(20));
            });
        });
        all.add("two tables, clear and insert", [x](TwoTables& two) {
            two.transact([&](AnyTable& t, AnyTable& u) {
                u.insert("k5", x(90));
                t.clear();
                t.insert("k5", x(90));
            });
        });
        all.add("two tables, thrown out",
                [x](TwoTables& two) {
                    try {
                        two.transact([&](AnyTable& t, AnyTable& u) {
                            t.erase("k7");
                            u.insert("new", x(90));
                            throw 1;
                        });
                    } catch (int) {}
                })
            .changes = false;
        all.add("one table, what comes free is used again", [x](TwoTables& two) {
            two.transact([&](AnyTable& t, AnyTable&) {
                t.erase("k1");
                t.erase("k7");
                t.insert("k3", x(8));
                for (int i = 0; i < 4; ++i) t.insert(numbered("new", static_cast<std::uint64_t>(i)), x(40));
                t.insert("k0", x(40));
            });
        });
        all.add("overwrite, longer, in the page", [x](TwoTables& two) { two.t().insert("k0", x(24)); });
        all.add("overwrite, longer, out of the page", &full_page,
                [x](TwoTables& two) { two.t().insert(two.key_of_bucket(3), x(50)); });
        all.add("insert, another record makes room", &full_page,
                [x](TwoTables& two) { two.t().insert(two.key_of_bucket(8), x(40)); });
        all.add("insert, a second page begins", &one_bucket<20>,
                [](TwoTables& two) { two.t().insert(two.key_of_bucket(20), "x"); });
        all.add("erase, a second page ends", &one_bucket<21>,
                [](TwoTables& two) { two.t().erase(two.key_of_bucket(20)); });
        all.add("insert, a bucket splits", &full, [x](TwoTables& two) { two.t().insert("new", x(24)); });
        all.add("insert, several pages split", &one_bucket<52>, [x](TwoTables& two) { two.t().insert("new", x(1)); });
        all.add("insert, a split pulls records inside", &overfull,
                [x](TwoTables& two) { two.t().insert("new", x(40)); });
        all.add("erase, buckets merge", &about_to_merge, [](TwoTables& two) { two.t().erase("m6"); });
        all.add("insert, garbage is freed", &with_garbage, [x](TwoTables& two) { two.t().insert("new", x(1)); });
        all.add("insert, the pool grows", &about_to_grow,
                [](TwoTables& two) { two.t().insert("g0", std::string(300, 'g')); });
        return std::move(all.scenarios_);
    }

    /// Those few that are looked at in every profile.
    [[nodiscard]] static std::vector<Scenario> few(const TableProfile& profile) {
        std::vector<Scenario> few = all(profile);
        std::erase_if(few, [](const Scenario& scenario) {
            return scenario.name != "table: overwrite, longer" && scenario.name != "table: insert, a bucket splits";
        });
        return few;
    }

private:
    explicit TableScenarios(const TableProfile& profile) : profile_(profile) {}

    Scenario& add(const char* name, Operation operation) { return add(name, &prepare, std::move(operation)); }

    Scenario& add(const char* name, const Prepare& prepare_pool, Operation operation) {
        Scenario scenario = profile_.blank;
        scenario.name = std::string("table: ") + name;
        scenario.prepare = [prepare_pool, profile = profile_](const Path& path) { prepare_pool(profile, path); };
        scenario.operate = [operation = std::move(operation), open = profile_.open](const Path& path,
                                                                                    const Markers& markers) {
            const auto tables = open(open_pool(path), table_bits);
            markers.begin();
            operation(*tables);
            markers.end();
        };
        scenarios_.push_back(std::move(scenario));
        return scenarios_.back();
    }

    static void prepare(const TableProfile& profile, const Path& path) { prepare_tables(profile, open_pool(path)); }

    /// That many entries in one bucket, and none in the others.
    template <std::uint64_t Entries>
    static void one_bucket(const TableProfile& profile, const Path& path) {
        const auto tables = profile.open(open_pool(path), table_bits);
        for (std::uint64_t i = 0; i < Entries; ++i)
            tables->t().insert(tables->key_of_bucket(i), std::string(i * 10, 'b'));
    }

    /// A page without a free word: the eight records in it have seven each.
    static void full_page(const TableProfile& profile, const Path& path) {
        const auto tables = profile.open(open_pool(path), table_bits);
        for (std::uint64_t i = 0; i < 8; ++i) tables->t().insert(tables->key_of_bucket(i), std::string(40, 'b'));
    }

    /// As many words as the buckets bear, the most of them in the first, which the next one splits: what lies outside its
    /// page for want of room fits in again.
    static void overfull(const TableProfile& profile, const Path& path) {
        const auto tables = profile.open(open_pool(path), table_bits);
        for (std::uint64_t i = 0; i < 16; ++i) tables->t().insert(tables->key_of_bucket(i), std::string(40, 'b'));
        for (std::uint64_t i = 0; i < 16; ++i) tables->t().insert(numbered("f", i), std::string(40, 'f'));
    }

    /// As many entries as the buckets bear: the next one splits a bucket, for which a segment is made.
    static void full(const TableProfile& profile, const Path& path) {
        const auto tables = prepare_tables(profile, open_pool(path));
        for (std::uint64_t i = 0; tables->size() < detail::entries_to_split * table_buckets; ++i)
            tables->t().insert(numbered("f", i), std::string(3, 'f'));
    }

    /// One erase before the last bucket, which is the first one of its segment, is merged away.
    static void about_to_merge(const TableProfile& profile, const Path& path) {
        const auto tables = profile.open(open_pool(path), 0);
        for (std::uint64_t i = 0; i < 12; ++i) tables->t().insert(numbered("m", i), std::string(20, 'm'));
    }

    /// What a cleared table has left, none of it freed yet but what the clear itself frees.
    static void with_garbage(const TableProfile& profile, const Path& path) {
        const auto tables = prepare_tables(profile, open_pool(path));
        for (std::uint64_t i = 0; i < 30; ++i) tables->t().insert(numbered("g", i), std::string(40, 'g'));
        tables->t().clear();
    }

    /// So full that another such entry makes the pool grow. Found out by pools that are thrown away: each has seeds of
    /// its own, and so not quite the same blocks.
    static void about_to_grow(const TableProfile& profile, const Path& path) {
        const auto grows = [&](TwoTables& tables, std::uint64_t i) {
            const std::uint64_t before = tables.committed();
            tables.t().insert(numbered("g", i), std::string(300, 'g'));
            return tables.committed() != before;
        };
        const Path trial = path.string() + "-trial";
        std::uint64_t entries = 1;
        for (const auto tables = prepare_tables(profile, open_pool(trial)); !grows(*tables, entries);) ++entries;
        for (bool found = false; !found;) {
            Pool::remove(path);
            {
                const auto tables = prepare_tables(profile, open_pool(path));
                for (std::uint64_t i = 1; i < entries; ++i) (void)grows(*tables, i);
            }
            std::filesystem::copy_file(path, trial, std::filesystem::copy_options::overwrite_existing);
            found = grows(*profile.open(open_pool(trial), table_bits), 0);
        }
        Pool::remove(trial);
    }

    TableProfile profile_;
    std::vector<Scenario> scenarios_;
};

} // namespace ss::test
