// See program.hpp. A file of its own, so that what reads arguments and writes JSON is compiled once.
#include "program.hpp"

#include "csv.hpp"
#include "report.hpp"
#include "worker.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <fstream>
#include <malloc.h>
#include <stdexcept>
#include <stdlib.h>
#include <utility>

#include <system_error>

namespace bench {

namespace {

/// A directory for what contestants keep in files, gone at the end.
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

/// All rounds with one set of keys.
[[nodiscard]] std::vector<Series> run_rounds(const std::vector<Contestant>& contestants, const Settings& settings,
                                             const std::filesystem::path& base) {
    const Workload workload(settings);
    // What making the workload has left in the heap would spare the contestants of our own process page faults that
    // the others have.
    ::malloc_trim(0);
    const Directory directory(base);

    std::vector<Series> series;
    series.reserve(contestants.size());
    for (const Contestant& one : contestants) series.push_back({one.name, one.what, one.version, {}});
    for (unsigned round = 1; round <= settings.rounds; ++round)
        for (std::size_t i = 0; i < contestants.size(); ++i) {
            fmt::print(stderr, "{}, round {} of {}: {}", name_of(settings.key_set), round, settings.rounds,
                       contestants[i].name);
            const auto begin = detail::SteadyClock::now();
            series[i].runs.push_back(contestants[i].run(workload, directory.path()));
            fmt::print(stderr, ", {:.1f} s\n", detail::nanoseconds(detail::SteadyClock::now() - begin) / 1e9);
        }
    return series;
}

void write(const std::string& path, const std::string& text) {
    std::ofstream file(path);
    file << text;
    if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

struct Options {
    Settings settings;
    std::vector<std::string> names;
    std::vector<std::string> key_sets;
    std::vector<std::string> json, csv;
    std::string directory = "/dev/shm";
};

void run(const Benchmark& benchmark, const Options& options) {
    std::vector<Contestant> contestants = benchmark.contestants;
    std::erase_if(contestants, [&](const Contestant& one) {
        return std::find(options.names.begin(), options.names.end(), one.name) == options.names.end();
    });

    std::vector<Report> reports;
    for (const std::string& name : options.key_sets) {
        Settings settings = options.settings;
        const auto* const found = std::find(key_set_names.begin(), key_set_names.end(), name);
        settings.key_set = static_cast<KeySet>(found - key_set_names.begin());
        reports.emplace_back(settings, run_rounds(contestants, settings, options.directory), benchmark.baseline);
    }

    const nlohmann::json json = document(benchmark.name, benchmark.baseline, reports);
    const nlohmann::json& machine = json["machine"];
    const bool has_keys = options.key_sets.front() != name_of(KeySet::none);
    fmt::print("\n{}, {} cores, {}; {}; commit {}; {}\n{} {}; medians of {} rounds{}\n\n",
               machine["processor"].get<std::string>(), machine["cores"].get<unsigned>(),
               machine["kernel"].get<std::string>(), json["compiler"].get<std::string>(),
               json["commit"].get<std::string>(), json["date"].get<std::string>(), options.settings.keys,
               has_keys ? fmt::format("keys, values of {} bytes", options.settings.value_size) : "items",
               options.settings.rounds,
               options.settings.clock == Clock::wall ? ""
               : has_keys                            ? "; processor time for one process"
                                                     : "; processor time");
    for (const Contestant& one : contestants) fmt::print("    {:<20}{}\n", one.name, one.what);
    for (const Report& report : reports)
        fmt::print("\n{}", report.text(benchmark.tables(options.settings.processes)));

    for (const std::string& path : options.json) write(path, json.dump(4) + '\n');
    for (const std::string& path : options.csv) write(path, csv(json));
}

} // namespace

int run_benchmark(const Benchmark& benchmark, int argc, char** argv) {
    Options options;
    options.settings = benchmark.settings;
    bool quick = false, processor_time = false;
    std::vector<std::string> known;
    for (const Contestant& one : benchmark.contestants) known.push_back(one.name);
    options.names = known;
    for (const KeySet set : benchmark.key_sets) options.key_sets.emplace_back(name_of(set));

    CLI::App app{benchmark.about};
    app.add_option("--keys", options.settings.keys, "entries")->capture_default_str();
    app.add_option("--key-sets", options.key_sets, "bytes, digits, paths: one after the other")
        ->delimiter(',')
        ->check(CLI::IsMember(std::vector<std::string>(key_set_names.begin(), key_set_names.end())))
        ->capture_default_str();
    app.add_option("--key-size", options.settings.key_size, "bytes of a key of the set bytes, 8 or more")
        ->capture_default_str();
    app.add_option("--value-size", options.settings.value_size, "bytes of a value")->capture_default_str();
    app.add_option("--processes", options.settings.processes,
                   "at most at once, where several are: 1, 2, 4 …; threads of what lives in one process")
        ->check(CLI::Range(1U, most_processes))
        ->capture_default_str();
    app.add_option("--rounds", options.settings.rounds, "runs of each contestant")
        ->check(CLI::Range(1U, 1000U))
        ->capture_default_str();
    app.add_option("--contestants", options.names, "by name, separated by commas; all unless told")
        ->delimiter(',')
        ->check(CLI::IsMember(known));
    app.add_flag("--processor-time", processor_time,
                 "for one process, or of all that share a queue: on a machine that is busy with other things");
    app.add_option("--json", options.json, "file to write all figures to")->allow_extra_args(false);
    app.add_option("--csv", options.csv, "the same as a table: a line for each figure")->allow_extra_args(false);
    app.add_option("--directory", options.directory, "where pools and other files are made")->capture_default_str();
    app.add_flag("--quick", quick, "some seconds: a few contestants, fewer keys, three rounds");
    try {
        app.parse(argc, argv);
        if (quick && app.count("--contestants") == 0) options.names = benchmark.quick;
        if (quick && app.count("--rounds") == 0) options.settings.rounds = 3;
        if (quick && app.count("--keys") == 0) options.settings.keys = benchmark.quick_keys;
        if (processor_time) options.settings.clock = Clock::processor;
        if (benchmark.keys_per_walk != 0)
            options.settings.walks = std::max<std::uint64_t>(1, options.settings.keys / benchmark.keys_per_walk);
        run(benchmark, options);
    } catch (const CLI::ParseError& error) { return app.exit(error); } catch (const std::exception& error) {
        fmt::print(stderr, "\nbench_{}: {}\n", benchmark.name, error.what());
        return 1;
    }
    return 0;
}

} // namespace bench
