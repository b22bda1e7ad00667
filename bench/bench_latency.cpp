// bench_latency: how long single inserts take while a table grows, where others stop to move all they have.
#include "adapter/abseil.hpp"
#include "adapter/cuckoo.hpp"
#include "adapter/locked.hpp"
#include "adapter/ss.hpp"
#include "adapter/tbb.hpp"
#include "kernel/latency.hpp"
#include "kernel/program.hpp"

#include <absl/container/flat_hash_map.h>
#include <string>
#include <unordered_map>
#include <utility>

namespace {

template <class Adapter>
bench::Contestant contestant(std::string name, std::string what, std::string version = bench::version_of<Adapter>()) {
    return {std::move(name), std::move(what), std::move(version), &bench::run_latency<Adapter>};
}

template <class... Policies>
using Ss = bench::SsWith<ss::HashTable<>, Policies...>;

using StdMap = std::unordered_map<std::string, std::string>;
using AbslMap = absl::flat_hash_map<std::string, std::string>;

} // namespace

int main(int argc, char** argv) {
    const bench::Benchmark benchmark = {
        .name = "latency",
        .about = "Measures single inserts into hash tables that grow from nothing.",
        .contestants = {contestant<Ss<>>("ss", "ss::HashTable<>"),
                        contestant<Ss<ss::LogarithmicAllocator>>("ss-logarithmic", "LogarithmicAllocator"),
                        contestant<bench::TbbHashMap>("tbb", "tbb::concurrent_hash_map<std::string, std::string>"),
                        contestant<bench::Cuckoo>("cuckoo", "libcuckoo::cuckoohash_map<std::string, std::string>"),
                        contestant<bench::Locked<AbslMap, bench::SpinLock>>(
                            "absl-spin", "absl::flat_hash_map<std::string, std::string> under a spin lock",
                            bench::abseil_version()),
                        contestant<bench::Locked<StdMap>>(
                            "std", "std::unordered_map<std::string, std::string> under a std::mutex")},
        .baseline = "std",
        .quick = {"ss", "absl-spin", "std"},
        .quick_keys = 1'000'000,
        .key_sets = {bench::KeySet::bytes},
        .settings = {.keys = 4'000'000, .processes = 1, .only_inserts = true},
        .keys_per_walk = 0,
        .tables = &bench::latency_tables,
    };
    return bench::run_benchmark(benchmark, argc, argv);
}
