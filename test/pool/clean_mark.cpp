// The clean mark: what a pool on a disk tells after the machine went down.
//
// The boot word is put into the file by hand, since a test cannot reboot.
#include "pool/refusing.hpp"
#include "pool/support.hpp"
#include "support/barrier.hpp"
#include "support/process.hpp"
#include "support/sanitizer.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

BOOST_AUTO_TEST_SUITE(pool_clean_mark)

using namespace ss;
using namespace ss::test;

namespace {

/// A pool on the disk that the tests were built on.
struct OnDisk {
    TempDir directory{base()};
    std::filesystem::path path = directory / "pool";

    static std::filesystem::path base() {
        auto here = std::filesystem::current_path();
        const os::File folder = os::try_open(here, O_RDONLY | O_DIRECTORY);
        if (const os::FileSystem system = os::file_system(folder, here.string()); system.in_memory)
            skip("the build directory lies in memory, where nothing survives a reboot");
        else if (!system.keeps_allocations)
            skip("the build directory lies on " + system.name + ", where pools are refused");
        return here;
    }

    [[nodiscard]] PoolState state() const {
        PoolState state{};
        const os::File file = os::try_open(path, O_RDONLY);
        (void)os::read_at(file, std::as_writable_bytes(std::span(&state, 1)), state_zone_offset, "pool");
        return state;
    }

    void put_boot(std::uint64_t boot) const {
        const os::File file = os::try_open(path, O_WRONLY);
        os::write_at(file, std::as_bytes(std::span(&boot, 1)), state_zone_offset + offsetof(PoolState, boot), "pool");
    }

    void leave_unclean() const {
        Process child([&] {
            const Pool pool(path, small_pool);
            ::raise(SIGKILL);
        });
        BOOST_REQUIRE(child.wait().killed());
    }

    [[nodiscard]] std::string opened(const PoolOptions& options = {}) const {
        return outcome([&] { const Pool pool(path, options); });
    }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(the_mark_goes_with_the_first_and_comes_with_the_last, OnDisk) {
    {
        const Pool one(path, small_pool);
        BOOST_TEST(state().clean == 0U);
        BOOST_TEST(state().boot == os::boot_id());
        { const Pool two(path); }
        BOOST_TEST(state().clean == 0U);
        const Pool reader(path, {.access = Access::read_only});
    }
    BOOST_TEST(state().clean == 1U);
    { const Pool reader(path, {.access = Access::read_only}); }
    BOOST_TEST(state().clean == 1U);
    put_boot(7); // closed in time, before the machine went down
    BOOST_TEST(opened() == "success");
}

BOOST_FIXTURE_TEST_CASE(a_kill_without_a_reboot_is_nothing, OnDisk) {
    leave_unclean();
    BOOST_TEST(state().clean == 0U);
    BOOST_TEST(opened({.access = Access::read_only}) == "success");
    BOOST_TEST(opened() == "success");
    BOOST_TEST(state().clean == 1U);
}

BOOST_FIXTURE_TEST_CASE(after_a_reboot_it_is_told_until_a_writer_accepts_it, OnDisk) {
    leave_unclean();
    put_boot(7);
    const std::string before = bytes_of(path), unclean = text(errc::unclean_after_reboot);
    for (int i = 0; i < 2; ++i) {
        BOOST_TEST(opened() == unclean);
        BOOST_TEST(opened({.access = Access::read_only}) == unclean);
    }
    BOOST_TEST((bytes_of(path) == before));
    BOOST_TEST(opened({.access = Access::read_only, .accept_unclean = true}) == "success");
    BOOST_TEST(opened() == unclean); // a reader mends nothing
    Process child([&] {
        const Pool pool(path, {.accept_unclean = true});
        ::raise(SIGKILL);
    });
    BOOST_TEST(child.wait().killed());
    BOOST_TEST(opened() == "success");
    BOOST_TEST(state().clean == 1U);
}

BOOST_FIXTURE_TEST_CASE(in_memory_nobody_asks, OnDisk) {
    path = "/dev/shm/ss-test-clean-mark-" + std::to_string(::getpid());
    leave_unclean();
    put_boot(7);
    BOOST_TEST(opened() == "success");
    BOOST_TEST(Pool::remove(path));
}

BOOST_FIXTURE_TEST_CASE(killed_before_each_call_of_attaching_or_detaching, OnDisk) {
    { const Pool pool(path, small_pool); }
    unsigned n = 1;
    for (bool done = false; !done; ++n) {
        put_boot(7); // as if each time were the first after a reboot
        Process child([&] {
            const Refusing killer(n, 0, Refusing::How::kill);
            { const Pool pool(path); }
        });
        done = child.wait().clean();
        BOOST_TEST(opened() == "success", "killed before call " << n);
        BOOST_TEST(state().clean == 1U);
    }
    BOOST_TEST(n > 20U);
}

namespace {

unsigned calls = 0, calls_at_sync = 0, stop_at = 0;

int count_until_sync(os::Call call) {
    ++calls;
    if (call == os::Call::sync && calls_at_sync == 0) calls_at_sync = calls;
    return 0;
}

int stop_before_the_words_change(os::Call call) {
    ++calls;
    if (calls == stop_at) ::raise(SIGSTOP);
    if (call == os::Call::sync) ::_exit(0);
    return 0;
}

} // namespace

BOOST_FIXTURE_TEST_CASE(at_no_instruction_of_attaching_is_it_unclean_with_an_old_boot, OnDisk) {
    if (address_sanitizer || thread_sanitizer) skip("single-stepping is slow with a sanitizer");
    const Watchdog dog(60, "single-stepping");
    { const Pool pool(path, small_pool); }
    put_boot(7);
    os::refuse.store(&count_until_sync);
    { const Pool pool(path); }
    os::refuse.store(nullptr);
    BOOST_REQUIRE(calls_at_sync > 10U);
    put_boot(7);

    const os::File file = os::try_open(path, O_RDONLY);
    void* const memory = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, file.descriptor(), state_zone_offset);
    BOOST_REQUIRE(memory != MAP_FAILED);
    const auto& words = *static_cast<const PoolState*>(memory);
    const std::uint64_t boot = os::boot_id();

    const pid_t child = ::fork();
    if (child == 0) {
        if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(exit_skipped);
        calls = 0;
        stop_at = calls_at_sync - 5; // a little before the clean mark goes
        os::refuse.store(&stop_before_the_words_change);
        const Pool pool(path);
        ::_exit(1);
    }
    Process owner = Process::adopt(child);
    int status = 0;
    BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == exit_skipped) skip("ptrace is not permitted");
    BOOST_REQUIRE((WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP));
    unsigned steps = 0, bad = 0, changes = 0;
    Word clean = load(words.clean);
    BOOST_TEST(clean == 1U);
    for (; WIFSTOPPED(status); ++steps) {
        if (load(words.clean) != clean) {
            ++changes;
            clean = load(words.clean);
        }
        bad += load(words.clean) == 0 && load(words.boot) != boot ? 1 : 0;
        BOOST_REQUIRE(::ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) == 0);
        BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
    }
    BOOST_TEST_MESSAGE(steps << " instructions");
    BOOST_TEST((WIFEXITED(status) && WEXITSTATUS(status) == 0));
    BOOST_TEST(changes == 1U);
    BOOST_TEST(bad == 0U);
    BOOST_TEST(clean == 0U);
    ::munmap(memory, 4096);
}

BOOST_AUTO_TEST_SUITE_END()
