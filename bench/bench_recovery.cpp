// bench_recovery: how long others wait when a process is killed in the middle of a change.
#include "adapter/lmdb.hpp"
#include "adapter/ss.hpp"
#include "kernel/program.hpp"
#include "kernel/recovery.hpp"

#include <string>
#include <utility>

namespace {

template <class Adapter>
bench::Contestant contestant(std::string name, std::string what, std::string version = bench::version_of<Adapter>()) {
    return {std::move(name), std::move(what), std::move(version), &bench::run_recovery<Adapter>};
}

} // namespace

int main(int argc, char** argv) {
    const bench::Benchmark benchmark = {
        .name = "recovery",
        .about = "Measures how long others wait when a process is killed in the middle of a change.",
        .contestants = {contestant<bench::Ss<ss::HashTable<>>>("ss", "ss::HashTable<>"),
                        contestant<bench::SsWith<ss::HashTable<>, ss::SpinLock>>("ss-spin", "SpinLock"),
                        contestant<bench::SsWith<ss::HashTable<>, ss::RobustMutex>>("ss-robust", "RobustMutex"),
                        contestant<bench::Lmdb<1>>("lmdb", "LMDB with MDB_NOSYNC, whose lock is a robust mutex")},
        .baseline = "lmdb",
        .quick = {"ss", "ss-robust", "lmdb"},
        .quick_keys = 20'000,
        .key_sets = {bench::KeySet::bytes},
        .settings = {.keys = 100'000, .processes = 1},
        .keys_per_walk = 0,
        .tables = &bench::recovery_tables,
    };
    return bench::run_benchmark(benchmark, argc, argv);
}
