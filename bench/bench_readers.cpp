// bench_readers: a reader beside a writer that never rests, in the same hash table or in another one.
#include "adapter/abseil.hpp"
#include "adapter/cuckoo.hpp"
#include "adapter/locked.hpp"
#include "adapter/ss.hpp"
#include "adapter/tbb.hpp"
#include "kernel/program.hpp"
#include "kernel/readers.hpp"

#include <absl/container/flat_hash_map.h>
#include <string>
#include <unordered_map>
#include <utility>

namespace {

template <class Adapter>
bench::Contestant contestant(std::string name, std::string what, std::string version = bench::version_of<Adapter>()) {
    return {std::move(name), std::move(what), std::move(version), &bench::run_readers<Adapter>};
}

template <class... Policies>
using Ss = bench::SsWith<ss::HashTable<>, Policies...>;

using StdMap = std::unordered_map<std::string, std::string>;
using AbslMap = absl::flat_hash_map<std::string, std::string>;

} // namespace

int main(int argc, char** argv) {
    const bench::Benchmark benchmark = {
        .name = "readers",
        .about = "Measures a reader of a hash table beside a writer that never rests.",
        .contestants = {contestant<Ss<>>("ss", "ss::HashTable<>"),
                        contestant<Ss<ss::FutexLock>>("ss-futex", "FutexLock: readers lock"),
                        contestant<bench::TbbHashMap>("tbb", "tbb::concurrent_hash_map<std::string, std::string>"),
                        contestant<bench::Cuckoo>("cuckoo", "libcuckoo::cuckoohash_map<std::string, std::string>"),
                        contestant<bench::Locked<AbslMap, bench::SpinLock>>(
                            "absl-spin", "absl::flat_hash_map<std::string, std::string> under a spin lock",
                            bench::abseil_version()),
                        contestant<bench::Locked<StdMap>>(
                            "std", "std::unordered_map<std::string, std::string> under a std::mutex")},
        .baseline = "tbb",
        .quick = {"ss", "tbb"},
        .quick_keys = 150'000,
        .key_sets = {bench::KeySet::bytes},
        .settings = {.keys = 1'000'000},
        .keys_per_walk = 0,
        .tables = &bench::readers_tables,
    };
    return bench::run_benchmark(benchmark, argc, argv);
}
