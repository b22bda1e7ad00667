// Readers beside writers of a tree in processes of several threads, some of which have the pool mapped read-only.
#include <ss/registry.hpp>

#include "structure/tree_readers.hpp"
#include "support/barrier.hpp"
#include "support/expect.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(structure_tree_reader_processes)

using namespace ss::test;
using namespace std::chrono_literals;

namespace {

constexpr bool may_map_read_only = !ss::thread_sanitizer; // whose build would write the versions

/// A process that may only read.
template <class Tree>
Process read_only_reader(const TempDir& directory, TreeTally& tally) {
    return Process([&directory, &tally] {
        const ss::Pool own(directory / "pool", {.access = ss::Access::read_only});
        // Its visit() is a copy, and so is what all others see.
        read_tree(Tree(own, "t"), tally);
    });
}

/// Two processes, of a writer and a reader each as threads, and a third that may only read.
template <class Tree>
void processes(std::chrono::milliseconds duration) {
    const TempDir directory;
    const ss::Pool pool(directory / "pool");
    Shared<TreeTally> tally;
    {
        Tree t(pool, "t");
        make_permanent(t);
    }
    std::vector<Process> all;
    for (unsigned number = 0; number < 2; ++number)
        all.emplace_back([&, number] {
            const ss::Pool own(directory / "pool");
            std::thread reader([&] { read_tree(Tree(own, "t"), *tally); });
            write_tree(Tree(own, "t"), *tally, number);
            reader.join();
        });
    if constexpr (ss::is_optimistic<typename Tree::lock_policy> && may_map_read_only)
        all.push_back(read_only_reader<Tree>(directory, *tally));
    std::this_thread::sleep_for(duration);
    tally->stop = true;
    for (Process& process : all) process.expect_clean();
    check(*tally, ss::registry::profile_name<Tree>());
    BOOST_TEST(wrong_with(pool) == "");
}

/// Of Optimistic<NullLock>: one writer, and readers that may only read.
template <class Tree>
void one_writer(std::chrono::milliseconds duration) {
    const TempDir directory;
    const ss::Pool pool(directory / "pool");
    Tree t(pool, "t");
    make_permanent(t);
    Shared<TreeTally> tally;
    std::vector<Process> all;
    for (int i = 0; i < 2; ++i) all.push_back(read_only_reader<Tree>(directory, *tally));
    std::thread timer([&] {
        std::this_thread::sleep_for(duration);
        tally->stop = true;
    });
    write_tree(t, *tally, 0);
    timer.join();
    for (Process& process : all) process.expect_clean();
    check(*tally, ss::registry::profile_name<Tree>());
    BOOST_TEST(wrong_with(pool) == "");
}

} // namespace

BOOST_AUTO_TEST_CASE(processes_of_several_threads) {
    const Watchdog dog(100, "readers and writers in processes");
    boost::hana::for_each(ss::registry::few_prefix_trees, [](auto type) {
        using Tree = typename decltype(type)::type;
        if constexpr (!is_null<Tree>)
            processes<Tree>(500ms);
        else if constexpr (ss::is_optimistic<typename Tree::lock_policy> && may_map_read_only)
            one_writer<Tree>(500ms);
    });
}

BOOST_AUTO_TEST_SUITE_END()
