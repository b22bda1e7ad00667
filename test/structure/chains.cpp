// Chains as long as an adversary can make them: a hash policy of the user's own with few results.
#include <ss/ss.hpp>

#include "support/expect.hpp"
#include "support/sanitizer.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

BOOST_AUTO_TEST_SUITE(structure_chains)

using namespace ss::test;

namespace {

/// Hashes that part at different depths, and some that never do: `results[length of the key % N]`.
template <std::uint64_t... Results>
struct FewHash {
    static constexpr ss::PolicyId id = ss::policy_id("few");
    static constexpr std::uint64_t fingerprint = ss::fingerprint(Results...);
    static constexpr bool seeded = false;

    static std::uint64_t hash(std::string_view bytes, const ss::HashSeed&) noexcept {
        constexpr std::array<std::uint64_t, sizeof...(Results)> results = {Results...};
        return results[bytes.size() % results.size()];
    }
};

using One = FewHash<0>;                                  // one bucket, one tag, and that tag is 0
using Ones = FewHash<~std::uint64_t{0}>;                 // the last bucket always, and the tag that links have
using Two = FewHash<0, 1ULL << 6>;                       // together until there are 64 buckets
using Four = FewHash<0, 1ULL << 3, 1ULL << 7, 1ULL>;     // part one after the other
using Tags = FewHash<5, 5 | 1ULL << 60, 5 | 1ULL << 40>; // one bucket; a tag of their own, and the same tag

std::string key_of(int number) {
    return std::to_string(number) + std::string(static_cast<std::size_t>(number % 5), '.');
}

template <class Table>
std::map<std::string, std::string> contents(const Table& table) {
    std::map<std::string, std::string> all;
    for (const auto& [key, value] : table)
        if (!all.emplace(key, value).second) BOOST_ERROR("the walk met " + key + " twice");
    return all;
}

/// Entries, in words, that one small transaction may take at most, however long a chain is: see domain/limits.cpp.
constexpr std::uint64_t most_entries = 120;

template <class Hash, class Allocator = ss::SegregatedAllocator, class Lock = ss::Optimistic<ss::FutexLock>>
void pile_up(int keys) {
    using Table = ss::HashTable<Allocator, Lock, Hash>;
    using Known = ss::Catalogue<Hash>;
    const ss::Pool pool = ss::Pool::anonymous();
    const auto wrong = [&] {
        std::string lines;
        for (const std::string& problem : pool.verify<Known>()) lines += problem + '\n';
        return lines;
    };
    std::map<std::string, std::string> expected;
    std::mt19937 engine(7);
    {
        Table t(pool, "t", {.bits = 0});
        const std::uint64_t empty = t.stats().bytes_allocated;
        for (int i = 0; i < keys; ++i) {
            BOOST_REQUIRE(t.insert(key_of(i), std::to_string(i)));
            expected[key_of(i)] = std::to_string(i);
            if (i % 500 == 0) BOOST_REQUIRE(wrong() == "");
        }
        BOOST_REQUIRE(wrong() == "");
        BOOST_TEST(t.stats().buckets >= static_cast<std::uint64_t>(keys) / ss::detail::entries_to_split);
        for (int i = 0; i < keys; ++i) BOOST_REQUIRE(t.at(key_of(i)) == std::to_string(i));
        BOOST_TEST(!t.contains("none, of length " + std::to_string(keys)));
        BOOST_TEST((contents(t) == expected));
        for (int i = 0; i < keys; i += 3) {
            BOOST_REQUIRE(!t.insert(key_of(i), std::string(100, 'x')));
            expected[key_of(i)] = std::string(100, 'x');
        }
        // Erasing makes lines empty everywhere in the chains, and merges hang chains together.
        std::vector<int> order(static_cast<std::size_t>(keys));
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
        std::shuffle(order.begin(), order.end(), engine);
        for (std::size_t i = 0; i < order.size(); ++i) {
            BOOST_REQUIRE(t.erase(key_of(order[i])));
            expected.erase(key_of(order[i]));
            if (i % 499 == 0) {
                BOOST_REQUIRE(wrong() == "");
                BOOST_REQUIRE((contents(t) == expected));
            }
            // Some come back, so that chains with holes are filled and split again.
            if (i % 700 == 0)
                for (std::size_t back = 0; back < i; back += 2) {
                    t.insert(key_of(order[back]), "back");
                    t.erase(key_of(order[back]));
                }
        }
        for (int i = 0; i < 4 * keys && (t.stats().garbage_bytes != 0 || t.bits() != 0); ++i) t.erase("");
        BOOST_TEST(t.bits() == 0U);
        BOOST_TEST(t.stats().garbage_bytes == 0U);
        BOOST_TEST(t.stats().bytes_allocated == empty);
        BOOST_TEST(wrong() == "");
        for (int i = 0; i < keys / 2; ++i) t.insert(key_of(i), "again");
        t.clear();
        BOOST_TEST(wrong() == "");
        for (int i = 0; i < 4 * keys && t.stats().garbage_bytes != 0; ++i) t.erase("");
        BOOST_TEST(t.stats().garbage_bytes == 0U);
        BOOST_TEST(t.stats().bytes_allocated <= empty + 128); // a block may be of the next class
        const std::uint64_t high_water = t.stats().journal_high_water;
        BOOST_TEST(high_water <= most_entries);
        BOOST_TEST_MESSAGE("journal high water: " << high_water << " entries");
    }
    BOOST_TEST(wrong() == "");
}

constexpr int many = 3000 / slowness;

} // namespace

BOOST_AUTO_TEST_CASE(all_keys_in_one_bucket) { pile_up<One>(many); }
BOOST_AUTO_TEST_CASE(all_keys_in_the_last_bucket) { pile_up<Ones>(many); }
BOOST_AUTO_TEST_CASE(chains_that_part_late) { pile_up<Two>(many); }
BOOST_AUTO_TEST_CASE(chains_that_part_one_after_the_other) { pile_up<Four>(many); }
BOOST_AUTO_TEST_CASE(tags_that_differ_in_one_bucket) { pile_up<Tags>(many); }
BOOST_AUTO_TEST_CASE(with_the_logarithmic_allocator) { pile_up<Four, ss::LogarithmicAllocator>(many / 3); }
BOOST_AUTO_TEST_CASE(with_the_simple_allocator) { pile_up<Four, ss::SimpleAllocator>(many / 3); }
BOOST_AUTO_TEST_CASE(with_locked_readers) { pile_up<Two, ss::SegregatedAllocator, ss::SpinLock>(many / 3); }

BOOST_AUTO_TEST_SUITE_END()
