// A kernel that says no, at every call of every operation of a pool and in every way: an Error or success, nothing left
// behind, nothing lost, and the next try works.
#include "pool/refusing.hpp"
#include "pool/resources.hpp"
#include "pool/support.hpp"
#include "support/process.hpp"
#include "support/sanitizer.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(pool_refusals)

using namespace ss;
using namespace ss::test;
using namespace std::chrono_literals;

namespace {

const std::vector<int> errors = {ENOSPC, ENOMEM, EACCES, EMFILE, EINTR, EIO, EAGAIN};

/// One operation, with what comes before and what must hold after.
struct Scenario {
    std::string name;
    std::function<void()> prepare;
    std::function<void()> act; ///< with refusals
    std::function<void(bool succeeded)> check;
    std::vector<int> refusals = errors;
};

/// Runs the scenario with the n-th call refused, n = 1, 2, … until there are no more.
void refuse_each_call(const Scenario& scenario) {
    unsigned runs = 0, failures = 0;
    for (const auto how : {Refusing::How::once, Refusing::How::from_then})
        for (const int error : scenario.refusals) {
            // No kernel interrupts for ever. Of the others, some that last in life are enough.
            if (how == Refusing::How::from_then && error != ENOSPC && error != EMFILE && error != EAGAIN) continue;
            bool met = true;
            for (unsigned n = 1; met; ++n) {
                scenario.prepare();
                const Resources before = Resources::now();
                std::string result;
                {
                    const Refusing refusing(n, error, how);
                    result = outcome(scenario.act);
                    met = refusing.met();
                }
                BOOST_TEST_CONTEXT(scenario.name << ", call " << n << " refused with " << std::strerror(error)
                                                 << ", which gave " << result) {
                    BOOST_TEST(Resources::now() == before);
                    if (error == EINTR || !met) BOOST_TEST((result == "success" || error == EINTR));
                    BOOST_TEST(result != text(errc::unclean_after_reboot));
                    BOOST_TEST(result != text(errc::damaged));
                    BOOST_TEST(result != text(errc::not_a_pool));
                    scenario.check(result == "success");
                }
                ++runs;
                failures += result == "success" ? 0 : 1;
                BOOST_REQUIRE(n < 200U);
            }
        }
    BOOST_TEST_MESSAGE(scenario.name << ": " << runs << " runs, " << failures << " refused");
    BOOST_TEST(failures > scenario.refusals.size()); // some refusal did matter
}

constexpr PoolOptions impatient{.max_size = 16 * mebi, .lock_timeout = 5ms};

void check_opening(const TempDir& directory, const PoolOptions& options, const std::vector<int>& refusals = errors) {
    const Watchdog dog(100, "refusals");
    const auto path = directory / "pool";
    {
        const Pool pool(path, small_pool);
        pool.attachment()->grow(0, 100'000);
    }
    const std::string content = content_of(path);
    refuse_each_call({.name = "open",
                      .prepare = [] {},
                      .act = [&] { const Pool pool(path, options); },
                      .check =
                          [&](bool) {
                              BOOST_TEST((content_of(path) == content));
                              BOOST_TEST(files_in(directory.path()) == 1U);
                              const Pool pool(path, small_pool);
                              BOOST_TEST(pool.attachment()->region(0).size() >= 100'000U);
                          },
                      .refusals = refusals});
}

} // namespace

BOOST_AUTO_TEST_CASE(opening) { check_opening(TempDir(), impatient); }

BOOST_AUTO_TEST_CASE(opening_on_the_disk_that_we_were_built_on) {
    // With fewer of them: each run waits for the disk several times.
    check_opening(TempDir(std::filesystem::current_path()), impatient, {EIO, EMFILE});
}

BOOST_AUTO_TEST_CASE(opening_read_only) {
    check_opening(TempDir(), {.access = Access::read_only, .lock_timeout = 5ms});
}

BOOST_AUTO_TEST_CASE(creating) {
    const Watchdog dog(60, "refusals");
    const TempDir directory;
    const auto path = directory / "pool";
    refuse_each_call({.name = "create",
                      .prepare = [&] { std::filesystem::remove(path); },
                      .act = [&] { const Pool pool(path, impatient); },
                      .check =
                          [&](bool succeeded) {
                              const bool exists = std::filesystem::exists(path);
                              BOOST_TEST((exists || !succeeded));
                              BOOST_TEST(files_in(directory.path()) == (exists ? 1U : 0U));
                              const Pool pool(path, small_pool);
                              pool.attachment()->grow(0, 4096);
                          }});
}

BOOST_AUTO_TEST_CASE(creating_in_memory) {
    const Watchdog dog(60, "refusals");
    refuse_each_call({.name = "anonymous",
                      .prepare = [] {},
                      .act = [] { const Pool pool = Pool::anonymous(impatient); },
                      .check = [](bool) {}});
}

BOOST_AUTO_TEST_CASE(opening_a_descriptor) {
    const Watchdog dog(60, "refusals");
    const Pool pool = Pool::memfd("ours", small_pool);
    refuse_each_call({.name = "from_fd",
                      .prepare = [] {},
                      .act = [&] { const Pool other = Pool::from_fd(pool.fd(), impatient); },
                      .check = [&](bool) { const Pool other = Pool::from_fd(pool.fd()); }});
}

BOOST_AUTO_TEST_CASE(growing) {
    const Watchdog dog(60, "refusals");
    const TempDir directory;
    std::unique_ptr<Pool> pool;
    std::uint64_t before = 0;
    refuse_each_call({.name = "grow",
                      .prepare =
                          [&] {
                              pool.reset();
                              (void)Pool::remove(directory / "pool");
                              pool = std::make_unique<Pool>(directory / "pool", PoolOptions{.max_size = 64 * mebi});
                              pool->attachment()->grow(0, 4096);
                              before = pool->attachment()->region(0).size();
                          },
                      .act = [&] { pool->attachment()->grow(0, 40 * mebi); },
                      .check =
                          [&](bool succeeded) {
                              const Region& region = pool->attachment()->region(0);
                              BOOST_TEST((succeeded ? region.size() >= before + 40 * mebi : region.size() >= before));
                              BOOST_TEST(pool->size() >= region.end());
                              // The last byte that was promised can be touched.
                              *region.data(region.end() - 1) = std::byte{1};
                              pool->attachment()->grow(0, 4096);
                          }});
}

BOOST_AUTO_TEST_CASE(attaching_in_a_forked_child) {
    const Watchdog dog(60, "refusals");
    const TempDir directory;
    const Pool pool(directory / "pool", impatient);
    const Token parents = token_of(pool);
    Process child([&] {
        // One child for all: what failed leaves it unattached, what succeeds is taken back by another fork.
        unsigned refused = 0, n = 1;
        for (const int error : errors)
            for (n = 1;; ++n) {
                bool met = false;
                Process grandchild([&] {
                    const Resources before = Resources::now();
                    std::string result;
                    {
                        const Refusing refusing(n, error);
                        result = outcome([&] { (void)token_of(pool); });
                        met = refusing.met();
                    }
                    if (result != "success") BOOST_TEST(Resources::now() == before);
                    const Token token = token_of(pool); // the second time it works
                    BOOST_TEST(token != 0U);
                    BOOST_TEST(token != parents);
                    BOOST_TEST(!is_dead(pool, parents));
                    ::_exit(!met ? 10 : result == "success" ? 11 : 12);
                });
                const Ending ending = grandchild.wait();
                BOOST_REQUIRE((ending.exited && ending.code >= 10 && ending.code <= 12));
                if (ending.code == 12) ++refused;
                if (ending.code == 10) break;
            }
        BOOST_TEST(refused > errors.size());
        BOOST_TEST(n > 5U);
    });
    child.expect_clean();
    BOOST_TEST(!session_table(pool).generations.empty());
}

BOOST_AUTO_TEST_CASE(detaching) {
    const Watchdog dog(60, "refusals");
    const TempDir directory;
    const auto path = directory / "pool";
    std::unique_ptr<Pool> pool;
    const Resources without = Resources::now();
    for (const int error : errors) {
        bool met = true;
        for (unsigned n = 1; met; ++n) {
            pool = std::make_unique<Pool>(path, impatient);
            {
                const Refusing refusing(n, error);
                pool.reset(); // a destructor: it cannot throw
                met = refusing.met();
            }
            BOOST_TEST(Resources::now() == without);
            const Pool next(path, small_pool);
            BOOST_TEST(next.attachment()->session().is_alone(true));
        }
    }
}

BOOST_AUTO_TEST_CASE(removing) {
    const TempDir directory;
    const auto path = directory / "pool";
    refuse_each_call({.name = "remove",
                      .prepare = [&] { const Pool pool(path, small_pool); },
                      .act = [&] { (void)Pool::remove(path); },
                      .check = [&](bool succeeded) { BOOST_TEST(std::filesystem::exists(path) == !succeeded); }});
}

BOOST_AUTO_TEST_CASE(failing_leaves_no_address_space_behind) {
    if (address_sanitizer || thread_sanitizer) skip("a sanitizer maps memory as it goes");
    const TempDir directory;
    { const Pool pool(directory / "pool", small_pool); }
    const auto fail_everywhere = [&] {
        for (unsigned n = 1; n < 30; ++n) {
            const Refusing refusing(n, EIO);
            (void)outcome([&] { const Pool pool(directory / "pool", impatient); });
        }
    };
    fail_everywhere();
    const std::uint64_t before = address_space();
    for (int i = 0; i < 50; ++i) fail_everywhere();
    BOOST_TEST(address_space() <= before + 200 * kibi); // one page a failure would be more
}

BOOST_AUTO_TEST_SUITE_END()
