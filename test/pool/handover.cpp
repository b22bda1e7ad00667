// Pools without a path, and pools that are handed on as descriptors.
#include "pool/support.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

BOOST_AUTO_TEST_SUITE(pool_handover)

using namespace ss;
using namespace ss::test;

namespace {

Word& first_word(const Pool& pool) {
    const Region& region = pool.attachment()->region(0);
    return region.word(region.begin());
}

void send_descriptor(int socket, int descriptor) {
    char byte = 'x';
    iovec part = {.iov_base = &byte, .iov_len = 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> room{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = room.data();
    message.msg_controllen = room.size();
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    BOOST_REQUIRE(::sendmsg(socket, &message, 0) == 1);
}

int receive_descriptor(int socket) {
    char byte = 0;
    iovec part = {.iov_base = &byte, .iov_len = 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> room{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = room.data();
    message.msg_controllen = room.size();
    BOOST_REQUIRE(::recvmsg(socket, &message, 0) == 1);
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof descriptor);
    return descriptor;
}

} // namespace

BOOST_AUTO_TEST_CASE(an_anonymous_pool_is_for_those_who_are_forked) {
    const Pool pool = Pool::anonymous(small_pool);
    BOOST_TEST(pool.path().empty());
    pool.attachment()->grow(0, 4096);
    Process one([&] { put(first_word(pool), 5); });
    one.expect_clean();
    Process two([&] { BOOST_TEST(load(first_word(pool)) == 5U); });
    two.expect_clean();
}

BOOST_AUTO_TEST_CASE(options_count_in_memory_too) {
    const Pool pool = Pool::memfd("mine", {.max_size = 32 * mebi, .domains = 4});
    BOOST_TEST(pool.max_size() == 32 * mebi);
    BOOST_TEST(pool.domains() == 4U);
    BOOST_TEST(pool.attachment()->in_memory_only());
    const auto link = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(pool.fd()));
    BOOST_TEST(link.string().find("memfd:mine") != std::string::npos);
    BOOST_TEST(outcome([] { (void)Pool::memfd(std::string(300, 'x')); }) == text(errc::invalid_argument));
    BOOST_TEST(outcome([] { (void)Pool::anonymous({.domains = 0}); }) == text(errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(a_descriptor_stays_the_callers) {
    const Pool pool = Pool::memfd("mine", small_pool);
    pool.attachment()->grow(0, 4096);
    put(first_word(pool), 9);
    const int number = ::fcntl(pool.fd(), F_DUPFD_CLOEXEC, 0);
    std::optional<Pool> other = Pool::from_fd(number);
    BOOST_TEST(other->fd() != number);
    BOOST_TEST(::close(number) == 0);
    BOOST_TEST(load(first_word(*other)) == 9U);
    BOOST_TEST(token_of(*other) != token_of(pool));
    BOOST_TEST(!is_dead(pool, token_of(*other)));
    const Token token = token_of(*other);
    other.reset();
    BOOST_TEST(is_dead(pool, token));
}

BOOST_AUTO_TEST_CASE(a_descriptor_of_a_file_with_a_path_is_as_good) {
    const TempDir directory;
    const Pool pool(directory / "pool", small_pool);
    const Pool other = Pool::from_fd(pool.fd());
    const Pool reader = Pool::from_fd(pool.fd(), {.access = Access::read_only});
    BOOST_TEST(uuid_of(other) == uuid_of(pool));
    BOOST_TEST(reader.attachment()->is_read_only());
    BOOST_TEST(Pool::remove(directory / "pool"));
    const Pool late = Pool::from_fd(pool.fd()); // the path is gone, the file is not
    BOOST_TEST(uuid_of(late) == uuid_of(pool));
    BOOST_TEST(!is_dead(late, token_of(pool)));
}

BOOST_AUTO_TEST_CASE(over_a_socket_to_a_process_that_inherited_nothing) {
    const Watchdog dog(30, "a socket");
    std::array<int, 2> ends{};
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    Process receiver([&] { // forked before there is a pool
        const int descriptor = receive_descriptor(ends[1]);
        const Pool pool = Pool::from_fd(descriptor);
        ::close(descriptor);
        put(first_word(pool), load(first_word(pool)) + 1);
        pool.attachment()->grow(0, mebi);
        const Token token = token_of(pool);
        BOOST_REQUIRE(::write(ends[1], &token, sizeof token) == sizeof token);
        ::pause();
    });
    const Pool pool = Pool::memfd("handed on", small_pool);
    pool.attachment()->grow(0, 4096);
    put(first_word(pool), 41);
    send_descriptor(ends[0], pool.fd());
    Token theirs = 0;
    BOOST_REQUIRE(::read(ends[0], &theirs, sizeof theirs) == sizeof theirs);
    BOOST_TEST(load(first_word(pool)) == 42U);
    BOOST_TEST(pool.attachment()->region(0).size() >= mebi);
    BOOST_TEST(theirs != token_of(pool));
    BOOST_TEST(!is_dead(pool, theirs));
    receiver.kill();
    BOOST_TEST(is_dead(pool, theirs));
    ::close(ends[0]);
    ::close(ends[1]);
}

BOOST_AUTO_TEST_CASE(a_sealed_file_does_not_grow_and_says_so) {
    const Pool pool = Pool::memfd("sealed", small_pool);
    const os::File copy(::memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    const std::string bytes = bytes_of("/proc/self/fd/" + std::to_string(pool.fd()));
    os::write_at(copy, std::as_bytes(std::span(bytes)), 0, "copy");
    BOOST_REQUIRE(::fcntl(copy.descriptor(), F_ADD_SEALS, F_SEAL_GROW) == 0);
    const Pool sealed = Pool::from_fd(copy.descriptor());
    BOOST_TEST(outcome([&] { sealed.attachment()->grow(0, 4096); }) == text(errc::permission));
    BOOST_REQUIRE(::fcntl(copy.descriptor(), F_ADD_SEALS, F_SEAL_FUTURE_WRITE) == 0);
    BOOST_TEST(outcome([&] { (void)Pool::from_fd(copy.descriptor()); }) == text(errc::permission));
    BOOST_TEST(outcome([&] { (void)Pool::from_fd(copy.descriptor(), {.access = Access::read_only}); }) == "success");
}

BOOST_AUTO_TEST_CASE(what_is_no_descriptor_of_a_pool) {
    BOOST_TEST(outcome([] { (void)Pool::from_fd(-1); }) == text(errc::invalid_argument));
    BOOST_TEST(outcome([] { (void)Pool::from_fd(12345); }) == text(errc::invalid_argument));
    std::array<int, 2> ends{};
    BOOST_REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    BOOST_TEST(outcome([&] { (void)Pool::from_fd(ends[0]); }) == text(errc::not_a_pool));
    ::close(ends[0]);
    ::close(ends[1]);
    const os::File empty = os::make_memory_file("empty");
    BOOST_TEST(outcome([&] { (void)Pool::from_fd(empty.descriptor()); }) == text(errc::not_a_pool));
    const TempDir directory;
    const os::File folder = os::try_open(directory.path(), O_RDONLY | O_DIRECTORY);
    BOOST_TEST(outcome([&] { (void)Pool::from_fd(folder.descriptor()); }) == text(errc::not_a_pool));
}

BOOST_AUTO_TEST_SUITE_END()
