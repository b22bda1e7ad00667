// What may be interrupted of a pool's own life: made, opened, closed, cut back; domains claimed, objects made and removed.
#pragma once

#include <ss/ss.hpp>

#include "crash/hash_table.hpp"
#include "support/process.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace ss::test {

template <class Table>
class PoolScenarios {
    using Tables = TableScenarios<Table>;

public:
    using Path = std::filesystem::path;

    [[nodiscard]] static std::vector<Scenario> all() {
        PoolScenarios all;
        all.add("make it and a table", nullptr,
                [](const Path& path, const Markers& markers) {
                    markers.begin();
                    const Table t(open_pool(path), "t", {.bits = 0});
                    markers.end();
                })
            .alone = true;
        const auto open = [](const Path& path, const Markers& markers) {
            markers.begin();
            const Pool pool = open_pool(path);
            const Table t(pool, "t");
            (void)t.find("k0");
            markers.end();
        };
        all.add("open, somebody died", &abandoned, open, Changes::no).alone = true;
        all.add("open beside others", &Tables::prepare, open, Changes::no);
        const auto close = [](const Path& path, const Markers& markers) {
            std::optional<Table> t(std::in_place, open_pool(path), "t");
            markers.begin();
            t.reset();
            markers.end();
        };
        all.add("close, the last", &Tables::prepare, close, Changes::no).alone = true;
        all.add("close beside others", &Tables::prepare, close, Changes::no);
        all.add("claim a domain, make a table", &empty, make("t"));
        all.add("make a table", &Tables::prepare, make("another"));
        all.add("make a table, a page of names", &many_names, make("another"));
        all.add("remove a table", &Tables::prepare, [](const Path& path, const Markers& markers) {
            const Pool pool = open_pool(path);
            markers.begin();
            (void)pool.remove_object("u");
            markers.end();
        });
        all.add(
               "trim", &with_free_end,
               [](const Path& path, const Markers& markers) {
                   const Pool pool = open_pool(path);
                   markers.begin();
                   if (pool.trim() == 0) throw std::runtime_error("there was nothing to trim");
                   markers.end();
               },
               Changes::no)
            .alone = true;
        return std::move(all.scenarios_);
    }

private:
    enum class Changes { yes, no };
    using Operation = std::function<void(const Path&, const Markers&)>;

    Scenario& add(const std::string& name, void (*prepare)(const Path&), Operation operation,
                  Changes changes = Changes::yes) {
        Scenario scenario = Tables::blank("pool: " + name);
        if (prepare != nullptr) scenario.prepare = prepare;
        scenario.operate = std::move(operation);
        scenario.changes = changes == Changes::yes;
        scenarios_.push_back(std::move(scenario));
        return scenarios_.back();
    }

    [[nodiscard]] static Operation make(const std::string& name) {
        return [name](const Path& path, const Markers& markers) {
            const Pool pool = open_pool(path);
            markers.begin();
            const Table t(pool, name, {.bits = 0});
            markers.end();
        };
    }

    /// No domain is claimed.
    static void empty(const Path& path) { (void)open_pool(path); }

    /// Somebody died in the middle of a transaction, holding the lock.
    static void abandoned(const Path& path) {
        Tables::prepare(path);
        Process victim([&] {
            Table t(open_pool(path), "t");
            transaction(t, [&](auto& tx) {
                t.insert(tx, "lost", "x");
                t.erase(tx, "k0");
                ::_exit(0);
            });
        });
        victim.expect_clean();
    }

    /// As many names as the first page of the directory has room for.
    static void many_names(const Path& path) {
        const Pool pool = open_pool(path);
        for (std::uint64_t i = 0; i < entries_per_page; ++i)
            const Table t(pool, i == 0 ? "t" : "t" + std::to_string(i), {.bits = 0});
    }

    /// Free pages at the end, and garbage that becomes more of them.
    static void with_free_end(const Path& path) {
        Tables::prepare(path);
        Table t(open_pool(path), "t");
        t.insert("large", std::string(200'000, 'l'));
        t.erase("large");
        for (int i = 0; i < 8; ++i) t.insert("g" + std::to_string(i), std::string(5000, 'g'));
        t.clear();
    }

    std::vector<Scenario> scenarios_;
};

} // namespace ss::test
