// Counts the words of real texts by workers that are killed all the while: no job is lost, and none is done twice.
//
//     jobs      a queue of pieces of the texts
//     results   path, word -> how often it occurs there; number of a job -> how often it was done
//
// A worker leases a job, and writes the result in the transaction that ends the lease. So a worker that is killed has done
// both or nothing, and then the next one finds the job in front of the queue.
#include <ss/ss.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using Texts = std::map<std::string, std::string>;
using Counts = std::map<std::string, std::int64_t>;

std::string read(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot read " + path.string());
    return {std::istreambuf_iterator<char>(file), {}};
}

Counts count_words(const std::string& text) {
    Counts counts;
    std::istringstream words(text);
    for (std::string word; words >> word;) ++counts[word];
    return counts;
}

struct Shop {
    ss::Pool pool = ss::Pool::anonymous(); // nothing is left behind, however we end
    ss::Queue<> jobs{pool, "jobs"};
    ss::HashTable<> results{pool, "results"};

    [[nodiscard]] std::uint64_t left() const {
        const ss::QueueStats stats = jobs.stats(); // both of one moment
        return stats.entries + stats.leased;
    }
};

/// A job is the path of a text, a number, and a piece of the text that ends where a word does.
void cut(const Texts& texts, ss::Queue<>& jobs) {
    for (const auto& [path, text] : texts)
        for (std::size_t begin = 0, end = 0; begin < text.size(); begin = end) {
            end = std::min(text.find_first_of(" \n", begin + 128), text.size());
            jobs.push_back({fmt::format("{}\n{}\n", path, jobs.size()), text.substr(begin, end - begin)});
        }
}

/// Until nothing is left to be done, by whomever.
void work(Shop& shop) {
    while (shop.left() != 0) {
        auto lease = shop.jobs.lease(std::chrono::milliseconds(100));
        if (!lease) continue; // somebody has the last job, and may yet be killed
        std::istringstream job(lease->value());
        std::string path, number, text;
        std::getline(std::getline(std::getline(job, path), number), text, '\0');
        usleep(500); // or they would be done before many are killed
        ss::transaction(shop.results, [&](auto& tx) {
            for (const auto& [word, count] : count_words(text)) shop.results.incr(tx, path + '\n' + word, count);
            shop.results.incr(tx, number, 1);
            lease->ack(tx);
        });
    }
}

pid_t start(Shop& shop) {
    std::fflush(nullptr); // or the child would write it again
    const pid_t child = fork();
    if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (child > 0) return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL); // nobody is left behind, however we end
    work(shop);
    std::_Exit(0);
}

/// Kills one of four workers every few milliseconds, and starts another, until all is done. Returns how many it killed.
std::uint64_t kill_workers(Shop& shop) {
    std::minstd_rand random{std::random_device{}()};
    std::array<pid_t, 4> pids{};
    for (pid_t& pid : pids) pid = start(shop);
    for (const std::uint64_t jobs = shop.left(); const std::uint64_t left = shop.left();) {
        if (isatty(STDOUT_FILENO) != 0) fmt::print("\r[{:.<50}] ", std::string(50 - 50 * left / jobs, '#'));
        usleep(static_cast<useconds_t>(2000 + random() % 6000));
        pid_t& pid = pids.at(random() % pids.size());
        kill(pid, SIGKILL);
        pid = start(shop);
    }
    std::uint64_t killed = 0;
    for (int status = 0; wait(&status) > 0; killed += status == SIGKILL)
        if (status != 0 && status != SIGKILL) throw std::runtime_error("a worker failed");
    return killed;
}

int run(const Texts& texts) {
    Shop shop;
    cut(texts, shop.jobs);
    const std::uint64_t jobs = shop.left(), killed = kill_workers(shop);
    const auto result = [&](const std::string& key) { return shop.results.find_as<std::int64_t>(key).value_or(0); };
    std::uint64_t lost = 0, twice = 0, wrong = 0, keys = jobs;
    for (std::uint64_t job = 0; job < jobs; ++job) lost += result(std::to_string(job)) == 0;
    for (std::uint64_t job = 0; job < jobs; ++job) twice += result(std::to_string(job)) > 1;
    for (const auto& [path, text] : texts) {
        const Counts counts = count_words(text);
        keys += counts.size();
        for (const auto& [word, count] : counts) wrong += result(path + '\n' + word) != count;
        fmt::print("{:>8} different words in {}\n", counts.size(), path);
    }
    fmt::print("\n{} workers were killed, {} of them within a transaction\n", killed, shop.jobs.stats().recoveries);
    fmt::print("{} words are counted otherwise than by a single process\n", wrong);
    fmt::print("{} jobs, {} lost, {} done twice\n", jobs, lost, twice);
    const bool all_well = lost + twice + wrong == 0 && keys == shop.results.size() && shop.pool.verify().empty();
    return all_well && killed >= jobs / 100 ? 0 : 1; // few kills would prove little
}

} // namespace

int main(int argc, char** argv) {
    std::vector<std::string> paths;
    CLI::App app("Counts the words of texts by workers that are killed all the while.");
    app.add_option("FILE", paths, "Texts, instead of the licenses in /usr/share/common-licenses");
    CLI11_PARSE(app, argc, argv);
    try {
        Texts texts;
        for (const std::string& path : paths) texts[path] = read(path);
        if (paths.empty())
            for (const auto& entry : std::filesystem::directory_iterator("/usr/share/common-licenses"))
                if (!entry.is_symlink()) texts[entry.path().string()] = read(entry.path());
        return run(texts);
    } catch (const std::exception& error) {
        fmt::print(stderr, "jobs: {}\n", error.what());
        return 1;
    }
}
