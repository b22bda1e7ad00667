// Counts the words of real texts with several processes, in tables that they share, while one of them is killed.
//
//     word_count --workers 4 --lock futex --allocator simple --hash siphash13 *.txt
//
// What there is to learn of ss stands in word_count/: claims.hpp shares the work among processes, and gives that of a
// dead one to another; table_counter.hpp counts. Here are the options, and the order of things.
#include <ss/registry.hpp>

#include "word_count/counter.hpp"
#include "word_count/crew.hpp"
#include "word_count/report.hpp"
#include "word_count/texts.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <random>
#include <set>

#include <sys/wait.h>
#include <unistd.h>

namespace word_count {

namespace {

struct Options {
    std::vector<std::filesystem::path> paths = {"/usr/share/common-licenses"};
    std::string allocator = "segregated";
    std::string lock = "optimistic-futex";
    std::string hash = "wyhash";
    int workers = 4;
    bool keep = false;
    std::string pool_to_read; ///< empty but in the process that reads the result

    [[nodiscard]] bool one_process_writes() const { return lock.ends_with("null"); }
};

std::vector<Profile> all_profiles() {
    std::vector<Profile> profiles;
    boost::hana::for_each(ss::registry::bare_locks,
                          [&](auto lock) { add_profiles<typename decltype(lock)::type>(profiles); });
    return profiles;
}

const Profile& choose(const std::vector<Profile>& profiles, const Options& options) {
    return *std::find_if(profiles.begin(), profiles.end(), [&](const Profile& profile) {
        return profile.allocator == options.allocator && profile.lock == options.lock && profile.hash == options.hash;
    });
}

/// A new pool, in memory if there is a file system for that, and removed in the end.
class NewPool {
public:
    explicit NewPool(bool keep) : pool_(free_path(), {.access = ss::Access::create_only}), keep_(keep) {}
    NewPool(const NewPool&) = delete;
    NewPool& operator=(const NewPool&) = delete;
    ~NewPool() {
        if (!keep_) ss::Pool::remove(pool_.path());
    }

    [[nodiscard]] const ss::Pool& get() const { return pool_; }

private:
    static std::filesystem::path free_path() {
        const std::filesystem::path memory = "/dev/shm";
        return (exists(memory) ? memory : std::filesystem::temp_directory_path()) /
               fmt::format("word_count.{}", getpid());
    }

    ss::Pool pool_;
    bool keep_;
};

/// On a terminal only.
class ProgressBar {
public:
    void draw(std::uint64_t done, std::uint64_t total) {
        constexpr std::uint64_t width = 50;
        const std::uint64_t percent = done * 100 / total;
        if (percent == drawn_) return;
        drawn_ = percent;
        fmt::print("\r[{:.<{}}] {:3} %{}", std::string(done * width / total, '#'), width, percent,
                   percent == 100 ? "\n" : "");
        std::fflush(stdout);
    }

private:
    std::uint64_t drawn_ = 101;
};

/// Picks the byte at which a worker dies: any, so that no run is like another.
void pick_fatal_byte(Job& job) {
    std::random_device random;
    job.fatal_byte = std::uniform_int_distribution<std::uint64_t>(0, total_size(job.texts) - 1)(random);
    for (job.fatal_text = 0; job.fatal_byte >= job.texts[job.fatal_text].content.size(); ++job.fatal_text)
        job.fatal_byte -= job.texts[job.fatal_text].content.size();
}

/// Counts with so many workers, and returns when all is counted.
void count(const ss::Pool& pool, const Profile& profile, const Options& options, const Job& job) {
    // To watch, we need to read the tables ourselves: not where they belong to the one process that writes.
    const bool watch = isatty(STDOUT_FILENO) != 0 && !options.one_process_writes();
    const auto watched = watch ? profile.open(pool) : nullptr;
    ProgressBar bar;

    // The workers inherit the pool: a child that was forked attaches anew by itself.
    Crew crew([&](const std::string& worker) { profile.open(pool)->work(job, worker); });
    for (int i = 0; i < options.workers; ++i) crew.start();
    const auto show = [&] {
        if (watch) bar.draw(watched->bytes_counted(), total_size(job.texts));
    };
    crew.wait(show);
    show();
}

/// Runs this program again to read the pool, in a process that had no part in it. Returns its exit code.
int run_reader(const std::filesystem::path& path, char** argv) {
    std::fflush(nullptr);
    const pid_t pid = fork();
    if (pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (pid == 0) {
        std::string option = "--read=" + path.string();
        std::vector<char*> arguments = {argv[0], option.data()};
        while (*++argv != nullptr) arguments.push_back(*argv);
        arguments.push_back(nullptr);
        execv("/proc/self/exe", arguments.data());
        std::perror("word_count: cannot run itself");
        _exit(1);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/// That process.
int read_pool(const Profile& profile, const Options& options) {
    const auto access = profile.has_lockless_readers ? ss::Access::read_only : ss::Access::open_only;
    const ss::Pool pool(options.pool_to_read, {.access = access});
    fmt::print("read       by process {}, the pool being open {}\n", getpid(),
               profile.has_lockless_readers ? "read-only" : "read-write, since this lock's readers lock");
    const Result result = profile.open(pool)->result();
    print(result);

    auto faults = find_faults(result, read_texts(options.paths));
    for (const std::string& problem : pool.verify()) faults.push_back(problem);
    for (const std::string& fault : faults) fmt::print("wrong: {}\n", fault);
    fmt::print("{}\n", faults.empty() ? "OK: a single process counts the same, word for word" : "FAILED");
    return faults.empty() ? 0 : 1;
}

int run(const Profile& profile, const Options& options, char** argv) {
    if (!options.pool_to_read.empty()) return read_pool(profile, options);
    if (options.one_process_writes() && options.workers > 1)
        throw std::runtime_error("with lock " + options.lock + " one process writes: it needs --workers 1");

    Job job{.texts = read_texts(options.paths)};
    pick_fatal_byte(job);
    const NewPool pool(options.keep);
    fmt::print("{} texts of {} KiB, {} workers, lock {}, allocator {}, hash {}\n", job.texts.size(),
               (total_size(job.texts) + 1023) / 1024, options.workers, options.lock, options.allocator, options.hash);

    const auto begin = std::chrono::steady_clock::now();
    count(pool.get(), profile, options, job);
    const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - begin;
    fmt::print("time       {:.0f} ms\n", time.count());

    const int status = run_reader(pool.get().path(), argv);
    if (options.keep) fmt::print("kept       {}\n", pool.get().path().string());
    return status;
}

} // namespace

} // namespace word_count

int main(int argc, char** argv) {
    using namespace word_count;
    Options options;
    const auto profiles = all_profiles();
    const auto known = [&](std::string Profile::*policy) {
        std::set<std::string> names;
        for (const Profile& profile : profiles) names.insert(profile.*policy);
        return CLI::IsMember(names);
    };
    CLI::App app("Counts words with several processes in one shared hash table, while one of them is killed.");
    app.option_defaults()->always_capture_default();
    app.add_option("--lock", options.lock, "Lock policy")->check(known(&Profile::lock));
    app.add_option("--allocator", options.allocator, "Allocator policy")->check(known(&Profile::allocator));
    app.add_option("--hash", options.hash, "Hash policy")->check(known(&Profile::hash));
    app.add_option("--workers", options.workers, "Worker processes")->check(CLI::Range(1, 1000));
    app.add_flag("--keep", options.keep, "Leave the pool behind, to look at it");
    app.add_option("FILE", options.paths, "Texts, or folders of texts; each is counted once");
    app.add_option("--read", options.pool_to_read)->group("");
    CLI11_PARSE(app, argc, argv);
    try {
        return run(choose(profiles, options), options, argv);
    } catch (const std::exception& error) {
        fmt::print(stderr, "word_count: {}\n", error.what());
        return 1;
    }
}
