// Transactions over several tables: all or nothing, savepoints, domains, and who sees what when.
#include <ss/ss.hpp>

#include "support/barrier.hpp"
#include "support/expect.hpp"
#include "support/process.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>

BOOST_AUTO_TEST_SUITE(domain_transactions)

using namespace ss::test;
using namespace std::chrono_literals;
using ss::errc;

namespace {

struct Two {
    ss::Pool pool = ss::Pool::anonymous();
    ss::HashTable<> t{pool, "t"};
    ss::HashTable<> u{pool, "u"};

    ~Two() { BOOST_TEST(wrong_with(pool) == ""); }

    void fill() {
        for (int i = 0; i < 100; ++i) {
            t.insert(std::to_string(i), std::string(static_cast<std::size_t>(i), 't'));
            u.insert(std::to_string(i), std::string(static_cast<std::size_t>(i), 'u'));
        }
    }

    using Contents = std::map<std::string, std::string>;
    std::pair<Contents, Contents> contents() const {
        return {Contents(t.begin(), t.end()), Contents(u.begin(), u.end())};
    }
};

/// Not a std::exception, and may not be copied.
struct Odd {
    Odd() = default;
    Odd(const Odd&) = delete;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(two_tables, Two)

BOOST_AUTO_TEST_CASE(commits_return_what_the_callback_returns) {
    BOOST_TEST(ss::transaction(t, [&](auto& tx) {
                   t.insert(tx, "k", "v");
                   u.insert(tx, "k", "w");
                   return 42;
               }) == 42);
    ss::transaction(t, [](auto&) {});
    const auto several = ss::transaction(u, [&](auto& tx) { return std::tuple(t.find(tx, "k"), u.size()); });
    BOOST_TEST((std::get<0>(several).value() == "v" && std::get<1>(several) == 1U));
    // A named callable, and one that may only be moved.
    auto named = [&](auto& tx) { t.erase(tx, "k"); };
    ss::transaction(t, named);
    ss::transaction(t, [owned = std::make_unique<int>(3), this](auto& tx) { t.incr(tx, "n", *owned); });
    BOOST_TEST((t.find_as<std::int64_t>("n").value() == 3 && !t.contains("k") && u.at("k") == "w"));
}

BOOST_AUTO_TEST_CASE(nothing_happens_whatever_is_thrown) {
    fill();
    const auto before = contents();
    const std::uint64_t allocated = t.stats().domain.bytes_allocated;
    const auto attempt = [&](auto thrower) {
        try {
            ss::transaction(t, [&](auto& tx) {
                for (int i = 0; i < 20; ++i) {
                    t.insert(tx, "new " + std::to_string(i), std::string(200, 'x'));
                    u.erase(tx, std::to_string(i));
                    t.insert(tx, std::to_string(i + 30), "overwritten");
                    u.incr(tx, "counter", i);
                }
                t.clear(tx);
                t.insert(tx, "after the clear", "x");
                thrower();
            });
            BOOST_ERROR("the exception was lost");
        } catch (const Odd&) {
        } catch (const std::exception&) {
        } catch (int) {
        } catch (const char*) {}
        BOOST_TEST((contents() == before));
        BOOST_TEST((t.size() == 100U && u.size() == 100U));
        BOOST_TEST(wrong_with(pool) == "");
    };
    attempt([] { throw std::runtime_error("a standard one"); });
    attempt([] { throw 5; });
    attempt([] { throw "text"; });
    attempt([] { throw std::bad_alloc(); });
    attempt([] { throw Odd(); });
    attempt([] { throw ss::Error(errc::out_of_space, "of the user's own"); });
    attempt([] { throw ss::Error(errc::forked, "of the user's own"); });
    BOOST_TEST(t.stats().domain.bytes_allocated == allocated);
    BOOST_TEST(t.stats().recoveries == 0U);
}

BOOST_AUTO_TEST_CASE(an_operation_that_threw_and_was_caught_has_not_happened) {
    fill();
    t.insert("text", "not a number");
    ss::transaction(t, [&](auto& tx) {
        t.insert(tx, "before", "1");
        BOOST_TEST(thrown_by([&] { t.incr(tx, "text", 1); }) == error(errc::wrong_width));
        BOOST_TEST(thrown_by([&] { t.insert(tx, "huge", std::string_view("x", ss::max_bytes_size + 1)); }) ==
                   error(errc::too_large));
        BOOST_TEST(thrown_by([&] { t.insert(tx, static_cast<const char*>(nullptr), "x"); }) ==
                   error(errc::invalid_argument));
        t.insert(tx, "after", "2");
    });
    BOOST_TEST((t.at("before") == "1" && t.at("after") == "2" && t.at("text") == "not a number"));
    BOOST_TEST(!t.contains("huge"));
}

BOOST_AUTO_TEST_CASE(a_clear_and_what_follows_it_are_undone) {
    // New buckets and their versions lie in blocks that the rollback frees again.
    const ss::Pool small = ss::Pool::anonymous();
    for (unsigned round = 0; round < 60; ++round) {
        // The allocator whose own state lies in its blocks, with free blocks of many sizes.
        using Table = ss::HashTable<ss::SimpleAllocator>;
        Table a(small, "a" + std::to_string(round), {.bits = round % 5});
        Table b(small, "b" + std::to_string(round), {.bits = 5});
        for (unsigned i = 0; i < 100; ++i) b.insert(std::to_string(i), std::string((i * 37 + round * 11) % 600, 'b'));
        for (unsigned i = round % 3; i < 100; i += 2) b.erase(std::to_string(i));
        BOOST_CHECK_THROW(ss::transaction(a,
                                          [&](auto& tx) {
                                              a.clear(tx);
                                              for (int i = 0; i < 30; ++i) a.insert(tx, std::to_string(i), "w");
                                              throw std::runtime_error("undone");
                                          }),
                          std::runtime_error);
        BOOST_TEST(a.empty());
        BOOST_REQUIRE(wrong_with(small) == "");
    }
}

BOOST_AUTO_TEST_CASE(a_failed_clear_leaves_the_table_to_be_used) {
    const ss::Pool tight = ss::Pool::anonymous({.max_size = 3 * ss::mebi});
    ss::HashTable<> a(tight, "a", {.bits = 14}); // a clear needs another MiB for its buckets
    ss::HashTable<> b(tight, "b", {.bits = 0});
    a.insert("k", "1");
    ss::transaction(b, [&](auto& tx) {
        b.insert(tx, "filler", std::string(1'200'000, 'x'));
        BOOST_TEST(thrown_by([&] { a.clear(tx); }) == error(errc::past_max_size));
        BOOST_TEST(a.at("k") == "1");
        a.insert(tx, "k", "2");
        a.insert(tx, "l", "3");
    });
    BOOST_TEST((a.at("k") == "2" && a.at("l") == "3" && a.size() == 2U && b.contains("filler")));
    BOOST_TEST(wrong_with(tight) == "");
}

BOOST_AUTO_TEST_CASE(reads_inside_see_what_was_written_before) {
    fill();
    ss::transaction(t, [&](auto& tx) {
        t.insert(tx, "5", "five");
        t.erase(tx, "6");
        t.insert(tx, "new", "n");
        const ss::HashTable<>& reader = t;
        BOOST_TEST(reader.find(tx, "5").value() == "five");
        BOOST_TEST((reader.at("5") == "five" && !reader.contains("6") && reader.contains(tx, "new")));
        BOOST_TEST(reader.size() == 100U);
        BOOST_TEST(Contents(reader.begin(), reader.end()).at("new") == "n");
        // Another handle of this pool in this thread, too.
        const ss::HashTable<> again(pool, "t");
        BOOST_TEST(again.at("5") == "five");
    });
}

BOOST_AUTO_TEST_CASE(plain_writes_inside_are_refused) {
    fill();
    ss::transaction(t, [&](auto& tx) {
        const auto refused = error(errc::would_deadlock);
        BOOST_TEST(thrown_by([&] { t.insert("k", "v"); }) == refused);
        BOOST_TEST(thrown_by([&] { u.insert("k", "v"); }) == refused);
        BOOST_TEST(thrown_by([&] { t.erase("5"); }) == refused);
        BOOST_TEST(thrown_by([&] { t.incr("n", 1); }) == refused);
        BOOST_TEST(thrown_by([&] { t.clear(); }) == refused);
        BOOST_TEST(thrown_by([&] { t.visit("5", [](std::string_view) {}); }) == refused);
        BOOST_TEST(thrown_by([&] { ss::transaction(u, [](auto&) {}); }) == refused);
        BOOST_TEST(thrown_by([&] { const ss::HashTable<> made(pool, "made"); }) == refused);
        BOOST_TEST(thrown_by([&] { pool.remove_object("u"); }) == refused);
        t.insert(tx, "k", "v"); // and the transaction goes on
    });
    BOOST_TEST((t.size() == 101U && u.size() == 100U));
}

BOOST_AUTO_TEST_CASE(a_structure_of_another_domain_is_refused) {
    const ss::Pool other = ss::Pool::anonymous();
    ss::HashTable<> elsewhere(other, "t");
    const ss::Pool twice = ss::Pool::from_fd(pool.fd());
    ss::HashTable<> again(twice, "t");
    const ss::Pool plain = ss::Pool::anonymous();
    ss::HashTable<ss::SimpleAllocator, ss::FutexLock> profile(plain, "t");
    t.insert("k", "1");
    ss::transaction(t, [&](auto& tx) {
        const auto refused = error(errc::other_domain);
        BOOST_TEST(thrown_by([&] { elsewhere.insert(tx, "k", "v"); }) == refused);
        BOOST_TEST(thrown_by([&] { again.insert(tx, "k", "v"); }) == refused);
        BOOST_TEST(thrown_by([&] { profile.insert(tx, "k", "v"); }) == refused);
        BOOST_TEST(thrown_by([&] { (void)elsewhere.find(tx, "k"); }) == refused);
        BOOST_TEST(thrown_by([&] { elsewhere.clear(tx); }) == refused);
        BOOST_TEST(thrown_by([&] { (void)elsewhere.incr(tx, "k", 1); }) == refused);
        elsewhere.insert("k", "plainly"); // another domain's own lock
        t.insert(tx, "k", "2");
    });
    BOOST_TEST((t.at("k") == "2" && elsewhere.at("k") == "plainly" && profile.empty()));
    BOOST_TEST(wrong_with(other) == "");
}

BOOST_AUTO_TEST_CASE(others_see_before_or_after_and_nothing_between) {
    fill();
    const Watchdog dog(30, "a reader beside a transaction");
    for (const bool commits : {true, false}) {
        t.insert("a", "before");
        u.insert("b", "before");
        const Barrier inside(2);
        Process reader([&] {
            const ss::HashTable<> theirs(pool, "t");
            const ss::HashTable<> theirs_too(pool, "u");
            inside.arrive_and_wait();
            // Untouched buckets are read at once, or those touched after the end of the transaction.
            BOOST_TEST(theirs.at("50") == std::string(50, 't'));
            const std::string a = theirs.at("a");
            const std::string b = theirs_too.at("b");
            BOOST_TEST((a == (commits ? "after" : "before") && b == a));
            BOOST_TEST(!theirs.contains("half"));
        });
        try {
            ss::transaction(t, [&](auto& tx) {
                t.insert(tx, "a", "between");
                u.insert(tx, "b", "between");
                t.insert(tx, "half", "x");
                inside.arrive_and_wait();
                std::this_thread::sleep_for(100ms);
                t.insert(tx, "a", "after");
                u.insert(tx, "b", "after");
                t.erase(tx, "half");
                if (!commits) throw 1;
            });
        } catch (int) {}
        reader.expect_clean();
    }
}

BOOST_AUTO_TEST_CASE(a_value_that_is_rolled_back_is_never_read) {
    // A writer writes nonsense into several keys and always throws; readers in another process and thread look all the
    // time, in every way that there is.
    const Watchdog dog(60, "readers beside a writer that throws");
    for (int i = 0; i < 8; ++i) t.insert(std::to_string(i), "right");
    Shared<std::atomic<bool>> stop(false);
    Shared<Counter> reads(0U);
    const auto read = [&](const ss::HashTable<>& table) {
        while (!*stop) {
            for (int i = 0; i < 8; ++i)
                if (table.at(std::to_string(i)) != "right") BOOST_ERROR("read " << table.at(std::to_string(i)));
            if (table.contains("never")) BOOST_ERROR("a key that was never there");
            if (table.size() != 8) BOOST_ERROR("counted " << table.size());
            for (const auto& [key, value] : table)
                if (value != "right") BOOST_ERROR("walked over " << key << ", " << value);
            ++*reads;
        }
    };
    Process process([&] { read(ss::HashTable<>(pool, "t")); });
    std::thread thread([&] { read(t); });
    const auto end = std::chrono::steady_clock::now() + 1s;
    std::uint64_t undone = 0;
    while (std::chrono::steady_clock::now() < end) {
        try {
            ss::transaction(t, [&](auto& tx) {
                for (int i = 0; i < 8; ++i)
                    t.insert(tx, std::to_string(i), i % 2 == 0 ? "wrong" : std::string(90, 'w'));
                t.insert(tx, "never", "wrong");
                if (undone % 4 == 0) t.clear(tx);
                throw 1;
            });
        } catch (int) { ++undone; }
        if (undone % 8 == 0) std::this_thread::yield();
    }
    *stop = true;
    thread.join();
    process.expect_clean();
    BOOST_TEST(undone > 100U);
    BOOST_TEST(*reads > 100U);
    BOOST_TEST_MESSAGE(undone << " transactions undone, " << *reads << " rounds of reads");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(several_domains)

BOOST_AUTO_TEST_CASE(names_with_braces_live_together) {
    const ss::Pool pool = ss::Pool::anonymous({.domains = 16});
    ss::HashTable<> items(pool, "{cart}items");
    ss::HashTable<> total(pool, "{cart}total");
    BOOST_TEST(items.domain().core().index() == total.domain().core().index());
    ss::transaction(items, [&](auto& tx) {
        items.insert(tx, "apple", "1");
        total.incr(tx, "sum", 1);
    });
    BOOST_TEST(total.find_as<std::int64_t>("sum").value() == 1);
    // Only the first pair of braces counts, empty ones do not, and names without spread over the domains.
    BOOST_TEST(ss::domain_of("{a}x{b}", 16) == ss::domain_of("a", 16));
    BOOST_TEST(ss::domain_of("y{a}", 16) == ss::domain_of("a", 16));
    BOOST_TEST(ss::domain_of("{}x", 1024) != ss::domain_of("", 1024));
    BOOST_TEST(ss::domain_of("}{x", 1024) == ss::domain_of("}{x", 1024));
    std::map<std::uint64_t, int> used;
    for (int i = 0; i < 160; ++i) ++used[ss::domain_of("table " + std::to_string(i), 16)];
    BOOST_TEST(used.size() == 16U);
    for (int i = 0; i < 40; ++i) ss::HashTable<>(pool, std::to_string(i)).insert("k", std::to_string(i));
    for (int i = 0; i < 40; ++i) BOOST_TEST(ss::HashTable<>(pool, std::to_string(i)).at("k") == std::to_string(i));
    BOOST_TEST(pool.objects().size() == 42U);
    for (const ss::ObjectInfo& object : pool.objects()) BOOST_TEST(object.domain == ss::domain_of(object.name, 16));
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE(each_domain_has_policies_of_its_own) {
    const ss::Pool pool = ss::Pool::anonymous({.domains = 16});
    ss::HashTable<> a(pool, "{a}");
    ss::HashTable<ss::SimpleAllocator, ss::SpinLock> b(pool, "{b}");
    BOOST_REQUIRE(a.domain().core().index() != b.domain().core().index());
    a.insert("k", "v");
    b.insert("k", "v");
    const std::string said = sentence_of([&] { const ss::HashTable<ss::LogarithmicAllocator> wrong(pool, "{b}2"); });
    BOOST_TEST(thrown_by([&] { const ss::HashTable<ss::LogarithmicAllocator> wrong(pool, "{b}2"); }) ==
               error(errc::other_policies));
    for (const char* part : {"SIMPLE", "SPIN", "LOGARIT", "FUTEX+o"})
        BOOST_TEST(said.find(part) != std::string::npos, part << " is missing in: " << said);
    // The lock alone, or the allocator alone, is enough to be refused.
    BOOST_TEST(thrown_by([&] { const ss::HashTable<ss::SimpleAllocator> wrong(pool, "{b}3"); }) ==
               error(errc::other_policies));
    BOOST_TEST(thrown_by([&] { const ss::HashTable<ss::SegregatedAllocator, ss::SpinLock> wrong(pool, "{b}3"); }) ==
               error(errc::other_policies));
    // A hash is each table's own.
    const ss::HashTable<>::with<ss::SipHash13> siphash(pool, "{a}2");
    BOOST_TEST(thrown_by([&] { const ss::HashTable<>::with<ss::Fnv1a64> wrong(pool, "{a}2"); }) ==
               error(errc::other_policies));
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE(transactions_of_two_domains_nest) {
    const ss::Pool pool = ss::Pool::anonymous({.domains = 16, .lock_timeout = 10s});
    const Watchdog dog(30, "nested transactions");
    ss::HashTable<> first(pool, "{a}");
    ss::HashTable<> second(pool, "{b}");
    if (first.domain().core().index() > second.domain().core().index()) std::swap(first, second);
    // In the order of the domains and, as long as nobody else is there, in the other.
    ss::transaction(first, [&](auto& one) {
        ss::transaction(second, [&](auto& two) {
            first.insert(one, "k", "1");
            second.insert(two, "k", "2");
            BOOST_TEST(thrown_by([&] { first.insert(two, "k", "x"); }) == error(errc::other_domain));
            BOOST_TEST(thrown_by([&] { second.insert(one, "k", "x"); }) == error(errc::other_domain));
        });
    });
    ss::transaction(second, [&](auto& two) {
        ss::transaction(first, [&](auto& one) {
            first.insert(one, "k", "3");
            second.insert(two, "k", "4");
        });
    });
    BOOST_TEST((first.at("k") == "3" && second.at("k") == "4"));
    // Each is undone for itself.
    BOOST_CHECK_THROW(ss::transaction(first,
                                      [&](auto& one) {
                                          first.insert(one, "k", "undone");
                                          ss::transaction(second, [&](auto& two) { second.insert(two, "k", "5"); });
                                          throw std::runtime_error("the outer one alone");
                                      }),
                      std::runtime_error);
    BOOST_TEST((first.at("k") == "3" && second.at("k") == "5"));
    // Against the order, while another process holds the earlier one: at once an error.
    const Barrier barrier(2);
    Process holder([&] {
        ss::HashTable<> theirs(pool, first.domain().core().index() == ss::domain_of("{a}", 16) ? "{a}" : "{b}");
        ss::transaction(theirs, [&](auto&) {
            barrier.arrive_and_wait();
            barrier.arrive_and_wait();
        });
    });
    barrier.arrive_and_wait();
    ss::transaction(second, [&](auto& two) {
        second.insert(two, "k", "6");
        const auto begin = std::chrono::steady_clock::now();
        BOOST_TEST(thrown_by([&] { first.insert("k", "x"); }) == error(errc::lock_order));
        BOOST_TEST(thrown_by([&] { ss::transaction(first, [](auto&) {}); }) == error(errc::lock_order));
        BOOST_TEST((std::chrono::steady_clock::now() - begin < 5s));
    });
    barrier.arrive_and_wait();
    holder.expect_clean();
    BOOST_TEST((first.at("k") == "3" && second.at("k") == "6"));
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE(a_living_owner_is_waited_for_and_named) {
    const ss::Pool pool = ss::Pool::anonymous({.lock_timeout = 200ms});
    ss::HashTable<> t(pool, "t");
    const Barrier barrier(2);
    Process holder([&] {
        ss::HashTable<> theirs(pool, "t");
        ss::transaction(theirs, [&](auto& tx) {
            theirs.insert(tx, "k", "theirs");
            barrier.arrive_and_wait();
            barrier.arrive_and_wait();
        });
    });
    barrier.arrive_and_wait();
    const std::string said = sentence_of([&] { t.insert("k", "ours"); });
    BOOST_TEST(thrown_by([&] { t.insert("k", "ours"); }) == error(errc::lock_timeout));
    BOOST_TEST((said.find("session") != std::string::npos && said.find("200 ms") != std::string::npos), said);
    // A thread of this process waits like any other.
    std::atomic<bool> refused = false;
    std::thread([&] { refused = thrown_by([&] { t.erase("k"); }) == error(errc::lock_timeout); }).join();
    BOOST_TEST(refused.load());
    barrier.arrive_and_wait();
    holder.expect_clean();
    BOOST_TEST(t.at("k") == "theirs");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE_END()
