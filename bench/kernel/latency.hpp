// The benchmark of single inserts while a table grows from nothing: how long the slow ones take. The clock is read once
// for each, which is a part of all figures.
#pragma once

#include "worker.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace bench {

namespace detail {

template <class Adapter>
void insert_each(Worker<Adapter>& worker) {
    const Workload& workload = worker.workload();
    const Strings& keys = workload.inserts();
    const Clock clock = workload.settings().clock;
    std::vector<float> times(keys.count());
    std::uint64_t fresh = 0;
    double before = now(clock);
    for (std::uint64_t i = 0; i < keys.count(); ++i) {
        fresh += worker.handle().insert(keys[i], workload.value(i));
        const double after = now(clock);
        times[i] = static_cast<float>(after - before);
        before = after;
    }
    expect(fresh == keys.count(), "an inserted key was there already");
    for (std::uint64_t i = 0; i < keys.count(); i += 97)
        expect(worker.handle().find(keys[i]) != nullptr, "an inserted key is missing");

    std::sort(times.begin(), times.end());
    const auto note = [&](Measure measure, std::uint64_t share) {
        worker.note(measure, static_cast<double>(times[(times.size() - 1) * share / 10'000]));
    };
    note(Measure::insert_50, 5'000);
    note(Measure::insert_90, 9'000);
    note(Measure::insert_99, 9'900);
    note(Measure::insert_999, 9'990);
    note(Measure::insert_9999, 9'999);
    note(Measure::insert_worst, 10'000);
}

} // namespace detail

/// One run of one contestant.
template <class Adapter>
[[nodiscard]] Figures run_latency(const Workload& workload, const std::filesystem::path& directory) {
    return run_workers<Adapter>(workload, directory, [](auto& worker) {
        if (worker.is_first()) detail::insert_each(worker);
    });
}

/// What of it is shown.
[[nodiscard]] inline std::vector<Table> latency_tables(unsigned) {
    return {{"ns of single inserts into a table that grows from nothing",
             {{"half of them", Measure::insert_50},
              {"90 %", Measure::insert_90},
              {"99 %", Measure::insert_99},
              {"99.9 %", Measure::insert_999},
              {"99.99 %", Measure::insert_9999},
              {"all", Measure::insert_worst}}}};
}

} // namespace bench
