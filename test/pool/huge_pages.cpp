// Huge pages: who asks for them, who gets them, what it costs in memory, and that a refusal changes nothing.
#include "pool/huge_pages.hpp"

#include <ss/ss.hpp>

#include "pool/mounts.hpp"
#include "pool/refusing.hpp"
#include "pool/support.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <string>

#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

BOOST_AUTO_TEST_SUITE(pool_huge_pages)

using namespace ss;
using namespace ss::test;

namespace {

constexpr PoolOptions with_huge{.max_size = gibi, .huge_pages = true};
constexpr PoolOptions without{.max_size = gibi};

/// Grows a domain by at least `total` bytes, `step` at once. Returns how long the longest of the steps took.
std::chrono::steady_clock::duration grow(const Pool& pool, std::uint64_t total, std::uint64_t step = 100'000,
                                         std::uint64_t domain = 0) {
    Attachment& attachment = *pool.attachment();
    const Region& region = attachment.region(domain);
    auto longest = std::chrono::steady_clock::duration::zero();
    for (const std::uint64_t end = region.size() + total; region.size() < end;) {
        const auto began = std::chrono::steady_clock::now();
        attachment.grow(domain, step);
        longest = std::max(longest, std::chrono::steady_clock::now() - began);
    }
    return longest;
}

/// The same, where huge pages are to come of it. If that took so long that the pool may have stopped asking, since the machine
/// is busy, it is asked by name.
void grow_huge(const Pool& pool, std::uint64_t total, std::uint64_t step = 100'000, std::uint64_t domain = 0) {
    if (grow(pool, total, step, domain) > std::chrono::milliseconds(8)) (void)pool.collapse();
}

/// Another byte in each page, and then the same once more.
std::byte pattern(std::uint64_t offset) { return static_cast<std::byte>(offset / 4096 % 251 + 1); }

void fill(const Pool& pool, std::uint64_t domain = 0) {
    const Region& region = pool.attachment()->region(domain);
    for (std::uint64_t at = region.begin(); at < region.end(); at += 4096) *region.data(at) = pattern(at);
}

void check_filled(const Pool& pool, std::uint64_t domain = 0) {
    const Region& region = pool.attachment()->region(domain);
    std::uint64_t wrong = 0;
    for (std::uint64_t at = region.begin(); at < region.end(); at += 4096)
        wrong += *region.data(at) == pattern(at) ? 0 : 1;
    BOOST_TEST(wrong == 0U);
}

std::uint64_t blocks_of(const Pool& pool) { return os::status(pool.fd(), "pool").allocated; }

unsigned asked = 0;

int refuse_advice(os::Call call) {
    if (call != os::Call::advise) return 0;
    ++asked;
    return EINVAL;
}

/// Refuses as a kernel before 6.1 does, once the pool is open.
struct OldKernel {
    OldKernel() {
        asked = 0;
        os::refuse.store(&refuse_advice);
    }
    ~OldKernel() { os::refuse.store(nullptr); }
};

} // namespace

BOOST_AUTO_TEST_CASE(who_grows_with_the_option_has_them_at_once) {
    need_huge_pages();
    const TempDir directory;
    const Pool pool(directory / "pool", with_huge);
    grow_huge(pool, 21 * mebi);
    BOOST_TEST(huge_bytes(pool) == align_down(pool.size(), os::huge_page));
    fill(pool);
    BOOST_TEST(huge_bytes(pool) == align_down(pool.size(), os::huge_page));
    check_filled(pool);
    BOOST_TEST(blocks_of(pool) == pool.size());         // not a page more than is committed
    BOOST_TEST(is_aligned(pool.size(), os::huge_page)); // it is large enough by now
}

BOOST_AUTO_TEST_CASE(a_small_pool_grows_no_faster_with_the_option) {
    const TempDir directory;
    const Pool huge(directory / "huge", with_huge), small(directory / "small", without);
    for (std::uint64_t i = 0; i < 30; ++i) {
        huge.attachment()->grow(0, 10'000 * i);
        small.attachment()->grow(0, 10'000 * i);
        BOOST_TEST(huge.size() <= small.size());
    }
    BOOST_TEST(blocks_of(huge) <= huge.size());
}

BOOST_AUTO_TEST_CASE(one_large_growth_has_them_too) {
    need_huge_pages();
    const TempDir directory;
    const Pool pool(directory / "pool", with_huge);
    grow_huge(pool, 15 * mebi, 15 * mebi);
    BOOST_TEST(huge_bytes(pool) == align_down(pool.size(), os::huge_page));
    BOOST_TEST(pool.size() >= 15 * mebi);
    fill(pool);
    check_filled(pool);
    BOOST_TEST(blocks_of(pool) == pool.size());
}

BOOST_AUTO_TEST_CASE(others_have_them_at_their_next_faults) {
    need_huge_pages();
    const TempDir directory;
    const Pool pool(directory / "pool", without);
    grow(pool, 9 * mebi);
    fill(pool);
    std::atomic<int>* const stage =
        new (pool.attachment()->region(0).data(pool.attachment()->region(0).begin())) std::atomic<int>(0);
    Process other([&] {
        const Pool theirs(directory / "pool", {.access = Access::read_only});
        const auto read_all = [&] {
            const Region& region = theirs.attachment()->region(0);
            for (std::uint64_t at = region.begin() + 4096; at < region.end(); at += 4096)
                BOOST_REQUIRE((*region.data(at) == pattern(at)));
        };
        read_all();
        BOOST_TEST(huge_bytes(theirs) == 0U);
        stage->store(1);
        while (stage->load() != 2) ::usleep(1000);
        read_all();
        BOOST_TEST(huge_bytes(theirs) == 8 * mebi);
    });
    while (stage->load() != 1 && other.running()) ::usleep(1000);
    const os::HugePages asked_for = pool.collapse();
    BOOST_TEST(asked_for.bytes == 8 * mebi);
    BOOST_TEST(!asked_for.refused);
    stage->store(2);
    other.expect_clean();
    BOOST_TEST(huge_bytes(pool) == 8 * mebi);
}

BOOST_AUTO_TEST_CASE(a_forked_child_and_a_reader_have_them) {
    need_huge_pages();
    const TempDir directory;
    const Pool pool(directory / "pool", with_huge);
    grow_huge(pool, 9 * mebi);
    fill(pool);
    const std::uint64_t whole = align_down(pool.size(), os::huge_page);
    Process child([&] {
        check_filled(pool);
        BOOST_TEST(huge_bytes(pool) >= whole - os::huge_page); // the first has the header, and was not looked at
        pool.attachment()->grow(0, 8 * mebi);
        fill(pool);
        BOOST_TEST(pool.collapse().bytes == align_down(pool.size(), os::huge_page));
    });
    child.expect_clean();
    check_filled(pool);
    const Pool reader(directory / "pool", {.access = Access::read_only, .huge_pages = true});
    BOOST_TEST(huge_bytes(reader) == align_down(reader.size(), os::huge_page)); // at attach, before any fault
    check_filled(reader);
}

BOOST_AUTO_TEST_CASE(a_pool_in_memory_and_one_of_many_domains) {
    need_huge_pages();
    const Pool memory = Pool::anonymous(with_huge);
    grow_huge(memory, 5 * mebi);
    BOOST_TEST(huge_bytes(memory) == 4 * mebi);
    const TempDir directory;
    const Pool pool(directory / "pool", {.max_size = gibi, .domains = 7, .huge_pages = true});
    std::uint64_t committed = pool.attachment()->header().region_offset, whole = 0;
    for (std::uint64_t domain = 0; domain < 7; ++domain) {
        grow_huge(pool, 5 * mebi, 5 * mebi, domain);
        grow_huge(pool, mebi, mebi, domain);
        const Region& region = pool.attachment()->region(domain);
        fill(pool, domain);
        committed += region.size();
        const std::uint64_t first = domain == 0 ? 0 : align_up(region.begin(), os::huge_page);
        whole += align_down(region.end(), os::huge_page) - first;
    }
    for (std::uint64_t domain = 0; domain < 7; ++domain) check_filled(pool, domain);
    BOOST_TEST(huge_bytes(pool) == whole);
    BOOST_TEST(pool.collapse().bytes == whole);
    BOOST_TEST(blocks_of(pool) == committed);
}

BOOST_AUTO_TEST_CASE(a_refusal_is_told_and_changes_nothing) {
    const TempDir directory;
    const Pool pool(directory / "pool", with_huge);
    {
        const OldKernel refuses;
        grow(pool, 20 * mebi);
        BOOST_TEST(asked == 1U); // and no more, since it would only cost time
        fill(pool);
        check_filled(pool);
        const os::HugePages result = pool.collapse();
        BOOST_TEST(result.bytes == 0U);
        BOOST_TEST((result.refused == std::errc::invalid_argument));
        BOOST_TEST(huge_bytes(pool) == 0U);
    }
    need_huge_pages();
    grow(pool, 3 * mebi);
    BOOST_TEST(huge_bytes(pool) == 0U);
    BOOST_TEST(pool.collapse().bytes == align_down(pool.size(), os::huge_page));
    grow_huge(pool, 3 * mebi); // it asks again
    BOOST_TEST(huge_bytes(pool) == align_down(pool.size(), os::huge_page));
    BOOST_TEST(blocks_of(pool) == pool.size());
}

BOOST_AUTO_TEST_CASE(a_slow_kernel_is_asked_once) {
    const TempDir directory;
    const Pool pool(directory / "pool", with_huge);
    asked = 0;
    os::refuse.store([](os::Call call) {
        if (call == os::Call::advise) ::usleep(11'000 * ++asked);
        return 0;
    });
    grow(pool, 9 * mebi);
    os::refuse.store(nullptr);
    BOOST_TEST(asked == 1U);
    fill(pool);
    check_filled(pool);
    BOOST_TEST(blocks_of(pool) == pool.size());
}

BOOST_AUTO_TEST_CASE(a_disk_gives_none_and_the_pool_works) {
    const TempDir directory(std::filesystem::temp_directory_path());
    const PoolOptions options{.max_size = gibi, .huge_pages = true, .any_filesystem = true};
    const Pool pool(directory / "pool", options);
    if (pool.attachment()->in_memory_only()) skip("the directory for temporary files is no disk");
    grow(pool, 5 * mebi);
    fill(pool);
    check_filled(pool);
    const os::HugePages result = pool.collapse();
    BOOST_TEST_MESSAGE(result.bytes << " bytes, " << result.refused.message());
    BOOST_TEST((result.refused || result.bytes == 4 * mebi));
    BOOST_TEST(blocks_of(pool) >= pool.size());
}

BOOST_AUTO_TEST_CASE(a_full_tmpfs_is_an_error_and_no_signal) {
    const TempDir directory;
    Process child([&] {
        enter_mount_namespace();
        mount_or_skip("tmpfs", directory.path(), "size=13M");
        const Pool pool(directory / "pool", with_huge);
        BOOST_TEST(outcome([&] { grow(pool, 20 * mebi); }) == text(errc::out_of_space));
        const std::uint64_t size = pool.attachment()->region(0).size();
        BOOST_TEST(size > 12 * mebi);
        fill(pool);
        (void)pool.collapse();
        check_filled(pool);
        BOOST_TEST(blocks_of(pool) <= 13 * mebi);
        BOOST_TEST(pool.attachment()->region(0).size() == size);
        BOOST_TEST(outcome([&] { pool.attachment()->grow(0, mebi); }) == text(errc::out_of_space));
    });
    child.expect_clean();
}

BOOST_AUTO_TEST_CASE(a_file_size_limit_is_no_signal) {
    const TempDir directory;
    Process child([&] {
        const Pool pool(directory / "pool", with_huge);
        const struct rlimit limit = {.rlim_cur = 5 * mebi, .rlim_max = RLIM_INFINITY};
        BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
        BOOST_TEST(outcome([&] { grow(pool, 20 * mebi); }) == text(errc::out_of_space));
        fill(pool);
        BOOST_TEST(pool.size() <= 5 * mebi);
        BOOST_TEST(blocks_of(pool) <= 5 * mebi); // nothing waits past the file's end
    });
    child.expect_clean();
}

BOOST_AUTO_TEST_CASE(killed_at_any_call_while_it_grows) {
    const Watchdog watchdog(100);
    bool met = true;
    for (unsigned n = 1; met; ++n) {
        const TempDir directory;
        { const Pool pool(directory / "pool", with_huge); }
        Process child([&] {
            const Pool pool(directory / "pool", with_huge);
            const Refusing refusing(n, 0, Refusing::How::kill);
            pool.attachment()->grow(0, 3 * mebi);
            pool.attachment()->grow(0, 3 * mebi);
        });
        met = child.wait().killed();
        const Pool pool(directory / "pool", with_huge);
        pool.attachment()->grow(0, 5 * mebi);
        fill(pool);
        check_filled(pool);
        BOOST_TEST(blocks_of(pool) >= pool.size());
    }
}

BOOST_AUTO_TEST_CASE(trim_gives_their_memory_back_and_a_backup_has_all) {
    const TempDir directory;
    const auto work = [](const Pool& pool, int from, int to) {
        HashTable<> table(pool, "table");
        for (int k = from; k < to; ++k) table.insert(std::to_string(k), std::string(1000, 'x'));
    };
    for (const std::uint64_t domains : {1U, 3U}) {
        const std::string name = "pool" + std::to_string(domains);
        const Pool pool(directory / name, {.max_size = gibi, .domains = domains, .huge_pages = true});
        work(pool, 0, 20'000);
        (void)pool.collapse();
        pool.backup(directory / "copy");
        {
            const Pool copy(directory / "copy", {.access = Access::open_only});
            HashTable<> table(copy, "table");
            for (int k = 0; k < 20'000; ++k) BOOST_REQUIRE(table.at(std::to_string(k)) == std::string(1000, 'x'));
            BOOST_TEST(copy.verify().empty());
        }
        const std::uint64_t before = blocks_of(pool);
        pool.remove_object("table");
        const std::uint64_t given_back = pool.trim();
        BOOST_TEST(given_back > 10 * mebi);
        BOOST_TEST(blocks_of(pool) == before - given_back);
        work(pool, 0, 20'000);
        (void)pool.collapse();
        HashTable<> table(pool, "table");
        for (int k = 0; k < 20'000; ++k) BOOST_REQUIRE(table.at(std::to_string(k)) == std::string(1000, 'x'));
        BOOST_TEST(pool.verify().empty());
    }
}

BOOST_AUTO_TEST_SUITE_END()
