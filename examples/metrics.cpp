// Counters and a histogram that several processes add to, and that another one prints for Prometheus.
//
//     next        a number: which file is to be read next. Whoever adds one to it has that file for himself
//     counters    files, lines and bytes that were read
//     latency     how many files took so long: up to 1 µs, 2 µs, 4 µs …; and all the time that was taken
//
// The workers read real files, and none of them ever waits for another: each number is changed by one instruction. The
// printer has no part in the work; it looks while they go on, and when they have ended, and what it says then must be
// exactly what is in the files.
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
#include <string>
#include <vector>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using Paths = std::vector<std::filesystem::path>;
using Clock = std::chrono::steady_clock;

constexpr std::array<const char*, 3> names = {"files", "lines", "bytes"};
constexpr std::uint64_t buckets = 24, apart = 8; // a cache line for each counter: cores do not fight for it

struct Metrics {
    ss::Pool pool = ss::Pool::anonymous();
    ss::AtomicVector<std::uint64_t> next{pool, "next"};
    ss::AtomicVector<std::uint64_t> counters{pool, "counters"};
    ss::AtomicVector<std::uint64_t> latency{pool, "latency"};

    Metrics() {
        next.expand(1);
        counters.expand(names.size() * apart);
        latency.expand(buckets + 1); // the last one is the sum, in nanoseconds
    }
};

/// Files, lines, bytes.
using Counts = std::array<std::uint64_t, names.size()>;

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
        const auto microseconds = static_cast<std::uint64_t>(took.count()) / 1000;
        metrics.latency.fetch_add(std::min<std::uint64_t>(std::bit_width(microseconds), buckets - 1), 1);
        metrics.latency.fetch_add(buckets, static_cast<std::uint64_t>(took.count()));
    }
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
        const std::string le = bucket + 1 < buckets ? fmt::format("{:g}", 1e-6 * double(1U << bucket)) : "+Inf";
        text += fmt::format("reader_seconds_bucket{{le=\"{}\"}} {}\n", le, below);
    }
    return text + fmt::format("reader_seconds_sum {:.9f}\nreader_seconds_count {}\n",
                              double(metrics.latency.load(buckets)) / 1e9, below);
}

template <class F>
pid_t start(F f) {
    std::fflush(nullptr); // or the child would write it again
    const pid_t child = fork();
    if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (child > 0) return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL); // nobody is left behind, however we end
    f();
    std::fflush(nullptr);
    std::_Exit(0);
}

void wait_for(pid_t child) {
    int status = 0;
    if (waitpid(child, &status, 0) != child || status != 0) throw std::runtime_error("a child process failed");
}

/// What another process prints.
std::string scrape(const Metrics& metrics) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    const pid_t printer = start([&] {
        const std::string text = prometheus(metrics);
        if (write(ends[1], text.data(), text.size()) != static_cast<ssize_t>(text.size())) std::_Exit(1);
    });
    close(ends[1]);
    std::string text(1 << 16, '\0'); // more than all of it
    std::size_t size = 0;
    for (ssize_t n = 0; (n = read(ends[0], text.data() + size, text.size() - size)) > 0;) size += std::size_t(n);
    close(ends[0]);
    wait_for(printer);
    return text.substr(0, size);
}

int run(const Paths& paths) {
    const Metrics metrics;
    std::vector<pid_t> workers;
    for (int i = 0; i < 4; ++i) workers.push_back(start([&] { work(metrics, paths); }));
    for (int i = 0; i < 5; ++i) (void)scrape(metrics); // while they work
    for (const pid_t worker : workers) wait_for(worker);
    const std::string text = scrape(metrics);
    fmt::print("{}", text);
    Counts expected{};
    for (const auto& path : paths)
        for (std::size_t n = 0; const std::uint64_t one : count(path)) expected.at(n++) += one;
    std::string wrong;
    const auto check = [&](const std::string& line) {
        wrong += text.find('\n' + line + '\n') == text.npos ? line + '\n' : "";
    };
    for (std::size_t n = 0; n < names.size(); ++n) check(fmt::format("reader_{}_total {}", names[n], expected[n]));
    check(fmt::format("reader_seconds_bucket{{le=\"+Inf\"}} {}", paths.size()));
    check(fmt::format("reader_seconds_count {}", paths.size()));
    fmt::print(stderr, "{} files, {}\n", paths.size(), wrong.empty() ? "all counted once" : "missing:\n" + wrong);
    return wrong.empty() && paths.size() > 100 && metrics.pool.verify().empty() ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
    try {
        Paths paths;
        const auto options = std::filesystem::directory_options::skip_permission_denied;
        for (const auto& entry :
             std::filesystem::recursive_directory_iterator(argc > 1 ? argv[1] : "/usr/include", options))
            if (entry.is_regular_file() && paths.size() < 3000) paths.push_back(entry.path());
        return run(paths);
    } catch (const std::exception& error) {
        fmt::print(stderr, "metrics: {}\n", error.what());
        return 1;
    }
}
