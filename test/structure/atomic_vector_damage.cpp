// Words of an AtomicVector that are not what they were: verify names them, and nobody is led outside.
#include "structure/atomic_vector_support.hpp"
#include "support/expect.hpp"
#include "support/process.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>

BOOST_AUTO_TEST_SUITE(structure_atomic_vector_damage)

using namespace ss::test;
using ss::AtomicVector;
using ss::errc;
using ss::Word;

BOOST_AUTO_TEST_CASE(words_of_a_head_that_are_not_what_they_were) {
    const ss::Pool pool = ss::Pool::anonymous();
    AtomicVector<std::uint16_t> vector(pool, "v");
    vector.expand(1000);
    const auto step = [&] {
        using Domain = ss::Domain<ss::DefaultAllocator, ss::DefaultLock>;
        const auto object = *ss::find_object(vector.domain().core(), "v");
        ss::detail::Growth growth;
        return vector.domain().run([&](Domain::Tx& tx) {
            return ss::detail::VectorExpander<Domain::Tx>(tx, object).step(4'000'000, 2, growth);
        });
    };
    while (ss::load(head_of(vector).pending) == 0) BOOST_REQUIRE(!step());
    // In a child: whatever becomes of it, it ends well.
    Process child([&] {
        const Watchdog dog(200, "damage");
        const auto attempt = [](auto f) {
            try {
                f();
            } catch (const ss::Error&) {
            } catch (const std::out_of_range&) {}
        };
        ss::detail::VectorHead& head = head_of(vector);
        const ss::detail::VectorHead right = head;
        auto* const words = reinterpret_cast<Word*>(&head);
        const std::size_t reserved = offsetof(ss::detail::VectorHead, reserved) / 8;
        const std::size_t waits = offsetof(ss::detail::VectorHead, waits) / 8;
        for (std::size_t i = 0; i < sizeof head / 8; ++i)
            for (const Word value :
                 {Word{0}, ~Word{0}, words[i] ^ 1, words[i] ^ Word{1} << 20, words[i] ^ Word{1} << 61, words[i] + 64,
                  words[i] / 2, Word{1} << 47, Word{1} << 62}) {
                const Word before = words[i];
                if (value == before) continue;
                words[i] = value;
                const bool may_be_anything = (i >= reserved && i < reserved + 6) || i >= waits;
                // An expander may have died before he could publish, or between two steps.
                const bool is_unpublished = (&words[i] == &head.published && value < before) ||
                                            (&words[i] == &head.wanted && value > before && value <= before + 64);
                const bool is_less_zeroed = &words[i] == &head.zeroed && value != 0 && value % 8 == 0 &&
                                            value <= before + 64; // the pool is new: zero all the same
                if (!may_be_anything && !is_unpublished && !is_less_zeroed && pool.verify().empty())
                    BOOST_ERROR("verify does not see word " << i << " as " << value);
                // No writing where it would go astray; but looking, at every segment.
                for (const std::uint64_t index : {0ULL, 31ULL, 32ULL, 511ULL, 999ULL, 1000ULL, 5000ULL, 1ULL << 40,
                                                  1ULL << 52, 1ULL << 62, ~0ULL})
                    attempt([&] { (void)vector.load(index); });
                attempt([&] { (void)vector.size(); });
                attempt([&] { (void)vector.snapshot(); });
                attempt([&] { (void)vector.verify(); });
                attempt([&] { (void)vector.stats(); });
                attempt([&] { (void)AtomicVector<std::uint16_t>(pool, "v").load(999); });
                std::memcpy(static_cast<void*>(&head), &right, sizeof head);
            }
        // Bytes past the last element.
        ss::detail::element_at<std::uint16_t>(vector.domain().region(), head, 1001) = 1;
        BOOST_TEST(wrong_with(pool).find("is not zero past the last element") != std::string::npos);
        ss::detail::element_at<std::uint16_t>(vector.domain().region(), head, 1001) = 0;
        // And those of a segment that is to be zero already.
        auto& zeroed = *vector.domain().region().words(ss::detail::AlignedBlock::use(head.pending), 1);
        zeroed = 1;
        BOOST_TEST(wrong_with(pool).find("is not zero as far as it is said to be") != std::string::npos);
        zeroed = 0;
        BOOST_TEST(wrong_with(pool) == "");
    });
    child.expect_clean();
}

BOOST_AUTO_TEST_SUITE_END()
