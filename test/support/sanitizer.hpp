// Which sanitizer this executable is built with, for time limits and for the few tests that one of them cannot run.
#pragma once

#include <ss/base/word.hpp>

namespace ss::test {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool address_sanitizer = true;
#elif defined(__has_feature)
inline constexpr bool address_sanitizer = __has_feature(address_sanitizer);
#else
inline constexpr bool address_sanitizer = false;
#endif

/// How many times slower than an ordinary build this one may be: for time limits, never for what is checked.
inline constexpr int slowness = thread_sanitizer ? 10 : address_sanitizer ? 4 : 1;

} // namespace ss::test
