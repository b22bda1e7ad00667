// The benchmark of numbers that processes share: one text for all contestants. What holds the numbers is the contestant, as
// an adapter:
//
//     Adapter(directory, count)    makes so many numbers of 64 bits, in the parent of all
//     handle()                     what a process works through, made after the fork:
//         load(i)  store(i, value)  fetch_add(i, delta)     as std::atomic has them
//
// One process works alone, then two at once: at numbers picked at random from all, both at the same one, and each at one of
// its own. Every value that is loaded is checked, and so is every sum: an addition that is lost ends the benchmark.
#pragma once

#include "crew.hpp"
#include "keys.hpp"
#include "measure.hpp"
#include "shared.hpp"
#include "worker.hpp"
#include "workload.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace bench {

/// 32 KiB: what they cost is told apart from where they lie.
inline constexpr std::uint64_t number_count = 4096;

namespace detail {

/// One run of one or two processes, as they share it.
struct NumbersRun {
    explicit NumbersRun(unsigned processes) noexcept : barrier(processes) {}

    Barrier barrier;
    std::array<std::array<double, measure_count>, 2> times{}; ///< for each process, of one operation
};

/// One process in one run.
template <class Handle>
class NumbersWorker {
public:
    NumbersWorker(Handle handle, NumbersRun& run, unsigned index, unsigned processes, const Settings& settings)
        : handle_(handle), run_(&run), index_(index), processes_(processes), settings_(&settings), order_(period) {
        for (std::uint64_t i = 0; i < period; ++i) order_[i] = static_cast<std::uint32_t>(picked(index, i));
    }

    void alone_or_together(Measure load, Measure store, Measure add) {
        fill([](std::uint64_t number) { return scramble(number); });
        std::uint64_t sum = 0, expected = 0;
        for (std::uint64_t i = 0; i < settings_->keys; ++i) expected += scramble(number(i));
        for (std::uint64_t i = 0; i < number_count; ++i) (void)handle_.load(i); // faults its pages in
        time(load, [&](std::uint64_t i) { sum += handle_.load(number(i)); });
        expect(sum == expected, "a number is another than was stored");

        time(store, [&](std::uint64_t i) { handle_.store(number(i), i); });
        run_->barrier.arrive_and_wait();
        const std::uint64_t last = settings_->keys - 1, found = handle_.load(number(last));
        // Mine, or what the other one has stored after it.
        expect(found == last || (processes_ > 1 && found <= last && picked(1 - index_, found) == number(last)),
               "what was stored last is not there");

        add_up(add, [&](std::uint64_t i) { return number(i); });
    }

    void at_one(Measure add) {
        add_up(add, [](std::uint64_t) { return 0; });
    }
    void at_its_own(Measure add) {
        add_up(add, [own = index_ * std::uint64_t{8}](std::uint64_t) { return own; }); // cache lines of their own
    }

private:
    static constexpr std::uint64_t period = 1 << 16;

    /// At which number a process is at its operation `i`.
    [[nodiscard]] static std::uint64_t picked(unsigned index, std::uint64_t i) noexcept {
        return scramble(index * period + i % period) % number_count;
    }
    [[nodiscard]] std::uint64_t number(std::uint64_t i) const noexcept { return order_[i % period]; }

    /// By the first, while the others wait.
    template <class F>
    void fill(F value) {
        run_->barrier.arrive_and_wait();
        if (index_ == 0)
            for (std::uint64_t i = 0; i < number_count; ++i) handle_.store(i, value(i));
        run_->barrier.arrive_and_wait();
    }

    template <class F>
    void time(Measure measure, F operation) {
        run_->barrier.arrive_and_wait();
        const double begin = now(settings_->clock);
        for (std::uint64_t i = 0; i < settings_->keys; ++i) operation(i);
        run_->times.at(index_).at(static_cast<std::size_t>(measure)) =
            (now(settings_->clock) - begin) / static_cast<double>(settings_->keys);
    }

    /// Adds one to number which(i), again and again.
    template <class F>
    void add_up(Measure measure, F which) {
        fill([](std::uint64_t) { return 0; });
        std::uint64_t most = 0; // so that what fetch_add returns is wanted
        time(measure, [&](std::uint64_t i) { most |= handle_.fetch_add(which(i), 1); });
        run_->barrier.arrive_and_wait();
        std::uint64_t sum = 0;
        for (std::uint64_t i = 0; i < number_count; ++i) sum += handle_.load(i);
        expect(sum == processes_ * settings_->keys && most < 2 * sum, "an addition was lost");
    }

    Handle handle_;
    NumbersRun* run_;
    unsigned index_;
    unsigned processes_;
    const Settings* settings_;
    std::vector<std::uint32_t> order_; ///< picked(index_, 0 …)
};

} // namespace detail

/// One run of one contestant.
template <class Adapter>
[[nodiscard]] Figures run_numbers(const Workload& workload, const std::filesystem::path& directory) {
    Figures figures;
    for (const unsigned processes : {1U, 2U}) {
        const Shared<detail::NumbersRun> run(processes);
        Adapter adapter(directory, number_count);
        launch(Sharing::processes, processes, [&](auto work) {
            work([&](unsigned index) {
                detail::NumbersWorker worker(adapter.handle(), *run, index, processes, workload.settings());
                if (processes == 1) {
                    worker.alone_or_together(Measure::number_load, Measure::number_store, Measure::number_add);
                } else {
                    worker.alone_or_together(Measure::number_two_load, Measure::number_two_store,
                                             Measure::number_two_add);
                    worker.at_one(Measure::number_two_one_add);
                    worker.at_its_own(Measure::number_two_own_add);
                }
            });
        });
        for (std::size_t i = 0; i < measure_count; ++i)
            if (run->times[0].at(i) != 0)
                figures.values.at(i) = (run->times[0].at(i) + run->times[processes - 1].at(i)) / 2;
    }
    return figures;
}

/// What of it is shown.
[[nodiscard]] inline std::vector<Table> number_tables(unsigned) {
    return {{"ns per operation, one process, random numbers of 4096",
             {{"load", Measure::number_load}, {"store", Measure::number_store}, {"fetch_add", Measure::number_add}}},
            {"ns per operation of each of two processes at once",
             {{"load", Measure::number_two_load},
              {"store", Measure::number_two_store},
              {"fetch_add", Measure::number_two_add},
              {"fetch_add, both the same", Measure::number_two_one_add},
              {"fetch_add, each its own", Measure::number_two_own_add}}}};
}

} // namespace bench
