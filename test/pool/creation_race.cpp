// Many who create the same pool at once, some of them killed on the way: all end up in one.
#include "pool/gate.hpp"
#include "pool/support.hpp"
#include "support/barrier.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include <unistd.h>

BOOST_AUTO_TEST_SUITE(pool_creation_race)

using namespace ss;
using namespace ss::test;

namespace {

constexpr unsigned crowd = 200;

/// What each of the crowd found.
struct Found {
    std::atomic<std::uint64_t> made = 0;
    std::array<std::atomic<std::uint64_t>, crowd> uuids{};
};

} // namespace

BOOST_AUTO_TEST_CASE(two_hundred_creators_end_up_in_one_pool) {
    const Watchdog dog(60, "two hundred creators");
    const TempDir directory;
    const auto path = directory / "pool";
    for (const Access access : {Access::read_write, Access::create_only}) {
        Shared<Found> findings;
        Gate start, finish;
        Shared<Counter> attached(0U);
        std::vector<Process> processes;
        processes.reserve(crowd);
        for (unsigned i = 0; i < crowd; ++i)
            processes.emplace_back([&, i] {
                const Watchdog inner(60, "a creator");
                start.wait();
                std::unique_ptr<Pool> pool;
                try {
                    pool = std::make_unique<Pool>(path, PoolOptions{.access = access});
                    if (access == Access::create_only) ++findings->made;
                } catch (const Error& error) {
                    if (access != Access::create_only || error.code() != errc::already_exists) throw;
                    pool = std::make_unique<Pool>(path, PoolOptions{.access = Access::open_only});
                }
                findings->uuids[i] = uuid_of(*pool)[0];
                ++*attached;
                finish.wait(); // all at once, each in a slot of its own
            });
        start.open();
        wait_until([&] { return *attached == crowd; }, "some of the crowd never attached");
        finish.open();
        for (Process& process : processes) process.expect_clean();
        if (access == Access::create_only) BOOST_TEST(findings->made == 1U);
        const Pool pool(path, {.access = Access::open_only});
        BOOST_TEST(uuid_of(pool)[0] != 0U);
        for (const auto& uuid : findings->uuids) BOOST_TEST(uuid == uuid_of(pool)[0]);
        BOOST_TEST(load(pool.attachment()->state().era) == 2U); // the crowd shared one, this is the next
        BOOST_TEST(files_in(directory.path()) == 1U);
        BOOST_TEST(Pool::remove(path));
    }
}

BOOST_AUTO_TEST_CASE(creators_killed_at_random_stop_nobody) {
    const Watchdog dog(60, "killing creators");
    const TempDir directory;
    const auto path = directory / "pool";
    std::mt19937 random(20240607);
    unsigned killed_before = 0, killed_after = 0;
    for (int round = 0; round < 150; ++round) {
        Shared<Counter> attached(0U);
        std::vector<Process> processes;
        for (int i = 0; i < 1 + round % 3; ++i)
            processes.emplace_back([&] {
                const Pool pool(path, small_pool);
                ++*attached;
                ::pause();
            });
        // From before the first instruction to long after the last.
        if (round % 5 != 0) ::usleep(static_cast<useconds_t>(random() % (1U << random() % 13)));
        for (Process& process : processes) process.kill();
        ++(std::filesystem::exists(path) ? killed_after : killed_before);
        const Pool pool(path, small_pool);
        BOOST_TEST(pool.attachment()->header().max_size == small_pool.max_size);
        pool.attachment()->grow(0, 4096);
        BOOST_TEST(files_in(directory.path()) == 1U);
        BOOST_TEST(Pool::remove(path));
    }
    // Both happened, or the test has not tested.
    BOOST_TEST(killed_before > 0U);
    BOOST_TEST(killed_after > 0U);
}

BOOST_AUTO_TEST_CASE(one_who_removes_and_many_who_open_never_meet_half_a_pool) {
    const Watchdog dog(60, "creating and removing");
    const TempDir directory;
    const auto path = directory / "pool";
    std::vector<Process> processes;
    Shared<Counter> stop(0U);
    for (int i = 0; i < 3; ++i)
        processes.emplace_back([&] {
            while (*stop == 0) {
                const Pool pool(path, small_pool);
                const AttachGuard guard = pool.attachment()->exclude_attachers();
                if (pool.attachment()->region(0).size() == 0) pool.attachment()->grow(0, 4096);
                BOOST_TEST(
                    (*pool.attachment()->region(0).data(pool.attachment()->region(0).begin()) == std::byte{0}));
            }
        });
    for (int i = 0; i < 300; ++i) {
        (void)Pool::remove(path);
        ::usleep(1000);
    }
    *stop = 1;
    for (Process& process : processes) process.expect_clean();
}

BOOST_AUTO_TEST_SUITE_END()
