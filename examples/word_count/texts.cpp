#include "texts.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace word_count {

namespace {

std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::string content{std::istreambuf_iterator<char>(file), {}};
    if (!file) throw std::runtime_error("cannot read " + path.string());
    return content;
}

std::vector<std::filesystem::path> list_files(const std::vector<std::filesystem::path>& paths) {
    std::vector<std::filesystem::path> files;
    for (const auto& path : paths) {
        if (!is_directory(path)) {
            files.push_back(path);
            continue;
        }
        for (const auto& entry : std::filesystem::directory_iterator(path))
            if (entry.is_regular_file() && !entry.is_symlink()) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    files.erase(std::unique(files.begin(), files.end()), files.end());
    return files;
}

// Not std::isalpha, which asks the locale.
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char to_lower(char c) { return c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

} // namespace

std::vector<Text> read_texts(const std::vector<std::filesystem::path>& paths) {
    std::vector<Text> texts;
    for (const auto& file : list_files(paths)) texts.push_back({.name = file.string(), .content = read_file(file)});
    if (total_size(texts) == 0) throw std::runtime_error("there is nothing to count");
    return texts;
}

std::uint64_t total_size(const std::vector<Text>& texts) {
    std::uint64_t size = 0;
    for (const Text& text : texts) size += text.content.size();
    return size;
}

Batch next_batch(std::string_view content, std::uint64_t begin, std::size_t most) {
    Batch batch{.begin = begin, .end = begin, .words = {}};
    const auto skip_to = [&](bool letter) {
        while (batch.end < content.size() && is_letter(content[batch.end]) != letter) ++batch.end;
    };
    for (skip_to(true); batch.end < content.size() && batch.words.size() < most; skip_to(true)) {
        const std::uint64_t word = batch.end;
        skip_to(false);
        std::string& lower = batch.words.emplace_back(content.substr(word, batch.end - word));
        std::transform(lower.begin(), lower.end(), lower.begin(), to_lower);
    }
    return batch;
}

} // namespace word_count
