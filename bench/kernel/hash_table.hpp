// The benchmark of a hash table: one text for all contestants, which come in as adapters.
//
// An adapter has
//
//     static constexpr Sharing sharing         processes or threads
//     static constexpr bool single             true if only one worker may use it
//     Adapter(directory)                       makes an empty table, or opens it; once in each process
//     void attached()                          all workers have made theirs
//     handle()                                 what one worker works through:
//         bool insert(key, value)              inserts or overwrites; true if the key is new
//         bool find_into(key, std::string&)    copies the value; false if there is none
//         bool erase(key)                      false if there is none
//         void empty_transaction()             what a change costs that changes nothing; if there is such a thing
//     Memory memory()
//
// What a phase returns is checked against what the workload says must come of it: a table that is fast because it loses
// entries ends the benchmark, and no result can be optimised away.
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
#include <time.h>

namespace bench {

inline constexpr unsigned most_workers = 64;

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
        SteadyClock::time_point begin, end;
    };

    Barrier barrier;
    std::array<Span, most_workers> spans;
    Figures figures;
};

inline void expect(bool holds, const char* what) {
    if (!holds) throw std::runtime_error(std::string("the table is wrong: ") + what);
}

/// One worker in one run: worker 0 does what one does alone, while the others sleep at a barrier.
template <class Handle>
class Worker {
public:
    Worker(const Workload& workload, Run& run, unsigned index, unsigned workers, Handle& handle)
        : workload_(&workload), run_(&run), index_(index), workers_(workers), handle_(&handle) {}

    /// The phases up to the one that needs all entries; the memory they take is looked at before and after the insert.
    template <class MemoryOf>
    void run(MemoryOf memory) {
        if (index_ == 0) {
            const Memory before = memory();
            insert();
            const Memory after = memory();
            const auto entries = static_cast<double>(keys());
            run_->figures[Measure::bytes_allocated] = (after.allocated - before.allocated) / entries;
            run_->figures[Measure::bytes_taken] = (after.taken - before.taken) / entries;
            get_hit();
            get_miss();
            overwrite();
            in_cache();
            for (std::size_t i = 0; i < read_shares.size(); ++i)
                run_->figures[plus(Measure::mixed_100, i)] = timed(keys(), [&] { mixed(read_shares[i], keys()); });
        }
        run_->barrier.arrive_and_wait();
        if (workers_ > 1) crew_mixed();
        if (index_ == 0) erase();
    }

private:
    [[nodiscard]] std::uint64_t keys() const noexcept { return workload_->settings().keys; }

    /// Nanoseconds for each of so many operations.
    template <class F>
    [[nodiscard]] double timed(std::uint64_t operations, F f) const {
        const Clock clock = workload_->settings().clock;
        const double begin = now(clock);
        f();
        return (now(clock) - begin) / static_cast<double>(operations);
    }

    void insert() {
        const Strings& keys = workload_->inserts();
        std::uint64_t fresh = 0;
        run_->figures[Measure::insert] = timed(keys.count(), [&] {
            for (std::uint64_t i = 0; i < keys.count(); ++i) fresh += handle_->insert(keys[i], workload_->value(i));
        });
        expect(fresh == keys.count(), "an inserted key was there already");
    }

    void get_hit() {
        const Strings& keys = workload_->hits();
        std::uint64_t hits = 0, sum = 0;
        run_->figures[Measure::get_hit] = timed(keys.count(), [&] {
            for (std::uint64_t i = 0; i < keys.count(); ++i) {
                if (!handle_->find_into(keys[i], value_)) continue;
                ++hits;
                sum += digest(value_);
            }
        });
        expect(hits == keys.count() && sum == workload_->digest_of_all(), "what was inserted is not what is found");
    }

    void get_miss() {
        const Strings& keys = workload_->misses();
        std::uint64_t hits = 0;
        run_->figures[Measure::get_miss] = timed(keys.count(), [&] {
            for (std::uint64_t i = 0; i < keys.count(); ++i) hits += handle_->find_into(keys[i], value_);
        });
        expect(hits == 0, "a key was found that nobody inserted");
    }

    void overwrite() {
        const Strings& keys = workload_->overwrites();
        std::uint64_t fresh = 0;
        run_->figures[Measure::overwrite] = timed(keys.count(), [&] {
            for (std::uint64_t i = 0; i < keys.count(); ++i)
                fresh += handle_->insert(keys[i], workload_->other_value(i));
        });
        expect(fresh == 0, "an overwritten key was missing");
    }

    void erase() {
        const Strings& keys = workload_->erases();
        std::uint64_t erased = 0;
        run_->figures[Measure::erase] = timed(keys.count(), [&] {
            for (std::uint64_t i = 0; i < keys.count(); ++i) erased += handle_->erase(keys[i]);
        });
        expect(erased == keys.count(), "an erased key was missing");
        for (std::uint64_t i = 0; i < keys.count(); i += 97)
            expect(!handle_->find_into(keys[i], value_), "an erased key was found");
    }

    /// A few keys over and over: what the instructions cost, without the cache misses.
    void in_cache() {
        const Strings& keys = workload_->hits();
        const std::uint64_t rounds = std::max<std::uint64_t>(1, keys.count() / 2 / Workload::cached_keys);
        const auto repeat = [&](auto f) {
            for (std::uint64_t i = 0; i < Workload::cached_keys; ++i) f(i);
            return timed(rounds * Workload::cached_keys, [&] {
                for (std::uint64_t round = 0; round < rounds; ++round)
                    for (std::uint64_t i = 0; i < Workload::cached_keys; ++i) f(i + round);
            });
        };
        std::uint64_t hits = 0, fresh = 0;
        // `i + round`, so that what is written is another value than what is there.
        run_->figures[Measure::cached_get] =
            repeat([&](std::uint64_t i) { hits += handle_->find_into(keys[i % Workload::cached_keys], value_); });
        run_->figures[Measure::cached_overwrite] = repeat(
            [&](std::uint64_t i) { fresh += handle_->insert(keys[i % Workload::cached_keys], workload_->value(i)); });
        expect(hits == (rounds + 1) * Workload::cached_keys && fresh == 0, "a key was missing");
        if constexpr (requires { handle_->empty_transaction(); })
            run_->figures[Measure::empty_transaction] = repeat([&](std::uint64_t) { handle_->empty_transaction(); });
    }

    /// Reads and overwrites of keys that are there.
    void mixed(unsigned reads, std::uint64_t operations) {
        const Strings& keys = workload_->mixed(index_);
        std::uint64_t done = 0;
        for (std::uint64_t i = 0; i < operations; ++i) {
            if (workload_->is_read(i, reads))
                done += handle_->find_into(keys[i], value_) && value_.size() == workload_->settings().value_size;
            else
                done += !handle_->insert(keys[i], workload_->value(i));
        }
        expect(done == operations, "a key was missing, or a value cut short");
    }

    /// The same with all workers at once. The figure is the time by all their operations: with two workers that do not
    /// disturb each other it is half of one worker's.
    void crew_mixed() {
        // What a process maps it must first fault in; those that slept until now do so here.
        if (index_ != 0) mixed(100, keys());
        for (std::size_t i = 0; i < read_shares.size(); ++i) {
            run_->barrier.arrive_and_wait();
            run_->spans[index_].begin = SteadyClock::now();
            mixed(read_shares[i], keys());
            run_->spans[index_].end = SteadyClock::now();
            run_->barrier.arrive_and_wait();
            if (index_ != 0) continue;
            auto begin = run_->spans[0].begin, end = run_->spans[0].end;
            for (unsigned worker = 1; worker < workers_; ++worker) {
                begin = std::min(begin, run_->spans[worker].begin);
                end = std::max(end, run_->spans[worker].end);
            }
            run_->figures[plus(Measure::crew_mixed_100, i)] =
                nanoseconds(end - begin) / static_cast<double>(workers_ * keys());
        }
    }

    const Workload* workload_;
    Run* run_;
    unsigned index_;
    unsigned workers_;
    Handle* handle_;
    std::string value_;
};

} // namespace detail

/// One run of one contestant, in processes of its own. Throws std::runtime_error if it went wrong.
template <class Adapter>
[[nodiscard]] Figures run_hash_table(const Workload& workload, const std::filesystem::path& directory) {
    const unsigned workers = Adapter::single ? 1 : workload.settings().workers;
    const Shared<detail::Run> run(workers);
    launch(Adapter::sharing, workers, [&](auto run_workers) {
        Adapter adapter(directory);
        run_workers([&](unsigned index) {
            run->barrier.arrive_and_wait();
            if (index == 0) adapter.attached();
            auto handle = adapter.handle();
            detail::Worker worker(workload, *run, index, workers, handle);
            worker.run([&] { return adapter.memory(); });
        });
    });
    return run->figures;
}

} // namespace bench
