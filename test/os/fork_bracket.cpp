// While a pool is being attached, fork() waits.
#include <ss/os/fork_bracket.hpp>

#include "support/barrier.hpp"
#include "support/process.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

BOOST_AUTO_TEST_SUITE(os_fork_bracket)

using namespace ss;
using namespace ss::test;

BOOST_AUTO_TEST_CASE(a_fork_waits_for_the_bracket_and_the_child_can_use_one) {
    const Watchdog dog(30, "a fork beside a bracket");
    std::atomic<bool> forked = false;
    std::thread forker;
    {
        const os::ForkBracket bracket;
        forker = std::thread([&] {
            const pid_t pid = ::fork();
            if (pid == 0) {
                { const os::ForkBracket again; }
                ::_exit(17);
            }
            forked = true;
            int status = 0;
            BOOST_TEST(::waitpid(pid, &status, 0) == pid);
            BOOST_TEST((WIFEXITED(status) && WEXITSTATUS(status) == 17));
        });
        ::usleep(50'000);
        BOOST_TEST(!forked.load());
    }
    forker.join();
    BOOST_TEST(forked.load());
    const os::ForkBracket parent_can_too;
}

BOOST_AUTO_TEST_SUITE_END()
