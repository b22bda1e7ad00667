// Without contention a lock costs no system call: counted by a tracer.
#include <ss/lock/futex_lock.hpp>
#include <ss/lock/null_lock.hpp>
#include <ss/lock/optimistic.hpp>
#include <ss/lock/robust_mutex.hpp>
#include <ss/lock/spin_lock.hpp>

#include "lock/user.hpp"
#include "support/process.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>

#include <csignal>

#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace ss;
using namespace ss::test;

namespace {

/// How many system calls `body` makes in a child, between prepare() and its end.
template <class Prepare, class Body>
int system_calls_of(Prepare prepare, Body body) {
    const Watchdog dog(30, "counting system calls");
    const pid_t child = ::fork();
    if (child == 0) {
        auto state = prepare();
        if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(exit_skipped);
        ::syscall(SYS_kill, ::getpid(), SIGSTOP); // counting begins after it
        body(state);
        ::syscall(SYS_exit_group, 0); // and ends here
    }
    Process owner = Process::adopt(child);
    int status = 0;
    BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == exit_skipped) skip("ptrace is not permitted");
    BOOST_REQUIRE((WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP));
    BOOST_REQUIRE(::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD) == 0);
    int stops = 0, signal = 0;
    for (;;) {
        BOOST_REQUIRE(::ptrace(PTRACE_SYSCALL, child, nullptr, signal) == 0);
        BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
        if (WIFEXITED(status)) break;
        BOOST_REQUIRE(WIFSTOPPED(status));
        const bool is_call = WSTOPSIG(status) == (SIGTRAP | 0x80);
        signal = is_call ? 0 : WSTOPSIG(status);
        stops += is_call ? 1 : 0;
    }
    BOOST_TEST(WEXITSTATUS(status) == 0);
    // The exit of kill(), an entry and an exit of each call, and the entry of exit_group(), which has no exit. Whether
    // the first shows depends on where the signal met the child.
    BOOST_TEST_MESSAGE(stops << " stops");
    return (stops - 1) / 2;
}

} // namespace

using Locks = boost::mpl::list<FutexLock, SpinLock, RobustMutex, NullLock, Optimistic<FutexLock>>;

BOOST_AUTO_TEST_CASE(the_counter_counts) {
    for (const int calls : {0, 1, 10})
        BOOST_TEST(system_calls_of([] { return 0; },
                                   [&](int) {
                                       for (int i = 0; i < calls; ++i) ::syscall(SYS_getppid);
                                   }) == calls);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(uncontended, L, Locks) {
    const TempDir directory;
    BOOST_TEST(system_calls_of([&] { return LockUser<L>(directory / "pool"); },
                               [](LockUser<L>& user) {
                                   for (int i = 0; i < 1000; ++i) {
                                       const LockResult result = i % 2 == 0 ? user.try_acquire() : user.acquire();
                                       if (result != LockResult::acquired) ::_exit(1);
                                       user.release();
                                   }
                               }) == 0);
}
