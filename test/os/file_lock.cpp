// Locks on bytes: whose they are, and when they end.
#include <ss/os/file.hpp>
#include <ss/os/file_lock.hpp>

#include "support/barrier.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <cstdint>

#include <fcntl.h>
#include <unistd.h>

BOOST_AUTO_TEST_SUITE(os_file_lock)

using namespace ss;
using namespace ss::test;
using os::ByteLock;
using os::ByteState;

namespace {

constexpr std::uint64_t byte = std::uint64_t{1} << 62; // far past the end

struct TwoDescriptions {
    TempDir directory;
    os::File one = os::try_open(directory / "file", O_CREAT | O_RDWR, 0600);
    os::File two = os::try_open(directory / "file", O_RDWR);
};

} // namespace

BOOST_FIXTURE_TEST_CASE(an_exclusive_lock_excludes_other_descriptions_alone, TwoDescriptions) {
    BOOST_TEST(os::try_lock_byte(one.descriptor(), byte, ByteLock::exclusive) == 0);
    BOOST_TEST(os::try_lock_byte(one.descriptor(), byte, ByteLock::exclusive) == 0);
    BOOST_TEST(os::try_lock_byte(two.descriptor(), byte, ByteLock::exclusive) == EAGAIN);
    BOOST_TEST(os::try_lock_byte(two.descriptor(), byte, ByteLock::shared) == EAGAIN);
    BOOST_TEST(os::try_lock_byte(two.descriptor(), byte + 1, ByteLock::exclusive) == 0);
    BOOST_TEST(os::try_lock_byte(one.descriptor(), byte, ByteLock::none) == 0);
    BOOST_TEST(os::try_lock_byte(two.descriptor(), byte, ByteLock::exclusive) == 0);
}

BOOST_FIXTURE_TEST_CASE(shared_locks_share, TwoDescriptions) {
    BOOST_TEST(os::try_lock_byte(one.descriptor(), byte, ByteLock::shared) == 0);
    BOOST_TEST(os::try_lock_byte(two.descriptor(), byte, ByteLock::shared) == 0);
    BOOST_TEST(os::try_lock_byte(two.descriptor(), byte, ByteLock::exclusive) == EAGAIN);
}

BOOST_FIXTURE_TEST_CASE(a_probe_sees_others_and_not_itself, TwoDescriptions) {
    BOOST_TEST((os::probe_bytes(two.descriptor(), byte, 100) == ByteState::free));
    BOOST_REQUIRE(os::try_lock_byte(one.descriptor(), byte + 50, ByteLock::exclusive) == 0);
    BOOST_TEST((os::probe_bytes(two.descriptor(), byte, 100) == ByteState::held));
    BOOST_TEST((os::probe_bytes(two.descriptor(), byte, 50) == ByteState::free));
    BOOST_TEST((os::probe_bytes(two.descriptor(), byte + 51, 49) == ByteState::free));
    BOOST_TEST((os::probe_bytes(one.descriptor(), byte, 100) == ByteState::free));
    BOOST_REQUIRE(os::try_lock_byte(one.descriptor(), byte + 50, ByteLock::shared) == 0);
    BOOST_TEST((os::probe_bytes(two.descriptor(), byte, 100) == ByteState::held));
    BOOST_TEST((os::probe_bytes(-1, byte) == ByteState::unknown));
    // Somebody who may only read can ask as well.
    const os::File reader = os::try_open(directory / "file", O_RDONLY);
    BOOST_TEST((os::probe_bytes(reader.descriptor(), byte + 50) == ByteState::held));
    BOOST_TEST((os::probe_bytes(reader.descriptor(), byte) == ByteState::free));
}

BOOST_FIXTURE_TEST_CASE(closing_another_description_of_the_file_loses_nothing, TwoDescriptions) {
    BOOST_REQUIRE(os::try_lock_byte(one.descriptor(), byte, ByteLock::exclusive) == 0);
    os::try_open(directory / "file", O_RDWR).reset(); // with fcntl's classic locks this would be the end of it
    BOOST_TEST((os::probe_bytes(two.descriptor(), byte) == ByteState::held));
}

BOOST_FIXTURE_TEST_CASE(a_killed_process_drops_its_locks, TwoDescriptions) {
    Shared<Counter> locked(0U);
    Process child([&] {
        const os::File theirs = os::try_open(directory / "file", O_RDWR);
        BOOST_REQUIRE(os::try_lock_byte(theirs.descriptor(), byte, ByteLock::exclusive) == 0);
        *locked = 1;
        ::pause();
    });
    wait_until([&] { return *locked == 1; }, "the child never locked");
    BOOST_TEST((os::probe_bytes(one.descriptor(), byte) == ByteState::held));
    child.send(SIGSTOP);
    ::usleep(20'000);
    BOOST_TEST((os::probe_bytes(one.descriptor(), byte) == ByteState::held));
    child.kill();
    wait_until([&] { return os::probe_bytes(one.descriptor(), byte) == ByteState::free; }, "the lock stayed");
}

BOOST_AUTO_TEST_SUITE_END()
