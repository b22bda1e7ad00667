// The ways to open a pool, and what each makes of what is there.
#include "pool/support.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <optional>
#include <string>

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

BOOST_AUTO_TEST_SUITE(pool_access)

using namespace ss;
using namespace ss::test;

namespace {

unsigned mode_of(const std::filesystem::path& path) {
    struct stat raw = {};
    if (::lstat(path.c_str(), &raw) != 0) throw std::runtime_error("no " + path.string());
    return raw.st_mode & 07777U;
}

auto opening(const std::filesystem::path& path, Access access) {
    return [=] { const Pool pool(path, {.max_size = 16 * mebi, .access = access}); };
}

} // namespace

BOOST_AUTO_TEST_CASE(four_ways_to_open) {
    const TempDir directory;
    const auto path = directory / "pool";
    BOOST_TEST(outcome(opening(path, Access::open_only)) == text(errc::no_such_file));
    BOOST_TEST(outcome(opening(path, Access::read_only)) == text(errc::no_such_file));
    BOOST_TEST(files_in(directory.path()) == 0U);
    BOOST_TEST(outcome(opening(path, Access::create_only)) == "success");
    BOOST_TEST(outcome(opening(path, Access::create_only)) == text(errc::already_exists));
    BOOST_TEST(outcome(opening(path, Access::open_only)) == "success");
    BOOST_TEST(outcome(opening(path, Access::read_only)) == "success");
    BOOST_TEST(outcome(opening(path, Access::read_write)) == "success");
    BOOST_TEST(outcome(opening(directory / "missing" / "pool", Access::read_write)) == text(errc::no_such_file));
    BOOST_TEST(outcome(opening(path / "below a file", Access::read_write)) == text(errc::no_such_file));
    BOOST_TEST(outcome(opening(directory / std::string(300, 'x'), Access::read_write)) == text(errc::system));
    BOOST_TEST(outcome(opening("", Access::read_write)) == text(errc::no_such_file));
}

BOOST_AUTO_TEST_CASE(the_mode_is_what_was_asked_for) {
    const TempDir directory;
    const mode_t before = ::umask(0077);
    { const Pool pool(directory / "default", small_pool); }
    { const Pool pool(directory / "group", {.max_size = 16 * mebi, .mode = 0660}); }
    ::umask(0777);
    { const Pool pool(directory / "hidden", {.max_size = 16 * mebi, .mode = 0600}); }
    ::umask(before);
    BOOST_TEST(mode_of(directory / "default") == 0600U);
    BOOST_TEST(mode_of(directory / "group") == 0660U);
    BOOST_TEST(mode_of(directory / "hidden") == 0600U);
    { const Pool pool(directory / "group", {.max_size = 16 * mebi, .mode = 0600}); }
    BOOST_TEST(mode_of(directory / "group") == 0660U); // counts only when the file is made
}

BOOST_AUTO_TEST_CASE(what_can_never_be_is_refused_by_name) {
    const TempDir directory;
    const auto with = [&](const PoolOptions& options) {
        return outcome([&] { const Pool pool(directory / "pool", options); });
    };
    const std::string invalid = text(errc::invalid_argument);
    BOOST_TEST(with({.domains = 0}) == invalid);
    BOOST_TEST(with({.domains = max_domains + 1}) == invalid);
    BOOST_TEST(with({.max_size = 0}) == invalid);
    BOOST_TEST(with({.max_size = 300'000}) == invalid);
    BOOST_TEST(with({.max_size = 16 * mebi, .domains = 64}) == invalid);
    BOOST_TEST(with({.max_size = largest_max_size + 1}) == invalid);
    BOOST_TEST(with({.max_size = ~std::uint64_t{0}}) == invalid);
    BOOST_TEST(with({.mode = 0400}) == invalid);
    BOOST_TEST(with({.mode = 04600}) == invalid);
    BOOST_TEST(files_in(directory.path()) == 0U);
    BOOST_TEST(with({.max_size = 16 * mebi, .domains = 32}) == "success");
}

BOOST_AUTO_TEST_CASE(sizes_follow_from_the_options_and_stay) {
    const TempDir directory;
    {
        const Pool pool(directory / "pool", {.max_size = gibi + 12345, .domains = 16});
        BOOST_TEST(pool.max_size() == gibi);
        BOOST_TEST(pool.domains() == 16U);
        BOOST_TEST(pool.path() == directory / "pool");
        BOOST_TEST(pool.size() == pool.attachment()->header().region_offset);
    }
    const Pool again(directory / "pool", {.max_size = 2 * gibi, .domains = 4});
    BOOST_TEST(again.max_size() == gibi);
    BOOST_TEST(again.domains() == 16U);
}

BOOST_AUTO_TEST_CASE(more_than_can_be_reserved_is_halved_at_creation) {
    const TempDir directory;
    const Pool pool(directory / "pool", {.max_size = largest_max_size});
    BOOST_TEST(pool.max_size() < largest_max_size);
    BOOST_TEST(pool.max_size() >= gibi);
    BOOST_TEST(is_aligned(pool.max_size(), region_alignment));
}

BOOST_AUTO_TEST_CASE(a_symbolic_link_is_not_followed) {
    const TempDir directory;
    { const Pool pool(directory / "pool", small_pool); }
    std::filesystem::create_symlink(directory / "pool", directory / "link");
    std::filesystem::create_symlink(directory / "nothing", directory / "dangling");
    for (const Access access : {Access::read_write, Access::open_only, Access::read_only}) {
        BOOST_TEST(outcome(opening(directory / "link", access)) == text(errc::permission));
        BOOST_TEST(outcome(opening(directory / "dangling", access)) == text(errc::permission));
    }
    BOOST_TEST(outcome(opening(directory / "dangling", Access::create_only)) == text(errc::already_exists));
    BOOST_TEST(!std::filesystem::exists(directory / "nothing"));
    BOOST_TEST(outcome([&] { Pool::remove(directory / "link"); }) == text(errc::permission));
    BOOST_TEST(std::filesystem::is_symlink(directory / "link"));
    // On the way there they may be.
    std::filesystem::create_directory_symlink(directory.path(), directory / "way");
    BOOST_TEST(outcome(opening(directory / "way" / "pool", Access::open_only)) == "success");
}

BOOST_AUTO_TEST_CASE(a_read_only_mapping_cannot_be_written) {
    const TempDir directory;
    const Pool writer(directory / "pool", small_pool);
    writer.attachment()->grow(0, 4096);
    const Pool reader(directory / "pool", {.access = Access::read_only});
    BOOST_TEST(reader.attachment()->is_read_only());
    BOOST_TEST(token_of(reader) == 0U);
    const Region& region = reader.attachment()->region(0);
    Word& word = region.word(region.begin());
    put(writer.attachment()->region(0).word(region.begin()), 42);
    BOOST_TEST(load(word) == 42U);
    BOOST_TEST(::mprotect(&reader.attachment()->state(), 4096, PROT_READ | PROT_WRITE) == -1);
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::signal(SIGSEGV, SIG_DFL);
        put(word, 43);
        ::_exit(0);
    }
    int status = 0;
    BOOST_REQUIRE(::waitpid(pid, &status, 0) == pid);
    BOOST_TEST((WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV));
    BOOST_TEST(load(word) == 42U);
}

BOOST_AUTO_TEST_CASE(a_relative_path_survives_a_change_of_directory) {
    const TempDir directory;
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(directory.path());
    {
        const Pool pool("pool", small_pool);
        BOOST_TEST(pool.path() == "pool");
        std::filesystem::current_path(before);
        Process child([&] {
            ::close(pool.fd());
            pool.reattach();
        });
        child.expect_clean();
    }
    BOOST_TEST(std::filesystem::exists(directory / "pool"));
}

BOOST_AUTO_TEST_CASE(removing) {
    const TempDir directory;
    const auto path = directory / "pool";
    BOOST_TEST(!Pool::remove(path));
    const Pool pool(path, small_pool);
    BOOST_TEST(Pool::remove(path));
    BOOST_TEST(!std::filesystem::exists(path));
    pool.attachment()->grow(0, 4096); // who is attached goes on
    const Pool other(path, small_pool);
    BOOST_TEST(uuid_of(other) != uuid_of(pool));
    BOOST_TEST(!Pool::remove(directory / "missing" / "pool"));
}

BOOST_AUTO_TEST_SUITE_END()
