// The benchmark of a reader beside a writer that never rests: one that overwrites in the same table, against the same
// reader while the writer is at work in another one. What is the machine's, the caches and the memory that both share, is
// the same in both; the rest is what the table costs a reader. Adapters are those that worker.hpp describes.
#pragma once

#include "crew.hpp"
#include "measure.hpp"
#include "shared.hpp"
#include "worker.hpp"
#include "workload.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace bench {

namespace detail {

/// Where the writer is meanwhile.
enum class Writer : std::size_t { rests, elsewhere, here };

struct ReadersRun {
    Barrier barrier{2};
    std::atomic<bool> writing = false, done = false;
    std::array<double, 3> times{}; ///< of all reads, for each Writer
    std::array<std::uint64_t, 3> writes{};
};

/// The writer and the reader take turns in slices, so that what the machine does meanwhile hits all alike.
inline constexpr std::uint64_t reader_slices = 10;

template <class Handle>
void read_slice(Handle& handle, const Workload& workload, ReadersRun& run, Writer writer, std::uint64_t slice) {
    const Strings& keys = workload.hits();
    const std::uint64_t count = keys.count() / reader_slices;
    std::uint64_t hits = 0;
    run.barrier.arrive_and_wait();
    while (writer != Writer::rests && !run.writing.load()) std::this_thread::yield();
    const auto begin = SteadyClock::now();
    for (std::uint64_t i = slice * count; i < (slice + 1) * count; ++i) {
        const std::string* const value = handle.find(keys[i]);
        hits += value != nullptr && value->size() == workload.settings().value_size;
    }
    run.times.at(static_cast<std::size_t>(writer)) += nanoseconds(SteadyClock::now() - begin);
    run.done.store(true);
    expect(hits == count, "a key was missing, or a value cut short");
    run.barrier.arrive_and_wait();
    run.writing.store(false);
    run.done.store(false);
    run.barrier.arrive_and_wait();
}

/// `handle` is null if it rests.
template <class Handle>
void write_slice(Handle* handle, const Workload& workload, ReadersRun& run, Writer writer) {
    const Strings& keys = workload.overwrites();
    std::uint64_t& writes = run.writes.at(static_cast<std::size_t>(writer));
    std::uint64_t fresh = 0;
    run.barrier.arrive_and_wait();
    if (handle != nullptr)
        while (!run.done.load(std::memory_order_relaxed)) {
            fresh += handle->insert(keys[writes % keys.count()], workload.other_value(writes));
            ++writes;
            run.writing.store(true, std::memory_order_relaxed);
        }
    expect(fresh == 0, "an overwritten key was missing");
    run.barrier.arrive_and_wait();
    run.barrier.arrive_and_wait();
}

} // namespace detail

/// One run of one contestant.
template <class Adapter>
[[nodiscard]] Figures run_readers(const Workload& workload, const std::filesystem::path& directory) {
    using detail::Writer;
    const std::filesystem::path here = directory / "here", elsewhere = directory / "elsewhere";
    std::filesystem::create_directory(here);
    std::filesystem::create_directory(elsewhere);
    const Shared<detail::ReadersRun> run;
    launch(Adapter::sharing, 2, [&](auto run_all) {
        Adapter table(here), other(elsewhere);
        run_all([&](unsigned index) {
            auto handle = table.handle();
            auto other_handle = other.handle();
            run->barrier.arrive_and_wait();
            if (index == 0) {
                table.attached();
                other.attached();
                for (std::uint64_t i = 0; i < workload.inserts().count(); ++i) {
                    handle.insert(workload.inserts()[i], workload.value(i));
                    other_handle.insert(workload.inserts()[i], workload.value(i));
                }
            }
            for (std::uint64_t slice = 0; slice < detail::reader_slices; ++slice)
                for (const Writer writer : {Writer::rests, Writer::elsewhere, Writer::here}) {
                    if (index == 0)
                        detail::read_slice(handle, workload, *run, writer, slice);
                    else
                        detail::write_slice(writer == Writer::rests  ? nullptr
                                            : writer == Writer::here ? &handle
                                                                     : &other_handle,
                                            workload, *run, writer);
                }
        });
    });
    const auto time = [&](Writer writer) {
        const auto reads =
            static_cast<double>(workload.hits().count() / detail::reader_slices * detail::reader_slices);
        return run->times.at(static_cast<std::size_t>(writer)) / reads;
    };
    expect(run->writes[1] != 0 && run->writes[2] != 0, "the writer did nothing");
    Figures figures;
    figures[Measure::reader_alone] = time(Writer::rests);
    figures[Measure::reader_beside_other] = time(Writer::elsewhere);
    figures[Measure::reader_beside_same] = time(Writer::here);
    return figures;
}

/// What of it is shown.
[[nodiscard]] inline std::vector<Table> readers_tables(unsigned) {
    return {{"ns per get, while a writer",
             {{"rests", Measure::reader_alone},
              {"overwrites in another table", Measure::reader_beside_other},
              {"overwrites in the same table", Measure::reader_beside_same}}}};
}

} // namespace bench
