#include "report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace word_count {

namespace {

std::unordered_map<std::string, std::int64_t> count_alone(const std::vector<Text>& texts) {
    std::unordered_map<std::string, std::int64_t> counts;
    for (const Text& text : texts)
        for (const std::string& word : next_batch(text.content, 0, text.content.size()).words) ++counts[word];
    return counts;
}

void print_most_frequent(const Counts& counts, std::size_t most) {
    constexpr std::int64_t width = 50;
    std::vector<std::pair<std::string, std::int64_t>> words(counts.begin(), counts.end());
    std::stable_sort(words.begin(), words.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    words.resize(std::min(words.size(), most));
    for (const auto& [word, count] : words)
        fmt::print("{:>16} {:>8}  {:#<{}}\n", word, count, "", width * count / words.front().second);
}

} // namespace

void print(const Result& result) {
    std::int64_t words = 0;
    for (const auto& [word, count] : result.counts) words += count;
    fmt::print("words      {}, {} different ones\n", words, result.counts.size());
    fmt::print("killed     {}, in a transaction\n", result.killed);
    fmt::print("went on    {}\n", result.went_on);
    fmt::print("recovered  {} interrupted change{}\n\n", result.recoveries, result.recoveries == 1 ? "" : "s");
    print_most_frequent(result.counts, 20);
    fmt::print("\n");
}

std::vector<std::string> find_faults(const Result& result, const std::vector<Text>& texts) {
    std::vector<std::string> faults;
    auto expected = count_alone(texts);
    for (const auto& [word, count] : result.counts) {
        if (expected[word] != count)
            faults.push_back(fmt::format("\"{}\" was counted {} times, not {}", word, count, expected[word]));
        expected.erase(word);
    }
    for (const auto& [word, count] : expected)
        faults.push_back(fmt::format("\"{}\" was not counted, and comes {} times", word, count));
    if (result.killed.empty()) faults.emplace_back("nobody was killed");
    if (result.went_on.empty()) faults.emplace_back("nobody went on where the killed worker had been");
    if (result.recoveries == 0) faults.emplace_back("nothing had to be recovered");
    return faults;
}

} // namespace word_count
