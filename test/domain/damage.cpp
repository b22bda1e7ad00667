// Words of a pool that are not what they were: verify() says so, nothing crashes, nothing hangs.
#include <ss/ss.hpp>

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
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

BOOST_AUTO_TEST_SUITE(domain_damage)

using namespace ss::test;
using ss::Word;

namespace {

/// How a word is damaged.
constexpr std::array<Word (*)(Word), 6> damages = {[](Word word) { return word ^ 1; },
                                                   [](Word word) { return word ^ Word { 1 } << 20; },
                                                   [](Word word) { return word ^ Word { 1 } << 62; },
                                                   [](Word) { return Word{0}; },
                                                   [](Word) { return ~Word{0}; },
                                                   [](Word word) { return word + 64; }};

/// True if some bucket has a second page.
template <class A>
bool has_further_pages(ss::HashTable<A>& t) {
    const ss::Region& region = t.domain().region();
    const auto& head =
        region.at(ss::Offset<ss::detail::HashTableHead>{ss::find_object(t.domain().core(), "t")->entry->root[0]});
    for (std::uint64_t number = 0; number < head.buckets; ++number)
        if (ss::detail::bucket_at(region, head, number).link != 0) return true;
    return false;
}

/// A pool with one of everything: further pages, spare ones, large values, garbage of both kinds, two pages of names.
template <class A>
void build(const std::filesystem::path& path) {
    const ss::Pool pool(path);
    ss::HashTable<A> t(pool, "t", {.bits = 1});
    for (int i = 0; i < 300; ++i)
        t.insert("key " + std::to_string(i), std::string(static_cast<std::size_t>(i % 90), 'v'));
    for (int i = 0; i < 300; i += 4) t.erase("key " + std::to_string(i));
    for (int i = 0; !has_further_pages(t); ++i) t.insert("more " + std::to_string(i), "");
    t.insert("large", std::string(20'000, 'l'));
    t.incr("number", 1);
    for (int i = 0; i < 16; ++i) ss::HashTable<A>(pool, "table " + std::to_string(i), {.bits = 0}).insert("k", "v");
    ss::HashTable<A> garbage(pool, "garbage", {.bits = 2});
    for (int i = 0; i < 50; ++i) garbage.insert(std::to_string(i), "v");
    garbage.clear();
    pool.remove_object("table 3");
}

/// The pool's file, mapped and opened, to be damaged and mended word by word.
template <class A>
class Patient {
public:
    explicit Patient(const std::filesystem::path& path) : pool_(path), t_(pool_, "t") {}

    [[nodiscard]] const ss::Region& region() { return t_.domain().region(); }
    [[nodiscard]] ss::DomainBlock& block() { return t_.domain().core().block(); }
    [[nodiscard]] const ss::Pool& pool() const { return pool_; }
    [[nodiscard]] ss::HashTable<A>& table() { return t_; }
    [[nodiscard]] ss::DirectoryEntry& entry() { return *ss::find_object(t_.domain().core(), "t")->entry; }
    [[nodiscard]] ss::detail::HashTableHead& head() {
        return region().at(ss::Offset<ss::detail::HashTableHead>{entry().root[0]});
    }

    /// True if verify() says something while `word` is `value`.
    bool is_noticed(Word& word, Word value) {
        const Word right = std::exchange(word, value);
        const bool noticed = !pool_.verify().empty();
        word = right;
        return noticed;
    }

private:
    ss::Pool pool_;
    ss::HashTable<A> t_;
};

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

/// Everything that can be done to a pool, one after the other, each of which may throw what the library throws.
template <class A>
void use(const std::filesystem::path& path) {
    const auto attempt = [](auto f) {
        try {
            f();
        } catch (const ss::Error&) {
        } catch (const std::out_of_range&) {}
    };
    attempt([&] {
        const ss::Pool pool(path);
        attempt([&] { (void)pool.objects(); });
        attempt([&] { (void)pool.verify(); });
        attempt([&] {
            ss::HashTable<A> t(pool, "t");
            for (int i = 0; i < 62; ++i) attempt([&] { (void)t.find("key " + std::to_string(i)); });
            attempt([&] { (void)t.at("large"); });
            attempt([&] { (void)t.incr("number", 1); });
            attempt([&] { (void)t.size(); });
            attempt([&] { (void)t.stats(); });
            attempt([&] { (void)t.verify(); });
            attempt([&] {
                int limit = 0;
                for (auto it = t.begin(); it != t.end() && ++limit < 10'000; ++it) {}
            });
            attempt([&] { t.visit("key 5", [](std::string_view) {}); });
            for (int i = 0; i < 30; ++i) attempt([&] { t.insert("new " + std::to_string(i), std::string(50, 'n')); });
            for (int i = 0; i < 62; ++i) attempt([&] { t.erase("key " + std::to_string(i)); });
            attempt([&] { t.insert("large", std::string(30'000, 'm')); });
            attempt([&] {
                ss::transaction(t, [&](auto& tx) {
                    for (int i = 0; i < 10; ++i) t.insert(tx, "in " + std::to_string(i), "v");
                    t.erase(tx, "large");
                });
            });
            attempt([&] { t.clear(); });
            for (int i = 0; i < 40; ++i) attempt([&] { t.insert(std::to_string(i), "v"); });
        });
        attempt([&] { ss::HashTable<A>(pool, "made", {.bits = 0}).insert("k", "v"); });
        attempt([&] { pool.remove_object("table 5"); });
        attempt([&] { pool.backup(path.string() + ".copy"); });
        attempt([&] { (void)pool.verify(); });
        attempt([&] { (void)pool.trim(); });
    });
}

/// Every word that means something, damaged in every way: verify() notices.
template <class A>
void check_noticed() {
    using namespace ss::detail;
    const TempDir directory;
    build<A>(directory / "pool");
    survive("verify()", [&](auto& progress) {
        Patient<A> p(directory / "pool");
        BOOST_REQUIRE(wrong_with(p.pool()) == "");
        std::uint64_t words = 0;
        const auto damage = [&](const std::string& what, Word& word) {
            ++words;
            for (std::size_t way = 0; way < damages.size(); ++way) {
                const Word value = damages[way](word);
                progress = p.region().offset_of(&word) * 10 + way;
                if (value == word) continue;
                BOOST_TEST(p.is_noticed(word, value), what << ", " << word << " instead of " << value);
            }
        };
        const auto with = [&](const std::string& what, Word& word, Word value) {
            ++words;
            progress = p.region().offset_of(&word) * 10 + 9;
            BOOST_TEST(p.is_noticed(word, value), what << ", " << value << " instead of " << word);
        };
        HashTableHead& head = p.head();
        // One more or less may be right: if no key is in the last bucket, or would move to the next, which is prepared.
        for (const Word buckets : {Word{0}, Word{1}, head.buckets / 2, head.initialised + 1, Word{1} << 20, ~Word{0}})
            with("buckets", head.buckets, buckets);
        damage("min_bits", head.min_bits);
        with("initialised", head.initialised, head.buckets - 1);
        damage("spare", head.spare);
        damage("spares", head.spares);
        damage("cursor", head.cursor);
        damage("block", head.block);
        with("bits", head.bits, head.bits + 4);
        with("bits", head.bits, 33);
        damage("page_words", head.page_words);
        damage("size", head.size);
        damage("load", head.load);
        damage("bytes", head.bytes);
        with("size_version", head.size_version, head.size_version | 1);
        for (Word& segment : head.segments)
            if (segment != 0) damage("segment", segment);
        const auto damage_record = [&](const RecordView& view) {
            Word* const record = p.region().words(p.region().offset_of(view.words()), view.sizes().words());
            // One other key of some thousands belongs into the same bucket and has the same tag: another bit, then.
            if (!p.is_noticed(record[0], record[0] ^ 1)) with("a record's key size", record[0], record[0] ^ 2);
            with("a record's key size", record[0], record[0] | 0xFFFF'FFFF);
            with("a record's value size", record[0], record[0] | Word{1} << 62);
            with("a record's value size", record[0], record[0] + (Word{40'000} << 32));
            Word& key_end = record[view.sizes().value_begin() - 1];
            if (!p.is_noticed(record[1], record[1] ^ 1)) with("a key", record[1], record[1] ^ 2);
            if (!p.is_noticed(key_end, key_end ^ Word{1} << 63)) // a byte or padding
                with("a key's last word", key_end, key_end ^ Word{1} << 62);
        };
        std::uint64_t pages = 0;
        for (std::uint64_t number = 0; number < head.buckets; ++number) {
            Page* page = &bucket_at(p.region(), head, number);
            with("a bucket's version", page->version, page->version | 1);
            for (;;) {
                damage("used", page->used);
                damage("link", page->link);
                for (Word& slots : page->slots) damage("slots", slots);
                for_each_slot(*page, [&](unsigned, Place place) {
                    damage_record(record_at(p.region(), *page, place, head.page_words));
                    if (place.is_outside()) damage("a reference", word_of(*page, place.word()));
                });
                if (page->link == 0) break;
                page = &page_at(p.region(), page->link, head.page_words);
                ++pages;
            }
        }
        BOOST_TEST(pages != 0U); // else chains were not looked at
        ss::DirectoryEntry& entry = p.entry();
        damage("root", entry.root[0]);
        damage("hash id", entry.hash_id);
        damage("hash fingerprint", entry.hash_fingerprint);
        damage("seed", entry.seed[0]);
        damage("seed", entry.seed[1]);
        with("name size", entry.name_size, 0);
        with("name size", entry.name_size, 121);
        with("version", entry.version, entry.version | 1);
        with("generation", entry.generation, entry.generation + 1);
        ss::DomainBlock& block = p.block();
        damage("magic", block.magic);
        damage("index", block.index);
        damage("objects", block.objects);
        damage("the next page", block.directory.next);
        damage("garbage bytes", block.garbage.bytes);
        BOOST_REQUIRE(block.garbage.first[0] != 0);
        damage("garbage", block.garbage.first[0]);
        with("garbage", block.garbage.first[1], head.spare != 0 ? head.spare : head.block);
        auto& page = p.region().at(ss::Offset<ss::DirectoryPage>{block.directory.next});
        damage("a page's block", page.block);
        with("a page's next", page.next, page.block);
        BOOST_TEST_MESSAGE(ss::to_string(A::id) << ": " << words << " words");
        BOOST_TEST(wrong_with(p.pool()) == "");
    });
}

/// The allocator's own state: how much of it is noticed, and that none of it crashes.
template <class A>
void check_allocator() {
    const TempDir directory;
    build<A>(directory / "pool");
    survive("verify() of an allocator's state", [&](auto& progress) {
        Patient<A> p(directory / "pool");
        const ss::Region& region = p.region();
        std::uint64_t tried = 0;
        std::uint64_t noticed = 0;
        auto* const words = reinterpret_cast<Word*>(p.block().allocator.data());
        for (std::size_t i = 0; i < sizeof(typename A::State) / sizeof(Word); ++i)
            for (std::size_t way = 0; way < damages.size(); ++way) {
                const Word value = damages[way](words[i]);
                progress = region.offset_of(&words[i]) * 10 + way;
                if (value == words[i]) continue;
                ++tried;
                noticed += p.is_noticed(words[i], value);
            }
        // An arena or a bin that is not in use is never looked at; where the heap ends and what is allocated is.
        BOOST_TEST(noticed >= 3 * damages.size());
        BOOST_TEST_MESSAGE(ss::to_string(A::id)
                           << ": " << noticed << " of " << tried << " damages of its state noticed");
        BOOST_TEST(wrong_with(p.pool()) == "");
    });
}

/// Any word at all, and then everything is done to the pool that can be done.
template <class A>
void check_use(unsigned rounds) {
    const TempDir directory;
    build<A>(directory / "pool");
    std::ifstream file(directory / "pool", std::ios::binary);
    const std::vector<char> image{std::istreambuf_iterator<char>(file), {}};
    std::mt19937_64 engine(11);
    // Words that are not zero, past the pool's own header and the journal's old entries, which nobody reads again.
    const std::uint64_t begin = ss::pool_geometry(0, 1).region_offset;
    std::vector<std::uint64_t> offsets;
    for (std::uint64_t at = begin; at + 8 <= image.size(); at += 8) {
        Word word = 0;
        std::memcpy(&word, image.data() + at, 8);
        const bool entry = at >= begin + offsetof(ss::DomainBlock, journal.entries) &&
                           at < begin + offsetof(ss::DomainBlock, garbage);
        if ((word != 0 && !entry) || at < begin + 128) offsets.push_back(at);
    }
    for (unsigned batch = 0; batch < 4; ++batch)
        survive("a use of a damaged pool", [&](auto& progress) {
            std::mt19937_64 own(engine() + batch);
            for (unsigned round = 0; round < rounds / 4; ++round) {
                std::vector<char> damaged = image;
                const std::uint64_t at = offsets[own() % offsets.size()];
                const std::size_t way = own() % damages.size();
                progress = at * 10 + way;
                Word word = 0;
                std::memcpy(&word, damaged.data() + at, 8);
                word = damages[way](word);
                std::memcpy(damaged.data() + at, &word, 8);
                const auto path = directory / ("damaged " + std::to_string(batch));
                std::ofstream(path, std::ios::binary | std::ios::trunc)
                    .write(damaged.data(), static_cast<std::streamsize>(damaged.size()));
                ::chmod(path.c_str(), 0600);
                use<A>(path);
            }
        });
}

} // namespace

BOOST_AUTO_TEST_SUITE(noticed)

BOOST_AUTO_TEST_CASE(with_the_segregated_allocator) { check_noticed<ss::SegregatedAllocator>(); }
BOOST_AUTO_TEST_CASE(with_the_logarithmic_allocator) { check_noticed<ss::LogarithmicAllocator>(); }
BOOST_AUTO_TEST_CASE(with_the_simple_allocator) { check_noticed<ss::SimpleAllocator>(); }
BOOST_AUTO_TEST_CASE(state_of_the_segregated_allocator) { check_allocator<ss::SegregatedAllocator>(); }
BOOST_AUTO_TEST_CASE(state_of_the_logarithmic_allocator) { check_allocator<ss::LogarithmicAllocator>(); }
BOOST_AUTO_TEST_CASE(state_of_the_simple_allocator) { check_allocator<ss::SimpleAllocator>(); }

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(used)

BOOST_AUTO_TEST_CASE(with_the_segregated_allocator) { check_use<ss::SegregatedAllocator>(2000 / slowness); }
BOOST_AUTO_TEST_CASE(with_the_logarithmic_allocator) { check_use<ss::LogarithmicAllocator>(1000 / slowness); }
BOOST_AUTO_TEST_CASE(with_the_simple_allocator) { check_use<ss::SimpleAllocator>(1000 / slowness); }

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE_END()
