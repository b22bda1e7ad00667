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

    /// The keys of one batch.
    template <Direction To>
    Keys read(const WalkStart& start, std::size_t entries, InterruptedReading::Interruption& interruption) {
        TreeBatch batch;
        Word changes = 0;
        (void)ss::detail::read_batch<To>(
            t.domain().core(), object,
            [&](auto attempt) {
                while (!attempt(InterruptedReading(interruption))) {}
            },
            start, {.entries = entries}, batch, changes);
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
void check(const Case& which) {
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
            const Keys keys = f.read<To>(which.start, entries, interruption);
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
    BOOST_TEST(chances > 20);
}

} // namespace

BOOST_AUTO_TEST_CASE(the_next_entry_is_that_of_one_moment) {
    for (const Case& which : cases_up) check<Direction::up>(which);
    for (const Case& which : cases_down) check<Direction::down>(which);
}

BOOST_AUTO_TEST_SUITE_END()
