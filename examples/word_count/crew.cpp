#include "crew.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace word_count {

namespace {

volatile std::sig_atomic_t interrupted = 0;

} // namespace

void Crew::start() {
    const std::string name = "worker " + std::to_string(++started_);
    std::fflush(nullptr); // or both would write what is buffered
    const pid_t pid = fork();
    if (pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (pid > 0) {
        workers_.insert(pid);
        return;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL); // nobody is left behind, however we end
    try {
        work_(name + " (process " + std::to_string(getpid()) + ")");
        std::_Exit(0);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", name.c_str(), error.what());
        std::_Exit(1);
    }
}

void Crew::wait(const std::function<void()>& meanwhile) {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, [](int) { interrupted = 1; });
    while (!workers_.empty()) {
        if (interrupted != 0) throw std::runtime_error("interrupted");
        int status = 0;
        const pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid <= 0) {
            meanwhile();
            usleep(1000);
            continue;
        }
        workers_.erase(pid);
        const bool was_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
        if (was_killed && workers_.empty()) start();
        if (!was_killed && status != 0) throw std::runtime_error("a worker failed");
    }
}

Crew::~Crew() {
    for (const pid_t pid : workers_) kill(pid, SIGKILL);
    for (const pid_t pid : workers_) waitpid(pid, nullptr, 0);
}

} // namespace word_count
