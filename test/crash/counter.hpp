// The least that can go wrong: two words of an object that are always equal, changed in one transaction.
#pragma once

#include <ss/domain/domain.hpp>

#include "crash/profile.hpp"
#include "crash/scenario.hpp"

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace ss::test {

/// Two words in the roots of a directory entry.
template <class A, class L>
class PairOfWords {
public:
    explicit PairOfWords(const Pool& pool, std::string_view name = "pair")
        : domain_(pool, 0),
          entry_(domain_.open_object(name, {.type = policy_id("pair")}, false, [](auto&, DirectoryEntry&) {}).entry) {
    }

    /// Adds to both, by as many transactions as told, or as one.
    void add(Word amount) {
        domain_.run([&](auto& tx) {
            tx.touch(entry_->version);
            tx.store(entry_->root[0], load(entry_->root[0]) + amount);
            tx.store(entry_->root[1], load(entry_->root[1]) + amount);
        });
    }

    [[nodiscard]] Contents contents() const {
        Word a = 0;
        Word b = 0;
        domain_.read([&](auto reading) {
            Word seen = 0;
            if (!reading.begin(entry_->version, seen)) return false;
            a = load(entry_->root[0]);
            b = load(entry_->root[1]);
            return reading.validate(entry_->version, seen);
        });
        if (a != b) throw std::runtime_error("the words are " + std::to_string(a) + " and " + std::to_string(b));
        return {{"pair", std::to_string(a)}};
    }

    [[nodiscard]] Domain<A, L>& domain() noexcept { return domain_; }

private:
    Domain<A, L> domain_;
    DirectoryEntry* entry_;
};

/// Under a lock that the kernel has a part in: also as the first who locks it in its era.
template <class A, class L>
[[nodiscard]] std::vector<Scenario> counter_scenarios() {
    using Pair = PairOfWords<A, L>;
    Scenario scenario = scenario_of<A, L>("pair of words: add");
    scenario.prepare = [](const std::filesystem::path& path) { Pair(open_pool(path)).add(41); };
    scenario.operate = [](const std::filesystem::path& path, const Markers& markers) {
        Pair pair(open_pool(path));
        markers.begin();
        pair.add(1);
        markers.end();
    };
    scenario.contents = [](const Pool& pool) { return Pair(pool).contents(); };
    scenario.check = [](const Pool& pool) {
        check_domain<A, L>(pool, [](const auto&, const auto&) { return std::uint64_t{0}; });
    };
    scenario.next = [](const Pool& pool) { Pair(pool).add(1000); };
    scenario.next_contents = [](Contents contents) {
        return Contents{{"pair", std::to_string(std::stoull(contents["pair"]) + 1000)}};
    };
    std::vector<Scenario> all{scenario};
    if (scenario.kernel_lock) {
        scenario.name += ", first lock";
        scenario.first_lock = true;
        all.push_back(scenario);
    }
    return all;
}

} // namespace ss::test
