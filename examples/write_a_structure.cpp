// A structure of your own, as safe from a kill as those of ss: a log that keeps its newest lines.
//
//     the root's words:   oldest, newest, count
//
//     oldest ──> Line ──next──> Line ──next──> … ──> Line <── newest
//
// Everything hangs on a Root, a named place in a pool. What is changed is changed in a transaction, so there is no order
// of stores to think about, nothing to repair, and no memory to lose: a writer may be killed at any instruction.
#include <ss/ss.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace {

class Log {
public:
    static constexpr ss::Word capacity = 100;   ///< lines
    static constexpr std::size_t max_size = 56; ///< bytes of a line; what is longer is cut off

    Log(const ss::Pool& pool, std::string_view name) : root_(pool, name, ss::policy_id("log")) {}

    /// Appends a line as a part of somebody's transaction, and drops the oldest line if there are too many.
    template <class Tx>
    void append(Tx& tx, std::string_view text) {
        tx.touch(root_.version()); // before any change: who reads without the lock has to start over
        const auto line = tx.template allocate<Line>();
        write(tx, tx.at(line), text.substr(0, max_size));

        const ss::Word lines = ss::load(root_.word(count));
        tx.store(lines == 0 ? root_.word(oldest) : tx.at(newest_line()).next.value, line.value);
        tx.store(root_.word(newest), line.value);
        tx.store(root_.word(count), lines + 1);
        if (lines == capacity) drop_oldest(tx);
    }

    /// The lines, oldest first, as they all were at one moment. Takes no lock, and works on a read-only pool.
    [[nodiscard]] std::vector<std::string> lines() const {
        std::vector<std::string> lines;
        root_.read([&](const auto& view) {
            // A writer may be at work while this runs. Then what is read here may be nonsense: offsets are checked by
            // view.at, the loop is bounded by us, and in the end all of this is done again.
            lines.clear();
            ss::Offset<Line> at{ss::load(root_.word(oldest))};
            for (ss::Word left = std::min(ss::load(root_.word(count)), capacity); left != 0; --left) {
                const Line& line = view.at(at);
                lines.push_back(read(line));
                at.value = ss::load(line.next.value);
            }
        });
        return lines;
    }

    [[nodiscard]] ss::DomainStats stats() const { return root_.stats(); }

private:
    /// The root's words.
    enum : std::size_t { oldest, newest, count };

    /// What lies in the pool: words, and offsets where there would be pointers.
    struct Line {
        ss::Offset<Line> next;
        ss::Word size;
        std::array<ss::Word, max_size / ss::word_size> text;
    };

    [[nodiscard]] ss::Offset<Line> newest_line() const { return {ss::load(root_.word(newest))}; }

    template <class Tx>
    void drop_oldest(Tx& tx) {
        const ss::Offset<Line> line{ss::load(root_.word(oldest))};
        tx.store(root_.word(oldest), ss::load(tx.at(line).next.value));
        tx.store(root_.word(count), capacity);
        tx.free(line); // when the transaction commits
    }

    template <class Tx>
    static void write(Tx& tx, Line& line, std::string_view text) {
        std::array<ss::Word, max_size / ss::word_size> words{};
        std::memcpy(words.data(), text.data(), text.size());
        for (std::size_t i = 0; i < words.size(); ++i) tx.store(line.text[i], words[i]);
        tx.store(line.size, text.size());
    }

    static std::string read(const Line& line) {
        std::array<ss::Word, max_size / ss::word_size> words{};
        for (std::size_t i = 0; i < words.size(); ++i) words[i] = ss::load(line.text[i]);
        std::string text(std::min<std::size_t>(ss::load(line.size), max_size), '\0');
        std::memcpy(text.data(), words.data(), text.size());
        return text;
    }

    ss::Root<> root_;
};

/// Appends "line 1", "line 2", … for ever, and counts them in a table: both or neither.
[[noreturn]] void write_for_ever(Log& log, ss::HashTable<>& table) {
    for (;;)
        ss::transaction(table,
                        [&](auto& tx) { log.append(tx, "line " + std::to_string(table.incr(tx, "lines", 1))); });
}

/// True if the lines are numbered one after the other, up to `last`.
bool are_in_sequence(const std::vector<std::string>& lines, std::int64_t last) {
    std::int64_t number = last - static_cast<std::int64_t>(lines.size());
    return std::all_of(lines.begin(), lines.end(),
                       [&](const std::string& line) { return line == "line " + std::to_string(++number); });
}

} // namespace

int main() {
    const ss::Pool pool = ss::Pool::anonymous();
    ss::HashTable<> table(pool, "counts");
    Log log(pool, "log");
    std::uint64_t bytes_of_a_full_log = 0;
    bool right = true;

    // Ten writers, one after the other, each killed wherever it happens to be.
    for (int round = 0; round < 10 && right; ++round) {
        const auto before = table.find_as<std::int64_t>("lines").value_or(0);
        const pid_t writer = fork();
        if (writer == 0) write_for_ever(log, table);
        while (table.find_as<std::int64_t>("lines").value_or(0) < before + 1000) usleep(100);
        kill(writer, SIGKILL);
        waitpid(writer, nullptr, 0);

        // Whoever touches the pool next undoes what the dead writer had begun.
        const auto lines = log.lines();
        const auto last = table.find_as<std::int64_t>("lines").value_or(0);
        const auto bytes = log.stats().bytes_allocated;
        if (round == 0) bytes_of_a_full_log = bytes;
        right = lines.size() == Log::capacity && are_in_sequence(lines, last) && bytes == bytes_of_a_full_log;
        std::printf("writer %2d was killed: %s … %s, %llu bytes\n", round + 1, lines.front().c_str(),
                    lines.back().c_str(), static_cast<unsigned long long>(bytes));
    }
    std::printf("%llu half-done changes were undone: %s\n", static_cast<unsigned long long>(log.stats().recoveries),
                right ? "OK" : "FAILED");
    return right ? 0 : 1;
}
