// A structure of your own, as safe from a kill as those of ss: a log that keeps its newest lines.
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
        const ss::Offset<Line> last{ss::load(root_.word(newest))};
        tx.store(lines == 0 ? root_.word(oldest) : tx.at(last).next.value, line.value);
        tx.store(root_.word(newest), line.value);
        tx.store(root_.word(count), lines + 1);
        if (lines == capacity) drop_oldest(tx);
    }

    /// The lines, oldest first, as they all were at one moment. Takes no lock, and works on a read-only pool.
    std::vector<std::string> lines() const {
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

private:
    /// The root's words.
    enum : std::size_t { oldest, newest, count };

    /// What lies in the pool: words, and offsets where there would be pointers.
    struct Line {
        ss::Offset<Line> next;
        ss::Word size;
        std::array<ss::Word, max_size / ss::word_size> text;
    };

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

/// True if the lines are numbered one after the other.
bool are_in_sequence(const std::vector<std::string>& lines) {
    long long number = lines.empty() ? 0 : std::stoll(lines.front().substr(5));
    return std::all_of(lines.begin(), lines.end(),
                       [&](const std::string& line) { return line == "line " + std::to_string(number++); });
}

} // namespace

int main() {
    const ss::Pool pool = ss::Pool::anonymous();
    ss::HashTable<> table(pool, "counts");
    Log log(pool, "log");
    const auto written = [&] { return table.find_as<std::int64_t>("lines").value_or(0); };
    std::uint64_t bytes_of_a_full_log = 0;
    bool right = true;

    // Ten writers, one after the other, each killed wherever it happens to be.
    for (int round = 1; round <= 10 && right; ++round) {
        const auto goal = written() + 1000;
        const pid_t writer = fork();
        if (writer < 0) return std::perror("fork"), 1;
        if (writer == 0) write_for_ever(log, table);
        for (; written() < goal; usleep(100)) {
            if (waitpid(writer, nullptr, WNOHANG) != 0) return std::puts("a writer ended by itself"), 1;
            right = right && are_in_sequence(log.lines()); // at any moment, while he writes
        }
        kill(writer, SIGKILL);
        waitpid(writer, nullptr, 0);

        // Whoever comes next, here we, undoes what the dead writer had begun.
        const auto lines = log.lines();
        const auto bytes = table.stats().domain.bytes_allocated;
        if (round == 1) bytes_of_a_full_log = bytes;
        right = right && lines.size() == Log::capacity && are_in_sequence(lines) &&
                lines.back() == "line " + std::to_string(written()) && bytes == bytes_of_a_full_log;
        std::printf("writer %2d was killed: %zu lines up to number %lld, in %llu bytes\n", round, lines.size(),
                    static_cast<long long>(written()), static_cast<unsigned long long>(bytes));
    }
    std::puts(right ? "OK: every log was whole" : "FAILED");
    return right ? 0 : 1;
}
