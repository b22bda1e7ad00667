// bench_readers: a reader beside a writer that never rests, in the same hash table or in another one.
#include "adapter/hash_maps.hpp"
#include "kernel/program.hpp"
#include "kernel/readers.hpp"

#include <string>
#include <type_traits>
#include <utility>

namespace {

const auto contestant = []<class Adapter>(std::type_identity<Adapter>, std::string name, std::string what) {
    return bench::Contestant{std::move(name), std::move(what), bench::version_of<Adapter>(),
                             &bench::run_readers<Adapter>};
};

template <class... Policies>
constexpr std::type_identity<bench::SsTable<Policies...>> table;

} // namespace

int main(int argc, char** argv) {
    const bench::Benchmark benchmark = {
        .name = "readers",
        .about = "Measures a reader of a hash table beside a writer that never rests.",
        .contestants = bench::beside_those_of_one_process<bench::Contestant>(
            {contestant(table<>, "ss", "ss::HashTable<>"),
             contestant(table<ss::FutexLock>, "ss-futex", "FutexLock: readers lock")},
            contestant),
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
