// The benchmark of a death: a process is killed in the middle of a change, and another one wants to change something. An
// adapter is one that worker.hpp describes, whose handle also has
//
//     void change(key, value, f)               inserts in a transaction that f() is called in the middle of
//
// Two figures: what the first insert takes after the dead process is gone, where one takes the lock over and undoes what was
// half done; and how long one who already waits for the lock goes on waiting, from the kill on.
#pragma once

#include "crew.hpp"
#include "measure.hpp"
#include "shared.hpp"
#include "worker.hpp"
#include "workload.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <thread>
#include <vector>

namespace bench {

namespace detail {

inline constexpr std::size_t deaths = 15;

struct RecoveryRun {
    Barrier barrier{2}; ///< who kills, and who lives
    std::atomic<bool> held = false;
    SteadyClock::time_point killed, done;
};

/// The one who is killed; with the lock, and a change half done.
template <class Adapter>
[[nodiscard]] pid_t start_victim(const Workload& workload, const std::filesystem::path& directory, RecoveryRun& run) {
    run.held.store(false);
    const pid_t victim = fork_and_run([&] {
        Adapter adapter(directory);
        auto handle = adapter.handle();
        handle.change(workload.misses()[0], workload.value(0), [&] {
            run.held.store(true);
            for (;;) ::pause();
        });
    });
    while (!run.held.load()) {
        expect(::waitpid(victim, nullptr, WNOHANG) == 0, "who is to be killed ended before");
        std::this_thread::yield();
    }
    return victim;
}

inline void kill(pid_t victim, RecoveryRun& run) {
    run.killed = SteadyClock::now();
    ::kill(victim, SIGKILL);
    ::waitpid(victim, nullptr, 0);
}

/// What the one who lives does, each time when the other one is ready.
template <class Adapter>
void survive(const Workload& workload, const std::filesystem::path& directory, RecoveryRun& run) {
    Adapter adapter(directory);
    auto handle = adapter.handle();
    const Strings& keys = workload.inserts();
    for (std::uint64_t i = 0; i < keys.count(); ++i) handle.insert(keys[i], workload.value(i));
    run.barrier.arrive_and_wait();
    for (std::size_t i = 0; i < 2 * deaths; ++i) {
        run.barrier.arrive_and_wait();
        if (i < deaths) run.killed = SteadyClock::now(); // it is dead already
        expect(!handle.insert(keys[i], workload.other_value(i)), "an overwritten key was missing");
        run.done = SteadyClock::now();
        expect(handle.find(workload.misses()[0]) == nullptr, "half a change has happened");
        run.barrier.arrive_and_wait();
    }
}

} // namespace detail

/// One run of one contestant.
template <class Adapter>
[[nodiscard]] Figures run_recovery(const Workload& workload, const std::filesystem::path& directory) {
    const Shared<detail::RecoveryRun> run;
    const std::filesystem::path files = directory / "recovery";
    std::filesystem::create_directory(files);
    const pid_t survivor = detail::fork_and_run([&] { detail::survive<Adapter>(workload, files, *run); });
    std::array<std::vector<double>, 2> times;
    run->barrier.arrive_and_wait();
    for (std::size_t i = 0; i < 2 * detail::deaths; ++i) {
        const bool waits = i >= detail::deaths;
        const pid_t victim = detail::start_victim<Adapter>(workload, files, *run);
        if (!waits) detail::kill(victim, *run);
        run->barrier.arrive_and_wait();
        if (waits) {
            std::this_thread::sleep_for(std::chrono::milliseconds(20)); // by then it waits
            detail::kill(victim, *run);
        }
        run->barrier.arrive_and_wait();
        times.at(waits ? 1 : 0).push_back(detail::nanoseconds(run->done - run->killed));
    }
    detail::wait_for_all({survivor});
    std::filesystem::remove_all(files);
    const auto middle = [](std::vector<double>& all) {
        std::sort(all.begin(), all.end());
        return all[all.size() / 2];
    };
    Figures figures;
    figures[Measure::recovery_next] = middle(times[0]);
    figures[Measure::recovery_waiting] = middle(times[1]);
    figures[Measure::recovery_worst] = times[1].back();
    return figures;
}

/// What of it is shown.
[[nodiscard]] inline std::vector<Table> recovery_tables(unsigned) {
    return {{"ns until an insert is done that comes after a death in the middle of another one, or waits for it",
             {{"comes after", Measure::recovery_next},
              {"waits", Measure::recovery_waiting},
              {"waits, worst", Measure::recovery_worst}}}};
}

} // namespace bench
