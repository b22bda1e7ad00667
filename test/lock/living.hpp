// A lock is never taken from the living, whatever they do while they hold it and however long it takes.
#pragma once

#include <ss/base/error.hpp>

#include "lock/user.hpp"
#include "pool/namespaces.hpp"
#include "support/barrier.hpp"
#include "support/process.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <string>
#include <thread>

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ss::test {

/// A child that holds the lock of a pool of its own, and does something meanwhile.
template <LockPolicy L>
class LivingOwner {
public:
    /// meanwhile(pool) runs while the lock is held; it returns at once or within three seconds.
    template <class F>
    LivingOwner(const TempDir& directory, const std::string& name, F meanwhile)
        : name_(name), user_(directory / name), process_([this, path = directory / name, meanwhile] {
              LockUser<L> mine(path);
              if (mine.acquire() != LockResult::acquired) throw std::runtime_error("could not get the lock");
              *held_ = mine.token();
              meanwhile(mine);
              *ready_ = 1;
              while (*finish_ == 0) ::usleep(1000);
              mine.release();
          }) {
        wait_until([&] { return *held_ != 0; }, "the owner never got the lock");
    }

    void wait_until_ready() {
        wait_until([&] { return *ready_ != 0; }, "the owner never got so far");
    }

    void send(int signal) { process_.send(signal); }

    /// Comes for the lock, waits, and goes without.
    void check_held(std::chrono::milliseconds patience) {
        BOOST_TEST_CONTEXT("the owner " << name_) {
            BOOST_TEST(text(user_.try_acquire()) == "busy");
            BOOST_TEST(text(user_.acquire_within(patience)) == "busy");
            BOOST_TEST(user_.owner() == *held_);
        }
    }

    /// The owner lets go, and who waits is told that all is well.
    void finish() {
        BOOST_TEST_CONTEXT("the owner " << name_) {
            *finish_ = 1;
            BOOST_TEST(text(user_.acquire_within(20s)) == "acquired");
            user_.release();
            process_.expect_clean();
        }
    }

private:
    std::string name_;
    LockUser<L> user_;
    Shared<Counter> held_{0U}, ready_{0U}, finish_{0U};
    Process process_;
};

/// Owners that are stopped for three seconds, fork, close all descriptors, lose their main thread.
template <LockPolicy L>
void check_lock_living_owners() {
    const TempDir directory;
    LivingOwner<L> stopped(directory, "is stopped", [](auto&) {});
    stopped.wait_until_ready();
    stopped.send(SIGSTOP);
    const auto stopped_at = std::chrono::steady_clock::now();

    LivingOwner<L> forks(directory, "forks", [](LockUser<L>& mine) {
        for (int i = 0; i < 2; ++i) {
            Process child([&] {
                if (i == 1) { // uses the pool, and has to wait for its parent as anybody has
                    mine.attach();
                    if (mine.acquire_within(50ms) != LockResult::busy)
                        throw std::runtime_error("took its parent's lock");
                }
            });
            child.expect_clean();
        }
    });
    forks.wait_until_ready();
    forks.check_held(300ms);

    LivingOwner<L> closes(directory, "closes all descriptors",
                          [](auto&) { ::syscall(SYS_close_range, 3U, ~0U, 0U); });
    closes.wait_until_ready();
    closes.check_held(300ms);

    LivingOwner<L> sleeps(directory, "sleeps", [](auto&) { std::this_thread::sleep_for(500ms); });
    sleeps.check_held(300ms);

    stopped.check_held(1s);
    forks.finish();
    closes.finish();
    sleeps.wait_until_ready();
    sleeps.finish();
    std::this_thread::sleep_until(stopped_at + 3s);
    stopped.check_held(100ms);
    stopped.send(SIGCONT);
    stopped.finish();
}

/// Process ids of two PID namespaces are the same numbers for others: nobody is taken for somebody else, dead or alive.
/// A policy may refuse instead, with errc::other_namespace.
template <LockPolicy L>
void check_lock_across_pid_namespaces() {
    const Watchdog dog(60, "two PID namespaces");
    const TempDir directory;
    const auto path = directory / "pool";
    Shared<Counter> held(0U), finish(0U), waiting(0U), refused(0U);
    /// f in a PID namespace of its own, as process 1.
    const auto in_namespace = [&](auto f) {
        return Process([f] {
            enter_namespaces(CLONE_NEWPID);
            const pid_t first = ::fork();
            if (first == 0) {
                ::prctl(PR_SET_PDEATHSIG, SIGKILL);
                int code = 1;
                try {
                    code = ::getpid() == 1 ? f() : 2;
                } catch (const std::exception& error) { std::fprintf(stderr, "in a namespace: %s\n", error.what()); }
                ::_exit(code);
            }
            int status = 0;
            ::waitpid(first, &status, 0);
            if (WIFSIGNALED(status)) ::_exit(100 + WTERMSIG(status));
            ::_exit(WEXITSTATUS(status));
        });
    };
    Process owner = in_namespace([&] {
        LockUser<L> mine(path);
        if (mine.acquire() != LockResult::acquired) return 3;
        *held = mine.token();
        while (*finish == 0) ::usleep(1000);
        mine.release();
        return 0;
    });
    wait_until([&] { return *held != 0 || !owner.running(); }, "the owner never got the lock");
    if (*held == 0) owner.expect_clean(); // skips
    // Its double: the same pid and the same thread id, in another namespace. It waits, and is killed as it does.
    const auto wait_and_die = [&] {
        try {
            LockUser<L> mine(path);
            if (mine.try_acquire() != LockResult::busy) return 3;
            if (mine.acquire_within(200ms) != LockResult::busy) return 4;
            *waiting = 1;
            return mine.acquire() == LockResult::busy ? 5 : 6;
        } catch (const Error& error) {
            if (error.code() != errc::other_namespace) throw;
            *refused = 1;
            return 0;
        }
    };
    Process twin = in_namespace(wait_and_die);
    wait_until([&] { return *waiting != 0 || !twin.running(); }, "the double never came");
    ::usleep(30'000);
    if (*refused != 0) {
        BOOST_TEST(twin.wait() == (Ending{true, 0, 0}));
    } else {
        BOOST_REQUIRE(*waiting == 1U);
        twin.kill(); // and process 1 with it
    }
    // The owner still holds it, as far as anybody in any namespace is told.
    Process third = in_namespace([&] {
        try {
            LockUser<L> mine(path);
            return mine.acquire_within(200ms) == LockResult::busy ? 0 : 3;
        } catch (const Error& error) { return error.code() == errc::other_namespace ? 0 : 4; }
    });
    BOOST_TEST(third.wait() == (Ending{true, 0, 0}));
    BOOST_TEST(owner.running());
    *finish = 1;
    BOOST_TEST(owner.wait() == (Ending{true, 0, 0}));
    LockUser<L> user(path); // alone again, whatever the namespace
    BOOST_TEST(text(user.acquire()) == "acquired");
    user.release();
}

} // namespace ss::test
