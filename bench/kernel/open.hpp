// The benchmark of a beginning: a process opens a table that is there, in a file that nobody else has open, and reads one
// key. Adapters are those that worker.hpp describes; making one opens the table.
#pragma once

#include "crew.hpp"
#include "measure.hpp"
#include "shared.hpp"
#include "worker.hpp"
#include "workload.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace bench {

namespace detail {

inline constexpr std::size_t openings = 21;

/// The median of some openings of a table with so many keys, each by a process of its own.
template <class Adapter>
[[nodiscard]] double run_openings(const Workload& workload, const std::filesystem::path& directory,
                                  std::uint64_t count) {
    std::filesystem::create_directory(directory);
    launch(Sharing::processes, 1, [&](auto) {
        Adapter adapter(directory);
        auto handle = adapter.handle();
        for (std::uint64_t i = 0; i < count; ++i) handle.insert(workload.inserts()[i], workload.value(i));
        if constexpr (requires { handle.finish(); }) handle.finish();
    });
    const Shared<std::array<double, openings>> times;
    for (std::size_t i = 0; i < openings; ++i)
        launch(Sharing::processes, 1, [&](auto) {
            const std::uint64_t number = scramble(i) % count;
            const auto begin = SteadyClock::now();
            Adapter adapter(directory);
            auto handle = adapter.handle();
            const std::string* const value = handle.find(workload.inserts()[number]);
            (*times)[i] = nanoseconds(SteadyClock::now() - begin);
            expect(value != nullptr && *value == workload.value(number), "what was inserted is not what is found");
        });
    std::filesystem::remove_all(directory);
    std::sort(times->begin(), times->end());
    return (*times)[openings / 2];
}

} // namespace detail

/// One run of one contestant.
template <class Adapter>
[[nodiscard]] Figures run_open(const Workload& workload, const std::filesystem::path& directory) {
    Figures figures;
    figures[Measure::open_small] =
        detail::run_openings<Adapter>(workload, directory / "small", Workload::cached_keys);
    figures[Measure::open_large] =
        detail::run_openings<Adapter>(workload, directory / "large", workload.settings().keys);
    return figures;
}

/// What of it is shown.
[[nodiscard]] inline std::vector<Table> open_tables(unsigned) {
    return {{"ns to open a table and read one key",
             {{"of 1000", Measure::open_small}, {"of all keys", Measure::open_large}}}};
}

} // namespace bench
