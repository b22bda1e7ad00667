// The part that priority queues have in a storm, in the domain of its tables.
//
//     "todo", "done"    tickets, each in one of the two: transactions move them, and none is lost or there twice
//     "scratch"         items that say what they are; pushed, replaced, popped, waited for, cleared
#pragma once

#include <ss/ss.hpp>

#include "support/expect.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace ss::test {

inline constexpr unsigned tickets = 300;

/// The priority queues of a pool, in the profile of a table.
template <class Table>
class StormPriorityQueues {
    using Queue = PriorityQueue<typename Table::allocator_policy, typename Table::lock_policy>;

public:
    explicit StormPriorityQueues(const Pool& pool)
        : todo_(pool, "todo"), done_(pool, "done"), scratch_(pool, "scratch") {}

    void begin() {
        for (unsigned i = 0; i < tickets; ++i) todo_.push(ticket(i));
    }

    /// Something; counts what it finds wrong. `table` is any of the domain.
    void work(std::mt19937& random, Table& table, std::atomic<std::uint64_t>& wrong) {
        const auto below = [&](unsigned limit) { return static_cast<unsigned>(random() % limit); };
        const auto check = [&](const std::optional<std::string>& item) {
            if (item && !is_right(*item)) ++wrong;
        };
        switch (below(10)) {
        case 0:
        case 1: {
            Queue& from = below(2) == 0 ? todo_ : done_;
            Queue& to = &from == &todo_ ? done_ : todo_;
            const unsigned count = 1 + below(20);
            transaction(table, [&](auto& tx) {
                for (unsigned i = 0; i < count; ++i)
                    if (const auto item = from.pop(tx)) to.push(tx, *item);
                if (from.size(tx) + to.size(tx) != tickets) ++wrong;
            });
            break;
        }
        case 2:
            transaction(table, [&](auto& tx) {
                const auto item = todo_.pop(tx);
                if (!item) return;
                const auto other = done_.replace_top(tx, *item);
                if (other) todo_.push(tx, *other);
            });
            break;
        case 3:
            if (const auto top = todo_.top(); top && !top->starts_with("ticket ")) ++wrong;
            break;
        case 4:
        case 5:
        case 6:
            scratch_.push(item(below(1000), below(200)));
            break;
        case 7:
            check(scratch_.replace_top(item(below(1000), below(200))));
            check(scratch_.top());
            break;
        case 8:
            for (unsigned i = below(4); i-- != 0;) check(scratch_.pop());
            break;
        default:
            check(scratch_.pop_for(std::chrono::milliseconds(1)));
            if (below(200) == 0) scratch_.clear();
        }
    }

    /// What must be true when all is quiet.
    void check() {
        std::vector<int> seen(tickets);
        for (Queue* queue : {&todo_, &done_}) {
            BOOST_TEST(wrong_with(*queue) == "");
            std::string last;
            while (const auto item = queue->pop()) {
                BOOST_TEST((*item >= last));
                last = *item;
                for (unsigned i = 0; i < tickets; ++i) seen[i] += *item == ticket(i);
            }
        }
        for (unsigned i = 0; i < tickets; ++i)
            BOOST_TEST(seen[i] == 1, "ticket " << i << " is there " << seen[i] << " times");
        BOOST_TEST(wrong_with(scratch_) == "");
        while (const auto item = scratch_.pop()) BOOST_TEST(is_right(*item));
    }

private:
    [[nodiscard]] static std::string ticket(unsigned i) {
        return "ticket " + std::to_string(i * 7919 % 1000) + "/" + std::to_string(i) + std::string(i % 50, '.');
    }
    [[nodiscard]] static std::string item(unsigned number, unsigned size) {
        const std::string name = std::to_string(number);
        return name + std::string(size, '.') + name;
    }
    [[nodiscard]] static bool is_right(std::string_view item) {
        const std::string_view name = item.substr(0, item.find('.'));
        return item.ends_with(name);
    }

    Queue todo_, done_, scratch_;
};

} // namespace ss::test
