// A kernel that has no room for more, or no disk that works.
#pragma once

#include <ss/os/kernel.hpp>

namespace ss::test {

/// While one lives, the `at`-th fallocate from now on, and all after it if `for_good`, fails with `code`.
class Refusal {
public:
    Refusal(int at, int code, bool for_good) {
        left_ = at;
        code_ = code;
        for_good_ = for_good;
        refused_ = 0;
        os::refuse = +[](os::Call call) {
            if (call != os::Call::fallocate) return 0;
            if (--left_ > 0 || (left_ < 0 && !for_good_)) return 0;
            ++refused_;
            return code_;
        };
    }
    Refusal(const Refusal&) = delete;
    Refusal& operator=(const Refusal&) = delete;
    ~Refusal() { os::refuse = nullptr; }

    [[nodiscard]] static int refused() noexcept { return refused_; }

private:
    static inline int left_ = 0;
    static inline int code_ = 0;
    static inline int refused_ = 0;
    static inline bool for_good_ = false;
};

} // namespace ss::test
