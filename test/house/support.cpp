// The tests' own tools, since every verdict on processes rests on them.
#include "support/barrier.hpp"
#include "support/process.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <unistd.h>

using namespace ss::test;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_CASE(a_child_that_returns_is_clean) {
    Process child([] {});
    child.expect_clean();
    BOOST_TEST(child.wait() == (Ending{true, 0, 0}));
}

BOOST_AUTO_TEST_CASE(a_child_that_throws_is_not) {
    Process child([] { throw std::runtime_error("thrown on purpose"); });
    BOOST_TEST(child.wait() == (Ending{true, 1, 0}));
    BOOST_CHECK_THROW(child.expect_clean(), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(a_failed_check_in_a_child_is_not_lost) {
    Process checks([] { BOOST_CHECK(1 == 2); });
    BOOST_TEST(checks.wait() == (Ending{true, 1, 0}));
    Process requires_it([] { BOOST_REQUIRE(1 == 2); });
    BOOST_TEST(requires_it.wait() == (Ending{true, 1, 0}));
}

BOOST_AUTO_TEST_CASE(a_child_can_be_stopped_and_killed) {
    Shared<Counter> beats(0U);
    Process child([&] {
        for (;;) {
            ++*beats;
            ::usleep(100);
        }
    });
    wait_until([&] { return *beats > 2; }, "the child never began");
    child.send(SIGSTOP);
    ::usleep(20'000);
    const auto before = beats->load();
    ::usleep(20'000);
    BOOST_TEST(beats->load() == before);
    child.send(SIGCONT);
    wait_until([&] { return *beats > before; }, "the child never went on");
    BOOST_TEST(child.running());
    BOOST_TEST(child.kill().killed());
    BOOST_TEST(!child.running());
}

BOOST_AUTO_TEST_CASE(a_child_ends_with_its_owner) {
    Shared<std::atomic<pid_t>> pid(0);
    {
        Process child([] { ::pause(); });
        *pid = child.pid();
        BOOST_TEST(!child.wait_for(10ms).has_value());
    }
    BOOST_TEST(::kill(*pid, 0) == -1);
    // And with its parent process, unless it is to survive that one.
    const Barrier barrier(2);
    Process parent([&] {
        const Process child([&] {
            barrier.arrive();
            ::pause();
        });
        *pid = child.pid();
        barrier.arrive_and_wait();
        ::raise(SIGKILL);
    });
    BOOST_TEST(parent.wait().killed());
    BOOST_TEST(Process::adopt(*pid).wait().killed());
}

BOOST_AUTO_TEST_CASE(an_orphan_that_survives_is_adopted) {
    Shared<std::atomic<pid_t>> pid(0);
    const Barrier barrier(2);
    Process parent([&] {
        const Process child(
            [&] {
                barrier.arrive_and_wait();
                ::_exit(7);
            },
            Orphan::survives);
        *pid = child.pid();
        ::raise(SIGKILL);
    });
    BOOST_TEST(parent.wait().killed());
    barrier.arrive_and_wait();
    BOOST_TEST(Process::adopt(*pid).wait() == (Ending{true, 7, 0}));
}

BOOST_AUTO_TEST_CASE(nobody_passes_the_barrier_before_all_have_come) {
    constexpr std::uint64_t rounds = 200;
    const Barrier barrier(3);
    Shared<Counter> arrivals(0U);
    const auto body = [&] {
        for (std::uint64_t round = 1; round <= rounds; ++round) {
            ++*arrivals;
            barrier.arrive_and_wait();
            if (*arrivals != 3 * round) throw std::runtime_error("passed too early or too late");
            barrier.arrive_and_wait();
        }
    };
    Process one(body);
    Process two(body);
    body();
    one.expect_clean();
    two.expect_clean();
}

BOOST_AUTO_TEST_CASE(the_watchdog_barks_at_what_hangs_and_at_nothing_else) {
    Process quick([] {
        const Watchdog outer(60, "the outer work");
        { const Watchdog inner(1, "the inner work"); }
        ::usleep(1'200'000 * slowness);
    });
    Process slow([] {
        const Watchdog dog(1, "what hangs on purpose");
        ::pause();
    });
    BOOST_TEST(slow.wait().killed_by(SIGABRT));
    quick.expect_clean();
}

BOOST_AUTO_TEST_CASE(a_skip_in_a_child_skips_the_case) {
    Process child([] { skip("on purpose, by a test of skip: not counted"); });
    BOOST_TEST(child.wait().code == exit_skipped);
    BOOST_CHECK_THROW(child.expect_clean(), Skip);
}

BOOST_AUTO_TEST_CASE(a_directory_goes_with_its_owner_and_not_with_a_child) {
    std::filesystem::path path;
    {
        const TempDir directory;
        path = directory.path();
        std::ofstream(directory / "file") << "content";
        Process child([&] { const TempDir moved = TempDir(directory.path()); });
        child.expect_clean();
        BOOST_TEST(std::filesystem::exists(path / "file"));
        BOOST_TEST(std::distance(std::filesystem::directory_iterator(path), std::filesystem::directory_iterator()) ==
                   1);
    }
    BOOST_TEST(!std::filesystem::exists(path));
}
