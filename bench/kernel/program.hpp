// The program that a benchmark is: its arguments, its rounds, what it prints and writes.
//
// Contestants are interleaved, A B C A B C …, so that what the machine does meanwhile hits all of them; each run is in
// processes of its own; what is told is the median of the rounds.
#pragma once

#include "measure.hpp"
#include "workload.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace bench {

struct Contestant {
    std::string name;
    std::string what;
    std::string version; ///< of what it is made of; empty for ss, whose commit is told
    std::function<Figures(const Workload&, const std::filesystem::path&)> run;
};

/// What an adapter says of the version of what it drives; empty if it says nothing.
template <class Adapter>
[[nodiscard]] std::string version_of() {
    if constexpr (requires { Adapter::version(); })
        return Adapter::version();
    else
        return {};
}

struct Benchmark {
    std::string name;  ///< of what is measured
    std::string about; ///< a sentence
    std::vector<Contestant> contestants;
    std::string baseline;            ///< the contestant that the others are compared with
    std::vector<std::string> quick;  ///< the contestants of --quick
    std::uint64_t quick_keys;        ///< and its keys
    std::vector<KeySet> key_sets;    ///< unless told
    Settings settings;               ///< unless told
    std::uint64_t keys_per_walk = 0; ///< a walk for so many keys; 0 for none
    std::vector<Table> (*tables)(unsigned processes);
};

/// What main returns.
[[nodiscard]] int run_benchmark(const Benchmark& benchmark, int argc, char** argv);

} // namespace bench
