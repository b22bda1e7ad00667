// The benchmark of an ordered map: one text for all contestants, which come in as the adapters that worker.hpp
// describes. A handle also has
//
//     void scan(f)                             f(key, value), string_views, for each entry in the order of keys
//     void walk(from, steps, f)                the same for the first `steps` entries whose keys are not before `from`,
//                                              with as many steps of what the contestant has for that
#pragma once

#include "worker.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {

namespace detail {

template <class Adapter>
void scan(Worker<Adapter>& worker) {
    const WalkSum& expected = worker.workload().sum_of_all();
    WalkSum sum;
    worker.time(Measure::scan, expected.entries(), [&] {
        worker.handle().scan([&](std::string_view key, std::string_view value) { sum.add(key, value); });
    });
    expect(sum == expected, "a scan is not what was inserted, in order");
}

template <class Adapter>
void walk(Worker<Adapter>& worker) {
    const Strings& walks = worker.workload().walks();
    WalkSum sum;
    worker.time(Measure::walk, walks.count(), [&] {
        for (std::uint64_t i = 0; i < walks.count(); ++i)
            worker.handle().walk(walks[i], Workload::walk_steps,
                                 [&](std::string_view key, std::string_view value) { sum.add(key, value); });
    });
    expect(sum == worker.workload().sum_of_walks(), "a walk is not what was inserted, in order");
}

} // namespace detail

/// One run of one contestant.
template <class Adapter>
[[nodiscard]] Figures run_ordered_map(const Workload& workload, const std::filesystem::path& directory) {
    return run_workers<Adapter>(workload, directory, [](auto& worker) {
        if (worker.is_first()) {
            worker.insert();
            worker.get_hit();
            worker.get_miss();
            detail::scan(worker);
            detail::walk(worker);
        }
        // No overwrites: not all contestants can change a value while another worker reads it.
        worker.mixed(Picks::uniform, 1);
        if (worker.is_first()) worker.erase();
    });
}

/// What of it is shown.
[[nodiscard]] inline std::vector<Table> ordered_map_tables(unsigned processes) {
    Table gets{"ns per get of all together, processes at once", {}};
    const std::vector<unsigned> crews = crews_of(processes);
    for (std::size_t crew = 0; crew < crews.size(); ++crew)
        gets.columns.push_back({std::to_string(crews[crew]), mixed_by({Picks::uniform, 0, crew})});
    return {{"ns per operation, one process; of a full scan per entry; of a walk for lower_bound and 100 steps",
             {{"insert", Measure::insert},
              {"get hit", Measure::get_hit},
              {"get miss", Measure::get_miss},
              {"full scan", Measure::scan},
              {"walk", Measure::walk},
              {"erase", Measure::erase}},
             true},
            std::move(gets),
            {"bytes per entry", {{"allocated", Measure::bytes_allocated}, {"taken", Measure::bytes_taken}}}};
}

} // namespace bench
