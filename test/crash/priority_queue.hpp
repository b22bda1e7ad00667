// What may be interrupted of a PriorityQueue.
#pragma once

#include <ss/pool/pool.hpp>

#include "crash/priority_queue_pool.hpp"
#include "crash/profile.hpp"
#include "crash/scenario.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ss::test {

class PriorityQueueScenarios {
    using Path = std::filesystem::path;
    using Prepare = std::function<void(const PriorityQueueProfile&, const Path&)>;
    using Operation = std::function<void(QueuesAndTable&)>;

    static constexpr std::string_view title = "heap: ";

public:
    /// Everything that changes a priority queue.
    [[nodiscard]] static std::vector<Scenario> all(const PriorityQueueProfile& profile) {
        return std::move(PriorityQueueScenarios(profile).add_all().scenarios_);
    }

    /// Those few that are looked at in every profile: items that rise and sink, segments, and garbage.
    [[nodiscard]] static std::vector<Scenario> few(const PriorityQueueProfile& profile) {
        std::vector<Scenario> few = all(profile);
        std::erase_if(few, [](const Scenario& scenario) {
            return scenario.name != "heap: push, a segment comes" && scenario.name != "heap: pop, a segment goes" &&
                   scenario.name != "heap: clear";
        });
        return few;
    }

private:
    explicit PriorityQueueScenarios(const PriorityQueueProfile& profile) : profile_(profile) {}

    PriorityQueueScenarios& add_all() {
        add_pushes();
        add_pops();
        add_replacements();
        add_garbage();
        add_transactions();
        add_lives();
        return *this;
    }

    void add_pushes() {
        const auto push = [&](const char* name, const Prepare& prepare_pool, std::string item, int segments = 0) {
            add(
                name, prepare_pool, [=](QueuesAndTable& all) { all.q().push(item); }, segments);
        };
        push("push, to the last place", &prepare, "zzz");
        push("push, it rises to the top", &prepare, "");
        push("push, it rises half way", &prepare, item(5) + "b");
        push("push, one that is there", &prepare, item(7));
        push("push, the first item", &no_items, std::string(30, 'x'), +1);
        push("push, a segment comes", &with_items<64>, item(30) + "b", +1);
        push("push, a segment is there", &with_spare_segment, item(30) + "b");
        push("push, the pool grows", &about_to_grow, filling());
        push("push, somebody waits", &somebody_waits, "for him", +1);
        add("push, in pieces", &prepare, [](QueuesAndTable& all) {
            all.q().push_pieces(std::array<std::string_view, 3>{"pie", "", "ces that take some words"});
        });
    }

    void add_pops() {
        const auto pop = [&](const char* name, const Prepare& prepare_pool, int segments = 0) -> Scenario& {
            return add(
                name, prepare_pool, [](QueuesAndTable& all) { (void)all.q().pop(); }, segments);
        };
        pop("pop", &prepare);
        pop("pop, two are left", &with_items<3>);
        pop("pop, the last item", &with_items<1>);
        pop("pop, a segment goes", &with_segment_to_drop, -1);
        pop("pop, a segment stays", &with_spare_segment);
        pop("pop, nothing", &no_items).changes = false;
        add("pop, waiting for nothing", &no_items, [](QueuesAndTable& all) {
            (void)all.pop_for(std::chrono::milliseconds(1));
        }).changes = false;
        add("pop, waiting for what is there", &prepare,
            [](QueuesAndTable& all) { (void)all.pop_for(std::chrono::hours(1)); });
    }

    void add_replacements() {
        const auto replace = [&](const char* name, const Prepare& prepare_pool, std::string item, int segments = 0) {
            add(
                name, prepare_pool, [=](QueuesAndTable& all) { (void)all.q().replace_top(item); }, segments);
        };
        replace("replace the top, it sinks", &prepare, "zzz");
        replace("replace the top, half way down", &prepare, item(5) + std::string(200, 'b'));
        replace("replace the top, it stays", &prepare, "a");
        replace("replace the top of one", &with_items<1>, "a");
        replace("replace the top of none", &no_items, "a", +1);
    }

    void add_garbage() {
        add(
            "clear", &prepare, [](QueuesAndTable& all) { all.q().clear(); }, -1);
        add(
            "clear, two segments", &with_items<70>, [](QueuesAndTable& all) { all.q().clear(); }, -2);
        add("push, garbage is freed", &with_garbage, [](QueuesAndTable& all) { all.r().push("new"); });
        add("push, the last garbage goes", &with_little_garbage, [](QueuesAndTable& all) { all.r().push("new"); });
    }

    void add_transactions() {
        add("from a queue into a table", &prepare, [](QueuesAndTable& all) {
            all.transact([](AnyPriorityQueue& q, AnyPriorityQueue& r, AnyTable& h) {
                const std::string item = q.pop().value();
                h.insert(item, "taken");
                h.incr("n", 1);
                r.push(item);
                (void)r.pop();
            });
        });
        // What one step frees, the next one would like to have: but a rollback may want it back.
        add(
            "from one queue to another", &with_segment_to_drop,
            [](QueuesAndTable& all) {
                all.transact([](AnyPriorityQueue& q, AnyPriorityQueue& r, AnyTable&) {
                    for (int i = 0; i < 3; ++i) r.push(q.pop().value());
                    (void)r.replace_top(std::string(100, 'y'));
                    q.push(r.pop().value());
                });
            },
            -1);
        add("clear and push", &prepare, [](QueuesAndTable& all) {
            all.transact([](AnyPriorityQueue& q, AnyPriorityQueue& r, AnyTable&) {
                q.push("gone");
                q.clear();
                q.push("b");
                q.push("a");
                (void)q.pop();
                r.clear();
            });
        });
        add("thrown out", &with_items<64>, [](QueuesAndTable& all) {
            try {
                all.transact([](AnyPriorityQueue& q, AnyPriorityQueue& r, AnyTable& h) {
                    q.push("");
                    (void)q.pop();
                    (void)q.pop();
                    r.clear();
                    h.clear();
                    throw 1;
                });
            } catch (int) {}
        }).changes = false;
    }

    /// The first queue of a domain, and others; one that comes where a table was, and one that goes.
    void add_lives() {
        const auto make = [&](const char* name, const Prepare& prepare_pool, const char* queue) {
            add(name, prepare_pool, nullptr).operate = [queue, make = profile_.make](const Path& path,
                                                                                     const Markers& markers) {
                const Pool pool = open_pool(path);
                markers.begin();
                const auto made = make(pool, queue);
                markers.end();
            };
        };
        make(
            "claim a domain, make a queue",
            [](const PriorityQueueProfile&, const Path& path) { (void)open_pool(path); }, "q");
        make("make a queue", &prepare, "s");
        make("make a queue where a table was", &without_table, "s");
        add("remove a queue", &somebody_waits, nullptr).operate = [](const Path& path, const Markers& markers) {
            const Pool pool = open_pool(path);
            markers.begin();
            (void)pool.remove_object("q");
            markers.end();
        };
    }

    /// `segments` is how many come, or go: so that a scenario is what its name says it is.
    Scenario& add(const char* name, const Prepare& prepare_pool, const Operation& operation, int segments = 0) {
        Scenario scenario = profile_.blank;
        scenario.name = std::string(title) + name;
        scenario.prepare = [=, profile = profile_](const Path& path) {
            prepare_pool(profile, path);
            if (operation) rehearse(profile, path, operation, segments);
        };
        scenario.operate = [operation, open = profile_.open](const Path& path, const Markers& markers) {
            const auto queues = open(open_pool(path));
            markers.begin();
            operation(*queues);
            markers.end();
        };
        scenarios_.push_back(std::move(scenario));
        return scenarios_.back();
    }

    /// Throws if the operation does not do to the segments what it is expected to.
    static void rehearse(const PriorityQueueProfile& profile, const Path& path, const Operation& operation,
                         int segments) {
        const Path trial = path.string() + "-trial";
        std::filesystem::copy_file(path, trial);
        {
            const auto queues = profile.open(open_pool(trial));
            const std::uint64_t expected = queues->segments() + static_cast<std::uint64_t>(segments);
            operation(*queues);
            if (queues->segments() != expected)
                throw std::runtime_error(numbered("the operation leaves ", queues->segments()) +
                                         numbered(" segments, not ", expected));
        }
        Pool::remove(trial);
    }

    // --- pools to begin with

    /// Of many sizes; they come in another order than this.
    static std::string item(std::uint64_t i) {
        const std::uint64_t order = i * 29 % 97;
        return numbered(order < 10 ? "item 0" : "item ", order).append(i * i % 90, 'i');
    }

    static std::unique_ptr<QueuesAndTable> fill(const PriorityQueueProfile& profile, const Path& path,
                                                std::uint64_t items) {
        auto queues = profile.open(open_pool(path));
        queues->r().push(std::string(100, ' '));
        for (std::uint64_t i = 0; i < items; ++i) queues->q().push(item(i));
        (void)queues->r().pop();
        queues->r().push("k0");
        queues->r().push("k1");
        queues->h().insert("k0", std::string(20, 'h'));
        queues->h().incr("n", 100);
        return queues;
    }

    template <std::uint64_t count>
    static void with_items(const PriorityQueueProfile& profile, const Path& path) {
        (void)fill(profile, path, count);
    }
    static void prepare(const PriorityQueueProfile& profile, const Path& path) { (void)fill(profile, path, 20); }

    static void no_items(const PriorityQueueProfile& profile, const Path& path) {
        (void)profile.open(open_pool(path));
    }

    /// The last item but one that the second segment is kept for.
    static void with_segment_to_drop(const PriorityQueueProfile& profile, const Path& path) {
        const auto queues = fill(profile, path, 65);
        for (int i = 0; i < 16; ++i) (void)queues->q().pop();
    }

    static void with_spare_segment(const PriorityQueueProfile& profile, const Path& path) {
        const auto queues = fill(profile, path, 65);
        (void)queues->q().pop();
    }

    /// Somebody has waited and is gone; the word that he left is there.
    static void somebody_waits(const PriorityQueueProfile& profile, const Path& path) {
        (void)profile.open(open_pool(path))->pop_for(std::chrono::milliseconds(1));
    }

    static void without_table(const PriorityQueueProfile& profile, const Path& path) {
        (void)fill(profile, path, 5);
        if (!open_pool(path).remove_object("h")) throw std::runtime_error("there is no table to remove");
    }

    static void with_garbage(const PriorityQueueProfile& profile, const Path& path) {
        const auto queues = fill(profile, path, 70);
        queues->q().clear();
        if (queues->garbage() == 0) throw std::runtime_error("there is no garbage");
    }

    /// A head and nothing else: one step frees it.
    static void with_little_garbage(const PriorityQueueProfile& profile, const Path& path) {
        const auto queues = fill(profile, path, 25);
        queues->q().clear();
        for (int i = 0; queues->garbage() > 1000; ++i) {
            if (i == 100) throw std::runtime_error("the garbage is not freed");
            (void)queues->r().replace_top("k0");
        }
        if (queues->garbage() == 0) throw std::runtime_error("there is no garbage");
    }

    static std::string filling() { return std::string(300, 'g'); }

    /// So full that another such item makes the pool grow: found out by a pool that is thrown away.
    static void about_to_grow(const PriorityQueueProfile& profile, const Path& path) {
        const auto fill_up = [&](std::uint64_t items) {
            const auto queues = fill(profile, path, 20);
            const std::uint64_t before = queues->committed();
            std::uint64_t done = 0;
            for (; done < items && queues->committed() == before; ++done) queues->q().push(filling());
            return done;
        };
        const std::uint64_t items = fill_up(10'000);
        Pool::remove(path);
        (void)fill_up(items - 1);
        const Path trial = path.string() + "-trial";
        std::filesystem::copy_file(path, trial);
        {
            const auto queues = profile.open(open_pool(trial));
            const std::uint64_t before = queues->committed();
            queues->q().push(filling());
            if (queues->committed() == before) throw std::runtime_error("the pool does not grow");
        }
        Pool::remove(trial);
    }

    PriorityQueueProfile profile_;
    std::vector<Scenario> scenarios_;
};

} // namespace ss::test
