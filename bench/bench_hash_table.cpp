// bench_hash_table: ss::HashTable in several profiles against what one would use within a single process, and against what
// several processes share today.
#include "adapter/hash_maps.hpp"
#include "adapter/interprocess.hpp"
#include "adapter/lmdb.hpp"
#include "adapter/redis.hpp"
#include "kernel/hash_table.hpp"
#include "kernel/program.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>

namespace {

template <class Adapter>
bench::Contestant contestant(std::string name, std::string what, std::string version = bench::version_of<Adapter>()) {
    return {std::move(name), std::move(what), std::move(version), &bench::run_hash_table<Adapter>};
}

template <class... Policies>
using Ss = bench::SsTable<Policies...>;

/// With fewer keys than the others: nearly all of its time goes from process to process, whatever the size.
[[nodiscard]] bench::Figures run_redis(const bench::Workload& workload, const std::filesystem::path& directory) {
    bench::Settings settings = workload.settings();
    settings.keys = std::max(settings.keys / 50, bench::Workload::cached_keys);
    const bench::RedisServer server(directory);
    return bench::run_hash_table<bench::Redis>(bench::Workload(settings), directory);
}

} // namespace

int main(int argc, char** argv) {
    bench::Benchmark benchmark = {
        .name = "hash_table",
        .about = "Measures ss::HashTable against hash tables of a single process, and what processes share.",
        .contestants = {contestant<Ss<>>("ss", "ss::HashTable<>"),
                        contestant<bench::Ss<ss::HashTable<>, bench::Pages::huge>>(
                            "ss-huge", "the same, PoolOptions::huge_pages"),
                        contestant<Ss<ss::Optimistic<ss::SpinLock>>>("ss-optimistic-spin", "Optimistic<SpinLock>"),
                        contestant<Ss<ss::FutexLock>>("ss-futex", "FutexLock: readers lock"),
                        contestant<Ss<ss::SpinLock>>("ss-spin", "SpinLock: readers lock"),
                        contestant<Ss<ss::RobustMutex>>("ss-robust", "RobustMutex: readers lock"),
                        contestant<Ss<ss::NullLock>>("ss-null", "NullLock: one worker"),
                        contestant<Ss<ss::SimpleAllocator>>("ss-simple", "SimpleAllocator"),
                        contestant<Ss<ss::LogarithmicAllocator>>("ss-logarithmic", "LogarithmicAllocator"),
                        contestant<Ss<ss::Fnv1a64>>("ss-fnv", "Fnv1a64"),
                        contestant<Ss<ss::SipHash13>>("ss-sip", "SipHash13"),
                        contestant<bench::TbbHashMap>("tbb", "tbb::concurrent_hash_map<std::string, std::string>"),
                        contestant<bench::Cuckoo>("cuckoo", "libcuckoo::cuckoohash_map<std::string, std::string>"),
                        contestant<bench::Locked<bench::AbslMap, bench::SpinLock>>(
                            "absl-spin", "absl::flat_hash_map<std::string, std::string> under a spin lock",
                            bench::abseil_version()),
                        contestant<bench::Locked<bench::AbslMap>>("absl", "the same under a std::mutex",
                                                                  bench::abseil_version()),
                        contestant<bench::Locked<bench::StdMap>>(
                            "std", "std::unordered_map<std::string, std::string> under a std::mutex"),
                        contestant<bench::Interprocess>(
                            "interprocess",
                            "boost::unordered_map in a managed_mapped_file, under an interprocess_mutex"),
                        contestant<bench::Lmdb<1>>("lmdb", "LMDB with MDB_NOSYNC: a transaction for each operation")},
        .baseline = "tbb",
        .quick = {"ss", "ss-null", "tbb", "absl-spin", "redis"},
        .quick_keys = 150'000,
        .key_sets = {bench::KeySet::bytes},
        .settings = {},
        .keys_per_walk = 0,
        .tables = &bench::hash_table_tables,
    };
    if (bench::RedisServer::is_installed())
        benchmark.contestants.push_back({"redis",
                                         "Redis over a unix socket, one command at a time, a fiftieth of the keys",
                                         bench::RedisServer::version(), &run_redis});
    else
        std::fputs("bench_hash_table: without Redis, since redis-server is not installed\n", stderr);
    return bench::run_benchmark(benchmark, argc, argv);
}
