// bench_open: a process opens a table in a file, and reads one key.
#include "adapter/interprocess.hpp"
#include "adapter/lmdb.hpp"
#include "adapter/ss.hpp"
#include "kernel/open.hpp"
#include "kernel/program.hpp"

#include <string>
#include <utility>

namespace {

template <class Adapter>
bench::Contestant contestant(std::string name, std::string what, std::string version = bench::version_of<Adapter>()) {
    return {std::move(name), std::move(what), std::move(version), &bench::run_open<Adapter>};
}

} // namespace

int main(int argc, char** argv) {
    const bench::Benchmark benchmark = {
        .name = "open",
        .about = "Measures how long it takes to open a table of many keys and read one.",
        .contestants = {contestant<bench::Ss<ss::HashTable<>>>("ss", "ss::HashTable<>"),
                        contestant<bench::Ss<ss::PrefixTree<>>>("ss-tree", "ss::PrefixTree<>"),
                        contestant<bench::Interprocess>("interprocess",
                                                        "boost::unordered_map in a managed_mapped_file"),
                        contestant<bench::Lmdb<1000>>("lmdb", "LMDB with MDB_NOSYNC")},
        .baseline = "interprocess",
        .quick = {"ss", "interprocess", "lmdb"},
        .quick_keys = 200'000,
        .key_sets = {bench::KeySet::bytes},
        .settings = {.keys = 1'000'000, .processes = 1, .only_inserts = true},
        .keys_per_walk = 0,
        .tables = &bench::open_tables,
    };
    return bench::run_benchmark(benchmark, argc, argv);
}
