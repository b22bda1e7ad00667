// How a test says that it cannot run here, and why: no such kernel feature, no permission, no such file system.
//
// Skipping is loud. Every reason is printed as a line of its own that begins with "SKIP: ", and an executable in which
// any case was skipped ends with 77, which ctest reports as skipped, unless another case failed.
#pragma once

#include <string>
#include <utility>

namespace ss::test {

/// Exit code of a test executable that did not test all it could.
inline constexpr int exit_skipped = 77;

/// What `skip` throws. Not a std::exception, so that no test's own handler takes it.
struct Skip {
    std::string reason;
};

/// Ends the present test case as skipped; the other cases of the executable run. In a child made by Process it ends
/// the child, and Process::expect_clean then skips the case of the parent.
[[noreturn]] inline void skip(std::string reason) { throw Skip{std::move(reason)}; }

} // namespace ss::test
