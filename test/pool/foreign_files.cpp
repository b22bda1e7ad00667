// What is no pool, or a pool of another kind, or a damaged one: a clear answer, no signal, and not a byte changed.
#include "pool/support.hpp"
#include "support/process.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

BOOST_AUTO_TEST_SUITE(pool_foreign_files)

using namespace ss;
using namespace ss::test;

namespace {

/// A directory and the bytes of a good pool with 256 KiB committed.
struct GoodPool {
    TempDir directory;
    std::filesystem::path path = directory / "pool";
    std::string good = make();

    std::string make() const {
        {
            const Pool pool(path, small_pool);
            pool.attachment()->grow(0, 200'000);
        }
        std::string bytes = bytes_of(path);
        std::filesystem::remove(path);
        return bytes;
    }

    /// What opening a file of these bytes says, for writing and for reading. Nothing of the file may change.
    std::string opened(const std::string& bytes) const {
        write_bytes(path, bytes);
        // The mode of a file that somebody may write.
        const auto open = [&](Access access) { return outcome([&] { const Pool pool(path, {.access = access}); }); };
        const std::string read = open(Access::read_only), write = open(Access::read_write);
        if (write != "success") BOOST_TEST((bytes_of(path) == bytes), "the file was changed");
        return read == write ? write : "read: " + read + ", write: " + write;
    }

    /// The good bytes with a changed header, whose checksum is right if `seal` says so.
    template <class Change>
    std::string with_header(Change change, bool seal = true) const {
        std::string bytes = good;
        Header header;
        std::memcpy(&header, bytes.data(), sizeof header);
        change(header);
        if (seal) header.crc = header_checksum(header);
        std::memcpy(bytes.data(), &header, sizeof header);
        return bytes;
    }

    template <class Change>
    std::string with_domain_state(Change change) const {
        std::string bytes = good;
        DomainState state;
        char* const at = bytes.data() + state_zone_offset + sizeof(PoolState);
        std::memcpy(&state, at, sizeof state);
        change(state);
        std::memcpy(at, &state, sizeof state);
        return bytes;
    }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(the_good_bytes_are_good, GoodPool) {
    BOOST_TEST(good.size() >= 200'000U + 65536U);
    BOOST_TEST(opened(good) == "success");
    BOOST_TEST(opened(with_header([](Header&) {})) == "success");
}

BOOST_FIXTURE_TEST_CASE(files_of_other_kinds, GoodPool) {
    const std::string no = text(errc::not_a_pool);
    BOOST_TEST(opened("") == no);
    BOOST_TEST(opened("hello\n") == no);
    BOOST_TEST(opened(std::string(100'000, '\0')) == no);
    BOOST_TEST(opened(std::string(100'000, '\xFF')) == no);
    BOOST_TEST(opened("ssPOOL\r") == no);
    BOOST_TEST(opened("ssPOOL\n" + good.substr(7)) == no); // what a transfer as text makes of it
}

BOOST_FIXTURE_TEST_CASE(what_is_not_even_a_file, GoodPool) {
    const Watchdog dog(20, "opening strange files");
    const auto check = [&](const std::filesystem::path& strange) {
        for (const Access access : {Access::read_write, Access::open_only, Access::read_only})
            BOOST_TEST(outcome([&] { const Pool pool(strange, {.access = access}); }) == text(errc::not_a_pool));
        BOOST_TEST(outcome([&] { const Pool pool(strange, {.access = Access::create_only}); }) ==
                   text(errc::already_exists));
        BOOST_TEST(outcome([&] { Pool::remove(strange); }) == text(errc::not_a_pool));
        BOOST_TEST(std::filesystem::exists(strange));
    };
    std::filesystem::create_directory(directory / "directory");
    check(directory / "directory");
    BOOST_REQUIRE(::mkfifo((directory / "fifo").c_str(), 0600) == 0);
    check(directory / "fifo");
    const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    (directory / "socket").string().copy(address.sun_path, sizeof address.sun_path - 1);
    BOOST_REQUIRE(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    check(directory / "socket");
    ::close(listener);
    BOOST_TEST(outcome([&] { const Pool pool("/dev/null"); }) == text(errc::not_a_pool));
    write_bytes(path, "hello\n");
    BOOST_TEST(outcome([&] { Pool::remove(path); }) == text(errc::not_a_pool));
    BOOST_TEST(std::filesystem::exists(path));
}

BOOST_FIXTURE_TEST_CASE(pools_of_other_machines_and_times, GoodPool) {
    BOOST_TEST(opened(with_header([](Header& h) { h.major = format_major + 1; })) == text(errc::other_version));
    BOOST_TEST(opened(with_header([](Header& h) { h.minor = format_minor + 1; })) == text(errc::other_version));
    BOOST_TEST(opened(with_header([](Header& h) { h.minor = format_minor - 1; })) == text(errc::other_version));
    BOOST_TEST(opened(with_header([](Header& h) { h.features_compatible = 1; })) == "success");
    BOOST_TEST(opened(with_header([](Header& h) { h.features_read_only = 1ULL << 63; })) ==
               "read: success, write: " + text(errc::other_version));
    BOOST_TEST(opened(with_header([](Header& h) { h.features_incompatible = 4; })) == text(errc::other_version));
    // Every number of the header the other way round, as another machine writes them.
    std::string swapped = good;
    const auto swap = [&](std::size_t at, std::size_t size) {
        std::reverse(swapped.begin() + static_cast<std::ptrdiff_t>(at),
                     swapped.begin() + static_cast<std::ptrdiff_t>(at + size));
    };
    swap(offsetof(Header, magic), 8);
    for (std::size_t at = offsetof(Header, byte_order); at < offsetof(Header, features_compatible); at += 4)
        swap(at, 4);
    for (std::size_t at = offsetof(Header, features_compatible); at < offsetof(Header, word_size); at += 8)
        swap(at, 8);
    swap(offsetof(Header, word_size), 4);
    swap(offsetof(Header, page_size), 4);
    for (std::size_t at = offsetof(Header, uuid); at < offsetof(Header, reserved); at += 8) swap(at, 8);
    swap(offsetof(Header, crc), 4);
    BOOST_TEST(opened(swapped) == text(errc::other_byte_order));
}

BOOST_FIXTURE_TEST_CASE(headers_that_contradict_themselves, GoodPool) {
    const auto sealed = [&](auto change) { return opened(with_header(change)); };
    const std::string damaged = text(errc::damaged);
    BOOST_TEST(sealed([](Header& h) { h.header_size = 64; }) == damaged);
    BOOST_TEST(sealed([](Header& h) { h.word_size = 4; }) == damaged);
    BOOST_TEST(sealed([](Header& h) { h.domains = 0; }) == damaged);
    BOOST_TEST(sealed([](Header& h) { h.domains = max_domains + 1; }) == damaged);
    BOOST_TEST(sealed([](Header& h) { h.domains = ~0ULL; }) == damaged);
    BOOST_TEST(sealed([](Header& h) { h.domains = 2; }) == damaged);
    BOOST_TEST(sealed([](Header& h) { h.volatile_offset += 4096; }) == damaged);
    BOOST_TEST(sealed([](Header& h) { h.volatile_size = ~0ULL; }) == damaged);
    BOOST_TEST(sealed([](Header& h) { h.region_offset = 0; }) == damaged);
    BOOST_TEST(sealed([](Header& h) { h.region_stride *= 2; }) == damaged);
    BOOST_TEST(sealed([](Header& h) { h.max_size += 1; }) == damaged);
    BOOST_TEST(sealed([](Header& h) { h.max_size = 0; }) == damaged);
    // Sizes that follow from each other, but are none.
    for (const std::uint64_t size : {std::uint64_t{1} << 48, std::uint64_t{1} << 60, ~std::uint64_t{0} - 65535})
        BOOST_TEST(sealed([size](Header& h) {
                       h.max_size = size;
                       h.region_stride = pool_geometry(size, 1).region_stride;
                   }) == damaged);
    BOOST_TEST(sealed([](Header& h) {
                   h.max_size = largest_max_size; // possible, but not here
                   h.region_stride = pool_geometry(h.max_size, 1).region_stride;
               }) == text(errc::address_space));
}

BOOST_FIXTURE_TEST_CASE(states_that_cannot_be, GoodPool) {
    const auto claiming = [&](std::uint64_t committed) {
        return opened(with_domain_state([&](DomainState& state) { state.committed = committed; }));
    };
    BOOST_TEST(claiming(~std::uint64_t{0}) == text(errc::damaged));
    BOOST_TEST(claiming(std::uint64_t{1} << 40) == text(errc::damaged));
    BOOST_TEST(claiming(8 * mebi) == text(errc::truncated));
    BOOST_TEST(claiming(good.size()) == text(errc::truncated));
    BOOST_TEST(claiming(0) == "success");
}

/// The version is looked at before the checksum: another version may have its checksum elsewhere, or none. So a version
/// that was altered is another version, and everything after it damage.
BOOST_FIXTURE_TEST_CASE(every_bit_of_the_header, GoodPool) {
    for (std::size_t at = 0; at < sizeof(Header); ++at)
        for (unsigned bit = 0; bit < 8; ++bit) {
            std::string bytes = good;
            bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
            const std::string expected = at < offsetof(Header, byte_order)    ? text(errc::not_a_pool)
                                         : at < offsetof(Header, major)       ? text(errc::damaged)
                                         : at < offsetof(Header, header_size) ? text(errc::other_version)
                                                                              : text(errc::damaged);
            BOOST_TEST_CONTEXT("bit " << bit << " of byte " << at) BOOST_TEST(opened(bytes) == expected);
        }
}

BOOST_FIXTURE_TEST_CASE(every_way_to_be_too_short, GoodPool) {
    for (std::size_t length = 0; length < good.size(); length += length < 200     ? 1
                                                                 : length < 8192  ? 127
                                                                 : length < 65536 ? 4093
                                                                                  : 20011) {
        BOOST_TEST_CONTEXT("cut to " << length << " bytes")
        BOOST_TEST(opened(good.substr(0, length)) == (length < 8 ? text(errc::not_a_pool) : text(errc::truncated)));
    }
    BOOST_TEST(opened(good.substr(0, good.size() - 1)) == text(errc::truncated));
    BOOST_TEST(opened(good + std::string(70'000, 'x')) == "success"); // growth that was cut off by a crash looks so
}

BOOST_FIXTURE_TEST_CASE(a_file_that_belongs_to_somebody_else, GoodPool) {
    if (::geteuid() != 0) skip("only root can give files away");
    constexpr uid_t somebody = 1234, somebody_else = 4321;
    write_bytes(path, good);
    BOOST_REQUIRE(::chmod(path.c_str(), 0666) == 0);
    BOOST_REQUIRE(::chmod(directory.path().c_str(), 0755) == 0);
    const auto opened_as = [&](uid_t who, uid_t owner, bool any_owner) {
        BOOST_REQUIRE(::chown(path.c_str(), owner, owner) == 0);
        std::string result;
        Process child([&] {
            BOOST_REQUIRE(::setresgid(who, who, who) == 0);
            BOOST_REQUIRE(::setresuid(who, who, who) == 0);
            const std::string got = outcome([&] { const Pool pool(path, {.any_owner = any_owner}); });
            ::_exit(got == "success" ? 10 : got == text(errc::permission) ? 11 : 12);
        });
        return child.wait().code;
    };
    BOOST_TEST(opened_as(somebody, somebody, false) == 10);
    BOOST_TEST(opened_as(somebody, 0, false) == 10);
    BOOST_TEST(opened_as(somebody, somebody_else, false) == 11);
    BOOST_TEST(opened_as(somebody, somebody_else, true) == 10);
    BOOST_TEST(opened_as(0, somebody_else, false) == 11); // root does not trust a file of others either
    BOOST_TEST(opened_as(0, somebody_else, true) == 10);
    BOOST_REQUIRE(::chmod(path.c_str(), 0600) == 0);
    BOOST_TEST(opened_as(somebody, somebody_else, true) == 11); // the kernel's own refusal
}

BOOST_AUTO_TEST_SUITE_END()
