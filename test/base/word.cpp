// Words in shared memory, and the two halves of a seqlock.
#include <ss/base/word.hpp>

#include "support/process.hpp"
#include "support/sanitizer.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <type_traits>

#include <sys/mman.h>

BOOST_AUTO_TEST_SUITE(base_word)

using namespace ss;
using namespace ss::test;

BOOST_AUTO_TEST_CASE(what_is_put_is_loaded) {
    alignas(64) Word word = 0;
    put(word, 0x0123'4567'89AB'CDEFU);
    BOOST_TEST(load(word) == 0x0123'4567'89AB'CDEFU);
    put_release(word, ~Word{0});
    BOOST_TEST(load_acquire(word) == ~Word{0});
    BOOST_TEST(load_after_all(word) == ~Word{0});
    fence_release(word);
    BOOST_TEST(load(word) == ~Word{0});
    static_assert(word_size == 8 && std::is_same_v<Word, std::uint64_t>);
}

namespace {

/// A version and two words that are always equal when the version is even and has not moved.
struct Pair {
    alignas(64) Word version;
    alignas(64) Word left;
    alignas(64) Word right;
};

} // namespace

BOOST_AUTO_TEST_CASE(a_reader_that_validates_never_sees_half_of_a_change) {
    const Watchdog dog(60, "the seqlock");
    void* const memory = ::mmap(nullptr, sizeof(Pair), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    BOOST_REQUIRE(memory != MAP_FAILED);
    auto& pair = *static_cast<Pair*>(memory);
    Process writer([&] {
        for (Word value = 1;; ++value) {
            put(pair.version, load(pair.version) + 1);
            fence_release(pair.version);
            put(pair.left, value);
            put(pair.right, value);
            put_release(pair.version, load(pair.version) + 1);
        }
    });
    std::uint64_t validated = 0, torn = 0;
    for (Word last = 0; validated < 200'000 / slowness;) {
        const Word before = load_acquire(pair.version);
        if (before % 2 != 0) continue;
        const Word left = load(pair.left);
        const Word right = load(pair.right);
        if (load_after_all(pair.version) != before) continue;
        ++validated;
        if (left != right || left < last) ++torn;
        last = left;
    }
    BOOST_TEST(torn == 0U);
    BOOST_TEST(writer.kill().killed());
    ::munmap(memory, sizeof(Pair));
}

BOOST_AUTO_TEST_SUITE_END()
