// Worker processes.
#pragma once

#include <functional>
#include <set>
#include <string>

#include <sys/types.h>

namespace word_count {

/// Starts processes and waits for them. What still runs when it ends is killed.
class Crew {
public:
    /// `work` is run by each worker, with its name.
    explicit Crew(std::function<void(const std::string& worker)> work) : work_(std::move(work)) {}

    Crew(const Crew&) = delete;
    Crew& operator=(const Crew&) = delete;
    ~Crew();

    /// Forks one more.
    void start();

    /// Returns when all have ended, and calls `meanwhile` every millisecond until then. Of those that are killed none is
    /// replaced but the last: somebody has to finish the work. Throws if one ends in any other way than well or by
    /// SIGKILL, and when this process is interrupted.
    void wait(const std::function<void()>& meanwhile);

private:
    std::function<void(const std::string&)> work_;
    std::set<pid_t> workers_;
    int started_ = 0;
};

} // namespace word_count
