// Two Queues, "q" whose dead letters go to "d", and a HashTable "h", in the one domain of a pool, without their types: so
// that what is done to them is one text, compiled once, and each profile only adds the structures themselves.
#pragma once

#include <ss/ss.hpp>

#include "crash/profile.hpp"
#include "crash/scenario.hpp"
#include "crash/tables.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace ss::test {

/// How often an item of "q" may be leased, and what it has room for.
inline constexpr std::uint64_t queue_leases = 2, queue_items = 64, queue_bytes = 100'000;

[[nodiscard]] inline QueueOptions queue_options() {
    return {.max_items = queue_items, .max_bytes = queue_bytes, .max_leases = queue_leases, .dead_letters = "d"};
}

/// A queue, or a queue within a transaction.
class AnyQueue {
public:
    AnyQueue() = default;
    AnyQueue(const AnyQueue&) = delete;
    AnyQueue& operator=(const AnyQueue&) = delete;
    virtual ~AnyQueue() = default;
    virtual void push_back(std::string_view item) = 0;
    virtual void push_front(std::string_view item) = 0;
    virtual void push_back(std::initializer_list<Bytes> pieces) = 0;
    /// False if there is no room.
    virtual bool try_push(std::string_view item) = 0;
    virtual bool pop_front() = 0;
    virtual bool pop_back() = 0;
    /// The lease is never let go of: it is this process's as long as that lives.
    virtual bool lease() = 0;
    /// Ends the lease with the n-th number of those that there are.
    virtual bool ack(std::size_t n) = 0;
    virtual void clear() = 0;
};

class QueuePool {
public:
    QueuePool() = default;
    QueuePool(const QueuePool&) = delete;
    QueuePool& operator=(const QueuePool&) = delete;
    virtual ~QueuePool() = default;

    [[nodiscard]] virtual AnyQueue& q() = 0;
    [[nodiscard]] virtual AnyQueue& d() = 0;
    [[nodiscard]] virtual AnyTable& h() = 0;
    /// f(q, d, h) as one transaction.
    virtual void transact(const std::function<void(AnyQueue&, AnyQueue&, AnyTable&)>& f) = 0;
    /// Puts back the item of the lease of "q" with the n-th number.
    virtual bool release(std::size_t n) = 0;
    /// Nobody has looked for dead takers for long.
    virtual void forget_looking() = 0;
    /// The leases of "q" are nobody's from now on, who does not die.
    virtual void keep_leases() = 0;
    /// Somebody has waited in vain for an item of "q", or for room in it, and is gone: whoever has one for him wakes him.
    virtual bool wait_for_item() = 0;
    virtual bool wait_for_room() = 0;
    /// Somebody watches the key of "h".
    virtual void watch(std::string_view key) = 0;
    /// Bytes of the domain.
    [[nodiscard]] virtual std::uint64_t committed() const = 0;
    /// Bytes that wait to be freed.
    [[nodiscard]] virtual std::uint64_t garbage() const = 0;
};

/// What the scenarios of queues need to know of a profile.
struct QueueProfile {
    /// All of a scenario but its name, prepare and operate.
    Scenario blank;
    std::function<std::unique_ptr<QueuePool>(const Pool&)> open;
    /// Opens, or makes, a queue with dead letters "<name> d"; what is returned keeps it open.
    std::function<std::shared_ptr<void>(const Pool&, const std::string& name)> make;
};

/// Calls f(slot) for all that are leased of the queue. Of one moment where nobody writes.
template <class Queue, class F>
void for_each_lease(Queue& queue, const std::string& name, F f) {
    const DomainCore& domain = queue.domain().core();
    const auto object = find_object(domain, name);
    const auto& head =
        domain.region().at(Offset<detail::QueueHead>{load(object->entry->root[detail::queue_head_root])});
    detail::for_each_slot(domain.region(), load(head.tables), [&](detail::LeaseSlot& slot) {
        if (load(slot.number) != 0) f(slot);
        return false;
    });
}

/// The one that hangs on a slot.
[[nodiscard]] inline detail::ItemView leased_item(const Region& region, const detail::LeaseSlot& slot) {
    return {region, load(slot.page) + sizeof(detail::QueuePage)};
}

/// `Tx` is empty, or the transaction's type.
template <class Queue, class... Tx>
class TypedQueue final : public AnyQueue {
public:
    explicit TypedQueue(Queue& queue, std::string name, Tx&... tx) noexcept
        : queue_(&queue), name_(std::move(name)), tx_(&tx...) {}

    void push_back(std::string_view item) override {
        with([&](Tx&... tx) { queue_->push_back(tx..., item); });
    }
    void push_front(std::string_view item) override {
        with([&](Tx&... tx) { queue_->push_front(tx..., item); });
    }
    void push_back(std::initializer_list<Bytes> pieces) override {
        with([&](Tx&... tx) { queue_->push_back(tx..., pieces); });
    }
    bool try_push(std::string_view item) override {
        return with([&](Tx&... tx) { return queue_->try_push(tx..., item); });
    }
    bool pop_front() override {
        return with([&](Tx&... tx) { return queue_->pop_front(tx...).has_value(); });
    }
    bool pop_back() override {
        return with([&](Tx&... tx) { return queue_->pop_back(tx...).has_value(); });
    }
    bool lease() override {
        auto lease = with([&](Tx&... tx) { return queue_->lease(tx...); });
        if (lease) kept().push_back(std::move(*lease));
        return lease.has_value();
    }
    bool ack(std::size_t n) override {
        const detail::LeaseRef ref = lease_ref(n);
        return with([&](Tx&... tx) { return queue_->ack_lease(tx..., ref); });
    }
    void clear() override {
        with([&](Tx&... tx) { queue_->clear(tx...); });
    }

    [[nodiscard]] detail::LeaseRef lease_ref(std::size_t n) const {
        std::vector<detail::LeaseRef> all;
        for_each_lease(*queue_, name_, [&](const detail::LeaseSlot& slot) {
            all.push_back({.slot = queue_->domain().region().offset_of(&slot), .number = load(slot.number)});
        });
        std::ranges::sort(all, {}, &detail::LeaseRef::number);
        return all.at(n);
    }

private:
    /// Never destroyed, in any process.
    [[nodiscard]] static std::vector<typename Queue::Lease>& kept() {
        static auto& all = *new std::vector<typename Queue::Lease>;
        all.reserve(1000);
        return all;
    }

    template <class F>
    auto with(F f) {
        return std::apply([&](Tx*... tx) { return f(*tx...); }, tx_);
    }

    Queue* queue_;
    std::string name_;
    std::tuple<Tx*...> tx_;
};

template <class Queue>
class TypedQueuePool final : public QueuePool {
    using Table = HashTable<typename Queue::allocator_policy, typename Queue::lock_policy>;

public:
    explicit TypedQueuePool(const Pool& pool)
        : q_(pool, "q", queue_options()), d_(pool, "d"), h_(pool, "h", {.bits = 0}) {}

    [[nodiscard]] AnyQueue& q() override { return any_q_; }
    [[nodiscard]] AnyQueue& d() override { return any_d_; }
    [[nodiscard]] AnyTable& h() override { return any_h_; }

    void transact(const std::function<void(AnyQueue&, AnyQueue&, AnyTable&)>& f) override {
        transaction(q_, [&]<class Tx>(Tx& tx) {
            TypedQueue<Queue, Tx> q(q_, "q", tx);
            TypedQueue<Queue, Tx> d(d_, "d", tx);
            TypedTableInside<Table, Tx> h(h_, tx);
            f(q, d, h);
        });
    }

    bool release(std::size_t n) override { return q_.release_lease(any_q_.lease_ref(n)); }

    void forget_looking() override {
        q_.domain().locked([&] {
            const auto object = find_object(q_.domain().core(), "q");
            put(q_.domain()
                    .region()
                    .at(Offset<detail::QueueHead>{load(object->entry->root[detail::queue_head_root])})
                    .looked,
                0);
        });
    }

    void keep_leases() override {
        for_each_lease(q_, "q", [](detail::LeaseSlot& slot) {
            put(slot.era, 0);
            put(slot.token, 0);
        });
    }

    bool wait_for_item() override { return !q_.pop_front_for(std::chrono::milliseconds(1)); }
    bool wait_for_room() override { return !q_.push_for("there is no room", std::chrono::milliseconds(1)); }

    void watch(std::string_view key) override { (void)h_.stamp(key); }

    [[nodiscard]] std::uint64_t committed() const override { return q_.stats().domain.bytes_committed; }
    [[nodiscard]] std::uint64_t garbage() const override { return q_.stats().garbage_bytes; }

private:
    Queue q_;
    Queue d_;
    Table h_;
    TypedQueue<Queue> any_q_{q_, "q"};
    TypedQueue<Queue> any_d_{d_, "d"};
    TypedTable<Table> any_h_{h_};
};

[[nodiscard]] inline std::string text_of(const QueueOptions& options) {
    return numbered("items ", options.max_items) + numbered(" bytes ", options.max_bytes) +
           numbered(" leases ", options.max_leases);
}

/// The objects of a pool and all that is in them, by every way that there is to read it. An item is told by its place from
/// the front, or by that it is leased, how often it was.
template <class Queue>
[[nodiscard]] Contents queue_contents(const Pool& pool) {
    Contents found;
    for (const ObjectInfo& object : pool.objects()) {
        found["object " + object.name] = object.type;
        if (object.type == to_string(hash_table_type)) {
            const HashTable<typename Queue::allocator_policy, typename Queue::lock_policy> table(pool, object.name);
            table.for_each([&](std::string_view key, std::string_view value) {
                found[object.name + ": " + std::string(key)] = value;
            });
            continue;
        }
        Queue queue(pool, object.name);
        const auto items = queue.snapshot();
        std::uint64_t bytes = 0;
        for (std::size_t i = 0; i < items.size(); ++i) {
            found[object.name + numbered(": ", 1000 + i)] = items[i];
            bytes += items[i].size();
        }
        if (queue.size() != items.size() || queue.bytes() != bytes || queue.empty() != items.empty())
            throw std::runtime_error("a queue counts other items than it has");
        const auto end = [&](std::size_t at) { return items.empty() ? std::nullopt : std::optional(items[at]); };
        if (queue.front() != end(0) || queue.back() != end(items.size() - 1))
            throw std::runtime_error("a queue's ends are not what a walk meets there");
        std::uint64_t leased = 0;
        Contents in_hands;
        detail::read_object(queue.domain(), *find_object(queue.domain().core(), object.name), [&](auto valid) {
            leased = 0;
            in_hands.clear();
            for_each_lease(queue, object.name, [&](const detail::LeaseSlot& slot) {
                const detail::ItemView item = leased_item(queue.domain().region(), slot);
                if (!valid()) return;
                std::string text;
                item.copy_to(text);
                in_hands[object.name + " leased: " + text] = std::to_string(item.leases());
                ++leased;
            });
            return true;
        });
        found.merge(in_hands);
        if (queue.leased() != leased) throw std::runtime_error("a queue counts other leases than it has");
        found[object.name + " options"] = text_of(queue.options());
    }
    return found;
}

/// What must be true of a recovered pool, whatever was done: throws if a watcher of any key could miss a change. Where "h" has
/// the key "is watched", somebody has a stamp of "watched", from before its first change.
template <class Queue>
void check_signals(const Pool& pool) {
    using Table = HashTable<typename Queue::allocator_policy, typename Queue::lock_policy>;
    const Domain<typename Queue::allocator_policy, typename Queue::lock_policy> domain(pool, 0);
    bool moved = false, watched = false;
    domain.locked([&] {
        const DomainBlock& block = domain.core().block();
        for (std::uint64_t i = 0; i < signal_count; ++i) {
            const Signal& signal = block.signals[i];
            if ((load(signal.version) & 1) != 0)
                throw std::runtime_error("a signal is odd, and nobody changes anything");
            if (load(signal.watched) != 0 && (load(block.watched) >> (i / detail::signals_per_line) & 1) == 0)
                throw std::runtime_error("a signal is watched, and its line does not say so");
            moved |= load(signal.version) != 0;
            watched |= load(signal.watched) != 0;
        }
    });
    if (!find_object(domain.core(), "h")) return;
    const Table h(pool, "h");
    if (!h.contains("is watched")) return;
    if (h.contains("watched") && !moved) throw std::runtime_error("a watched key has changed, and no stamp moved");
    if (!moved && !watched) throw std::runtime_error("nobody watches any more, and no stamp moved");
}

/// Throws unless the pool verifies, and, once all garbage is freed, verifies again and has exactly the bytes allocated
/// that its objects use.
template <class Queue>
void check_queues(const Pool& pool) {
    const auto verify = [&](const char* when) {
        if (const auto problems = pool.verify(); !problems.empty())
            throw std::runtime_error(std::string("verify ") + when + ": " + problems.front());
    };
    verify("as found");
    check_signals<Queue>(pool);
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

/// Works on all that there is until nothing is left to do: what waits in "q", and what dead workers had. The result of each
/// item is counted in the transaction that acknowledges it. So afterwards each is in "h" once, or among the dead letters.
template <class Queue>
void work_on_all(const Pool& pool) {
    using Table = HashTable<typename Queue::allocator_policy, typename Queue::lock_policy>;
    Queue q(pool, "q", queue_options()), d(pool, "d");
    Table h(pool, "h", {.bits = 0});
    d.push_back(std::string(700, 'n'));
    for_each_lease(q, "q", [](detail::LeaseSlot& slot) {
        if (load(slot.token) == 0) put(slot.era, ~Word{0}); // now it does: see keep_leases
    });
    while (auto lease = q.lease())
        transaction(q, [&](auto& tx) {
            h.incr(tx, "done " + lease->value().substr(0, 12) + numbered(" of ", lease->value().size()), 1);
            if (!lease->ack(tx)) throw std::runtime_error("a lease that this process has is none");
        });
    while (const auto item = d.pop_front()) h.incr("done " + item->substr(0, 12) + numbered(" of ", item->size()), 1);
    if (q.leased() != 0 || q.size() != 0) throw std::runtime_error("items of the dead do not come back");
    for (std::uint64_t i = 0; i < 3; ++i) q.push_front(numbered("after all ", i));
    if (!q.pop_back()) throw std::runtime_error("an item is gone");
}

/// What work_on_all makes of the contents.
[[nodiscard]] inline Contents all_worked_on(const Contents& contents) {
    Contents result;
    std::map<std::string, std::int64_t> done;
    const auto finish = [&](const std::string& item) {
        ++done["h: done " + item.substr(0, 12) + numbered(" of ", item.size())];
    };
    finish(std::string(700, 'n'));
    for (const auto& [key, value] : contents) {
        if (key.starts_with("q: ") || key.starts_with("d: "))
            finish(value);
        else if (key.starts_with("q leased: "))
            finish(key.substr(10));
        else
            result[key] = value;
    }
    for (const auto& [key, count] : done) {
        std::string value(sizeof count, '\0');
        std::memcpy(value.data(), &count, sizeof count);
        result[key] = value;
    }
    for (const char* const name : {"q", "d"}) result[std::string("object ") + name] = to_string(queue_type);
    result["object h"] = to_string(hash_table_type);
    result["q options"] = text_of(queue_options());
    result.emplace("d options", text_of({}));
    result["q: 1000"] = "after all 2";
    result["q: 1001"] = "after all 1";
    return result;
}

template <class Queue>
[[nodiscard]] QueueProfile queue_profile() {
    Scenario blank = scenario_of<typename Queue::allocator_policy, typename Queue::lock_policy>("");
    blank.contents = &queue_contents<Queue>;
    blank.check = &check_queues<Queue>;
    blank.next = &work_on_all<Queue>;
    blank.next_contents = &all_worked_on;
    return {.blank = std::move(blank),
            .open = [](const Pool& pool) { return std::make_unique<TypedQueuePool<Queue>>(pool); },
            .make = [](const Pool& pool, const std::string& name) -> std::shared_ptr<void> {
                return std::make_shared<Queue>(
                    pool, name,
                    QueueOptions{.max_items = 5, .max_leases = queue_leases, .dead_letters = name + " d"});
            }};
}

} // namespace ss::test
