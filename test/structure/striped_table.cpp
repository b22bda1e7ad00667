// A table in all domains of a pool: what is different from a plain one, and how its stripes come and go together.
#include <ss/registry.hpp>

#include "support/barrier.hpp"
#include "support/expect.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

BOOST_AUTO_TEST_SUITE(structure_striped_table)

using namespace ss::test;
using ss::Check;
using ss::errc;

namespace {

using Table = ss::HashTable<>::with<ss::Striped<ss::DefaultLock>>;
using Plain = ss::HashTable<>;

constexpr std::uint64_t domains = 6;

/// The n-th of the keys "k0", "k1", … that stripe `index` has.
std::string key_of(const Table& t, std::uint64_t index, int n = 0) {
    for (int i = 0;; ++i) {
        std::string key = "k" + std::to_string(i);
        if (&t.stripe(key) == &t.stripe_at(index) && n-- == 0) return key;
    }
}

/// Makes a table "t" as the constructor does, in the default profile; at the n-th stripe that is made, in the middle of the
/// transaction, the process kills itself.
void create_and_die(const ss::Pool& pool, int n) {
    using Domain = ss::Domain<ss::DefaultAllocator, ss::DefaultLock>;
    const ss::ObjectType type = {.type = ss::striped_table_type,
                                 .type_fingerprint = ss::striped_table_fingerprint,
                                 .hash = ss::DefaultHash::id,
                                 .hash_fingerprint = ss::DefaultHash::fingerprint};
    const auto make = [&](Domain::Tx& tx, ss::DirectoryEntry& entry) {
        tx.store(entry.root[0], ss::detail::make_head(tx, 2, ss::detail::max_page_words));
        if (--n == 0) ::kill(::getpid(), SIGKILL);
    };
    ss::detail::StripesOpening<ss::DefaultAllocator, ss::DefaultLock, decltype(make)> opening(
        pool, "t", type, true, ss::detail::TableUpkeep<Domain, ss::DefaultHash>::functions(), make);
    (void)opening.open();
}

/// The domains that have a stripe of "t".
std::set<std::uint64_t> stripes_of(const ss::Pool& pool) {
    std::set<std::uint64_t> found;
    for (std::uint64_t i = 0; i < pool.domains(); ++i) {
        const ss::DomainCore core(pool.attachment(), i, ss::any_locker<ss::DefaultLock>);
        if (core.is_claimed() && ss::find_object(core, "t")) found.insert(i);
    }
    return found;
}

/// Takes the home stripe of "t" away, as the first step of a removal does, and leaves the others.
void remove_home(const ss::Pool& pool) {
    ss::Domain<ss::DefaultAllocator, ss::DefaultLock> home(pool, ss::domain_of("t", pool.domains()));
    home.run([&](auto& tx) {
        const auto object = ss::find_object(home.core(), "t");
        ss::detail::HashTableKind::discard(tx, *object);
        ss::leave_object(tx, *object->entry);
    });
}

} // namespace

BOOST_AUTO_TEST_CASE(keys_spread_over_any_number_of_stripes) {
    for (const std::uint64_t count : {1U, 2U, 3U, 6U, 16U, 1000U, 1024U}) {
        std::vector<int> keys(count);
        for (std::uint64_t i = 0; i < 64'000; ++i)
            ++keys[ss::detail::stripe_of(ss::DefaultHash::hash(std::to_string(i), {}), count)];
        const int even = static_cast<int>(64'000 / count);
        for (const int found : keys) BOOST_TEST((found > even / 4 && found < even * 2 + 60));
    }
    BOOST_TEST(ss::detail::stripe_of(~std::uint64_t{0}, 1024) == 1023U);
    BOOST_TEST(ss::detail::stripe_of(0xFFFF'0000'FFFF'FFFFU, 1024) == 0U); // tags and buckets have no say
}

BOOST_AUTO_TEST_CASE(many_keys_at_once) {
    const ss::Pool pool = ss::Pool::anonymous({.domains = domains});
    Table t(pool, "t");
    std::vector<std::string> keys;
    for (int i = 0; i < 100; ++i) keys.push_back(std::to_string(i));
    for (int i = 0; i < 100; i += 2) t.insert(keys[static_cast<std::size_t>(i)], "value " + std::to_string(i));
    const std::vector<std::string_view> views(keys.begin(), keys.end());
    std::size_t last = 0;
    BOOST_TEST(t.find_many(views, [&](std::size_t i, std::string_view value) {
        BOOST_TEST((value == "value " + keys[i] && (i == 0 || i == last + 2)));
        last = i;
    }) == 50U);
}

BOOST_AUTO_TEST_CASE(checks_across_stripes) {
    const ss::Pool pool = ss::Pool::anonymous({.domains = domains});
    Table t(pool, "t");
    for (const auto& [own, other] : {std::pair(1, 4), std::pair(4, 1)}) {
        t.clear();
        const std::string a = key_of(t, static_cast<std::uint64_t>(own));
        const std::string b = key_of(t, static_cast<std::uint64_t>(other));
        BOOST_TEST(!t.insert_if(Check(b, "1"), a, "x"));
        BOOST_TEST(t.insert_if(Check::missing(b), a, "x"));
        t.insert(b, "1");
        BOOST_TEST(!t.insert_if(Check::missing(b), a, "y"));
        BOOST_TEST(!t.erase_if(Check(b, "2"), a));
        BOOST_TEST(t.at(a) == "x");
        BOOST_TEST(t.insert_if(Check(b, "1"), a, "z"));
        BOOST_TEST(t.at(a) == "z");
        BOOST_TEST(t.erase_if(Check(b, "1"), a));
        BOOST_TEST(!t.erase_if(Check(b, "1"), a));
        BOOST_TEST(t.size() == 1U);
        // From within a visit of either.
        t.insert(a, "v");
        for (const std::string& visited : {a, b})
            t.visit(visited, [&](std::string_view) {
                BOOST_TEST(thrown_by([&] { t.insert_if(Check(b, "1"), a, "w"); }) == error(errc::would_deadlock));
            });
        BOOST_TEST(t.at(a) == "v");
    }
    BOOST_TEST(wrong_with(t) == "");
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE(of_two_keys_in_two_stripes_only_one_is_ever_there) {
    // Each process inserts its key if the other's is missing: were a check not to hold until the write, both would get in.
    const Watchdog dog(60, "checks across stripes");
    const ss::Pool pool = ss::Pool::anonymous({.domains = domains});
    Table t(pool, "t");
    const std::vector<std::string> keys = {key_of(t, 0), key_of(t, 5)};
    const ss::test::Shared<std::atomic<int>> done(0);
    std::vector<Process> rivals;
    for (const int me : {0, 1})
        rivals.emplace_back([&, me] {
            const std::string& mine = keys[static_cast<std::size_t>(me)];
            const std::string& other = keys[static_cast<std::size_t>(1 - me)];
            int got = 0;
            for (int i = 0; i < 20'000; ++i) {
                if (!t.insert_if(Check::missing(other), mine, "mine")) continue;
                ++got;
                if (t.contains(other)) throw std::runtime_error("both are there");
                t.erase(mine);
            }
            if (got > 0) ++*done;
        });
    for (Process& rival : rivals) rival.expect_clean();
    BOOST_TEST(*done == 2);
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE(transactions_are_of_one_stripe) {
    const ss::Pool pool = ss::Pool::anonymous({.domains = domains});
    Table t(pool, "t");
    const std::string a = key_of(t, 2), b = key_of(t, 2, 1), other = key_of(t, 3);
    ss::transaction(t.stripe(a), [&](auto& tx) {
        t.insert(tx, a, "1");
        t.incr(tx, b, 5);
        BOOST_TEST(t.insert_if(tx, Check(a, "1"), a, "2"));
        BOOST_TEST(t.find(tx, a).value() == "2");
        BOOST_TEST(t.template find_as<std::int64_t>(tx, b).value() == 5);
        for (const auto& thrown :
             {thrown_by([&] { t.insert(tx, other, "x"); }), thrown_by([&] { t.erase(tx, other); }),
              thrown_by([&] { t.insert_if(tx, Check::missing(other), a, "x"); }),
              thrown_by([&] { t.insert_if(tx, Check(a, "2"), other, "x"); }),
              thrown_by([&] { t.erase_if(tx, Check::missing(other), a); }),
              thrown_by([&] { (void)t.find(tx, other); }), thrown_by([&] { (void)t.contains(tx, other); })})
            BOOST_TEST(thrown == error(errc::other_domain));
        BOOST_TEST(thrown_by([&] { t.insert(a, "x"); }) == error(errc::would_deadlock));
    });
    BOOST_TEST((t.at(a) == "2" && t.size() == 2U));
}

BOOST_AUTO_TEST_CASE(one_object_to_the_pool) {
    const ss::Pool pool = ss::Pool::anonymous({.domains = domains});
    Table t(pool, "t");
    ss::PrefixTree<> tree(pool, "tree"); // shares one of its domains
    for (int i = 0; i < 1000; ++i) t.insert(std::to_string(i), std::string(100, 'x'));
    const auto objects = pool.objects();
    BOOST_REQUIRE(objects.size() == 2U);
    const auto& listed = objects[0].name == "t" ? objects[0] : objects[1];
    BOOST_TEST(
        (listed.type == "HASHTAB+s" && listed.lock == "FUTEX+o" && listed.domain == ss::domain_of("t", domains)));
    BOOST_TEST(listed.bytes == t.stats().bytes_allocated);
    BOOST_TEST(t.stats().entries == 1000U);
    std::string opened;
    ss::open_any(pool, "t", ss::policies<>, [&]<std::same_as<Table> Any>(Any& any) { opened = any.at("7"); });
    BOOST_TEST(opened == std::string(100, 'x'));
    BOOST_TEST(pool.remove_object("t"));
    BOOST_TEST(!pool.remove_object("t"));
    BOOST_TEST(stripes_of(pool).empty());
    BOOST_TEST(pool.objects().size() == 1U);
    for (std::uint64_t i = 0; i < domains; ++i)
        BOOST_TEST(thrown_by([&] { t.insert(key_of(t, i), "v"); }) == error(errc::no_such_object));
    BOOST_TEST(wrong_with(pool) == "");
    BOOST_TEST(Table(pool, "t").empty());
}

BOOST_AUTO_TEST_CASE(neither_is_opened_as_the_other) {
    const ss::Pool pool = ss::Pool::anonymous({.domains = domains});
    { const Table t(pool, "striped"); }
    { const Plain t(pool, "plain"); }
    const std::string as_plain = sentence_of([&] { const Plain t(pool, "striped"); });
    const std::string as_striped = sentence_of([&] { const Table t(pool, "plain"); });
    for (const std::string& sentence : {as_plain, as_striped}) {
        BOOST_TEST_CONTEXT(sentence) {
            BOOST_TEST(sentence.find("HASHTAB+s (") != std::string::npos);
            BOOST_TEST(sentence.find("HASHTAB (") != std::string::npos);
        }
    }
    BOOST_TEST(thrown_by([&] { const Plain t(pool, "striped"); }) == error(errc::other_type));
    BOOST_TEST(thrown_by([&] { const Table t(pool, "plain"); }) == error(errc::other_type));
    BOOST_TEST(thrown_by([&] { const Table::with<ss::SipHash13> t(pool, "striped"); }) ==
               error(errc::other_policies));
    BOOST_TEST(thrown_by([&] { const Table t(pool, "t", {.bits = 33}); }) == error(errc::invalid_argument));
    BOOST_TEST(pool.objects().size() == 2U);
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE(a_domain_of_other_policies_refuses_it_and_nothing_is_claimed) {
    const ss::Pool pool = ss::Pool::anonymous({.domains = domains});
    std::string name;
    for (int i = 0; name.empty() || ss::domain_of(name, domains) != 4; ++i) name = "other" + std::to_string(i);
    { ss::HashTable<>::with<ss::SpinLock>(pool, name).insert("k", "v"); }
    BOOST_TEST(thrown_by([&] { const Table t(pool, "t"); }) == error(errc::other_policies));
    for (std::uint64_t i = 0; i < domains; ++i)
        BOOST_TEST(ss::DomainCore(pool.attachment(), i, ss::any_locker<ss::DefaultLock>).is_claimed() == (i == 4));
    BOOST_TEST(pool.objects().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_creator_killed_at_each_stripe) {
    const Watchdog dog(60, "killing creators between stripes");
    for (int n = 1; n <= static_cast<int>(domains); ++n) {
        BOOST_TEST_CONTEXT("killed in the stripe that is made as number " << n) {
            const TempDir directory;
            const auto path = directory / "pool";
            const ss::Pool pool(path, {.max_size = 64 << 20, .domains = domains});
            Process creator([&] { create_and_die(pool, n); });
            BOOST_TEST(creator.wait().killed());
            BOOST_TEST(pool.objects().size() == (n == 1 ? 0U : 1U));
            BOOST_TEST(wrong_with(pool) == "");
            BOOST_TEST(stripes_of(pool).size() == static_cast<std::size_t>(n - 1));
            const ss::Pool reader(path, {.access = ss::Access::read_only});
            BOOST_TEST(thrown_by([&] { const Table t(reader, "t"); }) ==
                       error(n == 1 ? errc::no_such_object : errc::needs_recovery));
            if (n % 2 == 0) {
                BOOST_TEST(pool.remove_object("t"));
                BOOST_TEST(stripes_of(pool).empty());
            }
            Table t(pool, "t");
            for (int i = 0; i < 200; ++i) t.insert(std::to_string(i), "v");
            BOOST_TEST(Table(reader, "t").size() == 200U);
            BOOST_TEST(wrong_with(t) == "");
            BOOST_TEST(wrong_with(pool) == "");
        }
    }
}

BOOST_AUTO_TEST_CASE(what_a_killed_removal_leaves) {
    const auto with_left_overs = [](auto check) {
        const ss::Pool pool = ss::Pool::anonymous({.domains = domains});
        Table old(pool, "t");
        for (int i = 0; i < 200; ++i) old.insert(std::to_string(i), "old");
        remove_home(pool);
        BOOST_TEST(pool.objects().empty());
        BOOST_TEST(wrong_with(pool) == "");
        BOOST_TEST(stripes_of(pool).size() == domains - 1);
        check(pool, old);
        BOOST_TEST(wrong_with(pool) == "");
    };
    with_left_overs(
        [](const ss::Pool& pool, Table& old) { // opened again: another table, and nothing of the old one in it
            Table t(pool, "t");
            BOOST_TEST(t.empty());
            t.insert("k", "new");
            BOOST_TEST(wrong_with(t) == "");
            for (std::uint64_t i = 0; i < domains; ++i)
                BOOST_TEST(thrown_by([&] { old.insert(key_of(old, i), "v"); }) == error(errc::no_such_object));
            BOOST_TEST((t.size() == 1U && pool.objects().size() == 1U));
        });
    with_left_overs([](const ss::Pool& pool, Table&) { // removed again
        BOOST_TEST(pool.remove_object("t"));
        BOOST_TEST(!pool.remove_object("t"));
        BOOST_TEST(stripes_of(pool).empty());
    });
    with_left_overs([](const ss::Pool& pool, Table&) { // another hash does not mind, either
        BOOST_TEST(Table::with<ss::SipHash13>(pool, "t").insert("k", "v"));
        BOOST_TEST(stripes_of(pool).size() == domains);
    });
    with_left_overs([](const ss::Pool& pool, Table&) { // nor does a plain table
        { BOOST_TEST(Plain(pool, "t").insert("k", "v")); }
        BOOST_TEST(thrown_by([&] { const Table t(pool, "t"); }) == error(errc::other_type));
        BOOST_TEST(pool.remove_object("t"));
        const Table t(pool, "t");
        BOOST_TEST(wrong_with(t) == "");
    });
}

BOOST_AUTO_TEST_CASE(creators_and_removers_at_once) {
    const Watchdog dog(100, "creators and removers");
    const TempDir directory;
    constexpr int rounds = 60;
    constexpr unsigned racers = 3;
    const Barrier barrier(racers);
    std::vector<Process> all;
    for (unsigned me = 0; me < racers; ++me)
        all.emplace_back([&, me] {
            for (int round = 0; round < rounds; ++round) {
                const ss::Pool pool(directory / ("pool" + std::to_string(round)),
                                    {.max_size = 16 << 20, .domains = domains});
                barrier.arrive_and_wait();
                Table t(pool, "t");
                for (int i = 0; i < 40; ++i) t.insert(std::to_string(me) + "." + std::to_string(i), "v");
                barrier.arrive_and_wait();
                if (t.size() != 40 * racers) throw std::runtime_error("tables that are not one");
                barrier.arrive_and_wait();
                for (int i = 0; i < 5; ++i) {
                    (void)pool.remove_object("t");
                    const Table again(pool, "t");
                }
                barrier.arrive_and_wait();
                const Table last(pool, "t");
                if (!last.verify().empty() || !pool.verify().empty() || pool.objects().size() != 1)
                    throw std::runtime_error("a table that does not fit together");
            }
        });
    for (Process& racer : all) racer.expect_clean();
}

BOOST_AUTO_TEST_CASE(a_forked_child_uses_it_and_a_reader_reads_it) {
    const TempDir directory;
    const auto path = directory / "pool";
    const ss::Pool pool(path, {.max_size = 64 << 20, .domains = domains});
    Table t(pool, "t");
    Process child([&] {
        for (int i = 0; i < 100; ++i) t.insert(std::to_string(i), "of the child");
        t.visit("7", [&](std::string_view value) { BOOST_TEST(value == "of the child"); });
    });
    child.expect_clean();
    BOOST_TEST(t.size() == 100U);
    const ss::Pool read_only(path, {.access = ss::Access::read_only});
    Table reader(read_only, "t");
    std::size_t walked = 0;
    for (const auto& [key, value] : reader) walked += reader.find(key) == value ? 1 : 0;
    BOOST_TEST(walked == 100U);
    BOOST_TEST(thrown_by([&] { reader.insert("k", "v"); }) == error(errc::read_only));
    BOOST_TEST(thrown_by([&] { reader.insert_if(Check::missing("k"), "7", "v"); }) == error(errc::read_only));
    BOOST_TEST(thrown_by([&] { reader.clear(); }) == error(errc::read_only));
    BOOST_TEST(thrown_by([&] { const Table none(read_only, "none"); }) == error(errc::no_such_object));
    pool.backup(directory / "copy");
    const ss::Pool copy(directory / "copy");
    BOOST_TEST(Table(copy, "t").size() == 100U);
    BOOST_TEST(wrong_with(copy) == "");
}

BOOST_AUTO_TEST_SUITE_END()
