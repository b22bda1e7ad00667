// A file system of one MiB, filled to the brim: exceptions, never a signal, and what is freed can be used.
#include <ss/ss.hpp>

#include "support/expect.hpp"
#include "support/process.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <random>
#include <string>

#include <sched.h>
#include <sys/mount.h>

BOOST_AUTO_TEST_SUITE(domain_full_disk)

using namespace ss::test;
using ss::errc;

namespace {

using Contents = std::map<std::string, std::string>;

/// Runs f(directory) in a child that has a tmpfs of one MiB there, which goes with the child.
template <class F>
void on_a_small_disk(F f) {
    const TempDir directory;
    Process child([&] {
        const Watchdog dog(100, "work on a full disk");
        // A mount namespace of its own: nobody else sees the mount, and it ends with the process.
        if (::unshare(CLONE_NEWNS) != 0)
            skip(std::string("mounting a tmpfs needs a mount namespace: unshare: ") + std::strerror(errno));
        if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            ::mount("ss-test", directory.path().c_str(), "tmpfs", 0, "size=1m,mode=0700") != 0)
            skip(std::string("mounting a tmpfs needs more rights: mount: ") + std::strerror(errno));
        f(directory.path());
    });
    child.expect_clean();
}

/// Inserts until it throws out_of_space, and enters into `model` what got in. Returns how many.
template <class Table>
int fill(Table& t, Contents& model, std::uint64_t size, int& number) {
    for (int inserted = 0;; ++inserted) {
        const std::string key = std::to_string(number++);
        try {
            t.insert(key, std::string(size, 'f'));
        } catch (const ss::Error& error) {
            if (error.code() != errc::out_of_space) throw;
            BOOST_TEST(!t.contains(key));
            return inserted;
        }
        model[key] = std::string(size, 'f');
    }
}

template <class Table>
void to_the_brim(const std::filesystem::path& directory) {
    const ss::Pool pool(directory / "pool");
    Table t(pool, "t", {.bits = 0});
    Contents model;
    int number = 0;
    std::mt19937 engine(5);
    const auto check = [&] {
        BOOST_REQUIRE((Contents(t.begin(), t.end()) == model));
        BOOST_REQUIRE(t.size() == model.size());
        BOOST_REQUIRE(wrong_with(pool) == "");
    };
    // From large to small, so that at last nothing fits.
    for (std::uint64_t size = 100'000; size != 0; size /= 2) fill(t, model, size, number);
    check();
    const std::uint64_t filled = t.stats().domain.bytes_allocated;
    BOOST_TEST(filled > 500'000U);
    // Everything is refused in an orderly way, and what needs no room works.
    BOOST_TEST(thrown_by([&] { t.insert("large", std::string(50'000, 'x')); }) == error(errc::out_of_space));
    BOOST_TEST(thrown_by([&] { Table(pool, "more", {.bits = 9}); }) == error(errc::out_of_space));
    BOOST_TEST(thrown_by([&] { const ss::Pool other(directory / "other"); }) == error(errc::out_of_space));
    BOOST_TEST(thrown_by([&] { pool.backup(directory / "copy"); }) == error(errc::out_of_space));
    for (const auto& entry : std::filesystem::directory_iterator(directory))
        BOOST_TEST(entry.path().filename() == "pool");
    t.insert(model.begin()->first, "s");
    model.begin()->second = "s";
    check();
    // Erase and insert at the brim, again and again.
    for (int round = 0; round < 30; ++round) {
        for (int i = 0; i < 20 && !model.empty(); ++i) {
            const auto gone = std::next(model.begin(), static_cast<long>(engine() % model.size()));
            BOOST_TEST(t.erase(gone->first));
            model.erase(gone);
        }
        int inserted = 0;
        for (std::uint64_t size = 20'000; size != 0; size /= 2) inserted += fill(t, model, size, number);
        BOOST_TEST(inserted > 0);
        check();
    }
    // A transaction that does not fit is undone as a whole.
    BOOST_TEST(thrown_by([&] {
                   ss::transaction(t, [&](auto& tx) {
                       for (int i = 0; i < 5; ++i) t.erase(tx, std::next(model.begin(), i)->first);
                       for (int i = 0; i < 100; ++i)
                           t.insert(tx, "in " + std::to_string(i), std::string(20'000, 'x'));
                   });
               }) == error(errc::out_of_space));
    check();
}

/// A clear needs room for a new head, which a full pool has not: a few entries have to go first.
template <class Table>
void clear_when_full(Table& t, Contents& model) {
    for (int erased = 0;; ++erased) {
        BOOST_REQUIRE(erased < 8);
        try {
            t.clear();
            break;
        } catch (const ss::Error& error) {
            BOOST_TEST((error.code() == errc::out_of_space));
            BOOST_TEST(t.size() == model.size());
            BOOST_TEST(t.erase(model.begin()->first));
            model.erase(model.begin());
        }
    }
    model.clear();
    BOOST_TEST(t.empty());
}

template <class Table>
void clear_and_refill(const std::filesystem::path& directory) {
    const ss::Pool pool(directory / "pool");
    Table t(pool, "t", {.bits = 0});
    Contents model;
    int number = 0;
    const int first = fill(t, model, 1000, number);
    BOOST_TEST(first > 300);
    for (int round = 0; round < 20; ++round) {
        clear_when_full(t, model);
        BOOST_TEST(t.stats().garbage_bytes > 300'000U);
        // All of it is garbage, which is freed before anybody is told that there is no room.
        const int again = fill(t, model, 1000, number);
        BOOST_TEST(again > first * 9 / 10, again << " instead of " << first << " entries in round " << round);
        BOOST_TEST(t.stats().garbage_bytes == 0U);
        BOOST_REQUIRE(wrong_with(pool) == "");
    }
    // For a new table, for a large value, and after a user's transaction, too.
    const auto empty = [&] {
        clear_when_full(t, model);
        fill(t, model, 1000, number);
        clear_when_full(t, model);
    };
    empty();
    Table(pool, "another", {.bits = 10}).insert("k", "v");
    BOOST_TEST(pool.remove_object("another"));
    t.insert("large", std::string(100'000, 'l'));
    t.erase("large");
    fill(t, model, 1000, number);
    empty();
    Table u(pool, "u", {.bits = 0});
    const auto large = [&] {
        ss::transaction(u, [&](auto& tx) { u.insert(tx, "large", std::string(100'000, 'l')); });
    };
    if (thrown_by(large) != "nothing") BOOST_TEST(thrown_by(large) == "nothing");
    BOOST_TEST(wrong_with(pool) == "");
}

} // namespace

BOOST_AUTO_TEST_CASE(to_the_brim_segregated) { on_a_small_disk(to_the_brim<ss::HashTable<>>); }
BOOST_AUTO_TEST_CASE(to_the_brim_logarithmic) {
    on_a_small_disk(to_the_brim<ss::HashTable<ss::LogarithmicAllocator>>);
}
BOOST_AUTO_TEST_CASE(to_the_brim_simple) {
    on_a_small_disk(to_the_brim<ss::HashTable<ss::SimpleAllocator, ss::SpinLock>>);
}
BOOST_AUTO_TEST_CASE(clear_and_refill_segregated) { on_a_small_disk(clear_and_refill<ss::HashTable<>>); }
BOOST_AUTO_TEST_CASE(clear_and_refill_logarithmic) {
    on_a_small_disk(clear_and_refill<ss::HashTable<ss::LogarithmicAllocator>>);
}
BOOST_AUTO_TEST_CASE(clear_and_refill_simple) {
    on_a_small_disk(clear_and_refill<ss::HashTable<ss::SimpleAllocator, ss::SpinLock>>);
}

BOOST_AUTO_TEST_SUITE_END()
