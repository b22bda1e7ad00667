// Counting, whatever the policies of the tables are: what the rest of the program sees of them.
#pragma once

#include "texts.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace ss::inline v0 {
class Pool;
}

namespace word_count {

using Counts = std::map<std::string, std::int64_t>;

/// What every worker is told.
struct Job {
    std::vector<Text> texts;
    /// Whoever comes to this byte of this text first is killed.
    std::size_t fatal_text = 0;
    std::uint64_t fatal_byte = 0;
};

/// What the tables say in the end.
struct Result {
    Counts counts;
    std::string killed;  ///< who was, and where; empty if nobody was
    std::string went_on; ///< who did, and where
    std::uint64_t recoveries = 0;
};

/// The tables in a pool, and what is done with them.
class Counter {
public:
    Counter() = default;
    Counter(const Counter&) = delete;
    Counter& operator=(const Counter&) = delete;
    virtual ~Counter() = default;

    /// Counts until all texts are counted, by whomever.
    virtual void work(const Job& job, const std::string& worker) = 0;

    [[nodiscard]] virtual std::uint64_t bytes_counted() const = 0;
    [[nodiscard]] virtual Result result() const = 0;
};

/// One choice of policies. Their names are those on the command line.
struct Profile {
    std::string allocator;
    std::string lock;
    std::string hash;
    bool has_lockless_readers;
    std::unique_ptr<Counter> (*open)(const ss::Pool& pool);
};

/// Adds every profile with this lock or its Optimistic form. Compiled in a file for each lock, word_count/<lock>.cpp.
template <class Lock>
void add_profiles(std::vector<Profile>& profiles);

} // namespace word_count
