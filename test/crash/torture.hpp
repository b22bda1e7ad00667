// All scenarios in all profiles, with nothing left out: hours of it, so what is done is kept.
//
//     SS_TORTURE_DIR=<directory>     one file for each cell (scenario and profile) that was found good: the hash of this
//                                    executable, and the cell's line of the table. A cell that this executable has a file
//                                    of is not run again. The default is `torture` in the build directory.
//     SS_TORTURE_MINUTES=<minutes>   when to stop, between two cells; the default is 10. The next run goes on.
#pragma once

#include <ss/ss.hpp>

#include "crash/atomic_vector.hpp"
#include "crash/counter.hpp"
#include "crash/explore.hpp"
#include "crash/list_scenarios.hpp"
#include "crash/pool_life.hpp"
#include "crash/prefix_tree.hpp"
#include "crash/prefix_tree_touches.hpp"
#include "crash/priority_queue.hpp"
#include "crash/queue.hpp"
#include "crash/suite.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace ss::test {

/// Which cells this executable has found good.
class DoneCells {
public:
    DoneCells() : self_(std::filesystem::read_symlink("/proc/self/exe")) {
        const char* const directory = std::getenv("SS_TORTURE_DIR");
        // <build>/test/torture/<name>
        directory_ = directory != nullptr && *directory != '\0'
                         ? std::filesystem::path(directory)
                         : self_.parent_path().parent_path().parent_path() / "torture";
        std::filesystem::create_directories(directory_);
        std::ifstream file(self_, std::ios::binary);
        std::uint64_t hash = 0xCBF2'9CE4'8422'2325U;
        for (std::istreambuf_iterator<char> at(file), end; at != end; ++at)
            hash = (hash ^ static_cast<unsigned char>(*at)) * 0x0000'0100'0000'01B3U;
        hash_ = std::to_string(hash);
    }

    /// The line that was kept of a cell; empty if it is to be run.
    [[nodiscard]] std::string line_of(const Scenario& scenario) const {
        std::ifstream file(path_of(scenario));
        std::string hash, line;
        std::getline(file, hash);
        std::getline(file, line);
        return hash == hash_ ? line : std::string();
    }

    void keep(const Scenario& scenario, const Report& report) const {
        std::ofstream(path_of(scenario)) << hash_ << '\n' << report.line() << '\n';
    }

private:
    [[nodiscard]] std::filesystem::path path_of(const Scenario& scenario) const {
        return directory_ / (self_.filename().string() + "-" + file_name(scenario.name + "-" + scenario.profile));
    }

    std::filesystem::path self_;
    std::filesystem::path directory_;
    std::string hash_;
};

/// Runs the cells that are not done, until time is up.
class Torture {
public:
    Torture() {
        const char* const minutes = std::getenv("SS_TORTURE_MINUTES");
        end_ = std::chrono::steady_clock::now() + std::chrono::minutes(minutes == nullptr ? 10 : std::atoi(minutes));
    }

    void run(const std::vector<Scenario>& scenarios) {
        for (const Scenario& scenario : scenarios) {
            if (const std::string line = done_.line_of(scenario); !line.empty()) {
                ++known_;
                std::cout << line << " (before)" << std::endl;
            } else if (std::chrono::steady_clock::now() >= end_) {
                ++left_;
            } else {
                ++ran_;
                const Report report = Exploration(scenario, Effort{}).run();
                std::cout << report.line() << std::endl;
                BOOST_TEST(report.bad == 0U);
                if (report.bad == 0) done_.keep(scenario, report);
            }
        }
    }

    void print_summary() const {
        std::cout << ran_ << " cells run, " << known_ << " known to be good from before, " << left_
                  << " left for the next run" << std::endl;
    }

private:
    DoneCells done_;
    std::chrono::steady_clock::time_point end_;
    int ran_ = 0;
    int known_ = 0;
    int left_ = 0;
};

/// f(torture, std::type_identity<Lock>{}) for each of the lock policies.
template <class A, class... Locks, class F>
void torture_each(std::tuple<Locks...>, F f) {
    skip_under_sanitizers();
    if constexpr (slowness == 1 && std::is_class_v<A>) {
        Report::print_heading();
        Torture torture;
        (f(torture, std::type_identity<Locks>{}), ...);
        torture.print_summary();
    }
}

/// All that there is but what has calls of its own below, for one allocator and each of the lock policies.
template <class A, class... Locks>
void torture_allocator(std::tuple<Locks...> locks) {
    torture_each<A>(locks, []<class L>(Torture& torture, std::type_identity<L>) {
        const TableProfile profile = table_profile<HashTable<A, L>>();
        torture.run(counter_scenarios<A, L>());
        torture.run(ListScenarios::all(list_profile<A, L>()));
        torture.run(TableScenarios::all(profile));
        torture.run(PoolScenarios::all(profile));
    });
}

/// The same for trees; and whether their readers are warned of every change.
template <class A, class... Locks>
void torture_trees(std::tuple<Locks...> locks) {
    torture_each<A>(locks, []<class L>(Torture& torture, std::type_identity<L>) {
        const std::vector<Scenario> scenarios = TreeScenarios::all(tree_profile<PrefixTree<A, L>>());
        if constexpr (is_optimistic<L>)
            for (const Scenario& scenario : scenarios) BOOST_TEST(unguarded_change<L>(scenario) == "");
        torture.run(scenarios);
    });
}

/// The same for priority queues.
template <class A, class... Locks>
void torture_priority_queues(std::tuple<Locks...> locks) {
    torture_each<A>(locks, []<class L>(Torture& torture, std::type_identity<L>) {
        torture.run(PriorityQueueScenarios::all(priority_queue_profile<PriorityQueue<A, L>>()));
    });
}

/// The same for queues.
template <class A, class... Locks>
void torture_queues(std::tuple<Locks...> locks) {
    torture_each<A>(locks, []<class L>(Torture& torture, std::type_identity<L>) {
        torture.run(QueueScenarios::all(queue_profile<Queue<A, L>>()));
    });
}

/// The same for vectors.
template <class A, class... Locks>
void torture_atomic_vectors(std::tuple<Locks...> locks) {
    torture_each<A>(locks, []<class L>(Torture& torture, std::type_identity<L>) {
        torture.run(AtomicVectorScenarios::all(atomic_vector_profile<AtomicVector<std::int64_t, A, L>>()));
    });
}

/// Every lock policy.
using AllLocks = std::tuple<NullLock, SpinLock, FutexLock, RobustMutex, Optimistic<NullLock>, Optimistic<SpinLock>,
                            Optimistic<FutexLock>, Optimistic<RobustMutex>>;

} // namespace ss::test
