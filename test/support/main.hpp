// What test/support/main.cpp keeps for the other support files.
#pragma once

#include <string_view>

namespace ss::test {

/// Checks of the present test case that have failed so far in this process.
[[nodiscard]] unsigned long failed_checks() noexcept;

/// Prints the line "SKIP: <test case>: <reason>".
void print_skip(std::string_view reason);

} // namespace ss::test
