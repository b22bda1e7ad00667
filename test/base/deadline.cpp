// Moments to wait until, from durations that nobody should ask for too.
#include <ss/base/deadline.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>

BOOST_AUTO_TEST_SUITE(base_deadline)

using namespace ss;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_CASE(a_deadline_is_so_far_from_now) {
    const auto before = std::chrono::steady_clock::now();
    const Deadline deadline = deadline_after(1500ms);
    const auto after = std::chrono::steady_clock::now();
    BOOST_TEST((deadline >= before + 1500ms));
    BOOST_TEST((deadline <= after + 1500ms));
}

BOOST_AUTO_TEST_CASE(what_the_clock_does_not_reach_is_never) {
    BOOST_TEST((deadline_after(std::chrono::milliseconds::max()) == Deadline::max()));
    BOOST_TEST((deadline_after(std::chrono::hours(24 * 365 * 1000)) == Deadline::max()));
    BOOST_TEST((deadline_after(std::chrono::hours(24 * 365 * 100)) < Deadline::max()));
}

BOOST_AUTO_TEST_CASE(what_lies_in_the_past_is_now) {
    for (const auto duration : {0ms, -1ms, std::chrono::milliseconds::min()}) {
        const auto before = std::chrono::steady_clock::now();
        const Deadline deadline = deadline_after(duration);
        BOOST_TEST((deadline >= before && deadline <= std::chrono::steady_clock::now()));
    }
}

BOOST_AUTO_TEST_SUITE_END()
