// How much one transaction holds, what each operation takes of it, and what happens where it is full.
#include <ss/ss.hpp>

#include "support/expect.hpp"
#include "support/sanitizer.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(domain_limits)

using namespace ss::test;
using ss::errc;

// What the documentation states.
static_assert(ss::journal_capacity == 4096 && ss::touched_capacity == 513 && ss::free_capacity == 256);

namespace {

/// What an operation changes at the very most: words of its own, and calls of the allocator.
struct Cost {
    const char* name;
    std::uint64_t words;
    std::uint64_t allocations;
    std::uint64_t frees;

    template <class A>
    [[nodiscard]] constexpr std::uint64_t entries() const {
        return words + allocations * A::allocate_entries + frees * A::free_entries;
    }
};

// The page: three; with another record that goes outside, six, or a page's link; size, load, bytes.
constexpr Cost insert_new{"insert a new key", 10, 2, 0};
// Sizes, eight words, load, the page's words in use. Or, from outside, ten words of the page, and three; load, bytes.
constexpr Cost overwrite_in_place{"overwrite in place", 14, 0, 1};
// The page: three, and ten words; load, bytes; records.
constexpr Cost overwrite_by_new{"overwrite by a new record", 15, 1, 1};
constexpr Cost erase{"erase", 6, 0, 2}; // the page: two, a link; size, load, bytes; record, page
constexpr Cost incr_there{"incr of a number", 1, 0, 0};
constexpr Cost clear{"clear", 4, 2, 0};        // root, three of the garbage list; head, segment
constexpr Cost make{"make a table", 34, 3, 0}; // the entry; a directory page, head, segment
constexpr Cost remove_it{"remove a table", 5, 0, 0};
constexpr Cost split{"split", 14, 0, 0}; // a page: six, and its link; spares, the other pages to the garbage list
constexpr Cost prepare{"prepare a split", 3, 2, 0}; // a segment, and a block for further ones; or a spare page
constexpr Cost merge{"merge", 3, 1, 0};             // a link, bytes, buckets; a page
constexpr Cost drop{"drop a segment", 4, 0, 2};     // the segment, and that block
constexpr Cost pull{"pull records out of a page", 32, 8,
                    1}; // four: two for each, or six; the page they leave: seven; bytes
constexpr Cost pull_inside{"pull records inside", 49, 0, 4}; // four: two for each, and ten words of it; bytes
constexpr Cost reap{"free some garbage", 23, 0, 21};         // a page and its twenty records

template <class A>
constexpr std::uint64_t upkeep_entries = std::max({split.entries<A>(), prepare.entries<A>(), merge.entries<A>(),
                                                   drop.entries<A>(), pull.entries<A>(), pull_inside.entries<A>(),
                                                   reap.entries<A>()});

template <class A>
class Probe {
public:
    using Table = ss::HashTable<A>;

    Probe() { table_ = std::make_unique<Table>(pool_, "t", ss::HashTableOptions{.bits = 0}); }

    /// Runs f(), one operation of kind `cost`, which begins and ends a transaction.
    template <class F>
    void measure(const Cost& cost, F f) {
        ss::DomainBlock& block = table_->domain().core().block();
        ss::put(block.journal_high_water, 0);
        f();
        const std::uint64_t entries = ss::load(block.journal_high_water);
        // After it the table may have grown, or garbage was freed, each in transactions of their own.
        BOOST_REQUIRE_MESSAGE(entries <= std::max(cost.entries<A>(), upkeep_entries<A>),
                              cost.name << ": " << entries << " entries");
        highest_[cost.name] = std::max(highest_[cost.name], entries);
    }

    /// The same within a transaction: f(tx) alone, without its frees, which wait for the commit.
    template <class F>
    void measure_alone(const Cost& cost, F f) {
        ss::transaction(*table_, [&](auto& tx) {
            f(tx);
            const std::uint64_t entries = tx.inner().savepoint().entries;
            BOOST_REQUIRE_MESSAGE(entries <= cost.words + cost.allocations * A::allocate_entries,
                                  cost.name << ": " << entries << " entries before the frees");
            alone_[cost.name] = std::max(alone_[cost.name], entries);
        });
    }

    void report() const {
        for (const auto& [name, entries] : highest_) {
            const auto alone = alone_.find(name);
            BOOST_TEST_MESSAGE("  " << name << ": " << entries << " with its upkeep"
                                    << (alone == alone_.end()
                                            ? ""
                                            : ", " + std::to_string(alone->second) + " alone, frees not counted"));
        }
    }

    void run() {
        Table& t = *table_;
        std::mt19937 engine(3);
        const auto size = [&] {
            static constexpr std::array<unsigned, 5> limits = {20, 70, 200, 3000, 40'000};
            return engine() % limits[engine() % limits.size()];
        };
        std::vector<std::string> keys;
        for (int i = 0; i < 6000 / slowness; ++i) {
            const std::string key = std::to_string(i) + std::string(engine() % 20, 'k');
            const std::string value(size(), 'v');
            if (i % 2 == 0)
                measure(insert_new, [&] { t.insert(key, value); });
            else
                measure_alone(insert_new, [&](auto& tx) { t.insert(tx, key, value); });
            keys.push_back(key);
            const std::string& other = keys[engine() % keys.size()];
            if (const auto old = t.find(other)) {
                const std::string next(size(), 'w');
                const auto words = [](std::size_t bytes) { return (bytes + 7) / 8; };
                const bool in_place = words(next.size()) <= 8 && words(next.size()) <= words(old->size());
                const Cost& cost = in_place ? overwrite_in_place : overwrite_by_new;
                if (i % 3 == 0)
                    measure(cost, [&] { t.insert(other, next); });
                else
                    measure_alone(cost, [&](auto& tx) { t.insert(tx, other, next); });
            }
            if (engine() % 3 == 0) {
                const std::string& gone = keys[engine() % keys.size()];
                if (engine() % 2 == 0)
                    measure(erase, [&] { t.erase(gone); });
                else
                    measure_alone(erase, [&](auto& tx) { t.erase(tx, gone); });
            }
            measure(i % 1000 == 0 ? insert_new : incr_there, [&] { t.incr("n" + std::to_string(i / 1000), 1); });
            if (i % 1000 == 500)
                measure_alone(incr_there, [&](auto& tx) { t.incr(tx, "n" + std::to_string(i / 1000), 1); });
            if (i % 1500 == 1499) {
                measure(make, [&] { ss::HashTable<A>(pool_, "table " + std::to_string(i), {.bits = 10}); });
                measure(remove_it, [&] { pool_.remove_object("table " + std::to_string(i)); });
            }
        }
        for (const std::string& key : keys) measure(erase, [&] { t.erase(key); });
        for (const std::string& key : keys) t.insert(key, std::string(size(), 'v'));
        measure(clear, [&] { t.clear(); });
        measure_alone(clear, [&](auto& tx) { t.clear(tx); });
        while (t.stats().garbage_bytes != 0) measure(incr_there, [&] { t.incr("n", 1); });
        for (int i = 0; i < 32; ++i)
            measure(make, [&] { ss::HashTable<A>(pool_, "many " + std::to_string(i), {.bits = 0}); });
        BOOST_TEST(wrong_with(pool_) == "");
        report();
    }

private:
    ss::Pool pool_ = ss::Pool::anonymous();
    std::unique_ptr<Table> table_;
    std::map<std::string, std::uint64_t> highest_;
    std::map<std::string, std::uint64_t> alone_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(what_operations_take)

BOOST_AUTO_TEST_CASE(with_the_segregated_allocator) { Probe<ss::SegregatedAllocator>().run(); }
BOOST_AUTO_TEST_CASE(with_the_logarithmic_allocator) { Probe<ss::LogarithmicAllocator>().run(); }
BOOST_AUTO_TEST_CASE(with_the_simple_allocator) { Probe<ss::SimpleAllocator>().run(); }

BOOST_AUTO_TEST_SUITE_END()

namespace {

/// A table and eight plain words in one domain, and transactions that are nearly full.
template <class A>
struct Nearly {
    static constexpr int most_left = 90;

    ss::Pool pool = ss::Pool::anonymous();
    ss::HashTable<A> t{pool, "t", {.bits = 5}};
    ss::Root<A> root{pool, "root", ss::policy_id("words")};

    /// Stores until only `left` entries are free, then calls f(tx). All of it commits, or is undone if `undo`.
    template <class F>
    void with_left(std::uint64_t left, bool undo, F f) {
        const ss::Word before = ss::load(root.word(0));
        try {
            ss::transaction(root, [&](auto& tx) {
                for (std::uint64_t i = 0; i < ss::journal_capacity - left; ++i)
                    tx.store(root.word(0), ss::load(root.word(0)) + 1);
                f(tx);
                if (undo) throw 1;
            });
            BOOST_TEST(ss::load(root.word(0)) - before == ss::journal_capacity - left);
        } catch (int) { BOOST_TEST(ss::load(root.word(0)) == before); }
    }
};

/// Every operation, with each number of entries left from none to enough, and what it changed if it threw.
template <class A>
void fill_up() {
    Nearly<A> n;
    for (int i = 0; i < 40; ++i) n.t.insert(std::to_string(i), std::string(100, 'x'));
    std::uint64_t refused = 0;
    std::uint64_t done = 0;
    const auto attempt = [&](auto op) {
        for (std::uint64_t left = 0; left <= Nearly<A>::most_left; ++left) {
            const std::map<std::string, std::string> before(n.t.begin(), n.t.end());
            // What is garbage may be freed by whatever commits, with or without an operation in it.
            const auto in_use = [&] {
                const ss::DomainStats stats = n.t.stats().domain;
                return stats.bytes_allocated - stats.garbage_bytes;
            };
            const std::uint64_t allocated = in_use();
            bool threw = false;
            n.with_left(left, left % 2 == 1, [&](auto& tx) {
                try {
                    op(tx);
                    ++done;
                } catch (const ss::Error& error) {
                    BOOST_TEST((error.code() == errc::transaction_too_large));
                    ++refused;
                    threw = true;
                }
            });
            if (threw || left % 2 == 1) {
                BOOST_REQUIRE((std::map<std::string, std::string>(n.t.begin(), n.t.end()) == before));
                BOOST_REQUIRE(in_use() == allocated);
            }
            BOOST_REQUIRE(wrong_with(n.pool) == "");
        }
    };
    int fresh = 1000;
    int gone = 0;
    int page = 0;
    attempt([&](auto& tx) { n.t.insert(tx, "new" + std::to_string(fresh++), std::string(50, 'y')); });
    attempt([&](auto& tx) { n.t.insert(tx, "large" + std::to_string(fresh++), std::string(30'000, 'y')); });
    attempt([&](auto& tx) { n.t.insert(tx, "1", std::string(static_cast<std::size_t>(++page) * 64 + 9000, 'y')); });
    attempt([&](auto& tx) { n.t.insert(tx, "2", std::string(64, static_cast<char>('a' + ++page % 26))); });
    attempt([&](auto& tx) {
        n.t.erase(tx, std::to_string(gone));
        ++gone;
    });
    attempt([&](auto& tx) { n.t.incr(tx, "number", 1); });
    attempt([&](auto& tx) { n.t.clear(tx); });
    BOOST_TEST(refused > 20U);
    BOOST_TEST(done > 200U);
    // And what the user allocates: a failed call leaves nothing half done that a commit would keep.
    for (std::uint64_t left = 0; left <= Nearly<A>::most_left; ++left)
        for (const std::uint64_t size : {8U, 100U, 5000U, 100'000U}) {
            const std::uint64_t allocated = n.t.stats().domain.bytes_allocated;
            ss::Offset<char> block;
            n.with_left(left, false, [&](auto& tx) {
                try {
                    block = tx.template allocate<char>(size);
                } catch (const ss::Error& error) {
                    BOOST_TEST((error.code() == errc::transaction_too_large));
                    ++refused;
                }
            });
            BOOST_REQUIRE(wrong_with(n.pool) == "");
            if (!block) BOOST_REQUIRE(n.t.stats().domain.bytes_allocated == allocated);
            if (block) ss::transaction(n.root, [&](auto& tx) { tx.free(block); });
            BOOST_REQUIRE(n.t.stats().domain.bytes_allocated <= allocated); // less: an upkeep freed garbage
        }
}

} // namespace

BOOST_AUTO_TEST_SUITE(a_full_journal)

BOOST_AUTO_TEST_CASE(with_the_segregated_allocator) { fill_up<ss::SegregatedAllocator>(); }
BOOST_AUTO_TEST_CASE(with_the_logarithmic_allocator) { fill_up<ss::LogarithmicAllocator>(); }
BOOST_AUTO_TEST_CASE(with_the_simple_allocator) { fill_up<ss::SimpleAllocator>(); }

BOOST_AUTO_TEST_CASE(its_last_entry_can_be_used) {
    Nearly<ss::SegregatedAllocator> n;
    n.with_left(0, false, [&](auto& tx) {
        BOOST_TEST(thrown_by([&] { tx.store(n.root.word(1), 5); }) == error(errc::transaction_too_large));
    });
    BOOST_TEST((ss::load(n.root.word(0)) == ss::journal_capacity && ss::load(n.root.word(1)) == 0U));
    n.with_left(1, false, [&](auto& tx) { tx.store(n.root.word(1), 5); });
    BOOST_TEST(ss::load(n.root.word(1)) == 5U);
    n.with_left(1, true, [&](auto& tx) { tx.store(n.root.word(1), 6); });
    BOOST_TEST(ss::load(n.root.word(1)) == 5U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(other_full_lists)

BOOST_AUTO_TEST_CASE(versions) {
    const ss::Pool pool = ss::Pool::anonymous();
    ss::HashTable<> t(pool, "t", {.bits = 17});
    for (int i = 0; i < 2000; ++i) t.incr(std::to_string(i), 1);
    int done = 0;
    ss::transaction(t, [&](auto& tx) {
        const auto until_full = [&] {
            for (; done < 2000; ++done) t.incr(tx, std::to_string(done), 1);
        };
        BOOST_TEST(thrown_by(until_full) == error(errc::transaction_too_large));
    });
    // One version per bucket; here nearly every key has a bucket of its own.
    BOOST_TEST((done >= 513 && done < 600), done << " numbers changed");
    for (int i = 0; i < 2000; ++i)
        BOOST_REQUIRE(t.find_as<std::int64_t>(std::to_string(i)).value() == (i < done ? 2 : 1));
    // Readers that lock need no versions.
    const ss::Pool locking = ss::Pool::anonymous();
    ss::HashTable<>::with<ss::FutexLock> u(locking, "u", {.bits = 17});
    for (int i = 0; i < 2000; ++i) u.incr(std::to_string(i), 1);
    ss::transaction(u, [&](auto& tx) {
        for (int i = 0; i < 2000; ++i) u.incr(tx, std::to_string(i), 1);
    });
    BOOST_TEST(u.find_as<std::int64_t>("1999").value() == 2);
}

template <class A>
void fill_frees() {
    const ss::Pool pool = ss::Pool::anonymous();
    ss::HashTable<A> t(pool, "t", {.bits = 7});
    for (int i = 0; i < 1000; ++i) t.insert(std::to_string(i), "some value");
    for (const bool undo : {true, false}) {
        int done = 0;
        try {
            ss::transaction(t, [&](auto& tx) {
                const auto until_full = [&] {
                    for (; done < 1000; ++done) t.erase(tx, std::to_string(done));
                };
                BOOST_TEST(thrown_by(until_full) == error(errc::transaction_too_large));
                if (undo) throw 1;
            });
        } catch (int) {}
        BOOST_TEST(done >= 64); // what the documentation lets users count on
        BOOST_TEST(t.size() == (undo ? 1000U : 1000U - static_cast<unsigned>(done)));
        BOOST_TEST(wrong_with(pool) == "");
        BOOST_TEST_MESSAGE(done << " erased in one transaction");
    }
}

BOOST_AUTO_TEST_CASE(frees_of_the_segregated_allocator) { fill_frees<ss::SegregatedAllocator>(); }
BOOST_AUTO_TEST_CASE(frees_of_the_logarithmic_allocator) { fill_frees<ss::LogarithmicAllocator>(); }
BOOST_AUTO_TEST_CASE(frees_of_the_simple_allocator) { fill_frees<ss::SimpleAllocator>(); }

BOOST_AUTO_TEST_CASE(many_tables) {
    // More tables than a transaction keeps upkeep of.
    const ss::Pool pool = ss::Pool::anonymous();
    std::vector<ss::HashTable<>> tables;
    for (int i = 0; i < 40; ++i) tables.emplace_back(pool, std::to_string(i), ss::HashTableOptions{.bits = 0});
    for (int round = 0; round < 30; ++round)
        ss::transaction(tables[0], [&](auto& tx) {
            for (auto& table : tables) table.insert(tx, std::to_string(round), "v");
        });
    for (const auto& table : tables) BOOST_TEST(table.size() == 30U);
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE_END()
