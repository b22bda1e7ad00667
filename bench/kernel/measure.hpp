// What is measured: its names, and where the workers of one run put their figures.
#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace bench {

/// One process, or thread of it, unless it says otherwise.
enum class Measure : std::size_t {
    insert,
    get_hit,
    get_miss,
    overwrite,
    erase,
    cached_get,
    cached_overwrite,
    empty_transaction,
    scan,
    walk,
    queue_16,
    queue_64,
    queue_256,
    queue_1024,
    queue_4096,
    queue_two_16,
    queue_two_64,
    queue_two_256,
    queue_two_1024,
    queue_two_4096,
    wake_50,
    wake_90,
    wake_99,
    wake_worst,
    wakes_to_4,
    wakes_to_8,
    wakes_to_16,
    wakes_to_32,
    wakes_to_64,
    wakes_to_128,
    wakes_to_256,
    wakes_longer,
    number_load,
    number_store,
    number_add,
    number_two_load,
    number_two_store,
    number_two_add,
    number_two_one_add,
    number_two_own_add,
    insert_50,
    insert_90,
    insert_99,
    insert_999,
    insert_9999,
    insert_worst,
    reader_alone,
    reader_beside_other,
    reader_beside_same,
    open_small,
    open_large,
    recovery_next,
    recovery_waiting,
    recovery_worst,
    block_pair,
    block_overhead,
    bytes_allocated,
    bytes_taken,
    mixed, ///< and all that `mixed_by` makes of it
};

inline constexpr std::size_t named_measures = static_cast<std::size_t>(Measure::mixed);

/// How keys are picked: each as likely as the others, or few of them most of the time (zipf.hpp).
enum class Picks : std::size_t { uniform, zipf };

inline constexpr std::array<const char*, 2> picks_names = {"uniform", "zipf"};

/// The reads of a hundred operations, in the order of the mixed measures.
inline constexpr std::array<unsigned, 3> read_shares = {100, 95, 50};

/// Who does them: crews of 1, 2, 4 … processes, and the last of all that there are.
inline constexpr std::size_t most_crews = 7;
inline constexpr unsigned most_processes = 1U << (most_crews - 1);

[[nodiscard]] inline std::vector<unsigned> crews_of(unsigned processes) {
    std::vector<unsigned> crews;
    for (unsigned crew = 1; crew < processes; crew *= 2) crews.push_back(crew);
    crews.push_back(processes);
    return crews;
}

inline constexpr std::size_t measure_count = named_measures + picks_names.size() * read_shares.size() * most_crews;

/// As JSON has them. Nanoseconds per operation, per entry in a scan, per walk, per item of so many bytes through a queue,
/// from a push until a sleeper has it, and per operation on a number, of each process; the last two bytes per entry. Of
/// wakes also how many of a hundred took so long, and longer than what is before.
inline constexpr std::array<const char*, named_measures> measure_names = {
    "insert",
    "get hit",
    "get miss",
    "overwrite",
    "erase",
    "cached get",
    "cached overwrite",
    "empty transaction",
    "full scan",
    "lower_bound and 100 steps",
    "queue 16",
    "queue 64",
    "queue 256",
    "queue 1024",
    "queue 4096",
    "queue two 16",
    "queue two 64",
    "queue two 256",
    "queue two 1024",
    "queue two 4096",
    "wake 50",
    "wake 90",
    "wake 99",
    "wake worst",
    "% of wakes up to 4 us",
    "% of wakes up to 8 us",
    "% of wakes up to 16 us",
    "% of wakes up to 32 us",
    "% of wakes up to 64 us",
    "% of wakes up to 128 us",
    "% of wakes up to 256 us",
    "% of wakes longer",
    "number load",
    "number store",
    "number add",
    "number two load",
    "number two store",
    "number two add",
    "number two one add",
    "number two own add",
    "insert 50",
    "insert 90",
    "insert 99",
    "insert 99.9",
    "insert 99.99",
    "insert worst",
    "reader alone",
    "reader beside a writer elsewhere",
    "reader beside a writer",
    "open of 1000",
    "open of all",
    "insert after a death",
    "insert waiting for a death",
    "insert waiting for a death, worst",
    "free and allocate",
    "bytes taken by live bytes",
    "bytes allocated",
    "bytes taken",
};

[[nodiscard]] constexpr Measure plus(Measure measure, std::size_t n) noexcept {
    return static_cast<Measure>(static_cast<std::size_t>(measure) + n);
}

/// What a mixed measure is of; `share` and `crew` are places in read_shares and crews_of.
struct Mix {
    Picks picks;
    std::size_t share, crew;
};

[[nodiscard]] constexpr Measure mixed_by(Mix mix) noexcept {
    return plus(Measure::mixed,
                (static_cast<std::size_t>(mix.picks) * read_shares.size() + mix.share) * most_crews + mix.crew);
}

[[nodiscard]] constexpr std::optional<Mix> mix_of(Measure measure) noexcept {
    if (measure < Measure::mixed) return std::nullopt;
    const std::size_t n = static_cast<std::size_t>(measure) - named_measures;
    return Mix{static_cast<Picks>(n / most_crews / read_shares.size()), n / most_crews % read_shares.size(),
               n % most_crews};
}

/// As JSON has it, where there were so many processes.
[[nodiscard]] inline std::string name_of(Measure measure, unsigned processes) {
    const auto mix = mix_of(measure);
    if (!mix) return measure_names[static_cast<std::size_t>(measure)];
    return std::string(picks_names[static_cast<std::size_t>(mix->picks)]) + ", " +
           std::to_string(read_shares[mix->share]) + " % reads, " +
           std::to_string(crews_of(processes).at(mix->crew)) + " at once";
}

/// Shares of a hundred: neither more nor less is better.
[[nodiscard]] constexpr bool is_share(Measure measure) noexcept {
    return measure >= Measure::wakes_to_4 && measure <= Measure::wakes_longer;
}

/// One run of one contestant. What it cannot do is not a number.
struct Figures {
    std::array<double, measure_count> values;

    Figures() noexcept { values.fill(std::numeric_limits<double>::quiet_NaN()); }

    double& operator[](Measure measure) noexcept { return values[static_cast<std::size_t>(measure)]; }
    double operator[](Measure measure) const noexcept { return values[static_cast<std::size_t>(measure)]; }
};

/// Measures side by side, for people to look at.
struct Table {
    struct Column {
        std::string title;
        Measure measure;
    };

    std::string title;
    std::vector<Column> columns;
    bool with_mean = false; ///< of the ratios: the one number
};

/// What a contestant says of its memory, in bytes.
struct Memory {
    double allocated = std::numeric_limits<double>::quiet_NaN(); ///< in blocks that are in use
    double taken = 0;                                            ///< from the system
};

} // namespace bench
