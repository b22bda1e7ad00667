// NullLock: one session has the domain to itself for as long as it lives, and all others are told so at once.
#include <ss/lock/null_lock.hpp>

#include "lock/user.hpp"
#include "pool/support.hpp"
#include "support/barrier.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <csignal>
#include <optional>
#include <string>

using namespace ss;
using namespace ss::test;

namespace {

using User = LockUser<NullLock>;

void check_refused(User& user, const std::string& owner) {
    const auto begin = std::chrono::steady_clock::now();
    const std::string in_use = text(errc::in_use);
    BOOST_TEST(outcome([&] { (void)user.try_acquire(); }) == in_use);
    BOOST_TEST(outcome([&] { (void)user.acquire(); }) == in_use);
    BOOST_TEST(outcome([&] { (void)user.acquire_within(20s); }) == in_use);
    BOOST_TEST((std::chrono::steady_clock::now() - begin < 5s)); // not waited for
    try {
        (void)user.acquire();
    } catch (const Error& error) { BOOST_TEST(std::string(error.what()).find(owner) != std::string::npos); }
}

} // namespace

BOOST_AUTO_TEST_CASE(the_first_has_it_between_operations_too) {
    const TempDir directory;
    User user(directory / "pool"), other(directory / "pool");
    BOOST_TEST(user.owner() == 0U);
    for (int i = 0; i < 3; ++i) {
        BOOST_TEST(text(i == 0   ? user.try_acquire()
                        : i == 1 ? user.acquire()
                                 : user.acquire_within(0ms)) == "acquired");
        BOOST_TEST(other.owner() == user.token());
        check_refused(other, user.session().describe(user.token()));
        user.release();
        BOOST_TEST(other.owner() == user.token());
        check_refused(other, user.session().describe(user.token()));
    }
}

BOOST_AUTO_TEST_CASE(after_its_end_the_next_has_it) {
    const Watchdog dog(30, "the next owner");
    const TempDir directory;
    User witness(directory / "pool");
    for (const bool killed : {false, true}) {
        Shared<Counter> held(0U), finish(0U);
        Process owner([&] {
            std::optional<User> mine(directory / "pool");
            // The first finds it free; the second takes it from the first, which has ended.
            if (mine->acquire() == LockResult::busy) throw std::runtime_error("not to be had");
            *held = mine->token();
            while (*finish == 0) ::usleep(500);
            if (killed) ::raise(SIGKILL);
        });
        wait_until([&] { return *held != 0; }, "the owner never got it");
        check_refused(witness, "pid " + std::to_string(owner.pid()));
        owner.send(SIGSTOP);
        check_refused(witness, "pid " + std::to_string(owner.pid()));
        owner.send(SIGCONT);
        *finish = 1;
        BOOST_TEST(owner.wait() == (killed ? Ending{false, 0, SIGKILL} : Ending{true, 0, 0}));
    }
    BOOST_TEST(text(witness.acquire()) == "owner_died");
    BOOST_TEST(text(witness.acquire()) == "acquired");
    User late(directory / "pool");
    check_refused(late, "pid " + std::to_string(::getpid()));
    witness.release();
}

BOOST_AUTO_TEST_CASE(a_forked_child_is_another_session) {
    const TempDir directory;
    User user(directory / "pool");
    BOOST_TEST(text(user.acquire()) == "acquired");
    Process child([&] {
        user.attach();
        check_refused(user, "pid " + std::to_string(::getppid()));
    });
    child.expect_clean();
    BOOST_TEST(text(user.acquire()) == "acquired");
    user.release();
}

BOOST_AUTO_TEST_CASE(of_many_who_come_at_once_one_has_it) {
    const TempDir directory;
    const User witness(directory / "pool");
    for (int round = 0; round < 20; ++round) {
        Shared<Counter> got(0U), refused(0U), tried(0U);
        std::vector<Process> crowd;
        for (int i = 0; i < 4; ++i)
            crowd.emplace_back([&] {
                User mine(directory / "pool");
                try {
                    if (mine.acquire() != LockResult::busy) ++*got;
                } catch (const Error& error) {
                    if (error.code() == errc::in_use) ++*refused;
                }
                ++*tried;
                wait_until([&] { return *tried == 4; }, "the others never tried");
            });
        for (Process& process : crowd) process.expect_clean();
        BOOST_TEST(*got == 1U);
        BOOST_TEST(*refused == 3U);
    }
}
