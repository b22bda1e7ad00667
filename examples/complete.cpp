// Completes what you type by the names and descriptions of all Debian packages, while they are still being loaded.
//
//     packages   name -> description
//     terms      name, or word of a description -> how many packages have it
//
// One process loads, with a transaction for each package; others ask meanwhile, and see both trees grow in step.
#include <ss/ss.hpp>

#include "complete/packages.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace complete {

namespace {

/// What the trees must hold in the end, as one process computes it.
struct Maps {
    Packages packages;
    std::map<std::string, std::int64_t> terms;
    friend bool operator==(const Maps&, const Maps&) = default;
};

void demand(bool condition, const std::string& otherwise) {
    if (!condition) throw std::runtime_error(otherwise);
}

std::int64_t weight(const ss::Value& value) { return std::get<std::int64_t>(value); }
bool is_lighter(const ss::Value& a, const ss::Value& b) { return weight(a) < weight(b); }

struct Trees {
    explicit Trees(const ss::Pool& pool) : packages(pool, "packages"), terms(pool, "terms"), state(pool, "state") {}
    [[nodiscard]] auto best(const std::string& prefix) const { return terms.top(prefix, 8, is_lighter); }

    ss::PrefixTree<> packages, terms, state;
};

/// Goes on when both others have asked.
void wait_for_questions(const ss::PrefixTree<>& state) {
    for (ss::Stamp stamp = state.stamp("asking"); state.find_as<std::int64_t>("asking") != 2;) {
        const auto next = state.watch("asking", stamp, std::chrono::seconds(30));
        demand(next.has_value(), "nobody asks");
        stamp = *next;
    }
}

void load(Trees& trees, const Maps& maps) {
    std::size_t loaded = 0;
    for (const auto& package : maps.packages) {
        if (++loaded == maps.packages.size() / 2) wait_for_questions(trees.state);
        ss::transaction(trees.terms, [&](auto& tx) {
            trees.packages.insert(tx, package.first, package.second);
            for (const std::string& term : terms_of(package.first, package.second)) trees.terms.incr(tx, term, 1);
        });
    }
    trees.state.insert("loaded", true);
}

/// Asks until all is loaded: no weight is ever too great, and where there is a package there are its terms.
std::size_t ask(Trees& trees, const std::vector<std::string>& prefixes, const Maps& maps) {
    for (std::size_t asked = 0;; ++asked) {
        if (asked % prefixes.size() == 0 && trees.state.contains("loaded")) return asked;
        const std::string& prefix = prefixes[asked % prefixes.size()];
        for (const auto& [term, value] : trees.best(prefix))
            demand(maps.terms.contains(term) && weight(value) <= maps.terms.at(term), "too much of " + term);
        for (const auto& [name, description] : trees.packages.prefix(prefix)) {
            demand(maps.packages.at(name) == std::get<std::string>(description), "another description of " + name);
            demand(trees.terms.contains(name), "half a transaction: " + name);
        }
        if (asked + 1 == prefixes.size()) trees.state.incr("asking", 1);
    }
}

/// In the end all is equal.
void compare(const Trees& trees, const std::vector<std::string>& prefixes, const Maps& maps) {
    Maps found;
    for (const auto& [name, value] : trees.packages) found.packages.emplace(name, std::get<std::string>(value));
    for (const auto& [term, value] : trees.terms) found.terms.emplace(term, weight(value));
    demand(found == maps, "the trees are not what the maps are");
    for (const std::string& prefix : prefixes) {
        const auto end = maps.terms.lower_bound(prefix + '\xff');
        std::vector<ss::PrefixTree<>::value_type> best(maps.terms.lower_bound(prefix), end);
        std::stable_sort(best.begin(), best.end(), [](auto& a, auto& b) { return is_lighter(b.second, a.second); });
        best.resize(std::min<std::size_t>(best.size(), 8));
        demand(trees.best(prefix) == best, "others are the best to complete " + prefix);
    }
}

int run(const std::string& words, const std::vector<std::string>& prefixes) {
    Maps maps{.packages = words.empty() ? read_packages() : read_words(words), .terms = {}};
    demand(!maps.packages.empty(), "there is nothing to complete: name a file of --words");
    for (const auto& [name, description] : maps.packages)
        for (const std::string& term : terms_of(name, description)) ++maps.terms[term];

    Trees trees(ss::Pool::anonymous()); // nothing is left behind, however we end
    std::fflush(nullptr);               // or each child would write it again
    for (int i = 0; i < 2; ++i) {
        const pid_t child = fork();
        demand(child >= 0, "cannot fork");
        if (child > 0) continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL); // should loading fail
        const std::size_t asked = ask(trees, prefixes, maps);
        compare(trees, prefixes, maps);
        fmt::print("process {} asked {} times while process {} was loading\n", getpid(), asked, getppid());
        return 0;
    }
    load(trees, maps);
    bool all_well = true;
    for (int status = 0; wait(&status) > 0;) all_well = all_well && status == 0;
    for (const std::string& prefix : prefixes) {
        fmt::print("\n{}… begins {} of {} names\n", prefix, trees.packages.count_prefix(prefix),
                   trees.packages.size());
        for (const auto& [term, value] : trees.best(prefix)) {
            const auto description = trees.packages.find(term).value_or("");
            fmt::print("{:>8}  {:<24} {}\n", weight(value), term, std::get<std::string>(description));
        }
    }
    return all_well ? 0 : 1;
}

} // namespace

} // namespace complete

int main(int argc, char** argv) {
    std::vector<std::string> prefixes = {"apt-", "lib", "pyth", "edit"};
    std::string words;
    CLI::App app("Completes by the names and descriptions of all Debian packages, while these are being loaded.");
    app.add_option("PREFIX", prefixes, "What to complete")->capture_default_str();
    app.add_option("--words", words, "File with a word on each line, instead of the packages that apt knows");
    CLI11_PARSE(app, argc, argv);
    try {
        return complete::run(words, prefixes);
    } catch (const std::exception& error) {
        fmt::print(stderr, "complete: {}\n", error.what());
        return 1;
    }
}
