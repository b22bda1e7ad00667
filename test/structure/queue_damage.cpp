// Words of a queue that are not what they were: every call ends, with a result or an ss::Error. verify() says so where the
// word has something to be held against.
#include <ss/ss.hpp>

#include "structure/queue_support.hpp"
#include "support/barrier.hpp"
#include "support/expect.hpp"
#include "support/process.hpp"
#include "support/sanitizer.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

BOOST_AUTO_TEST_SUITE(structure_queue_damage)

using namespace ss::test;
using ss::errc;
using ss::Word;

namespace {

const ss::QueueOptions options = {.max_items = 500, .max_leases = 3, .dead_letters = "dead"};

/// A queue with items and leases of dead workers, its dead letters, and items and leases that are garbage.
void build(const std::filesystem::path& path) {
    const ss::Pool pool(path);
    ss::Queue<> q(pool, "q", options), garbage(pool, "garbage");
    for (unsigned i = 0; i < 60; ++i) q.push_back(std::to_string(i) + std::string(i * 37 % 300, 'i'));
    q.push_back(std::string(10'000, 'l'));
    for (unsigned i = 0; i < 200; ++i) garbage.push_back(std::to_string(i));
    Process worker([&] {
        const ss::Pool own(path);
        for (auto* name : {"q", "garbage"}) {
            ss::Queue<> theirs(own, name);
            std::vector<ss::Queue<>::Lease> all;
            for (int i = 0; i < 40; ++i) all.push_back(theirs.lease().value());
            for (int i = 0; i < 6; ++i) BOOST_TEST(all[static_cast<std::size_t>(i * 5)].ack());
            for (auto& lease : all) new ss::Queue<>::Lease(std::move(lease)); // never let go of
        }
    });
    worker.expect_clean();
    garbage.clear();
    BOOST_TEST(pool.remove_object("garbage"));
    BOOST_TEST(wrong_with(pool) == "");
}

ss::DirectoryEntry& entry_of(const ss::DomainCore& core, const std::string& name) {
    return *ss::find_object(core, name).value().entry;
}

ss::detail::QueueHead& head_of(const ss::DomainCore& core) {
    return core.region().at(
        ss::Offset<ss::detail::QueueHead>{ss::load(entry_of(core, "q").root[ss::detail::queue_head_root])});
}

/// The places of all words in allocated blocks, those of large blocks at their beginning and end; and of the entry's.
std::vector<std::uint64_t> words_of(ss::Queue<>& q) {
    std::vector<std::uint64_t> all;
    const ss::DomainCore& core = q.domain().core();
    q.domain().locked([&] {
        using A = ss::SegregatedAllocator;
        const ss::detail::HeapView heap(core);
        A::for_each_block(*reinterpret_cast<const A::State*>(core.block().allocator.data()), heap,
                          [&](const ss::BlockInfo& block) {
                              if (!block.allocated) return;
                              for (std::uint64_t at = 0; at < block.size; at += ss::word_size)
                                  if (at < 1100 || at + 64 > block.size) all.push_back(block.offset + at);
                          });
    });
    for (const Word& root : entry_of(core, "q").root) all.push_back(core.region().offset_of(&root));
    return all;
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
        return other; // a second way to the same, or a circle
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

void read_everything(const ss::Pool& pool, const ss::Queue<>& q) {
    attempt([&] { (void)q.front(); });
    attempt([&] { (void)q.back(); });
    attempt([&] { q.visit_front([](std::string_view) {}); });
    attempt([&] { q.visit_back([](std::string_view) {}); });
    attempt([&] { (void)q.snapshot(); });
    attempt([&] { (void)q.size(); });
    attempt([&] { (void)q.stats(); });
    attempt([&] { (void)q.options(); });
    attempt([&] { (void)q.verify(); });
    attempt([&] { (void)pool.verify(); });
}

void write_everything(const ss::Pool& pool, ss::Queue<>& q) {
    for (int i = 0; i < 10; ++i) attempt([&] { q.push_back("new"); });
    for (int i = 0; i < 10; ++i) attempt([&] { q.push_front(std::string(200, 'n')); });
    for (int i = 0; i < 10; ++i) attempt([&] { (void)q.pop_front(); });
    for (int i = 0; i < 10; ++i) attempt([&] { (void)q.pop_back(); });
    for (int i = 0; i < 20; ++i) attempt([&] { (void)q.lease(); }); // and back
    for (int i = 0; i < 20; ++i)
        attempt([&] {
            if (auto lease = q.lease()) (void)lease->ack();
        });
    attempt([&] {
        ss::transaction(q, [&](auto& tx) {
            for (int i = 0; i < 10; ++i) q.push_back(tx, std::to_string(i));
            for (int i = 0; i < 20; ++i) (void)q.pop_front(tx);
        });
    });
    for (int i = 0; i < 30; ++i) attempt([&] { (void)q.pop_front(); });
    attempt([&] { q.clear(); });
    for (int i = 0; i < 100; ++i) attempt([&] { q.push_back("after"); });
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
    const TempDir directory;
    build(directory / "pool");
    survive("verify()", [&](auto& progress) {
        const ss::Pool pool(directory / "pool");
        ss::Queue<> q(pool, "q");
        const ss::DomainCore& core = q.domain().core();
        ss::detail::QueueHead& head = head_of(core);
        for (Word* const word : {&head.first, &head.last, &head.bytes, &head.leased, &head.tables, &head.free_slot,
                                 &entry_of(core, "q").root[ss::detail::queue_head_root],
                                 &entry_of(core, "q").root[ss::detail::queue_items_root],
                                 &entry_of(core, "q").root[ss::detail::queue_payload_root]})
            for (unsigned way = 0; way < ways; ++way) {
                const Word value = damaged(*word, way, head.first + 64);
                if (value == *word) continue;
                progress = core.region().offset_of(word) * 10 + way;
                const Word right = std::exchange(*word, value);
                const std::string wrong = wrong_with(pool);
                BOOST_TEST(wrong.find('q') != std::string::npos, "the word at " << core.region().offset_of(word)
                                                                                << " is " << value << " instead of "
                                                                                << right << ": " << wrong);
                *word = right;
            }
        Word& version = entry_of(core, "q").version;
        ++version;
        BOOST_TEST(wrong_with(q).find("queue \"q\": has an odd version") != std::string::npos);
        --version;
        --entry_of(core, "q").root[ss::detail::queue_number_root];
        BOOST_TEST(wrong_with(q).find("a number that was not given yet") != std::string::npos);
        ++entry_of(core, "q").root[ss::detail::queue_number_root];
        ++entry_of(core, "q").root[ss::detail::queue_items_root];
        BOOST_TEST(wrong_with(q).find("queue \"q\": has 21 items and counts 22") != std::string::npos, wrong_with(q));
        --entry_of(core, "q").root[ss::detail::queue_items_root];
        BOOST_TEST(wrong_with(pool) == "");
    });
}

BOOST_AUTO_TEST_CASE(opening_refuses) {
    const TempDir directory;
    build(directory / "pool");
    const ss::Pool pool(directory / "pool");
    ss::Queue<> q(pool, "q");
    const ss::DomainCore& core = q.domain().core();
    const auto open = [&] { return thrown_by([&] { (void)ss::Queue<>(pool, "q"); }); };
    ss::DirectoryEntry& entry = entry_of(core, "q");
    // Another layout of the same type, and another type.
    entry.type_fingerprint ^= 1;
    BOOST_TEST(open() == error(errc::other_type));
    entry.type_fingerprint ^= 1;
    BOOST_TEST(thrown_by([&] { (void)ss::PriorityQueue<>(pool, "q"); }) == error(errc::other_type));
    BOOST_TEST(thrown_by([&] { (void)ss::Queue<ss::SegregatedAllocator, ss::SpinLock>(pool, "q"); }) ==
               error(errc::other_policies));
    // A head that lies nowhere.
    const Word head = std::exchange(entry.root[ss::detail::queue_head_root], ~Word{0});
    BOOST_TEST(thrown_by([&] { (void)q.size(); }) == error(errc::damaged));
    BOOST_TEST(thrown_by([&] { q.push_back("x"); }) == error(errc::damaged));
    BOOST_TEST(thrown_by([&] { (void)q.pop_front_for(std::chrono::seconds(60)); }) == error(errc::damaged));
    entry.root[ss::detail::queue_head_root] = head;
    BOOST_TEST((open() == "nothing" && wrong_with(pool) == ""));
}

BOOST_AUTO_TEST_CASE(readers_end) {
    const TempDir directory;
    build(directory / "pool");
    survive("reading a damaged queue", [&](auto& progress) {
        const ss::Pool pool(directory / "pool");
        ss::Queue<> q(pool, "q");
        const ss::DomainCore& core = q.domain().core();
        const std::vector<std::uint64_t> words = words_of(q);
        std::mt19937 engine(2);
        for (int round = 0; round < 4000 / slowness; ++round) {
            const std::uint64_t at = words[engine() % words.size()];
            const unsigned way = static_cast<unsigned>(engine() % ways);
            progress = at * 10 + way;
            Word& word = core.region().word(at);
            const Word right = std::exchange(word, damaged(word, way, words[engine() % words.size()]));
            read_everything(pool, q);
            word = right;
        }
        BOOST_TEST(wrong_with(pool) == "");
    });
}

BOOST_AUTO_TEST_CASE(writers_end) {
    const TempDir directory;
    build(directory / "pool");
    for (unsigned batch = 0; batch < 4; ++batch)
        survive("writing to a damaged queue", [&](auto& progress) {
            std::mt19937 engine(batch);
            for (int round = 0; round < 250 / slowness; ++round) {
                const auto path = directory / ("damaged " + std::to_string(batch));
                std::filesystem::copy_file(directory / "pool", path,
                                           std::filesystem::copy_options::overwrite_existing);
                attempt([&] {
                    const ss::Pool pool(path);
                    ss::Queue<> q(pool, "q");
                    const ss::DomainCore& core = q.domain().core();
                    const std::vector<std::uint64_t> words = words_of(q);
                    // The head often: all operations come by it.
                    const std::uint64_t head = core.region().offset_of(&head_of(core));
                    const std::uint64_t at =
                        round % 3 == 0 ? head + engine() % 16 * ss::word_size : words[engine() % words.size()];
                    const unsigned way = static_cast<unsigned>(engine() % ways);
                    progress = at * 10 + way;
                    Word& word = core.region().word(at);
                    word = damaged(word, way, words[engine() % words.size()]);
                    write_everything(pool, q);
                });
            }
        });
}

BOOST_AUTO_TEST_SUITE_END()
