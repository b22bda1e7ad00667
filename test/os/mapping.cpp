// Address space that is reserved once, and memory that knows of forks.
#include <ss/os/file.hpp>
#include <ss/os/file_lock.hpp>
#include <ss/os/machine.hpp>
#include <ss/os/mapping.hpp>

#include "support/process.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

BOOST_AUTO_TEST_SUITE(os_mapping)

using namespace ss;
using namespace ss::test;

namespace {

os::File make_file(const std::filesystem::path& path) { return os::try_open(path, O_CREAT | O_RDWR, 0600); }

/// True if the page at `address` is mapped at all.
bool is_mapped(void* address) {
    unsigned char residency = 0;
    return ::mincore(address, os::page_size(), &residency) == 0;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_reservation_is_aligned_and_goes_with_its_owner) {
    const TempDir directory;
    const os::File file = make_file(directory / "file");
    BOOST_REQUIRE(os::try_allocate(file.descriptor(), 0, 4096) == 0);
    std::byte* address = nullptr;
    {
        os::Mapping mapping = os::try_map_shared(file.descriptor(), gibi, true);
        BOOST_REQUIRE(mapping.is_mapped());
        address = mapping.data();
        BOOST_TEST(is_aligned(reinterpret_cast<std::uintptr_t>(address), os::huge_page));
        BOOST_TEST(mapping.size() == gibi);
        BOOST_TEST(is_mapped(address));
        BOOST_TEST(is_mapped(address + gibi - os::page_size()));
        BOOST_TEST(!is_mapped(address - os::page_size()));
        BOOST_TEST(!is_mapped(address + gibi));
        os::Mapping moved(std::move(mapping));
        BOOST_TEST(moved.data() == address);
    }
    BOOST_TEST(!is_mapped(address));
}

BOOST_AUTO_TEST_CASE(growth_by_another_process_is_usable_at_once) {
    const TempDir directory;
    const os::File file = make_file(directory / "file");
    BOOST_REQUIRE(os::try_allocate(file.descriptor(), 0, 4096) == 0);
    const os::Mapping mapping = os::try_map_shared(file.descriptor(), gibi, true);
    auto* const far = mapping.data() + 100 * mebi;
    BOOST_TEST(!os::may_be_read(far, os::page_size()));
    Process child([&] {
        const os::File theirs = os::try_open(directory / "file", O_RDWR);
        const os::Mapping view = os::try_map_shared(theirs.descriptor(), gibi, true);
        BOOST_REQUIRE(os::try_allocate(theirs.descriptor(), 0, 101 * mebi) == 0);
        view.data()[100 * mebi] = std::byte{42};
    });
    child.expect_clean();
    BOOST_TEST(os::may_be_read(far, os::page_size()));
    BOOST_TEST(os::may_be_read(far + 17, os::page_size()));
    BOOST_TEST((*far == std::byte{42}));
}

BOOST_AUTO_TEST_CASE(a_refused_reservation_is_an_errno) {
    const TempDir directory;
    const os::File file = make_file(directory / "file");
    BOOST_TEST(!os::try_map_shared(file.descriptor(), std::uint64_t{1} << 60, true).is_mapped());
    BOOST_TEST(errno == ENOMEM);
    const os::File read_only = os::try_open(directory / "file", O_RDONLY);
    BOOST_TEST(!os::try_map_shared(read_only.descriptor(), mebi, true).is_mapped());
    BOOST_TEST(errno == EACCES);
    BOOST_TEST(os::try_map_shared(read_only.descriptor(), mebi, false).is_mapped());
}

BOOST_AUTO_TEST_CASE(a_private_page_keeps_a_lock_and_no_child_has_it) {
    const TempDir directory;
    os::File file = make_file(directory / "file");
    const os::File other = os::try_open(directory / "file", O_RDWR);
    constexpr std::uint64_t byte = std::uint64_t{1} << 62;
    BOOST_REQUIRE(os::try_lock_byte(file.descriptor(), byte, os::ByteLock::exclusive) == 0);
    os::Mapping page = os::try_map_private_page(file.descriptor(), os::page_size());
    BOOST_REQUIRE(page.is_mapped());
    file.reset();
    BOOST_TEST((os::probe_bytes(other.descriptor(), byte) == os::ByteState::held));
    Process child([&] {
        BOOST_TEST(!is_mapped(page.data()));
        ::pause();
    });
    ::usleep(20'000);
    page.reset();
    BOOST_TEST(child.running());
    BOOST_TEST((os::probe_bytes(other.descriptor(), byte) == os::ByteState::free));
    child.kill();
}

BOOST_AUTO_TEST_CASE(wiped_memory_is_zeros_in_a_child) {
    const os::Mapping memory = os::try_map_wiped_on_fork(8192);
    BOOST_REQUIRE(memory.is_mapped());
    memory.data()[0] = std::byte{1};
    memory.data()[8191] = std::byte{2};
    Process child([&] {
        BOOST_TEST((memory.data()[0] == std::byte{0}));
        BOOST_TEST((memory.data()[8191] == std::byte{0}));
    });
    child.expect_clean();
    BOOST_TEST((memory.data()[0] == std::byte{1}));
}

BOOST_AUTO_TEST_CASE(collapse_takes_whole_huge_pages_only) {
    const TempDir directory;
    const os::File file = make_file(directory / "file");
    BOOST_REQUIRE(os::try_allocate(file.descriptor(), 0, 5 * mebi) == 0);
    const os::Mapping mapping = os::try_map_shared(file.descriptor(), gibi, true);
    mapping.data()[3 * mebi] = std::byte{7};
    const os::HugePages none = os::collapse(mapping.data() + 4096, os::huge_page); // no whole one in it
    BOOST_TEST(none.bytes == 0U);
    BOOST_TEST(!none.refused);
    const os::HugePages some = os::collapse(mapping.data(), 5 * mebi);
    BOOST_TEST((mapping.data()[3 * mebi] == std::byte{7}));
    BOOST_TEST(os::status(file.descriptor(), "file").size == 5 * mebi);
    BOOST_TEST(os::status(file.descriptor(), "file").allocated == 5 * mebi);
    if (some.refused) skip("the kernel puts no huge page behind shared memory: " + some.refused.message());
    BOOST_TEST(some.bytes == 2 * os::huge_page);
}

namespace {

int calls = 0;

int busy_once_then_full(os::Call) {
    ++calls;
    return calls == 1 ? EAGAIN : calls == 3 ? ENOMEM : 0;
}

} // namespace

BOOST_AUTO_TEST_CASE(collapse_goes_on_behind_a_busy_page_and_ends_where_it_makes_no_sense) {
    const TempDir directory;
    const os::File file = make_file(directory / "file");
    BOOST_REQUIRE(os::try_allocate(file.descriptor(), 0, 10 * mebi) == 0);
    const os::Mapping mapping = os::try_map_shared(file.descriptor(), gibi, true);
    if (const os::HugePages probe = os::collapse(mapping.data(), 2 * mebi); probe.refused)
        skip("the kernel puts no huge page behind shared memory: " + probe.refused.message());
    calls = 0;
    os::refuse.store(&busy_once_then_full);
    const os::HugePages some = os::collapse(mapping.data(), 10 * mebi);
    os::refuse.store(nullptr);
    BOOST_TEST(calls == 3);
    BOOST_TEST(some.bytes == os::huge_page);
    BOOST_TEST((some.refused == std::errc::not_enough_memory));
}

BOOST_AUTO_TEST_SUITE_END()
