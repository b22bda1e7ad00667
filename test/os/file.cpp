// Descriptors and what is asked of the kernel about files.
#include <ss/os/file.hpp>
#include <ss/os/machine.hpp>

#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <span>
#include <string>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

BOOST_AUTO_TEST_SUITE(os_file)

using namespace ss;
using namespace ss::test;

namespace {

bool is_open(int descriptor) { return ::fcntl(descriptor, F_GETFD) >= 0; }

os::File make_file(const std::filesystem::path& path) { return os::try_open(path, O_CREAT | O_RDWR, 0600); }

} // namespace

BOOST_AUTO_TEST_CASE(a_descriptor_is_closed_once) {
    const TempDir directory;
    int number = -1;
    {
        os::File file = make_file(directory / "file");
        number = file.descriptor();
        BOOST_TEST(is_open(number));
        BOOST_TEST((::fcntl(number, F_GETFD) & FD_CLOEXEC) != 0);
        os::File other(std::move(file));
        BOOST_TEST(other.descriptor() == number);
        other = os::File();
        BOOST_TEST(!other.is_open());
        BOOST_TEST(!is_open(number));
    }
    os::File kept = make_file(directory / "file");
    number = kept.release();
    kept.reset();
    BOOST_TEST(is_open(number));
    ::close(number);
}

BOOST_AUTO_TEST_CASE(a_fifo_without_a_writer_does_not_hold_us_up) {
    const Watchdog dog(10, "opening a FIFO");
    const TempDir directory;
    BOOST_REQUIRE(::mkfifo((directory / "fifo").c_str(), 0600) == 0);
    BOOST_TEST(os::try_open(directory / "fifo", O_RDONLY).is_open());
}

BOOST_AUTO_TEST_CASE(opened_again_is_another_description_of_the_same_file) {
    const TempDir directory;
    const os::File file = make_file(directory / "file");
    const os::File again = os::open_again(file.descriptor(), O_RDWR, "file");
    os::FileStatus one, two;
    BOOST_REQUIRE(os::try_status(file.descriptor(), one));
    BOOST_REQUIRE(os::try_status(again.descriptor(), two));
    BOOST_TEST((one.identity == two.identity));
    BOOST_TEST(::lseek(file.descriptor(), 7, SEEK_SET) == 7);
    BOOST_TEST(::lseek(again.descriptor(), 0, SEEK_CUR) == 0);
    BOOST_CHECK_THROW((void)os::open_again(12345, O_RDWR, "file"), Error);
}

BOOST_AUTO_TEST_CASE(opening_again_works_after_the_main_thread_has_ended) {
    const TempDir directory;
    Process child([&] {
        const os::File file = make_file(directory / "file");
        const pid_t leader = ::gettid();
        std::thread([&, leader] {
            // A leader that has ended shows as a zombie for as long as other threads live.
            while (::syscall(SYS_tgkill, ::getpid(), leader, 0) == 0 && is_open(file.descriptor())) {
                if (::access(("/proc/self/fd/" + std::to_string(file.descriptor())).c_str(), F_OK) != 0) break;
                ::usleep(500);
            }
            try {
                const os::File again = os::open_again(file.descriptor(), O_RDWR, "file");
                ::_exit(again.is_open() ? 0 : 2);
            } catch (const Error&) { ::_exit(3); }
        }).detach();
        ::syscall(SYS_exit, 0);
    });
    BOOST_TEST(child.wait() == (Ending{true, 0, 0}));
}

BOOST_AUTO_TEST_CASE(a_path_names_a_file_or_not) {
    const TempDir directory;
    const os::File file = make_file(directory / "file");
    const os::FileIdentity identity = os::status(file.descriptor(), "file").identity;
    BOOST_TEST(os::is_at(identity, directory / "file"));
    BOOST_TEST(!os::is_at(identity, directory / "missing"));
    BOOST_TEST(!os::is_at(identity, directory / "file" / "below a file"));
    const os::File other = make_file(directory / "other");
    BOOST_TEST(!os::is_at(identity, directory / "other"));
    BOOST_CHECK_THROW((void)os::is_at(identity, directory / std::string(300, 'x')), Error);
}

BOOST_AUTO_TEST_CASE(allocation_is_backed_and_holes_are_filled) {
    const TempDir directory;
    const os::File file = make_file(directory / "file");
    const auto status = [&] { return os::status(file.descriptor(), "file"); };
    BOOST_TEST(os::try_allocate(file.descriptor(), 0, 65536) == 0);
    BOOST_TEST(status().size == 65536U);
    BOOST_TEST(status().allocated >= 65536U);
    BOOST_TEST(os::try_punch(file.descriptor(), 4096, 8192));
    BOOST_TEST(status().size == 65536U);
    BOOST_TEST(status().allocated < 65536U);
    BOOST_TEST(os::try_fill_holes(file.descriptor(), 0, 65536) == 0);
    BOOST_TEST(status().allocated >= 65536U);
    BOOST_TEST(os::try_truncate(file.descriptor(), 4096));
    BOOST_TEST(status().size == 4096U);
    BOOST_TEST(os::try_allocate(-1, 0, 4096) == EBADF);
}

BOOST_AUTO_TEST_CASE(past_the_file_size_limit_is_an_errno_and_no_signal) {
    const TempDir directory;
    Process child([&] {
        const os::File file = make_file(directory / "file");
        const struct rlimit limit = {.rlim_cur = 65536, .rlim_max = 65536};
        BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
        BOOST_TEST(os::file_size_limit() == 65536U);
        BOOST_TEST(os::try_allocate(file.descriptor(), 0, 65536) == 0);
        BOOST_TEST(os::try_allocate(file.descriptor(), 65536, 1) == EFBIG);
        BOOST_TEST(os::try_allocate(file.descriptor(), ~std::uint64_t{0} - 10, 4096) == EFBIG);
        BOOST_TEST(os::try_fill_holes(file.descriptor(), 0, 65536) == 0);
        const std::array<std::byte, 2> bytes{};
        BOOST_CHECK_THROW(os::write_at(file, bytes, 65535, "file"), Error);
        os::write_at(file, bytes, 65534, "file");
    });
    child.expect_clean();
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read) {
    const TempDir directory;
    const os::File file = make_file(directory / "file");
    const std::string text = "some bytes";
    os::write_at(file, std::as_bytes(std::span(text)), 100, "file");
    std::string back(20, '?');
    BOOST_TEST(os::read_at(file, std::as_writable_bytes(std::span(back)), 100, "file") == text.size());
    BOOST_TEST(back.substr(0, text.size()) == text);
    BOOST_TEST(os::read_at(file, std::as_writable_bytes(std::span(back)), 1000, "file") == 0U);
    os::sync(file.descriptor(), "file");
    BOOST_CHECK_THROW(os::sync(-1, "file"), Error);
}

BOOST_AUTO_TEST_CASE(modes_do_not_depend_on_the_umask) {
    const TempDir directory;
    const mode_t before = ::umask(0777);
    const os::File file = make_file(directory / "file");
    os::set_mode(file, 0640, "file");
    ::umask(before);
    struct stat raw = {};
    BOOST_REQUIRE(::fstat(file.descriptor(), &raw) == 0);
    BOOST_TEST((raw.st_mode & 07777U) == 0640U);
}

BOOST_AUTO_TEST_CASE(memory_files_have_no_name_in_any_directory) {
    const os::File file = os::make_memory_file("some name");
    const os::FileStatus status = os::status(file.descriptor(), "file");
    BOOST_TEST(status.links == 0U);
    BOOST_TEST(status.regular);
    BOOST_TEST(os::file_system(file, "file").name == "tmpfs");
    BOOST_TEST(os::file_system(file, "file").in_memory);
    try {
        (void)os::make_memory_file(std::string(300, 'x'));
        BOOST_ERROR("a name of 300 bytes was taken");
    } catch (const Error& error) { BOOST_TEST((error.code() == errc::invalid_argument)); }
}

BOOST_AUTO_TEST_CASE(the_machine) {
    BOOST_TEST(os::page_size() >= 4096U);
    BOOST_TEST(os::boot_id() == os::boot_id());
    BOOST_TEST(os::boot_id() != 0U);
    BOOST_TEST(os::pid_namespace() != 0U);
    std::array<std::uint64_t, 2> one{}, two{};
    os::random_words(one);
    os::random_words(two);
    BOOST_TEST(one != two);
}

BOOST_AUTO_TEST_SUITE_END()
