// A child process that runs a callable, and cannot outlive the test.
//
//     Process child([&] { table.insert("k", "v"); });
//     child.expect_clean();                        // throws unless the child returned from the callable
//
//     Process victim([&] { for (;;) work(); });
//     victim.kill();                               // SIGKILL; waits
//
// A child that throws prints what() and ends with 1. One in which a BOOST_CHECK failed ends with 1 as well: Boost.Test
// counts failures per process, and the parent would not see them.
#pragma once

#include "support/main.hpp"
#include "support/skip.hpp"

#include <cerrno>
#include <chrono>
#include <concepts>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace ss::test {

/// How a process ended: by `_exit(code)` or by a signal.
struct Ending {
    bool exited = false;
    int code = 0;   ///< exit code, if it exited
    int signal = 0; ///< the signal that ended it, if it did not

    [[nodiscard]] bool clean() const noexcept { return exited && code == 0; }
    [[nodiscard]] bool killed_by(int number) const noexcept { return !exited && signal == number; }
    [[nodiscard]] bool killed() const noexcept { return killed_by(SIGKILL); }

    [[nodiscard]] std::string text() const {
        if (exited) return "ended with exit code " + std::to_string(code);
        return "ended by signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
    }

    friend bool operator==(const Ending&, const Ending&) = default;
    friend std::ostream& operator<<(std::ostream& out, const Ending& ending) { return out << ending.text(); }
};

/// What becomes of a child whose parent dies.
enum class Orphan {
    dies,     ///< the kernel kills it as well
    survives, ///< it goes on, and becomes a child of the test's first process, which ends it at the latest
};

/// Owns one child process. Not copied; movable. The destructor kills and reaps a child that was not waited for.
///
/// Make it in a thread that lives as long as the child: the kernel takes the end of that thread for the parent's death.
class Process {
public:
    /// Forks; the child runs `body` and ends. Throws std::system_error if fork fails.
    template <std::invocable Body>
    explicit Process(Body body, Orphan orphan = Orphan::dies) {
        // What is buffered would otherwise be written by both.
        std::cout.flush();
        std::fflush(nullptr);
        const pid_t parent = ::getpid();
        pid_ = ::fork();
        if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
        if (pid_ > 0) return;
        if (orphan == Orphan::dies) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (::getppid() != parent) ::_exit(1); // it died before we asked
        }
        run(body);
    }

    /// Takes charge of `pid`, a child of this process, or one that became so when its own parent died.
    [[nodiscard]] static Process adopt(pid_t pid) {
        Process process;
        process.pid_ = pid;
        return process;
    }

    Process(Process&& other) noexcept
        : pid_(std::exchange(other.pid_, -1)), ended_(std::exchange(other.ended_, false)), ending_(other.ending_) {}

    Process& operator=(Process&& other) noexcept {
        if (this != &other) {
            end();
            pid_ = std::exchange(other.pid_, -1);
            ended_ = std::exchange(other.ended_, false);
            ending_ = other.ending_;
        }
        return *this;
    }

    ~Process() { end(); }

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }

    /// Sends a signal, SIGSTOP and SIGCONT for example, and does not wait for what comes of it.
    void send(int signal) const {
        if (ended_) throw std::logic_error("a signal for a child that has ended");
        if (::kill(pid_, signal) != 0) throw std::system_error(errno, std::generic_category(), "kill");
    }

    /// SIGKILL, then waits. Returns how it ended, which may be otherwise if it ended before.
    Ending kill() {
        if (!ended_) send(SIGKILL);
        return wait();
    }

    /// Waits without limit until the child ends (a Watchdog in the parent sets one). Again: the same answer.
    Ending wait() {
        reap(0);
        return ending_;
    }

    /// Waits for at most `limit`; nullopt if the child still runs then.
    [[nodiscard]] std::optional<Ending> wait_for(std::chrono::milliseconds limit) {
        const auto deadline = std::chrono::steady_clock::now() + limit;
        for (;;) {
            if (reap(WNOHANG)) return ending_;
            if (std::chrono::steady_clock::now() >= deadline) return std::nullopt;
            ::usleep(500);
        }
    }

    [[nodiscard]] bool running() { return !wait_for(std::chrono::milliseconds(0)).has_value(); }

    /// Waits, and throws unless the child returned from its callable with no failed check. A child that skipped makes
    /// the caller skip.
    void expect_clean() {
        const Ending ending = wait();
        if (ending.exited && ending.code == exit_skipped) skip("in a child process");
        if (!ending.clean()) throw std::runtime_error("a child process " + ending.text());
    }

private:
    Process() = default;

    template <class Body>
    [[noreturn]] static void run(Body& body) {
        int code = 1;
        try {
            const unsigned long failed_before = failed_checks();
            body();
            code = failed_checks() == failed_before ? 0 : 1;
        } catch (const Skip& skipped) {
            print_skip(skipped.reason);
            code = exit_skipped;
        } catch (const std::exception& error) {
            std::cerr << "in a child process: " << error.what() << '\n';
        } catch (...) { std::cerr << "in a child process: an exception that is no std::exception\n"; }
        std::cout.flush();
        std::fflush(nullptr);
        // No destructors and no atexit: those belong to the parent.
        ::_exit(code);
    }

    /// True once it has ended.
    bool reap(int flags) {
        if (ended_) return true;
        if (pid_ <= 0) throw std::logic_error("no child to wait for");
        int status = 0;
        pid_t result = 0;
        do result = ::waitpid(pid_, &status, flags);
        while (result < 0 && errno == EINTR);
        if (result < 0) throw std::system_error(errno, std::generic_category(), "waitpid");
        if (result == 0) return false;
        ending_ = WIFEXITED(status) ? Ending{true, WEXITSTATUS(status), 0} : Ending{false, 0, WTERMSIG(status)};
        ended_ = true;
        return true;
    }

    void end() noexcept {
        if (pid_ <= 0 || ended_) return;
        ::kill(pid_, SIGKILL);
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {}
        pid_ = -1;
    }

    pid_t pid_ = -1;
    // No optional: g++ 12 takes the end of one that was moved for uninitialized.
    bool ended_ = false;
    Ending ending_; ///< if it has
};

} // namespace ss::test
