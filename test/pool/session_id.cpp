// Who claimed what lies in a pool: ids of sessions, and whether one is dead.
#include "pool/support.hpp"
#include "support/barrier.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <optional>
#include <random>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

BOOST_AUTO_TEST_SUITE(pool_session_id)

using namespace ss;
using namespace ss::test;

namespace {

constexpr PoolOptions read_only{.access = Access::read_only};

struct OnePool {
    Watchdog dog{60, "ids of sessions"};
    TempDir directory;
    std::filesystem::path path = directory / "pool";
};

/// An id that a child tells its parent, as another would read it in the pool.
class Told {
public:
    void tell(const SessionId& id) const {
        *era_ = id.era;
        *token_ = id.token;
    }
    [[nodiscard]] SessionId heard() const {
        wait_until([&] { return *token_ != 0; }, "the child never attached");
        return {.era = *era_, .token = *token_};
    }

private:
    Shared<Counter> era_{0U};
    Shared<Counter> token_{0U};
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_living_session, OnePool) {
    const Pool pool(path, small_pool);
    const SessionId id = pool.session_id();
    BOOST_TEST((id != SessionId{}));
    BOOST_TEST(!pool.is_dead(id));
    SessionId threads;
    std::thread([&] { threads = pool.session_id(); }).join();
    BOOST_TEST((threads == id));
    BOOST_TEST((Pool(pool).session_id() == id));
    const Pool other(path);
    BOOST_TEST((other.session_id() != id));
    BOOST_TEST(!other.is_dead(id));
    BOOST_TEST(!pool.is_dead(other.session_id()));
    // And it is what it was after it has lain in the pool as bytes.
    pool.attachment()->grow(0, 4096);
    const Region& region = pool.attachment()->region(0);
    std::memcpy(region.data(region.begin()), &id, sizeof id);
    SessionId stored;
    std::memcpy(&stored, other.attachment()->region(0).data(region.begin()), sizeof stored);
    BOOST_TEST((stored == id));
    BOOST_TEST(!other.is_dead(stored));
}

BOOST_FIXTURE_TEST_CASE(a_stopped_and_a_killed_session, OnePool) {
    const Pool pool(path, small_pool);
    const Told told;
    Process child([&] {
        const Pool mine(path);
        told.tell(mine.session_id());
        ::pause();
    });
    const SessionId id = told.heard();
    child.send(SIGSTOP);
    int status = 0;
    BOOST_REQUIRE(::waitpid(child.pid(), &status, WUNTRACED) == child.pid());
    for (int i = 0; i < 1000; ++i) BOOST_REQUIRE(!pool.is_dead(id));
    BOOST_TEST(!Pool(path, read_only).is_dead(id));
    child.kill();
    wait_until([&] { return pool.is_dead(id); }, "the dead passes for alive", 5);
    BOOST_TEST(Pool(path, read_only).is_dead(id));
    BOOST_TEST(!pool.is_dead(pool.session_id()));
}

BOOST_FIXTURE_TEST_CASE(a_detached_session, OnePool) {
    const Pool pool(path, small_pool);
    std::optional<Pool> guest(path);
    const SessionId id = guest->session_id();
    std::optional<Pool> copy(guest);
    guest.reset();
    BOOST_TEST(!pool.is_dead(id)); // a copy is still there
    copy.reset();
    BOOST_TEST(pool.is_dead(id));
    for (std::uint32_t i = 0; i < 2 * max_sessions; ++i) { // its slot has had others since
        const Pool next(path);
        BOOST_REQUIRE((next.session_id() != id));
        BOOST_REQUIRE(!pool.is_dead(next.session_id()));
    }
    BOOST_TEST(pool.is_dead(id));
}

BOOST_FIXTURE_TEST_CASE(once_everybody_has_detached_all_of_before_are_dead, OnePool) {
    std::optional<Pool> pool(std::in_place, path, small_pool);
    const SessionId before = pool->session_id();
    pool.reset();
    const Pool reader(path, read_only); // nobody has begun a new era yet
    BOOST_TEST(reader.is_dead(before));
    const Pool after(path);
    BOOST_TEST(after.session_id().token == before.token); // the first slot and generation again
    BOOST_TEST((after.session_id() != before));
    BOOST_TEST(after.is_dead(before));
    BOOST_TEST(!after.is_dead(after.session_id()));
    BOOST_TEST(reader.is_dead(before));
    BOOST_TEST(!reader.is_dead(after.session_id()));
}

BOOST_FIXTURE_TEST_CASE(a_reader_is_nobody_and_sees_eras_come_and_go, OnePool) {
    { const Pool pool(path, small_pool); }
    const Pool reader(path, read_only);
    BOOST_TEST((reader.session_id() == SessionId{}));
    BOOST_TEST(!reader.is_dead(SessionId{}));
    SessionId last;
    for (int i = 0; i < 50; ++i) {
        const Pool writer(path); // alone among writers
        BOOST_REQUIRE((writer.session_id().era > last.era && writer.session_id() != last));
        BOOST_REQUIRE(!reader.is_dead(writer.session_id()));
        if (last != SessionId{}) BOOST_REQUIRE(reader.is_dead(last));
        last = writer.session_id();
    }
    BOOST_TEST(reader.is_dead(last));
}

BOOST_FIXTURE_TEST_CASE(a_forked_child_is_another, OnePool) {
    const Pool pool(path, small_pool);
    const SessionId parents = pool.session_id();
    const Told told;
    Process child([&] {
        BOOST_TEST(!pool.is_dead(parents)); // its first use of the pool
        BOOST_TEST((pool.session_id() != parents));
        BOOST_TEST(!pool.is_dead(pool.session_id()));
        told.tell(pool.session_id());
    });
    child.expect_clean();
    wait_until([&] { return pool.is_dead(told.heard()); }, "the dead passes for alive", 5);
    BOOST_TEST((pool.session_id() == parents));
    BOOST_TEST(!pool.is_dead(parents));
}

BOOST_FIXTURE_TEST_CASE(a_child_with_its_dead_parents_token_has_another_id, OnePool) {
    Shared<std::atomic<pid_t>> orphan(0);
    Shared<Counter> step(0U);
    Process middle([&] {
        const Pool mine(path, small_pool); // of this process and its child alone
        const SessionId parents = mine.session_id();
        const pid_t pid = ::fork();
        if (pid == 0) {
            while (*step == 0) ::usleep(500);
            int code = 1;
            try { // nobody is attached any more, so a new era begins
                const SessionId id = mine.session_id();
                code = id.token != parents.token ? 2
                       : id == parents           ? 3
                       : !mine.is_dead(parents)  ? 4
                       : mine.is_dead(id)        ? 5
                                                 : 17;
            } catch (...) { code = 6; }
            ::_exit(code);
        }
        *orphan = pid;
        ::pause();
    });
    wait_until([&] { return *orphan != 0; }, "no orphan was made");
    middle.kill();
    *step = 1;
    BOOST_TEST(Process::adopt(*orphan).wait() == (Ending{true, 17, 0}));
}

BOOST_FIXTURE_TEST_CASE(in_a_copy_of_the_pool_nobody_of_the_original_lives, OnePool) {
    const Pool pool(path, small_pool);
    std::filesystem::copy_file(path, directory / "copy");
    const Pool copy(directory / "copy");
    BOOST_TEST(copy.session_id().token == pool.session_id().token);
    BOOST_TEST(copy.is_dead(pool.session_id()));
    BOOST_TEST(!pool.is_dead(pool.session_id()));
}

BOOST_FIXTURE_TEST_CASE(words_that_no_session_ever_had, OnePool) {
    { const Pool pool(path, small_pool); }
    const Pool pool(path), other(path), reader(path, read_only);
    const SessionId id = pool.session_id();
    BOOST_REQUIRE(id.era >= 2U);
    for (const Pool* asker : {&pool, &other, &reader}) {
        BOOST_TEST(!asker->is_dead(SessionId{}));
        // Of no era: certainly nobody who is there.
        for (const std::uint64_t era : {std::uint64_t{0}, id.era - 1, id.era + 1, ~std::uint64_t{0}})
            for (const std::uint64_t token : {id.token, std::uint64_t{1}, ~std::uint64_t{0}})
                BOOST_TEST(asker->is_dead({.era = era, .token = token}));
        // Of this one: of a slot that nobody has.
        BOOST_TEST(asker->is_dead({.era = id.era, .token = make_token(2047, 1)}));
        BOOST_TEST(asker->is_dead({.era = id.era, .token = token_mask}));
        // What looks like a living one may pass for it, as would a token with more bits than it has.
        BOOST_TEST(!asker->is_dead({.era = id.era, .token = id.token | std::uint64_t{1} << 40}));
        std::mt19937_64 random(1);
        unsigned dead = 0;
        for (int i = 0; i < 2000; ++i)
            dead += asker->is_dead({.era = i % 2 == 0 ? id.era : random(), .token = random()}) ? 1 : 0;
        BOOST_TEST(dead > 1900U); // all but those of the two slots that are taken
        BOOST_TEST(!asker->is_dead(id));
        BOOST_TEST(!asker->is_dead(other.session_id()));
    }
}

BOOST_AUTO_TEST_SUITE_END()
