// Sleeping on a word that processes share.
#include <ss/os/futex.hpp>

#include "support/barrier.hpp"
#include "support/process.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

BOOST_AUTO_TEST_SUITE(os_futex)

using namespace ss;
using namespace ss::test;
using namespace std::chrono_literals;

namespace {

std::chrono::steady_clock::duration time_of(auto&& f) {
    const auto before = std::chrono::steady_clock::now();
    f();
    return std::chrono::steady_clock::now() - before;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_wake_reaches_another_process) {
    const Watchdog dog(30, "a futex");
    Shared<std::atomic<std::uint32_t>> word(0U);
    Shared<Counter> woken(0U);
    Process child([&] {
        while (*word == 0) os::futex_wait(*word, 0, 20s);
        *woken = 1;
    });
    ::usleep(20'000);
    BOOST_TEST(*woken == 0U);
    *word = 1;
    os::futex_wake(*word, 1);
    wait_until([&] { return *woken == 1; }, "the sleeper was not woken", 10);
    child.expect_clean();
}

BOOST_AUTO_TEST_CASE(nobody_sleeps_on_another_value_or_past_the_time) {
    std::atomic<std::uint32_t> word = 5;
    BOOST_TEST((time_of([&] { os::futex_wait(word, 4, 10s); }) < 5s));
    BOOST_TEST((time_of([&] { os::futex_wait(word, 5, 20ms); }) >= 20ms));
    BOOST_TEST((time_of([&] { os::sleep_for(20ms); }) >= 20ms));
}

BOOST_AUTO_TEST_SUITE_END()
