// The benchmark of a hash table: one text for all contestants, which come in as the adapters that worker.hpp describes.
// A handle may also have
//
//     void empty_transaction()                 what a change costs that changes nothing
#pragma once

#include "worker.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace bench {

namespace detail {

/// A few keys over and over: what the instructions cost, without the cache misses.
template <class Adapter>
void in_cache(Worker<Adapter>& worker) {
    constexpr std::uint64_t cached = Workload::cached_keys;
    const Workload& workload = worker.workload();
    const Strings& keys = workload.hits();
    const std::uint64_t rounds = std::max<std::uint64_t>(1, keys.count() / 2 / cached);
    const auto repeat = [&](Measure measure, auto f) {
        for (std::uint64_t i = 0; i < cached; ++i) f(i);
        worker.time(measure, rounds * cached, [&] {
            for (std::uint64_t round = 0; round < rounds; ++round)
                for (std::uint64_t i = 0; i < cached; ++i) f(i + round);
        });
    };
    auto& handle = worker.handle();
    std::uint64_t hits = 0, fresh = 0;
    // `i + round`, so that what is written is another value than what is there.
    repeat(Measure::cached_get, [&](std::uint64_t i) { hits += handle.find(keys[i % cached]) != nullptr; });
    repeat(Measure::cached_overwrite,
           [&](std::uint64_t i) { fresh += handle.insert(keys[i % cached], workload.value(i)); });
    expect(hits == (rounds + 1) * cached && fresh == 0, "a key was missing");
    if constexpr (requires { handle.empty_transaction(); })
        repeat(Measure::empty_transaction, [&](std::uint64_t) { handle.empty_transaction(); });
}

} // namespace detail

/// One run of one contestant.
template <class Adapter>
[[nodiscard]] Figures run_hash_table(const Workload& workload, const std::filesystem::path& directory) {
    return run_workers<Adapter>(workload, directory, [](auto& worker) {
        if (worker.is_first()) {
            worker.insert();
            worker.get_hit();
            worker.get_miss();
            worker.overwrite();
            detail::in_cache(worker);
        }
        for (const Picks picks : {Picks::uniform, Picks::zipf}) worker.mixed(picks, read_shares.size());
        if (worker.is_first()) worker.erase();
    });
}

/// What of it is shown.
[[nodiscard]] inline std::vector<Table> hash_table_tables(unsigned processes) {
    std::vector<Table> tables = {
        {"ns per operation, one process",
         {{"insert", Measure::insert},
          {"get hit", Measure::get_hit},
          {"get miss", Measure::get_miss},
          {"overwrite", Measure::overwrite},
          {"erase", Measure::erase}},
         true},
        {"ns per operation, one process, 1000 keys over and over",
         {{"get hit", Measure::cached_get},
          {"overwrite", Measure::cached_overwrite},
          {"empty transaction", Measure::empty_transaction}}},
        {"bytes per entry", {{"allocated", Measure::bytes_allocated}, {"taken", Measure::bytes_taken}}}};
    const std::vector<unsigned> crews = crews_of(processes);
    for (const Picks picks : {Picks::uniform, Picks::zipf})
        for (std::size_t crew = 0; crew < crews.size(); ++crew) {
            Table table{"ns per operation, reads and overwrites, keys picked " +
                            std::string(picks == Picks::uniform ? "uniformly" : "by Zipf's law, 0.99") +
                            (crews[crew] == 1
                                 ? ", one process"
                                 : ", " + std::to_string(crews[crew]) + " processes: time by the operations of all"),
                        {}};
            for (std::size_t share = 0; share < read_shares.size(); ++share)
                table.columns.push_back(
                    {std::to_string(read_shares[share]) + " % reads", mixed_by({picks, share, crew})});
            tables.push_back(std::move(table));
        }
    return tables;
}

} // namespace bench
