// bench_hash_table: ss::HashTable in several profiles against what one would use within a single process.
//
// Contestants are interleaved, A B C A B C …, so that what the machine does meanwhile hits all of them; each run is in
// processes of its own; what is told is the median of the rounds. `--help` lists what can be set.
#include "adapter/ss.hpp"
#include "adapter/std_mutex.hpp"
#include "adapter/tbb.hpp"
#include "kernel/hash_table.hpp"
#include "kernel/report.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <malloc.h>
#include <stdlib.h>
#include <string>
#include <vector>

#include <system_error>

namespace {

using bench::Figures;
using bench::Workload;

struct Contestant {
    std::string name;
    std::string what;
    std::function<Figures(const Workload&, const std::filesystem::path&)> run;
};

template <class Adapter>
Contestant contestant(std::string name, std::string what) {
    return {std::move(name), std::move(what), &bench::run_hash_table<Adapter>};
}

template <class... Policies>
struct Exchange;
template <class Table>
struct Exchange<Table> {
    using type = Table;
};
template <class Table, class First, class... Rest>
struct Exchange<Table, First, Rest...> : Exchange<typename Table::template with<First>, Rest...> {};

/// The default profile with these policies exchanged.
template <class... Policies>
using Ss = bench::SsTable<typename Exchange<ss::HashTable<>, Policies...>::type>;

const char* const baseline = "tbb";

std::vector<Contestant> all_contestants() {
    return {
        contestant<Ss<>>("ss", "ss::HashTable<>"),
        contestant<bench::SsTable<ss::HashTable<>, bench::Pages::huge>>("ss-huge",
                                                                        "the same, PoolOptions::huge_pages"),
        contestant<Ss<ss::Optimistic<ss::SpinLock>>>("ss-optimistic-spin", "Optimistic<SpinLock>"),
        contestant<Ss<ss::FutexLock>>("ss-futex", "FutexLock: readers lock"),
        contestant<Ss<ss::SpinLock>>("ss-spin", "SpinLock: readers lock"),
        contestant<Ss<ss::RobustMutex>>("ss-robust", "RobustMutex: readers lock"),
        contestant<Ss<ss::NullLock>>("ss-null", "NullLock: one worker"),
        contestant<Ss<ss::SimpleAllocator>>("ss-simple", "SimpleAllocator"),
        contestant<Ss<ss::LogarithmicAllocator>>("ss-logarithmic", "LogarithmicAllocator"),
        contestant<Ss<ss::Fnv1a64>>("ss-fnv", "Fnv1a64"),
        contestant<Ss<ss::SipHash13>>("ss-sip", "SipHash13"),
        contestant<bench::TbbTable>("tbb", "tbb::concurrent_hash_map<std::string, std::string>"),
        contestant<bench::StdTable>("std", "std::unordered_map<std::string, std::string> under a std::mutex"),
    };
}

/// A directory for the pools, gone at the end.
class Directory {
public:
    explicit Directory(const std::filesystem::path& base) {
        std::string pattern = (base / "ss-bench-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr)
            throw std::system_error(errno, std::generic_category(), "no directory below " + base.string());
        path_ = pattern;
    }

    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    ~Directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

struct Options {
    bench::Settings settings;
    std::vector<std::string> names;
    std::string json;
    std::string directory = "/dev/shm";
};

std::vector<Contestant> chosen(const std::vector<std::string>& names) {
    std::vector<Contestant> contestants = all_contestants();
    if (!names.empty())
        std::erase_if(contestants, [&](const Contestant& one) {
            return std::find(names.begin(), names.end(), one.name) == names.end();
        });
    return contestants;
}

void run(const Options& options) {
    const std::vector<Contestant> contestants = chosen(options.names);
    const Workload workload(options.settings);
    // What making the workload has left in the heap would spare the contestants of our own process page faults that
    // the others have.
    ::malloc_trim(0);
    const Directory directory(options.directory);

    std::vector<bench::Series> series;
    series.reserve(contestants.size());
    for (const Contestant& one : contestants) series.push_back({one.name, one.what, {}});
    for (unsigned round = 1; round <= options.settings.rounds; ++round)
        for (std::size_t i = 0; i < contestants.size(); ++i) {
            fmt::print(stderr, "round {} of {}: {}", round, options.settings.rounds, contestants[i].name);
            const auto begin = std::chrono::steady_clock::now();
            series[i].runs.push_back(contestants[i].run(workload, directory.path()));
            fmt::print(stderr, ", {:.1f} s\n",
                       std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
        }

    const bench::Report report(options.settings, std::move(series), baseline);
    const nlohmann::json json = report.json();
    const nlohmann::json& machine = json["machine"];
    fmt::print("\n{}, {} cores, {}; {}; commit {}; {}\n{} keys of {} bytes, values of {}; medians of {} rounds{}\n\n",
               machine["processor"].get<std::string>(), machine["cores"].get<unsigned>(),
               machine["kernel"].get<std::string>(), json["compiler"].get<std::string>(),
               json["commit"].get<std::string>(), json["date"].get<std::string>(), options.settings.keys,
               options.settings.key_size, options.settings.value_size, options.settings.rounds,
               options.settings.clock == bench::Clock::wall ? "" : "; processor time for one worker");
    for (const Contestant& one : contestants) fmt::print("    {:<20}{}\n", one.name, one.what);
    fmt::print("\n{}", report.tables());

    if (options.json.empty()) return;
    std::ofstream file(options.json);
    file << json.dump(4) << '\n';
    if (!file.flush()) throw std::runtime_error("cannot write " + options.json);
}

} // namespace

int main(int argc, char** argv) {
    Options options;
    bool quick = false, processor_time = false;
    std::vector<std::string> known;
    for (const Contestant& one : all_contestants()) known.push_back(one.name);

    CLI::App app{"Measures ss::HashTable against hash tables of a single process."};
    app.add_option("--keys", options.settings.keys, "entries")->capture_default_str();
    app.add_option("--key-size", options.settings.key_size, "bytes of a key, 8 or more")->capture_default_str();
    app.add_option("--value-size", options.settings.value_size, "bytes of a value")->capture_default_str();
    app.add_option("--workers", options.settings.workers, "in the phases with several")
        ->check(CLI::Range(1U, bench::most_workers))
        ->capture_default_str();
    app.add_option("--rounds", options.settings.rounds, "runs of each contestant")
        ->check(CLI::Range(1U, 1000U))
        ->capture_default_str();
    app.add_option("--contestants", options.names, "by name, separated by commas; all unless told")
        ->delimiter(',')
        ->check(CLI::IsMember(known));
    app.add_flag("--processor-time", processor_time, "for one worker: on a machine that is busy with other things");
    app.add_option("--json", options.json, "file to write all figures to");
    app.add_option("--directory", options.directory, "where the pools are made")->capture_default_str();
    app.add_flag("--quick", quick, "about a minute: three contestants, three rounds");
    try {
        app.parse(argc, argv);
        if (quick && app.count("--contestants") == 0) options.names = {"ss", "tbb", "std"};
        if (quick && app.count("--rounds") == 0) options.settings.rounds = 3;
        if (processor_time) options.settings.clock = bench::Clock::processor;
        run(options);
    } catch (const CLI::ParseError& error) { return app.exit(error); } catch (const std::exception& error) {
        fmt::print(stderr, "\nbench_hash_table: {}\n", error.what());
        return 1;
    }
    return 0;
}
