// Interleavings that once broke a pool, each found by an attack on the protocol and kept here.
#include <ss/ss.hpp>

#include "support/expect.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

BOOST_AUTO_TEST_SUITE(domain_ambushes)

using namespace ss::test;

namespace {

constexpr ss::PolicyId place = ss::policy_id("place");

void sleep_ms(int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

/// A name that lives in another domain than `names` do.
std::string name_elsewhere(std::uint64_t domains, std::initializer_list<std::string> names) {
    for (std::string name = "x";; name += 'x') {
        bool elsewhere = true;
        for (const std::string& other : names)
            elsewhere &= ss::domain_of(name, domains) != ss::domain_of(other, domains);
        if (elsewhere) return name;
    }
}

} // namespace

// A child whose parent dies within a transaction attaches alone: a new era, in which it gets the parent's slot and
// generation again. It must not take the parent's transaction for its own.
BOOST_AUTO_TEST_CASE(a_child_with_its_dead_parents_token_does_not_commit_its_transaction) {
    const Watchdog watchdog(60);
    const TempDir directory;
    const auto path = directory / "pool";
    Process parent(
        [&] {
            ss::Pool pool(path);
            ss::HashTable<> table(pool, "table");
            table.insert("a", "old");
            const pid_t me = ::getpid();
            const std::string result = thrown_by([&] {
                ss::transaction(table, [&](auto& tx) {
                    table.insert(tx, "a", "new");
                    if (::fork() != 0) {
                        ::kill(me, SIGKILL);
                        ::pause();
                    }
                    while (::getppid() == me) sleep_ms(1);
                    while (table.find("a") != "old") sleep_ms(1); // attaches anew, and recovers
                });
            });
            ss::HashTable<>(pool, "verdict").insert("child", result);
        },
        Orphan::survives);
    BOOST_TEST(parent.wait().killed());
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    ss::Pool pool(path);
    ss::HashTable<> verdict(pool, "verdict");
    while (!verdict.contains("child") && std::chrono::steady_clock::now() < deadline) sleep_ms(5);
    BOOST_TEST(verdict.find("child").value_or("nothing") == error(ss::errc::forked));
    BOOST_TEST(ss::HashTable<>(pool, "table").at("a") == "old");
    BOOST_TEST(wrong_with(pool) == "");
}

// exit() destroys a static pool while another thread is in a transaction, and goes on for a while.
BOOST_AUTO_TEST_CASE(a_thread_that_outlives_the_pool_object_does_no_harm) {
    const Watchdog watchdog(60);
    const TempDir directory;
    const auto path = directory / "pool";
    ss::Pool survivor(path);
    ss::Root<> mine(survivor, "root", place);
    const pid_t child = ::fork(); // a bare child: it is to run exit() as programs do
    if (child == 0) {
        struct Sleeper {
            ~Sleeper() { sleep_ms(100); }
        };
        static Sleeper sleeper; // destroyed after the pool, so that the process lives on for a while
        static ss::Pool pool(path);
        static ss::Root<> root(pool, "root", place);
        static std::atomic<bool> inside = false;
        std::thread([] {
            ss::transaction(root, [&](auto& tx) {
                ss::Word& word = root.word(0);
                for (;;) {
                    tx.store(word, 1);
                    inside = true;
                    sleep_ms(1);
                }
            });
        }).detach();
        while (!inside) sleep_ms(1);
        std::exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    for (int i = 0; i < 2; ++i)
        ss::transaction(mine, [&](auto& tx) { tx.store(mine.word(1), ss::load(mine.word(1)) + 1); });
    BOOST_TEST(ss::load(mine.word(0)) == 0U);
    BOOST_TEST(ss::load(mine.word(1)) == 2U);
}

BOOST_AUTO_TEST_CASE(words_of_other_domains_do_not_get_into_a_transaction) {
    ss::Pool pool = ss::Pool::anonymous({.domains = 4});
    ss::Root<> here(pool, "here", place);
    ss::Root<> there(pool, name_elsewhere(4, {"here"}), place);
    const auto refused = error(ss::errc::other_domain);
    BOOST_TEST(thrown_by([&] {
                   ss::transaction(here, [&](auto& tx) {
                       tx.store(here.word(0), 1);
                       tx.store(there.word(0), 1);
                   });
               }) == refused);
    BOOST_TEST(thrown_by([&] { ss::transaction(here, [&](auto& tx) { tx.touch(there.version()); }); }) == refused);
    ss::Word on_the_stack = 0;
    BOOST_TEST(thrown_by([&] { ss::transaction(here, [&](auto& tx) { tx.store(on_the_stack, 1); }); }) == refused);
    BOOST_TEST(ss::load(here.word(0)) == 0U);
    BOOST_TEST(ss::load(there.word(0)) == 0U);
    for (ss::Root<>* root : {&here, &there}) ss::transaction(*root, [&](auto& tx) { tx.store(root->word(0), 7); });
    BOOST_TEST(ss::load(here.word(0)) == 7U);
    BOOST_TEST(ss::load(there.word(0)) == 7U);
}

// Somebody claims a domain, and writes to it, while a backup has locked those that there were.
BOOST_AUTO_TEST_CASE(a_backup_leaves_out_a_domain_that_it_has_not_locked) {
    const Watchdog watchdog(120);
    const TempDir directory;
    const auto path = directory / "pool";
    const auto copy = directory / "copy";
    ss::Pool pool(path, {.domains = 2});
    const std::string name = name_elsewhere(2, {"first"});
    ss::HashTable<>(pool, "first").insert("key", "value");
    static std::atomic<int>* stage = nullptr; // 0: wait, 1: claim, 2: claimed and writing
    stage = static_cast<std::atomic<int>*>(
        ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    Process writer([&] {
        while (*stage == 0) sleep_ms(1);
        ss::HashTable<> table(ss::Pool(path), name);
        for (unsigned n = 0;; ++n) {
            table.insert(std::to_string(n % 500), std::string(n % 300, 'x'));
            table.erase(std::to_string(n * 7919 % 500));
            if (n == 1000) *stage = 2;
        }
    });
    ss::os::refuse = [](ss::os::Call call) { // the copy's first write comes when the locks are held
        if (call == ss::os::Call::write && *stage == 0) {
            *stage = 1;
            while (*stage != 2) sleep_ms(1);
        }
        return 0;
    };
    pool.backup(copy);
    ss::os::refuse = nullptr;
    BOOST_TEST(writer.kill().killed());
    ss::Pool copied(copy);
    BOOST_TEST(wrong_with(copied) == "");
    BOOST_TEST(ss::HashTable<>(copied, "first").at("key") == "value");
    BOOST_TEST(ss::HashTable<>(copied, name).size() == 0U);
    ::munmap(stage, 4096);
}

// Reading falls back to the lock when a writer is always at it. A NullLock is no such fallback.
BOOST_AUTO_TEST_CASE(readers_beside_the_one_writer_of_a_null_lock_never_take_it) {
    const Watchdog watchdog(60);
    const TempDir directory;
    const auto path = directory / "pool";
    using Table = ss::HashTable<>::with<ss::Optimistic<ss::NullLock>>;
    {
        Table table(ss::Pool(path), "table", {.bits = 0});
        table.insert("key", "value");
    }
    Process writer([&] {
        Table table(ss::Pool(path), "table");
        for (unsigned n = 0;; ++n) table.insert("key", std::string(20 + n % 2 * 2000, 'x'));
    });
    ss::Pool pool(path);
    Table table(pool, "table");
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(1);
    while (std::chrono::steady_clock::now() < end) BOOST_REQUIRE(table.find("key"));
    BOOST_TEST(thrown_by([&] { table.insert("key", "mine"); }) == error(ss::errc::in_use));
    BOOST_TEST(writer.kill().killed());
    table.insert("key", "mine"); // now we may
    BOOST_TEST(table.at("key") == "mine");
}

BOOST_AUTO_TEST_SUITE_END()
