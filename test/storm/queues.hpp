// The part that queues have in a storm, in the domain of its tables.
//
//     "jobs"          each once, always: leased by workers, who are killed with it in their hands. The transaction that
//                     acknowledges a job counts it in "jobs done" and puts it in again
//     "failing"       jobs that nobody ever finishes: those that have been leased 3 times go to "failed", from where a
//                     transaction puts them back
//     "ring"          tickets that go round: popped at one end and pushed at the other, in one transaction
//     "narrow"        of few items and bytes, pushed and popped with waiting, cleared
#pragma once

#include <ss/ss.hpp>

#include "support/expect.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace ss::test {

inline constexpr unsigned storm_jobs = 60, storm_failing = 20, storm_ring = 100;
inline constexpr std::uint64_t narrow_items = 8, narrow_bytes = 1000;

/// The queues of a pool, in the profile of a table.
template <class Table>
class StormQueues {
    using Queue = ss::Queue<typename Table::allocator_policy, typename Table::lock_policy>;

public:
    explicit StormQueues(const Pool& pool)
        : jobs_(pool, "jobs"), failing_(pool, "failing", {.max_leases = 3, .dead_letters = "failed"}),
          failed_(pool, "failed"), ring_(pool, "ring"),
          narrow_(pool, "narrow", {.max_items = narrow_items, .max_bytes = narrow_bytes}), done_(pool, "jobs done") {}

    void begin() {
        for (unsigned i = 0; i < storm_jobs; ++i) jobs_.push_back(name_of("job ", i));
        for (unsigned i = 0; i < storm_failing; ++i) failing_.push_back(name_of("failing ", i));
        for (unsigned i = 0; i < storm_ring; ++i) ring_.push_back(name_of("ticket ", i));
    }

    /// Something; counts what it finds wrong, and the jobs that were done.
    void work(std::mt19937& random, std::atomic<std::uint64_t>& wrong, std::atomic<std::uint64_t>& done) {
        const auto below = [&](unsigned limit) { return static_cast<unsigned>(random() % limit); };
        switch (below(8)) {
        case 0:
        case 1:
        case 2:
            if (auto lease = jobs_.lease(std::chrono::milliseconds(below(3)))) {
                if (!is_name(lease->value(), "job ")) ++wrong;
                if (below(4) == 0) return; // let go of
                transaction(jobs_, [&](auto& tx) {
                    if (!lease->ack(tx)) ++wrong; // whoever has it lives
                    done_.incr(tx, lease->value(), 1);
                    if (below(2) == 0)
                        jobs_.push_back(tx, lease->value());
                    else
                        jobs_.push_front(tx, {lease->value()});
                });
                ++done;
                if (lease->ack()) ++wrong;
            }
            break;
        case 3:
            if (auto lease = failing_.lease()) {
                if (!is_name(lease->value(), "failing ") || lease->leases() > 3) ++wrong;
                if (below(2) == 0 && !lease->release()) ++wrong;
            }
            break;
        case 4:
            transaction(failed_, [&](auto& tx) {
                if (const auto item = failed_.pop_back(tx)) failing_.push_back(tx, *item);
            });
            break;
        case 5:
            transaction(ring_, [&](auto& tx) {
                for (unsigned i = below(12); i != 0; --i) {
                    const bool forth = below(3) != 0;
                    const auto item = forth ? ring_.pop_front(tx) : ring_.pop_back(tx);
                    if (!item || !is_name(*item, "ticket ")) ++wrong;
                    if (!item) break;
                    forth ? ring_.push_back(tx, *item) : ring_.push_front(tx, *item);
                }
            });
            if (ring_.size() != storm_ring) ++wrong;
            break;
        case 6: {
            const auto stats = narrow_.stats();
            if (stats.entries > narrow_items || stats.payload > narrow_bytes) ++wrong;
            (void)narrow_.push_for(name_of("narrow ", below(300)), std::chrono::milliseconds(below(3)));
            if (below(100) == 0) narrow_.clear();
            break;
        }
        default:
            if (const auto item = below(2) == 0 ? narrow_.pop_front_for(std::chrono::milliseconds(below(3)))
                                                : narrow_.pop_back_for(std::chrono::milliseconds(below(3))))
                if (!is_name(*item, "narrow ")) ++wrong;
        }
    }

    /// What "jobs done" counts.
    [[nodiscard]] std::uint64_t done() const {
        std::int64_t sum = 0;
        for (unsigned i = 0; i < storm_jobs; ++i)
            sum += done_.template find_as<std::int64_t>(name_of("job ", i)).value_or(0);
        return static_cast<std::uint64_t>(sum);
    }

    /// What must be true when all is quiet, and all workers are dead: what they had comes back.
    void check() {
        for (Queue* queue : {&jobs_, &failing_, &failed_, &ring_, &narrow_}) BOOST_TEST(wrong_with(*queue) == "");
        std::map<std::string, int> seen;
        while (auto lease = jobs_.lease()) {
            ++seen[lease->value()];
            BOOST_TEST(lease->ack());
        }
        while (const auto item = failing_.pop_front()) ++seen[*item];
        while (const auto item = failed_.pop_front()) ++seen[*item];
        while (const auto item = ring_.pop_back()) ++seen[*item];
        const auto check_all = [&](const char* prefix, unsigned count) {
            for (unsigned i = 0; i < count; ++i) {
                const int times = seen[name_of(prefix, i)];
                BOOST_TEST(times == 1, name_of(prefix, i) << " is there " << times << " times");
            }
        };
        check_all("job ", storm_jobs);
        check_all("failing ", storm_failing);
        check_all("ticket ", storm_ring);
        BOOST_TEST(seen.size() == storm_jobs + storm_failing + storm_ring);
        BOOST_TEST((jobs_.leased() == 0U && failing_.leased() == 0U));
        for (Queue* queue : {&jobs_, &failing_, &failed_, &ring_}) BOOST_TEST(wrong_with(*queue) == "");
    }

private:
    [[nodiscard]] static std::string name_of(const char* prefix, unsigned i) {
        return prefix + std::to_string(i) + std::string(i * 37 % 300, '.');
    }
    [[nodiscard]] static bool is_name(std::string_view item, const char* prefix) {
        if (!item.starts_with(prefix)) return false;
        return item == name_of(prefix, static_cast<unsigned>(
                                           std::stoul(std::string(item.substr(std::string_view(prefix).size())))));
    }

    Queue jobs_, failing_, failed_, ring_, narrow_;
    Table done_;
};

} // namespace ss::test
