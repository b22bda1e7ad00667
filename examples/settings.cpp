// Settings that one process changes while others use them: who uses some of them sleeps until one of these changes.
//
// The settings are the kernel's own, as /proc/sys has them. Five readers watch those that begin with something; two
// of them have the pool open read-only. The writer first changes one setting at a time, and goes on when all whom it
// concerns have told what they see now; then it changes many without waiting. Nobody may miss a change.
#include <ss/ss.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using Settings = std::map<std::string, std::string>;
using Clock = std::chrono::steady_clock;

/// All that /proc/sys lets us read: "net.ipv4.ip_forward", "0".
Settings read_kernel() {
    Settings settings;
    const auto options = std::filesystem::directory_options::skip_permission_denied;
    for (const auto& entry : std::filesystem::recursive_directory_iterator("/proc/sys", options)) {
        std::string key = entry.path().lexically_relative("/proc/sys").string(), value;
        std::replace(key.begin(), key.end(), '/', '.');
        std::ifstream file(entry.path());
        if (entry.is_regular_file() && std::getline(file, value)) settings[key] = value.substr(0, 80);
    }
    return settings;
}

Settings part(Settings settings, const std::string& prefix) {
    std::erase_if(settings, [&](const auto& setting) { return !setting.first.starts_with(prefix); });
    return settings;
}

/// What a reader does: it tells what is new, until there is nothing any more.
void read(const ss::PrefixTree<>& tree, const std::string& prefix, std::FILE* out) {
    Settings known;
    for (std::optional<ss::Stamp> stamp = tree.stamp(prefix);;) {
        if (tree.count_prefix(prefix) == 0) return;
        for (const auto& [key, value] : tree.prefix(prefix)) {
            const auto& text = std::get<std::string>(value);
            const auto [place, fresh] = known.try_emplace(key);
            if (fresh || place->second != text) fmt::print(out, "{}={}\n", key, place->second = text);
        }
        std::fflush(out);
        stamp = tree.watch_prefix(prefix, *stamp, std::chrono::seconds(60));
        if (!stamp) throw std::runtime_error("nothing has changed, or that was missed");
    }
}

/// A reader, as the writer knows it.
struct Reader {
    std::string prefix;
    bool is_read_only;
    std::FILE* news = nullptr;
    Settings told = {};
    std::size_t lines = 0;
    std::vector<double> times = {}; ///< from a change until it was told, in microseconds

    [[nodiscard]] std::string name() const { return prefix + (is_read_only ? "* (read-only)" : "*"); }

    void start(const ss::Pool& pool) {
        std::array<int, 2> ends{};
        if (pipe(ends.data()) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
        const pid_t child = fork();
        if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
        news = fdopen(ends.at(child == 0 ? 1 : 0), child == 0 ? "w" : "r");
        close(ends.at(child == 0 ? 0 : 1));
        if (child > 0) return;
        prctl(PR_SET_PDEATHSIG, SIGKILL); // nobody is left behind, however we end
        const auto mine = is_read_only ? ss::Pool::from_fd(pool.fd(), {.access = ss::Access::read_only}) : pool;
        read({mine, "settings"}, prefix, news);
        std::_Exit(0);
    }

    /// Returns when the reader has told that these are the values now. Of others than its own it tells nothing.
    void listen(const Settings& settings) {
        std::array<char, 1024> line{};
        for (const auto& [key, value] : part(settings, prefix))
            for (; told.count(key) == 0 || told[key] != value; ++lines) {
                if (std::fgets(line.data(), line.size(), news) == nullptr)
                    throw std::runtime_error("a reader failed");
                const std::string text = line.data();
                const std::size_t sign = text.find('=');
                told[text.substr(0, sign)] = text.substr(sign + 1, text.size() - sign - 2);
            }
    }
};

int run() {
    Settings settings = read_kernel();
    const ss::Pool pool = ss::Pool::anonymous();
    ss::PrefixTree<> tree(pool, "settings");
    for (const auto& [key, value] : settings) tree.insert(key, value);
    std::vector<Reader> readers = {{"net.", false}, {"kernel.", false}, {"", false}, {"kernel.", true}, {"", true}};
    for (Reader& reader : readers) reader.start(pool);
    for (Reader& reader : readers) reader.listen(settings);

    std::uint64_t number = 0, changes = 0;
    for (auto& [key, value] : settings) {
        if (++number % 10 != 0) continue;
        const auto begin = Clock::now();
        tree.insert(key, value = fmt::format("change {}", ++changes));
        for (Reader& reader : readers) {
            if (!key.starts_with(reader.prefix)) continue;
            reader.listen({{key, value}});
            reader.times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
            if (changes % 20 == 0) fmt::print("{:<22} {} = {}\n", reader.name(), key, value);
        }
    }
    for (int round = 0; round < 5; ++round)
        for (auto& [key, value] : settings) tree.insert(key, value = fmt::format("change {}", ++changes));

    bool all_well = changes > 100;
    fmt::print("\n{:<22} {:>8} {:>8} {:>16}\n", "who watched", "settings", "told", "after us, median");
    for (Reader& reader : readers) {
        reader.listen(settings);
        all_well = all_well && reader.told == part(settings, reader.prefix);
        std::sort(reader.times.begin(), reader.times.end());
        fmt::print("{:<22} {:>8} {:>8} {:>16.0f}\n", reader.name(), reader.told.size(), reader.lines,
                   reader.times.empty() ? 0 : reader.times[reader.times.size() / 2]);
    }
    tree.clear(); // by which the readers end
    for (int status = 0; wait(&status) > 0;) all_well = all_well && status == 0;
    fmt::print("{} changes, and each reader has the last ones: {}\n", changes, all_well ? "OK" : "FAILED");
    return all_well ? 0 : 1;
}

} // namespace

int main() {
    try {
        return run();
    } catch (const std::exception& error) {
        fmt::print(stderr, "settings: {}\n", error.what());
        return 1;
    }
}
