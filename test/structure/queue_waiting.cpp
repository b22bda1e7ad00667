// Waiting for an item, and for room: in this process and in others, with a time-out, and whoever is killed meanwhile.
#include <ss/ss.hpp>

#include "structure/queue_support.hpp"
#include "support/barrier.hpp"
#include "support/dies_when_waking.hpp"
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
#include <string_view>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(structure_queue_waiting)

using namespace ss::test;
using namespace std::chrono_literals;
using ss::errc;
using Clock = std::chrono::steady_clock;

namespace {

/// What a wake that is lost costs at most, with time to spare for a machine that has other work. Without it, they wait for
/// a minute.
constexpr auto made_good = 1s * slowness;

} // namespace

BOOST_AUTO_TEST_CASE(nothing_comes) {
    const ss::Pool pool = ss::Pool::anonymous();
    ss::Queue<> q(pool, "q", {.max_items = 1});
    for (const auto timeout : {0ms, 1ms, 30ms, 250ms}) {
        auto begin = Clock::now();
        BOOST_TEST(!q.pop_front_for(timeout));
        BOOST_TEST((Clock::now() - begin >= timeout));
        begin = Clock::now();
        BOOST_TEST(!q.lease(timeout));
        BOOST_TEST((Clock::now() - begin >= timeout));
    }
    BOOST_TEST((!q.pop_back_for(-1s) && !q.lease()));
    // Who is gone is not waited for: the next push finds out, and those after it pay nothing.
    BOOST_TEST(somebody_waits_for_item(q));
    q.push_back("1");
    BOOST_TEST(!somebody_waits_for_item(q));
    for (const auto timeout : {0ms, 30ms, 150ms}) {
        const auto begin = Clock::now();
        BOOST_TEST(!q.push_for("2", timeout));
        BOOST_TEST((Clock::now() - begin >= timeout));
    }
    BOOST_TEST(!q.push_for("2", -1s));
    BOOST_TEST(somebody_waits_for_room(q));
    // What is there is taken at once, however short the time, or long.
    BOOST_TEST(q.pop_front_for(0ms).value() == "1");
    BOOST_TEST(!somebody_waits_for_room(q));
    BOOST_TEST(q.push_for("2", std::chrono::hours::max()));
    BOOST_TEST(q.pop_back_for(std::chrono::hours::max()).value() == "2");
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE(a_push_wakes_a_sleeper_in_another_process) {
    const Watchdog dog(100, "waking a sleeper");
    const ss::Pool pool = ss::Pool::anonymous();
    ss::Queue<> there(pool, "q"), back(pool, "back");
    Process child([&] {
        for (int i = 0;; ++i) {
            std::string item;
            if (i % 3 == 0) {
                item = there.pop_front_for(60s).value();
            } else if (i % 3 == 1) {
                item = there.pop_back_for(60s).value();
            } else {
                auto lease = there.lease(60s).value();
                item = lease.value();
                if (!lease.ack()) throw std::runtime_error("a lease ended by itself");
            }
            if (item == "end") return;
            back.push_back(item);
        }
    });
    Latencies took;
    for (int i = 0; i < 400 / slowness; ++i) {
        wait_until([&] { return somebody_waits_for_item(there); }, "the child sleeps");
        const std::string item = std::to_string(i);
        const auto begin = Clock::now();
        switch (i % 4) {
        case 0:
            there.push_back(item);
            break;
        case 1:
            there.push_front(item);
            break;
        case 2:
            BOOST_TEST(there.try_push(item));
            break;
        default: // as a part of a transaction that another queue began
            ss::transaction(back, [&](auto& tx) { there.push_front(tx, {item}); });
        }
        BOOST_REQUIRE(back.pop_front_for(60s).value() == item);
        took.add_since(begin);
    }
    there.push_back("end");
    child.expect_clean();
    BOOST_TEST_MESSAGE("there and back: " << took.text());
    BOOST_TEST((took.median() < 50ms * slowness)); // by the wake, not by the sleep's end
}

BOOST_AUTO_TEST_CASE(room_wakes_a_pusher_in_another_process) {
    const Watchdog dog(100, "waking a pusher");
    const ss::Pool pool = ss::Pool::anonymous();
    ss::Queue<> q(pool, "q", {.max_items = 2});
    Process child([&] {
        for (int i = 0; i < 400 / slowness; ++i)
            if (!q.push_for(std::to_string(i), 60s)) throw std::runtime_error("there was no room");
    });
    Latencies took;
    int next = 0;
    const auto comes = [&](std::string_view item) { BOOST_REQUIRE(item == std::to_string(next++)); };
    while (next < 400 / slowness - 8) {
        wait_until([&] { return q.size() == 2 && somebody_waits_for_room(q); }, "the child sleeps");
        const auto begin = Clock::now();
        switch (next % 5) {
        case 0:
            comes(q.pop_front().value());
            break;
        case 1: { // what is leased leaves room as well
            auto lease = q.lease().value();
            comes(lease.value());
            BOOST_TEST(lease.ack());
            break;
        }
        case 2:
            ss::transaction(q, [&](auto& tx) { comes(q.pop_front(tx).value()); });
            break;
        case 3:
            q.clear();
            next += 2;
            break;
        default:
            comes(q.pop_front_for(1s).value());
        }
        wait_until([&] { return q.size() == 2; }, "the child pushes");
        took.add_since(begin);
    }
    while (next < 400 / slowness) comes(q.pop_front_for(60s).value());
    child.expect_clean();
    BOOST_TEST_MESSAGE("from room to the push: " << took.text());
    BOOST_TEST((took.median() < 50ms * slowness));
    BOOST_TEST((q.empty() && wrong_with(pool) == ""));
}

BOOST_AUTO_TEST_CASE(whoever_the_room_is_enough_for_is_woken) {
    const Watchdog dog(100, "pushers of all sizes");
    const ss::Pool pool = ss::Pool::anonymous();
    ss::Queue<> q(pool, "q", {.max_bytes = 100});
    q.push_back(std::string(50, 'a'));
    q.push_back(std::string(50, 'b'));
    // He sleeps first, and what comes is too little for him.
    Process large([&] {
        if (!q.push_for(std::string(90, 'l'), 60s)) throw std::runtime_error("there was no room");
    });
    wait_until([&] { return somebody_waits_for_room(q); }, "the large one sleeps");
    std::this_thread::sleep_for(3ms);
    Process small([&] {
        if (!q.push_for(std::string(40, 's'), 60s)) throw std::runtime_error("there was no room");
    });
    std::this_thread::sleep_for(20ms);
    BOOST_TEST(q.pop_front().value() == std::string(50, 'a'));
    small.expect_clean();
    BOOST_TEST((large.running() && q.bytes() == 90U));
    BOOST_TEST((q.pop_back() && q.pop_back()));
    large.expect_clean();
    BOOST_TEST(q.bytes() == 90U);
}

BOOST_AUTO_TEST_CASE(one_item_one_sleeper) {
    const Watchdog dog(100, "many sleepers");
    const ss::Pool pool = ss::Pool::anonymous();
    ss::Queue<> q(pool, "q", {.max_items = 5});
    constexpr unsigned sleepers = 4, items = 400;
    Shared<std::array<Counter, items>> taken;
    std::vector<Process> children;
    for (unsigned i = 0; i < sleepers; ++i)
        children.emplace_back([&, i] {
            for (;;) {
                const auto item = i % 2 == 0 ? q.pop_front_for(60s) : q.pop_back_for(60s);
                if (!item) throw std::runtime_error("nothing came");
                if (*item == "end") return;
                ++(*taken)[std::stoul(*item)];
            }
        });
    std::vector<Process> pushers;
    for (unsigned first = 0; first < 2; ++first)
        pushers.emplace_back([&, first] {
            for (unsigned i = first; i < items; i += 2) {
                if (i % 50 == 0) std::this_thread::sleep_for(5ms);
                if (!q.push_for(std::to_string(i), 60s)) throw std::runtime_error("there was no room");
            }
        });
    for (Process& pusher : pushers) pusher.expect_clean();
    wait_until([&] { return q.empty(); }, "all was taken");
    for (unsigned i = 0; i < sleepers; ++i) BOOST_TEST(q.push_for("end", 60s));
    for (Process& child : children) child.expect_clean();
    for (unsigned i = 0; i < items; ++i) BOOST_REQUIRE((*taken)[i] == 1U);
    BOOST_TEST((q.empty() && wrong_with(pool) == ""));
}

BOOST_AUTO_TEST_CASE(the_pusher_dies_between_commit_and_wake) {
    const Watchdog dog(100, "a wake that is never sent");
    const TempDir directory;
    const ss::Pool pool(directory / "pool");
    ss::Queue<> q(pool, "q");
    Latencies took;
    for (int round = 0; round < 12; ++round) {
        Shared<std::atomic<Clock::rep>> pushed;
        Process pusher([&] {
            const ss::Pool own(directory / "pool");
            ss::Queue<> theirs(own, "q");
            wait_until([&] { return somebody_waits_for_item(theirs); }, "somebody sleeps");
            std::this_thread::sleep_for(std::chrono::milliseconds(1 + 7 * round));
            die_when_waking();
            *pushed = Clock::now().time_since_epoch().count();
            theirs.push_back("item");
        });
        const auto item = q.pop_front_for(5s);
        const Ending ending = pusher.wait();
        if (ending.exited && ending.code == exit_skipped) skip("no filters of system calls");
        BOOST_TEST(ending.killed_by(SIGSYS), ending.text());
        BOOST_TEST(item.value() == "item");
        took.add_since(Clock::time_point(Clock::duration(pushed->load())));
        BOOST_TEST(wrong_with(pool) == "");
    }
    BOOST_TEST_MESSAGE("found without a wake: " << took.text());
    BOOST_TEST((took.longest() < made_good));
}

BOOST_AUTO_TEST_CASE(who_waits_while_others_are_killed_is_served) {
    const Watchdog dog(100, "killed waiters and pushers");
    const TempDir directory;
    const ss::Pool pool(directory / "pool");
    ss::Queue<> q(pool, "q", {.max_items = 20});
    std::mt19937 random(7);
    Latencies took;
    for (int round = 0; round < 60 / slowness; ++round) {
        // One who sleeps in front of us, and is killed with our wake in his hand, or with the item.
        Process sleeper([&] {
            for (;;) (void)q.pop_front_for(60s);
        });
        wait_until([&] { return somebody_waits_for_item(q); }, "he sleeps");
        Process pusher([&] {
            const ss::Pool own(directory / "pool");
            ss::Queue<> theirs(own, "q");
            for (std::size_t i = 0;; ++i) (void)theirs.push_for(std::string(i % 100, 'p'), 60s);
        });
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 3000));
        BOOST_TEST(sleeper.kill().killed());
        const auto begin = Clock::now();
        BOOST_TEST(q.pop_front_for(20s).has_value());
        took.add_since(begin);
        BOOST_TEST(pusher.kill().killed());
        while (q.pop_front()) {}
        BOOST_REQUIRE(wrong_with(pool) == "");
    }
    BOOST_TEST_MESSAGE("behind one who was killed: " << took.text());
}

BOOST_AUTO_TEST_CASE(a_waiter_that_does_not_wake_up_is_no_hindrance) {
    const Watchdog dog(100, "a stopped waiter");
    const ss::Pool pool = ss::Pool::anonymous();
    ss::Queue<> q(pool, "q");
    Latencies took;
    for (int round = 0; round < 6; ++round) {
        // Of two who sleep, the one that is woken is stopped, or dead in his sleep: the other finds the item by himself.
        Process first([&] { (void)q.pop_front_for(60s); });
        wait_until([&] { return somebody_waits_for_item(q); }, "he sleeps");
        std::this_thread::sleep_for(2ms);
        if (round % 2 == 0)
            first.send(SIGSTOP);
        else
            BOOST_TEST(first.kill().killed());
        Shared<Counter> served;
        Process other([&] {
            if (q.pop_front_for(60s)) ++*served;
        });
        std::this_thread::sleep_for(2ms);
        const auto begin = Clock::now();
        q.push_back("item");
        wait_until([&] { return *served == 1U; }, "the item is taken");
        took.add_since(begin);
        BOOST_TEST(first.kill().killed());
        other.expect_clean();
    }
    BOOST_TEST_MESSAGE("beside one who does not wake up: " << took.text());
    BOOST_TEST((took.longest() < made_good));
}

BOOST_AUTO_TEST_CASE(the_queue_is_removed_or_the_handle_destroyed) {
    const ss::Pool pool = ss::Pool::anonymous();
    std::optional<ss::Queue<>> q(std::in_place, pool, "q", ss::QueueOptions{.max_items = 1});
    std::string thrown_by_pop, thrown_by_push;
    std::thread popper([&] { thrown_by_pop = thrown_by([&] { (void)q->pop_front_for(60s); }); });
    wait_until([&] { return somebody_waits_for_item(*q); }, "he sleeps");
    auto begin = Clock::now();
    q.reset();
    ss::Pool(pool).remove_object("q");
    popper.join();
    BOOST_TEST((Clock::now() - begin < 5s));
    BOOST_TEST(thrown_by_pop == error(errc::no_such_object));

    q.emplace(pool, "q", ss::QueueOptions{.max_items = 1});
    q->push_back("full");
    std::thread pusher([&] { thrown_by_push = thrown_by([&] { (void)q->push_for("more", 60s); }); });
    wait_until([&] { return somebody_waits_for_room(*q); }, "he sleeps");
    begin = Clock::now();
    q.reset();
    ss::Pool(pool).remove_object("q");
    pusher.join();
    BOOST_TEST((Clock::now() - begin < 5s));
    BOOST_TEST(thrown_by_push == error(errc::no_such_object));
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE(what_is_undone_wakes_nobody_for_good) {
    const ss::Pool pool = ss::Pool::anonymous();
    ss::Queue<> q(pool, "q");
    Process child([&] {
        if (q.pop_front_for(60s) != "real") throw std::runtime_error("another item came");
    });
    wait_until([&] { return somebody_waits_for_item(q); }, "he sleeps");
    for (int i = 0; i < 20; ++i) {
        BOOST_CHECK_THROW(ss::transaction(q,
                                          [&](auto& tx) {
                                              q.push_back(tx, "unreal");
                                              throw 1;
                                          }),
                          int);
        std::this_thread::sleep_for(1ms);
        ss::transaction(q, [&](auto& tx) {
            q.push_front(tx, "taken back");
            BOOST_TEST(q.pop_front(tx).value() == "taken back");
        });
    }
    q.push_back("real");
    child.expect_clean();
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_SUITE_END()
