// Words of a tree that are not what they were: every call ends, with a result or an ss::Error. verify() says so where the
// word has something to be held against.
#include <ss/ss.hpp>

#include "structure/tree_support.hpp"
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
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

BOOST_AUTO_TEST_SUITE(structure_tree_damage)

using namespace ss::test;
using ss::Value;
using ss::ValueView;
using ss::Word;

namespace {

const std::vector<std::string>& keys() {
    static const std::vector<std::string> all = [] {
        std::vector<std::string> keys = {"", "chain", "pair/one", "pair/two", "a leaf with a long prefix of its own"};
        for (unsigned i = 0; i < 256; i += 1) keys.push_back(std::string("256") + static_cast<char>(i));
        for (unsigned i = 0; i < 256; i += 6) keys.push_back(std::string("48 ") + static_cast<char>(i) + " leaf");
        for (unsigned i = 0; i < 15; ++i) keys.push_back(std::string("16 ") + static_cast<char>(i * 16));
        for (unsigned i = 0; i < 7; ++i) keys.push_back(std::string("8 ") + static_cast<char>(i * 30));
        for (unsigned i = 0; i < 30; ++i) keys.push_back("chain " + std::string(i, 'c'));
        return keys;
    }();
    return all;
}

/// A tree with nodes and values of all kinds, and one that is garbage.
void build(const ss::Pool& pool) {
    ss::PrefixTree<> t(pool, "t");
    for (std::size_t i = 0; i < keys().size(); ++i) switch (i % 7) {
        case 0:
            t.insert(keys()[i], nullptr);
            break;
        case 1:
            t.insert(keys()[i], i % 2 == 0);
            break;
        case 2:
            t.insert(keys()[i], i);
            break;
        case 3:
            t.insert(keys()[i], static_cast<double>(i));
            break;
        case 4:
            t.insert(keys()[i], std::int64_t{1} << 61);
            break;
        case 5:
            t.insert(keys()[i], "short");
            break;
        default:
            t.insert(keys()[i], std::string(10 + i % 60, 'l'));
        }
    ss::PrefixTree<> garbage(pool, "garbage");
    for (int i = 0; i < 400; ++i) garbage.insert(std::to_string(i), std::string(20, 'g'));
    garbage.clear();
}

/// The places of a tree's words: its head, its nodes, its blocks.
struct Words {
    std::vector<std::uint64_t> all;
    /// Those a change of which verify() must see, headers, links, keys, counts; and in which ways: that a prefix is
    /// longer by what is zero anyway, or that a key has another byte that is free, nothing can tell.
    struct Structural {
        std::uint64_t offset;
        unsigned ways;
    };
    std::vector<Structural> structural;
};

constexpr unsigned every_way = ~0U, all_but_longer = ~(1U << 1), only_the_same = 1U << 3 | 1U << 4;
constexpr unsigned not_a_bit_longer = 1U << 2 | 1U << 3 | 1U << 4 | 1U << 8;

Words words_of(const ss::DomainCore& core, const std::string& name) {
    using namespace ss::detail;
    Words words;
    const ss::Region& region = core.region();
    const TreeHead& tree = tree_head(core, name);
    const std::uint64_t head = region.offset_of(&tree);
    for (std::uint64_t at = head; at < head + sizeof(TreeHead); at += 8) words.all.push_back(at);
    for (const std::size_t at : {offsetof(TreeHead, root), offsetof(TreeHead, block), offsetof(TreeHead, entries),
                                 offsetof(TreeHead, nodes), offsetof(TreeHead, bytes)})
        words.structural.push_back({head + at, every_way});
    const auto value = [&](const ValueRef& at) {
        const Word word = at.word;
        const std::uint64_t block = Tagged::block(word);
        if (block == 0) return;
        words.all.push_back(block);
        if (Tagged::tag(word) == Tag::text_block) words.all.push_back(block + 8);
    };
    walk_subtree(
        region, ss::load(tree.root),
        [&](const NodeView& node) {
            const std::uint64_t words_there = node.all_words();
            for (std::uint64_t i = 0; i < words_there; ++i) words.all.push_back(node.offset() + 8 * i);
            words.structural.push_back({node.offset(), all_but_longer});
            if (Tagged::tag(ss::load(node.value())) == Tag::leaf_text)
                words.structural.push_back({region.offset_of(&node.value()), not_a_bit_longer});
            for (std::uint64_t i = 0; i < node.kind().key_words; ++i)
                words.structural.push_back(
                    {node.offset() + 8 * (2 + i), node.is_small() ? only_the_same : every_way});
            node.for_each([&](std::uint8_t, const Word& slot) {
                if (Tagged::is_node(ss::load(slot)) || Tagged::block(ss::load(slot)) != 0)
                    words.structural.push_back({region.offset_of(&slot), every_way});
            });
        },
        value);
    return words;
}

/// How a word is damaged; `other` is the place of some node or block.
Word damaged(Word word, unsigned way, Word other) {
    switch (way) {
    case 0:
        return word ^ 1;
    case 1:
        return word ^ Word { 1 } << 20;
    case 2:
        return word ^ Word { 1 } << 62;
    case 3:
        return 0;
    case 4:
        return ~Word{0};
    case 5:
        return word + 64;
    case 6:
        return other; // a circle, or a second way to the same
    case 7:
        return word ^ Word { 3 } << 4; // the count of a node, a bit of a place
    default:
        return word ^ 7; // another tag
    }
}
constexpr unsigned ways = 9;

/// f, which may throw what the library throws.
template <class F>
void attempt(F f) {
    try {
        f();
    } catch (const ss::Error&) {
    } catch (const std::out_of_range&) {}
}

void read_everything(const ss::Pool& pool, const ss::PrefixTree<>& t, const std::vector<std::string>& some) {
    for (const std::string& key : some) {
        attempt([&] { (void)t.find(key); });
        attempt([&] { (void)t.longest_prefix(key + "more"); });
        attempt([&] { (void)t.next_key_value(key); });
        attempt([&] { (void)--t.lower_bound(key); });
        attempt([&] { (void)t.count_prefix(key.substr(0, 2)); });
        attempt([&] { t.visit(key, [](const ValueView&) {}); });
    }
    const auto limited = [](auto f) {
        attempt([&] {
            int limit = 0;
            f([&] {
                if (++limit == 3000) throw std::out_of_range("enough");
            });
        });
    };
    limited([&](auto count) { t.for_each([&](std::string_view, const ValueView&) { count(); }); });
    limited([&](auto count) {
        for (auto it = t.begin(); it != t.end(); ++it) count();
    });
    limited([&](auto count) {
        for (auto it = one_back(t.end()); it != t.end(); --it) count();
    });
    attempt([&] { (void)t.upper_bound(std::string(70'000, '2')); });
    attempt([&] { (void)printed(t); });
    attempt([&] { (void)t.stats(); });
    attempt([&] { (void)t.verify(); });
    attempt([&] { (void)pool.verify(); });
}

void write_everything(const ss::Pool& pool, ss::PrefixTree<>& t) {
    const auto& all = keys();
    for (std::size_t i = 0; i < all.size(); i += 9) attempt([&] { t.insert(all[i], std::string(30, 'n')); });
    for (std::size_t i = 1; i < all.size(); i += 9) attempt([&] { t.insert(all[i] + "x", 1); });
    for (std::size_t i = 2; i < all.size(); i += 3) attempt([&] { t.erase(all[i]); });
    for (std::size_t i = 3; i < all.size(); i += 9) attempt([&] { t.incr(all[i], 1); });
    for (const char* prefix : {"48", "16 ", "pair", "chain cc"}) attempt([&] { t.erase_prefix(prefix); });
    attempt([&] {
        ss::transaction(t, [&](auto& tx) {
            for (int i = 0; i < 10; ++i) t.insert(tx, "in " + std::to_string(i), "v");
            t.erase(tx, "a leaf with a long prefix of its own");
        });
    });
    attempt([&] { t.clear(); });
    for (int i = 0; i < 60; ++i) attempt([&] { t.insert(std::to_string(i), std::string(30, 'v')); });
    attempt([&] { pool.remove_object("t"); });
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
        ss::PrefixTree<> t(pool, "t");
        const ss::DomainCore& core = t.domain().core();
        const Words words = words_of(core, "t");
        BOOST_REQUIRE(words.structural.size() > 300U);
        const Word other = words.structural[words.structural.size() / 2].offset;
        for (std::size_t i = 0; i < words.structural.size(); i += slowness) {
            const auto [offset, seen_ways] = words.structural[i];
            Word& word = core.region().word(offset);
            for (unsigned way = 0; way < ways; ++way) {
                const Word value = damaged(word, way, other);
                if (value == word || (seen_ways >> way & 1) == 0) continue;
                progress = offset * 10 + way;
                const Word right = std::exchange(word, value);
                BOOST_TEST(!pool.verify().empty(),
                           "the word at " << offset << " is " << value << " instead of " << right);
                word = right;
            }
        }
        Word& changes = ss::find_object(core, "t").value().entry->root[ss::detail::tree_changes_root];
        ++changes;
        BOOST_TEST(!t.verify().empty());
        --changes;
        BOOST_TEST(wrong_with(pool) == "");
        BOOST_TEST_MESSAGE(words.structural.size() << " words");
    });
}

BOOST_AUTO_TEST_CASE(readers_end) {
    survive("reading a damaged tree", [](auto& progress) {
        const ss::Pool pool = ss::Pool::anonymous();
        build(pool);
        ss::PrefixTree<> t(pool, "t");
        const ss::DomainCore& core = t.domain().core();
        const Words words = words_of(core, "t");
        std::mt19937 engine(2);
        std::vector<std::string> some;
        for (std::size_t i = 0; i < keys().size(); i += 40) some.push_back(keys()[i]);
        for (int round = 0; round < 1200 / slowness; ++round) {
            const std::uint64_t at = words.all[engine() % words.all.size()];
            const unsigned way = static_cast<unsigned>(engine() % ways);
            progress = at * 10 + way;
            Word& word = core.region().word(at);
            const Word right =
                std::exchange(word, damaged(word, way, words.structural[engine() % words.structural.size()].offset));
            read_everything(pool, t, some);
            word = right;
        }
        BOOST_TEST(wrong_with(pool) == "");
    });
}

/// A node whose header counts other branches than it has. What is made of it is refused, and nothing else is overwritten.
BOOST_AUTO_TEST_CASE(nodes_that_count_wrongly) {
    using namespace ss::detail;
    struct Case {
        const char* name;
        int branches;
        std::uint64_t capacity;
        std::uint64_t count;
        std::uint64_t left; ///< branches that stay, if not all
        int erased;         ///< -1: a new one is inserted
    };
    const std::array<Case, 5> cases = {{{"a node of 256 that would fit into 160", 250, 256, 100, 250, 9},
                                        {"a node of 32 that would fit into 24", 32, 32, 5, 32, 9},
                                        {"a node of 32 with one branch that counts two", 28, 32, 2, 1, 0},
                                        {"a node of 256 that counts one too many", 250, 256, 256, 250, -1},
                                        {"a node of 32 that counts as full", 28, 32, 32, 28, -1}}};
    for (const Case& one : cases)
        survive(one.name, [&](auto&) {
            const ss::Pool pool = ss::Pool::anonymous();
            ss::PrefixTree<> t(pool, "t"), sound(pool, "sound");
            const auto key = [](int i) { return std::string("k") + static_cast<char>(i); };
            for (int i = 0; i < one.branches; ++i) t.insert(key(i), i);
            for (int i = 0; i < 300; ++i) sound.insert(std::to_string(i), std::to_string(i));
            const ss::DomainCore& core = t.domain().core();
            const NodeView node(core.region(), ss::load(tree_head(core, "t").root));
            BOOST_REQUIRE(node.kind().capacity == one.capacity);
            NodeHeader header = node.header();
            header.count = one.count;
            node.header_word() = header.pack();
            if (one.left == 1) // of byte 0
                for (std::uint64_t i = 0; i < node.kind().key_words; ++i) node.keys()[i] &= i == 0 ? 0xFF : 0;
            attempt([&] { one.erased < 0 ? (void)t.insert(key(251), 1) : (void)t.erase(key(one.erased)); });
            attempt([&] { t.insert("other", std::string(100, 'o')); });
            for (int i = 0; i < 300; ++i)
                BOOST_TEST((sound.at(std::to_string(i)) == Value(std::to_string(i))), one.name);
            BOOST_TEST(sound.verify().empty(), one.name);
        });
}

/// Entries without end, where a node has a way back to itself; and garbage without end, where two nodes hang on each other.
BOOST_AUTO_TEST_CASE(circles_end) {
    using namespace ss::detail;
    survive("the greatest of a circle", [](auto&) {
        const ss::Pool pool = ss::Pool::anonymous();
        ss::PrefixTree<> t(pool, "t");
        for (const char* key : {"k", "ka", "kb", "kc"}) t.insert(key, 1);
        const ss::DomainCore& core = t.domain().core();
        const Word root = ss::load(tree_head(core, "t").root);
        const NodeView node(core.region(), root);
        *node.find('b') = root;
        *node.find('c') = root;
        BOOST_TEST(thrown_by([&] { (void)t.top("k", 1); }) == error(ss::errc::damaged));
        BOOST_TEST(thrown_by([&] { t.for_each([](std::string_view, const ValueView&) {}); }) ==
                   error(ss::errc::damaged));
    });
    survive("garbage in a circle", [](auto&) {
        const ss::Pool pool = ss::Pool::anonymous({.max_size = 4 * ss::mebi});
        ss::PrefixTree<> t(pool, "t");
        t.insert("room", std::string(64 * 1024, '\0'));
        for (int i = 0;; ++i)
            if (thrown_by([&] { t.insert(std::to_string(i), std::string(3000, 'f')); }) != "nothing") break;
        const ss::DomainCore& core = t.domain().core();
        std::uint64_t at = 0;
        t.visit("room", [&](const ValueView& value) {
            at = core.region().offset_of(std::get<std::string_view>(value).data());
        });
        // An offset is a header, too, if its bits are right: of a node with the same kind and some branches.
        const auto is_header = [](std::uint64_t offset) {
            const NodeHeader header = NodeHeader::from(offset);
            return header.is_sane() && header.kind == 8 && header.count != 0;
        };
        std::vector<std::uint64_t> nodes;
        for (std::uint64_t offset = at; offset < at + 60'000 && nodes.size() < 2; offset += 8)
            if (is_header(offset) && (nodes.empty() || offset > nodes.front() + 2000)) nodes.push_back(offset);
        BOOST_REQUIRE(nodes.size() == 2U);
        const auto make = [&](std::uint64_t here, std::uint64_t there) {
            Word* const words = core.region().words(here, 200);
            words[0] = there;
            words[1] = NodeHeader{.kind = 8, .count = node_kinds[8].capacity}.pack();
            words[2 + node_kinds[8].key_words] = there;
        };
        make(nodes[0], nodes[1]);
        make(nodes[1], nodes[0]);
        core.block().garbage.first[static_cast<std::uint64_t>(ss::GarbageKind::prefix_tree)] = nodes[0];
        BOOST_TEST(thrown_by([&] { t.insert("more", std::string(100'000, 'm')); }) == error(ss::errc::past_max_size));
    });
}

BOOST_AUTO_TEST_CASE(writers_end) {
    const TempDir directory;
    { build(ss::Pool(directory / "pool")); }
    for (unsigned batch = 0; batch < 4; ++batch)
        survive("writing to a damaged tree", [&](auto& progress) {
            std::mt19937 engine(batch);
            for (int round = 0; round < 250 / slowness; ++round) {
                const auto path = directory / ("damaged " + std::to_string(batch));
                std::filesystem::copy_file(directory / "pool", path,
                                           std::filesystem::copy_options::overwrite_existing);
                attempt([&] {
                    const ss::Pool pool(path);
                    ss::PrefixTree<> t(pool, "t");
                    const ss::DomainCore& core = t.domain().core();
                    const Words words = words_of(core, "t");
                    const std::uint64_t at = words.all[engine() % words.all.size()];
                    const unsigned way = static_cast<unsigned>(engine() % ways);
                    progress = at * 10 + way;
                    Word& word = core.region().word(at);
                    word = damaged(word, way, words.structural[engine() % words.structural.size()].offset);
                    write_everything(pool, t);
                });
            }
        });
}

BOOST_AUTO_TEST_SUITE_END()
