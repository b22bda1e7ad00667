// A test that hangs is a test that failed: the watchdog says what hung and aborts the process.
#pragma once

#include "support/sanitizer.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <unistd.h>

namespace ss::test {

/// Aborts this process with a message if it still lives after `seconds` (more under a sanitizer). Uses SIGALRM, so it
/// works whatever the threads wait for, needs no thread of its own, and a forked child is not watched until it makes a
/// Watchdog itself. They nest: an inner one suspends the outer one's clock.
class Watchdog {
public:
    explicit Watchdog(unsigned seconds, std::string_view what = "the test") {
        previous_message_ = message();
        message().say(what);
        struct sigaction action {};
        action.sa_handler = bark;
        ::sigemptyset(&action.sa_mask);
        ::sigaction(SIGALRM, &action, &previous_action_);
        previous_seconds_ = ::alarm(seconds * static_cast<unsigned>(slowness));
    }

    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

    ~Watchdog() {
        ::alarm(0);
        message() = previous_message_;
        ::sigaction(SIGALRM, &previous_action_, nullptr);
        ::alarm(previous_seconds_);
    }

private:
    // Made before the alarm, since a signal handler can neither format nor allocate.
    struct Message {
        std::array<char, 256> text{};
        std::size_t size = 0;

        void say(std::string_view what) noexcept {
            size = 0;
            append("watchdog: ");
            append(what.substr(0, 200));
            append(" hangs; aborting\n");
        }

        void append(std::string_view part) noexcept {
            const std::size_t count = std::min(part.size(), text.size() - size);
            std::memcpy(text.data() + size, part.data(), count);
            size += count;
        }
    };

    [[nodiscard]] static Message& message() noexcept {
        static Message instance;
        return instance;
    }

    static void bark(int) {
        [[maybe_unused]] const auto written = ::write(STDERR_FILENO, message().text.data(), message().size);
        struct sigaction action {};
        action.sa_handler = SIG_DFL;
        ::sigaction(SIGABRT, &action, nullptr);
        // Unblocks the signal, which raise() would leave blocked under ThreadSanitizer.
        std::abort();
    }

    Message previous_message_;
    struct sigaction previous_action_ {};
    unsigned previous_seconds_ = 0;
};

} // namespace ss::test
