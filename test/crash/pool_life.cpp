// Every state of memory of making, opening and closing a pool, and of making and removing what is in it.
#include "crash/pool_life.hpp"

#include <ss/ss.hpp>

#include "crash/suite.hpp"
#include "support/temp_dir.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <iostream>
#include <tuple>

using namespace ss::test;

using DefaultTable = std::tuple<ss::HashTable<>>;

BOOST_AUTO_TEST_CASE_TEMPLATE(a_pool, Table, DefaultTable) {
    explore_all<Table>(
        [](auto table) { return PoolScenarios::all(table_profile<typename decltype(table)::type>()); });
}

// What a pool is before it has a name, no image shows: whoever makes one is killed at each of its system calls.
BOOST_AUTO_TEST_CASE(a_pool_whose_maker_dies_at_a_system_call) {
    skip_under_sanitizers();
    const TempDir directory;
    const auto path = directory / "pool";
    int calls = 0;
    int complete = 0;
    for (bool at_end = false; !at_end; ++calls) {
        {
            Tracee maker([&](const Markers& markers) {
                markers.begin();
                const ss::HashTable<> table(open_pool(path), "t");
                markers.end();
            });
            maker.run_to_marker();
            for (int i = 0; i <= calls && !at_end; ++i) at_end = !maker.run_to_system_call();
        }
        for (const auto& entry : std::filesystem::directory_iterator(directory.path()))
            BOOST_TEST(entry.path() == path);
        complete += std::filesystem::exists(path) ? 1 : 0;
        const Testimony said = ask([&] {
            ss::HashTable<> table(open_pool(path), "t");
            table.insert("k", "v");
            check_tables<ss::HashTable<>>(open_pool(path));
            return Testimony{};
        });
        BOOST_TEST(said.problem == "");
        BOOST_TEST(ss::Pool::remove(path));
    }
    std::cout << "a pool's maker was killed at " << calls << " ends of its system calls, " << complete
              << " of them with a pool that had its name" << std::endl;
    BOOST_TEST(complete > 0);
    BOOST_TEST(complete < calls);
}
