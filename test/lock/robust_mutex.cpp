// RobustMutex, held to what every lock policy must hold, and to what only the C library's own can do.
#include <ss/lock/robust_mutex.hpp>

#include "lock/conformance.hpp"
#include "pool/support.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <thread>

using namespace ss;
using namespace ss::test;

BOOST_AUTO_TEST_CASE(it_conforms) { check_lock_policy<RobustMutex>("RobustMutex"); }

BOOST_AUTO_TEST_CASE(it_refuses_other_pid_namespaces) { check_lock_across_pid_namespaces<RobustMutex>(); }

BOOST_AUTO_TEST_CASE(a_refusal_names_both_namespaces_and_leaves_the_lock_alone) {
    const TempDir directory;
    LockUser<RobustMutex> user(directory / "pool");
    const std::uint64_t ours = user.state().pid_namespace;
    BOOST_TEST(ours == os::pid_namespace());
    for (const std::uint64_t theirs : {ours + 1, std::uint64_t{0}}) {
        user.state().pid_namespace = theirs;
        BOOST_TEST(outcome([&] { (void)user.try_acquire(); }) == text(errc::other_namespace));
        BOOST_TEST(outcome([&] { (void)user.acquire(); }) == text(errc::other_namespace));
        BOOST_TEST(outcome([&] { (void)user.acquire_within(10ms); }) == text(errc::other_namespace));
        try {
            (void)user.acquire();
        } catch (const Error& error) {
            BOOST_TEST(std::string(error.what()).find(std::to_string(ours)) != std::string::npos);
            BOOST_TEST(std::string(error.what()).find(std::to_string(theirs)) != std::string::npos);
        }
    }
    user.state().pid_namespace = ours;
    BOOST_TEST(text(user.acquire()) == "acquired");
    user.release();
}

BOOST_AUTO_TEST_CASE(a_thread_that_ends_while_its_process_goes_on_is_noticed) {
    const Watchdog dog(30, "a thread that ended");
    const TempDir directory;
    LockUser<RobustMutex> user(directory / "pool");
    std::thread([&] { BOOST_TEST(text(user.acquire()) == "acquired"); }).join();
    BOOST_TEST(text(user.acquire()) == "owner_died");
    user.release();
    BOOST_TEST(text(user.acquire()) == "acquired");
    user.release();
}

BOOST_AUTO_TEST_CASE(it_is_made_once_in_an_era_by_whoever_comes_first) {
    const Watchdog dog(30, "a new era");
    const TempDir directory;
    {
        LockUser<RobustMutex> user(directory / "pool");
        BOOST_TEST(user.slot().ready == 1U);
        BOOST_TEST(text(user.acquire()) == "acquired");
        LockUser<RobustMutex> other(directory / "pool"); // does not make it anew
        BOOST_TEST(text(other.try_acquire()) == "busy");
        user.release();
    }
    // All are killed, one with the lock in hand; whoever comes then begins with a free one.
    Process owner([&] {
        LockUser<RobustMutex> mine(directory / "pool");
        (void)mine.acquire();
        ::raise(SIGKILL);
    });
    BOOST_TEST(owner.wait().killed());
    LockUser<RobustMutex> next(directory / "pool");
    BOOST_TEST(text(next.acquire()) == "acquired");
    next.release();
    // Many at once make one.
    Shared<Counter> count(0U);
    Shared<std::uint64_t> plain(0U);
    std::filesystem::remove(directory / "pool");
    std::vector<Process> crowd;
    for (int i = 0; i < 20; ++i)
        crowd.emplace_back([&] {
            LockUser<RobustMutex> mine(directory / "pool");
            for (int k = 0; k < 100; ++k) {
                if (mine.acquire() != LockResult::acquired) ++*count;
                *plain = *plain + 1;
                mine.release();
            }
        });
    for (Process& process : crowd) process.expect_clean();
    BOOST_TEST(*count == 0U);
    BOOST_TEST(*plain == 2000U);
}
