// Random operations against a model: what std::map would hold. Every few steps all of the tree is looked at.
#include <ss/registry.hpp>

#include "structure/tree_support.hpp"
#include "support/expect.hpp"
#include "support/sanitizer.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

BOOST_AUTO_TEST_SUITE(structure_tree_model)

using namespace ss::test;
using ss::Check;
using ss::Value;
using ss::ValueType;
using ss::ValueView;

namespace {

class Chance {
public:
    /// Of the keys most begin with so many bytes that they share, but for some that share fewer.
    explicit Chance(unsigned seed, std::size_t shared = 0) : engine_(seed), shared_(shared) {}

    std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }

    std::string key() {
        if (shared_ == 0 || below(8) == 0) return short_key();
        return std::string(shared_ - below(4) * 1000, 'p') + short_key();
    }

    /// One of many that share much: of few bytes and of all, short and long, dense numbers, beginnings of each other.
    std::string short_key() {
        static const std::string few = std::string("\x00\x01\xfe\xff", 4);
        std::string key;
        switch (below(8)) {
        case 0:
            key.resize(below(5));
            for (char& c : key) c = few[below(few.size())];
            return key;
        case 1:
            return big_endian(below(4000), 8);
        case 2:
            return big_endian(below(70'000), 4).substr(below(2));
        case 3:
            return std::string(below(300), few[below(2)]);
        case 4:
            return "a prefix that is shared by many keys, " + std::to_string(below(2000)) +
                   std::string(below(20), '/');
        case 5:
            key.resize(below(3));
            for (char& c : key) c = static_cast<char>(below(256));
            return key;
        case 6: {
            // Of 300 bytes from a generator that knows few seeds, cut anywhere.
            std::mt19937 own(static_cast<unsigned>(below(30)));
            key.resize(300);
            for (char& c : key) c = static_cast<char>(own());
            return key.substr(0, below(301));
        }
        default:
            return std::string(1, static_cast<char>(below(256))) + std::string(1, static_cast<char>(below(4)));
        }
    }

    Value value() {
        switch (below(9)) {
        case 0:
            return nullptr;
        case 1:
            return below(2) == 0;
        case 2:
            return static_cast<std::int64_t>(below(100));
        case 3:
            return static_cast<std::int64_t>(engine_());
        case 4:
            return static_cast<std::int64_t>((std::uint64_t{1} << 60) + below(3) - 1) * (below(2) == 0 ? 1 : -1);
        case 5:
            return static_cast<double>(below(1000)) / 8;
        case 6:
            return tree_bytes(below(10), static_cast<unsigned>(below(256)));
        case 7:
            return tree_bytes(below(90), static_cast<unsigned>(below(256)));
        default:
            return tree_bytes(below(1500), static_cast<unsigned>(below(256)));
        }
    }

private:
    std::mt19937_64 engine_;
    std::size_t shared_;
};

template <class Tree>
class Comparison {
public:
    explicit Comparison(unsigned seed, std::size_t shared = 0) : t_(pool_, "t"), chance_(seed, shared) {
        empty_ = t_.stats().bytes_allocated;
    }

    void run(std::uint64_t operations) {
        for (std::uint64_t i = 0; i < operations; ++i) {
            // The number of keys swells and shrinks.
            erase_more_ = i / (operations / 6 + 1) % 2 == 1;
            if (chance_.below(20) == 0)
                transact();
            else
                step();
            BOOST_REQUIRE(t_.size() == model_.size());
            if (i % 4000 == 0) compare();
            if (chance_.below(40'000) == 0) {
                t_.clear();
                model_.clear();
            }
        }
        compare();
        while (!model_.empty()) {
            BOOST_REQUIRE(t_.erase(model_.begin()->first));
            model_.erase(model_.begin());
        }
        BOOST_TEST(t_.node_size() == 0U);
        BOOST_TEST(t_.stats().bytes_allocated == empty_);
        drain(t_);
        BOOST_TEST(t_.stats().domain.bytes_allocated == empty_);
        BOOST_TEST(wrong_with(pool_) == "");
    }

private:
    void compare() {
        auto expected = model_.begin();
        t_.for_each([&](std::string_view key, const ValueView& value) {
            BOOST_REQUIRE((expected != model_.end() && expected->first == key &&
                           is_same(expected->second, ss::copy_of(value))));
            ++expected;
        });
        BOOST_REQUIRE((expected == model_.end()));
        auto it = t_.end();
        for (auto back = model_.rbegin(); back != model_.rend(); ++back) BOOST_REQUIRE((--it).key() == back->first);
        BOOST_REQUIRE(wrong_with(t_) == "");
        BOOST_REQUIRE(wrong_with(pool_) == "");
        BOOST_REQUIRE(t_.count_prefix("") == model_.size());
        BOOST_REQUIRE(t_.nodes_for_prefix("") == t_.node_size());
        BOOST_REQUIRE(t_.bytes_for_prefix("") + empty_ == t_.stats().bytes_allocated);
    }

    /// A few steps as one transaction, of which a third is undone by a throw.
    void transact() {
        const bool undo = chance_.below(3) == 0;
        const TreeContents before = undo ? model_ : TreeContents();
        try {
            ss::transaction(t_, [&](auto& tx) {
                for (std::uint64_t i = chance_.below(8); i-- > 0;) change(tx);
                if (undo) throw std::runtime_error("undone");
            });
        } catch (const std::runtime_error&) { model_ = before; }
    }

    void step() {
        if (chance_.below(3) == 0)
            look();
        else
            change();
    }

    std::string key() {
        if (model_.empty() || chance_.below(3) == 0) return chance_.key();
        auto at = model_.lower_bound(chance_.key());
        return at == model_.end() ? model_.begin()->first : at->first;
    }

    template <class... Tx>
    void change(Tx&... tx) {
        const std::string k = key();
        const auto found = model_.find(k);
        const bool there = found != model_.end();
        const std::uint64_t dice = chance_.below(100);
        if (dice < (erase_more_ ? 15U : 50U)) {
            const Value value = chance_.value();
            BOOST_REQUIRE(t_.insert(tx..., k, value) == !there);
            model_[k] = value;
        } else if (dice < 55) {
            const Value value = chance_.value();
            BOOST_REQUIRE(t_.try_insert(tx..., k, value) == !there);
            model_.try_emplace(k, value);
        } else if (dice < 60) {
            const std::string checked = key();
            const auto other = model_.find(checked);
            const bool missing = chance_.below(2) == 0;
            const Value wanted = other != model_.end() && chance_.below(2) == 0 ? other->second : Value("other");
            const bool holds =
                missing ? other == model_.end() : other != model_.end() && is_same(other->second, wanted);
            const Value value = chance_.value();
            BOOST_REQUIRE((missing ? t_.insert_if(tx..., Check::missing(checked), k, value)
                                   : t_.insert_if(tx..., Check(checked, wanted), k, value)) == holds);
            if (holds) model_[k] = value;
        } else if (dice < (erase_more_ ? 85U : 75U)) {
            BOOST_REQUIRE(t_.erase(tx..., k) == there);
            model_.erase(k);
        } else if (dice < 88) {
            const bool holds = there && chance_.below(2) == 0;
            const Value wanted = there && holds ? found->second : Value("something else");
            BOOST_REQUIRE(t_.erase_if(tx..., Check(k, wanted), k) == holds);
            if (holds) model_.erase(k);
        } else if (dice < 98) {
            add(k, there ? std::optional(found->second) : std::nullopt, tx...);
        } else {
            const std::string prefix = k.substr(0, k.size() - std::min<std::size_t>(k.size(), chance_.below(3)));
            std::uint64_t count = 0;
            for (auto at = model_.lower_bound(prefix); at != model_.end() && at->first.starts_with(prefix); ++count)
                at = model_.erase(at);
            BOOST_REQUIRE(t_.erase_prefix(tx..., prefix) == count);
        }
        const auto now = t_.find(tx..., k);
        const auto expected = model_.find(k);
        BOOST_REQUIRE(now.has_value() == (expected != model_.end()));
        if (now) BOOST_REQUIRE(is_same(*now, expected->second));
    }

    template <class... Tx>
    void add(const std::string& k, const std::optional<Value>& old, Tx&... tx) {
        const auto delta = static_cast<std::int64_t>(chance_.below(std::numeric_limits<std::uint64_t>::max()));
        if (old && ss::type_of(*old) == ValueType::real) {
            const double sum = std::get<double>(*old) + 0.5;
            BOOST_REQUIRE(t_.incr(tx..., k, 0.5) == sum);
            model_[k] = sum;
        } else if (old && ss::type_of(*old) != ValueType::integer) {
            BOOST_REQUIRE(thrown_by([&] { t_.incr(tx..., k, delta); }) == error(ss::errc::wrong_type));
            BOOST_REQUIRE(thrown_by([&] { t_.incr(tx..., k, 1.5); }) == error(ss::errc::wrong_type));
        } else {
            const std::uint64_t before = old ? static_cast<std::uint64_t>(std::get<std::int64_t>(*old)) : 0;
            const auto sum = static_cast<std::int64_t>(before + static_cast<std::uint64_t>(delta));
            BOOST_REQUIRE(t_.incr(tx..., k, delta) == sum);
            model_[k] = sum;
        }
    }

    void look() {
        const std::string k = chance_.below(4) == 0 ? key() : chance_.key();
        const auto lower = model_.lower_bound(k), upper = model_.upper_bound(k), found = model_.find(k);
        const auto it = t_.lower_bound(k);
        BOOST_REQUIRE(it.is_end() == (lower == model_.end()));
        if (!it.is_end()) BOOST_REQUIRE((it.key() == lower->first && is_same(it->second, lower->second)));
        const auto next = t_.next_key(k);
        BOOST_REQUIRE(next.has_value() == (upper != model_.end()));
        if (next) BOOST_REQUIRE(*next == upper->first);
        auto back = it;
        --back;
        BOOST_REQUIRE(back.is_end() == (lower == model_.begin()));
        if (!back.is_end()) BOOST_REQUIRE(back.key() == one_back(lower)->first);
        const auto type = t_.type(k);
        BOOST_REQUIRE(type.has_value() == (found != model_.end()));
        if (type) BOOST_REQUIRE((*type == ss::type_of(found->second)));
        std::optional<std::string> longest;
        for (std::size_t size = 0; size <= k.size(); ++size)
            if (model_.contains(k.substr(0, size))) longest = k.substr(0, size);
        const auto match = t_.longest_prefix(k);
        BOOST_REQUIRE(match.has_value() == longest.has_value());
        if (match) BOOST_REQUIRE((match->first == *longest && is_same(match->second, model_.at(*longest))));
        std::uint64_t count = 0;
        for (auto at = lower; at != model_.end() && at->first.starts_with(k); ++at) ++count;
        BOOST_REQUIRE(t_.count_prefix(k) == count);
    }

    ss::Pool pool_ = ss::Pool::anonymous();
    Tree t_;
    TreeContents model_;
    Chance chance_;
    std::uint64_t empty_ = 0;
    bool erase_more_ = false;
};

} // namespace

BOOST_AUTO_TEST_CASE(the_default_profile) {
    const Watchdog dog(110, "the model");
    Comparison<ss::PrefixTree<>>(1).run(1'000'000 / slowness);
}

BOOST_AUTO_TEST_CASE(keys_of_up_to_64_kibibytes) {
    const Watchdog dog(110, "the model");
    Comparison<ss::PrefixTree<>>(1, 65'000).run(200 / slowness);
}

BOOST_AUTO_TEST_CASE(every_policy_at_least_once) {
    const Watchdog dog(110, "the model");
    unsigned seed = 2;
    boost::hana::for_each(ss::registry::few_prefix_trees, [&](auto type) {
        using Tree = typename decltype(type)::type;
        BOOST_TEST_CONTEXT(ss::registry::profile_name<Tree>()) { Comparison<Tree>(seed++).run(15'000 / slowness); }
    });
}

BOOST_AUTO_TEST_SUITE_END()
