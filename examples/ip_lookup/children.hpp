// Child processes who tell their parent that they have begun.
#pragma once

#include <array>
#include <cerrno>
#include <csignal>
#include <stdexcept>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace ip_lookup {

class Children {
public:
    Children() {
        if (::pipe(begun_.data()) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    }

    /// Returns true in the child, which is killed should its parent die.
    [[nodiscard]] bool fork() {
        const pid_t child = ::fork();
        if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
        if (child == 0)
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        else
            ++count_;
        return child == 0;
    }

    /// Called by a child.
    void tell_that_we_have_begun() const {
        if (::write(begun_[1], "", 1) != 1) throw std::runtime_error("nobody waits for us");
    }

    /// Called by the parent, once. Throws if a child ends before it has begun.
    void wait_until_all_have_begun() const {
        ::close(begun_[1]);
        char byte = 0;
        for (int i = 0; i < count_; ++i)
            if (::read(begun_[0], &byte, 1) != 1) throw std::runtime_error("a child has failed");
    }

    /// Waits until all have ended.
    [[nodiscard]] static bool all_succeed() {
        bool all_well = true;
        for (int status = 0; ::wait(&status) > 0;) all_well = all_well && status == 0;
        return all_well;
    }

private:
    std::array<int, 2> begun_{}; // a pipe: a byte for each child that has
    int count_ = 0;
};

} // namespace ip_lookup
