// bench_atomic_vector: ss::AtomicVector against an array of std::atomic in anonymous shared memory.
#include "adapter/numbers.hpp"
#include "kernel/numbers.hpp"
#include "kernel/program.hpp"

#include <cstdint>
#include <string>
#include <utility>

namespace {

template <class Adapter>
bench::Contestant contestant(std::string name, std::string what, std::string version = bench::version_of<Adapter>()) {
    return {std::move(name), std::move(what), std::move(version), &bench::run_numbers<Adapter>};
}

} // namespace

int main(int argc, char** argv) {
    using Vector = ss::AtomicVector<std::uint64_t>;
    const bench::Benchmark benchmark = {
        .name = "atomic_vector",
        .about = "Measures ss::AtomicVector against an array of std::atomic that processes share.",
        .contestants = {contestant<bench::SsNumbers<Vector>>("ss", "ss::AtomicVector<std::uint64_t>"),
                        contestant<bench::PlainNumbers>("plain",
                                                        "std::atomic<std::uint64_t>[] in MAP_SHARED memory")},
        .baseline = "plain",
        .quick = {"ss", "plain"},
        .quick_keys = 500'000,
        .key_sets = {bench::KeySet::none},
        .settings = {.keys = 5'000'000, .key_set = bench::KeySet::none},
        .keys_per_walk = 0,
        .tables = &bench::number_tables,
    };
    return bench::run_benchmark(benchmark, argc, argv);
}
