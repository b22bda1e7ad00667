// What may be interrupted of a pool's own life: made, opened, closed, cut back; domains claimed, objects made and removed.
#pragma once

#include <ss/pool/pool.hpp>

#include "crash/hash_table.hpp"
#include "crash/tables.hpp"
#include "support/process.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace ss::test {

class PoolScenarios {
    using Path = std::filesystem::path;
    using Prepare = std::function<void(const TableProfile&, const Path&)>;
    using Operation = std::function<void(const TableProfile&, const Path&, const Markers&)>;

public:
    [[nodiscard]] static std::vector<Scenario> all(const TableProfile& profile) {
        PoolScenarios all(profile);
        all.add("make it and a table", nullptr,
                [](const TableProfile& tables, const Path& path, const Markers& markers) {
                    markers.begin();
                    const auto t = tables.make(open_pool(path), "t");
                    markers.end();
                })
            .alone = true;
        Scenario& died = all.add("open, somebody died", &abandoned, &open);
        died.alone = true;
        died.changes = false;
        all.add("open beside others", &prepare, &open).changes = false;
        Scenario& last = all.add("close, the last", &prepare, &close);
        last.alone = true;
        last.changes = false;
        all.add("close beside others", &prepare, &close).changes = false;
        all.add("claim a domain, make a table", &empty, &make<'t'>);
        all.add("make a table", &prepare, &make<'v'>);
        all.add("make a table, a page of names", &many_names, &make<'v'>);
        all.add("remove a table", &prepare, [](const TableProfile&, const Path& path, const Markers& markers) {
            const Pool pool = open_pool(path);
            markers.begin();
            (void)pool.remove_object("u");
            markers.end();
        });
        Scenario& trim =
            all.add("trim", &with_free_end, [](const TableProfile&, const Path& path, const Markers& markers) {
                const Pool pool = open_pool(path);
                markers.begin();
                if (pool.trim() == 0) throw std::runtime_error("there was nothing to trim");
                markers.end();
            });
        trim.alone = true;
        trim.changes = false;
        return std::move(all.scenarios_);
    }

private:
    explicit PoolScenarios(const TableProfile& profile) : profile_(profile) { scenarios_.reserve(20); }

    /// The reference is good until the 20th is added.
    Scenario& add(const char* name, const Prepare& prepare_pool, Operation operation) {
        Scenario scenario = profile_.blank;
        scenario.name = std::string("pool: ") + name;
        if (prepare_pool)
            scenario.prepare = [prepare_pool, profile = profile_](const Path& path) { prepare_pool(profile, path); };
        scenario.operate = [operation = std::move(operation), profile = profile_](
                               const Path& path, const Markers& markers) { operation(profile, path, markers); };
        scenarios_.push_back(std::move(scenario));
        return scenarios_.back();
    }

    static void open(const TableProfile& profile, const Path& path, const Markers& markers) {
        markers.begin();
        const Pool pool = open_pool(path);
        (void)profile.blank.contents(pool);
        markers.end();
    }

    static void close(const TableProfile& profile, const Path& path, const Markers& markers) {
        auto tables = profile.open(open_pool(path), table_bits);
        markers.begin();
        tables.reset();
        markers.end();
    }

    template <char Name>
    static void make(const TableProfile& profile, const Path& path, const Markers& markers) {
        const Pool pool = open_pool(path);
        markers.begin();
        const auto table = profile.make(pool, std::string(1, Name));
        markers.end();
    }

    static void prepare(const TableProfile& profile, const Path& path) { prepare_tables(profile, open_pool(path)); }

    /// No domain is claimed.
    static void empty(const TableProfile&, const Path& path) { (void)open_pool(path); }

    /// Somebody died in the middle of a transaction, holding the lock.
    static void abandoned(const TableProfile& profile, const Path& path) {
        prepare(profile, path);
        Process victim([&] {
            const auto tables = profile.open(open_pool(path), table_bits);
            tables->transact([&](AnyTable& t, AnyTable&) {
                t.insert("lost", "x");
                t.erase("k0");
                ::_exit(0);
            });
        });
        victim.expect_clean();
    }

    /// As many names as the first page of the directory has room for.
    static void many_names(const TableProfile& profile, const Path& path) {
        const Pool pool = open_pool(path);
        (void)profile.make(pool, "t");
        for (std::uint64_t i = 1; i < entries_per_page; ++i) (void)profile.make(pool, numbered("t", i));
    }

    /// Free pages at the end, and garbage that becomes more of them.
    static void with_free_end(const TableProfile& profile, const Path& path) {
        const auto tables = prepare_tables(profile, open_pool(path));
        tables->t().insert("large", std::string(200'000, 'l'));
        tables->t().erase("large");
        for (std::uint64_t i = 0; i < 8; ++i) tables->t().insert(numbered("g", i), std::string(5000, 'g'));
        tables->t().clear();
    }

    TableProfile profile_;
    std::vector<Scenario> scenarios_;
};

} // namespace ss::test
