// Two PriorityQueues, "q" and "r", and a HashTable "h", in the one domain of a pool, without their types: so that what is
// done to them is one text, compiled once, and each profile only adds the structures themselves.
#pragma once

#include <ss/ss.hpp>

#include "crash/profile.hpp"
#include "crash/scenario.hpp"
#include "crash/tables.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace ss::test {

/// A queue, or a queue within a transaction.
class AnyPriorityQueue {
public:
    AnyPriorityQueue() = default;
    AnyPriorityQueue(const AnyPriorityQueue&) = delete;
    AnyPriorityQueue& operator=(const AnyPriorityQueue&) = delete;
    virtual ~AnyPriorityQueue() = default;
    virtual void push(std::string_view item) = 0;
    virtual void push_pieces(std::span<const std::string_view> pieces) = 0;
    virtual std::optional<std::string> pop() = 0;
    virtual std::optional<std::string> replace_top(std::string_view item) = 0;
    virtual void clear() = 0;
};

class QueuesAndTable {
public:
    QueuesAndTable() = default;
    QueuesAndTable(const QueuesAndTable&) = delete;
    QueuesAndTable& operator=(const QueuesAndTable&) = delete;
    virtual ~QueuesAndTable() = default;

    [[nodiscard]] virtual AnyPriorityQueue& q() = 0;
    [[nodiscard]] virtual AnyPriorityQueue& r() = 0;
    [[nodiscard]] virtual AnyTable& h() = 0;
    /// f(q, r, h) as one transaction.
    virtual void transact(const std::function<void(AnyPriorityQueue&, AnyPriorityQueue&, AnyTable&)>& f) = 0;
    /// Of "q": waits for so long.
    virtual std::optional<std::string> pop_for(std::chrono::milliseconds timeout) = 0;
    /// Of "q": how many it has.
    [[nodiscard]] virtual std::uint64_t segments() = 0;
    /// Bytes of the domain.
    [[nodiscard]] virtual std::uint64_t committed() const = 0;
    /// Bytes that wait to be freed.
    [[nodiscard]] virtual std::uint64_t garbage() const = 0;
};

/// What the scenarios of priority queues need to know of a profile.
struct PriorityQueueProfile {
    /// All of a scenario but its name, prepare and operate.
    Scenario blank;
    std::function<std::unique_ptr<QueuesAndTable>(const Pool&)> open;
    /// Opens, or makes, another queue; what is returned keeps it open.
    std::function<std::shared_ptr<void>(const Pool&, const std::string& name)> make;
};

/// `Tx` is empty, or the transaction's type.
template <class Queue, class... Tx>
class TypedPriorityQueue final : public AnyPriorityQueue {
public:
    explicit TypedPriorityQueue(Queue& queue, Tx&... tx) noexcept : queue_(&queue), tx_(&tx...) {}

    void push(std::string_view item) override {
        with([&](Tx&... tx) { queue_->push(tx..., item); });
    }
    void push_pieces(std::span<const std::string_view> pieces) override {
        with([&](Tx&... tx) { queue_->push(tx..., pieces); });
    }
    std::optional<std::string> pop() override {
        return with([&](Tx&... tx) { return queue_->pop(tx...); });
    }
    std::optional<std::string> replace_top(std::string_view item) override {
        return with([&](Tx&... tx) { return queue_->replace_top(tx..., item); });
    }
    void clear() override {
        with([&](Tx&... tx) { queue_->clear(tx...); });
    }

private:
    template <class F>
    auto with(F f) {
        return std::apply([&](Tx*... tx) { return f(*tx...); }, tx_);
    }

    Queue* queue_;
    std::tuple<Tx*...> tx_;
};

template <class Queue>
class TypedQueuesAndTable final : public QueuesAndTable {
    using Table = HashTable<typename Queue::allocator_policy, typename Queue::lock_policy>;

public:
    explicit TypedQueuesAndTable(const Pool& pool) : q_(pool, "q"), r_(pool, "r"), h_(pool, "h", {.bits = 0}) {}

    [[nodiscard]] AnyPriorityQueue& q() override { return any_q_; }
    [[nodiscard]] AnyPriorityQueue& r() override { return any_r_; }
    [[nodiscard]] AnyTable& h() override { return any_h_; }

    void transact(const std::function<void(AnyPriorityQueue&, AnyPriorityQueue&, AnyTable&)>& f) override {
        transaction(q_, [&]<class Tx>(Tx& tx) {
            TypedPriorityQueue<Queue, Tx> q(q_, tx);
            TypedPriorityQueue<Queue, Tx> r(r_, tx);
            TypedTableInside<Table, Tx> h(h_, tx);
            f(q, r, h);
        });
    }

    std::optional<std::string> pop_for(std::chrono::milliseconds timeout) override { return q_.pop_for(timeout); }

    [[nodiscard]] std::uint64_t segments() override {
        const DomainCore& domain = q_.domain().core();
        const detail::PriorityHeap heap(domain.region(),
                                        load(find_object(domain, "q")->entry->root[detail::heap_head_root]));
        return static_cast<std::uint64_t>(
            std::ranges::count_if(heap.head().segments, [](const Word& word) { return load(word) != 0; }));
    }

    [[nodiscard]] std::uint64_t committed() const override { return q_.stats().domain.bytes_committed; }
    [[nodiscard]] std::uint64_t garbage() const override { return q_.stats().garbage_bytes; }

private:
    Queue q_;
    Queue r_;
    Table h_;
    TypedPriorityQueue<Queue> any_q_{q_};
    TypedPriorityQueue<Queue> any_r_{r_};
    TypedTable<Table> any_h_{h_};
};

/// All that is in a queue: every item, which nobody else can see without taking it, and what is told of them.
template <class Queue>
void read_priority_queue(Queue& queue, const std::string& name, Contents& found) {
    using Compare = typename Queue::compare_policy;
    const auto object = find_object(queue.domain().core(), name);
    std::vector<std::string> items;
    detail::read_object(queue.domain(), *object, [&](auto valid) {
        const Region& region = queue.domain().region();
        const detail::PriorityHeap heap(region, load(object->entry->root[detail::heap_head_root]));
        items.clear();
        for (std::uint64_t place = 0; place < heap.size(); ++place) {
            const detail::HeapItem item(region, load(heap.at(place)));
            if (!valid()) return false;
            items.emplace_back(item.bytes());
        }
        return true;
    });
    std::uint64_t bytes = 0;
    for (const std::string& item : items) {
        bytes += item.size();
        std::string& count = found[name + ": " + item];
        count.push_back('|');
    }
    if (queue.size() != items.size() || queue.bytes() != bytes)
        throw std::runtime_error(numbered("a queue of ", items.size()) + numbered(" items says ", queue.size()));
    const auto top = queue.top();
    if (top.has_value() == items.empty()) throw std::runtime_error("top() does not agree with size()");
    if (!top) return;
    if (*top != items.front()) throw std::runtime_error("top() is not the first");
    for (const std::string& item : items)
        if (Compare::less(item, *top)) throw std::runtime_error("top() is not the smallest");
}

/// The objects of a pool and all that is in them.
template <class Queue>
[[nodiscard]] Contents priority_queue_contents(const Pool& pool) {
    Contents found;
    for (const ObjectInfo& object : pool.objects()) {
        found["object " + object.name] = object.type;
        if (object.type == to_string(priority_queue_type)) {
            Queue queue(pool, object.name);
            read_priority_queue(queue, object.name, found);
            continue;
        }
        const HashTable<typename Queue::allocator_policy, typename Queue::lock_policy> table(pool, object.name);
        table.for_each([&](std::string_view key, std::string_view value) {
            found[object.name + ": " + std::string(key)] = value;
        });
    }
    return found;
}

/// Throws unless the pool verifies, and, once all garbage is freed, verifies again and has exactly the bytes allocated
/// that its objects use.
template <class Queue>
void check_priority_queues(const Pool& pool) {
    const auto verify = [&](const char* when) {
        if (const auto problems = pool.verify(); !problems.empty())
            throw std::runtime_error(std::string("verify ") + when + ": " + problems.front());
    };
    verify("as found");
    Domain<typename Queue::allocator_policy, typename Queue::lock_policy> domain(pool, 0);
    while (domain.run([](auto& tx) { return detail::reap_garbage(tx); })) {}
    verify("without garbage");
    std::uint64_t bytes = 0;
    for (const ObjectInfo& object : pool.objects()) bytes += object.bytes;
    const DomainStats stats = domain.stats();
    if (stats.garbage_bytes != 0) throw std::runtime_error("there is garbage that cannot be freed");
    if (stats.bytes_allocated != bytes)
        throw std::runtime_error(std::to_string(stats.bytes_allocated) + " bytes are allocated, " +
                                 std::to_string(bytes) + " are used");
}

template <class Queue>
[[nodiscard]] PriorityQueueProfile priority_queue_profile() {
    Scenario blank = scenario_of<typename Queue::allocator_policy, typename Queue::lock_policy>("");
    blank.contents = &priority_queue_contents<Queue>;
    blank.check = &check_priority_queues<Queue>;
    // A smallest item goes in and out: all levels of the heap move, and come to be as they were.
    blank.next = [](const Pool& pool) {
        Queue q(pool, "q");
        q.push("");
        q.push("one more");
        if (q.pop() != "") throw std::runtime_error("the smallest item does not come first");
    };
    blank.next_contents = [](Contents contents) {
        contents["object q"] = to_string(priority_queue_type);
        contents["q: one more"].push_back('|');
        return contents;
    };
    return {.blank = std::move(blank),
            .open = [](const Pool& pool) { return std::make_unique<TypedQueuesAndTable<Queue>>(pool); },
            .make = [](const Pool& pool, const std::string& name) -> std::shared_ptr<void> {
                return std::make_shared<Queue>(pool, name);
            }};
}

} // namespace ss::test
