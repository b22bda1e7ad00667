// bench_allocator: allocators of ss, in transactions, against malloc and free. Not SimpleAllocator: it is linear in the number
// of free blocks, tens of microseconds here.
#include "adapter/blocks.hpp"
#include "kernel/blocks.hpp"
#include "kernel/program.hpp"

#include <string>
#include <utility>

namespace {

template <class Adapter>
bench::Contestant contestant(std::string name, std::string what, std::string version = bench::version_of<Adapter>()) {
    return {std::move(name), std::move(what), std::move(version), &bench::run_blocks<Adapter>};
}

using Default = ss::Optimistic<ss::FutexLock>;

} // namespace

int main(int argc, char** argv) {
    const bench::Benchmark benchmark = {
        .name = "allocator",
        .about = "Measures the allocators of ss against malloc and free.",
        .contestants = {contestant<bench::SsBlocks<ss::SegregatedAllocator, Default>>(
                            "ss", "SegregatedAllocator, Optimistic<FutexLock>"),
                        contestant<bench::SsBlocks<ss::SegregatedAllocator, ss::NullLock>>(
                            "ss-null", "SegregatedAllocator, NullLock"),
                        contestant<bench::SsBlocks<ss::LogarithmicAllocator, Default>>("ss-logarithmic",
                                                                                       "LogarithmicAllocator"),
                        contestant<bench::MallocBlocks>("malloc", "malloc and free")},
        .baseline = "malloc",
        .quick = {"ss", "ss-null", "malloc"},
        .quick_keys = 500'000,
        .key_sets = {bench::KeySet::none},
        .settings = {.keys = 2'000'000, .key_set = bench::KeySet::none, .processes = 1},
        .keys_per_walk = 0,
        .tables = &bench::block_tables,
    };
    return bench::run_benchmark(benchmark, argc, argv);
}
