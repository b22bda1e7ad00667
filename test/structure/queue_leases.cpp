// Leases over several processes: what a worker has nobody else gets while he lives, and the next one gets soon after he is
// killed.
#include <ss/ss.hpp>

#include "structure/queue_support.hpp"
#include "support/barrier.hpp"
#include "support/expect.hpp"
#include "support/latencies.hpp"
#include "support/process.hpp"
#include "support/sanitizer.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

BOOST_AUTO_TEST_SUITE(structure_queue_leases)

using namespace ss::test;
using namespace std::chrono_literals;
using ss::errc;
using Clock = std::chrono::steady_clock;

namespace {

/// A pool in a file, with a queue "q".
struct Place {
    explicit Place(const ss::QueueOptions& options = {}) : q(pool, "q", options) {}

    /// A worker in a session of his own, who takes an item, says so, and keeps it.
    [[nodiscard]] Process worker(unsigned items = 1) {
        const Shared<Counter> has(0U);
        Process process([this, items, &has] {
            const ss::Pool own(directory / "pool");
            ss::Queue<> theirs(own, "q");
            std::vector<ss::Queue<>::Lease> all;
            for (unsigned i = 0; i < items; ++i) all.push_back(theirs.lease(60s).value());
            *has = 1;
            for (;;) ::pause();
        });
        wait_until([&] { return *has == 1U; }, "a worker has his items");
        return process;
    }

    TempDir directory;
    ss::Pool pool{directory / "pool"};
    ss::Queue<> q;
};

/// With time to spare for a machine that has other work.
constexpr auto soon = 2s * slowness;

} // namespace

BOOST_AUTO_TEST_CASE(a_dead_workers_item_is_there_for_who_waits) {
    const Watchdog dog(100, "dead workers");
    Place place;
    Latencies leases, pops;
    for (int round = 0; round < 20; ++round) {
        place.q.push_back("job");
        Process worker = place.worker();
        // It is killed while we sleep for what it has.
        Shared<std::atomic<Clock::rep>> killed;
        Process killer([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(5 + 3 * round));
            *killed = Clock::now().time_since_epoch().count();
            ::kill(worker.pid(), SIGKILL);
        });
        const auto since = [&] { return Clock::time_point(Clock::duration(killed->load())); };
        if (round % 2 == 0) {
            auto lease = place.q.lease(60s);
            leases.add_since(since());
            BOOST_REQUIRE(lease);
            BOOST_TEST((lease->value() == "job" && lease->leases() == 2U));
            BOOST_TEST(lease->ack());
        } else {
            BOOST_TEST(place.q.pop_front_for(60s).value() == "job");
            pops.add_since(since());
        }
        killer.expect_clean();
        BOOST_TEST(worker.wait().killed());
        BOOST_TEST((place.q.leased() == 0U && place.q.empty()));
    }
    BOOST_TEST_MESSAGE("leased again after the kill: " << leases.text());
    BOOST_TEST_MESSAGE("popped after the kill: " << pops.text());
    BOOST_TEST((leases.longest() < soon && pops.longest() < soon));
    BOOST_TEST(wrong_with(place.pool) == "");
}

BOOST_AUTO_TEST_CASE(it_comes_in_front_of_others_where_there_is_enough_to_do) {
    const Watchdog dog(100, "dead workers");
    Place place;
    place.q.push_back("first");
    Process worker = place.worker();
    for (int i = 0; i < 10; ++i) place.q.push_back("more");
    BOOST_TEST(place.q.lease().value().value() == "more"); // and back
    BOOST_TEST(worker.kill().killed());
    const auto begin = Clock::now();
    // Whoever works on finds it, though he never runs out of items.
    for (std::string item; item != "first";) {
        BOOST_REQUIRE((Clock::now() - begin < soon));
        auto lease = place.q.lease().value();
        item = lease.value();
        if (item == "first") BOOST_TEST(lease.leases() == 2U);
        std::this_thread::sleep_for(1ms);
    }
    BOOST_TEST((place.q.size() == 11U && place.q.leased() == 0U));
    BOOST_TEST(wrong_with(place.pool) == "");
}

BOOST_AUTO_TEST_CASE(a_living_worker_keeps_it_however_long) {
    const Watchdog dog(100, "living workers");
    Place place;
    place.q.push_back("job");
    Process worker = place.worker();
    worker.send(SIGSTOP);
    BOOST_TEST((!place.q.pop_front_for(300ms) && !place.q.lease(300ms)));
    worker.send(SIGCONT);
    BOOST_TEST((!place.q.pop_back() && place.q.leased() == 1U));
    // Another session of this process has another name: its lease is not ours, and not a dead one's.
    {
        const ss::Pool own(place.directory / "pool");
        ss::Queue<> ours(own, "q");
        ours.push_back("another");
        auto lease = ours.lease().value();
        BOOST_TEST(!place.q.lease(120ms));
        BOOST_TEST(lease.ack());
    }
    BOOST_TEST(worker.kill().killed());
    BOOST_TEST(place.q.pop_front_for(60s).value() == "job");
}

BOOST_AUTO_TEST_CASE(many_items_of_one_worker) {
    const Watchdog dog(100, "a worker with much in his hands");
    Place place;
    constexpr unsigned items = 200; // several tables, and several transactions until they are back
    for (unsigned i = 0; i < items; ++i) place.q.push_back(std::to_string(i));
    Process worker = place.worker(150), other = place.worker(20);
    BOOST_TEST((place.q.size() == 30U && place.q.leased() == 170U));
    BOOST_TEST(worker.kill().killed());
    std::vector<int> seen(items);
    for (unsigned i = 0; i < 180; ++i) {
        auto lease = place.q.lease(20s).value();
        const auto number = std::stoul(lease.value());
        BOOST_TEST(lease.leases() == (number < 150 ? 2U : 1U));
        ++seen.at(number);
        BOOST_TEST(lease.ack());
    }
    BOOST_TEST((!place.q.lease(120ms) && place.q.leased() == 20U));
    BOOST_TEST(other.kill().killed());
    for (unsigned i = 0; i < 20; ++i) ++seen.at(std::stoul(place.q.pop_front_for(20s).value()));
    for (unsigned i = 0; i < items; ++i) BOOST_TEST(seen[i] == 1);
    BOOST_TEST((place.q.leased() == 0U && place.q.empty() && wrong_with(place.pool) == ""));
}

BOOST_AUTO_TEST_CASE(the_last_lease_ends_among_the_dead_letters) {
    const Watchdog dog(100, "dead letters");
    Place place({.max_items = 1, .max_leases = 3, .dead_letters = "lost"});
    ss::Queue<> lost(place.pool, "lost");
    place.q.push_back("poison");
    for (int i = 0; i < 3; ++i) BOOST_TEST(place.worker().kill().killed());
    // Who sleeps for a dead letter is woken by whoever finds that its worker is dead.
    Process reader([&] {
        if (lost.pop_front_for(60s) != "poison") throw std::runtime_error("another letter came");
    });
    wait_until([&] { return somebody_waits_for_item(lost, "lost"); }, "he sleeps");
    BOOST_TEST(!place.q.lease(300ms));
    reader.expect_clean();
    BOOST_TEST((place.q.leased() == 0U && place.q.empty() && lost.empty()));
    // What is let go of, the same.
    place.q.push_back("let go of");
    for (std::uint64_t i = 1; i <= 3; ++i) {
        auto lease = place.q.lease().value();
        BOOST_TEST(lease.leases() == i);
        if (i == 2) BOOST_TEST(lease.release());
    }
    BOOST_TEST(!place.q.lease());
    BOOST_TEST(lost.front().value() == "let go of");
    BOOST_TEST(wrong_with(place.pool) == "");
}

BOOST_AUTO_TEST_CASE(leased_items_need_no_room) {
    const Watchdog dog(100, "a full queue");
    Place place({.max_items = 2, .max_bytes = 10});
    place.q.push_back("12345");
    Process worker = place.worker();
    place.q.push_back("67890");
    place.q.push_back("abcde");
    BOOST_TEST((!place.q.try_push("") && place.q.size() == 2U));
    BOOST_TEST(worker.kill().killed());
    wait_until(
        [&] {
            const auto lease = place.q.lease(); // and back
            return lease && lease->value() == "12345";
        },
        "what he had is back");
    BOOST_TEST((place.q.size() == 3U && place.q.bytes() == 15U));
    BOOST_TEST((!place.q.try_push("") && !place.q.push_for("", 1ms)));
    BOOST_TEST(thrown_by([&] { place.q.push_front(""); }) == error(errc::full));
    for (int i = 0; i < 2; ++i) BOOST_TEST(place.q.pop_front().has_value());
    BOOST_TEST(place.q.try_push("x"));
    BOOST_TEST(wrong_with(place.pool) == "");
}

BOOST_AUTO_TEST_CASE(a_lease_of_the_parent_is_nothing_to_the_child) {
    const Watchdog dog(100, "a fork");
    Place place;
    place.q.push_back("job");
    auto lease = place.q.lease();
    Process child([&] {
        if (thrown_by([&] { (void)lease->ack(); }) != error(errc::forked)) throw std::runtime_error("acknowledged");
        if (thrown_by([&] { (void)lease->release(); }) != error(errc::forked)) throw std::runtime_error("released");
        lease.reset(); // nothing
        if (place.q.leased() != 1 || place.q.pop_front()) throw std::runtime_error("it was let go of");
        place.q.push_back("the child's");
        auto own = place.q.lease().value();
        if (own.value() != "the child's" || place.q.leased() != 2) throw std::runtime_error("another item came");
        ::_exit(0); // with it in its hands
    });
    child.expect_clean();
    BOOST_TEST(place.q.pop_front_for(20s).value() == "the child's");
    BOOST_TEST((place.q.leased() == 1U && lease->ack() && !lease->ack() && !lease->release()));
    BOOST_TEST((place.q.leased() == 0U && wrong_with(place.pool) == ""));
}

BOOST_AUTO_TEST_CASE(workers_are_killed_and_no_job_is_lost_or_done_twice) {
    const Watchdog dog(100, "workers");
    Place place;
    constexpr unsigned jobs = 2000, workers = 4;
    ss::HashTable<> results(place.pool, "results");
    for (unsigned i = 0; i < jobs; ++i) place.q.push_back("job " + std::to_string(i));
    std::mt19937 random(3);
    const auto start = [&] {
        return Process([&] {
            const ss::Pool own(place.directory / "pool");
            ss::Queue<> q(own, "q");
            ss::HashTable<> theirs(own, "results");
            while (auto lease = q.lease(100ms)) {
                std::this_thread::sleep_for(300us);
                ss::transaction(q, [&](auto& tx) {
                    if (!lease->ack(tx)) throw std::runtime_error("a living worker's lease ended");
                    theirs.incr(tx, lease->value(), 1);
                });
            }
        });
    };
    std::vector<Process> all;
    for (unsigned i = 0; i < workers; ++i) all.push_back(start());
    unsigned kills = 0;
    while (results.size() < jobs && kills < 400) {
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 4000));
        Process& victim = all[random() % workers];
        const Ending ending = victim.kill();
        BOOST_TEST((ending.killed() || ending.clean()), ending.text());
        kills += ending.killed();
        victim = start();
    }
    for (Process& worker : all) worker.expect_clean();
    BOOST_TEST_MESSAGE(jobs << " jobs, " << kills << " workers killed");
    BOOST_TEST((results.size() == jobs && place.q.empty() && place.q.leased() == 0U && kills > 5));
    results.for_each([](std::string_view job, std::string_view) { BOOST_TEST(job.starts_with("job ")); });
    for (unsigned i = 0; i < jobs; ++i)
        BOOST_REQUIRE(results.find_as<std::int64_t>("job " + std::to_string(i)).value() == 1);
    BOOST_TEST(wrong_with(place.pool) == "");
}

BOOST_AUTO_TEST_SUITE_END()
