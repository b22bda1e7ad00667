// The main function of every test executable: Boost.Test with skipped cases, and no child left behind.
#include "support/main.hpp"

#include "support/skip.hpp"

#include <boost/test/results_collector.hpp>
#include <boost/test/unit_test.hpp>
#include <boost/test/unit_test_monitor.hpp>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ss::test {

namespace {

unsigned skipped_cases = 0;

void on_skip(const Skip& skipped) {
    ++skipped_cases;
    print_skip(skipped.reason);
}

bool initialize() {
    boost::unit_test::unit_test_monitor.register_exception_translator<Skip>(&on_skip);
    return true;
}

/// Kills and reaps what still runs below this process, orphaned grandchildren too.
void end_children() {
    for (;;) {
        for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
            std::ifstream children(task.path() / "children");
            for (pid_t pid = 0; children >> pid;) ::kill(pid, SIGKILL);
        }
        const pid_t pid = ::waitpid(-1, nullptr, WNOHANG);
        if (pid < 0 && errno != EINTR) return;
        if (pid == 0) ::usleep(1000);
    }
}

int run(int argc, char* argv[]) {
    // Orphans come to this process: a test can wait for a grandchild, and none outlives us.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    // Boost.Test would turn SIGSEGV, and every child that ends by a signal, into failures of its own kind. Tests look
    // at their children themselves, and a crash is to stay one.
    std::string quiet = "--catch_system_errors=no";
    std::vector<char*> arguments(argv, argv + argc);
    arguments.insert(arguments.begin() + 1, quiet.data());
    arguments.push_back(nullptr);
    const int code =
        boost::unit_test::unit_test_main(&initialize, static_cast<int>(arguments.size()) - 1, arguments.data());
    end_children();
    return code == 0 && skipped_cases > 0 ? exit_skipped : code;
}

} // namespace

unsigned long failed_checks() noexcept {
    using namespace boost::unit_test;
    return results_collector.results(framework::current_test_case_id()).p_assertions_failed;
}

void print_skip(std::string_view reason) {
    const auto& test_case = boost::unit_test::framework::current_test_case();
    std::cout << "SKIP: " << test_case.full_name() << ": " << reason << std::endl;
}

} // namespace ss::test

int main(int argc, char* argv[]) { return ss::test::run(argc, argv); }
