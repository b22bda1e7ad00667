// Counting in tables of given policies.
//
//     words    word -> how often
//
// Beside it lie the claims (claims.hpp), in the same domain, so one transaction counts some words and moves the claim past
// them. Killed at whatever instruction, a worker has done both or neither: no word is counted twice, and none is missed.
#pragma once

#include <ss/registry.hpp>

#include "claims.hpp"
#include "counter.hpp"

#include <cctype>
#include <csignal>
#include <cstring>
#include <string_view>

#include <unistd.h>

namespace word_count {

inline constexpr std::size_t words_at_once = 64;

template <class Table>
class TableCounter final : public Counter {
public:
    explicit TableCounter(const ss::Pool& pool) : pool_(pool), words_(pool, "words"), claims_(pool) {}

    void work(const Job& job, const std::string& name) override {
        const Worker self{.job = job, .name = name, .session = pool_.session_id()};
        for (bool all_counted = false; !all_counted;) {
            all_counted = true;
            for (const Text& text : job.texts) {
                const auto offset = claims_.take(self, text);
                if (offset)
                    count(self, text, *offset);
                else
                    all_counted = false;
            }
            if (!all_counted) usleep(1000);
        }
    }

    [[nodiscard]] std::uint64_t bytes_counted() const override { return claims_.bytes_counted(); }

    [[nodiscard]] Result result() const override {
        Result result;
        words_.for_each([&](std::string_view word, std::string_view count) {
            std::memcpy(&result.counts[std::string(word)], count.data(), sizeof(std::int64_t));
        });
        result.killed = claims_.note("killed");
        result.went_on = claims_.note("went on");
        result.recoveries = claims_.recoveries();
        return result;
    }

private:
    void count(const Worker& self, const Text& text, std::uint64_t offset) {
        while (offset < text.content.size()) {
            const Batch batch = next_batch(text.content, offset, words_at_once);
            count(self, text, batch, claims_.is_fatal(self, text, batch));
            offset = batch.end;
        }
    }

    /// The heart of it: the words are counted and the claim is moved, or neither.
    void count(const Worker& self, const Text& text, const Batch& batch, bool fatal) {
        ss::transaction(words_, [&](auto& tx) {
            for (const std::string& word : batch.words) words_.incr(tx, word, 1);
            claims_.advance(tx, self, text, batch);
            if (fatal) std::raise(SIGKILL); // with the lock held, and all of the above done but not committed
        });
    }

    ss::Pool pool_;
    Table words_;
    Claims<typename Table::allocator_policy, typename Table::lock_policy> claims_;
};

/// The id of a policy as one types it: "FUTEX+o" is "optimistic-futex". Ids have seven letters; longer names follow.
[[nodiscard]] inline std::string typed_name(ss::PolicyId id) {
    std::string name = ss::to_string(id);
    const bool is_optimistic = name.ends_with("+o");
    if (is_optimistic) name.resize(name.size() - 2);
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (name == "logarit") name = "logarithmic";
    if (name == "segreg") name = "segregated";
    if (name == "wyhash4") name = "wyhash";
    if (name == "sip13") name = "siphash13";
    return is_optimistic ? "optimistic-" + name : name;
}

template <class Lock>
void add_profiles(std::vector<Profile>& profiles) {
    namespace hana = boost::hana;
    constexpr auto tables = ss::registry::hash_tables_of(
        ss::registry::allocators, hana::tuple_t<Lock, ss::Optimistic<Lock>>, ss::registry::hashes);
    hana::for_each(tables, [&](auto type) {
        using Table = typename decltype(type)::type;
        profiles.push_back({.allocator = typed_name(Table::allocator_policy::id),
                            .lock = typed_name(Table::lock_policy::id),
                            .hash = typed_name(Table::hash_policy::id),
                            .has_lockless_readers = ss::is_optimistic<typename Table::lock_policy>,
                            .open = [](const ss::Pool& pool) -> std::unique_ptr<Counter> {
                                return std::make_unique<TableCounter<Table>>(pool);
                            }});
    });
}

} // namespace word_count
