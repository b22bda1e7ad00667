// A table by Xxh3, which is opt-in: what does not know it says so, and what is told of it works as with any other hash.
#include "support/expect.hpp"
#include "support/skip.hpp"

#include <boost/test/unit_test.hpp>

#if __has_include(<xxhash.h>)

#include <ss/hash/xxh3.hpp>
#include <ss/registry.hpp>

#include <string>

using namespace ss::test;
using ss::errc;
using Table = ss::HashTable<>::with<ss::Xxh3>;
using Catalogue = ss::Catalogue<ss::Xxh3>;

BOOST_AUTO_TEST_CASE(works_like_any_other) {
    const ss::Pool pool = ss::Pool::anonymous();
    Table table(pool, "table");
    for (int i = 0; i < 2000; ++i) table.insert(std::to_string(i), std::to_string(i * i));
    for (int i = 0; i < 2000; i += 2) BOOST_TEST(table.erase(std::to_string(i)));
    for (int i = 0; i < 2000; ++i) BOOST_TEST(table.contains(std::to_string(i)) == (i % 2 == 1));
    BOOST_TEST(table.size() == 1000U);
    BOOST_TEST(table.verify().empty());
}

BOOST_AUTO_TEST_CASE(a_catalogue_that_is_told_of_it_knows_it) {
    const ss::Pool pool = ss::Pool::anonymous();
    { Table(pool, "table").insert("k", "v"); }
    const std::string said = wrong_with(pool);
    BOOST_TEST(said.find("XXH3") != std::string::npos, said);
    BOOST_TEST(pool.verify<Catalogue>().empty());
    BOOST_REQUIRE(pool.objects<Catalogue>().size() == 1U);
    BOOST_TEST(pool.objects<Catalogue>()[0].hash == "XXH3");
    // To list or to free an object takes no hashing.
    BOOST_TEST(pool.objects().at(0).hash == "XXH3");
    BOOST_TEST(pool.remove_object("table"));
    BOOST_TEST(pool.verify().empty());
}

BOOST_AUTO_TEST_CASE(is_opened_by_whoever_names_it) {
    const ss::Pool pool = ss::Pool::anonymous();
    { Table(pool, "table").insert("k", "v"); }
    std::string found;
    const auto look = [&](Table& table) { found = table.at("k"); };
    ss::open_any(pool, "table", ss::policies<ss::Xxh3>, look);
    BOOST_TEST(found == "v");
    BOOST_TEST(thrown_by([&] { ss::open_any(pool, "table", ss::policies<>, look); }) == error(errc::unknown_policy));
    const std::string said = sentence_of([&] { ss::open_any(pool, "table", ss::policies<>, look); });
    BOOST_TEST(said.find("XXH3") != std::string::npos, said);
    BOOST_TEST(thrown_by([&] { const ss::HashTable<> other(pool, "table"); }) == error(errc::other_policies));
}

#else

BOOST_AUTO_TEST_CASE(xxh3) { ss::test::skip("no <xxhash.h>: libxxhash-dev is not installed"); }

#endif
