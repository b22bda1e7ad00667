// <ss/ss.hpp> alone is enough for everything that the README's first page shows; nothing else is included before the
// program below.
#include <ss/ss.hpp>

namespace {

/// As a beginner writes it, with no header of the standard library of his own.
std::int64_t first_program() {
    const ss::Pool pool = ss::Pool::anonymous();
    ss::HashTable<> hits(pool, "hits");
    hits.incr("index.html", 1);
    hits.insert("name", "value");
    ss::transaction(hits, [&](auto& tx) {
        hits.incr(tx, "index.html", 1);
        hits.erase(tx, "name");
    });
    for (const auto& [key, value] : hits)
        if (key != "index.html" || value.size() != 8) return -1;
    return hits.find_as<std::int64_t>("index.html").value_or(0);
}

using Cache = ss::HashTable<ss::LogarithmicAllocator, ss::Optimistic<ss::FutexLock>, ss::SipHash13>;

} // namespace

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_CASE(a_first_program) { BOOST_TEST(first_program() == 2); }

BOOST_AUTO_TEST_CASE(a_profile_is_an_alias) {
    Cache cache(ss::Pool::anonymous(), "cache");
    BOOST_TEST(cache.insert("k", "v"));
    BOOST_TEST(cache.at("k") == "v");
}

BOOST_AUTO_TEST_CASE(the_face_declares_what_there_is) {
    // fwd.hpp names every public type; this file would not compile if it said another kind.
    const ss::BytesCheck check = ss::Check::missing("k");
    BOOST_TEST(check.key() == "k");
    BOOST_TEST(ss::HashTableOptions{}.bits == 8U);
    BOOST_TEST(ss::error_category().name() == std::string("ss"));
    BOOST_TEST((ss::make_error_code(ss::errc::in_use) == ss::errc::in_use));
}
