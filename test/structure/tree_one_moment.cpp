// Whoever asks a tree for one thing gets the answer of one moment: writes happen between any two looks at a version that
// a reader takes, one interleaving after the other.
#include <ss/ss.hpp>

#include "structure/tree_support.hpp"
#include "support/expect.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(structure_tree_one_moment)

using namespace ss::test;
using ss::Word;
using ss::detail::Direction;
using ss::detail::TreeBatch;
using ss::detail::TreeCursor;
using ss::detail::WalkStart;

namespace {

using Tree = ss::PrefixTree<>;
using Keys = std::vector<std::string>;

/// An OptimisticReading in which something happens once: before or after one of its looks at a version.
class InterruptedReading {
public:
    [[maybe_unused]] static constexpr bool is_locked = false; // as every Reading has it

    struct Interruption {
        int after = 0; ///< so many chances; negative once it has happened
        std::function<void()> happen;

        void chance() {
            if (after-- == 0) happen();
        }
    };

    explicit InterruptedReading(Interruption& interruption) noexcept : interruption_(&interruption) {}

    [[nodiscard]] bool begin(const Word& version, Word& seen) const {
        interruption_->chance();
        const bool is_even = ss::OptimisticReading::begin(version, seen);
        interruption_->chance();
        return is_even;
    }
    [[nodiscard]] bool validate(const Word& version, Word seen) const {
        interruption_->chance();
        const bool is_valid = ss::OptimisticReading::validate(version, seen);
        interruption_->chance();
        return is_valid;
    }

private:
    Interruption* interruption_;
};

struct Fresh {
    ss::Pool pool = ss::Pool::anonymous();
    Tree t{pool, "tree"};
    /// What its handles refer to.
    ss::ObjectRef object = t.domain().open_object(
        "tree", {.type = ss::prefix_tree_type, .type_fingerprint = ss::prefix_tree_fingerprint}, false,
        [](auto&, ss::DirectoryEntry&) {});

    ~Fresh() { BOOST_TEST(wrong_with(pool) == ""); }

    void put(const Keys& keys) {
        t.clear();
        for (const std::string& key : keys) t.insert(key, key);
    }

    /// The keys of one batch: as everybody reads it, or as who does not hope that the tree stands still.
    template <Direction To>
    Keys read(const WalkStart& start, std::size_t entries, InterruptedReading::Interruption& interruption,
              bool carefully) {
        TreeBatch batch;
        TreeCursor cursor;
        const ss::DomainCore& core = t.domain().core();
        const InterruptedReading reading(interruption);
        if (carefully) {
            const auto attempt = [&] {
                batch.clear();
                return ss::detail::read_carefully<To>(core, object, reading, start, {.entries = entries}, batch,
                                                      cursor);
            };
            while (!attempt()) {}
        } else {
            const auto read = [&](auto attempt) {
                while (!attempt(reading)) {}
            };
            ss::detail::read_batch<To>(core, object, read, start, {.entries = entries}, batch, cursor);
        }
        return keys_of(batch);
    }

    static Keys keys_of(const TreeBatch& batch) {
        Keys keys;
        for (std::size_t i = 0; i < batch.size(); ++i) keys.emplace_back(batch.key(i));
        return keys;
    }
};

/// What is there, one transaction, and from where on it is read.
struct Case {
    const char* name;
    Keys before;
    Keys comes, goes;
    WalkStart start;
};

/// Up, and the same down.
const std::vector<Case> cases_up{
    {"a key comes in a node that was left, and one goes in the next",
     {"maa", "mab", "mac", "mba", "mbb", "mbc", "z"},
     {"mad"},
     {"mba"},
     {.key = "mac", .inclusive = false}},
    {"a key comes in a leaf's place",
     {"maa", "mabcdefgh", "mba", "mbb", "mbc", "z"},
     {"mabcdefghi"},
     {"mba"},
     {.key = "mabcdefgh", .inclusive = false}},
    {"a branch comes above, and a key goes two nodes below",
     {"maa", "mab", "mdaa", "mdab", "mdac", "mdb", "z"},
     {"mb"},
     {"mdaa"},
     {.key = "mab", .inclusive = false}},
    {"a branch comes before all, and a key goes two nodes below",
     {"mdaa", "mdab", "mdac", "mdb", "z"},
     {"a"},
     {"mdaa"},
     {.key = {}}},
    {"a key comes in a node that is all before the start",
     {"maxx1", "maxx2", "mb1", "mb2", "mb3", "z"},
     {"maz"},
     {"mb1"},
     {.key = "may"}},
    {"a node gets a value, and a key goes in a node below",
     {"ma", "mdaa", "mdab", "mdac", "mdb", "z"},
     {"md"},
     {"mdaa"},
     {.key = "ma", .inclusive = false}},
};
const std::vector<Case> cases_down{
    {"a key goes in a node that comes, and one comes in the node that was left",
     {"a", "maa", "mab", "mad", "mbb", "mbc", "mbd", "z"},
     {"mba"},
     {"mad"},
     {.key = "mbb", .inclusive = false}},
    {"a branch comes above, and a key goes two nodes below",
     {"a", "mdaa", "mdab", "mdac", "me", "mz", "z"},
     {"mdb"},
     {"mdac"},
     {.key = "me", .inclusive = false}},
    {"a branch comes behind all, and a key goes two nodes below",
     {"a", "mdaa", "mdab", "mdac", "mda"},
     {"z"},
     {"mdac"},
     {.key = {}, .inclusive = false, .everything = true}},
    {"a node's value comes, and a key goes before the node",
     {"a", "maa", "mab", "mad", "mbb", "mbc", "mbd", "z"},
     {"mb"},
     {"mad"},
     {.key = "mbb", .inclusive = false}},
};

/// The neighbour of `key`, or the first from the start on where there is none yet.
template <Direction To>
std::string next_of(const std::set<std::string>& keys, const WalkStart& start, const std::string* last) {
    const std::string key(last != nullptr ? *last : std::string(start.key));
    const bool inclusive = last == nullptr && start.inclusive;
    if constexpr (To == Direction::up) {
        const auto it = inclusive ? keys.lower_bound(key) : keys.upper_bound(key);
        return it == keys.end() ? "" : *it;
    } else {
        auto it = last == nullptr && start.everything ? keys.end() : keys.lower_bound(key);
        return it == keys.begin() ? "" : *--it;
    }
}

template <Direction To>
void check(const Case& which, bool carefully) {
    Fresh f;
    const std::set<std::string> before(which.before.begin(), which.before.end());
    std::set<std::string> after = before;
    after.insert(which.comes.begin(), which.comes.end());
    for (const std::string& key : which.goes) after.erase(key);
    int chances = 0;
    for (const std::size_t entries : {std::size_t{1}, std::size_t{64}}) {
        InterruptedReading::Interruption interruption;
        for (int at = 0; interruption.after < 0 || at == 0; ++at) {
            f.put(which.before);
            interruption = {.after = at, .happen = [&] {
                                ss::transaction(f.t, [&](auto& tx) {
                                    for (const std::string& key : which.comes) f.t.insert(tx, key, key);
                                    for (const std::string& key : which.goes) f.t.erase(tx, key);
                                });
                            }};
            const Keys keys = f.read<To>(which.start, entries, interruption, carefully);
            BOOST_TEST(!keys.empty());
            const std::string* last = nullptr;
            for (const std::string& key : keys) {
                const bool is_right =
                    key == next_of<To>(before, which.start, last) || key == next_of<To>(after, which.start, last);
                BOOST_TEST(is_right, which.name << ", chance " << at << ": " << key << " was never behind "
                                                << (last == nullptr ? "the start" : *last));
                last = &key;
            }
            ++chances;
        }
    }
    BOOST_TEST(chances > (carefully ? 20 : 10));
}

/// An OptimisticReading that counts the looks at versions.
class CountingReading {
public:
    [[maybe_unused]] static constexpr bool is_locked = false;

    explicit CountingReading(int& looks) noexcept : looks_(&looks) {}

    [[nodiscard]] bool begin(const Word& version, Word& seen) const {
        ++*looks_;
        return ss::OptimisticReading::begin(version, seen);
    }
    [[nodiscard]] bool validate(const Word& version, Word seen) const {
        ++*looks_;
        return ss::OptimisticReading::validate(version, seen);
    }

private:
    int* looks_;
};

} // namespace

BOOST_AUTO_TEST_CASE(the_next_entry_is_that_of_one_moment) {
    for (const bool carefully : {false, true}) {
        for (const Case& which : cases_up) check<Direction::up>(which, carefully);
        for (const Case& which : cases_down) check<Direction::down>(which, carefully);
    }
}

BOOST_FIXTURE_TEST_CASE(where_nothing_changes_no_node_is_looked_at_twice, Fresh) {
    for (int i = 0; i < 1000; ++i) t.insert(std::to_string(i), "a value that has more than a few bytes");
    int looks = 0;
    TreeBatch batch;
    TreeCursor cursor;
    const auto attempt = [&](auto read) { BOOST_REQUIRE(read(CountingReading(looks))); };
    ss::detail::read_batch<Direction::up>(t.domain().core(), object, attempt, {.key = {}}, {.entries = 500}, batch,
                                          cursor);
    BOOST_TEST(batch.size() == 500U);
    BOOST_TEST(looks < 10); // some hundred nodes
}

BOOST_FIXTURE_TEST_CASE(a_batch_goes_on_where_the_one_before_ended, Fresh) {
    const Keys all = {"a", "ab", "abc", "abd", "b", "c", "ca", "cb", "d"};
    put(all);
    TreeBatch batch;
    TreeCursor cursor;
    const auto next = [&](std::string_view from, std::size_t entries) {
        t.read_batch<Direction::up>({.key = from, .inclusive = false}, {.entries = entries}, batch, cursor);
        return keys_of(batch);
    };
    BOOST_TEST((next("", 2) == Keys{"a", "ab"}));
    BOOST_TEST((next("", 3) == Keys{"abc", "abd", "b"})); // the start is not asked for
    const TreeCursor before = cursor;
    t.insert("c0", 1);
    BOOST_TEST((next("b", 3) == Keys{"c", "c0", "ca"})); // now it is
    BOOST_TEST((next("", 1) == Keys{"cb"}));
    BOOST_TEST(!cursor.at_end);
    BOOST_TEST((next("", 5) == Keys{"d"}));
    BOOST_TEST(cursor.at_end);
    cursor = before; // of a tree that was
    BOOST_TEST((next("b", 2) == Keys{"c", "c0"}));
    cursor.walk.forget();
    BOOST_TEST((next("abd", 2) == Keys{"b", "c"}));
    // What is under way is seen by who does it, each time anew.
    ss::transaction(t, [&](auto& tx) {
        t.erase(tx, "ca");
        BOOST_TEST((next("c", 2) == Keys{"c0", "cb"}));
        t.erase(tx, "cb");
        t.insert(tx, "c1", 1);
        BOOST_TEST((next("c0", 2) == Keys{"c1", "d"}));
    });
    // Backwards, and to the end at once.
    TreeCursor back;
    const auto previous = [&](const WalkStart& start, std::size_t entries) {
        t.read_batch<Direction::down>(start, {.entries = entries}, batch, back);
        return keys_of(batch);
    };
    BOOST_TEST((previous({.key = {}, .everything = true}, 2) == Keys{"d", "c1"}));
    BOOST_TEST((previous({.key = {}}, 4) == Keys{"c0", "c", "b", "abd"}));
    BOOST_TEST((previous({.key = {}}, 64) == Keys{"abc", "ab", "a"}));
    BOOST_TEST(back.at_end);
}

BOOST_AUTO_TEST_SUITE_END()
