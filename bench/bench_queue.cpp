// bench_queue: ss::Queue in several profiles against Boost's message queue and a pipe, from process to process.
#include "adapter/queue.hpp"
#include "kernel/program.hpp"
#include "kernel/queue.hpp"

#include <string>

namespace {

template <class Adapter>
bench::Contestant contestant(std::string name, std::string what, std::string version = bench::version_of<Adapter>()) {
    return {std::move(name), std::move(what), std::move(version), &bench::run_queue<Adapter>};
}

} // namespace

int main(int argc, char** argv) {
    using ss::Queue;
    const bench::Benchmark benchmark = {
        .name = "queue",
        .about = "Measures ss::Queue against other ways from one process to another.",
        .contestants = {contestant<bench::SsQueue<Queue<>>>("ss", "ss::Queue<>: push_for, pop_front_into"),
                        contestant<bench::SsQueue<Queue<>::with<ss::FutexLock>>>("ss-futex", "FutexLock"),
                        contestant<bench::SsQueue<Queue<>::with<ss::SpinLock>>>("ss-spin", "SpinLock"),
                        contestant<bench::SsLeases<Queue<>>>("ss-lease", "ss::Queue<>: lease and ack"),
                        contestant<bench::BoostQueue>("boost", "boost::interprocess::message_queue"),
                        contestant<bench::Pipe>("pipe", "a pipe of 1 MiB")},
        .baseline = "boost",
        .quick = {"ss", "boost", "pipe"},
        .quick_keys = 50'000,
        .key_sets = {bench::KeySet::none},
        .settings = {.keys = 300'000, .key_set = bench::KeySet::none},
        .keys_per_walk = 0,
        .tables = &bench::queue_tables,
    };
    return bench::run_benchmark(benchmark, argc, argv);
}
