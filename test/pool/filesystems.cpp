// File systems: which are taken, which are refused by name, and what happens on one that is full.
#include <ss/os/file.hpp>

#include "pool/mounts.hpp"
#include "pool/support.hpp"
#include "support/process.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include <sys/mount.h>

BOOST_AUTO_TEST_SUITE(pool_filesystems)

using namespace ss;
using namespace ss::test;

namespace {

std::string file_system_of(const std::filesystem::path& directory) {
    return os::file_system(os::try_open(directory, O_RDONLY | O_DIRECTORY), directory.string()).name;
}

auto opening(const std::filesystem::path& path, const PoolOptions& options) {
    return [=] { const Pool pool(path, options); };
}

/// Grows until it is refused, which must be for want of space; then writes to every byte that was promised.
void fill_to_the_brim(const Pool& pool) {
    Attachment& attachment = *pool.attachment();
    std::string end;
    while (end.empty() || end == "success") end = outcome([&] { attachment.grow(0, 4096); });
    BOOST_TEST(end == text(errc::out_of_space));
    const Region& region = attachment.region(0);
    BOOST_TEST(region.size() > 0U);
    std::memset(region.data(region.begin()), 0x5A, region.size());
    BOOST_TEST(outcome([&] { attachment.grow(0, 4096); }) == text(errc::out_of_space));
}

/// Writes `path` anew as cp(1) does with --sparse=always.
void copy_without_zeros(const std::filesystem::path& from, const std::filesystem::path& to) {
    const std::string bytes = bytes_of(from);
    std::ofstream file(to, std::ios::binary);
    for (std::size_t at = 0; at < bytes.size(); at += 4096) {
        const std::string page = bytes.substr(at, 4096);
        if (page.find_first_not_of('\0') == std::string::npos) continue;
        file.seekp(static_cast<std::streamoff>(at));
        file << page;
    }
    file.close();
    std::filesystem::resize_file(to, bytes.size());
}

std::uint64_t allocated(const std::filesystem::path& path) {
    return os::status(os::try_open(path, O_RDONLY).descriptor(), path.string()).allocated;
}

void check_sparse_copy(const TempDir& directory) {
    const auto path = directory / "pool", copy = directory / "copy";
    std::array<std::uint64_t, 2> uuid{};
    {
        const Pool pool(path, {.max_size = 64 * mebi, .domains = 3});
        for (const std::uint64_t domain : {0U, 2U}) {
            pool.attachment()->grow(domain, mebi);
            const Region& region = pool.attachment()->region(domain);
            for (const std::uint64_t at : {0U, 70'000U, 900'000U})
                put(region.word(region.begin() + align_down(at, 8)), at + domain + 1);
        }
        uuid = uuid_of(pool);
    }
    copy_without_zeros(path, copy);
    const std::uint64_t whole = allocated(path), sparse = allocated(copy);
    BOOST_TEST(sparse < whole / 2);
    BOOST_TEST(outcome(opening(copy, {.access = Access::read_only})) == text(errc::truncated));
    BOOST_TEST(allocated(copy) == sparse);
    {
        const Pool pool(copy);
        BOOST_TEST(uuid_of(pool) == uuid);
        BOOST_TEST(allocated(copy) >= whole);
        for (const std::uint64_t domain : {0U, 2U}) {
            const Region& region = pool.attachment()->region(domain);
            BOOST_TEST(region.size() >= mebi);
            for (const std::uint64_t at : {0U, 70'000U, 900'000U})
                BOOST_TEST(load(region.word(region.begin() + align_down(at, 8))) == at + domain + 1);
            std::memset(region.data(region.begin()), 0xA5, region.size());
        }
    }
    BOOST_TEST(outcome(opening(copy, {.access = Access::read_only})) == "success");
    BOOST_TEST(Pool(copy).size() == std::filesystem::file_size(copy));
}

} // namespace

BOOST_AUTO_TEST_CASE(a_full_tmpfs_is_an_error_and_no_signal) {
    const TempDir directory;
    Process child([&] {
        const Watchdog dog(30, "a full tmpfs");
        enter_mount_namespace();
        mount_or_skip("tmpfs", directory.path(), "size=1m");
        const auto path = directory / "pool";
        {
            const Pool pool(path, small_pool);
            fill_to_the_brim(pool);
            const Pool second(path); // attaching needs no space
            BOOST_TEST(outcome([&] { second.attachment()->grow(0, 1); }) == text(errc::out_of_space));
        }
        BOOST_TEST(outcome(opening(directory / "other", small_pool)) == text(errc::out_of_space));
        BOOST_TEST(files_in(directory.path()) == 1U);
        // A sparse copy that does not fit is refused before anybody touches a hole.
        std::filesystem::remove(path);
        {
            const Pool pool(path, small_pool);
            pool.attachment()->grow(0, 600'000);
        }
        copy_without_zeros(path, directory / "copy");
        BOOST_TEST(outcome(opening(directory / "copy", {})) == text(errc::out_of_space));
        BOOST_TEST(outcome(opening(path, {})) == "success");
    });
    child.expect_clean();
}

BOOST_AUTO_TEST_CASE(sparse_copies_get_their_blocks_in_memory) {
    const TempDir directory;
    check_sparse_copy(directory);
}

BOOST_AUTO_TEST_CASE(sparse_copies_get_their_blocks_on_disk) {
    const auto base = std::filesystem::current_path();
    if (const std::string name = file_system_of(base); name != "ext4" && name != "xfs")
        skip("the build directory lies on " + name + ", not on ext4 or xfs");
    const TempDir directory(base);
    check_sparse_copy(directory);
    // Blocks that hold none of the pool's bytes do not hide a hole.
    const auto path = directory / "pool";
    const os::File file = os::try_open(path, O_RDWR);
    const std::uint64_t before = allocated(path);
    BOOST_REQUIRE(os::try_allocate(file.descriptor(), before * 20, mebi) == 0);
    BOOST_REQUIRE(os::try_punch(file.descriptor(), Pool(path).attachment()->region(0).begin() + 65536, 65536));
    BOOST_TEST(allocated(path) >= before);
    { const Pool pool(path); }
    BOOST_TEST(allocated(path) >= before + mebi);
}

BOOST_AUTO_TEST_CASE(a_disk_is_taken) {
    const auto base = std::filesystem::current_path();
    if (const std::string name = file_system_of(base); name != "ext4" && name != "xfs")
        skip("the build directory lies on " + name + ", not on ext4 or xfs");
    const TempDir directory(base);
    const Pool pool(directory / "pool", small_pool);
    BOOST_TEST(!pool.attachment()->in_memory_only());
    pool.attachment()->grow(0, mebi);
    const Region& region = pool.attachment()->region(0);
    std::memset(region.data(region.begin()), 1, region.size());
    Process child([&] {
        const Pool other(directory / "pool");
        BOOST_TEST(!is_dead(other, token_of(pool)));
    });
    child.expect_clean();
}

BOOST_AUTO_TEST_CASE(one_that_keeps_no_allocations_is_refused_by_name) {
    const TempDir directory;
    Process child([&] {
        enter_mount_namespace();
        mount_or_skip("ramfs", directory.path(), "");
        BOOST_TEST(outcome(opening(directory / "pool", small_pool)) == text(errc::filesystem));
        // It has no fallocate(2) at all, so the option is of no use.
        BOOST_TEST(outcome(opening(directory / "pool", {.max_size = 16 * mebi, .any_filesystem = true})) ==
                   text(errc::filesystem));
        BOOST_TEST(files_in(directory.path()) == 0U);
    });
    child.expect_clean();
    BOOST_TEST(outcome(opening("/proc/version", {.access = Access::read_only})) == text(errc::filesystem));
    BOOST_TEST(outcome(opening("/proc/version", {.access = Access::read_only, .any_filesystem = true})) ==
               text(errc::not_a_pool));
    BOOST_TEST(outcome(opening("/proc/pool", {})) != "success");
}

BOOST_AUTO_TEST_CASE(overlayfs_loses_locks_and_no_option_overrides_that) {
    const TempDir directory;
    Process child([&] {
        enter_mount_namespace();
        mount_or_skip("tmpfs", directory.path(), "size=16m");
        for (const char* name : {"lower", "upper", "work", "merged"})
            std::filesystem::create_directory(directory / name);
        { const Pool pool(directory / "lower" / "old", small_pool); }
        const std::string base = directory.path().string();
        mount_or_skip("overlay", directory / "merged",
                      "lowerdir=" + base + "/lower,upperdir=" + base + "/upper,workdir=" + base + "/work");
        for (const char* name : {"old", "new"}) {
            const auto path = directory / "merged" / name;
            BOOST_TEST(outcome(opening(path, small_pool)) == text(errc::filesystem));
            // On a kernel that keeps the lock it may work; then it must work wholly.
            const std::string accepted = outcome([&] {
                const Pool pool(path, {.max_size = 16 * mebi, .any_filesystem = true});
                const Pool other(path, {.any_filesystem = true});
                BOOST_TEST(!is_dead(other, token_of(pool)));
                BOOST_TEST(!is_dead(pool, token_of(other)));
            });
            BOOST_TEST((accepted == "success" || accepted == text(errc::filesystem)));
            BOOST_TEST_MESSAGE("overlayfs, any_filesystem, " << name << ": " << accepted);
        }
    });
    child.expect_clean();
}

BOOST_AUTO_TEST_SUITE_END()
