#include "packages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace complete {

namespace {

/// From lines of a name, a space and a description. Of several with one name the first counts.
Packages read_lines(std::FILE* lines) {
    Packages packages;
    for (std::array<char, 4096> line{}; std::fgets(line.data(), line.size(), lines) != nullptr;) {
        const std::string_view text(line.data(), std::strcspn(line.data(), "\n"));
        const std::string_view name = text.substr(0, text.find(' '));
        if (!name.empty()) packages.emplace(name, text.substr(std::min(name.size() + 1, text.size())));
    }
    return packages;
}

/// What cannot be run has no output.
Packages read_output(const std::string& command) {
    std::FILE* const pipe = popen(("exec 2>/dev/null; " + command).c_str(), "r");
    if (pipe == nullptr) return {};
    Packages packages = read_lines(pipe);
    pclose(pipe);
    return packages;
}

} // namespace

Packages read_packages() {
    const std::string lines = "awk '/^Package: /{name = $2} /^Description: /{$1 = name; print}'";
    if (Packages packages = read_output("apt-cache dumpavail | " + lines); !packages.empty()) return packages;
    fmt::print("apt has no lists of packages here, so these are the ones that dpkg has installed\n");
    return read_output("dpkg-query -W -f='${Package} ${binary:Summary}\n'");
}

Packages read_words(const std::string& path) {
    std::FILE* const file = std::fopen(path.c_str(), "r");
    if (file == nullptr) throw std::runtime_error("cannot read " + path);
    Packages words = read_lines(file);
    std::fclose(file);
    return words;
}

std::set<std::string> terms_of(const std::string& name, const std::string& description) {
    std::set<std::string> terms = {name};
    std::string word;
    for (const char byte : description + ' ') {
        const auto c = static_cast<unsigned char>(byte);
        if (std::isalnum(c) != 0)
            word += static_cast<char>(std::tolower(c));
        else if (const std::string whole = std::exchange(word, ""); whole.size() > 1)
            terms.insert(whole);
    }
    return terms;
}

} // namespace complete
