// bench_latency: how long single inserts take while a table grows, where others stop to move all they have.
#include "adapter/hash_maps.hpp"
#include "kernel/latency.hpp"
#include "kernel/program.hpp"

#include <string>
#include <type_traits>
#include <utility>

namespace {

const auto contestant = []<class Adapter>(std::type_identity<Adapter>, std::string name, std::string what) {
    return bench::Contestant{std::move(name), std::move(what), bench::version_of<Adapter>(),
                             &bench::run_latency<Adapter>};
};

template <class... Policies>
constexpr std::type_identity<bench::SsTable<Policies...>> table;

} // namespace

int main(int argc, char** argv) {
    const bench::Benchmark benchmark = {
        .name = "latency",
        .about = "Measures single inserts into hash tables that grow from nothing.",
        .contestants = bench::beside_those_of_one_process<bench::Contestant>(
            {contestant(table<>, "ss", "ss::HashTable<>"),
             contestant(table<ss::LogarithmicAllocator>, "ss-logarithmic", "LogarithmicAllocator")},
            contestant),
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
