// PriorityQueue: items of any bytes, the smallest first, shared by processes.
//
// The bytes are drawn in priority_queue/layout.hpp. heap.hpp changes, reading.hpp reads, garbage.hpp frees, verify.hpp
// checks. Here they become one class.
#pragma once

#include <ss/base/deadline.hpp>
#include <ss/compare/concept.hpp>
#include <ss/domain/domain.hpp>
#include <ss/domain/wakes.hpp>
#include <ss/structure/bytes.hpp>
#include <ss/structure/fwd.hpp>
#include <ss/structure/garbage.hpp>
#include <ss/structure/object_read.hpp>
#include <ss/structure/priority_queue/heap.hpp>
#include <ss/structure/priority_queue/reading.hpp>
#include <ss/structure/priority_queue/stats.hpp>
#include <ss/structure/priority_queue/verify.hpp>
#include <ss/structure/replace_policy.hpp>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ss::inline v0 {

/// A priority queue in a pool: the smallest item comes out first, in the order of `Compare`; of items that it calls equal,
/// any.
///
/// A handle: cheap to copy, may be used by several threads, keeps the pool attached. Items are any bytes, none too, up to
/// 4 GiB less one; the same item may be there often. All that change it are all or nothing, under a kill at any
/// instruction and under a throw; who finds a dead writer's work undoes it, in microseconds. With an `Optimistic` lock
/// `top`, `size` and their kin take no lock, work on a read-only pool, and see only what was committed.
///
/// Every member function may throw lock_timeout (a living process held the lock for too long), no_such_object (the queue
/// was removed), damaged, and in a forked child what attaching anew throws. Those that write may also throw out_of_space,
/// past_max_size, too_large, read_only, would_deadlock (from within a visit or transaction of this domain, without its
/// tx), lock_order, and their forms with `tx` transaction_too_large, other_domain and forked. In all these cases nothing
/// has changed.
///
/// Writes cost time and journal in the logarithm of the size. The heap grows and shrinks by segments that are not copied,
/// so no operation stops the others for long.
///
/// When not to use it: to find or erase items in the middle, or to walk in order, take a PrefixTree whose keys begin with
/// the priority; where first in is first out, a queue, whose operations cost the same however long it is.
template <class Allocator, class Lock, class Compare>
class PriorityQueue {
    static_assert(
        AllocatorPolicy<Allocator>,
        "PriorityQueue: the first parameter is not an allocator policy; docs/concepts.md says what one needs");
    static_assert(LockPolicy<Lock>,
                  "PriorityQueue: the second parameter is not a lock policy; docs/concepts.md says what one needs");
    static_assert(
        ComparePolicy<Compare>,
        "PriorityQueue: the third parameter is not a comparison policy; docs/concepts.md says what one needs");

    using DomainType = Domain<Allocator, Lock>;
    using Tx = typename DomainType::Tx;
    using Writer = detail::HeapWriter<Tx, Compare>;

public:
    using allocator_policy = Allocator;
    using lock_policy = Lock;
    using compare_policy = Compare;

    /// The same type with one policy exchanged: `PriorityQueue<>::with<SpinLock>`.
    template <class P>
    using with = typename detail::ReplacePolicy<ss::PriorityQueue, P, Allocator, Lock, Compare>::type;

    /// Opens the queue of that name, or makes it. The first structure of a domain claims it for its allocator and lock.
    /// Throws other_policies, other_type, name_too_long, invalid_argument, no_such_object and read_only (on a read-only
    /// pool), or what a write throws. Killed in the middle, there is a whole queue or none.
    PriorityQueue(const Pool& pool, std::string_view name)
        : domain_(pool, domain_of(name, pool.domains())),
          object_(domain_.open_object(
              name, type, false,
              [](Tx& tx, DirectoryEntry& entry) {
                  tx.store(entry.root[detail::heap_head_root], detail::make_heap_head(tx));
              },
              &detail::garbage_upkeep<DomainType>())) {}

    // --- writing

    /// Puts an item in, and wakes one of those who wait for one. One transaction of about 10 words, plus one for each
    /// level of the heap that it rises by: two on the average.
    void push(const Bytes& value) { put(Pieces(value)); }
    /// The same with an item in pieces, which are joined.
    void push(std::initializer_list<Bytes> pieces) { push(detail::views_of(pieces)); }
    void push(std::span<const std::string_view> pieces) { put(Pieces(pieces)); }

    /// Takes the smallest item out; nothing if there is none. One transaction, of a word for each level of the heap beside
    /// about 30. Killed before it returns, either the item is there or it is gone, and then nobody has it: take work that
    /// must not be lost in a transaction that also notes who has it.
    std::optional<std::string> pop() {
        return write([&](Tx& tx) { return Writer(tx, object_).pop(); });
    }

    /// The same, but waits for an item if there is none; nothing if none came within `timeout`. It sleeps until a push
    /// wakes it; one whose pusher, or another sleeper that was woken for it, is killed at that moment is found within
    /// 100 ms. Among those who wait nobody is served first. Throws no_such_object when the queue is removed meanwhile.
    std::optional<std::string> pop_for(const Timeout& timeout) {
        PriorityQueue self = *this; // whoever destroys the handle meanwhile does not end the pool
        for (;;) {
            const bool is_last = timeout.is_over();
            Word mark = 0;
            auto item = self.write([&](Tx& tx) {
                auto popped = Writer(tx, self.object_).pop();
                if (!popped && !is_last) mark = detail::begin_to_wait(self.waiters());
                return popped;
            });
            if (item || is_last) return item;
            detail::sleep_on(self.waiters(), mark, timeout.deadline());
        }
    }

    /// Takes the smallest item out and puts another in, which may be smaller still: as a pop and a push in one
    /// transaction, at the cost of one. If there was none, puts the other in all the same, and returns nothing.
    std::optional<std::string> replace_top(const Bytes& value) {
        return write([&](Tx& tx) { return replace_top_in(tx, value); });
    }

    /// Removes all items. size() is 0 at once; the memory comes back in small steps, with later writes.
    void clear() {
        write([&](Tx& tx) { clear_in(tx); });
    }

    // --- writing, as a part of a transaction: see ss::transaction

    template <class A, bool V>
    void push(const UserTransaction<A, V>& tx, const Bytes& value) {
        join(tx, [&](Tx& inner) { put_in(inner, Pieces(value)); });
    }
    template <class A, bool V>
    void push(const UserTransaction<A, V>& tx, std::initializer_list<Bytes> pieces) {
        push(tx, detail::views_of(pieces));
    }
    template <class A, bool V>
    void push(const UserTransaction<A, V>& tx, std::span<const std::string_view> pieces) {
        join(tx, [&](Tx& inner) { put_in(inner, Pieces(pieces)); });
    }
    template <class A, bool V>
    std::optional<std::string> pop(const UserTransaction<A, V>& tx) {
        return join(tx, [&](Tx& inner) { return Writer(inner, object_).pop(); });
    }
    template <class A, bool V>
    std::optional<std::string> replace_top(const UserTransaction<A, V>& tx, const Bytes& value) {
        return join(tx, [&](Tx& inner) { return replace_top_in(inner, value); });
    }
    template <class A, bool V>
    void clear(const UserTransaction<A, V>& tx) {
        join(tx, [&](Tx& inner) { clear_in(inner); });
    }

    // --- reading. Within a transaction of this thread, these see its changes

    /// A copy of the smallest item; nothing if there is none.
    [[nodiscard]] std::optional<std::string> top() const {
        std::optional<std::string> top;
        read([&](const detail::PriorityHeap& heap, auto valid) { return detail::read_top(heap, valid, top); });
        return top;
    }

    /// Calls f(std::string_view) with the smallest item in place, under the lock; false if there is none. f may throw, and
    /// must be short: writers of the domain wait. Writing to the same domain within f throws would_deadlock. On a
    /// read-only pool f gets a copy.
    template <class F>
    bool visit_top(F f) const {
        if (domain_.core().attachment().is_read_only()) {
            const auto copy = top();
            if (copy) f(std::string_view(*copy));
            return copy.has_value();
        }
        const PriorityQueue self = *this; // f may destroy the handle
        return self.domain_.locked([&] {
            const detail::PriorityHeap heap = self.heap();
            if (heap.size() == 0) return false;
            f(detail::HeapItem(heap.region(), load(heap.at(0))).bytes());
            return true;
        });
    }

    /// Items: exact, of one moment.
    [[nodiscard]] std::uint64_t size() const { return counts().size; }
    [[nodiscard]] bool empty() const { return size() == 0; }

    /// Bytes of all items, as they came in.
    [[nodiscard]] std::uint64_t bytes() const { return counts().payload; }

    // --- the same, said with a transaction

    template <class A, bool V>
    [[nodiscard]] std::optional<std::string> top(const UserTransaction<A, V>& tx) const {
        domain_.check_joined(tx);
        return top();
    }
    template <class A, bool V>
    [[nodiscard]] std::uint64_t size(const UserTransaction<A, V>& tx) const {
        domain_.check_joined(tx);
        return size();
    }

    // --- all of it

    /// Walks the queue under the lock; one sentence for each thing that is wrong. `Pool::verify` also holds all blocks
    /// against the allocator.
    [[nodiscard]] std::vector<std::string> verify() const {
        Census census(domain_.core().is_held_by_this_thread());
        domain_.read_settled([&] {
            detail::check_stands(domain_.core(), object_);
            detail::verify_priority_queue(domain_.region(), *object_.entry, detail::entry_name(*object_.entry),
                                          &Compare::less, census);
        });
        return std::move(census.problems());
    }

    /// Entries and their bytes, of one moment, at constant cost; and those of the whole domain, of a moment later.
    [[nodiscard]] PriorityQueueStats stats() const {
        const detail::HeapCounts counts = this->counts();
        PriorityQueueStats stats;
        stats.entries = counts.size;
        stats.bytes_payload = counts.payload;
        stats.bytes_allocated = counts.bytes;
        stats.domain = domain_.stats();
        stats.bytes_free = stats.domain.bytes_free;
        stats.garbage_bytes = stats.domain.garbage_bytes;
        stats.journal_high_water = stats.domain.journal_high_water;
        stats.recoveries = stats.domain.recoveries;
        return stats;
    }

    /// The library's side of it: what ss::transaction runs in.
    [[nodiscard]] DomainType& domain() noexcept { return domain_; }

private:
    static constexpr ObjectType type = {.type = priority_queue_type,
                                        .type_fingerprint = priority_queue_fingerprint,
                                        .hash = Compare::id,
                                        .hash_fingerprint = Compare::fingerprint,
                                        .hash_noun = "comparison"};

    [[nodiscard]] detail::PriorityHeap heap() const {
        detail::check_stands(domain_.core(), object_);
        return {domain_.region(), load(object_.entry->root[detail::heap_head_root])};
    }

    [[nodiscard]] Word& waiters() const noexcept { return object_.entry->root[detail::heap_waiters_root]; }

    /// f(heap, valid) as a read of one moment: see read_object.
    template <class F>
    void read(F f) const {
        detail::read_object(domain_, object_, [&](auto valid) { return f(heap(), valid); });
    }

    [[nodiscard]] detail::HeapCounts counts() const {
        detail::HeapCounts counts;
        read([&](const detail::PriorityHeap& heap, auto) {
            counts = detail::heap_counts(heap);
            return true;
        });
        return counts;
    }

    /// f(tx) as a transaction of its own.
    template <class F>
    auto write(F f) {
        return domain_.run([&](Tx& tx) {
            tx.remember(detail::garbage_upkeep<DomainType>(), object_);
            return f(tx);
        });
    }

    template <class UserTx, class F>
    auto join(const UserTx& tx, F f) {
        return domain_.join(tx, [&](Tx& inner) {
            inner.remember(detail::garbage_upkeep<DomainType>(), object_);
            return f(inner);
        });
    }

    void put(const Pieces& value) {
        write([&](Tx& tx) { put_in(tx, value); });
    }

    void put_in(Tx& tx, const Pieces& value) {
        Writer(tx, object_).push(value);
        tx.wake(waiters());
    }

    std::optional<std::string> replace_top_in(Tx& tx, const Bytes& value) {
        auto old = Writer(tx, object_).replace_top(Pieces(value));
        if (!old) tx.wake(waiters());
        return old;
    }

    void clear_in(Tx& tx) {
        detail::check_stands(domain_.core(), object_);
        const std::uint64_t fresh = detail::make_heap_head(tx);
        tx.touch(object_.entry->version);
        Word& root = object_.entry->root[detail::heap_head_root];
        const std::uint64_t old = load(root);
        tx.store(root, fresh);
        detail::discard_heap_head(tx, old);
    }

    DomainType domain_;
    ObjectRef object_;
};

} // namespace ss::inline v0
