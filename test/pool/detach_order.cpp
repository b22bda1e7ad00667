// The order of a detach: the data goes before the proof of life, so nobody is told of a death while there still is a
// mapping through which the dead could write. Watched from outside, at every system call.
#include "pool/support.hpp"
#include "support/process.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <fstream>
#include <memory>
#include <string>

#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

BOOST_AUTO_TEST_SUITE(pool_detach_order)

using namespace ss;
using namespace ss::test;

namespace {

/// True if the process has a mapping of the file through which it can write.
bool can_write(pid_t process, const std::filesystem::path& path) {
    std::ifstream maps("/proc/" + std::to_string(process) + "/maps");
    for (std::string line; std::getline(maps, line);)
        if (line.find("rw-s") != std::string::npos && line.find(path.string()) != std::string::npos) return true;
    return false;
}

} // namespace

BOOST_AUTO_TEST_CASE(the_data_goes_first_and_the_proof_of_life_last) {
    const Watchdog dog(30, "a detach, call by call");
    const TempDir directory;
    const auto path = directory / "pool";
    const Pool pool(path, small_pool);
    const Token token = make_token(1, 1); // of the next who attaches
    const pid_t child = ::fork();
    if (child == 0) {
        auto mine = std::make_unique<Pool>(path);
        if (token_of(*mine) != token) ::_exit(1);
        if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(exit_skipped);
        ::syscall(SYS_kill, ::getpid(), SIGSTOP);
        mine.reset();
        ::syscall(SYS_exit_group, 0);
    }
    Process owner = Process::adopt(child);
    int status = 0;
    BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == exit_skipped) skip("ptrace is not permitted");
    BOOST_REQUIRE((WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP));
    BOOST_TEST(can_write(child, path));
    BOOST_TEST(!is_dead(pool, token));
    unsigned with_both = 0, alive_without_data = 0, dead = 0, dead_with_data = 0;
    for (;;) {
        BOOST_REQUIRE(::ptrace(PTRACE_SYSCALL, child, nullptr, 0) == 0);
        BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
        if (!WIFSTOPPED(status)) break;
        const bool gone = is_dead(pool, token), mapped = can_write(child, path);
        ++(gone ? mapped ? dead_with_data : dead : mapped ? with_both : alive_without_data);
    }
    BOOST_TEST((WIFEXITED(status) && WEXITSTATUS(status) == 0));
    BOOST_TEST(dead_with_data == 0U);
    BOOST_TEST(with_both > 0U);
    BOOST_TEST(alive_without_data > 0U);
    BOOST_TEST(dead > 0U);
}

BOOST_AUTO_TEST_SUITE_END()
