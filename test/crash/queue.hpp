// What may be interrupted of a Queue.
#pragma once

#include <ss/pool/pool.hpp>

#include "crash/profile.hpp"
#include "crash/queue_pool.hpp"
#include "crash/scenario.hpp"

#include <algorithm>
#include <array>
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

class QueueScenarios {
    using Path = std::filesystem::path;
    using Prepare = std::function<void(const QueueProfile&, const Path&)>;
    using Operation = std::function<void(QueuePool&)>;

    static constexpr std::string_view title = "queue: ";

public:
    /// Everything that changes a queue.
    [[nodiscard]] static std::vector<Scenario> all(const QueueProfile& profile) {
        return std::move(QueueScenarios(profile).add_all().scenarios_);
    }

    /// Without the one that fills a thousand words of a new page, each of which is a state.
    [[nodiscard]] static std::vector<Scenario> most(const QueueProfile& profile) {
        return pick(profile, [](std::string_view name) { return name != "push back, large"; });
    }

    /// Those few that are looked at in every profile: items and leases that come and go, garbage, and a lease that ends in
    /// a transaction.
    [[nodiscard]] static std::vector<Scenario> few(const QueueProfile& profile) {
        static constexpr std::array<std::string_view, 4> names = {"push back", "pop, somebody waits for room",
                                                                  "the dead's come back", "a job is done"};
        return pick(profile, [](std::string_view name) { return std::ranges::find(names, name) != names.end(); });
    }

private:
    explicit QueueScenarios(const QueueProfile& profile) : profile_(profile) {}

    template <class F>
    [[nodiscard]] static std::vector<Scenario> pick(const QueueProfile& profile, F wanted) {
        std::vector<Scenario> some = all(profile);
        std::erase_if(some, [&](const Scenario& scenario) {
            return !wanted(std::string_view(scenario.name).substr(title.size()));
        });
        return some;
    }

    QueueScenarios& add_all() {
        add_pushes();
        add_pops();
        add_limits();
        add_leases();
        add_garbage();
        add_transactions();
        add_watching();
        add_lives();
        return *this;
    }

    void add_pushes() {
        add("push back", &prepare, [](QueuePool& all) { all.q().push_back(std::string(24, 'x')); });
        add("push front", &prepare, [](QueuePool& all) { all.q().push_front(std::string(150, 'x')); });
        add("push back, in pieces", &prepare, [](QueuePool& all) {
            all.q().push_back({std::string(10, 'x'), "", std::string(30, 'y')});
        });
        add("push back, no bytes", &prepare, [](QueuePool& all) { all.q().push_back(""); });
        add("push back, the first", &no_items, [](QueuePool& all) { all.q().push_back("first"); });
        add("push front, the first", &no_items, [](QueuePool& all) { all.q().push_front("first"); });
        add("push back, another page", &with_full_page,
            [](QueuePool& all) { all.q().push_back(std::string(24, 'x')); });
        add("push front, another page", &prepare, [](QueuePool& all) { all.q().push_front(std::string(900, 'x')); });
        add("push back, a page from its begin", &with_used_page,
            [](QueuePool& all) { all.q().push_back(std::string(500, 'x')); });
        add("push front, a page from its end", &with_empty_page,
            [](QueuePool& all) { all.q().push_front(std::string(500, 'x')); });
        add("push back, a page instead of an empty one", &with_empty_page,
            [](QueuePool& all) { all.q().push_back(std::string(2000, 'x')); });
        add("push back, large", &prepare, [](QueuePool& all) { all.q().push_back(std::string(9000, 'x')); });
        add("push back, the pool grows", &about_to_grow, [](QueuePool& all) { all.d().push_back(filling()); });
    }

    void add_pops() {
        add("pop front", &prepare, [](QueuePool& all) { must(all.q().pop_front()); });
        add("pop back", &prepare, [](QueuePool& all) { must(all.q().pop_back()); });
        add("pop front, the last", &one_item, [](QueuePool& all) { must(all.q().pop_front()); });
        add("pop back, the last", &one_item, [](QueuePool& all) { must(all.q().pop_back()); });
        add("pop back, the page is empty", &with_another_page, [](QueuePool& all) { must(all.q().pop_back()); });
        add("pop front, large and alone", &one_large, [](QueuePool& all) { must(all.q().pop_front()); });
        add("pop front, there is none", &no_items, [](QueuePool& all) { must(!all.q().pop_front()); }).changes =
            false;
    }

    /// What holds is that limits are kept, whoever is killed where; and that a wake, and its loss, change nothing.
    void add_limits() {
        add("try push", &prepare, [](QueuePool& all) { must(all.q().try_push(std::string(40, 'x'))); });
        add("try push, the last that has room", &one_place,
            [](QueuePool& all) { must(all.q().try_push(std::string(40, 'x'))); });
        add("try push, full", &no_place, [](QueuePool& all) { must(!all.q().try_push("x")); }).changes = false;
        add("try push, too many bytes", &prepare, [](QueuePool& all) {
            must(!all.q().try_push(std::string(queue_bytes - 500, 'x')));
        }).changes = false;
        add("pop, somebody waits for room", &somebody_waits_for_room,
            [](QueuePool& all) { must(all.q().pop_front()); });
        add("lease, somebody waits for room", &somebody_waits_for_room,
            [](QueuePool& all) { must(all.q().lease()); });
        add("clear, somebody waits for room", &somebody_waits_for_room, [](QueuePool& all) { all.q().clear(); });
        add("push, somebody waits for an item", &somebody_waits_for_item,
            [](QueuePool& all) { all.q().push_back("for him"); });
        add("nothing comes", &no_items, [](QueuePool& all) { must(all.wait_for_item()); }).changes = false;
        add("no room comes", &no_place, [](QueuePool& all) { must(all.wait_for_room()); }).changes = false;
        add("out and in where it is full", &no_place, [](QueuePool& all) {
            all.transact([](AnyQueue& q, AnyQueue& d, AnyTable&) {
                must(!q.try_push("no room"));
                must(q.pop_front());
                must(q.try_push("room"));
                must(!q.try_push("no room"));
                d.push_back("once");
            });
        });
    }

    void add_leases() {
        add("lease, the first table", &prepare, [](QueuePool& all) { must(all.q().lease()); });
        add("lease, a table is there", &with_leases, [](QueuePool& all) { must(all.q().lease()); });
        add("lease, another table", &with_full_table, [](QueuePool& all) { must(all.q().lease()); });
        add("lease, large", &one_large, [](QueuePool& all) { must(all.q().lease()); });
        add("lease, the last item", &one_item, [](QueuePool& all) { must(all.q().lease()); });
        add("ack", &with_leases, [](QueuePool& all) { must(all.q().ack(1)); });
        add("ack, nothing else", &one_lease, [](QueuePool& all) { must(all.q().ack(0)); });
        add("release", &with_leases, [](QueuePool& all) { must(all.release(1)); });
        add("release, nothing else", &one_lease, [](QueuePool& all) { must(all.release(0)); });
        add("release, to the dead letters", &with_last_lease, [](QueuePool& all) { must(all.release(0)); });
        add("release, no dead letters", &without_dead_letters, [](QueuePool& all) { must(all.release(0)); });
        // The takers are those who have prepared the pool.
        add("the dead's come back", &with_leases_of_the_dead, [](QueuePool& all) {
            all.forget_looking();
            must(all.q().pop_back());
        });
        add("the dead's, to the dead letters", &with_last_lease, [](QueuePool& all) {
            all.forget_looking();
            must(all.q().lease());
        });
    }

    void add_garbage() {
        add("clear", &prepare, [](QueuePool& all) { all.q().clear(); });
        add("clear, with leases", &with_leases, [](QueuePool& all) { all.q().clear(); });
        add("clear, nothing is there", &no_items, [](QueuePool& all) { all.q().clear(); }).changes = false;
        add("push, garbage is freed", &with_garbage, [](QueuePool& all) { all.q().push_back(std::string(40, 'x')); });
    }

    void add_transactions() {
        add("a job is done", &with_leases, [](QueuePool& all) {
            all.transact([](AnyQueue& q, AnyQueue&, AnyTable& h) {
                h.incr("n", 1);
                h.insert("result", std::string(60, 'r'));
                must(q.ack(0));
            });
        });
        add("two queues and a table", &with_leases, [](QueuePool& all) {
            all.transact([](AnyQueue& q, AnyQueue& d, AnyTable& h) {
                must(q.pop_front());
                d.push_front(std::string(30, 'm'));
                must(q.lease());
                must(q.ack(2));
                q.push_front("and back");
                h.erase("k0");
                must(q.pop_back());
            });
        });
        add("clear, push and lease", &with_leases, [](QueuePool& all) {
            all.transact([](AnyQueue& q, AnyQueue& d, AnyTable&) {
                q.push_back("swept away");
                q.clear();
                q.push_back("new");
                q.push_front("newer");
                must(q.lease());
                must(q.ack(0));
                d.clear();
            });
        });
        add("thrown out", &with_leases, [](QueuePool& all) {
            try {
                all.transact([](AnyQueue& q, AnyQueue& d, AnyTable& h) {
                    must(q.pop_front());
                    q.push_front("x");
                    must(q.lease());
                    must(q.ack(0));
                    q.clear();
                    q.push_back("y");
                    must(q.lease());
                    d.push_back("z");
                    h.clear();
                    throw 1;
                });
            } catch (int) {}
        }).changes = false;
        add("out and in at each end", &with_another_page, [](QueuePool& all) {
            all.transact([](AnyQueue& q, AnyQueue&, AnyTable&) {
                must(q.pop_front());
                q.push_front(std::string(100, 'x'));
                must(q.pop_back());
                q.push_back(std::string(24, 'y'));
                must(q.pop_front());
                q.push_front(std::string(16, 'z'));
            });
        });
        add("out at both ends, in again, thrown out", &prepare, [](QueuePool& all) {
            try {
                all.transact([](AnyQueue& q, AnyQueue&, AnyTable&) {
                    must(q.pop_back());
                    q.push_back(std::string(50, 'x'));
                    must(q.pop_front());
                    q.push_front("y");
                    while (q.pop_front()) {}
                    q.push_back("all new");
                    throw 1;
                });
            } catch (int) {}
        }).changes = false;
        add("blocks come and go", &prepare, [](QueuePool& all) {
            all.transact([](AnyQueue& q, AnyQueue& d, AnyTable&) {
                for (int i = 0; i < 3; ++i) {
                    must(q.pop_front());
                    q.push_back(std::string(24, 'x'));
                    d.push_back(std::string(40, 'y'));
                    must(d.pop_front());
                }
            });
        });
    }

    /// The stamp has moved once the change has happened: check_signals looks.
    void add_watching() {
        const Prepare watched = [](const QueueProfile& profile, const Path& path) {
            const auto all = prepare_queues(profile, open_pool(path));
            all->h().insert("is watched", "");
            all->watch("watched");
        };
        add("insert, watched", watched, [](QueuePool& all) { all.h().insert("watched", std::string(30, 'w')); });
        add("a job is done, watched", watched, [](QueuePool& all) {
            all.transact([](AnyQueue& q, AnyQueue&, AnyTable& h) {
                must(q.pop_front());
                h.insert("watched", "w");
            });
        });
        add("a stamp is taken", &prepare, [](QueuePool& all) { all.watch("watched"); }).changes = false;
        add("another stamp is taken", watched, [](QueuePool& all) {
            all.watch("watched, too");
            all.watch("watched");
        }).changes = false;
    }

    /// The first queue of a domain, and others; queues that come where a table was, and go.
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
        make("make a queue, not its letters", &with_dead_letters, "v");
        make("make a queue, one was there", &without_queue, "v");
        const auto remove = [&](const char* name, const Prepare& prepare_pool, const char* queue) {
            add(name, prepare_pool, nullptr).operate = [queue](const Path& path, const Markers& markers) {
                const Pool pool = open_pool(path);
                markers.begin();
                must(pool.remove_object(queue));
                markers.end();
            };
        };
        remove("remove a queue", &prepare, "q");
        remove("remove a queue with leases", &with_leases, "q");
        remove("remove dead letters", &prepare, "d");
    }

    Scenario& add(const char* name, const Prepare& prepare_pool, const Operation& operation) {
        Scenario scenario = profile_.blank;
        scenario.name = std::string(title) + name;
        scenario.prepare = [prepare_pool, profile = profile_](const Path& path) { prepare_pool(profile, path); };
        scenario.operate = [operation, open = profile_.open](const Path& path, const Markers& markers) {
            const auto all = open(open_pool(path));
            markers.begin();
            operation(*all);
            markers.end();
        };
        scenarios_.push_back(std::move(scenario));
        return scenarios_.back();
    }

    static void must(bool done) {
        if (!done) throw std::runtime_error("the operation does not do what it is for");
    }

    // --- pools to begin with. Leases that are left here are nobody's, or, where that is said, those of the process that
    // prepares the pool, and ends

    /// "q" with items of many sizes, "d" and "h" with a few; and some free blocks.
    static std::unique_ptr<QueuePool> prepare_queues(const QueueProfile& profile, const Pool& pool) {
        auto all = profile.open(pool);
        all->q().push_back(std::string(100, 'g'));
        for (const std::size_t size : {0U, 8U, 24U, 100U, 600U, 25U, 3000U, 40U})
            all->q().push_back(std::string(size, static_cast<char>('a' + size % 26)));
        all->d().push_back(std::string(100, 'g'));
        all->d().push_back("a dead letter");
        all->h().insert("k0", std::string(20, 'h'));
        all->h().incr("n", 41);
        must(all->q().pop_front());
        must(all->d().pop_front());
        return all;
    }

    static void prepare(const QueueProfile& profile, const Path& path) { prepare_queues(profile, open_pool(path)); }

    static void no_items(const QueueProfile& profile, const Path& path) { (void)profile.open(open_pool(path)); }

    static void one_item(const QueueProfile& profile, const Path& path) {
        profile.open(open_pool(path))->q().push_back(std::string(50, 'o'));
    }

    static void one_large(const QueueProfile& profile, const Path& path) {
        profile.open(open_pool(path))->q().push_back(std::string(9000, 'l'));
    }

    /// There is no room for another item of 24 bytes: 21 of them fill the first page.
    static std::unique_ptr<QueuePool> full_page(const QueueProfile& profile, const Pool& pool) {
        auto all = profile.open(pool);
        constexpr std::uint64_t room = detail::first_page - sizeof(detail::QueuePage);
        for (std::uint64_t i = 0; i < room / detail::QueueItem::footprint(24); ++i)
            all->q().push_back(numbered("one of a page: ", 100'000'000 + i));
        return all;
    }

    static void with_full_page(const QueueProfile& profile, const Path& path) { full_page(profile, open_pool(path)); }

    /// The second page has a single item.
    static void with_another_page(const QueueProfile& profile, const Path& path) {
        full_page(profile, open_pool(path))->q().push_back(std::string(24, 'a'));
    }

    /// The only page is empty, and there is no room behind what was in it.
    static void with_used_page(const QueueProfile& profile, const Path& path) {
        const auto all = full_page(profile, open_pool(path));
        while (all->q().pop_front()) {}
    }

    /// The only page is empty, and there is no room before what was in it.
    static void with_empty_page(const QueueProfile& profile, const Path& path) {
        const auto all = profile.open(open_pool(path));
        all->q().push_back(std::string(50, 'o'));
        must(all->q().pop_back());
    }

    static std::unique_ptr<QueuePool> filled(const QueueProfile& profile, const Path& path, std::uint64_t items) {
        auto all = profile.open(open_pool(path));
        for (std::uint64_t i = 0; i < items; ++i) all->q().push_back(numbered("one of many ", i));
        return all;
    }

    static void one_place(const QueueProfile& profile, const Path& path) {
        (void)filled(profile, path, queue_items - 1);
    }

    static void no_place(const QueueProfile& profile, const Path& path) { (void)filled(profile, path, queue_items); }

    static void somebody_waits_for_room(const QueueProfile& profile, const Path& path) {
        must(filled(profile, path, queue_items)->wait_for_room());
    }

    static void somebody_waits_for_item(const QueueProfile& profile, const Path& path) {
        must(filled(profile, path, 0)->wait_for_item());
    }

    static void one_lease(const QueueProfile& profile, const Path& path) {
        const auto all = profile.open(open_pool(path));
        all->q().push_back(std::string(50, 'o'));
        must(all->q().lease());
        all->keep_leases();
    }

    static void with_leases(const QueueProfile& profile, const Path& path) {
        const auto all = prepare_queues(profile, open_pool(path));
        for (int i = 0; i < 3; ++i) must(all->q().lease());
        all->keep_leases();
    }

    static void with_leases_of_the_dead(const QueueProfile& profile, const Path& path) {
        const auto all = prepare_queues(profile, open_pool(path));
        for (int i = 0; i < 2; ++i) must(all->q().lease());
    }

    /// All slots of a table are taken.
    static void with_full_table(const QueueProfile& profile, const Path& path) {
        const auto all = prepare_queues(profile, open_pool(path));
        for (std::uint64_t i = 0; i < 31; ++i) all->q().push_back(numbered("for a slot ", i));
        for (int i = 0; i < 31; ++i) must(all->q().lease());
        all->keep_leases();
    }

    /// The first lease is the last that its item may have, another's is its first.
    static void with_last_lease(const QueueProfile& profile, const Path& path) {
        const auto all = prepare_queues(profile, open_pool(path));
        must(all->q().lease());
        must(all->release(0));
        must(all->q().lease());
        must(all->q().lease());
    }

    static void without_dead_letters(const QueueProfile& profile, const Path& path) {
        const Pool pool = open_pool(path);
        {
            const auto all = prepare_queues(profile, pool);
            must(all->q().lease());
            must(all->release(0));
            must(all->q().lease());
            all->keep_leases();
        }
        must(pool.remove_object("d"));
        (void)profile.open(pool); // another one
    }

    static void with_dead_letters(const QueueProfile& profile, const Path& path) {
        const Pool pool = open_pool(path);
        prepare_queues(profile, pool);
        (void)profile.make(pool, "v d");
    }

    static void without_queue(const QueueProfile& profile, const Path& path) {
        const Pool pool = open_pool(path);
        prepare_queues(profile, pool);
        (void)profile.make(pool, "v d");
        (void)profile.make(pool, "w");
        must(pool.remove_object("w"));
    }

    static void with_garbage(const QueueProfile& profile, const Path& path) {
        const auto all = prepare_queues(profile, open_pool(path));
        for (std::uint64_t i = 0; i < 40; ++i) all->q().push_back(numbered("garbage ", i));
        for (int i = 0; i < 40; ++i) must(all->q().lease());
        for (int i = 0; i < 37; ++i) must(all->release(0)); // each in a page of its own
        all->keep_leases();
        all->q().clear();
        if (all->garbage() == 0) throw std::runtime_error("there is no garbage");
    }

    static std::string filling() { return std::string(300, 'g'); }

    /// So full that another such item makes the pool grow: found out by a pool that is thrown away.
    static void about_to_grow(const QueueProfile& profile, const Path& path) {
        const auto fill = [&](std::uint64_t items) {
            const auto all = prepare_queues(profile, open_pool(path));
            const std::uint64_t before = all->committed();
            std::uint64_t done = 0;
            for (; done < items && all->committed() == before; ++done) all->d().push_back(filling());
            return done;
        };
        const std::uint64_t items = fill(10'000);
        Pool::remove(path);
        (void)fill(items - 1);
    }

    QueueProfile profile_;
    std::vector<Scenario> scenarios_;
};

} // namespace ss::test
