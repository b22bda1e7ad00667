// Readers beside writers of a tree in threads that share one mapping: what ThreadSanitizer can follow.
#include <ss/registry.hpp>

#include "structure/tree_readers.hpp"
#include "support/expect.hpp"
#include "support/sanitizer.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <string>
#include <thread>

BOOST_AUTO_TEST_SUITE(structure_tree_reader_threads)

using namespace ss::test;
using namespace std::chrono_literals;

namespace {

/// Two writers and two readers, each with a handle of its own.
template <class Tree>
void threads(std::chrono::milliseconds duration) {
    const ss::Pool pool = ss::Pool::anonymous();
    Tree t(pool, "t");
    make_permanent(t);
    TreeTally tally;
    std::array all = {
        std::thread([&] { write_tree(Tree(pool, "t"), tally, 0); }), std::thread([&] { write_tree(t, tally, 1); }),
        std::thread([&] { read_tree(Tree(pool, "t"), tally); }), std::thread([&] { read_tree(t, tally); })};
    std::this_thread::sleep_for(duration);
    tally.stop = true;
    for (std::thread& thread : all) thread.join();
    check(tally, ss::registry::profile_name<Tree>());
    BOOST_TEST(wrong_with(pool) == "");
}

} // namespace

BOOST_AUTO_TEST_CASE(threads_of_one_mapping) {
    const Watchdog dog(100, "readers and writers in threads");
    boost::hana::for_each(ss::registry::few_prefix_trees, [](auto type) {
        using Tree = typename decltype(type)::type;
        if constexpr (!is_null<Tree>) threads<Tree>(300ms * slowness);
    });
}

BOOST_AUTO_TEST_CASE(the_default_profile_for_longer) {
    const Watchdog dog(100, "readers and writers in threads");
    threads<ss::PrefixTree<>>(2000ms);
}

BOOST_AUTO_TEST_SUITE_END()
