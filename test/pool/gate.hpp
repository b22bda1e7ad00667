// A gate that many processes wait at, asleep in the kernel, until it opens for all of them.
#pragma once

#include <array>
#include <stdexcept>

#include <fcntl.h>
#include <unistd.h>

namespace ss::test {

/// Make it before the fork.
class Gate {
public:
    Gate() {
        if (::pipe2(ends_.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe for a gate");
    }

    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;

    ~Gate() {
        open();
        ::close(ends_[0]);
    }

    /// In a child: returns when the maker opens the gate or dies.
    void wait() {
        open(); // our copy of the end, which would keep the gate closed
        char byte = 0;
        while (::read(ends_[0], &byte, 1) != 0) {}
    }

    /// In the maker, once the children are made.
    void open() {
        if (ends_[1] >= 0) ::close(ends_[1]);
        ends_[1] = -1;
    }

private:
    std::array<int, 2> ends_{-1, -1};
};

} // namespace ss::test
