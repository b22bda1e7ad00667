// Completes what you type by the names and descriptions of all Debian packages, while they are still being loaded.
//
//     packages   name -> description
//     terms      name, or word of a description -> how many packages have it
//
// One process loads, with a transaction for each package; others ask meanwhile, and see both trees grow in step.
#include <ss/ss.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <map>
#include <set>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using Packages = std::map<std::string, std::string>;

/// Reads lines of a name, a space and a description. Of several with one name the first counts.
Packages read(std::FILE* file, int (*close)(std::FILE*)) {
    if (file == nullptr) throw std::system_error(errno, std::generic_category(), "cannot read the packages or words");
    Packages packages;
    for (std::array<char, 4096> line{}; std::fgets(line.data(), line.size(), file) != nullptr;) {
        const std::string_view text(line.data(), std::strcspn(line.data(), "\n"));
        const std::string_view name = text.substr(0, text.find(' '));
        packages.emplace(name, text.substr(std::min(name.size() + 1, text.size())));
    }
    close(file);
    return packages;
}

Packages read_packages() {
    Packages packages = read(popen("apt-cache dumpavail 2>/dev/null |"
                                   "awk '/^Package: /{name = $2} /^Description: /{$1 = name; print}'", "r"), pclose);
    if (!packages.empty()) return packages;
    fmt::print("apt has no lists of packages here, so these are what dpkg has installed\n");
    return read(popen("dpkg-query -W -f='${Package} ${binary:Summary}\n' 2>/dev/null", "r"), pclose);
}

/// The name, and the words of the description in lower case, each once.
std::set<std::string> terms_of(const Packages::value_type& package) {
    std::set<std::string> terms = {package.first};
    std::string word;
    for (const char c : package.second + ' ') {
        const auto lower = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
        if ((lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9'))
            word += lower;
        else if (word.size() > 1)
            terms.insert(std::exchange(word, ""));
    }
    return terms;
}

/// What the trees must hold in the end, as one process computes it with maps.
struct Expected {
    Packages packages;
    std::map<std::string, std::int64_t> terms;
};

std::int64_t weight(const ss::Value& value) { return std::get<std::int64_t>(value); }
bool is_lighter(const ss::Value& a, const ss::Value& b) { return weight(a) < weight(b); }

void demand(bool condition, const std::string& otherwise) {
    if (!condition) throw std::runtime_error(otherwise);
}

class Completion {
public:
    explicit Completion(const ss::Pool& pool) : packages_(pool, "packages"), terms_(pool, "terms") {}

    void load(const Packages& packages) {
        for (const auto& package : packages)
            ss::transaction(terms_, [&](auto& tx) {
                packages_.insert(tx, package.first, package.second);
                for (const std::string& term : terms_of(package)) terms_.incr(tx, term, 1);
            });
    }

    /// The terms that begin so and are in most packages.
    [[nodiscard]] auto best(const std::string& prefix) const { return terms_.top(prefix, 8, is_lighter); }

    /// What holds at any time: no weight is too high, and where a package is, its terms are.
    void check(const std::string& prefix, const Expected& expected) const {
        for (const auto& [term, value] : best(prefix)) {
            const auto in_the_end = expected.terms.find(term);
            demand(in_the_end != expected.terms.end() && weight(value) <= in_the_end->second, "too many of " + term);
        }
        for (const auto& [name, description] : packages_.prefix(prefix)) {
            demand(description == ss::Value(expected.packages.at(name)), "another description of " + name);
            demand(terms_.contains(name), name + " without its terms");
        }
    }

    /// What holds in the end.
    void compare(const std::string& prefix, const Expected& expected) const {
        Expected found;
        for (const auto& [name, value] : packages_) found.packages.emplace(name, std::get<std::string>(value));
        for (const auto& [term, value] : terms_) found.terms.emplace(term, weight(value));
        demand(found.packages == expected.packages && found.terms == expected.terms, "the trees are not the maps");
    }
    void print(const std::string& prefix) const;

private:
    ss::PrefixTree<> packages_, terms_;
};
