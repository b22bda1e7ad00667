// What is done to a pool as a whole, whatever is in it: backup, trim, collapse.
#include <ss/ss.hpp>

#include "support/barrier.hpp"
#include "support/expect.hpp"
#include "support/process.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(domain_maintenance)

using namespace ss::test;
using namespace std::chrono_literals;
using ss::errc;

namespace {

using Contents = std::map<std::string, std::string>;

template <class Table>
Contents contents(const Table& table) {
    return Contents(table.begin(), table.end());
}

/// All that lies in a directory, in order, with spaces between.
std::string names_in(const TempDir& directory) {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory.path()))
        names.insert(entry.path().filename());
    std::string all;
    for (const std::string& name : names) all += (all.empty() ? "" : " ") + name;
    return all;
}

} // namespace

BOOST_AUTO_TEST_SUITE(backup)

BOOST_AUTO_TEST_CASE(is_another_pool_with_the_same_contents) {
    for (const std::uint64_t domains : {1U, 5U}) {
        const TempDir directory;
        const ss::Pool pool(directory / "pool", {.domains = domains});
        Contents expected;
        for (int i = 0; i < 12; ++i) {
            ss::HashTable<> t(pool, "table " + std::to_string(i));
            for (int k = 0; k < 200; ++k) t.insert(std::to_string(k), std::string(static_cast<std::size_t>(k), 'v'));
            expected = contents(t);
        }
        ss::HashTable<> t(pool, "table 3");
        t.clear(); // with garbage, too
        pool.backup(directory / "copy");
        BOOST_TEST(names_in(directory) == "copy pool");
        // What happens to the one does not happen to the other.
        t.insert("later", "1");
        const ss::Pool copy(directory / "copy");
        BOOST_TEST(wrong_with(copy) == "");
        BOOST_TEST(copy.objects().size() == 12U);
        BOOST_TEST(copy.domains() == domains);
        for (int i = 0; i < 12; ++i) {
            const ss::HashTable<> theirs(copy, "table " + std::to_string(i));
            BOOST_TEST((contents(theirs) == (i == 3 ? Contents() : expected)));
        }
        ss::HashTable<> theirs(copy, "table 3");
        theirs.insert("theirs", "2");
        BOOST_TEST((!t.contains("theirs") && !theirs.contains("later")));
        // Over an old copy, which somebody is reading.
        pool.backup(directory / "copy");
        BOOST_TEST(names_in(directory) == "copy pool");
        const ss::Pool newer(directory / "copy");
        BOOST_TEST((ss::HashTable<>(newer, "table 3").contains("later") && theirs.contains("theirs")));
        BOOST_TEST(wrong_with(newer) == "");
    }
}

BOOST_AUTO_TEST_CASE(is_of_one_moment_while_writers_run) {
    const Watchdog dog(60, "backups beside writers");
    const TempDir directory;
    const ss::Pool pool(directory / "pool", {.domains = 4});
    const auto name = [](int i) { return "{d" + std::to_string(i % 4) + "}" + std::to_string(i); };
    // Units move between the tables of one domain: their sum is always the same.
    for (int i = 0; i < 8; ++i) ss::HashTable<>(pool, name(i)).incr("units", 1000);
    Shared<std::atomic<bool>> stop(false);
    Shared<Counter> moved(0U);
    std::vector<Process> writers;
    for (int p = 0; p < 2; ++p)
        writers.emplace_back([&, p] {
            const ss::Pool own(directory / "pool");
            std::vector<ss::HashTable<>> tables;
            for (int i = 0; i < 8; ++i) tables.emplace_back(own, name(i));
            for (unsigned n = static_cast<unsigned>(p); !*stop; ++n) {
                auto& from = tables[n % 8];
                auto& to = tables[(n + 4) % 8];
                ss::transaction(from, [&](auto& tx) {
                    from.incr(tx, "units", -1);
                    to.incr(tx, "units", 1);
                    from.insert(tx, std::to_string(n % 500), std::string(n % 300, 'x'));
                    to.erase(tx, std::to_string(n % 500));
                });
                ++*moved;
            }
        });
    for (int round = 0; round < 25; ++round) {
        const auto path = directory / ("copy " + std::to_string(round));
        pool.backup(path);
        const ss::Pool copy(path);
        BOOST_REQUIRE(wrong_with(copy) == "");
        for (int i = 0; i < 4; ++i) {
            const ss::HashTable<> one(copy, name(i));
            const ss::HashTable<> two(copy, name(i + 4));
            BOOST_REQUIRE(*one.find_as<std::int64_t>("units") + *two.find_as<std::int64_t>("units") == 2000);
            BOOST_REQUIRE(one.stats().recoveries == 0U);
        }
        BOOST_TEST(ss::Pool::remove(path));
    }
    *stop = true;
    for (Process& writer : writers) writer.expect_clean();
    BOOST_TEST(*moved > 1000U);
}

BOOST_AUTO_TEST_CASE(of_an_empty_pool_and_of_one_in_memory) {
    const TempDir directory;
    const ss::Pool empty(directory / "empty");
    empty.backup(directory / "copy of empty");
    ss::HashTable<>(ss::Pool(directory / "copy of empty"), "t").insert("k", "v");
    const ss::Pool memory = ss::Pool::anonymous();
    ss::HashTable<>(memory, "t").insert("k", "v");
    memory.backup(directory / "copy of memory");
    BOOST_TEST(ss::HashTable<>(ss::Pool(directory / "copy of memory"), "t").at("k") == "v");
}

BOOST_AUTO_TEST_CASE(that_is_refused_leaves_things_as_they_were) {
    const TempDir directory;
    const ss::Pool pool(directory / "pool");
    ss::HashTable<> t(pool, "t");
    t.insert("k", "v");
    BOOST_TEST(thrown_by([&] { pool.backup(directory / "no such" / "copy"); }) == error(errc::no_such_file));
    std::ofstream(directory / "old") << "precious";
    static int refusals;
    for (const ss::os::Call call :
         {ss::os::Call::fallocate, ss::os::Call::write, ss::os::Call::sync, ss::os::Call::rename, ss::os::Call::open,
          ss::os::Call::link, ss::os::Call::random}) {
        static ss::os::Call refused;
        refused = call;
        refusals = 0;
        ss::os::refuse = +[](ss::os::Call asked) {
            if (asked != refused) return 0;
            ++refusals;
            return EIO;
        };
        const std::string thrown = thrown_by([&] { pool.backup(directory / "old"); });
        ss::os::refuse = nullptr;
        if (refusals != 0) BOOST_TEST(thrown == error(errc::system));
        BOOST_TEST(
            (refusals != 0 || call == ss::os::Call::random)); // getrandom is not asked through the seam everywhere
        std::string kept;
        std::getline(std::ifstream(directory / "old"), kept);
        BOOST_TEST((kept == "precious" || refusals == 0));
        BOOST_TEST(names_in(directory) == "old pool");
    }
    // In a transaction of its own domain it would wait for itself.
    ss::transaction(t, [&](auto&) {
        BOOST_TEST(thrown_by([&] { pool.backup(directory / "copy"); }) == error(errc::would_deadlock));
    });
    BOOST_TEST(!std::filesystem::exists(directory / "copy"));
    t.insert("k", "w"); // all locks are free
    const ss::Pool reader(directory / "pool", {.access = ss::Access::read_only});
    BOOST_TEST(thrown_by([&] { reader.backup(directory / "copy"); }) == error(errc::read_only));
    BOOST_TEST(!std::filesystem::exists(directory / "copy"));
}

// The live file would lose its name, and those who are attached would go on in one that nobody finds any more.
BOOST_AUTO_TEST_CASE(onto_the_pool_itself_is_refused_whatever_it_is_called) {
    const TempDir directory;
    const ss::Pool pool(directory / "pool");
    ss::HashTable<> t(pool, "t");
    t.insert("k", "v");
    std::filesystem::create_hard_link(directory / "pool", directory / "hard");
    std::filesystem::create_symlink("pool", directory / "soft");
    for (const char* const name : {"pool", "./pool", "hard", "soft"})
        BOOST_TEST(thrown_by([&] { pool.backup(directory / name); }) == error(errc::invalid_argument));
    BOOST_TEST(names_in(directory) == "hard pool soft");
    t.insert("k", "w");
    BOOST_TEST(ss::HashTable<>(ss::Pool(directory / "pool"), "t").at("k") == "w");
    const ss::Pool memory = ss::Pool::anonymous();
    BOOST_TEST(thrown_by([&] { memory.backup("/proc/self/fd/" + std::to_string(memory.fd())); }) ==
               error(errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(touches_no_other_file) {
    const TempDir directory;
    const ss::Pool pool(directory / "pool");
    ss::HashTable<>(pool, "t").insert("k", "v");
    { ss::HashTable<>(ss::Pool(directory / "copy.backup"), "t").insert("k", "precious"); }
    pool.backup(directory / "copy");
    pool.backup(directory / "copy"); // over a file that is there
    BOOST_TEST(ss::HashTable<>(ss::Pool(directory / "copy.backup"), "t").at("k") == "precious");
    BOOST_TEST(names_in(directory) == "copy copy.backup pool");
}

BOOST_AUTO_TEST_CASE(of_two_pools_to_one_path_at_once_is_the_one_or_the_other) {
    const Watchdog dog(60, "backups to one path");
    const TempDir directory;
    Shared<std::atomic<bool>> stop(false);
    std::vector<Process> others;
    for (const char* const name : {"a", "b"})
        others.emplace_back([&, name] {
            const ss::Pool pool(directory / name);
            ss::HashTable<>(pool, "t").insert("k", name);
            while (!*stop) pool.backup(directory / "copy");
        });
    std::set<std::string> seen;
    while (seen.size() < 2) {
        if (!std::filesystem::exists(directory / "copy")) continue;
        const ss::Pool copy(directory / "copy", {.access = ss::Access::read_only});
        seen.insert(ss::HashTable<>(copy, "t").at("k"));
    }
    *stop = true;
    for (Process& other : others) other.expect_clean();
    BOOST_TEST(names_in(directory) == "a b copy");
}

BOOST_AUTO_TEST_CASE(that_is_killed_leaves_one_file_at_most_and_the_next_does_not_mind) {
    const TempDir directory;
    const ss::Pool pool(directory / "pool");
    ss::HashTable<>(pool, "t").insert("k", "v");
    const auto killed_at = [&](ss::os::Call call) {
        static ss::os::Call fatal;
        fatal = call;
        Process victim([&] {
            const ss::Pool own(directory / "pool");
            ss::os::refuse = +[](ss::os::Call asked) { return asked == fatal ? ::raise(SIGKILL) : 0; };
            own.backup(directory / "copy");
        });
        BOOST_TEST(victim.wait().killed());
    };
    for (const ss::os::Call call : {ss::os::Call::write, ss::os::Call::sync, ss::os::Call::link}) killed_at(call);
    BOOST_TEST(names_in(directory) == "pool"); // it had no name yet
    pool.backup(directory / "copy");
    ss::HashTable<>(pool, "t").insert("k", "w");
    killed_at(ss::os::Call::rename);
    const std::string names = names_in(directory);
    BOOST_TEST(names.starts_with(".ss-backup-"), names);
    BOOST_TEST(names.ends_with(" copy pool"), names);
    BOOST_TEST(ss::HashTable<>(ss::Pool(directory / "copy"), "t").at("k") == "v");
    pool.backup(directory / "copy");
    BOOST_TEST(names_in(directory) == names);
    BOOST_TEST(ss::HashTable<>(ss::Pool(directory / "copy"), "t").at("k") == "w");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(trim)

BOOST_AUTO_TEST_CASE(gives_back_what_is_free_at_the_end) {
    for (const std::uint64_t domains : {1U, 3U}) {
        const TempDir directory;
        const auto path = directory / "pool";
        const auto blocks = [&] {
            struct stat status {};
            if (::stat(path.c_str(), &status) != 0) BOOST_ERROR("no such file");
            return static_cast<std::uint64_t>(status.st_blocks) * 512;
        };
        {
            const ss::Pool pool(path, {.domains = domains});
            for (int i = 0; i < 6; ++i) ss::HashTable<>(pool, std::to_string(i)).insert("stays", "v");
            for (int i = 0; i < 6; ++i) {
                ss::HashTable<> t(pool, "goes " + std::to_string(i));
                for (int k = 0; k < 3000; ++k) t.insert(std::to_string(k), std::string(500, 'x'));
            }
        }
        const std::uint64_t before = blocks();
        const ss::Pool pool(path);
        for (int i = 0; i < 6; ++i) BOOST_TEST(pool.remove_object("goes " + std::to_string(i)));
        const std::uint64_t given_back = pool.trim();
        BOOST_TEST(given_back > 9'000'000U);
        BOOST_TEST(blocks() <= before - given_back);
        BOOST_TEST(blocks() < 1'500'000U);
        BOOST_TEST(wrong_with(pool) == "");
        BOOST_TEST(pool.trim() == 0U);
        // And it can be had again.
        for (int i = 0; i < 6; ++i) {
            ss::HashTable<> t(pool, std::to_string(i));
            BOOST_TEST(t.at("stays") == "v");
            BOOST_TEST(t.size() == 1U);
            for (int k = 0; k < 3000; ++k) t.insert(std::to_string(k), std::string(500, 'y'));
            BOOST_TEST(t.at("2999") == std::string(500, 'y'));
        }
        BOOST_TEST(wrong_with(pool) == "");
    }
}

BOOST_AUTO_TEST_CASE(needs_to_be_alone) {
    const TempDir directory;
    const auto path = directory / "pool";
    const ss::Pool pool(path);
    const auto refused = error(errc::in_use);
    {
        ss::HashTable<> t(pool, "t");
        t.insert("k", "v");
        BOOST_TEST(thrown_by([&] { (void)pool.trim(); }) == refused);
        t.insert("k", "w"); // the lock is free
    }
    {
        const ss::Pool copy = pool; // NOLINT: another handle
        BOOST_TEST(thrown_by([&] { (void)pool.trim(); }) == refused);
    }
    {
        const ss::Pool again(path);
        BOOST_TEST(thrown_by([&] { (void)pool.trim(); }) == refused);
    }
    {
        const ss::Pool reader(path, {.access = ss::Access::read_only});
        BOOST_TEST(thrown_by([&] { (void)pool.trim(); }) == refused);
        BOOST_TEST(thrown_by([&] { (void)reader.trim(); }) == error(errc::read_only));
    }
    for (const ss::Access access : {ss::Access::read_write, ss::Access::read_only}) {
        const Barrier barrier(2);
        Process other([&] {
            const ss::Pool theirs(path, {.access = access});
            barrier.arrive_and_wait();
            ::pause();
        });
        barrier.arrive_and_wait();
        BOOST_TEST(thrown_by([&] { (void)pool.trim(); }) == refused);
        BOOST_TEST(other.kill().killed());
        BOOST_TEST(thrown_by([&] { (void)pool.trim(); }) == "nothing");
    }
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE(of_each_allocator) {
    const auto check = []<class A>(A*) {
        const ss::Pool pool = ss::Pool::anonymous();
        {
            ss::HashTable<A> t(pool, "t");
            for (int k = 0; k < 3000; ++k) t.insert(std::to_string(k), std::string(1000, 'x'));
            for (int k = 0; k < 2990; ++k) t.erase(std::to_string(k));
        }
        const std::uint64_t size = pool.size();
        const std::uint64_t given_back = pool.trim();
        BOOST_TEST(pool.size() == size - given_back);
        BOOST_TEST(wrong_with(pool) == "");
        ss::HashTable<A> t(pool, "t");
        for (int k = 2990; k < 3000; ++k) BOOST_TEST(t.at(std::to_string(k)) == std::string(1000, 'x'));
        for (int k = 0; k < 3000; ++k) t.insert(std::to_string(k), std::string(1000, 'y'));
        BOOST_TEST(wrong_with(pool) == "");
    };
    check(static_cast<ss::SegregatedAllocator*>(nullptr));
    check(static_cast<ss::LogarithmicAllocator*>(nullptr));
    check(static_cast<ss::SimpleAllocator*>(nullptr));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(collapse_changes_nothing_that_can_be_read) {
    const TempDir directory;
    const ss::Pool pool(directory / "pool");
    ss::HashTable<> t(pool, "t");
    for (int k = 0; k < 20'000; ++k) t.insert(std::to_string(k), std::string(300, 'x'));
    const ss::os::HugePages huge = pool.collapse();
    BOOST_TEST((huge.refused || huge.bytes == ss::align_down(pool.size(), ss::os::huge_page)));
    BOOST_TEST_MESSAGE(huge.bytes << " of " << pool.size() << " bytes in huge pages, " << huge.refused.message());
    for (int k = 0; k < 20'000; ++k) BOOST_REQUIRE(t.at(std::to_string(k)) == std::string(300, 'x'));
    BOOST_TEST(wrong_with(pool) == "");
    const ss::Pool asked(directory / "asked", {.huge_pages = true});
    ss::HashTable<> u(asked, "u");
    for (int k = 0; k < 20'000; ++k) u.insert(std::to_string(k), std::string(300, 'x'));
    BOOST_TEST(wrong_with(asked) == "");
}

BOOST_AUTO_TEST_SUITE_END()
