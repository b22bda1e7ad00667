// Offsets: what lies in a domain's committed bytes is reached, everything else is refused.
#include "pool/support.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

BOOST_AUTO_TEST_SUITE(pool_region)

using namespace ss;
using namespace ss::test;

namespace {

struct TwoDomains {
    TempDir directory;
    Pool pool{directory / "pool", {.max_size = 16 * mebi, .domains = 2}};
    Attachment& attachment = *pool.attachment();
    const Region& first = attachment.region(0);
    const Region& second = attachment.region(1);
};

struct alignas(32) Thing {
    Word words[4];
};

} // namespace

BOOST_FIXTURE_TEST_CASE(nothing_is_reached_before_it_is_committed, TwoDomains) {
    BOOST_TEST(first.size() == 0U);
    BOOST_TEST(!first.contains(first.begin(), 1));
    BOOST_TEST(outcome([&] { (void)first.word(first.begin()); }) == text(errc::damaged));
    attachment.grow(0, 4096);
    BOOST_TEST(first.size() >= 4096U);
    BOOST_TEST(first.contains(first.begin(), first.size()));
    BOOST_TEST(second.size() == 0U);
    BOOST_TEST(second.begin() == first.begin() + attachment.header().region_stride);
}

BOOST_FIXTURE_TEST_CASE(edges, TwoDomains) {
    attachment.grow(0, 100'000);
    attachment.grow(1, 100'000);
    for (const Region* region : {&first, &second}) {
        const std::uint64_t begin = region->begin(), end = region->end(), most = ~std::uint64_t{0};
        put(region->word(begin), 1);
        put(region->word(end - 8), 2);
        BOOST_TEST(region->words(begin, region->size() / 8) == &region->word(begin));
        const auto refused = [&](auto f) { BOOST_TEST(outcome(f) == text(errc::damaged)); };
        for (const std::uint64_t offset : {std::uint64_t{0}, begin - 8, end, end - 4, begin + 1, begin + 4, most,
                                           most - 7, begin + (std::uint64_t{1} << 63)})
            refused([&] { (void)region->word(offset); });
        refused([&] { (void)region->words(begin, region->size() / 8 + 1); });
        refused([&] { (void)region->words(begin + 8, region->size() / 8); });
        refused([&] { (void)region->words(end - 8, 2); });
        refused([&] { (void)region->words(begin, std::uint64_t{1} << 61); }); // times 8 it would be 0
        refused([&] { (void)region->words(begin, most); });
        Thing& thing = region->at(Offset<Thing>{end - sizeof(Thing)});
        BOOST_TEST(region->offset_of(&thing) == end - sizeof(Thing));
        BOOST_TEST((region->offset_to(thing) == Offset<Thing>{end - sizeof(Thing)}));
        refused([&] { (void)region->at(Offset<Thing>{}); });
        refused([&] { (void)region->at(Offset<Thing>{end - 8}); });
        refused([&] { (void)region->at(Offset<Thing>{begin + 8}); });
        BOOST_TEST(region->contains(end, 0));
        BOOST_TEST(!region->contains(end, 1));
        BOOST_TEST(!region->contains(begin + 1, most));
    }
    BOOST_TEST(!static_cast<bool>(Offset<Thing>{}));
    BOOST_TEST(static_cast<bool>(Offset<Thing>{1}));
}

BOOST_FIXTURE_TEST_CASE(growth_by_others_is_seen, TwoDomains) {
    attachment.grow(1, 4096);
    const std::uint64_t before = second.size();
    Word* const address = &second.word(second.begin());
    Process child([&] {
        const Pool other(directory / "pool");
        other.attachment()->grow(1, mebi);
        put(other.attachment()->region(1).word(other.attachment()->region(1).begin() + mebi), 3);
    });
    child.expect_clean();
    BOOST_TEST(load(second.word(second.begin() + mebi)) == 3U);
    BOOST_TEST(second.size() >= before + mebi);
    BOOST_TEST(&second.word(second.begin()) == address); // nothing has moved
}

BOOST_FIXTURE_TEST_CASE(a_size_that_the_file_does_not_have_is_not_believed, TwoDomains) {
    attachment.grow(1, 4096);
    const std::uint64_t size = second.size();
    Word& committed = attachment.domain_state(1).committed;
    for (const std::uint64_t nonsense :
         {2 * mebi, attachment.header().region_stride, 100 * mebi, ~std::uint64_t{0}}) {
        put(committed, nonsense);
        BOOST_TEST(second.size() == size);
        BOOST_TEST(!second.contains(second.begin() + size, 8));
    }
    put(committed, size);
    BOOST_TEST(second.size() == size);
    attachment.grow(1, 4096);
    BOOST_TEST(second.size() > size);
    // Nor is it in a process that has lost the descriptor of a pool without a path.
    const Pool memory = Pool::anonymous(small_pool);
    memory.attachment()->grow(0, 4096);
    Process child([&] {
        (void)token_of(memory);
        ::close(memory.fd());
        const Region& region = memory.attachment()->region(0);
        const std::uint64_t known = region.size();
        put(memory.attachment()->domain_state(0).committed, 8 * mebi);
        BOOST_TEST(region.size() == known);
    });
    child.expect_clean();
}

BOOST_AUTO_TEST_CASE(one_who_lost_the_descriptor_sees_growth_all_the_same) {
    const Pool pool = Pool::anonymous(small_pool);
    pool.attachment()->grow(0, 4096);
    const std::uint64_t before = pool.attachment()->region(0).size();
    Process child([&] {
        const Pool mine = Pool::from_fd(pool.fd());
        BOOST_TEST(mine.attachment()->region(0).size() == before);
        ::close(mine.fd());
        pool.attachment()->grow(0, mebi);
        const Region& region = mine.attachment()->region(0);
        BOOST_TEST(load(region.word(region.begin() + mebi)) == 0U);
        BOOST_TEST(region.size() >= before + mebi);
    });
    child.expect_clean();
}

BOOST_FIXTURE_TEST_CASE(growing_to_the_end_and_no_further, TwoDomains) {
    const std::uint64_t stride = attachment.header().region_stride;
    BOOST_TEST(outcome([&] { attachment.grow(0, stride + 1); }) == text(errc::past_max_size));
    BOOST_TEST(outcome([&] { attachment.grow(0, ~std::uint64_t{0}); }) == text(errc::past_max_size));
    BOOST_TEST(first.size() == 0U);
    attachment.grow(0, stride);
    BOOST_TEST(first.size() == stride);
    BOOST_TEST(outcome([&] { attachment.grow(0, 1); }) == text(errc::past_max_size));
    put(first.word(first.end() - 8), 1);
    attachment.grow(1, 1); // the other has its own
    BOOST_TEST(second.size() >= 4096U);
    BOOST_TEST(load(second.word(second.begin())) == 0U);
}

BOOST_FIXTURE_TEST_CASE(shrinking_gives_back_and_growing_takes_again, TwoDomains) {
    attachment.grow(0, 2 * mebi);
    attachment.grow(1, 2 * mebi);
    put(first.word(first.begin() + mebi + 8), 5);
    const auto allocated = [&] { return os::status(pool.fd(), "pool").allocated; };
    const std::uint64_t before = allocated();
    attachment.shrink(0, mebi);
    BOOST_TEST(first.size() == mebi);
    BOOST_TEST(allocated() <= before - mebi);
    BOOST_TEST(!first.contains(first.begin() + mebi, 8));
    attachment.shrink(0, 2 * mebi); // more than there is
    BOOST_TEST(first.size() == mebi);
    attachment.grow(0, mebi);
    BOOST_TEST(load(first.word(first.begin() + mebi + 8)) == 0U);
    BOOST_TEST(allocated() >= before);
}

BOOST_AUTO_TEST_SUITE_END()
