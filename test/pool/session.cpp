// Slots, generations and tokens: who is given which, and when there are none left.
#include "pool/support.hpp"
#include "support/process.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

BOOST_AUTO_TEST_SUITE(pool_session)

using namespace ss;
using namespace ss::test;
using namespace std::chrono_literals;

namespace {

std::uint32_t generation(const Pool& pool, std::uint32_t slot) { return session_table(pool).generations[slot]; }

struct OnePool {
    TempDir directory;
    std::filesystem::path path = directory / "pool";
};

} // namespace

BOOST_AUTO_TEST_CASE(a_token_is_a_slot_and_a_generation) {
    for (const std::uint32_t slot : {0U, 1U, 2047U})
        for (const std::uint32_t number : {1U, 2U, max_generation}) {
            const Token token = make_token(slot, number);
            BOOST_TEST(token != 0U);
            BOOST_TEST((token & ~token_mask) == 0U);
            BOOST_TEST(token_slot(token) == slot);
            BOOST_TEST(token_generation(token) == number);
            BOOST_TEST(token_slot(token | 1U << 31) == slot);
            BOOST_TEST(token_generation(token | 1U << 31) == number);
        }
}

BOOST_FIXTURE_TEST_CASE(slots_are_taken_round_robin_and_generations_grow, OnePool) {
    const Pool stays(path, small_pool);
    BOOST_TEST(token_of(stays) == make_token(0, 1));
    std::set<Token> seen = {token_of(stays)};
    for (std::uint32_t i = 0; i < 3 * max_sessions; ++i) {
        const Pool guest(path);
        const Token token = token_of(guest);
        BOOST_REQUIRE(seen.insert(token).second); // never twice
        BOOST_REQUIRE(token_slot(token) != 0U);
        if (i < max_sessions - 1) BOOST_REQUIRE(token == make_token(i + 1, 1));
    }
    BOOST_TEST(generation(stays, 0) == 1U);
    BOOST_TEST(generation(stays, 1) >= 3U);
}

BOOST_FIXTURE_TEST_CASE(whoever_is_alone_begins_an_era, OnePool) {
    std::uint64_t era = 0;
    {
        const Pool first(path, small_pool);
        era = load(first.attachment()->state().era);
        const Pool second(path);
        BOOST_TEST(load(second.attachment()->state().era) == era);
        BOOST_TEST(token_of(second) == make_token(1, 1));
        std::fill_n(reinterpret_cast<char*>(&second.attachment()->lock_slot(0)), sizeof(LockSlot), '\x55');
    }
    const Pool reader(path, {.access = Access::read_only}); // keeps nobody from being alone
    const Pool third(path);
    BOOST_TEST(load(third.attachment()->state().era) == era + 1);
    BOOST_TEST(token_of(third) == make_token(0, 1));
    BOOST_TEST(generation(third, 1) == 0U);
    const auto* const lock = reinterpret_cast<const char*>(&third.attachment()->lock_slot(0));
    BOOST_TEST(std::all_of(lock, lock + sizeof(LockSlot), [](char c) { return c == 0; }));
    BOOST_TEST(load(reader.attachment()->state().era) == era + 1);
}

BOOST_FIXTURE_TEST_CASE(a_slot_whose_generations_are_used_up_rests_until_somebody_is_alone, OnePool) {
    {
        const Pool stays(path, small_pool);
        session_table(stays).generations[1] = max_generation - 1;
        session_table(stays).generations[2] = max_generation;
        session_table(stays).next = 1;
        Token last = 0;
        {
            const Pool guest(path);
            last = token_of(guest);
            BOOST_TEST(last == make_token(1, max_generation));
            BOOST_TEST(!is_dead(stays, last));
        }
        BOOST_TEST(is_dead(stays, last));
        for (std::uint32_t i = 0; i < 2 * max_sessions; ++i) {
            const Pool guest(path);
            BOOST_REQUIRE(token_slot(token_of(guest)) != 1U);
            BOOST_REQUIRE(token_slot(token_of(guest)) != 2U);
        }
        BOOST_TEST(generation(stays, 1) == max_generation); // so no token of it is ever given again
        for (auto& number : session_table(stays).generations) number = max_generation;
        BOOST_TEST(outcome([&] { const Pool guest(path); }) == text(errc::too_many_sessions));
    }
    const Pool alone(path);
    BOOST_TEST(token_of(alone) == make_token(0, 1));
    const Pool guest(path);
    BOOST_TEST(token_of(guest) == make_token(1, 1));
}

BOOST_FIXTURE_TEST_CASE(when_every_slot_is_taken_the_next_is_refused, OnePool) {
    struct rlimit limit = {};
    BOOST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
    if (limit.rlim_max < max_sessions + 200)
        skip("at most " + std::to_string(limit.rlim_max) + " descriptors may be open here");
    Process child([&] {
        const Watchdog dog(60, "attaching so often");
        limit.rlim_cur = limit.rlim_max;
        BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
        std::vector<Pool> pools;
        for (std::uint32_t i = 0; i < max_sessions; ++i) pools.emplace_back(path, small_pool);
        BOOST_TEST(outcome([&] { const Pool one_more(path); }) == text(errc::too_many_sessions));
        BOOST_TEST(outcome([&] { const Pool reader(path, {.access = Access::read_only}); }) == "success");
        const Token freed = token_of(pools[1000]);
        pools.erase(pools.begin() + 1000);
        const Pool fits(path);
        BOOST_TEST(token_of(fits) == make_token(token_slot(freed), token_generation(freed) + 1));
        BOOST_TEST(outcome([&] { const Pool one_more(path); }) == text(errc::too_many_sessions));
        BOOST_TEST(is_dead(fits, freed));
        BOOST_TEST(!is_dead(fits, token_of(pools[0])));
    });
    child.expect_clean();
}

BOOST_FIXTURE_TEST_CASE(two_pools_of_one_process_are_two_sessions, OnePool) {
    const Pool one(path, small_pool), two(path), copy = one;
    BOOST_TEST(token_of(one) != token_of(two));
    BOOST_TEST(token_of(one) == token_of(copy));
    BOOST_TEST(!is_dead(one, token_of(two)));
    BOOST_TEST(!is_dead(two, token_of(one)));
    BOOST_TEST(!one.attachment()->session().is_alone(false));
    BOOST_TEST(&one.attachment()->state() != &two.attachment()->state());
}

BOOST_FIXTURE_TEST_CASE(a_message_names_slot_generation_and_process, OnePool) {
    const Pool pool(path, small_pool);
    const Session& session = pool.attachment()->session();
    BOOST_TEST(session.describe(token_of(pool)) == "session 0.1 (pid " + std::to_string(::getpid()) + ")");
    BOOST_TEST(session.describe(token_of(pool) | 1U << 31) == session.describe(token_of(pool)));
    BOOST_TEST(session.describe(make_token(3, 17)) == "session 3.17"); // long gone
}

BOOST_FIXTURE_TEST_CASE(alone_or_not, OnePool) {
    const Pool pool(path, small_pool);
    const Session& session = pool.attachment()->session();
    BOOST_TEST(session.is_alone(true));
    {
        const Pool reader(path, {.access = Access::read_only});
        BOOST_TEST(session.is_alone(false));
        BOOST_TEST(!session.is_alone(true));
    }
    BOOST_TEST(session.is_alone(true));
    {
        const Pool writer(path);
        BOOST_TEST(!session.is_alone(false));
        BOOST_TEST(!writer.attachment()->session().is_alone(false));
    }
    BOOST_TEST(session.is_alone(true));
}

BOOST_FIXTURE_TEST_CASE(nobody_and_nonsense, OnePool) {
    const Pool pool(path, small_pool);
    BOOST_TEST(!is_dead(pool, 0));
    BOOST_TEST(!is_dead(pool, 1U << 31)); // the waiters bit is none of it
    BOOST_TEST(!is_dead(pool, token_of(pool)));
    BOOST_TEST(!is_dead(pool, token_of(pool) | 1U << 31));
    BOOST_TEST(!is_dead(pool, make_token(0, 2)));   // our slot, whose generation we may have yet to see
    BOOST_TEST(is_dead(pool, make_token(2047, 0))); // a slot that nobody has ever had
    BOOST_TEST(is_dead(pool, token_mask));
    session_table(pool).generations[7] = 5;
    for (const std::uint32_t number : {1U, 4U, 5U, 6U, max_generation})
        BOOST_TEST(is_dead(pool, make_token(7, number)));
    const os::File living = os::try_open(path, O_RDWR);
    BOOST_REQUIRE(os::try_lock_byte(living.descriptor(), LockBytes::sessions + 7, os::ByteLock::exclusive) == 0);
    for (const std::uint32_t number : {1U, 4U}) BOOST_TEST(is_dead(pool, make_token(7, number)));
    for (const std::uint32_t number : {5U, 6U}) BOOST_TEST(!is_dead(pool, make_token(7, number)));
    const Pool reader(path, {.access = Access::read_only});
    BOOST_TEST(!is_dead(reader, token_of(pool))); // who only reads may ask
    BOOST_TEST(is_dead(reader, make_token(7, 1)));
}

namespace {

/// A child that holds the attach byte, alive and stopped, until it gets SIGCONT.
Process stopped_at_the_attach_byte(const std::filesystem::path& path, Access access) {
    Process child([&] {
        const Pool pool(path, {.access = access});
        const AttachGuard guard = pool.attachment()->exclude_attachers();
        ::raise(SIGSTOP);
    });
    int status = 0;
    BOOST_REQUIRE(::waitpid(child.pid(), &status, WUNTRACED) == child.pid());
    BOOST_REQUIRE(WIFSTOPPED(status));
    return child;
}

} // namespace

BOOST_FIXTURE_TEST_CASE(who_attaches_is_waited_for_and_never_for_ever, OnePool) {
    const Watchdog dog(30, "waiting for the attach byte");
    const Pool pool(path, small_pool);
    Process holder = stopped_at_the_attach_byte(path, Access::read_write);
    const auto begin = std::chrono::steady_clock::now();
    BOOST_TEST(outcome([&] { const Pool other(path, {.lock_timeout = 100ms}); }) == text(errc::attach_timeout));
    BOOST_TEST((std::chrono::steady_clock::now() - begin >= 100ms));
    BOOST_TEST(outcome([&] { const Pool reader(path, {.access = Access::read_only, .lock_timeout = 0ms}); }) ==
               text(errc::attach_timeout));
    // A thread that waits for it does not hold up the forks of others.
    std::atomic<bool> attached = false;
    std::thread attacher([&] {
        const Pool other(path);
        attached = true;
    });
    for (int i = 0; i < 20; ++i) Process([] {}).expect_clean();
    BOOST_TEST(!attached.load());
    holder.send(SIGCONT);
    attacher.join();
    BOOST_TEST(attached.load());
    holder.expect_clean();
}

BOOST_FIXTURE_TEST_CASE(a_killed_holder_of_the_attach_byte_is_in_nobodys_way, OnePool) {
    const Watchdog dog(30, "waiting for the attach byte");
    const Pool pool(path, small_pool);
    Process holder = stopped_at_the_attach_byte(path, Access::read_write);
    holder.kill();
    BOOST_TEST(outcome([&] { const Pool other(path); }) == "success");
}

BOOST_FIXTURE_TEST_CASE(readers_share_the_attach_byte, OnePool) {
    { const Pool pool(path, small_pool); }
    Process holder = stopped_at_the_attach_byte(path, Access::read_only);
    BOOST_TEST(outcome([&] { const Pool reader(path, {.access = Access::read_only, .lock_timeout = 0ms}); }) ==
               "success");
    BOOST_TEST(outcome([&] { const Pool writer(path, {.lock_timeout = 0ms}); }) == text(errc::attach_timeout));
}

BOOST_AUTO_TEST_SUITE_END()
