// What may be interrupted of a PrefixTree.
#pragma once

#include <ss/pool/pool.hpp>

#include "crash/prefix_tree_pool.hpp"
#include "crash/profile.hpp"
#include "crash/scenario.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ss::test {

/// A string of so many bytes.
[[nodiscard]] inline std::string xs(std::size_t size) { return std::string(size, 'x'); }

/// "t" with nodes of several kinds and values of every form, "u" and "h" with a few; and some free blocks.
///
///     "" ─┬─ a "lph" ─┬─ a, a node: "alpha", then "bet"
///         │           └─ o, a leaf: "rn"
///         ├─ b "eta", with a value ── / ─┬─ "one" …
///         ├─ g, a leaf: "amma"
///         ├─ l, a leaf: "ong"
///         ├─ n "u", with a value ── "!"
///         └─ v, a value
inline std::unique_ptr<TreesAndTable> prepare_trees(const TreeProfile& profile, const Pool& pool) {
    auto trees = profile.open(pool);
    AnyTree& t = trees->t();
    t.insert("gone", std::string(100, 'g'));
    t.insert("", "the empty key");
    t.insert("alpha", 1);
    t.insert("alphabet", std::string(200, 'a'));
    t.insert("alphorn", true);
    t.insert("beta", 2.5);
    t.insert("beta/one", nullptr);
    t.insert("beta/two", std::string(40, 't'));
    t.insert("beta/three", "7 bytes");
    t.insert("beta/three hundred", std::string(300, 'h'));
    t.insert("gone too", std::string(1000, 'g'));
    t.insert("gamma", std::int64_t{1} << 61);
    t.insert("long", std::string(3000, 'l'));
    t.insert("nu", 3);
    t.insert("nu!", -3);
    t.insert("v", "short");
    t.erase("gone");
    t.erase("gone too");
    trees->u().insert("n", 41);
    trees->u().insert("almost", (std::int64_t{1} << 60) - 1);
    trees->u().insert("x", 0.5);
    trees->u().insert("k0", std::string(20, 'u'));
    trees->h().insert("k0", std::string(20, 'h'));
    trees->h().incr("n", 100);
    return trees;
}

class TreeScenarios {
    using Path = std::filesystem::path;
    using Prepare = std::function<void(const TreeProfile&, const Path&)>;
    using Operation = std::function<void(TreesAndTable&)>;

    /// Which nodes of "t" come and go, by their capacities (0: a leaf): `{{2, -1}, {4, +1}}`. So that a scenario is what
    /// its name says it is.
    using Change = std::map<std::uint64_t, std::int64_t>;

    static constexpr std::string_view title = "tree: ";

public:
    /// Everything that changes a tree.
    [[nodiscard]] static std::vector<Scenario> all(const TreeProfile& profile) {
        return std::move(TreeScenarios(profile).add_all().scenarios_);
    }

    /// Those that are looked at every day: without what is much like another, or long.
    [[nodiscard]] static std::vector<Scenario> most(const TreeProfile& profile) {
        static constexpr std::array<std::string_view, 28> others = {"insert, a leaf gets a branch",
                                                                    "insert, a leaf with a string gets a branch",
                                                                    "overwrite in a leaf, word by string",
                                                                    "overwrite in a leaf, string by word",
                                                                    "insert, garbage is freed",
                                                                    "overwrite, word by block",
                                                                    "incr, new",
                                                                    "incr, to a large integer",
                                                                    "erase, a branch becomes a leaf",
                                                                    "erase a prefix, many nodes",
                                                                    "erase a prefix, all",
                                                                    "two trees",
                                                                    "two trees, clear and insert",
                                                                    "two trees, thrown out",
                                                                    "claim a domain, make a tree",
                                                                    "make a tree where a table was",
                                                                    "insert, a node of 4 grows to 8",
                                                                    "insert, a node of 8 grows to 16",
                                                                    "insert, a node of 32 grows to 48",
                                                                    "insert, a node of 48 grows to 96",
                                                                    "insert, a node of 96 grows to 160",
                                                                    "insert, a node of 160 grows to 256",
                                                                    "erase, a node of 8 shrinks to 4",
                                                                    "erase, a node of 16 shrinks to 8",
                                                                    "erase, a node of 48 shrinks to 32",
                                                                    "erase, a node of 96 shrinks to 48",
                                                                    "erase, a node of 160 shrinks to 96",
                                                                    "erase, a node of 256 shrinks to 160"};
        std::vector<Scenario> most = all(profile);
        std::erase_if(most, [](const Scenario& scenario) {
            return std::ranges::find(others, std::string_view(scenario.name).substr(title.size())) != others.end();
        });
        return most;
    }

    /// Those few that are looked at in every profile: nodes that are replaced, and garbage.
    [[nodiscard]] static std::vector<Scenario> few(const TreeProfile& profile) {
        std::vector<Scenario> few = all(profile);
        std::erase_if(few, [](const Scenario& scenario) {
            return scenario.name != "tree: insert, a prefix splits" && scenario.name != "tree: erase a prefix";
        });
        return few;
    }

private:
    explicit TreeScenarios(const TreeProfile& profile) : profile_(profile) {}

    TreeScenarios& add_all() {
        add_inserts();
        add_loads();
        add_overwrites();
        add_erases();
        add_nodes_that_grow_and_shrink();
        add_garbage();
        add_transactions();
        add_lives();
        return *this;
    }

    void add_inserts() {
        const auto insert = [&](const char* name, std::string key, const Value& value, const Change& change) {
            add(
                name, &prepare, [=](TreesAndTable& all) { all.t().insert(key, value); }, change);
        };
        insert("insert, a value in a slot", "z", 5, {});
        insert("insert, a leaf", "zeta", true, {{0, +1}});
        insert("insert, a leaf with a string", "zeta", xs(100), {{0, +1}});
        insert("insert, a leaf and a block", "zeta", xs(500), {{0, +1}});
        insert("insert, a leaf splits", "gamut", "ut", {{0, +1}, {2, +1}});
        insert("insert, a leaf with a string splits", "beta/three hugs", 1, {{0, +1}, {2, +1}});
        insert("insert, a leaf loses its string", "beta/twx", 1, {{0, -1}, {2, +1}});
        insert("insert, a leaf with a string gets a branch", "beta/two!", 1, {{0, -1}, {2, +1}});
        insert("insert, a prefix splits", "alto", xs(20), {{0, +1}, {2, +1}});
        insert("insert, where a prefix splits", "al", 7, {{2, +1}});
        insert("insert, a value becomes a node", "vw", xs(9), {{2, +1}});
        insert("insert, the value of a node", "alph", xs(8), {});
        insert("insert, a leaf gets a branch", "long ago", nullptr, {{2, +1}});
        add("insert, the first key", &no_keys, [](TreesAndTable& all) { all.t().insert("first", xs(30)); },
            {{0, +1}});
        add("insert, the pool grows", &about_to_grow, [](TreesAndTable& all) { all.t().insert("G", filling()); }, {});
        add("insert if", &prepare, [](TreesAndTable& all) {
            if (!all.t().insert_if(Check("alpha", 1), "alphb", xs(12))) throw std::runtime_error("the check fails");
        });
        add("insert if not", &prepare, [](TreesAndTable& all) {
            if (all.t().insert_if(Check::missing("alpha"), "alpha", 2)) throw std::runtime_error("it is missing");
        }).changes = false;
    }

    void add_loads() {
        add("load, the first keys", &no_keys, [](TreesAndTable& all) {
            all.t().load({{"a", 1},
                          {"ab", xs(20)},
                          {"abc one", nullptr},
                          {"abc two", xs(100)},
                          {"b", xs(9)},
                          {"b leaf", true}});
        });
        add("load, among others", &prepare, [](TreesAndTable& all) {
            all.t().load({{"", xs(12)},
                          {"alphabet/a", 1},
                          {"alphabet/b", xs(50)},
                          {"beta/two", 2},
                          {"gamma ray", 0.5},
                          {"m/1", xs(10)},
                          {"m/2", xs(60)},
                          {"not in order", 1},
                          {"long ago", xs(30)}});
        });
    }

    void add_overwrites() {
        const auto overwrite = [&](const char* name, std::string key, const Value& value) {
            add(name, &prepare, [=](TreesAndTable& all) { all.t().insert(key, value); }, {});
        };
        overwrite("overwrite, word by word", "alpha", 2);
        overwrite("overwrite, word by block", "v", xs(90));
        overwrite("overwrite, block by word", "", 7);
        overwrite("overwrite, in place", "", xs(10));
        overwrite("overwrite, longer", "", xs(250));
        overwrite("overwrite in a leaf, word by string", "alphorn", xs(60));
        overwrite("overwrite in a leaf, string by word", "beta/two", 7);
        overwrite("overwrite in a leaf, in place", "beta/two", xs(30));
        overwrite("overwrite in a leaf, longer", "beta/two", xs(250));
        overwrite("overwrite in a leaf, string by block", "beta/two", xs(1000));
        overwrite("overwrite in a leaf, block by string", "long", xs(50));
        overwrite("overwrite, a large integer", "gamma", -(std::int64_t{1} << 61) - 1);
        const auto incr = [&](const char* name, std::string key, std::int64_t delta) {
            add(name, &prepare, [=](TreesAndTable& all) { all.u().incr(key, delta); }, {});
        };
        incr("incr, old", "n", 1);
        incr("incr, new", "m", 7);
        incr("incr, to a large integer", "almost", 1);
        add("incr, real", &prepare, [](TreesAndTable& all) { all.u().incr_real("x", 0.25); }, {});
    }

    void add_erases() {
        const auto erase = [&](const char* name, std::string key, const Change& change) {
            add(
                name, &prepare, [=](TreesAndTable& all) { all.t().erase(key); }, change);
        };
        erase("erase, a value in a slot", "v", {});
        erase("erase, a leaf and a block", "long", {{0, -1}});
        erase("erase, the value of a node", "", {});
        erase("erase, nodes merge", "alphorn", {{0, -1}, {2, -1}});
        erase("erase, a node's value, nodes merge", "beta", {{2, -1}});
        erase("erase, a node becomes a value", "alphabet", {{0, -1}, {2, -1}});
        erase("erase, a node becomes a leaf", "nu!", {{2, -1}, {0, +1}});
        erase("erase, a branch becomes a leaf", "nu", {{2, -1}, {0, +1}});
        const auto with = [](const char* key, const char* other) {
            return [=](const TreeProfile& profile, const Path& path) {
                const auto trees = prepare_trees(profile, open_pool(path));
                trees->t().insert(key, xs(20));
                trees->t().insert(other, 1);
            };
        };
        add("erase, a block's string comes to a leaf, nodes merge", with("qa1", "qa2"),
            [](TreesAndTable& all) { all.t().erase("qa2"); }, {{2, -1}, {0, +1}});
        add("erase, a block's string comes to a leaf", with("qa", "qa!"),
            [](TreesAndTable& all) { all.t().erase("qa!"); }, {{2, -1}, {0, +1}});
        add("erase, the last key", &one_key, [](TreesAndTable& all) { all.t().erase("only"); }, {{0, -1}});
    }

    /// From each kind to the next, and back. Every fifth branch is a leaf, every seventh value has a block.
    void add_nodes_that_grow_and_shrink() {
        for (std::uint64_t kind = detail::leaf_kind + 1; kind + 1 < detail::node_kinds.size(); ++kind) {
            const std::uint64_t small = detail::node_kinds[kind].capacity;
            const std::uint64_t large = detail::node_kinds[kind + 1].capacity;
            add(
                std::string(numbered("insert, a node of ", small)).append(numbered(" grows to ", large)).c_str(),
                [small](const TreeProfile& profile, const Path& path) { fill_node(profile, path, small, small); },
                [small](TreesAndTable& all) { all.t().insert(key_of_branch(small + 1), xs(5)); },
                {{small, -1}, {large, +1}, {0, (small + 1) % 5 == 0 ? 1 : 0}});
            // The node keeps its value, and so is not merged where one branch is left.
            const std::uint64_t left = small - std::max<std::uint64_t>(small / 4, 1);
            add(
                std::string(numbered("erase, a node of ", large)).append(numbered(" shrinks to ", small)).c_str(),
                [=](const TreeProfile& profile, const Path& path) { fill_node(profile, path, small + 1, left + 1); },
                [](TreesAndTable& all) { all.t().erase(key_of_branch(1)); }, {{large, -1}, {small, +1}});
        }
    }

    void add_garbage() {
        add("erase a prefix", &prepare, [](TreesAndTable& all) {
            if (all.t().erase_prefix("beta/") != 4) throw std::runtime_error("not four were erased");
        });
        add("erase a prefix, many nodes", &prepare_many, [](TreesAndTable& all) {
            if (all.t().erase_prefix("many/1") != 24) throw std::runtime_error("not 24 were erased");
        });
        add("erase a prefix, all", &prepare, [](TreesAndTable& all) { all.u().erase_prefix(""); });
        add("clear", &prepare, [](TreesAndTable& all) { all.t().clear(); });
        add("insert, garbage is freed", &with_garbage, [](TreesAndTable& all) { all.t().insert("new", xs(40)); });
    }

    void add_transactions() {
        add("two trees", &prepare, [](TreesAndTable& all) {
            all.transact([](AnyTree& t, AnyTree& u, AnyTable&) {
                t.insert("gamut", xs(24));
                u.erase("k0");
                u.incr("n", 1);
                t.erase("gamma");
                t.insert("beta/two", xs(20));
            });
        });
        add("two trees, clear and insert", &prepare, [](TreesAndTable& all) {
            all.transact([](AnyTree& t, AnyTree& u, AnyTable&) {
                u.insert("k5", xs(90));
                t.clear();
                t.insert("alpha", xs(90));
                t.erase_prefix("a");
                t.insert("alpha", 2);
            });
        });
        add("a tree and a table", &prepare, [](TreesAndTable& all) {
            all.transact([](AnyTree& t, AnyTree&, AnyTable& h) {
                h.incr("n", -5);
                t.incr("nu", 5);
                h.erase("k0");
                t.insert("k0", xs(20));
            });
        });
        // What one step frees, the next one would like to have: but a rollback may want it back.
        add("two trees, blocks come and go", &prepare, [](TreesAndTable& all) {
            all.transact([](AnyTree& t, AnyTree& u, AnyTable&) {
                t.insert("gamut", xs(24));
                t.insert("lone", xs(24));
                t.insert("beta/two", xs(250));
                u.insert("k5", xs(40));
                t.erase("beta");
                t.insert("betb", 0.25);
            });
        });
        add("two trees, thrown out", &prepare, [](TreesAndTable& all) {
            try {
                all.transact([](AnyTree& t, AnyTree& u, AnyTable& h) {
                    t.erase("alphorn");
                    t.erase_prefix("beta/");
                    u.insert("new", xs(90));
                    h.clear();
                    throw 1;
                });
            } catch (int) {}
        }).changes = false;
    }

    /// The first tree of a domain, and others; trees that come where a table was, and go.
    void add_lives() {
        const auto make = [&](const char* name, const Prepare& prepare_pool, const char* tree) {
            add(name, prepare_pool, nullptr).operate = [tree, make = profile_.make](const Path& path,
                                                                                    const Markers& markers) {
                const Pool pool = open_pool(path);
                markers.begin();
                const auto made = make(pool, tree);
                markers.end();
            };
        };
        make(
            "claim a domain, make a tree", [](const TreeProfile&, const Path& path) { (void)open_pool(path); }, "t");
        make("make a tree", &prepare, "v");
        make("make a tree where a table was", &without_table, "v");
        add("remove a tree", &prepare, nullptr).operate = [](const Path& path, const Markers& markers) {
            const Pool pool = open_pool(path);
            markers.begin();
            (void)pool.remove_object("t");
            markers.end();
        };
    }

    Scenario& add(const char* name, const Prepare& prepare_pool, const Operation& operation) {
        return add(name, prepare_pool, operation, {}, false);
    }

    Scenario& add(const char* name, const Prepare& prepare_pool, const Operation& operation, const Change& change,
                  bool is_exact = true) {
        Scenario scenario = profile_.blank;
        scenario.name = std::string(title) + name;
        scenario.prepare = [=, profile = profile_](const Path& path) {
            prepare_pool(profile, path);
            if (is_exact) rehearse(profile, path, operation, change);
        };
        scenario.operate = [operation, open = profile_.open](const Path& path, const Markers& markers) {
            const auto trees = open(open_pool(path));
            markers.begin();
            operation(*trees);
            markers.end();
        };
        scenarios_.push_back(std::move(scenario));
        return scenarios_.back();
    }

    /// Throws if the operation does not do to the nodes what it is expected to.
    static void rehearse(const TreeProfile& profile, const Path& path, const Operation& operation,
                         const Change& change) {
        const Path trial = path.string() + "-trial";
        std::filesystem::copy_file(path, trial);
        {
            const auto trees = profile.open(open_pool(trial));
            NodeCounts expected = trees->nodes();
            for (std::uint64_t kind = detail::leaf_kind; kind < expected.size(); ++kind)
                if (const auto at = change.find(detail::node_kinds[kind].capacity); at != change.end())
                    expected[kind] += at->second;
            operation(*trees);
            const NodeCounts found = trees->nodes();
            for (std::uint64_t kind = detail::leaf_kind; kind < expected.size(); ++kind)
                if (found[kind] != expected[kind])
                    throw std::runtime_error(
                        numbered("the operation leaves ", static_cast<std::uint64_t>(found[kind])) +
                        numbered(" nodes of ", detail::node_kinds[kind].capacity) +
                        numbered(", not ", static_cast<std::uint64_t>(expected[kind])));
        }
        Pool::remove(trial);
    }

    // --- pools to begin with

    static void prepare(const TreeProfile& profile, const Path& path) { prepare_trees(profile, open_pool(path)); }

    static void no_keys(const TreeProfile& profile, const Path& path) { (void)profile.open(open_pool(path)); }

    static void one_key(const TreeProfile& profile, const Path& path) {
        profile.open(open_pool(path))->t().insert("only", xs(50));
    }

    static void without_table(const TreeProfile& profile, const Path& path) {
        const Pool pool = open_pool(path);
        prepare_trees(profile, pool);
        if (!pool.remove_object("h")) throw std::runtime_error("there is no table to remove");
    }

    /// "node" and a byte for each branch, in no order; and a rest for each fifth.
    static std::string key_of_branch(std::uint64_t branch) {
        std::string key = "node";
        key.push_back(static_cast<char>(branch * 37));
        return branch % 5 == 0 ? key.append("leaf") : key;
    }

    /// One node that has had `most` branches, and has the last `left` of them. Nodes on the way have no other branch.
    static void fill_node(const TreeProfile& profile, const Path& path, std::uint64_t most, std::uint64_t left) {
        const auto trees = profile.open(open_pool(path));
        AnyTree& t = trees->t();
        t.insert("node", "the node's own");
        for (std::uint64_t branch = 1; branch <= most; ++branch) {
            if (branch % 7 == 0)
                t.insert(key_of_branch(branch), xs(30));
            else
                t.insert(key_of_branch(branch), branch);
        }
        for (std::uint64_t branch = most; branch > left; --branch) t.erase(key_of_branch(branch));
    }

    /// 64 keys in nodes three deep, beside what `prepare` makes.
    static void prepare_many(const TreeProfile& profile, const Path& path) {
        const auto trees = prepare_trees(profile, open_pool(path));
        insert_many(*trees);
    }
    static void insert_many(TreesAndTable& trees) {
        for (std::uint64_t i = 0; i < 64; ++i) {
            const std::string key = numbered("many/", i % 2) + numbered("/", i % 8) + numbered("/", i);
            if (i % 3 == 0)
                trees.t().insert(key, i);
            else
                trees.t().insert(key, xs(i));
        }
        for (std::uint64_t i = 1; i < 16; i += 2) trees.t().erase(numbered("many/1/", i % 8) + numbered("/", i));
    }

    /// What has been erased and is not freed yet, but for what the erasing itself frees.
    static void with_garbage(const TreeProfile& profile, const Path& path) {
        const auto trees = prepare_trees(profile, open_pool(path));
        insert_many(*trees);
        trees->t().erase_prefix("many");
        if (trees->garbage() == 0) throw std::runtime_error("there is no garbage");
    }

    static std::string filling() { return std::string(300, 'g'); }

    /// So full that another such value makes the pool grow: found out by a pool that is thrown away.
    static void about_to_grow(const TreeProfile& profile, const Path& path) {
        const auto fill = [&](std::uint64_t keys) {
            const auto trees = prepare_trees(profile, open_pool(path));
            const std::uint64_t before = trees->committed();
            std::uint64_t done = 0;
            for (; done < keys && trees->committed() == before; ++done)
                trees->t().insert(numbered("g", done), filling());
            return done;
        };
        const std::uint64_t keys = fill(10'000);
        Pool::remove(path);
        (void)fill(keys - 1);
        const Path trial = path.string() + "-trial";
        std::filesystem::copy_file(path, trial);
        {
            const auto trees = profile.open(open_pool(trial));
            const std::uint64_t before = trees->committed();
            trees->t().insert("G", filling());
            if (trees->committed() == before) throw std::runtime_error("the pool does not grow");
        }
        Pool::remove(trial);
    }

    TreeProfile profile_;
    std::vector<Scenario> scenarios_;
};

} // namespace ss::test
