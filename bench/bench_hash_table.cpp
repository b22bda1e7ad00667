// bench_hash_table: ss::HashTable in several profiles against what one would use within a single process.
#include "adapter/mutex.hpp"
#include "adapter/ss.hpp"
#include "adapter/tbb.hpp"
#include "kernel/hash_table.hpp"
#include "kernel/program.hpp"

#include <string>
#include <unordered_map>

namespace {

template <class Adapter>
bench::Contestant contestant(std::string name, std::string what) {
    return {std::move(name), std::move(what), &bench::run_hash_table<Adapter>};
}

template <class... Policies>
using Ss = bench::SsWith<ss::HashTable<>, Policies...>;

} // namespace

int main(int argc, char** argv) {
    const bench::Benchmark benchmark = {
        .name = "hash_table",
        .about = "Measures ss::HashTable against hash tables of a single process.",
        .contestants = {contestant<Ss<>>("ss", "ss::HashTable<>"),
                        contestant<bench::Ss<ss::HashTable<>, bench::Pages::huge>>(
                            "ss-huge", "the same, PoolOptions::huge_pages"),
                        contestant<Ss<ss::Optimistic<ss::SpinLock>>>("ss-optimistic-spin", "Optimistic<SpinLock>"),
                        contestant<Ss<ss::FutexLock>>("ss-futex", "FutexLock: readers lock"),
                        contestant<Ss<ss::SpinLock>>("ss-spin", "SpinLock: readers lock"),
                        contestant<Ss<ss::RobustMutex>>("ss-robust", "RobustMutex: readers lock"),
                        contestant<Ss<ss::Striped<ss::DefaultLock>>>("ss-striped",
                                                                     "Striped<Optimistic<FutexLock>>, 16 domains"),
                        contestant<Ss<ss::NullLock>>("ss-null", "NullLock: one worker"),
                        contestant<Ss<ss::SimpleAllocator>>("ss-simple", "SimpleAllocator"),
                        contestant<Ss<ss::LogarithmicAllocator>>("ss-logarithmic", "LogarithmicAllocator"),
                        contestant<Ss<ss::Fnv1a64>>("ss-fnv", "Fnv1a64"),
                        contestant<Ss<ss::SipHash13>>("ss-sip", "SipHash13"),
                        contestant<bench::TbbHashMap>("tbb", "tbb::concurrent_hash_map<std::string, std::string>"),
                        contestant<bench::Mutex<std::unordered_map<std::string, std::string>>>(
                            "std", "std::unordered_map<std::string, std::string> under a std::mutex")},
        .baseline = "tbb",
        .quick = {"ss", "tbb", "std"},
        .key_sets = {bench::KeySet::bytes},
        .settings = {},
        .keys_per_walk = 0,
        .tables = &bench::hash_table_tables,
    };
    return bench::run_benchmark(benchmark, argc, argv);
}
