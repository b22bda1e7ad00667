// Whatever the pool refuses names the pool: also what floors find out that know nothing of paths.
#include <ss/ss.hpp>

#include "support/expect.hpp"
#include "support/temp_dir.hpp"

#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <filesystem>
#include <string>

BOOST_AUTO_TEST_SUITE(structure_error_paths)

using namespace ss::test;
using ss::errc;

namespace {

using Allocators = boost::mpl::list<ss::SimpleAllocator, ss::LogarithmicAllocator, ss::SegregatedAllocator>;

struct Fixture {
    TempDir dir;
    std::filesystem::path path = dir / "pool";
    ss::Pool pool{path};

    /// f must throw that, of this pool.
    template <class F>
    void expect(errc code, F f) const {
        try {
            f();
            BOOST_ERROR("not refused");
        } catch (const ss::Error& error) {
            BOOST_TEST((error.code() == code), error.what());
            BOOST_TEST(error.path() == path.string());
            BOOST_TEST(std::string(error.what()).starts_with(path.string() + ": "), error.what());
        }
    }
};

struct OwnError : ss::Error {
    OwnError() : ss::Error(errc::system, "a user's") {}
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(error_paths, Fixture)

BOOST_AUTO_TEST_CASE_TEMPLATE(blocks_that_are_none, A, Allocators) {
    ss::Root<A> root(pool, "root", ss::policy_id("blocks"));
    const std::uint64_t begin = root.domain().region().begin();
    for (const std::uint64_t nonsense : {std::uint64_t{8}, begin + 4096 + 4, begin + std::uint64_t{9} * 4096})
        expect(errc::damaged,
               [&] { ss::transaction(root, [&](auto& tx) { tx.free(ss::Offset<ss::Word>{nonsense}); }); });
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_is_too_large, A, Allocators) {
    ss::HashTable<A> table(pool, "table");
    expect(errc::transaction_too_large, [&] {
        ss::transaction(table, [&](auto& tx) {
            for (int i = 0;; ++i) table.insert(tx, std::to_string(i), "x");
        });
    });
    ss::Root<A> root(pool, "root", ss::policy_id("blocks"));
    expect(errc::too_large, [&] {
        ss::transaction(root, [&](auto& tx) { (void)tx.template allocate<ss::Word>(std::uint64_t{1} << 60); });
    });
    ss::PrefixTree<A> tree(pool, "tree");
    expect(errc::too_large, [&] { tree.insert(std::string(ss::kibi * 64 + 1, 'k'), 1); });
}

BOOST_AUTO_TEST_CASE(numbers_that_are_none) {
    ss::HashTable<> table(pool, "table");
    table.insert("key", "three");
    expect(errc::wrong_width, [&] { table.incr("key", 1); });
    ss::PrefixTree<> tree(pool, "tree");
    tree.insert("key", "three");
    expect(errc::wrong_type, [&] { tree.incr("key", 1); });
}

BOOST_AUTO_TEST_CASE(objects_that_were_removed) {
    ss::HashTable<> table(pool, "table");
    ss::PrefixTree<> tree(pool, "tree");
    BOOST_TEST(pool.remove_object("table"));
    BOOST_TEST(pool.remove_object("tree"));
    expect(errc::no_such_object, [&] { (void)table.find("key"); });
    expect(errc::no_such_object, [&] { table.clear(); });
    expect(errc::no_such_object, [&] { table.insert("key", "value"); });
    expect(errc::no_such_object, [&] { (void)tree.find("key"); });
    expect(errc::no_such_object, [&] { (void)tree.stamp("key"); });
}

BOOST_AUTO_TEST_CASE(a_users_own_error_stays_what_it_is) {
    ss::HashTable<> table(pool, "table");
    BOOST_CHECK_THROW(ss::transaction(table, [](auto&) { throw OwnError(); }), OwnError);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE_END()
