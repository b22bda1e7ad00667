// Counts the words of real texts with several processes, in tables that they share, while one of them is killed.
//
//     word_count --workers 4 --lock futex --allocator simple --hash siphash13 *.txt
//
// What is of interest is in word_count/table_counter.hpp: how workers share the work, and take over from the dead. Here
// are the options, the processes, and the comparison with a count by a single process.
#include <ss/registry.hpp>

#include "word_count/counter.hpp"
#include "word_count/crew.hpp"
#include "word_count/texts.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <random>
#include <set>
#include <unordered_map>

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
};

// --- the profiles: everything that the registry has

std::vector<Profile> all_profiles() {
    std::vector<Profile> profiles;
    boost::hana::for_each(ss::registry::bare_locks,
                          [&](auto lock) { add_profiles<typename decltype(lock)::type>(profiles); });
    return profiles;
}

const Profile& choose(const std::vector<Profile>& profiles, const Options& options) {
    const auto chosen = std::find_if(profiles.begin(), profiles.end(), [&](const Profile& profile) {
        return profile.allocator == options.allocator && profile.lock == options.lock && profile.hash == options.hash;
    });
    if (chosen == profiles.end()) throw std::runtime_error("there is no such profile");
    return *chosen;
}

bool lets_one_process_write(const Options& options) { return options.lock.ends_with("null"); }

// --- counting

/// Picks the byte at which a worker dies: any, so that each run is another one.
void pick_victim(Job& job) {
    std::random_device random;
    job.fatal_byte = std::uniform_int_distribution<std::uint64_t>(0, total_size(job.texts) - 1)(random);
    for (job.fatal_text = 0; job.fatal_byte >= job.texts[job.fatal_text].content.size(); ++job.fatal_text)
        job.fatal_byte -= job.texts[job.fatal_text].content.size();
}

void draw_bar(std::uint64_t done, std::uint64_t total) {
    constexpr std::uint64_t width = 50;
    fmt::print("\r[{:.<{}}] {:3} %", std::string(done * width / total, '#'), width, done * 100 / total);
    std::fflush(stdout);
}

/// Forks the workers and waits for them. Their number is what the lock allows.
void count(const ss::Pool& pool, const Profile& profile, const Options& options, Job job) {
    pick_victim(job);
    const std::uint64_t total = total_size(job.texts);
    // A counter of our own to look at, where looking does not need a lock that only one process may have.
    const bool watches = isatty(STDOUT_FILENO) != 0 && !lets_one_process_write(options);
    const auto watched = watches ? profile.open(pool) : nullptr;

    // The workers inherit the pool; a child of fork attaches anew when it first uses it.
    Crew crew([&](const std::string& worker) { profile.open(pool)->work(job, worker); });
    for (int i = 0; i < options.workers; ++i) crew.start();
    crew.wait([&] {
        if (watches) draw_bar(watched->bytes_counted(), total);
    });
    if (watches) draw_bar(watched->bytes_counted(), total), fmt::print("\n");
}

// --- what came of it: in a process that had no part in it

Counts count_alone(const std::vector<Text>& texts) {
    std::unordered_map<std::string, std::int64_t> counts;
    for (const Text& text : texts)
        for (const std::string& word : next_batch(text.content, 0, text.content.size()).words) ++counts[word];
    return {counts.begin(), counts.end()};
}

void print_most_frequent(const Counts& counts, std::size_t most) {
    std::vector<std::pair<std::string, std::int64_t>> words(counts.begin(), counts.end());
    std::stable_sort(words.begin(), words.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    words.resize(std::min(words.size(), most));
    fmt::print("\n");
    for (const auto& [word, count] : words)
        fmt::print("{:>14} {:>8} {}\n", word, count,
                   std::string(static_cast<std::size_t>(50 * count / words[0].second), '#'));
    fmt::print("\n");
}

/// Everything that is not as it should be, a sentence each.
std::vector<std::string> find_faults(const ss::Pool& pool, const Result& result, const Counts& expected) {
    std::vector<std::string> faults = pool.verify();
    for (const auto& [word, count] : expected)
        if (const auto ours = result.counts.find(word); ours == result.counts.end() || ours->second != count)
            faults.push_back(fmt::format("\"{}\" was counted {} times, there are {}", word,
                                         ours == result.counts.end() ? 0 : ours->second, count));
    for (const auto& [word, count] : result.counts)
        if (!expected.contains(word))
            faults.push_back(fmt::format("\"{}\" was counted {} times, there are none", word, count));
    if (result.killed.empty()) faults.emplace_back("nobody was killed");
    if (result.went_on.empty()) faults.emplace_back("nobody took over from the killed worker");
    if (result.recoveries == 0) faults.emplace_back("there was nothing to recover");
    return faults;
}

int read_pool(const Profile& profile, const Options& options) {
    const auto access = profile.has_lockless_readers ? ss::Access::read_only : ss::Access::open_only;
    const ss::Pool pool(options.pool_to_read, {.access = access});
    const Result result = profile.open(pool)->result();
    std::int64_t words = 0;
    for (const auto& [word, count] : result.counts) words += count;

    fmt::print("words      {}, {} different ones\n", words, result.counts.size());
    fmt::print("killed     {}, in the middle of a transaction\n", result.killed);
    fmt::print("went on    {}\n", result.went_on);
    fmt::print("recovered  {} interrupted change{}\n", result.recoveries, result.recoveries == 1 ? "" : "s");
    fmt::print("read       by process {}, with the pool open for {}\n", getpid(),
               profile.has_lockless_readers ? "reading only" : "reading and writing, for this lock's readers lock");
    print_most_frequent(result.counts, 20);

    const auto faults = find_faults(pool, result, count_alone(read_texts(options.paths)));
    for (const std::string& fault : faults) fmt::print("wrong: {}\n", fault);
    fmt::print("{}\n", faults.empty() ? "OK: a count by a single process gives the same for every word" : "FAILED");
    return faults.empty() ? 0 : 1;
}

/// Runs this program again, to read the pool.
int run_reader(const std::string& path, char** argv) {
    std::fflush(nullptr);
    const pid_t pid = fork();
    if (pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (pid == 0) {
        std::string option = "--read=" + path;
        std::vector<char*> arguments = {argv[0], option.data()};
        for (char** argument = argv + 1; *argument != nullptr; ++argument) arguments.push_back(*argument);
        arguments.push_back(nullptr);
        execv("/proc/self/exe", arguments.data());
        std::perror("word_count: cannot run itself");
        _exit(1);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/// A path of our own, in memory where there is a file system for it.
class PoolPath {
public:
    explicit PoolPath(bool keep) : keep_(keep) {
        const std::filesystem::path memory = "/dev/shm";
        path_ = (exists(memory) ? memory : std::filesystem::temp_directory_path()) /
                fmt::format("word_count.{}", getpid());
    }
    PoolPath(const PoolPath&) = delete;
    PoolPath& operator=(const PoolPath&) = delete;
    ~PoolPath() {
        if (!keep_) ss::Pool::remove(path_);
    }

    [[nodiscard]] const std::filesystem::path& get() const { return path_; }

private:
    std::filesystem::path path_;
    bool keep_;
};

int run(const Profile& profile, const Options& options, char** argv) {
    Job job{.texts = read_texts(options.paths)};
    const PoolPath path(options.keep);
    const ss::Pool pool(path.get(), {.access = ss::Access::create_only});
    fmt::print("{} texts of {} KiB, {} worker{}, lock {}, allocator {}, hash {}\n", job.texts.size(),
               (total_size(job.texts) + 1023) / 1024, options.workers, options.workers == 1 ? "" : "s", options.lock,
               options.allocator, options.hash);
    const auto begin = std::chrono::steady_clock::now();
    count(pool, profile, options, std::move(job));
    const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - begin;
    fmt::print("time       {:.0f} ms\n", time.count());
    const int status = run_reader(path.get(), argv);
    if (options.keep) fmt::print("kept       {}, {} KiB\n", path.get().string(), pool.size() / 1024);
    return status;
}

} // namespace

} // namespace word_count

int main(int argc, char** argv) {
    using namespace word_count;
    Options options;
    const auto profiles = all_profiles();
    const auto names = [&](std::string Profile::*kind) {
        std::set<std::string> set;
        for (const Profile& profile : profiles) set.insert(profile.*kind);
        return CLI::IsMember(set);
    };
    CLI::App app("Counts words with several processes in one shared hash table, while one of them is killed.");
    app.add_option("--lock", options.lock, "Lock policy")->check(names(&Profile::lock))->capture_default_str();
    app.add_option("--allocator", options.allocator, "Allocator policy")
        ->check(names(&Profile::allocator))
        ->capture_default_str();
    app.add_option("--hash", options.hash, "Hash policy")->check(names(&Profile::hash))->capture_default_str();
    app.add_option("--workers", options.workers, "Worker processes")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    app.add_flag("--keep", options.keep, "Leave the pool behind, to look at it");
    app.add_option("--read", options.pool_to_read)->group("");
    app.add_option("FILE", options.paths, "Texts, or folders of them; each is counted once")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    try {
        const Profile& profile = choose(profiles, options);
        if (!options.pool_to_read.empty()) return read_pool(profile, options);
        if (lets_one_process_write(options) && options.workers > 1)
            throw std::runtime_error(
                fmt::format("lock {} lets one process write: name --workers 1 with it", options.lock));
        return run(profile, options, argv);
    } catch (const std::exception& error) {
        fmt::print(stderr, "word_count: {}\n", error.what());
        return 1;
    }
}
