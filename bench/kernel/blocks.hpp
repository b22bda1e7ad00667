// The benchmark of allocators: 100,000 live blocks of 1 to 1024 bytes, of which one after the other, at random, is freed
// and another one allocated. An adapter has
//
//     Adapter(directory, count)                so many places for blocks, all empty
//     void replace(place, size)                frees the block there, if there is one, and allocates another, as one
//     double taken()                           bytes that all of it takes from the system
#pragma once

#include "crew.hpp"
#include "keys.hpp"
#include "measure.hpp"
#include "shared.hpp"
#include "worker.hpp"
#include "workload.hpp"

#include <cstdint>
#include <filesystem>
#include <vector>

namespace bench {

inline constexpr std::uint64_t live_blocks = 100'000;
inline constexpr std::uint64_t largest_block = 1024;

/// One run of one contestant.
template <class Adapter>
[[nodiscard]] Figures run_blocks(const Workload& workload, const std::filesystem::path& directory) {
    const Settings& settings = workload.settings();
    const Shared<Figures> figures;
    launch(Sharing::processes, 1, [&](auto) {
        struct Step {
            std::uint32_t place, size;
        };
        std::vector<Step> steps;
        std::vector<std::uint64_t> sizes(live_blocks);
        for (std::uint64_t i = 0; i < live_blocks + settings.keys; ++i) {
            const std::uint64_t random = scramble(i + 1);
            const std::uint64_t place = i < live_blocks ? i : random % live_blocks;
            sizes[place] = 1 + (random >> 40) % largest_block;
            steps.push_back({static_cast<std::uint32_t>(place), static_cast<std::uint32_t>(sizes[place])});
        }
        double live = 0;
        for (const std::uint64_t size : sizes) live += static_cast<double>(size);

        Adapter adapter(directory, live_blocks);
        const auto replace = [&](std::uint64_t from, std::uint64_t to) {
            for (std::uint64_t i = from; i < to; ++i) adapter.replace(steps[i].place, steps[i].size);
        };
        replace(0, live_blocks);
        const double begin = detail::now(settings.clock);
        replace(live_blocks, steps.size());
        (*figures)[Measure::block_pair] = (detail::now(settings.clock) - begin) / static_cast<double>(settings.keys);
        (*figures)[Measure::block_overhead] = adapter.taken() / live;
    });
    return *figures;
}

/// What of it is shown.
[[nodiscard]] inline std::vector<Table> block_tables(unsigned) {
    return {{"100,000 live blocks of 1 to 1024 bytes",
             {{"ns to free one and allocate one", Measure::block_pair},
              {"bytes taken for each byte that is live", Measure::block_overhead}}}};
}

} // namespace bench
