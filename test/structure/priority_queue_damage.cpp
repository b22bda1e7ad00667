// Words of a priority queue that are not what they were: every call ends, with a result or an ss::Error. verify() says so
// where the word has something to be held against.
#include <ss/ss.hpp>

#include "structure/priority_queue_support.hpp"
#include "support/barrier.hpp"
#include "support/expect.hpp"
#include "support/process.hpp"
#include "support/sanitizer.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

BOOST_AUTO_TEST_SUITE(structure_priority_queue_damage)

using namespace ss::test;
using ss::Word;

namespace {

/// A queue of three segments, and one that is garbage.
void build(const ss::Pool& pool) {
    ss::PriorityQueue<> q(pool, "q");
    for (unsigned i = 0; i < 150; ++i) q.push(big_endian(i * 7919 % 150) + std::string(i % 70, 'i'));
    ss::PriorityQueue<> garbage(pool, "garbage");
    for (unsigned i = 0; i < 400; ++i) garbage.push(std::to_string(i));
    garbage.clear();
}

/// The places of a queue's words: its head, its segments, its items. `seen` are those a change of which verify() must see,
/// whatever it is: of what is in the first word of an item only a few bits are.
struct Words {
    std::vector<std::uint64_t> all;
    std::vector<std::uint64_t> seen;
};

Words words_of(const ss::DomainCore& core, const std::string& name) {
    Words words;
    const ss::DirectoryEntry& entry = *ss::find_object(core, name).value().entry;
    const std::uint64_t offset = ss::load(entry.root[ss::detail::heap_head_root]);
    const ss::detail::PriorityHeap heap(core.region(), offset);
    for (std::uint64_t at = offset; at < offset + sizeof(ss::detail::PriorityQueueHead); at += 8)
        words.all.push_back(at);
    for (const Word* word : {&heap.head().size, &heap.head().payload, &heap.head().bytes})
        words.seen.push_back(core.region().offset_of(word));
    for (const Word& segment : heap.head().segments)
        if (ss::load(segment) != 0) words.seen.push_back(core.region().offset_of(&segment));
    for (std::uint64_t place = 0; place < heap.size(); ++place) {
        const std::uint64_t slot = core.region().offset_of(&heap.at(place)), item = ss::load(heap.at(place));
        words.all.push_back(slot);
        words.seen.push_back(slot);
        words.all.push_back(item);
        words.seen.push_back(item);
        words.all.push_back(item + 8);
    }
    return words;
}

/// How a word is damaged; `other` is the place of something else of the queue.
Word damaged(Word word, unsigned way, Word other) {
    constexpr std::array<unsigned, 4> bits = {0, 20, 40, 62};
    if (way < bits.size()) return word ^ Word { 1 } << bits[way];
    switch (way) {
    case 4:
        return 0;
    case 5:
        return ~Word{0};
    case 6:
        return word + 64;
    case 7:
        return other; // a second way to the same
    default:
        return word ^ 7; // another size, of as many words
    }
}
constexpr unsigned ways = 9;

/// f, which may throw what the library throws.
template <class F>
void attempt(F f) {
    try {
        f();
    } catch (const ss::Error&) {}
}

void read_everything(const ss::Pool& pool, const ss::PriorityQueue<>& q) {
    attempt([&] { (void)q.top(); });
    attempt([&] { q.visit_top([](std::string_view) {}); });
    attempt([&] { (void)q.size(); });
    attempt([&] { (void)q.bytes(); });
    attempt([&] { (void)q.stats(); });
    attempt([&] { (void)q.verify(); });
    attempt([&] { (void)pool.verify(); });
}

void write_everything(const ss::Pool& pool, ss::PriorityQueue<>& q) {
    for (unsigned i = 0; i < 20; ++i) attempt([&] { q.push(big_endian(i * 9) + "new"); });
    for (unsigned i = 0; i < 60; ++i) attempt([&] { (void)q.pop(); });
    for (unsigned i = 0; i < 20; ++i) attempt([&] { (void)q.replace_top(big_endian(i * 9)); });
    attempt([&] {
        ss::transaction(q, [&](auto& tx) {
            for (int i = 0; i < 10; ++i) q.push(tx, std::to_string(i));
            for (int i = 0; i < 20; ++i) (void)q.pop(tx);
        });
    });
    for (unsigned i = 0; i < 100; ++i) attempt([&] { (void)q.pop(); });
    attempt([&] { q.clear(); });
    for (unsigned i = 0; i < 100; ++i) attempt([&] { q.push("after"); });
    attempt([&] { pool.remove_object("q"); });
    attempt([&] { (void)pool.verify(); });
}

/// Runs f(progress) in a child, which may end in no other way than by returning. `progress` is what it was at.
template <class F>
void survive(const char* what, F f) {
    Shared<std::atomic<std::uint64_t>> progress(0U);
    Process child([&] {
        const Watchdog dog(300, what);
        f(*progress);
    });
    const Ending ending = child.wait();
    BOOST_TEST(ending.clean(), what << " " << ending << " at " << progress->load());
}

} // namespace

BOOST_AUTO_TEST_CASE(verify_notices) {
    survive("verify()", [](auto& progress) {
        const ss::Pool pool = ss::Pool::anonymous();
        build(pool);
        ss::PriorityQueue<> q(pool, "q");
        const ss::DomainCore& core = q.domain().core();
        const Words words = words_of(core, "q");
        BOOST_REQUIRE(words.seen.size() == 3U + 3U + 300U);
        const Word other = words.seen.back();
        for (const std::uint64_t offset : words.seen) {
            Word& word = core.region().word(offset);
            for (unsigned way = 0; way < ways; ++way) {
                const Word value = damaged(word, way, other);
                if (value == word) continue;
                progress = offset * 10 + way;
                const Word right = std::exchange(word, value);
                BOOST_TEST(!pool.verify().empty(),
                           "the word at " << offset << " is " << value << " instead of " << right);
                word = right;
            }
        }
        Word& version = ss::find_object(core, "q").value().entry->version;
        ++version;
        BOOST_TEST(!q.verify().empty());
        --version;
        // Two items in each other's places, and a segment that there is no reason for.
        const ss::detail::PriorityHeap heap(
            core.region(), ss::load(ss::find_object(core, "q").value().entry->root[ss::detail::heap_head_root]));
        std::swap(heap.at(0), heap.at(100));
        BOOST_TEST(wrong_with(q).find("comes before the one above it") != std::string::npos);
        std::swap(heap.at(0), heap.at(100));
        heap.head().segments[4] = heap.head().segments[0];
        BOOST_TEST(wrong_with(q).find("segment 4 is there for 150 items") != std::string::npos);
        heap.head().segments[4] = 0;
        std::swap(heap.head().segments[1], heap.head().segments[5]);
        BOOST_TEST(wrong_with(q).find("segment 1 is missing") != std::string::npos);
        std::swap(heap.head().segments[1], heap.head().segments[5]);
        BOOST_TEST(wrong_with(pool) == "");
    });
}

BOOST_AUTO_TEST_CASE(readers_end) {
    survive("reading a damaged queue", [](auto& progress) {
        const ss::Pool pool = ss::Pool::anonymous();
        build(pool);
        ss::PriorityQueue<> q(pool, "q");
        const ss::DomainCore& core = q.domain().core();
        const Words words = words_of(core, "q");
        std::mt19937 engine(2);
        for (std::size_t i = 0; i < words.all.size(); i += slowness)
            for (unsigned way = 0; way < ways; ++way) {
                progress = words.all[i] * 10 + way;
                Word& word = core.region().word(words.all[i]);
                const Word right = std::exchange(word, damaged(word, way, words.all[engine() % words.all.size()]));
                read_everything(pool, q);
                word = right;
            }
        BOOST_TEST(wrong_with(pool) == "");
    });
}

BOOST_AUTO_TEST_CASE(writers_end) {
    const TempDir directory;
    { build(ss::Pool(directory / "pool")); }
    for (unsigned batch = 0; batch < 4; ++batch)
        survive("writing to a damaged queue", [&](auto& progress) {
            std::mt19937 engine(batch);
            for (int round = 0; round < 250 / slowness; ++round) {
                const auto path = directory / ("damaged " + std::to_string(batch));
                std::filesystem::copy_file(directory / "pool", path,
                                           std::filesystem::copy_options::overwrite_existing);
                attempt([&] {
                    const ss::Pool pool(path);
                    ss::PriorityQueue<> q(pool, "q");
                    const ss::DomainCore& core = q.domain().core();
                    const Words words = words_of(core, "q");
                    // The head and the first items often: all operations come by them.
                    const std::uint64_t at = words.all[engine() % (round % 2 == 0 ? 80 : words.all.size())];
                    const unsigned way = static_cast<unsigned>(engine() % ways);
                    progress = at * 10 + way;
                    Word& word = core.region().word(at);
                    word = damaged(word, way, words.all[engine() % words.all.size()]);
                    write_everything(pool, q);
                });
            }
        });
}

BOOST_AUTO_TEST_SUITE_END()
