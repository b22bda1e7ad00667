// Names: as many as one likes, of any bytes, removed and used again, while others look.
#include <ss/ss.hpp>

#include "support/barrier.hpp"
#include "support/expect.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(domain_directory)

using namespace ss::test;
using namespace std::chrono_literals;
using namespace std::string_literals;
using ss::errc;

namespace {

std::set<std::string> names_of(const ss::Pool& pool) {
    std::set<std::string> names;
    for (const ss::ObjectInfo& object : pool.objects())
        if (!names.insert(object.name).second) BOOST_ERROR(object.name << " is listed twice");
    return names;
}

} // namespace

BOOST_AUTO_TEST_CASE(more_objects_than_a_page_holds) {
    const TempDir directory;
    const ss::Pool pool(directory / "pool");
    std::set<std::string> expected;
    for (int i = 0; i < 40; ++i) {
        const std::string name = "table " + std::to_string(i);
        ss::HashTable<>(pool, name, {.bits = 2}).insert("me", name);
        expected.insert(name);
    }
    BOOST_TEST((names_of(pool) == expected));
    BOOST_TEST(wrong_with(pool) == "");
    for (const std::string& name : expected) BOOST_TEST(ss::HashTable<>(pool, name).at("me") == name);
    // Another process finds them all.
    Process other([&] {
        const ss::Pool theirs(directory / "pool");
        for (const std::string& name : expected) BOOST_TEST(ss::HashTable<>(theirs, name).at("me") == name);
    });
    other.expect_clean();
    const std::uint64_t allocated = ss::HashTable<>(pool, "table 0").stats().domain.bytes_allocated;
    // Every second one goes; its name and its entry are used again, and no page is added for that.
    for (int round = 0; round < 5; ++round) {
        for (int i = 0; i < 40; i += 2) BOOST_TEST(pool.remove_object("table " + std::to_string(i)));
        BOOST_TEST(names_of(pool).size() == 20U);
        for (int i = 0; i < 40; i += 2) {
            ss::HashTable<> t(pool, "table " + std::to_string(i), {.bits = 2});
            BOOST_TEST(t.empty());
            t.insert("me", "table " + std::to_string(i));
        }
    }
    ss::HashTable<> t(pool, "table 0");
    while (t.stats().garbage_bytes != 0) t.erase("");
    // A block may be of the next class.
    BOOST_TEST(t.stats().domain.bytes_allocated < allocated + 1024);
    BOOST_TEST((names_of(pool) == expected));
    for (const std::string& name : expected) BOOST_TEST(pool.remove_object(name));
    BOOST_TEST(pool.objects().empty());
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE(names_of_all_lengths_and_bytes) {
    const ss::Pool pool = ss::Pool::anonymous();
    std::set<std::string> expected;
    for (std::size_t size = 1; size <= 120; ++size) {
        std::string name(size, '\0');
        for (std::size_t i = 0; i < size; ++i) name[i] = static_cast<char>(i * 7 + size);
        ss::HashTable<>(pool, name, {.bits = 0}).insert("size", std::to_string(size));
        BOOST_TEST(ss::HashTable<>(pool, name).at("size") == std::to_string(size));
        expected.insert(name);
    }
    BOOST_TEST((names_of(pool) == expected));
    // Zeros at the end are part of a name.
    for (const std::string& name : {"a"s, "a\0"s, "a\0\0"s, "\0"s, "\0\0"s})
        ss::HashTable<>(pool, name, {.bits = 0}).insert("size", std::to_string(name.size()));
    BOOST_TEST(ss::HashTable<>(pool, "a\0"s).at("size") == "2");
    BOOST_TEST(ss::HashTable<>(pool, "a").at("size") == "1");
    const std::string longest(120, 'n');
    ss::HashTable<>(pool, longest).insert("k", "v");
    BOOST_TEST(ss::HashTable<>(pool, longest).at("k") == "v");
    BOOST_TEST(thrown_by([&] { const ss::HashTable<> t(pool, longest + "n"); }) == error(errc::name_too_long));
    BOOST_TEST(thrown_by([&] { const ss::Root<> t(pool, longest + "n", ss::policy_id("x")); }) ==
               error(errc::name_too_long));
    BOOST_TEST(thrown_by([&] { const ss::HashTable<> t(pool, ""); }) == error(errc::invalid_argument));
    BOOST_TEST(!pool.remove_object(longest + "n"));
    BOOST_TEST(!pool.remove_object(""));
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE(objects_tells_what_they_are) {
    const ss::Pool pool = ss::Pool::anonymous();
    BOOST_TEST(pool.objects().empty());
    BOOST_TEST(!pool.remove_object("nothing is claimed yet"));
    ss::HashTable<> t(pool, "t");
    ss::HashTable<>::with<ss::SipHash13> s(pool, "s");
    const ss::Root<> root(pool, "r", ss::policy_id("mine"));
    t.insert("k", std::string(10'000, 'x'));
    const auto objects = pool.objects();
    BOOST_REQUIRE(objects.size() == 3U);
    for (const ss::ObjectInfo& object : objects) {
        BOOST_TEST((object.allocator == "SEGREG" && object.lock == "FUTEX+o" && object.domain == 0U));
        if (object.name == "t") {
            BOOST_TEST((object.type == "HASHTAB" && object.bytes == t.stats().bytes_allocated));
            BOOST_TEST(object.hash == ss::to_string(ss::Wyhash::id));
        } else if (object.name == "s") {
            BOOST_TEST((object.hash == ss::to_string(ss::SipHash13::id) && object.bytes < 20'000U));
        } else {
            BOOST_TEST((object.name == "r" && object.type == "mine" && object.hash == "none" && object.bytes == 0U));
        }
    }
}

BOOST_AUTO_TEST_CASE(each_table_of_a_seeded_hash_has_a_seed_of_its_own) {
    const ss::Pool pool = ss::Pool::anonymous();
    std::vector<std::string> orders;
    for (const char* name : {"a", "b"}) {
        ss::HashTable<>::with<ss::SipHash13> t(pool, name);
        std::string order;
        for (int i = 0; i < 50; ++i) t.insert(std::to_string(i), "");
        for (const auto& [key, value] : t) order += key + " ";
        orders.push_back(order);
    }
    BOOST_TEST(orders[0] != orders[1]);
}

BOOST_AUTO_TEST_CASE(one_of_many_that_make_the_same_name_wins) {
    const Watchdog dog(60, "processes that make the same objects");
    const TempDir directory;
    const Barrier barrier(8);
    std::vector<Process> processes;
    for (int p = 0; p < 8; ++p)
        processes.emplace_back([&] {
            barrier.arrive_and_wait();
            const ss::Pool pool(directory / "pool", {.domains = 3});
            for (int i = 0; i < 30; ++i) ss::HashTable<>(pool, std::to_string(i)).incr("makers", 1);
        });
    for (Process& process : processes) process.expect_clean();
    const ss::Pool pool(directory / "pool");
    BOOST_TEST(pool.objects().size() == 30U);
    for (int i = 0; i < 30; ++i)
        BOOST_TEST(ss::HashTable<>(pool, std::to_string(i)).find_as<std::int64_t>("makers").value() == 8);
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE(names_that_come_and_go_under_the_eyes_of_others) {
    // One process makes and removes tables and roots in the same entries; others open them by name all the time. They
    // find what they ask for, or make it, or have it removed below their handle: never another object.
    const Watchdog dog(60, "names that come and go");
    const TempDir directory;
    const ss::Pool pool(directory / "pool");
    ss::HashTable<> fixed(pool, "fixed");
    Shared<std::atomic<bool>> stop(false);
    Shared<Counter> opened(0U);
    Shared<Counter> gone(0U);
    const auto is_gone = [](const ss::Error& error) { return error.code() == errc::no_such_object; };
    Process remover([&] {
        const ss::Pool own(directory / "pool");
        for (int i = 0; !*stop; ++i) {
            ss::HashTable<> a(own, "a", {.bits = 1});
            ss::HashTable<>::with<ss::SipHash13> b(own, "b", {.bits = 1});
            try {
                a.insert("name", "a");
                b.insert("name", "b");
            } catch (const ss::Error& error) {
                if (!is_gone(error)) throw;
            }
            own.remove_object("a");
            own.remove_object("b");
            if (i % 2 == 0) { // now "b" is first, and has a's entry
                const ss::HashTable<>::with<ss::SipHash13> first(own, "b", {.bits = 1});
                own.remove_object("b");
            }
        }
    });
    std::vector<Process> openers;
    for (int p = 0; p < 2; ++p)
        openers.emplace_back([&] {
            const ss::Pool own(directory / "pool");
            while (!*stop) {
                try {
                    ss::HashTable<> a(own, "a", {.bits = 1});
                    if (const auto name = a.find("name")) BOOST_TEST(*name == "a");
                    ss::HashTable<>::with<ss::SipHash13> b(own, "b", {.bits = 1});
                    if (const auto name = b.find("name")) BOOST_TEST(*name == "b");
                    b.insert("name", "b");
                    for (const auto& object : own.objects())
                        BOOST_TEST((object.name == "a" || object.name == "b" || object.name == "fixed"));
                    ++*opened;
                } catch (const ss::Error& error) {
                    if (!is_gone(error)) throw;
                    ++*gone;
                }
            }
        });
    const auto end = std::chrono::steady_clock::now() + 1500ms;
    while (std::chrono::steady_clock::now() < end) BOOST_REQUIRE(wrong_with(pool) == "");
    *stop = true;
    remover.expect_clean();
    for (Process& opener : openers) opener.expect_clean();
    BOOST_TEST(*opened > 100U);
    BOOST_TEST_MESSAGE(*opened << " times opened, " << *gone << " times removed meanwhile");
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_SUITE_END()
