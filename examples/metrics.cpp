// Counters and a histogram that several processes add to, and that another one prints for Prometheus.
//
//     next        a number: which file is to be read next. Whoever adds one to it has that file for himself
//     counters    files, lines and bytes that were read
//     latency     how many files took so long: up to 1 µs, 2 µs, 4 µs …; and all the time that was taken
//
//     ended       how many workers have ended: for this the printer waits
//
// The workers read real files, and none of them ever waits for another: each number is changed by one instruction. The
// printer has no part in the work, and what it prints when they have ended must be exactly what is in the files.
#include <ss/ss.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using Paths = std::vector<std::filesystem::path>;
using Clock = std::chrono::steady_clock;
using Counts = std::array<std::uint64_t, 3>;

constexpr std::array<const char*, Counts{}.size()> names = {"files", "lines", "bytes"};
constexpr std::uint64_t buckets = 24, apart = 8; // a cache line for each counter: cores do not fight for it
constexpr std::uint32_t workers = 4;

struct Metrics {
    ss::Pool pool = ss::Pool::anonymous();
    ss::AtomicVector<std::uint64_t> next{pool, "next"};
    ss::AtomicVector<std::uint64_t> counters{pool, "counters"};
    ss::AtomicVector<std::uint64_t> latency{pool, "latency"};
    ss::AtomicVector<std::uint32_t> ended{pool, "ended"};

    Metrics() {
        next.expand(1);
        counters.expand(names.size() * apart);
        latency.expand(buckets + 1); // the last one is the sum, in nanoseconds
        ended.expand(1);
    }
};

Counts count(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    return {1, static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n')), text.size()};
}

void work(const Metrics& metrics, const Paths& paths) {
    for (std::uint64_t i = 0; (i = metrics.next.fetch_add(0, 1)) < paths.size();) {
        const auto begin = Clock::now();
        const Counts counts = count(paths[i]);
        const std::chrono::nanoseconds took = Clock::now() - begin;
        for (std::size_t n = 0; n < names.size(); ++n) metrics.counters.fetch_add(n * apart, counts[n]);
        const auto microseconds = static_cast<std::uint64_t>(took.count() - 1) / 1000; // up to 1 µs is bucket 0
        metrics.latency.fetch_add(std::min<std::uint64_t>(std::bit_width(microseconds), buckets - 1), 1);
        metrics.latency.fetch_add(buckets, static_cast<std::uint64_t>(took.count()));
    }
    metrics.ended.fetch_add(0, 1);
    metrics.ended.notify(0);
}

/// The text format, version 0.0.4.
std::string prometheus(const Metrics& metrics) {
    std::string text;
    for (std::size_t n = 0; n < names.size(); ++n)
        text += fmt::format("# TYPE reader_{0}_total counter\nreader_{0}_total {1}\n", names[n],
                            metrics.counters.load(n * apart));
    text += "# TYPE reader_seconds histogram\n";
    std::uint64_t below = 0;
    for (std::uint64_t bucket = 0; bucket < buckets; ++bucket) {
        below += metrics.latency.load(bucket);
        const std::string le = bucket + 1 < buckets ? fmt::format("{}", double(1U << bucket) / 1e6) : "+Inf";
        text += fmt::format("reader_seconds_bucket{{le=\"{}\"}} {}\n", le, below);
    }
    return text + fmt::format("reader_seconds_sum {:.9f}\nreader_seconds_count {}\n",
                              double(metrics.latency.load(buckets)) / 1e9, below);
}

/// The printer: follows the work, prints what came of it, and holds that against the files.
void watch(const Metrics& metrics, const Paths& paths) {
    for (std::uint32_t ended = 0; (ended = metrics.ended.load(0)) < workers;) {
        fmt::print(stderr, "{} of {} files\n", metrics.counters.load(0), paths.size());
        (void)metrics.ended.wait(0, ended, std::chrono::milliseconds(100));
    }
    const std::string text = prometheus(metrics);
    fmt::print("{}", text);
    Counts expected{};
    for (const auto& path : paths)
        for (std::size_t n = 0; const std::uint64_t one : count(path)) expected.at(n++) += one;
    const auto check = [&](const std::string& line) {
        if (text.find('\n' + line + '\n') == text.npos) throw std::runtime_error("missing: " + line);
    };
    for (std::size_t n = 0; n < names.size(); ++n) check(fmt::format("reader_{}_total {}", names[n], expected[n]));
    check(fmt::format("reader_seconds_bucket{{le=\"+Inf\"}} {}", paths.size()));
    check(fmt::format("reader_seconds_count {}", paths.size()));
    if (paths.empty() || !metrics.pool.verify().empty()) throw std::runtime_error("no files, or a damaged pool");
    fmt::print(stderr, "{} files by {} workers: each was counted once\n", paths.size(), workers);
}

template <class F>
pid_t start(F f) {
    const pid_t child = fork();
    if (child < 0) throw std::runtime_error("no fork");
    if (child > 0) return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL); // nobody is left behind, however we end
    try {
        f();
    } catch (const std::exception& error) {
        fmt::print(stderr, "metrics: {}\n", error.what());
        std::_Exit(1);
    }
    std::fflush(nullptr);
    std::_Exit(0);
}

} // namespace

int main(int argc, char** argv) {
    try {
        Paths paths;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(argc > 1 ? argv[1] : "/usr/include"))
            if (entry.is_regular_file() && paths.size() < 3000) paths.push_back(entry.path());
        const Metrics metrics;
        std::vector<pid_t> children = {start([&] { watch(metrics, paths); })};
        while (children.size() <= workers) children.push_back(start([&] { work(metrics, paths); }));
        for (auto child = children.rbegin(); child != children.rend(); ++child) // whoever is left ends with us
            if (int status = 0; waitpid(*child, &status, 0) != *child || status != 0) return 1;
        return 0;
    } catch (const std::exception& error) {
        fmt::print(stderr, "metrics: {}\n", error.what());
        return 1;
    }
}
