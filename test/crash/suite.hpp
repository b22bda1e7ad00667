// How a test case explores a scenario.
#pragma once

#include "crash/explore.hpp"
#include "support/sanitizer.hpp"
#include "support/skip.hpp"

#include <boost/test/unit_test.hpp>

#include <iostream>
#include <type_traits>

namespace ss::test {

/// Under sanitizers most of what would be stepped is their own work.
inline void skip_under_sanitizers() {
    if (slowness > 1) skip("single-stepping a sanitizer steps through its runtime");
}

/// Explores all states, prints a line of the table, and fails the test case if any state is bad.
inline void explore(const Scenario& scenario, const Effort& effort = Effort::brief()) {
    static const bool headed = (Report::print_heading(), true);
    (void)headed;
    const Report report = Exploration(scenario, effort).run();
    std::cout << report.line() << std::endl;
    BOOST_TEST(report.bad == 0U);
}

/// Explores each scenario of make(std::type_identity<Profile>{}). A template, so that a build with a sanitizer does not
/// even form what it would not run.
template <class Profile, class Make>
void explore_all(Make make, const Effort& effort = Effort::brief()) {
    skip_under_sanitizers();
    if constexpr (slowness == 1)
        for (const Scenario& scenario : make(std::type_identity<Profile>{})) explore(scenario, effort);
}

} // namespace ss::test
