// The benchmark of a queue: one text for all contestants. A producer and one or two consumers are processes; what lies
// between them is the contestant, as an adapter:
//
//     Adapter(directory, size)     makes a queue for items of that many bytes, in the parent of all
//     handle()                     what a process works through, made after the fork:
//         void push(item)          waits while there is no room
//         void pop(item)           waits for one, and copies it to a std::string
//     and its destructor takes away what is left in the system
//
// An item is its number and a pattern that follows from it. Every item must arrive once, whole, and at each consumer in the
// order of the numbers; the last ones, without a number, say that it is over.
#pragma once

#include "crew.hpp"
#include "measure.hpp"
#include "shared.hpp"
#include "worker.hpp"
#include "workload.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/resource.h>

namespace bench {

inline constexpr std::array<std::size_t, 5> item_sizes = {16, 64, 256, 1024, 4096};

/// Classes of wakes, by how long they took.
inline constexpr std::size_t wake_classes =
    static_cast<std::size_t>(Measure::wakes_longer) - static_cast<std::size_t>(Measure::wakes_to_4) + 1;

/// How many items a queue has room for, where one can say so.
inline constexpr std::size_t queue_capacity = 1024;

namespace detail {

class Items {
public:
    static constexpr std::uint64_t end = ~std::uint64_t{0};

    explicit Items(std::size_t size) {
        for (std::size_t i = 0; i < patterns_.size(); ++i)
            for (std::size_t byte = 0; byte < size; ++byte)
                patterns_[i] += static_cast<char>(scramble(i * size + byte));
    }

    /// Good until the next call.
    [[nodiscard]] std::string_view make(std::uint64_t number) noexcept {
        std::string& item = patterns_[number % patterns_.size()];
        std::memcpy(item.data(), &number, sizeof number);
        return item;
    }

    /// The number of an item. Throws if its bytes are not those that were made.
    [[nodiscard]] std::uint64_t check(std::string_view item) const {
        std::uint64_t number = 0;
        expect(item.size() >= sizeof number, "an item was cut short");
        std::memcpy(&number, item.data(), sizeof number);
        const std::string& pattern = patterns_[number % patterns_.size()];
        expect(item.substr(sizeof number) == std::string_view(pattern).substr(sizeof number),
               "an item has other bytes");
        return number;
    }

private:
    std::array<std::string, 8> patterns_;
};

/// One run of a producer and its consumers.
struct QueueRun {
    explicit QueueRun(unsigned processes) noexcept : barrier(processes) {}

    Barrier barrier;
    SteadyClock::time_point begin;
    std::array<SteadyClock::time_point, 2> ends;
    std::array<std::uint64_t, 2> counts{};
    std::array<std::uint64_t, 2> sums{};
    std::array<double, 1000> wakes{};
};

/// All of the numbers below `items` arrive: by their count, and by a sum that one number twice instead of another changes.
inline void consume(auto handle, std::size_t size, QueueRun& run, unsigned index) {
    const Items items(size);
    std::string item;
    std::uint64_t count = 0, sum = 0, next = 0;
    run.barrier.arrive_and_wait();
    for (;;) {
        handle.pop(item);
        const std::uint64_t number = items.check(item);
        if (number == Items::end) break;
        expect(number >= next, "an item came twice, or after a later one");
        next = number + 1;
        ++count;
        sum += scramble(number);
    }
    run.ends.at(index) = SteadyClock::now();
    run.counts.at(index) = count;
    run.sums.at(index) = sum;
}

inline void produce(auto handle, std::size_t size, QueueRun& run, std::uint64_t count, unsigned consumers) {
    Items items(size);
    run.barrier.arrive_and_wait();
    run.begin = SteadyClock::now();
    for (std::uint64_t number = 0; number < count; ++number) handle.push(items.make(number));
    for (unsigned i = 0; i < consumers; ++i) handle.push(items.make(Items::end));
}

/// Of all children that have ended.
[[nodiscard]] inline double processor_time() noexcept {
    rusage usage{};
    ::getrusage(RUSAGE_CHILDREN, &usage);
    const auto nanoseconds_of = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_usec) * 1e3;
    };
    return nanoseconds_of(usage.ru_utime) + nanoseconds_of(usage.ru_stime);
}

/// Nanoseconds for each item: from the first push until the last consumer's end, or all that the processes have worked.
template <class Adapter>
[[nodiscard]] double run_items(const std::filesystem::path& directory, std::size_t size, std::uint64_t count,
                               unsigned consumers, Clock clock) {
    const double worked = processor_time();
    const Shared<QueueRun> run(consumers + 1);
    Adapter adapter(directory, size);
    launch(Sharing::processes, consumers + 1, [&](auto work) {
        work([&](unsigned index) {
            if (index == consumers)
                produce(adapter.handle(), size, *run, count, consumers);
            else
                consume(adapter.handle(), size, *run, index);
        });
    });
    std::uint64_t sum = 0;
    for (std::uint64_t number = 0; number < count; ++number) sum += scramble(number);
    expect(run->counts[0] + run->counts[1] == count && run->sums[0] + run->sums[1] == sum,
           "not every item arrived once");
    const auto end = *std::max_element(run->ends.begin(), run->ends.begin() + consumers);
    const double time = clock == Clock::wall ? nanoseconds(end - run->begin) : processor_time() - worked;
    return time / static_cast<double>(count);
}

/// How long it takes from a push until a consumer that sleeps has the item: sorted.
template <class Adapter>
[[nodiscard]] std::vector<double> run_wakes(const std::filesystem::path& directory, std::size_t count) {
    const Shared<QueueRun> run(2U);
    count = std::min(count, run->wakes.size());
    Adapter adapter(directory, sizeof(SteadyClock::time_point));
    launch(Sharing::processes, 2, [&](auto work) {
        work([&](unsigned index) {
            auto handle = adapter.handle();
            std::string item(sizeof(SteadyClock::time_point), '\0');
            run->barrier.arrive_and_wait();
            for (std::size_t i = 0; i < count; ++i) {
                if (index == 0) {
                    std::this_thread::sleep_for(std::chrono::milliseconds(1)); // by then it sleeps
                    const auto now = SteadyClock::now();
                    std::memcpy(item.data(), &now, sizeof now);
                    handle.push(item);
                } else {
                    handle.pop(item);
                    SteadyClock::time_point pushed;
                    std::memcpy(&pushed, item.data(), sizeof pushed);
                    run->wakes.at(i) = nanoseconds(SteadyClock::now() - pushed);
                }
            }
        });
    });
    std::vector<double> wakes(run->wakes.begin(), run->wakes.begin() + static_cast<std::ptrdiff_t>(count));
    std::sort(wakes.begin(), wakes.end());
    return wakes;
}

/// A histogram of them: what took up to 4 us, up to 8, … up to 256, and longer, of a hundred.
inline void count_wakes(const std::vector<double>& wakes, Figures& figures) {
    const double one = 100.0 / static_cast<double>(wakes.size());
    for (std::size_t i = 0; i < wake_classes; ++i) figures[plus(Measure::wakes_to_4, i)] = 0;
    for (const double wake : wakes) {
        std::size_t i = 0;
        while (i + 1 < wake_classes && wake > static_cast<double>(std::size_t{4000} << i)) ++i;
        figures[plus(Measure::wakes_to_4, i)] += one;
    }
}

} // namespace detail

/// One run of one contestant.
template <class Adapter>
[[nodiscard]] Figures run_queue(const Workload& workload, const std::filesystem::path& directory) {
    const std::uint64_t count = workload.settings().keys;
    Figures figures;
    for (std::size_t i = 0; i < item_sizes.size(); ++i) {
        const auto run = [&](unsigned consumers) {
            return detail::run_items<Adapter>(directory, item_sizes[i], count, consumers, workload.settings().clock);
        };
        figures[plus(Measure::queue_16, i)] = run(1);
        figures[plus(Measure::queue_two_16, i)] = run(2);
    }
    const std::vector<double> wakes = detail::run_wakes<Adapter>(directory, count / 30);
    figures[Measure::wake_50] = wakes[wakes.size() / 2];
    figures[Measure::wake_90] = wakes[wakes.size() * 9 / 10];
    figures[Measure::wake_99] = wakes[wakes.size() * 99 / 100];
    figures[Measure::wake_worst] = wakes.back();
    detail::count_wakes(wakes, figures);
    return figures;
}

/// What of it is shown.
[[nodiscard]] inline std::vector<Table> queue_tables(unsigned) {
    const auto columns = [](Measure first) {
        std::vector<Table::Column> all;
        for (std::size_t i = 0; i < item_sizes.size(); ++i)
            all.push_back({std::to_string(item_sizes[i]) + " bytes", plus(first, i)});
        return all;
    };
    std::vector<Table::Column> wakes;
    for (std::size_t i = 0; i + 1 < wake_classes; ++i)
        wakes.push_back({"to " + std::to_string(4 << i) + " us", plus(Measure::wakes_to_4, i)});
    wakes.push_back({"longer", Measure::wakes_longer});
    return {{"ns per item, one consumer", columns(Measure::queue_16), true},
            {"ns per item, two consumers", columns(Measure::queue_two_16), true},
            {"ns from a push until a consumer that slept has the item",
             {{"median", Measure::wake_50},
              {"of 90 %", Measure::wake_90},
              {"of 99 %", Measure::wake_99},
              {"worst", Measure::wake_worst}}},
            {"such wakes, of a hundred", wakes}};
}

} // namespace bench
