// What is counted: texts, and the words in them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace word_count {

struct Text {
    std::string name; ///< its path
    std::string content;
};

/// All of the files, and of the folders the files right below, without symbolic links. Each once, in order of their names.
/// Throws std::runtime_error if one cannot be read, or if there is not a single byte in them.
[[nodiscard]] std::vector<Text> read_texts(const std::vector<std::filesystem::path>& paths);

[[nodiscard]] std::uint64_t total_size(const std::vector<Text>& texts);

/// The words in [begin, end) of a text. Words are runs of ASCII letters, in lower case.
struct Batch {
    std::uint64_t begin;
    std::uint64_t end;
    std::vector<std::string> words;
};

/// At most `most` words from `begin` on, and all up to the next word: batch follows batch with nothing in between.
[[nodiscard]] Batch next_batch(std::string_view content, std::uint64_t begin, std::size_t most);

} // namespace word_count
