// What one worker does in one run: the phases that all kinds of structures have. A benchmark puts them in order, and
// adds its own.
//
// An adapter has
//
//     static constexpr Sharing sharing         processes or threads
//     static constexpr bool single             true if only one worker may use it
//     Adapter(directory)                       makes an empty structure, or opens it; once in each process
//     void attached()                          all workers have made theirs
//     handle()                                 what one worker works through:
//         bool insert(key, value)              inserts or overwrites; true if the key is new
//         const std::string* find(key)         a copy of the value, good until the next call; null if there is none
//         bool erase(key)                      false if there is none; if the contestant can erase
//         void finish()                        does what is still left to do; if there is such a thing
//     Memory memory()
//
// What a phase returns is checked against what the workload says must come of it: a structure that is fast because it
// loses entries ends the benchmark, and no result can be optimised away.
#pragma once

#include "crew.hpp"
#include "measure.hpp"
#include "shared.hpp"
#include "workload.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <time.h>
#include <utility>
#include <vector>

namespace bench {

namespace detail {

using SteadyClock = std::chrono::steady_clock; // the same in all processes of a machine

[[nodiscard]] inline double nanoseconds(SteadyClock::duration time) noexcept {
    return std::chrono::duration<double, std::nano>(time).count();
}

[[nodiscard]] inline double now(Clock clock) noexcept {
    if (clock == Clock::wall) return nanoseconds(SteadyClock::now().time_since_epoch());
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

/// One run, as its workers share it.
struct Run {
    explicit Run(unsigned workers) noexcept : barrier(workers) {}

    struct Span {
        double begin = 0, end = 0; ///< as `now` tells it
    };

    Barrier barrier;
    std::array<Span, most_processes> spans;
    Figures figures;
};

} // namespace detail

inline void expect(bool holds, const char* what) {
    if (!holds) throw std::runtime_error(std::string("the structure is wrong: ") + what);
}

/// One worker in one run. The first does what one does alone, while the others sleep at a barrier.
template <class Adapter>
class Worker {
    using Handle = decltype(std::declval<Adapter&>().handle());

public:
    Worker(const Workload& workload, detail::Run& run, unsigned index, unsigned workers, Adapter& adapter)
        : workload_(&workload), run_(&run), index_(index), workers_(workers), adapter_(&adapter),
          handle_(adapter.handle()) {}

    [[nodiscard]] bool is_first() const noexcept { return index_ == 0; }
    [[nodiscard]] const Workload& workload() const noexcept { return *workload_; }
    [[nodiscard]] Handle& handle() noexcept { return handle_; }

    /// Notes the nanoseconds for each of so many operations.
    template <class F>
    void time(Measure measure, std::uint64_t operations, F f) {
        const Clock clock = workload_->settings().clock;
        const double begin = detail::now(clock);
        f();
        finish();
        run_->figures[measure] = (detail::now(clock) - begin) / static_cast<double>(operations);
    }

    void note(Measure measure, double figure) noexcept { run_->figures[measure] = figure; }

    // --- for the first one alone

    /// The memory that all entries take is looked at before and after.
    void insert() {
        const Strings& keys = workload_->inserts();
        std::uint64_t fresh = 0;
        const Memory before = adapter_->memory();
        time(Measure::insert, keys.count(), [&] {
            for (std::uint64_t i = 0; i < keys.count(); ++i) fresh += handle_.insert(keys[i], workload_->value(i));
        });
        const Memory after = adapter_->memory();
        const auto entries = static_cast<double>(keys.count());
        run_->figures[Measure::bytes_allocated] = (after.allocated - before.allocated) / entries;
        run_->figures[Measure::bytes_taken] = (after.taken - before.taken) / entries;
        expect(fresh == keys.count(), "an inserted key was there already");
    }

    void get_hit() {
        const Strings& keys = workload_->hits();
        std::uint64_t hits = 0, sum = 0;
        time(Measure::get_hit, keys.count(), [&] {
            for (std::uint64_t i = 0; i < keys.count(); ++i) {
                const std::string* const value = handle_.find(keys[i]);
                if (value == nullptr) continue;
                ++hits;
                sum += digest(*value);
            }
        });
        expect(hits == keys.count() && sum == workload_->digest_of_all(), "what was inserted is not what is found");
    }

    void get_miss() {
        const Strings& keys = workload_->misses();
        std::uint64_t hits = 0;
        time(Measure::get_miss, keys.count(), [&] {
            for (std::uint64_t i = 0; i < keys.count(); ++i) hits += handle_.find(keys[i]) != nullptr;
        });
        expect(hits == 0, "a key was found that nobody inserted");
    }

    void overwrite() {
        const Strings& keys = workload_->overwrites();
        std::uint64_t fresh = 0;
        time(Measure::overwrite, keys.count(), [&] {
            for (std::uint64_t i = 0; i < keys.count(); ++i)
                fresh += handle_.insert(keys[i], workload_->other_value(i));
        });
        expect(fresh == 0, "an overwritten key was missing");
    }

    void erase() {
        if constexpr (requires(Handle & handle) { handle.erase(std::string_view()); }) {
            const Strings& keys = workload_->erases();
            std::uint64_t erased = 0;
            time(Measure::erase, keys.count(), [&] {
                for (std::uint64_t i = 0; i < keys.count(); ++i) erased += handle_.erase(keys[i]);
            });
            expect(erased == keys.count(), "an erased key was missing");
            for (std::uint64_t i = 0; i < keys.count(); i += 97)
                expect(handle_.find(keys[i]) == nullptr, "an erased key was found");
            finish();
        }
    }

    // --- for all

    /// Reads and overwrites of keys that are there, by one worker, two, four … and all, for each of the first shares of
    /// reads. The figure is the time by the operations of all: with two workers that do not disturb each other it is half
    /// of one worker's. Who is not in the crew sleeps.
    void mixed(Picks picks, std::size_t shares) {
        meet();
        // What a process maps it must first fault in; those that slept until now do so here.
        if (!is_first()) mix(picks, 100);
        const std::vector<unsigned> crews = crews_of(workers_);
        for (std::size_t crew = 0; crew < crews.size(); ++crew)
            for (std::size_t share = 0; share < shares; ++share) {
                const Clock clock = crews[crew] == 1 ? workload_->settings().clock : Clock::wall;
                meet();
                if (index_ < crews[crew]) {
                    run_->spans[index_].begin = detail::now(clock);
                    mix(picks, read_shares.at(share));
                    run_->spans[index_].end = detail::now(clock);
                }
                meet();
                if (is_first()) run_->figures[mixed_by({picks, share, crew})] = time_of_crew(crews[crew]);
            }
    }

private:
    void meet() noexcept { run_->barrier.arrive_and_wait(); }

    void finish() {
        if constexpr (requires { handle_.finish(); }) handle_.finish();
    }

    /// Nanoseconds for each operation of the first `crew` workers, from the first one's begin to the last one's end.
    [[nodiscard]] double time_of_crew(unsigned crew) const {
        double begin = run_->spans[0].begin, end = run_->spans[0].end;
        for (unsigned worker = 1; worker < crew; ++worker) {
            begin = std::min(begin, run_->spans.at(worker).begin);
            end = std::max(end, run_->spans.at(worker).end);
        }
        return (end - begin) / static_cast<double>(crew * workload_->settings().keys);
    }

    void mix(Picks picks, unsigned reads) {
        const Strings& keys = workload_->mixed(picks, index_);
        std::uint64_t done = 0;
        for (std::uint64_t i = 0; i < keys.count(); ++i) {
            if (workload_->is_read(i, reads)) {
                const std::string* const value = handle_.find(keys[i]);
                done += value != nullptr && value->size() == workload_->settings().value_size;
            } else {
                done += !handle_.insert(keys[i], workload_->value(i));
            }
        }
        finish();
        expect(done == keys.count(), "a key was missing, or a value cut short");
    }

    const Workload* workload_;
    detail::Run* run_;
    unsigned index_;
    unsigned workers_;
    Adapter* adapter_;
    Handle handle_;
};

/// One run of one contestant, in processes of its own: phases(worker) in each worker. Throws std::runtime_error if it
/// went wrong.
template <class Adapter, class Phases>
[[nodiscard]] Figures run_workers(const Workload& workload, const std::filesystem::path& directory, Phases phases) {
    const unsigned workers = Adapter::single ? 1 : workload.settings().processes;
    const Shared<detail::Run> run(workers);
    launch(Adapter::sharing, workers, [&](auto run_all) {
        Adapter adapter(directory);
        run_all([&](unsigned index) {
            run->barrier.arrive_and_wait();
            if (index == 0) adapter.attached();
            Worker worker(workload, *run, index, workers, adapter);
            phases(worker);
        });
    });
    return run->figures;
}

} // namespace bench
