// Every allocator of ours does what an allocator must, and each what it alone promises.
#include <ss/alloc/concept.hpp>
#include <ss/alloc/logarithmic/tree_word.hpp>
#include <ss/alloc/logarithmic_allocator.hpp>
#include <ss/alloc/segregated/pages.hpp>
#include <ss/alloc/segregated/size_classes.hpp>
#include <ss/alloc/segregated_allocator.hpp>
#include <ss/alloc/simple_allocator.hpp>
#include <ss/base/bits.hpp>
#include <ss/base/error.hpp>
#include <ss/base/word.hpp>

#include "alloc/conformance.hpp"
#include "alloc/model_heap.hpp"
#include "alloc/world.hpp"
#include "support/sanitizer.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace {

using namespace ss;
using namespace ss::test;

using Options = ModelHeap::Options;

// --- all of them

BOOST_AUTO_TEST_CASE(simple_conforms) { check_allocator_policy<SimpleAllocator>(); }
BOOST_AUTO_TEST_CASE(logarithmic_conforms) { check_allocator_policy<LogarithmicAllocator>(); }
BOOST_AUTO_TEST_CASE(segregated_conforms) { check_allocator_policy<SegregatedAllocator>(); }

/// Bytes asked for over bytes of heap, at worst, while `count` blocks of 1 to 1024 bytes are replaced at random.
template <AllocatorPolicy A>
double worst_use(std::uint64_t count, std::uint64_t replacements) {
    ModelHeap heap(Options{.limit = gibi});
    auto& state = heap.state<A>();
    A::initialize(state, heap);
    Random random(11);
    std::vector<std::pair<std::uint64_t, std::uint64_t>> blocks;
    std::uint64_t asked = 0;
    double worst = 1;
    for (std::uint64_t i = 0; i < count + replacements; ++i) {
        const std::uint64_t size = between(random, 1, 1024);
        if (i >= count) {
            std::swap(blocks[random() % count], blocks.back());
            A::free(state, heap, blocks.back().first);
            asked -= blocks.back().second;
            blocks.pop_back();
        }
        blocks.emplace_back(A::allocate(state, heap, size, 8), size);
        asked += size;
        heap.commit();
        if (i + 1 >= count)
            worst = std::min(worst, static_cast<double>(asked) / static_cast<double>(heap.end() - heap.begin()));
    }
    return worst;
}

// --- SimpleAllocator

BOOST_AUTO_TEST_CASE(simple_needs_eight_bytes_per_block) {
    World<SimpleAllocator> world;
    const std::uint64_t first = world.allocate(24);
    BOOST_TEST(world.allocate(40) == first + 32);
    BOOST_TEST(world.allocate(1) == first + 32 + 48);
    BOOST_TEST(SimpleAllocator::block_size(world.state(), world.heap(), first) == 24);
    BOOST_TEST(worst_use<SimpleAllocator>(2000, 5000) > 0.85);
}

BOOST_AUTO_TEST_CASE(simple_takes_the_best_fit) {
    World<SimpleAllocator> world;
    std::vector<std::uint64_t> holes;
    for (const std::uint64_t size : {1000U, 200U, 3000U, 104U, 500U}) {
        holes.push_back(world.allocate(size));
        world.allocate(8); // keeps neighbours apart
    }
    for (const std::uint64_t offset : holes) world.free(offset);
    BOOST_TEST(world.allocate(104) == holes[3]);
    BOOST_TEST(world.allocate(150) == holes[1]);
    BOOST_TEST(world.allocate(600) == holes[0]);
    BOOST_TEST(world.allocate(1500) == holes[2]);
    BOOST_TEST(world.allocate(480) == holes[4]);
}

BOOST_AUTO_TEST_CASE(simple_ends_on_a_list_that_is_a_circle) {
    World<SimpleAllocator> world;
    const std::uint64_t one = world.allocate(100);
    world.allocate(8);
    const std::uint64_t two = world.allocate(100);
    world.allocate(8);
    world.free(one);
    world.free(two);
    put(*world.heap().raw(one), two - word_size); // the links of a free block lie where its bytes were
    put(*world.heap().raw(two), one - word_size);
    BOOST_CHECK_THROW(SimpleAllocator::allocate(world.state(), world.heap(), 60'000, 8), Error);
    BOOST_CHECK_THROW((void)SimpleAllocator::bytes_free(world.state(), std::as_const(world.heap())), Error);
    std::vector<std::string> problems;
    SimpleAllocator::verify(world.state(), std::as_const(world.heap()), problems);
    BOOST_TEST(!problems.empty());
}

// --- LogarithmicAllocator

BOOST_AUTO_TEST_CASE(logarithmic_words_are_what_they_say) {
    using namespace logarithmic;
    Random random(4);
    for (int i = 0; i < 20'000; ++i) {
        // At level 1 a child is 8 units: 4 is free as a whole, 0 to 3 is split.
        const unsigned level = 1;
        const unsigned codes[] = {0, 1, 2, 3, 4, 4, 4, taken, block_begins | 3};
        Word word = 0;
        for (unsigned child = 0; child < 8; ++child)
            word = with_child(word, child, codes[random() % std::size(codes)]);
        unsigned most = 0;
        for (unsigned child = 0; child < 8; ++child)
            if (child_of(word, child) <= 4) most = std::max(most, child_of(word, child));
        for (unsigned doublings = 1; doublings <= 3; ++doublings)
            for (unsigned child = 0; child < 8; child += 1U << doublings) {
                bool free = true;
                for (unsigned k = 0; k < 1U << doublings; ++k) free &= child_of(word, child + k) == 4;
                if (free) most = std::max(most, 4 + doublings);
            }
        must(summary(word, level) == most, "a wrong summary");
        for (unsigned order = 0; order < 3; ++order) {
            const unsigned best = best_child(word, level, order);
            unsigned least = 99;
            for (unsigned child = 0; child < 8; ++child)
                if (child_of(word, child) > order && child_of(word, child) <= 4)
                    least = std::min(least, child_of(word, child));
            must(best == 8 ? least == 99 : child_of(word, best) == least, "not the best child");
        }
        for (unsigned doublings = 0; doublings <= 3; ++doublings) {
            const unsigned group = best_group(word, level, doublings);
            must((group == 8) == (most < 4 + doublings), "a group is there, or is not");
            for (unsigned k = 0; group != 8 && k < 1U << doublings; ++k)
                must(child_of(word, group + k) == 4 && group % (1U << doublings) == 0, "a group that is not free");
        }
    }
}

BOOST_AUTO_TEST_CASE(logarithmic_fits_powers_of_two_and_merges_buddies) {
    World<LogarithmicAllocator> world;
    std::vector<std::uint64_t> blocks;
    for (std::uint64_t i = 0; i < 64 * kibi / 32; ++i) {
        blocks.push_back(world.allocate(32));
        must(LogarithmicAllocator::block_size(world.state(), world.heap(), blocks.back()) == 32,
             "a size that is not its own");
        world.commit();
    }
    for (const std::uint64_t size : {64U, 1024U, 65536U})
        BOOST_TEST(LogarithmicAllocator::block_size(world.state(), world.heap(), world.allocate(size)) == size);
    BOOST_TEST(LogarithmicAllocator::block_size(world.state(), world.heap(), world.allocate(1025)) == 2048U);
    for (const std::uint64_t offset : blocks) world.free(offset), world.commit();
    const std::uint64_t end = world.heap().end();
    world.allocate(32 * kibi); // of the blocks that were freed
    BOOST_TEST(world.heap().end() == end);
}

BOOST_AUTO_TEST_CASE(logarithmic_refuses_blocks_past_the_end) {
    using namespace logarithmic;
    World<LogarithmicAllocator> world;
    world.free(world.allocate(32));
    // A tree over 64 KiB, of which 60 are there, is damaged to say that all of it is free.
    put(*world.heap().raw(world.heap().begin()), uniform(whole(3)));
    put(world.state().arenas[0].best, 12);
    for (int i = 0; i < 3; ++i) world.allocate(16 * kibi);
    BOOST_CHECK_THROW(LogarithmicAllocator::allocate(world.state(), world.heap(), 16 * kibi, 8), Error);
}

// --- SegregatedAllocator

BOOST_AUTO_TEST_CASE(segregated_classes_waste_little) {
    using namespace segregated;
    for (const SizeClass& c : classes) {
        const std::uint64_t bytes = c.pages * page_size;
        must(c.head + std::uint64_t{c.blocks} * c.size <= bytes, "the blocks of a class do not fit into its slab");
        must((bytes - std::uint64_t{c.blocks} * c.size) * 40 <= bytes, "a slab wastes more than a fortieth");
        must((c.head == 0 ? 128U : c.head * 8U) >= c.blocks, "a bitmap is too small");
        for (std::uint64_t i = 0; i < bytes; ++i) must(c.index(i) == i / c.size, "a wrong quotient");
        for (unsigned i = 0; i < 16; ++i)
            if ((c.reach >> i & 1) != 0) must((&c)[i].size <= c.size + c.size / 8, "a class reaches too far");
    }
    World<SegregatedAllocator> world(Options{.limit = gibi});
    for (const std::uint64_t alignment : {8U, 16U})
        for (std::uint64_t size = 1; size <= 70'000; size += 1 + size / 300) {
            if (size <= largest_class) must(classes[class_of(size)].size >= size, "a class is too small");
            if (size > 8 && size <= largest_class && class_of(size) > 0)
                must(classes[class_of(size) - 1].size < size, "a smaller class would do");
            // Alone in its class, so that no larger one has room for it.
            World<SegregatedAllocator> alone;
            const std::uint64_t got =
                SegregatedAllocator::block_size(alone.state(), alone.heap(), alone.allocate(size, alignment));
            if (size > 64 && alignment == 8)
                must((got - size) * 8 <= got, "more than an eighth of a block is wasted");
            if (size > 64) must((got - size) * 5 <= got, "more than a fifth of an aligned block is wasted");
        }
}

BOOST_AUTO_TEST_CASE(segregated_uses_nine_tenths_of_its_footprint) {
    BOOST_TEST(worst_use<SegregatedAllocator>(100'000, 1'000'000 / slowness) >= 0.90);
    // A heap of half a MiB has less to share among its classes.
    BOOST_TEST(worst_use<SegregatedAllocator>(1000, 100'000 / slowness) >= 0.60);
}

BOOST_AUTO_TEST_CASE(segregated_starts_small) {
    World<SegregatedAllocator> world(Options{.initial = 16 * kibi, .step = 4 * kibi});
    Random random(8);
    for (int i = 0; i < 64; ++i) world.allocate(between(random, 1, 256)), world.commit();
    BOOST_TEST(world.heap().end() - world.heap().begin() <= 100 * kibi); // about eight KiB are asked for
    World<SegregatedAllocator> uniform(Options{.initial = 16 * kibi, .step = 4 * kibi});
    for (int i = 0; i < 3 * 64; ++i) uniform.allocate(64), uniform.commit();
    BOOST_TEST(uniform.heap().growths() == 0U); // all but the first page, which describes the others
}

BOOST_AUTO_TEST_CASE(segregated_changes_two_words_usually) {
    World<SegregatedAllocator> world;
    for (const std::uint64_t size : {16U, 64U, 200U}) {
        const std::uint64_t first = world.allocate(size);
        world.allocate(size);
        world.allocate(size);
        world.commit();
        world.allocate(size);
        BOOST_TEST(world.heap().entries() == 2U);
        world.commit();
        world.free(first);
        BOOST_TEST(world.heap().entries() == 2U);
        world.commit();
    }
}

BOOST_AUTO_TEST_CASE(segregated_does_not_thrash_at_a_slabs_edge) {
    World<SegregatedAllocator> world;
    for (int i = 0; i < 4; ++i) world.allocate(1024); // fills a slab
    world.free(world.allocate(1024));                 // opens another, which may stay
    world.commit();
    for (int i = 0; i < 10; ++i) {
        world.free(world.allocate(1024));
        BOOST_TEST(world.heap().entries() <= 4U);
        world.commit();
    }
}

BOOST_AUTO_TEST_CASE(segregated_leaves_the_bytes_of_blocks_alone) {
    World<SegregatedAllocator> world;
    Random random(2);
    for (int i = 0; i < 2000; ++i) {
        const std::uint64_t size = any_size(random, 20'000);
        const std::uint64_t offset = world.allocate(size);
        const auto* const bytes = reinterpret_cast<const unsigned char*>(world.heap().raw(offset));
        const std::vector<unsigned char> before(bytes, bytes + size);
        world.free(offset);
        must(std::equal(before.begin(), before.end(), bytes), "free has written into a block");
        if (random() % 2 == 0) world.allocate(size);
        world.commit();
    }
}

BOOST_AUTO_TEST_CASE(segregated_restores_a_spare_slab_that_was_used_otherwise) {
    World<SegregatedAllocator> world(Options{.initial = 16 * kibi, .limit = 16 * kibi});
    world.allocate(4096);
    world.allocate(4096);
    world.free(world.allocate(16)); // its slab is the last page, and stays
    world.commit();
    const auto before = world.savepoint();
    world.allocate(4096); // takes that page, and writes over the bitmap in it
    BOOST_TEST(world.heap().growths() == 0U);
    world.undo_to(before);
    world.check();
    for (int i = 0; i < 254; ++i) world.allocate(16);
    world.check();
}

BOOST_AUTO_TEST_CASE(segregated_refuses_blocks_outside) {
    using namespace segregated;
    for (const std::uint64_t page : {std::uint64_t{100}, std::uint64_t{1} << 40, std::uint64_t{1} << 47}) {
        World<SegregatedAllocator> world;
        world.allocate(100);
        Word* const descriptor = world.heap().raw(world.heap().begin() + descriptor_size); // of page 1
        must(kind_of(load(*descriptor)) == Kind::slab, "page 1 is no slab");
        put(*descriptor, tag(Kind::slab, page, class_in(load(*descriptor))));
        BOOST_CHECK_THROW(SegregatedAllocator::allocate(world.state(), world.heap(), 100, 8), Error);
    }
}

BOOST_AUTO_TEST_CASE(segregated_gives_empty_slabs_back) {
    World<SegregatedAllocator> world;
    Random random(6);
    std::vector<std::uint64_t> small;
    for (int i = 0; i < 20'000; ++i) small.push_back(world.allocate(between(random, 1, 100))), world.commit();
    const std::uint64_t end = world.heap().end();
    std::shuffle(small.begin(), small.end(), random);
    for (const std::uint64_t offset : small) world.free(offset), world.commit();
    // What was a thousand pages of small blocks is one large block now: at most four slabs may still wait.
    std::uint64_t largest = 0;
    SegregatedAllocator::for_each_block(world.state(), world.heap(), [&](const BlockInfo& block) {
        if (!block.allocated) largest = std::max(largest, block.size);
    });
    BOOST_TEST(largest >= (end - world.heap().begin()) / 5);
    world.allocate(largest);
    BOOST_TEST(world.heap().end() == end);
    world.check();
}

} // namespace
