// bench_prefix_tree: ss::PrefixTree in several profiles against ordered maps of a single process, and LMDB.
#include "adapter/abseil.hpp"
#include "adapter/lmdb.hpp"
#include "adapter/locked.hpp"
#include "adapter/ss.hpp"
#include "adapter/tbb.hpp"
#include "kernel/ordered_map.hpp"
#include "kernel/program.hpp"

#include <absl/container/btree_map.h>
#include <map>
#include <string>

namespace {

template <class Adapter>
bench::Contestant contestant(std::string name, std::string what, std::string version = bench::version_of<Adapter>()) {
    return {std::move(name), std::move(what), std::move(version), &bench::run_ordered_map<Adapter>};
}

template <class... Policies>
using Ss = bench::SsWith<ss::PrefixTree<>, Policies...>;

} // namespace

int main(int argc, char** argv) {
    const bench::Benchmark benchmark = {
        .name = "prefix_tree",
        .about = "Measures ss::PrefixTree against ordered maps of a single process, and LMDB.",
        .contestants = {contestant<Ss<>>("ss", "ss::PrefixTree<>"),
                        contestant<Ss<ss::FutexLock>>("ss-futex", "FutexLock: readers lock"),
                        contestant<Ss<ss::NullLock>>("ss-null", "NullLock: one worker"),
                        contestant<Ss<ss::LogarithmicAllocator>>("ss-logarithmic", "LogarithmicAllocator"),
                        contestant<bench::TbbMap>("tbb", "tbb::concurrent_map<std::string, std::string>"),
                        contestant<bench::Locked<std::map<std::string, std::string>>>(
                            "std", "std::map<std::string, std::string> under a std::mutex"),
                        contestant<bench::Locked<absl::btree_map<std::string, std::string>>>(
                            "btree", "absl::btree_map<std::string, std::string> under a std::mutex",
                            bench::abseil_version()),
                        contestant<bench::Lmdb<1>>("lmdb", "LMDB with MDB_NOSYNC: a transaction for each operation"),
                        contestant<bench::Lmdb<1000>>("lmdb-batch", "the same: one for 1000 operations")},
        .baseline = "tbb",
        .quick = {"ss", "tbb", "std", "lmdb-batch"},
        .quick_keys = 50'000,
        .key_sets = {bench::KeySet::digits, bench::KeySet::bytes, bench::KeySet::paths},
        .settings = {.key_size = 8},
        .keys_per_walk = 50,
        .tables = &bench::ordered_map_tables,
    };
    return bench::run_benchmark(benchmark, argc, argv);
}
