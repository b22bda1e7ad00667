// How many frees and erases fit into one transaction: exactly as many as docs/errors.md says.
#include <ss/ss.hpp>

#include "support/expect.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(structure_transaction_limits)

using namespace ss::test;
using ss::errc;

namespace {

/// What fits, if each costs so many journal entries beside what its one free keeps.
template <class A>
constexpr std::uint64_t most_frees(std::uint64_t others) {
    return std::min(ss::free_capacity, ss::journal_capacity / (others + A::free_entries));
}

constexpr std::uint64_t of_an_erase =
    5; // the page's two words, the number of entries, the words they want, the bytes

/// The table of docs/errors.md: frees, erases.
template <class A>
constexpr bool is_as_documented(std::uint64_t frees, std::uint64_t erases) {
    return most_frees<A>(0) == frees && most_frees<A>(of_an_erase) == erases;
}
static_assert(is_as_documented<ss::SimpleAllocator>(256, 256));
static_assert(is_as_documented<ss::LogarithmicAllocator>(256, 195));
static_assert(is_as_documented<ss::SegregatedAllocator>(170, 141));

/// f(tx) in a transaction until it throws: how often it did not. What fitted is committed.
template <class Structure, class F>
std::uint64_t count_until_full(Structure& structure, F f) {
    std::uint64_t done = 0;
    ss::transaction(structure, [&](auto& tx) {
        BOOST_TEST(thrown_by([&] {
                       for (;; ++done) f(tx, done);
                   }) == error(errc::transaction_too_large));
    });
    return done;
}

template <class A>
void free_blocks() {
    const ss::Pool pool = ss::Pool::anonymous();
    ss::Root<A> root(pool, "root", ss::policy_id("blocks"));
    const std::uint64_t before = root.stats().bytes_allocated;
    std::vector<ss::Offset<ss::Word>> blocks;
    for (std::uint64_t i = 0; i < ss::free_capacity + 1; ++i)
        ss::transaction(root, [&](auto& tx) { blocks.push_back(tx.template allocate<ss::Word>(1 + i % 40)); });
    const std::uint64_t done = count_until_full(root, [&](auto& tx, std::uint64_t i) { tx.free(blocks.at(i)); });
    BOOST_TEST(done == most_frees<A>(0));
    for (std::uint64_t i = done; i < blocks.size(); ++i) ss::transaction(root, [&](auto& tx) { tx.free(blocks[i]); });
    BOOST_TEST(root.stats().bytes_allocated == before);
    BOOST_TEST(wrong_with(pool) == "");
}

template <class A>
void erase_keys() {
    const ss::Pool pool = ss::Pool::anonymous();
    ss::HashTable<A> t(pool, "t", {.bits = 11}); // so many buckets that none has a second page
    for (std::uint64_t i = 0; i < 400; ++i) t.insert(std::to_string(i), std::string(100 + i, 'v'));
    const std::uint64_t done =
        count_until_full(t, [&](auto& tx, std::uint64_t i) { BOOST_REQUIRE(t.erase(tx, std::to_string(i))); });
    BOOST_TEST(done == most_frees<A>(of_an_erase));
    BOOST_TEST(t.size() == 400 - done);
    for (std::uint64_t i = 0; i < 400; ++i) BOOST_REQUIRE(t.contains(std::to_string(i)) == (i >= done));
    BOOST_TEST(wrong_with(pool) == "");
}

} // namespace

BOOST_AUTO_TEST_CASE(frees_with_the_simple_allocator) { free_blocks<ss::SimpleAllocator>(); }
BOOST_AUTO_TEST_CASE(frees_with_the_logarithmic_allocator) { free_blocks<ss::LogarithmicAllocator>(); }
BOOST_AUTO_TEST_CASE(frees_with_the_segregated_allocator) { free_blocks<ss::SegregatedAllocator>(); }

BOOST_AUTO_TEST_CASE(erases_with_the_simple_allocator) { erase_keys<ss::SimpleAllocator>(); }
BOOST_AUTO_TEST_CASE(erases_with_the_logarithmic_allocator) { erase_keys<ss::LogarithmicAllocator>(); }
BOOST_AUTO_TEST_CASE(erases_with_the_segregated_allocator) { erase_keys<ss::SegregatedAllocator>(); }

BOOST_AUTO_TEST_SUITE_END()
