// A creator killed before each of its system calls leaves nothing that stops the next.
#include "pool/refusing.hpp"
#include "pool/support.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <filesystem>

BOOST_AUTO_TEST_SUITE(pool_creation_kill)

using namespace ss;
using namespace ss::test;

namespace {

/// Opens like the others, but on a file system that has no O_TMPFILE: the second open says so.
int calls_to_open = 0;
unsigned calls_left = 0;
int without_unnamed_files(os::Call call) {
    if (--calls_left == 0) ::kill(::getpid(), SIGKILL);
    return call == os::Call::open && ++calls_to_open == 2 ? EOPNOTSUPP : 0;
}

/// Kills a creator before its n-th call, n = 1, 2, … until one gets through; after each, the next must.
template <class Create>
void kill_at_each_call(const TempDir& directory, Create create, std::size_t files_left_by_the_dead) {
    const Watchdog dog(120, "killing creators");
    const auto path = directory / "pool";
    unsigned n = 1, with_name = 0;
    for (bool done = false; !done; ++n) {
        Process creator([&] { create(path, n); });
        const Ending ending = creator.wait();
        done = ending.clean();
        BOOST_TEST((done || ending.killed()));
        const bool published = std::filesystem::exists(path);
        with_name += published ? 1 : 0;
        BOOST_TEST(files_in(directory.path()) <= 1U + files_left_by_the_dead);
        BOOST_TEST_CONTEXT("killed before call " << n) {
            // Whole if it has its name, and none otherwise.
            BOOST_TEST(outcome([&] {
                           const Pool pool(path, {.max_size = 16 * mebi, .access = Access::open_only});
                       }) == (published ? "success" : text(errc::no_such_file)));
            BOOST_TEST(outcome([&] {
                           const Pool pool(path, small_pool);
                           pool.attachment()->grow(0, 4096);
                       }) == "success");
        }
        for (const auto& file : std::filesystem::directory_iterator(directory.path()))
            std::filesystem::remove(file.path());
    }
    BOOST_TEST_MESSAGE("killed before each of " << n - 2 << " calls");
    BOOST_TEST(n > 15U);           // there were that many calls
    BOOST_TEST(with_name > 3U);    // some came after the name
    BOOST_TEST(n - with_name > 5); // and some before
}

void create_and_die(const std::filesystem::path& path, unsigned n) {
    const Refusing killer(n, 0, Refusing::How::kill);
    const Pool pool(path, small_pool);
}

} // namespace

BOOST_AUTO_TEST_CASE(in_memory) { kill_at_each_call(TempDir(), &create_and_die, 0); }

BOOST_AUTO_TEST_CASE(on_the_disk_that_we_were_built_on) {
    kill_at_each_call(TempDir(std::filesystem::current_path()), &create_and_die, 0);
}

BOOST_AUTO_TEST_CASE(where_there_are_no_unnamed_files) {
    kill_at_each_call(
        TempDir(),
        [](const std::filesystem::path& path, unsigned n) {
            calls_left = n;
            calls_to_open = 0;
            os::refuse.store(&without_unnamed_files);
            { const Pool pool(path, small_pool); }
            os::refuse.store(nullptr);
            // The name of its own is gone when nobody died.
            if (files_in(path.parent_path()) != 1) throw std::runtime_error("left a temporary file");
        },
        1);
}

BOOST_AUTO_TEST_CASE(a_creator_that_fails_leaves_no_temporary_file) {
    const TempDir directory;
    calls_left = 0; // never
    unsigned failures = 0;
    for (unsigned n = 3; n < 30; ++n) {
        static unsigned left;
        left = n;
        calls_to_open = 0;
        os::refuse.store([](os::Call call) {
            if (const int error = without_unnamed_files(call); error != 0) return error;
            return --left == 0 ? EIO : 0;
        });
        const std::string result = outcome([&] { const Pool pool(directory / "pool", small_pool); });
        os::refuse.store(nullptr);
        if (result != "success") ++failures;
        const bool published = std::filesystem::exists(directory / "pool");
        BOOST_TEST(files_in(directory.path()) == (published ? 1U : 0U));
        std::filesystem::remove(directory / "pool");
    }
    BOOST_TEST(failures > 10U);
}

BOOST_AUTO_TEST_SUITE_END()
