// fork(2) at every inconvenient moment, owners that are stopped or have closed everything, and other PID namespaces.
#include <ss/ss.hpp>

#include "support/barrier.hpp"
#include "support/expect.hpp"
#include "support/process.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <sched.h>
#include <unistd.h>

BOOST_AUTO_TEST_SUITE(domain_fork)

using namespace ss::test;
using namespace std::chrono_literals;
using ss::errc;

namespace {

std::int64_t number(const ss::HashTable<>& t, const char* key) { return t.find_as<std::int64_t>(key).value_or(0); }

} // namespace

BOOST_AUTO_TEST_SUITE(after_a_fork)

BOOST_AUTO_TEST_CASE(both_go_on_with_the_same_handles) {
    const Watchdog dog(60, "parent and children");
    for (const bool with_path : {true, false}) {
        const TempDir directory;
        const ss::Pool pool = with_path ? ss::Pool(directory / "pool") : ss::Pool::anonymous();
        ss::HashTable<> t(pool, "t");
        t.insert("k", "before");
        std::vector<Process> children;
        for (int c = 0; c < 3; ++c)
            children.emplace_back([&, c] {
                BOOST_TEST(t.at("k") == "before");
                for (int i = 0; i < 2000; ++i) {
                    t.incr("n", 1);
                    t.insert(std::to_string(c) + " " + std::to_string(i), std::string(100, 'c'));
                }
                // And their children.
                Process grandchild([&] {
                    for (int i = 0; i < 500; ++i) t.incr("n", 1);
                });
                for (int i = 0; i < 500; ++i) t.incr("n", 1);
                grandchild.expect_clean();
            });
        for (int i = 0; i < 2000; ++i) t.incr("n", 1);
        for (Process& child : children) child.expect_clean();
        BOOST_TEST(number(t, "n") == 2000 + 3 * 3000);
        BOOST_TEST(t.size() == 6002U);
        BOOST_TEST(wrong_with(pool) == "");
    }
}

BOOST_AUTO_TEST_CASE(a_child_that_ends_takes_nothing_away) {
    const TempDir directory;
    const ss::Pool pool(directory / "pool");
    std::optional<ss::HashTable<>> t(std::in_place, pool, "t");
    t->insert("k", "v");
    const auto check = [&] {
        t->incr("n", 1);
        BOOST_TEST(t->at("k") == "v");
        // Whoever asks finds this session alive.
        Process other([&] {
            const ss::Pool own(directory / "pool");
            ss::HashTable<>(own, "t").incr("n", 1);
        });
        other.expect_clean();
    };
    for (const bool uses_it : {false, true}) {
        Process destroys([&] {
            if (uses_it) t->incr("n", 1);
            t.reset();
        });
        destroys.expect_clean();
        check();
    }
    // Another program altogether, started in the middle of a transaction.
    ss::transaction(*t, [&](auto& tx) {
        t->incr(tx, "n", 1);
        BOOST_TEST(std::system("true") == 0);
        t->incr(tx, "n", 1);
    });
    check();
}

BOOST_AUTO_TEST_CASE(a_walk_goes_on_in_the_child) {
    const ss::Pool pool = ss::Pool::anonymous();
    ss::HashTable<> t(pool, "t");
    for (int i = 0; i < 500; ++i) t.insert(std::to_string(i), "v");
    auto it = t.begin();
    for (int i = 0; i < 100; ++i) ++it;
    Process child([&] {
        int rest = 0;
        for (; it != t.end(); ++it) ++rest;
        BOOST_TEST(rest == 400);
    });
    int rest = 0;
    for (; it != t.end(); ++it) ++rest;
    BOOST_TEST(rest == 400);
    child.expect_clean();
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(a_fork_within)

BOOST_AUTO_TEST_CASE(a_visit) {
    const Watchdog dog(60, "a fork within a visit");
    const ss::Pool pool = ss::Pool::anonymous();
    ss::HashTable<> t(pool, "t");
    t.insert("k", "v");
    const Barrier barrier(2);
    pid_t child = -1;
    const auto forked = [&] {
        return thrown_by([&] {
            t.visit("k", [&](std::string_view value) {
                child = ::fork();
                if (child == 0 && value != "v") ::_exit(9);
            });
        });
    };
    const std::string thrown = forked();
    if (child == 0) {
        // The child: told so, and free to begin anew, even while the parent still works.
        bool fine = thrown == error(errc::forked);
        try {
            t.insert("child", "1");
            fine = fine && t.visit("k", [](std::string_view) {}) && t.at("child") == "1";
        } catch (const std::exception&) { fine = false; }
        ::_exit(fine ? 0 : 1);
    }
    BOOST_TEST(thrown == "nothing");
    t.insert("parent", "1");
    BOOST_TEST(Process::adopt(child).wait().clean());
    BOOST_TEST((t.contains("child") && t.contains("parent")));
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE(a_transaction) {
    const Watchdog dog(60, "a fork within a transaction");
    const ss::Pool pool = ss::Pool::anonymous();
    ss::HashTable<> t(pool, "t");
    t.insert("k", "v");
    for (const bool parent_throws : {false, true})
        for (const bool child_throws : {false, true}) {
            const std::int64_t before = number(t, "n");
            pid_t child = -1;
            bool told = true;
            const std::string thrown = thrown_by([&] {
                ss::transaction(t, [&](auto& tx) {
                    t.incr(tx, "n", 1);
                    t.erase(tx, "k");
                    child = ::fork();
                    if (child == 0) {
                        const auto refused = error(errc::forked);
                        told = thrown_by([&] { t.incr(tx, "n", 1); }) == refused &&
                               thrown_by([&] { t.clear(tx); }) == refused &&
                               thrown_by([&] { (void)t.find(tx, "k"); }) == refused &&
                               thrown_by([&] { (void)tx.template allocate<ss::Word>(); }) == refused;
                        if (child_throws) throw std::runtime_error("of the child");
                        return;
                    }
                    t.incr(tx, "n", 1);
                    t.insert(tx, "k", "v");
                    if (parent_throws) throw std::runtime_error("of the parent");
                });
            });
            if (child == 0) {
                bool fine = told && thrown == (child_throws ? "of the child" : error(errc::forked));
                try {
                    // Waits for the parent's commit, and is its own session.
                    fine = fine && t.at("k") == "v";
                    t.incr("children", 1);
                } catch (const std::exception&) { fine = false; }
                ::_exit(fine ? 0 : 1);
            }
            BOOST_TEST(thrown == (parent_throws ? "of the parent" : "nothing"));
            BOOST_TEST(Process::adopt(child).wait().clean());
            BOOST_TEST(number(t, "n") == before + (parent_throws ? 0 : 2));
            BOOST_TEST(wrong_with(pool) == "");
        }
    BOOST_TEST(number(t, "children") == 4);
    BOOST_TEST(t.stats().recoveries == 0U);
}

BOOST_AUTO_TEST_CASE(a_transaction_of_another_thread) {
    const Watchdog dog(60, "a fork beside a transaction");
    const ss::Pool pool = ss::Pool::anonymous();
    ss::HashTable<> t(pool, "t");
    std::atomic<int> stage = 0;
    std::thread holder([&] {
        ss::transaction(t, [&](auto& tx) {
            t.insert(tx, "k", "half");
            stage = 1;
            while (stage != 2) std::this_thread::yield();
            std::this_thread::sleep_for(50ms);
            t.insert(tx, "k", "whole");
        });
    });
    while (stage != 1) std::this_thread::yield();
    Process child([&] {
        // The owner is alive, though its thread is not here.
        BOOST_TEST(t.at("k") == "whole");
        t.insert("child", "1");
    });
    stage = 2;
    t.insert("parent", "1");
    holder.join();
    child.expect_clean();
    BOOST_TEST(t.size() == 3U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(a_parent_that_is_killed)

namespace {

/// A parent that is killed within a transaction in which it forked. The child, an orphan, goes on by f(t, tx) within the
/// callback, once its parent is dead, and by g(t) after it; ends with 0 if both return true.
template <class F, class G>
void orphan(const std::filesystem::path& path, F f, G g) {
    const Watchdog dog(60, "a child whose parent was killed");
    Shared<std::atomic<pid_t>> child(0);
    const Barrier forked(2);
    Process parent([&] {
        // Nobody else is attached: when the parent is dead, the child is alone, and a new era begins.
        const ss::Pool pool(path, {.domains = 4});
        ss::HashTable<> t(pool, "{t}");
        ss::HashTable<> u(pool, "{other}");
        for (int i = 0; i < 100; ++i) t.insert(std::to_string(i), std::string(50, 'v'));
        const pid_t own = ::getpid();
        bool fine = true;
        const std::string thrown = thrown_by([&] {
            ss::transaction(t, [&](auto& tx) {
                for (int i = 0; i < 50; ++i) t.erase(tx, std::to_string(i));
                t.insert(tx, "half", "x");
                const pid_t pid = ::fork();
                if (pid != 0) {
                    *child = pid;
                    forked.arrive();
                    ::pause();
                }
                while (::kill(own, 0) == 0 && ::getppid() == own) ::usleep(1000);
                ::usleep(20'000); // the kernel takes a moment to free what the parent held
                fine = f(t, u, tx);
            });
        });
        fine = fine && thrown == error(errc::forked) && g(t, u);
        if (!fine) std::fprintf(stderr, "the orphan: %s\n", thrown.c_str());
        std::fflush(nullptr);
        ::_exit(fine ? 0 : 1);
    });
    forked.arrive_and_wait();
    BOOST_TEST(parent.kill().killed());
    BOOST_TEST(Process::adopt(*child).wait() == (Ending{true, 0, 0}));
    const ss::Pool pool(path);
    ss::HashTable<> t(pool, "{t}");
    for (int i = 0; i < 100; ++i) BOOST_TEST(t.at(std::to_string(i)) == std::string(50, 'v'));
    BOOST_TEST(!t.contains("half"));
    BOOST_TEST(wrong_with(pool) == "");
}

} // namespace

BOOST_AUTO_TEST_CASE(is_recovered_by_its_child) {
    const TempDir directory;
    orphan(
        directory / "pool", [](auto&, auto&, auto&) { return true; },
        [](auto& t, auto& u) {
            t.insert("orphan", "1");
            u.insert("orphan", "1");
            return t.at("orphan") == "1" && !t.contains("half") && t.stats().recoveries == 1;
        });
}

BOOST_AUTO_TEST_CASE(while_the_child_is_in_the_callback_yet) {
    // The child attaches in a new era, where its token might be the parent's: that must not make the dead parent's
    // transaction its own.
    const TempDir directory;
    orphan(
        directory / "pool",
        [](auto& t, auto& u, auto& tx) {
            u.insert("orphan", "1");
            t.insert("orphan", "1"); // takes the lock over, and recovers
            for (int i = 0; i < 20; ++i) t.insert("more " + std::to_string(i), std::string(50, 'm'));
            return thrown_by([&] { t.insert(tx, "k", "v"); }) == error(errc::forked) &&
                   thrown_by([&] { t.insert("plainly", "v"); }) == "nothing" && t.size() == 122;
        },
        [](auto& t, auto&) {
            t.insert("later", "1");
            return t.size() == 123 && t.verify().empty();
        });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(owners)

BOOST_AUTO_TEST_CASE(that_closed_every_descriptor_still_own) {
    const Watchdog dog(60, "an owner that closed everything");
    const TempDir directory;
    const ss::Pool pool(directory / "pool", {.lock_timeout = 300ms});
    ss::HashTable<> t(pool, "t");
    const Barrier barrier(2);
    Process owner([&] {
        const ss::Pool own(directory / "pool");
        ss::HashTable<> theirs(own, "t");
        ss::transaction(theirs, [&](auto& tx) {
            ::close_range(3, ~0U, 0);
            barrier.arrive_and_wait();
            theirs.insert(tx, "k", "theirs");
            std::this_thread::sleep_for(600ms);
            // Growth opens the file anew.
            theirs.insert(tx, "large", std::string(5'000'000, 'l'));
            barrier.arrive_and_wait();
        });
        for (int i = 0; i < 3000; ++i) theirs.insert(std::to_string(i), std::string(3000, 'x'));
        BOOST_TEST(theirs.at("large") == std::string(5'000'000, 'l'));
        // Somebody else's file has its number by now: it is neither read nor closed.
        ::close_range(3, ~0U, 0);
        std::vector<ss::os::File> others;
        for (int i = 0; i < 20; ++i) others.push_back(ss::os::try_open("/dev/null", O_RDONLY));
        for (int i = 3000; i < 6000; ++i) theirs.insert(std::to_string(i), std::string(3000, 'x'));
        for (const ss::os::File& other : others) BOOST_TEST(::fcntl(other.descriptor(), F_GETFD) >= 0);
    });
    barrier.arrive_and_wait();
    BOOST_TEST(thrown_by([&] { t.insert("k", "ours"); }) == error(errc::lock_timeout)); // alive, however it looks
    barrier.arrive_and_wait();
    owner.expect_clean();
    BOOST_TEST((t.at("k") == "theirs" && t.size() == 6002U));
    BOOST_TEST(wrong_with(pool) == "");
    // Without a path there is nothing to open anew: what needs to grow is refused, all else works.
    Process nameless([&] {
        const ss::Pool own = ss::Pool::anonymous();
        ss::HashTable<> theirs(own, "t");
        theirs.insert("k", "1");
        ::close_range(3, ~0U, 0);
        theirs.insert("k", "2");
        BOOST_TEST(thrown_by([&] { theirs.insert("large", std::string(5'000'000, 'l')); }) == error(errc::system));
        BOOST_TEST((theirs.at("k") == "2" && theirs.size() == 1U));
    });
    nameless.expect_clean();
}

BOOST_AUTO_TEST_CASE(that_are_stopped_for_three_seconds_are_waited_for) {
    const Watchdog dog(90, "a stopped owner");
    const TempDir directory;
    const ss::Pool pool(directory / "pool");
    ss::HashTable<> t(pool, "t");
    t.incr("n", 1);
    const Barrier barrier(2);
    Process owner([&] {
        const ss::Pool own(directory / "pool");
        ss::HashTable<> theirs(own, "t");
        ss::transaction(theirs, [&](auto& tx) {
            theirs.incr(tx, "n", 1);
            barrier.arrive_and_wait();
            std::this_thread::sleep_for(30ms);
            theirs.incr(tx, "n", 1);
        });
        for (int i = 0; i < 1000; ++i) theirs.incr("n", 1);
    });
    barrier.arrive_and_wait();
    owner.send(SIGSTOP);
    Shared<Counter> through(0U);
    const auto begin = std::chrono::steady_clock::now();
    std::vector<Process> waiters;
    for (int w = 0; w < 3; ++w)
        waiters.emplace_back([&, w] {
            // One by the lock, one as a reader of a bucket that is being changed, one by an open of its own.
            if (w == 0) t.incr("waiter", 1);
            if (w == 1) BOOST_TEST(number(t, "n") >= 3);
            if (w == 2) ss::HashTable<>(ss::Pool(directory / "pool"), "t").incr("waiter", 1);
            ++*through;
        });
    std::thread thread([&] {
        t.incr("waiter", 1);
        ++*through;
    });
    while (std::chrono::steady_clock::now() - begin < 3s) {
        BOOST_TEST(*through == 0U);
        std::this_thread::sleep_for(100ms);
    }
    owner.send(SIGCONT);
    for (Process& waiter : waiters) waiter.expect_clean();
    thread.join();
    owner.expect_clean();
    BOOST_TEST((number(t, "n") == 1003 && number(t, "waiter") == 3));
    BOOST_TEST(t.stats().recoveries == 0U);
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE(that_are_zombies_are_dead) {
    const Watchdog dog(60, "a zombie");
    const TempDir directory;
    const ss::Pool pool(directory / "pool");
    ss::HashTable<> t(pool, "t");
    t.insert("k", "v");
    const Barrier barrier(2);
    Process owner([&] {
        const ss::Pool own(directory / "pool");
        ss::HashTable<> theirs(own, "t");
        ss::transaction(theirs, [&](auto& tx) {
            theirs.insert(tx, "k", "half");
            barrier.arrive();
            ::pause();
        });
    });
    barrier.arrive_and_wait();
    owner.send(SIGKILL); // and is not waited for
    BOOST_TEST(t.at("k") == "v");
    t.insert("k", "w");
    BOOST_TEST(t.stats().recoveries == 1U);
    BOOST_TEST(owner.wait().killed());
}

BOOST_AUTO_TEST_CASE(in_two_pid_namespaces_respect_each_other) {
    const Watchdog dog(90, "two PID namespaces");
    const TempDir directory;
    const ss::Pool pool(directory / "pool");
    ss::HashTable<> t(pool, "t");
    ss::HashTable<>::with<ss::Optimistic<ss::RobustMutex>> robust(ss::Pool(directory / "robust"), "t");
    robust.insert("k", "v");
    const Barrier barrier(2);
    Process outside([&] {
        if (::unshare(CLONE_NEWPID) != 0) skip(std::string("two PID namespaces: unshare: ") + std::strerror(errno));
        // The first child is process 1 of the new namespace; a second one is killed in there while it holds the lock.
        const auto first = [&] {
            BOOST_TEST(::getpid() == 1);
            const ss::Pool own(directory / "pool");
            ss::HashTable<> theirs(own, "t");
            for (int i = 0; i < 3000; ++i) theirs.incr("n", 1);
            BOOST_TEST(thrown_by([&] {
                           const ss::Pool other(directory / "robust");
                           ss::HashTable<>::with<ss::Optimistic<ss::RobustMutex>>(other, "t").insert("k", "w");
                       }) == error(errc::other_namespace));
            Process victim([&] {
                ss::transaction(theirs, [&](auto& tx) {
                    theirs.incr(tx, "n", 1'000'000);
                    barrier.arrive_and_wait();
                    ::pause();
                });
            });
            barrier.arrive_and_wait();
            BOOST_TEST(victim.kill().killed());
            for (int i = 0; i < 1000; ++i) theirs.incr("n", 1);
        };
        Process inside(first, Orphan::survives); // for its parent seems to be 0 in there
        inside.expect_clean();
    });
    for (int i = 0; i < 3000; ++i) t.incr("n", 1);
    outside.expect_clean();
    BOOST_TEST(number(t, "n") == 7000);
    BOOST_TEST(robust.at("k") == "v");
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE_END()
