// Starting workers: as threads of one process, or as processes. What they then do is the same text.
//
// Either way no run of a contestant happens in the process that reports: each begins with a heap that nobody has used
// before, and gives everything back when it ends.
#pragma once

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace bench {

/// What a contestant's table is shared by.
enum class Sharing { processes, threads };

namespace detail {

/// f(), and no way out of it but the end of the process.
template <class F>
[[noreturn]] void run_and_exit(F f) noexcept {
    int code = 1;
    try {
        f();
        code = 0;
    } catch (const std::exception& error) { std::fprintf(stderr, "in a worker: %s\n", error.what()); }
    // No destructors and no atexit: those belong to the parent.
    std::fflush(nullptr);
    ::_exit(code);
}

template <class F>
[[nodiscard]] pid_t fork_and_run(F f) {
    std::fflush(nullptr);
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (child > 0) return child;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1); // it died before we asked
    run_and_exit(f);
}

/// Waits for all. The first that ends badly takes the others with it: they would wait for it at a barrier.
inline void wait_for_all(const std::vector<pid_t>& children) {
    std::string trouble;
    for (std::size_t left = children.size(); left != 0;) {
        int status = 0;
        pid_t ended = 0;
        do ended = ::waitpid(-1, &status, 0);
        while (ended < 0 && errno == EINTR);
        if (ended < 0) throw std::system_error(errno, std::generic_category(), "waitpid");
        // A server that somebody else has started is none of ours.
        if (std::find(children.begin(), children.end(), ended) == children.end()) continue;
        --left;
        if (!trouble.empty() || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) continue;
        trouble =
            WIFEXITED(status) ? "a worker failed" : "a worker died of signal " + std::to_string(WTERMSIG(status));
        for (const pid_t child : children)
            if (child != ended) ::kill(child, SIGKILL);
    }
    if (!trouble.empty()) throw std::runtime_error(trouble);
}

} // namespace detail

/// Calls body(run) once in each process that there is to be, where body makes the table or opens it and then calls
/// run(worker), which calls worker(index) for every worker of that process: all of them if they are threads, the one
/// if they are processes. Returns when all have ended; throws std::runtime_error if any ended badly.
template <class Body>
void launch(Sharing sharing, unsigned workers, Body body) {
    std::vector<pid_t> children;
    if (sharing == Sharing::processes) {
        for (unsigned i = 0; i < workers; ++i)
            children.push_back(detail::fork_and_run([&] { body([i](auto worker) { worker(i); }); }));
    } else {
        children.push_back(detail::fork_and_run([&] {
            body([workers](auto worker) {
                std::vector<std::thread> threads;
                for (unsigned i = 1; i < workers; ++i)
                    threads.emplace_back([&worker, i] {
                        try {
                            worker(i);
                        } catch (const std::exception& error) {
                            std::fprintf(stderr, "in a worker: %s\n", error.what());
                            ::_exit(1);
                        }
                    });
                worker(0U);
                for (std::thread& thread : threads) thread.join();
            });
        }));
    }
    detail::wait_for_all(children);
}

} // namespace bench
