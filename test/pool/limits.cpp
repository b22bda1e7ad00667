// Limits of the process: each is an Error, none a signal, and no file is lost to one.
#include "pool/resources.hpp"
#include "pool/support.hpp"
#include "support/process.hpp"
#include "support/sanitizer.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <string>

#include <sys/resource.h>
#include <unistd.h>

BOOST_AUTO_TEST_SUITE(pool_limits)

using namespace ss;
using namespace ss::test;

namespace {

void limit(__rlimit_resource resource, std::uint64_t value) {
    struct rlimit limits = {};
    BOOST_REQUIRE(::getrlimit(resource, &limits) == 0);
    limits.rlim_cur = value;
    BOOST_REQUIRE(::setrlimit(resource, &limits) == 0);
}

} // namespace

BOOST_AUTO_TEST_CASE(too_little_address_space_to_open) {
    if (address_sanitizer || thread_sanitizer) skip("a sanitizer needs all address space");
    const TempDir directory;
    { const Pool pool(directory / "pool", {.max_size = 8 * gibi}); }
    Process child([&] {
        limit(RLIMIT_AS, address_space() + gibi);
        const Resources before = Resources::now();
        for (const Access access : {Access::read_write, Access::read_only})
            BOOST_TEST(outcome([&] { const Pool pool(directory / "pool", {.access = access}); }) ==
                       text(errc::address_space));
        BOOST_TEST(Resources::now() == before);
        // One that is created here is made to fit.
        const Pool pool(directory / "other");
        BOOST_TEST(pool.max_size() < gibi);
        BOOST_TEST(pool.max_size() >= 128 * mebi);
        pool.attachment()->grow(0, mebi);
    });
    child.expect_clean();
    const Pool pool(directory / "pool", {.access = Access::open_only});
    BOOST_TEST(pool.max_size() == 8 * gibi);
}

BOOST_AUTO_TEST_CASE(too_little_address_space_to_create) {
    if (address_sanitizer || thread_sanitizer) skip("a sanitizer needs all address space");
    const TempDir directory;
    Process child([&] {
        limit(RLIMIT_AS, address_space() + 8 * mebi);
        BOOST_TEST(outcome([&] { const Pool pool(directory / "pool"); }) == text(errc::address_space));
    });
    child.expect_clean();
    BOOST_TEST(files_in(directory.path()) == 0U);
}

BOOST_AUTO_TEST_CASE(a_file_size_limit_is_no_signal) {
    const TempDir directory;
    Process child([&] {
        limit(RLIMIT_FSIZE, 32 * kibi);
        BOOST_TEST(outcome([&] { const Pool pool(directory / "pool", small_pool); }) == text(errc::out_of_space));
        BOOST_TEST(files_in(directory.path()) == 0U);
        limit(RLIMIT_FSIZE, mebi);
        const Pool pool(directory / "pool", small_pool);
        pool.attachment()->grow(0, 500'000);
        const std::uint64_t size = pool.attachment()->region(0).size(), file = pool.size();
        BOOST_TEST(outcome([&] { pool.attachment()->grow(0, mebi); }) == text(errc::out_of_space));
        BOOST_TEST(pool.attachment()->region(0).size() == size);
        BOOST_TEST(pool.size() == file);
        // What is asked for counts, not the margin that is wished for beside it.
        const std::uint64_t rest = mebi - file;
        pool.attachment()->grow(0, rest);
        BOOST_TEST(pool.size() == mebi);
        BOOST_TEST(outcome([&] { pool.attachment()->grow(0, 1); }) == text(errc::out_of_space));
        limit(RLIMIT_FSIZE, 64 * kibi);
        // Who may write no larger files can still use this one.
        const Pool again(directory / "pool", small_pool);
        BOOST_TEST(outcome([&] { again.attachment()->grow(0, 1); }) == text(errc::out_of_space));
    });
    child.expect_clean();
}

BOOST_AUTO_TEST_CASE(too_few_descriptors_never_delete_a_pool) {
    if (address_sanitizer) skip("UndefinedBehaviorSanitizer needs descriptors of its own");
    const TempDir directory;
    { const Pool pool(directory / "pool", small_pool); }
    const std::string before = content_of(directory / "pool");
    Process child([&] {
        struct rlimit all = {};
        ::getrlimit(RLIMIT_NOFILE, &all);
        const Resources held = Resources::now();
        // From no descriptor to spare to enough.
        unsigned refused = 0;
        for (unsigned spare = 0;; ++spare) {
            limit(RLIMIT_NOFILE, 3 + spare);
            const std::string opened = outcome([&] { const Pool pool(directory / "pool", small_pool); });
            limit(RLIMIT_NOFILE, all.rlim_cur);
            BOOST_TEST(Resources::now() == held);
            BOOST_TEST(std::filesystem::exists(directory / "pool"));
            if (opened == "success") break;
            BOOST_TEST(opened == text(errc::system));
            BOOST_TEST((content_of(directory / "pool") == before));
            ++refused;
        }
        BOOST_TEST(refused >= 2U);
        for (unsigned spare = 0;; ++spare) {
            limit(RLIMIT_NOFILE, 3 + spare);
            const std::string made = outcome([&] { const Pool pool(directory / "other", small_pool); });
            limit(RLIMIT_NOFILE, all.rlim_cur);
            if (made == "success") break;
            BOOST_TEST(made == text(errc::system));
        }
    });
    child.expect_clean();
    BOOST_TEST(uuid_of(Pool(directory / "pool"))[0] != 0U);
}

BOOST_AUTO_TEST_SUITE_END()
