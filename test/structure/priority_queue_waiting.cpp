// Waiting for an item: in this process and in others, with a time-out, and whoever is killed meanwhile.
#include <ss/ss.hpp>

#include "structure/priority_queue_support.hpp"
#include "support/barrier.hpp"
#include "support/expect.hpp"
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
#include <vector>

BOOST_AUTO_TEST_SUITE(structure_priority_queue_waiting)

using namespace ss::test;
using namespace std::chrono_literals;
using ss::errc;
using Clock = std::chrono::steady_clock;

namespace {

/// True when somebody has left word that he waits.
bool somebody_waits(ss::PriorityQueue<>& q, const std::string& name) {
    const auto object = ss::find_object(q.domain().core(), name);
    return (ss::load(object.value().entry->root[ss::detail::heap_waiters_root]) & 1) != 0;
}

} // namespace

BOOST_AUTO_TEST_CASE(nothing_comes) {
    const ss::Pool pool = ss::Pool::anonymous();
    ss::PriorityQueue<> q(pool, "q");
    for (const auto timeout : {0ms, 1ms, 30ms, 250ms}) {
        const auto begin = Clock::now();
        BOOST_TEST(!q.pop_for(timeout));
        BOOST_TEST((Clock::now() - begin >= timeout));
    }
    BOOST_TEST(!q.pop_for(-1s));
    // Who is gone is not waited for: the next push finds out, and those after it pay nothing.
    BOOST_TEST(somebody_waits(q, "q"));
    q.push("1");
    BOOST_TEST(!somebody_waits(q, "q"));
    // What is there is taken at once, however short the time.
    BOOST_TEST(q.pop_for(0ms).value() == "1");
    q.push("2");
    BOOST_TEST(q.pop_for(std::chrono::hours::max()).value() == "2");
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE(a_sleeper_in_another_process_is_woken) {
    const Watchdog dog(100, "waking a sleeper");
    const ss::Pool pool = ss::Pool::anonymous();
    ss::PriorityQueue<> there(pool, "there"), back(pool, "back");
    Process child([&] {
        for (;;) {
            const auto item = there.pop_for(60s);
            if (!item) throw std::runtime_error("nothing came");
            if (*item == "end") return;
            back.push(*item);
        }
    });
    std::vector<Clock::duration> took;
    for (int i = 0; i < 300 / slowness; ++i) {
        wait_until([&] { return somebody_waits(there, "there"); }, "the child sleeps");
        const auto begin = Clock::now();
        switch (i % 3) {
        case 0:
            there.push(std::to_string(i));
            break;
        case 1:
            BOOST_TEST(!there.replace_top(std::to_string(i)));
            break;
        default:
            ss::transaction(back, [&](auto& tx) { there.push(tx, {std::to_string(i)}); });
        }
        BOOST_REQUIRE(back.pop_for(60s).value() == std::to_string(i));
        took.push_back(Clock::now() - begin);
    }
    there.push("end");
    child.expect_clean();
    std::sort(took.begin(), took.end());
    const auto microseconds = [](auto t) { return std::chrono::duration_cast<std::chrono::microseconds>(t).count(); };
    BOOST_TEST_MESSAGE("there and back: half within " << microseconds(took[took.size() / 2]) << " us, all within "
                                                      << microseconds(took.back()));
    BOOST_TEST((took[took.size() / 2] < 50ms * slowness)); // by the wake, not by the sleep's end
}

BOOST_AUTO_TEST_CASE(one_item_one_sleeper) {
    const Watchdog dog(100, "many sleepers");
    const ss::Pool pool = ss::Pool::anonymous();
    ss::PriorityQueue<> q(pool, "q");
    constexpr unsigned sleepers = 4, items = 400;
    Shared<std::array<Counter, items>> taken;
    std::vector<Process> children;
    for (unsigned i = 0; i < sleepers; ++i)
        children.emplace_back([&] {
            while (const auto item = q.pop_for(60s)) {
                if (*item == "end") return;
                ++(*taken)[std::stoul(*item)];
            }
            throw std::runtime_error("nothing came");
        });
    for (unsigned i = 0; i < items; ++i) {
        if (i % 50 == 0) std::this_thread::sleep_for(5ms);
        if (i % 20 != 19)
            q.push(std::to_string(i));
        else // several at once wake several
            ss::transaction(q, [&](auto& tx) { q.push(tx, std::to_string(i)); });
    }
    wait_until([&] { return q.empty(); }, "all was taken");
    ss::transaction(q, [&](auto& tx) {
        for (unsigned i = 0; i < sleepers; ++i) q.push(tx, "end");
    });
    for (Process& child : children) child.expect_clean();
    for (unsigned i = 0; i < items; ++i) BOOST_REQUIRE((*taken)[i] == 1U);
    BOOST_TEST((q.empty() && wrong_with(pool) == ""));
}

BOOST_AUTO_TEST_CASE(who_waits_while_others_are_killed_is_served) {
    const Watchdog dog(100, "killed waiters and pushers");
    const TempDir directory;
    const ss::Pool pool(directory / "pool");
    ss::PriorityQueue<> q(pool, "q");
    std::mt19937 random(7);
    for (int round = 0; round < 60 / slowness; ++round) {
        // One who sleeps in front of us, and is killed with our wake in his hand, or with the item.
        Process sleeper([&] {
            for (;;) (void)q.pop_for(60s);
        });
        wait_until([&] { return somebody_waits(q, "q"); }, "he sleeps");
        Process pusher([&] {
            const ss::Pool own(directory / "pool");
            ss::PriorityQueue<> theirs(own, "q");
            for (std::uint64_t i = 0;; ++i) theirs.push(big_endian(i) + std::string(i % 100, 'p'));
        });
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 3000));
        BOOST_TEST(sleeper.kill().killed());
        std::optional<std::string> item;
        const auto begin = Clock::now();
        while (!item && Clock::now() - begin < 20s) item = q.pop_for(20s);
        BOOST_TEST(item.has_value());
        BOOST_TEST(pusher.kill().killed());
        while (q.pop()) {}
        BOOST_REQUIRE(wrong_with(pool) == "");
    }
}

BOOST_AUTO_TEST_CASE(a_wake_that_was_lost_is_made_good) {
    const Watchdog dog(100, "a lost wake");
    const ss::Pool pool = ss::Pool::anonymous();
    ss::PriorityQueue<> q(pool, "q");
    for (int round = 0; round < 5; ++round) {
        // The one of two sleepers that is woken may be the one that is stopped: the other finds the item by himself.
        Process stopped([&] { (void)q.pop_for(60s); });
        wait_until([&] { return somebody_waits(q, "q"); }, "he sleeps");
        std::this_thread::sleep_for(2ms);
        stopped.send(SIGSTOP);
        Shared<Counter> served;
        Process other([&] {
            if (q.pop_for(60s)) ++*served;
        });
        std::this_thread::sleep_for(2ms);
        const auto begin = Clock::now();
        q.push("item");
        wait_until([&] { return *served == 1U; }, "the item is taken");
        BOOST_TEST((Clock::now() - begin < 150ms * slowness));
        BOOST_TEST(stopped.kill().killed());
        other.expect_clean();
    }
}

BOOST_AUTO_TEST_CASE(the_queue_is_removed_or_the_handle_destroyed) {
    const ss::Pool pool = ss::Pool::anonymous();
    std::optional<ss::PriorityQueue<>> q(std::in_place, pool, "q");
    std::string thrown;
    std::thread waiter([&] { thrown = thrown_by([&] { (void)q->pop_for(60s); }); });
    wait_until([&] { return somebody_waits(*q, "q"); }, "he sleeps");
    q.reset();
    const auto begin = Clock::now();
    ss::Pool(pool).remove_object("q");
    waiter.join();
    BOOST_TEST(thrown == error(errc::no_such_object));
    BOOST_TEST((Clock::now() - begin < 5s));
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE(what_is_undone_wakes_nobody_for_good) {
    const ss::Pool pool = ss::Pool::anonymous();
    ss::PriorityQueue<> q(pool, "q");
    Process child([&] {
        if (q.pop_for(60s) != "real") throw std::runtime_error("another item came");
    });
    wait_until([&] { return somebody_waits(q, "q"); }, "he sleeps");
    for (int i = 0; i < 20; ++i) {
        BOOST_CHECK_THROW(ss::transaction(q,
                                          [&](auto& tx) {
                                              q.push(tx, "unreal");
                                              throw 1;
                                          }),
                          int);
        std::this_thread::sleep_for(1ms);
        ss::transaction(q, [&](auto& tx) {
            q.push(tx, "taken back");
            BOOST_TEST(q.pop(tx).value() == "taken back");
        });
    }
    q.push("real");
    child.expect_clean();
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_SUITE_END()
