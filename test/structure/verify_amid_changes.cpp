// verify() within a transaction: what it has changed so far is looked at, and what is odd because of it is no damage.
#include <ss/ss.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(structure_verify_amid_changes)

namespace {

using Problems = std::vector<std::string>;

ss::Pool make_pool() { return ss::Pool::memfd("verified", {.max_size = std::uint64_t{16} << 20}); }

/// change(structure, tx) and then a look at the structure, in the middle of a transaction and after it.
template <class Structure, class F>
void check(Structure structure, F change) {
    const Problems amid = ss::transaction(structure, [&](auto& tx) {
        change(structure, tx);
        return structure.verify();
    });
    BOOST_TEST(amid == Problems{}, boost::test_tools::per_element());
    BOOST_TEST(structure.verify() == Problems{}, boost::test_tools::per_element());
}

} // namespace

BOOST_AUTO_TEST_CASE(a_hash_table) {
    check(ss::HashTable<>(make_pool(), "it"), [](auto& table, auto& tx) {
        for (int i = 0; i < 100; ++i) table.insert(tx, std::to_string(i), "value");
        table.erase(tx, "5");
    });
}

BOOST_AUTO_TEST_CASE(a_prefix_tree) {
    check(ss::PrefixTree<>(make_pool(), "it"), [](auto& tree, auto& tx) {
        for (int i = 0; i < 50; ++i) tree.insert(tx, std::to_string(i), "a value that needs a block");
        tree.erase(tx, "5");
    });
}

BOOST_AUTO_TEST_CASE(a_queue) {
    check(ss::Queue<>(make_pool(), "it"), [](auto& queue, auto& tx) {
        for (int i = 0; i < 100; ++i) queue.push_back(tx, std::to_string(i));
        queue.pop_front(tx);
    });
}

BOOST_AUTO_TEST_CASE(a_priority_queue) {
    check(ss::PriorityQueue<>(make_pool(), "it"), [](auto& queue, auto& tx) {
        for (int i = 0; i < 50; ++i) queue.push(tx, std::to_string(i));
        queue.pop(tx);
    });
}

BOOST_AUTO_TEST_CASE(an_atomic_vector) {
    check(ss::AtomicVector<std::uint64_t>(make_pool(), "it"),
          [](auto& vector, auto& tx) { vector.expand(tx, 1000); });
}

BOOST_AUTO_TEST_SUITE_END()
