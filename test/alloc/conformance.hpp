// What every allocator policy must do. A policy joins with
//
//     BOOST_AUTO_TEST_CASE(mine_is_an_allocator) { ss::test::check_allocator_policy<MyAllocator>(); }
//
// Each part below is a promise of alloc/concept.hpp. They are loops over accidents: die at the first change, at the
// second, … until the operation is through; refuse the first growth, the second, …; damage some words, some others, …
#pragma once

#include <ss/alloc/concept.hpp>
#include <ss/base/bits.hpp>
#include <ss/base/error.hpp>
#include <ss/base/word.hpp>

#include "alloc/model_heap.hpp"
#include "alloc/world.hpp"
#include "support/sanitizer.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ss::test {

template <AllocatorPolicy A>
class AllocatorConformance {
public:
    using Options = ModelHeap::Options;

    /// Whether `f` throws an Error of this code.
    template <class F>
    static bool throws(errc code, F&& f) {
        try {
            f();
        } catch (const Error& error) { return error.code() == code; }
        return false;
    }

    static void sizes() {
        BOOST_TEST_INFO_SCOPE("sizes");
        World<A> world(Options{.limit = 256 * mebi});
        world.check();
        std::vector<std::uint64_t> all;
        for (std::uint64_t size = 1; size <= 1024; ++size) all.push_back(size);
        for (std::uint64_t power = 1024; power <= 4 * mebi; power *= 2)
            for (const std::uint64_t size : {power - 1, power, power + 1, power + power / 2}) all.push_back(size);
        Random random(1);
        for (const std::uint64_t alignment : {8U, 16U}) {
            for (const std::uint64_t size : all) world.allocate(size, alignment), world.commit();
            world.check();
            for (int i = 0; i < 1000; ++i) world.free_any(random), world.commit();
        }
        world.check();
        world.free_all(random);
        world.check();
        must(A::bytes_allocated(world.state()) == 0, "bytes are allocated when all is freed");
    }

    static void wrong_arguments() {
        BOOST_TEST_INFO_SCOPE("wrong arguments");
        World<A> world;
        ModelHeap& heap = world.heap();
        const std::uint64_t limit = std::uint64_t{1} << 47;
        const auto allocate = [&](std::uint64_t size, std::uint64_t alignment) {
            return [&, size, alignment] { (void)A::allocate(world.state(), heap, size, alignment); };
        };
        BOOST_TEST(throws(errc::too_large, allocate(limit + 1, 8)));
        BOOST_TEST(throws(errc::too_large, allocate(~std::uint64_t{0}, 16)));
        BOOST_TEST(throws(errc::past_max_size, allocate(heap.end() * 10'000, 8)));
        for (const std::uint64_t alignment : {0U, 1U, 4U, 24U, 32U}) {
            BOOST_TEST(throws(errc::invalid_argument, allocate(8, alignment)));
            BOOST_TEST(throws(errc::invalid_argument, allocate(100'000, alignment)));
        }
        BOOST_TEST(heap.entries() == 0);
        BOOST_TEST(heap.end() == heap.begin() + Options{}.initial);
        world.allocate(1);
        world.check();
    }

    static void churn() {
        BOOST_TEST_INFO_SCOPE("churn");
        for (const std::uint64_t step : {4 * kibi, 64 * kibi}) {
            Random random(step);
            World<A> world(Options{.initial = step, .step = step});
            for (int round = 0; round < 30; ++round) {
                world.churn(random, 1000, between(random, 0, 4 * mebi));
                world.check();
            }
            world.free_all(random);
            world.check();
            must(A::bytes_free(world.state(), world.heap()) >= (world.heap().end() - world.heap().begin()) * 8 / 10,
                 "all is freed, but not free");
        }
    }

    /// The same again and again needs no more space than once: free space is put together again.
    static void endurance() {
        BOOST_TEST_INFO_SCOPE("endurance");
        World<A> world;
        std::uint64_t first = 0;
        std::uint64_t settled = 0;
        for (int round = 0; round < 20; ++round) {
            Random random(7);
            world.churn(random, 3000, 2 * mebi);
            world.free_all(random);
            if (round == 0) first = world.heap().end();
            if (round == 2) settled = world.heap().end();
        }
        must(settled <= first + first / 8, "the same work needs more space than the first time");
        must(world.heap().end() == settled, "the same work needs more and more space");
        world.check();
    }

    static void wrong_frees() {
        BOOST_TEST_INFO_SCOPE("wrong frees");
        World<A> world;
        Random random(3);
        world.churn(random, 3000, mebi);
        ModelHeap& heap = world.heap();
        const auto refused = [&](std::uint64_t offset) {
            const std::uint64_t before = heap.entries();
            bool fine = throws(errc::damaged, [&] { A::free(world.state(), heap, offset); });
            fine &= throws(errc::damaged, [&] { (void)A::block_size(world.state(), std::as_const(heap), offset); });
            heap.rollback(before);
            return fine;
        };
        for (const std::uint64_t offset :
             {std::uint64_t{0}, std::uint64_t{8}, heap.begin() - 8, heap.begin(), heap.end(), heap.end() - 8,
              heap.end() + 4096, ~std::uint64_t{0}, ~std::uint64_t{7}})
            if (!world.blocks().contains(offset)) must(refused(offset), "a wrong offset is freed");
        for (const auto& [offset, block] : world.blocks()) {
            must(refused(offset + 1), "a misaligned offset is freed");
            for (const std::uint64_t inside :
                 {std::uint64_t{8}, std::uint64_t{16}, std::uint64_t{32}, align_down(block.size / 2, 8),
                  block.size - 8, align_up(offset, 4096) - offset})
                if (inside > 0 && inside < block.size)
                    must(refused(offset + inside), "the middle of a block is freed");
        }
        for (int i = 0; i < 500; ++i) {
            const std::uint64_t offset = world.any(random);
            world.free(offset);
            must(refused(offset), "a block is freed twice");
            world.commit();
            world.churn(random, 4, mebi);
        }
        world.check();
    }

    /// What an allocation or a free leaves behind when it is undone, at whichever change it is interrupted: nothing.
    static void death() {
        BOOST_TEST_INFO_SCOPE("death at every change");
        for (std::uint64_t seed = 0; seed < 40; ++seed) {
            Random random(seed);
            const std::uint64_t step = seed % 2 == 0 ? 4 * kibi : 64 * kibi;
            World<A> world(Options{.initial = 16 * kibi, .limit = 16 * mebi, .step = step});
            world.churn(random, seed * seed * 2, between(random, 0, 400'000), seed % 3 == 0 ? 64 : 20'000);
            const std::uint64_t script = random();
            World<A> victim(world);
            World<A> twin(world);
            for (std::uint64_t n = 1;; ++n) {
                victim = world;
                victim.heap().die_at(n);
                const auto before = victim.savepoint();
                bool died = false;
                try {
                    run_transaction(victim, script);
                } catch (const Death&) { died = true; }
                // Undone either way: a kill one instruction before the commit has changed all that there is to change.
                victim.undo_to(before);
                must_be_as_before(victim, world, twin, script + n);
                if (!died) break;
            }
        }
    }

    /// An operation within a transaction that fails is undone alone: what the transaction did before stays.
    static void savepoints() {
        BOOST_TEST_INFO_SCOPE("savepoints");
        for (std::uint64_t seed = 0; seed < 60; ++seed) {
            Random random(seed);
            World<A> world(Options{.initial = 16 * kibi});
            world.churn(random, seed * 50, 100'000, 20'000);
            const std::uint64_t start = random();
            const World<A> before(world);
            World<A> twin(world);
            Random script(start);
            Random twin_script(start);
            const auto begin = world.savepoint();
            for (int i = 0; i < 10; ++i) {
                allocate_some(world, script);
                allocate_some(twin, twin_script);
                const auto point = world.savepoint();
                Random lost(start + static_cast<std::uint64_t>(i));
                allocate_some(world, lost);
                world.undo_to(point);
                world.check_sound();
                must(same_blocks(world, twin), "an undone part of a transaction leaves traces");
                twin.heap().reach(world.heap());
            }
            world.undo_to(begin);
            must_be_as_before(world, before, twin, start);
        }
    }

    /// A heap that does not grow: the call throws and has changed nothing, and all goes on when there is room again.
    static void refused_growth() {
        BOOST_TEST_INFO_SCOPE("refused growth");
        for (std::uint64_t seed = 0; seed < 20; ++seed) {
            Random random(seed);
            World<A> world(Options{.initial = 8 * kibi, .limit = 32 * mebi, .step = 4 * kibi});
            for (std::uint64_t n = 1; n < 20; ++n) {
                world.heap().refuse_growth(1);
                bool refused = false;
                for (int i = 0; i < 10'000 && !refused; ++i) {
                    const auto before = world.savepoint();
                    const std::uint64_t changes = world.heap().changes();
                    refused = throws(errc::out_of_space, [&] { world.allocate(any_size(random), 8); });
                    if (!refused) {
                        world.commit();
                        if (random() % 3 == 0) world.free_any(random), world.commit();
                        continue;
                    }
                    must(world.heap().changes() == changes, "an allocation that was refused has changed something");
                    must(world.heap().entries() == before.entries, "an allocation that was refused left entries");
                }
                must(refused, "the heap never had to grow");
                world.check();
            }
        }
    }

    /// A heap at its limit is used up to the brim, and as good as new when it has been emptied.
    static void to_the_brim() {
        BOOST_TEST_INFO_SCOPE("to the brim");
        for (const std::uint64_t size : {40U, 900U, 5000U, 0U}) {
            Random random(size);
            World<A> world(Options{.initial = 16 * kibi, .limit = mebi, .step = 4 * kibi});
            std::vector<std::uint64_t> counts;
            for (int round = 0; round < 3; ++round) {
                const auto allocate = [&] { world.allocate(size != 0 ? size : any_size(random, 8000), 8); };
                for (int failures = 0; failures < (size != 0 ? 1 : 20);) {
                    if (throws(errc::past_max_size, allocate)) ++failures;
                    world.commit();
                }
                world.check();
                counts.push_back(world.blocks().size());
                must(world.asked() > (world.heap().end() - world.heap().begin()) / 3,
                     "most of a full heap is unused");
                world.free_all(random);
                world.check();
            }
            if (size != 0) must(counts[1] >= counts[0] && counts[2] >= counts[1], "each time less fits in");
        }
    }

    /// trim gives back what is free at the end, can be interrupted, and leaves a heap that works.
    static void trim() {
        BOOST_TEST_INFO_SCOPE("trim");
        for (std::uint64_t seed = 0; seed < 8; ++seed) {
            Random random(seed);
            World<A> world(Options{.initial = 16 * kibi, .step = 4 * kibi});
            for (int round = 0; round < 6; ++round) {
                world.churn(random, 400, 300'000);
                if (round % 3 == 1)
                    while (world.blocks().size() > 5)
                        world.free(std::prev(world.blocks().end())->first), world.commit();
                if (round % 3 == 2) world.free_all(random);
                World<A> victim(world);
                World<A> twin(world);
                for (std::uint64_t n = 1;; n += 1 + n / 16) {
                    victim = world;
                    victim.heap().die_at(n);
                    const auto before = victim.savepoint();
                    try {
                        A::trim(victim.state(), victim.heap());
                    } catch (const Death&) {
                        victim.undo_to(before);
                        must_be_as_before(victim, world, twin, seed + n);
                        continue;
                    }
                    break;
                }
                const std::uint64_t end = A::trim(world.state(), world.heap());
                if constexpr (requires { A::trim_entries; })
                    must(world.heap().entries() <= A::trim_entries,
                         "trim writes more journal entries than it states");
                world.commit();
                must(is_aligned(end, 4096) && end >= world.heap().begin() && end <= world.heap().end(),
                     "trim returns an end that cannot be");
                for (const auto& [offset, block] : world.blocks())
                    must(offset + block.size <= end, "trim gives a block away");
                if (round % 3 == 1)
                    must(end <= align_up(std::prev(world.blocks().end())->first + 300'000, 4096),
                         "trim gives back too little");
                if (world.blocks().empty()) must(end <= world.heap().begin() + 4096, "trim keeps an empty heap");
                world.check();
                if (end < world.heap().end()) world.heap().shrink(end);
                world.check();
            }
            world.churn(random, 500, 300'000);
            world.check();
        }
    }

    /// Some words are not what they were: everything works or throws an Error, in finite time, within the heap.
    static void damage() {
        BOOST_TEST_INFO_SCOPE("damage");
        Random random(99);
        const auto rounds = static_cast<std::uint64_t>(2000 / slowness);
        std::uint64_t found = 0;
        std::optional<World<A>> sound;
        std::optional<World<A>> damaged;
        for (std::uint64_t round = 0; round < rounds; ++round) {
            if (round % 20 == 0) {
                sound.emplace(Options{.initial = 16 * kibi, .limit = 4 * mebi, .step = 4 * kibi});
                sound->churn(random, round % 1000, 200'000, 20'000);
                damaged.emplace(*sound);
            }
            *damaged = *sound;
            damage_words(*damaged, random);
            if (use_damaged(*damaged, random)) ++found;
        }
        must(found > rounds / 4, "hardly any damage is found");
    }

    /// Blocks of more than memory has: only the words that describe them are touched.
    static void huge() {
        BOOST_TEST_INFO_SCOPE("huge");
        Random random(5);
        World<A> world(Options{.limit = 64 * gibi});
        world.churn(random, 300, 100'000);
        for (const std::uint64_t size : {gibi, 3 * gibi + 1, 100 * mebi, 2 * gibi - 1}) {
            world.allocate(size);
            world.commit();
            world.churn(random, 100, 100'000);
        }
        world.check();
        world.free_all(random);
        world.check();
        must(A::bytes_free(world.state(), world.heap()) > 3 * gibi, "huge blocks were not given back");
        must(A::trim(world.state(), world.heap()) <= world.heap().begin() + 4096, "trim keeps huge free blocks");
        world.commit();
        world.check();
    }

    /// An allocator must not depend on where the heap begins, nor find the heap empty.
    static void grown_before() {
        BOOST_TEST_INFO_SCOPE("space left by an undone growth");
        World<A> world(Options{.begin = 4096 * 257, .initial = 4096, .limit = 4 * mebi, .step = 4096});
        const auto before = world.savepoint();
        world.allocate(mebi);
        world.undo_to(before);
        const std::uint64_t growths = world.heap().growths();
        must(A::bytes_free(world.state(), world.heap()) > mebi,
             "bytes_free forgets the space past the allocator's end");
        for (int i = 0; i < 100; ++i) world.allocate(8000), world.commit();
        must(world.heap().growths() == growths, "the heap grows though there is space past the allocator's end");
        world.check();
    }

    /// A block that is prepared comes in small steps whatever goes on between them, then without growth; and a step that is
    /// interrupted leaves nothing behind.
    static void preparing() {
        BOOST_TEST_INFO_SCOPE("preparing");
        if constexpr (prepares<A>) {
            for (std::uint64_t seed = 0; seed < 24; ++seed) {
                Random random(seed);
                World<A> world(Options{.initial = 16 * kibi, .limit = 256 * mebi, .step = 4 * kibi});
                world.churn(random, seed * 100, between(random, 0, 400'000), 20'000);
                const std::uint64_t size =
                    seed % 4 == 0 ? between(random, 1, 5000) : between(random, 100'000, 8 * mebi);
                const std::uint64_t step = between(random, 4 * kibi, 128 * kibi);
                World<A> victim(world);
                World<A> twin(world);
                std::uint64_t calls = 0;
                for (bool ready = false; !ready; ++calls) {
                    must(calls < 8 + 8 * size / step, "preparing comes to no end");
                    for (std::uint64_t n = 1; n < 40 && calls % 16 == seed % 16; ++n) {
                        victim = world;
                        victim.heap().die_at(n);
                        const auto before = victim.savepoint();
                        bool died = false;
                        try {
                            (void)A::prepare(victim.state(), victim.heap(), size, step);
                        } catch (const Death&) { died = true; }
                        victim.undo_to(before);
                        must_be_as_before(victim, world, twin, seed + n);
                        if (!died) break;
                    }
                    const std::uint64_t end = world.heap().end();
                    ready = A::prepare(world.state(), world.heap(), size, step);
                    must(world.heap().end() - end <= step + 12 * kibi, "a step of preparing is too long");
                    must(world.heap().entries() <= A::allocate_entries, "preparing writes too many journal entries");
                    world.commit();
                    world.check_sound();
                    if (!ready) world.churn(random, 10, 400'000, step / 64);
                }
                world.heap().refuse_growth(1);
                world.allocate(size);
                world.commit();
                world.heap().refuse_growth(0);
                world.churn(random, 100, 400'000);
                world.check();
                // Refused room is no harm, and what can never be is left to allocate.
                world.heap().refuse_growth(1);
                (void)throws(errc::out_of_space,
                             [&] { (void)A::prepare(world.state(), world.heap(), 64 * mebi, step); });
                must(world.heap().entries() == 0, "preparing that was refused has changed something");
                world.check();
                must(A::prepare(world.state(), world.heap(), ~std::uint64_t{0}, step), "what cannot be is prepared");
            }
        }
    }

    static void all() {
        sizes();
        wrong_arguments();
        churn();
        endurance();
        wrong_frees();
        death();
        savepoints();
        refused_growth();
        to_the_brim();
        trim();
        damage();
        huge();
        grown_before();
        preparing();
    }

private:
    static void allocate_some(World<A>& world, Random& random) {
        for (std::uint64_t i = between(random, 1, 4); i > 0; --i) world.allocate(any_size(random, 70'000), 8);
    }

    /// As a structure does it: allocations, whose owners write into them at once, then the frees.
    static void run_transaction(World<A>& world, std::uint64_t script) {
        Random random(script);
        allocate_some(world, random);
        if (random() % 3 == 0) world.allocate(between(random, 200'000, 2 * mebi), 8);
        for (std::uint64_t i = between(random, 0, 4); i > 0 && !world.blocks().empty(); --i) world.free_any(random);
    }

    static bool same_blocks(const World<A>& one, const World<A>& other) {
        return std::equal(
            one.blocks().begin(), one.blocks().end(), other.blocks().begin(), other.blocks().end(),
            [](const auto& a, const auto& b) { return a.first == b.first && a.second.size == b.second.size; });
    }

    /// `victim` has been undone to what `world` is: it must be sound and from here on do exactly as `world` would,
    /// which `twin` shows.
    static void must_be_as_before(World<A>& victim, const World<A>& world, World<A>& twin, std::uint64_t script) {
        victim.commit();
        victim.check();
        twin = world;
        twin.heap().reach(victim.heap());
        victim.heap().reach(twin.heap());
        Random first(script);
        Random second(script);
        victim.churn(first, 20, 100'000, 20'000);
        twin.churn(second, 20, 100'000, 20'000);
        must(same_blocks(victim, twin), "a rolled back operation has changed what comes after");
        victim.check();
    }

    static void damage_words(World<A>& world, Random& random) {
        // Only words that are the allocator's: its state, and the heap outside of blocks.
        std::vector<Word*> targets;
        ModelHeap& heap = world.heap();
        for (std::uint64_t i = 0; i < sizeof(typename A::State) / word_size; ++i)
            targets.push_back(heap.state_words() + i);
        const std::size_t of_state = targets.size();
        std::uint64_t offset = heap.begin();
        for (const auto& [begin, block] : world.blocks()) {
            for (; offset < begin; offset += word_size) targets.push_back(heap.raw(offset));
            offset = begin + block.size;
        }
        for (std::uint64_t n = between(random, 1, 8); n > 0; --n) {
            // Words that are not 0 are more likely to be looked at.
            Word* word = nullptr;
            for (int look = 0; look < 20 && (word == nullptr || load(*word) == 0); ++look)
                word = targets[random() % 3 == 0 ? random() % of_state : random() % targets.size()];
            switch (random() % 5) {
            case 0:
                put(*word, load(*word) ^ Word{1} << random() % 64);
                break;
            case 1:
                put(*word, random());
                break;
            case 2:
                put(*word, 0);
                break;
            case 3:
                put(*word, load(*targets[random() % targets.size()]));
                break;
            default:
                put(*word, load(*word) + 8 * (random() % 9) - 32);
                break;
            }
        }
    }

    /// Does everything with a damaged heap; true if any of it threw.
    static bool use_damaged(World<A>& world, Random& random) {
        ModelHeap& heap = world.heap();
        typename A::State& state = world.state();
        std::vector<std::uint64_t> offsets;
        for (const auto& [offset, block] : world.blocks()) offsets.push_back(offset);
        bool threw = false;
        const auto survives = [&](auto&& f) {
            try {
                f();
                heap.commit();
            } catch (const Error&) {
                threw = true;
                if (random() % 2 == 0) heap.rollback();
                heap.commit();
            }
        };
        const auto look = [&] {
            std::vector<std::string> problems;
            A::verify(state, std::as_const(heap), problems);
            must(problems.size() <= 1000, "verify finds no end of problems");
            threw |= !problems.empty();
            std::uint64_t blocks = 0;
            survives([&] { A::for_each_block(state, std::as_const(heap), [&](const BlockInfo&) { ++blocks; }); });
            must(blocks <= (heap.end() - heap.begin()) / word_size,
                 "for_each_block tells of more blocks than can be");
            survives([&] { (void)A::bytes_free(state, std::as_const(heap)); });
        };
        look();
        for (int i = 0; i < 60; ++i) {
            survives([&] {
                const std::uint64_t size = any_size(random, 40'000);
                const std::uint64_t offset = A::allocate(state, heap, size, 8);
                must(offset >= heap.begin() && fits(offset, size, heap.end()),
                     "a damaged heap gives a block outside");
                offsets.push_back(offset);
            });
            if (offsets.empty()) continue;
            const std::uint64_t offset = offsets[random() % offsets.size()];
            survives([&] { (void)A::block_size(state, std::as_const(heap), offset); });
            survives([&] { A::free(state, heap, offset); });
        }
        survives([&] { (void)A::trim(state, heap); });
        look();
        return threw;
    }
};

/// All of the above.
template <AllocatorPolicy A>
void check_allocator_policy() {
    AllocatorConformance<A>::all();
}

} // namespace ss::test
