// Random operations against a model: what std::unordered_map would hold.
#include <ss/ss.hpp>

#include "support/expect.hpp"
#include "support/sanitizer.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

BOOST_AUTO_TEST_SUITE(structure_model)

using namespace ss::test;

namespace {

using Model = std::unordered_map<std::string, std::string>;

/// Random keys of a set of so many, short ones and long ones; random values of all sizes.
class Chance {
public:
    explicit Chance(unsigned seed) : engine_(seed) {}

    std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }

    std::string key(std::uint64_t keys) {
        const std::uint64_t number = below(keys);
        std::string text = std::to_string(number * 0x9E37'79B9U);
        if (number % 16 == 0) text += std::string(number % 100, static_cast<char>(number));
        return text;
    }

    std::string value() {
        static constexpr std::uint64_t limits[] = {9, 9, 9, 40, 80, 80, 300, 5000};
        const std::uint64_t size = below(limits[below(8)]);
        std::string text(size, '\0');
        for (std::uint64_t i = 0; i < size; i += 8) {
            const std::uint64_t word = engine_();
            std::memcpy(text.data() + i, &word, std::min<std::size_t>(8, size - i));
        }
        return text;
    }

private:
    std::mt19937_64 engine_;
};

template <class Table>
class Comparison {
public:
    Comparison(const ss::HashTableOptions& options, unsigned seed) : t_(pool_, "t", options), chance_(seed) {}

    void run(std::uint64_t operations) {
        for (std::uint64_t i = 0; i < operations; ++i) {
            // The number of keys swells and shrinks, so that the table does.
            const std::uint64_t phase = i / (operations / 30 + 1) % 6;
            if (i % 100 == 0) largest_ = std::max(largest_, t_.bits());
            keys_ = phase < 3 ? 50 : 20'000;
            erase_more_ = phase == 2 || phase == 5;
            if (!is_striped && chance_.below(20) == 0)
                transact();
            else
                step();
            if (i % 20'000 == 0 || chance_.below(40'000) == 0) compare();
            if (chance_.below(60'000) == 0) {
                t_.clear();
                model_.clear();
            }
        }
        compare();
        shrink();
    }

private:
    /// Erases all, one by one, and sees that the table is as small as it began.
    void shrink() {
        while (!model_.empty()) {
            BOOST_REQUIRE(t_.erase(model_.begin()->first));
            model_.erase(model_.begin());
        }
        if (is_striped) return compare(); // a stripe shrinks when something is erased in it
        for (int i = 0; i < 100'000 && (t_.stats().buckets > 1 || t_.stats().garbage_bytes != 0); ++i) t_.erase("");
        compare();
        BOOST_TEST(t_.bits() == 0U);
        BOOST_TEST(largest_ > 5U);
        BOOST_TEST(t_.stats().domain.bytes_allocated == t_.stats().bytes_allocated);
        BOOST_TEST(t_.stats().bytes_allocated < 8192U);
    }

    void compare() {
        BOOST_REQUIRE(t_.size() == model_.size());
        std::size_t walked = 0;
        t_.for_each([&](std::string_view key, std::string_view value) {
            ++walked;
            const auto expected = model_.find(std::string(key));
            BOOST_REQUIRE((expected != model_.end() && expected->second == value));
        });
        BOOST_REQUIRE(walked == model_.size());
        BOOST_REQUIRE(wrong_with(pool_) == "");
    }

    /// A few steps as one transaction, of which a third is undone by a throw.
    void transact() {
        if constexpr (!is_striped) transact_whole();
    }

    void transact_whole() {
        const bool undo = chance_.below(3) == 0;
        const Model before = undo ? model_ : Model();
        try {
            ss::transaction(t_, [&](auto& tx) {
                for (std::uint64_t i = chance_.below(8); i-- > 0;) step_with(tx);
                if (undo) throw std::runtime_error("undone");
            });
        } catch (const std::runtime_error&) { model_ = before; }
    }

    void step() { step_with(); }

    /// One operation on both; `tx...` is a transaction or nothing.
    template <class... Tx>
    void step_with(Tx&... tx) {
        const std::string key = chance_.key(keys_);
        const auto found = model_.find(key);
        const bool there = found != model_.end();
        const std::uint64_t dice = chance_.below(100);
        if (dice < (erase_more_ ? 5U : 25U)) {
            const std::string value = chance_.value();
            BOOST_REQUIRE(t_.insert(tx..., key, value) == !there);
            model_[key] = value;
        } else if (dice < 30) {
            const std::string value = chance_.value();
            BOOST_REQUIRE(t_.try_insert(tx..., key, value) == !there);
            model_.try_emplace(key, value);
        } else if (dice < 40) {
            // A check on another key.
            const std::string checked = chance_.key(keys_);
            const auto other = model_.find(checked);
            const std::string value = chance_.value();
            const bool wants_missing = chance_.below(2) == 0;
            const std::string wanted = other != model_.end() && chance_.below(2) == 0 ? other->second : "other";
            const bool holds =
                wants_missing ? other == model_.end() : other != model_.end() && other->second == wanted;
            const bool done = wants_missing ? t_.insert_if(tx..., ss::Check::missing(checked), key, value)
                                            : t_.insert_if(tx..., ss::Check(checked, wanted), key, value);
            BOOST_REQUIRE(done == holds);
            if (holds) model_[key] = value;
        } else if (dice < (erase_more_ ? 75U : 55U)) {
            BOOST_REQUIRE(t_.erase(tx..., key) == there);
            model_.erase(key);
        } else if (dice < 78) {
            const bool holds = there && chance_.below(2) == 0;
            const std::string wanted = there ? found->second + (holds ? "" : "x") : "x";
            BOOST_REQUIRE(t_.erase_if(tx..., ss::Check(key, wanted), key) == holds);
            if (holds) model_.erase(key);
        } else if (dice < 85) {
            add_to_number(key, there ? found->second : std::string(), there, tx...);
        } else {
            const std::optional<std::string> value = t_.find(tx..., key);
            BOOST_REQUIRE(value.has_value() == there);
            if (there) BOOST_REQUIRE(*value == found->second);
            BOOST_REQUIRE(t_.contains(key) == there);
        }
    }

    template <class... Tx>
    void add_to_number(const std::string& key, const std::string& old, bool there, Tx&... tx) {
        if (there && old.size() != 8) {
            BOOST_REQUIRE(thrown_by([&] { t_.incr(tx..., key, 1); }) == error(ss::errc::wrong_width));
            return;
        }
        std::uint64_t number = 0;
        if (there) std::memcpy(&number, old.data(), 8);
        number += 3;
        BOOST_REQUIRE(static_cast<std::uint64_t>(t_.incr(tx..., key, 3)) == number);
        model_[key] = std::string(reinterpret_cast<const char*>(&number), 8);
    }

    static constexpr bool is_striped = ss::is_striped<typename Table::lock_policy>;

    ss::Pool pool_ = ss::Pool::anonymous({.domains = is_striped ? 5U : 1U});
    Table t_;
    Model model_;
    Chance chance_;
    std::uint64_t keys_ = 0;
    bool erase_more_ = false;
    unsigned largest_ = 0; ///< most bits that the table had
};

constexpr std::uint64_t operations = 300'000 / slowness;

} // namespace

BOOST_AUTO_TEST_CASE(the_default_profile) { Comparison<ss::HashTable<>>({.bits = 0}, 1).run(operations); }

BOOST_AUTO_TEST_CASE(the_simple_allocator_with_locked_readers) {
    Comparison<ss::HashTable<ss::SimpleAllocator, ss::FutexLock, ss::Fnv1a64>>({.bits = 0}, 2).run(operations / 6);
}

BOOST_AUTO_TEST_CASE(the_simple_allocator_with_optimistic_readers) {
    Comparison<ss::HashTable<ss::SimpleAllocator>>({.bits = 0}, 3).run(operations / 6);
}

BOOST_AUTO_TEST_CASE(the_logarithmic_allocator_with_optimistic_readers) {
    Comparison<ss::HashTable<ss::LogarithmicAllocator, ss::Optimistic<ss::SpinLock>, ss::SipHash13>>({.bits = 0}, 4)
        .run(operations / 3);
}

BOOST_AUTO_TEST_CASE(a_striped_table) {
    Comparison<ss::HashTable<>::with<ss::Striped<ss::DefaultLock>>>({.bits = 0}, 5).run(operations / 3);
}

BOOST_AUTO_TEST_SUITE_END()
