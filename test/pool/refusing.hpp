// A kernel that says no: the n-th call is refused, or all from the n-th on, or the process dies there.
#pragma once

#include <ss/os/kernel.hpp>

#include <csignal>

#include <unistd.h>

namespace ss::test {

/// Refuses calls through os::refuse while it lives. One at a time, and one thread.
class Refusing {
public:
    enum class How {
        once,      ///< the n-th call
        from_then, ///< the n-th and all of its kind after it
        kill,      ///< the process gets SIGKILL before the n-th
    };

    /// `error` is what the kernel is to have answered; n counts from 1.
    Refusing(unsigned n, int error, How how = How::once) {
        plan() = {.left = n, .error = error, .how = how, .met = false, .kind = os::Call::open};
        os::refuse.store(&answer);
    }

    Refusing(const Refusing&) = delete;
    Refusing& operator=(const Refusing&) = delete;

    ~Refusing() { os::refuse.store(nullptr); }

    /// True if there was an n-th call.
    [[nodiscard]] bool met() const { return plan().met; }

private:
    struct Plan {
        unsigned left;
        int error;
        How how;
        bool met;
        os::Call kind;
    };

    static Plan& plan() {
        static Plan instance{};
        return instance;
    }

    static int answer(os::Call call) {
        Plan& plan = Refusing::plan();
        if (plan.left > 0 && --plan.left == 0) {
            if (plan.how == How::kill) ::kill(::getpid(), SIGKILL);
            plan.met = true;
            plan.kind = call;
            return plan.error;
        }
        return plan.met && plan.how == How::from_then && plan.kind == call ? plan.error : 0;
    }
};

} // namespace ss::test
