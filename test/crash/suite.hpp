// How a test case explores a scenario.
#pragma once

#include "crash/explore.hpp"
#include "support/sanitizer.hpp"
#include "support/skip.hpp"

#include <boost/test/unit_test.hpp>

namespace ss::test {

/// Explores all states, prints a line of the table, and fails the test case if any state is bad. Skipped under
/// sanitizers, whose own work is most of what would be stepped.
inline void explore(const Scenario& scenario, const Effort& effort = Effort::brief()) {
    if (slowness > 1) skip("single-stepping a sanitizer steps through its runtime");
    static const bool headed = (Report::print_heading(), true);
    (void)headed;
    const Report report = Exploration(scenario, effort).run();
    report.print();
    BOOST_TEST(report.bad == 0U);
}

} // namespace ss::test
