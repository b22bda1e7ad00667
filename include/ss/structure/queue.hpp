// Queue: items in a row, for processes that hand work to each other.
//
// The bytes are drawn in queue/layout.hpp. open.hpp makes a queue, write.hpp pushes and pops, leases.hpp gives items to
// sessions and takes them back, lease.hpp is a lease's handle; garbage.hpp frees, verify.hpp checks. Here they become one
// class.
#pragma once

#include <ss/domain/domain.hpp>
#include <ss/domain/wakes.hpp>
#include <ss/structure/bytes.hpp>
#include <ss/structure/fwd.hpp>
#include <ss/structure/garbage.hpp>
#include <ss/structure/object_read.hpp>
#include <ss/structure/queue/lease.hpp>
#include <ss/structure/queue/leases.hpp>
#include <ss/structure/queue/open.hpp>
#include <ss/structure/queue/options.hpp>
#include <ss/structure/queue/verify.hpp>
#include <ss/structure/queue/write.hpp>
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

/// A queue with two ends in a pool, of items that are any bytes, up to 4 GiB less one each.
///
/// A handle: cheap to copy, may be used by several threads, keeps the pool attached. All that change it are all or
/// nothing, under a kill at any instruction and under a throw. With an `Optimistic` lock, size, front and their kin take no
/// lock and work on a read-only pool.
///
/// Who waits looks for about 10 us, and then sleeps in the kernel until there is something, and no longer than 100 ms at a
/// time: so a wake that is lost with a killed process costs no more than that.
///
/// `lease` is pop_front for work that must not be lost: the item stays in the pool, and comes back when the worker that
/// has it dies.
///
/// Every member function may throw what those of HashTable may. In all these cases nothing has changed.
///
/// Pushes and pops cost four journaled words each, and hundreds of small items share a block of memory. When not to use it:
/// where the order does not matter and each worker can have a queue of its own; for streams of bytes between two
/// processes, which a pipe or a socket carries without a lock.
template <class Allocator, class Lock>
class Queue {
    static_assert(AllocatorPolicy<Allocator>,
                  "Queue: the first parameter is not an allocator policy; docs/concepts.md says what one needs");
    static_assert(LockPolicy<Lock>,
                  "Queue: the second parameter is not a lock policy; docs/concepts.md says what one needs");

    using DomainType = Domain<Allocator, Lock>;
    using Tx = typename DomainType::Tx;
    using Writer = detail::QueueWriter<Tx>;
    using End = detail::End;

public:
    using allocator_policy = Allocator;
    using lock_policy = Lock;
    using Lease = detail::QueueLease<Queue>;

    /// The same queue type with one policy exchanged: `Queue<>::with<SpinLock>`.
    template <class P>
    using with = typename detail::ReplacePolicy<ss::Queue, P, Allocator, Lock>::type;

    /// Opens the queue of that name, or makes it, and first the one for its dead letters. The first structure of a domain
    /// claims it for its allocator and lock. Throws other_policies, other_type, other_domain (the dead letters belong to
    /// another one), name_too_long, invalid_argument, no_such_object and read_only (on a read-only pool), or what a write
    /// throws. Killed in the middle, there is a whole queue or none.
    Queue(const Pool& pool, std::string_view name, const QueueOptions& options = {})
        : domain_(pool, domain_of(name, pool.domains())), object_(detail::open_queue(domain_, pool, name, options)) {}

    // --- pushing

    /// Appends an item, or puts it in front of all others. Throws errc::full if the queue has limits and no room,
    /// too_large for an item that it never has room for.
    void push_back(const Bytes& value) { push<End::back>(Pieces(value)); }
    void push_front(const Bytes& value) { push<End::front>(Pieces(value)); }
    /// The same with an item in pieces, which are joined.
    void push_back(std::initializer_list<Bytes> pieces) { push_back(detail::views_of(pieces)); }
    void push_front(std::initializer_list<Bytes> pieces) { push_front(detail::views_of(pieces)); }
    void push_back(std::span<const std::string_view> pieces) { push<End::back>(Pieces(pieces)); }
    void push_front(std::span<const std::string_view> pieces) { push<End::front>(Pieces(pieces)); }

    /// Appends an item if there is room; true if there was.
    bool try_push(const Bytes& value) {
        const Pieces pieces(value);
        return write([&](Tx& tx) { return try_push_in<End::back>(tx, pieces); });
    }

    /// Appends an item as soon as there is room; false if there was none within `timeout`.
    bool push_for(const Bytes& value, const Timeout& timeout) {
        const Pieces pieces(value);
        return wait_for(detail::queue_room_waiters_root, timeout,
                        [&](Queue& self, Tx& tx) { return self.template try_push_in<End::back>(tx, pieces); });
    }

    // --- popping

    /// Takes an item off an end; nothing if none waits.
    std::optional<std::string> pop_front() { return pop<End::front>(); }
    std::optional<std::string> pop_back() { return pop<End::back>(); }

    /// The same as soon as there is one; nothing if there was none within `timeout`.
    std::optional<std::string> pop_front_for(const Timeout& timeout) { return pop_for<End::front>(timeout); }
    std::optional<std::string> pop_back_for(const Timeout& timeout) { return pop_for<End::back>(timeout); }

    /// Puts it into a string that is there already, whose memory is used again; false, and the string as it was, if there was
    /// none within `timeout`.
    bool pop_front_into(std::string& value, const Timeout& timeout = std::chrono::seconds(0)) {
        return pop_into<End::front>(value, timeout);
    }
    bool pop_back_into(std::string& value, const Timeout& timeout = std::chrono::seconds(0)) {
        return pop_into<End::back>(value, timeout);
    }

    /// Gives the first item to this session as soon as there is one; nothing if there was none within `timeout`. It stays
    /// in the pool until the lease is acknowledged: see detail::QueueLease. What a dead worker had is given next, soon
    /// after the kernel reports the death: this asks when it finds nothing, and every 50 ms.
    std::optional<Lease> lease(const Timeout& timeout = std::chrono::seconds(0)) {
        std::string value;
        detail::LeaseRef ref;
        Attachment::Stamp stamp = 0;
        Queue held = *this;
        if (!wait_for(detail::queue_item_waiters_root, timeout, [&](Queue& self, Tx& tx) {
                stamp = tx.stamp();
                return self.lease_in(tx, ref, value);
            }))
            return std::nullopt;
        return Lease(held, ref, std::move(value), stamp);
    }

    /// Removes all items that wait; leased ones stay with who has them. The memory comes back in small steps, with later
    /// writes.
    void clear() {
        write([&](Tx& tx) { Writer(tx, object_).clear(); });
    }

    // --- the same as a part of a transaction: see ss::transaction. None of them waits

    template <class A, bool V>
    void push_back(const UserTransaction<A, V>& tx, const Bytes& value) {
        join(tx, [&](Tx& inner) { push_in<End::back>(inner, Pieces(value)); });
    }
    template <class A, bool V>
    void push_front(const UserTransaction<A, V>& tx, const Bytes& value) {
        join(tx, [&](Tx& inner) { push_in<End::front>(inner, Pieces(value)); });
    }
    template <class A, bool V>
    void push_back(const UserTransaction<A, V>& tx, std::initializer_list<Bytes> pieces) {
        push_back(tx, detail::views_of(pieces));
    }
    template <class A, bool V>
    void push_front(const UserTransaction<A, V>& tx, std::initializer_list<Bytes> pieces) {
        push_front(tx, detail::views_of(pieces));
    }
    template <class A, bool V>
    void push_back(const UserTransaction<A, V>& tx, std::span<const std::string_view> pieces) {
        join(tx, [&](Tx& inner) { push_in<End::back>(inner, Pieces(pieces)); });
    }
    template <class A, bool V>
    void push_front(const UserTransaction<A, V>& tx, std::span<const std::string_view> pieces) {
        join(tx, [&](Tx& inner) { push_in<End::front>(inner, Pieces(pieces)); });
    }
    template <class A, bool V>
    bool try_push(const UserTransaction<A, V>& tx, const Bytes& value) {
        return join(tx, [&](Tx& inner) { return try_push_in<End::back>(inner, Pieces(value)); });
    }
    template <class A, bool V>
    std::optional<std::string> pop_front(const UserTransaction<A, V>& tx) {
        return pop<End::front>(tx);
    }
    template <class A, bool V>
    std::optional<std::string> pop_back(const UserTransaction<A, V>& tx) {
        return pop<End::back>(tx);
    }
    /// A lease of a transaction that does not happen has never been: acknowledging it returns false.
    template <class A, bool V>
    std::optional<Lease> lease(const UserTransaction<A, V>& tx) {
        std::string value;
        detail::LeaseRef ref;
        if (!join(tx, [&](Tx& inner) { return lease_in(inner, ref, value); })) return std::nullopt;
        return Lease(*this, ref, std::move(value), tx.inner().stamp());
    }
    template <class A, bool V>
    void clear(const UserTransaction<A, V>& tx) {
        join(tx, [&](Tx& inner) { Writer(inner, object_).clear(); });
    }

    // --- reading. Within a transaction of this thread, these see its changes

    /// A copy of the item at an end; nothing if none waits.
    [[nodiscard]] std::optional<std::string> front() const { return peek(End::front); }
    [[nodiscard]] std::optional<std::string> back() const { return peek(End::back); }

    /// Calls f(std::string_view) with the item at an end in place, under the lock; false if none waits. f may throw, and must
    /// be short. Writing to the same domain within f throws would_deadlock. On a read-only pool f gets a copy.
    template <class F>
    bool visit_front(F f) const {
        return visit(End::front, f);
    }
    template <class F>
    bool visit_back(F f) const {
        return visit(End::back, f);
    }

    /// Items that wait: exact, of one moment.
    [[nodiscard]] std::uint64_t size() const { return counts().entries; }
    [[nodiscard]] bool empty() const { return size() == 0; }
    /// Bytes of the items that wait.
    [[nodiscard]] std::uint64_t bytes() const { return counts().payload; }
    /// Items that are leased.
    [[nodiscard]] std::uint64_t leased() const { return counts().leased; }

    /// Copies of all items that wait, from front to back, of one moment.
    [[nodiscard]] std::vector<std::string> snapshot() const {
        std::vector<std::string> items;
        detail::read_object(domain_, object_, [&](auto valid) {
            items.clear();
            std::uint64_t left = detail::list_limit(region(), sizeof(detail::QueuePage));
            for (std::uint64_t page = load(head().first); page != 0; --left) {
                if (left == 0) region().refuse(page);
                const bool whole = detail::for_each_item(region(), page, [&](const detail::ItemView& item) {
                    if (!valid()) return false; // the size is believed from here on
                    item.copy_to(items.emplace_back());
                    return true;
                });
                if (!whole) return false;
                page = load(region().at(Offset<detail::QueuePage>{page}).next);
            }
            return true;
        });
        return items;
    }

    /// The options that it was made with, but for the name of the dead letters.
    [[nodiscard]] QueueOptions options() const {
        QueueOptions options;
        detail::read_object(domain_, object_, [&](auto) {
            options.max_items = load(head().max_items);
            options.max_bytes = load(head().max_bytes);
            options.max_leases = static_cast<std::uint32_t>(load(head().max_leases));
            return true;
        });
        return options;
    }

    /// Walks the queue under the lock; one sentence for each thing that is wrong. `Pool::verify` also holds all blocks
    /// against the allocator.
    [[nodiscard]] std::vector<std::string> verify() const {
        Census census(domain_.core().is_held_by_this_thread());
        domain_.read_settled([&] {
            detail::check_stands(domain_.core(), object_);
            detail::verify_queue(region(), *object_.entry, detail::entry_name(*object_.entry), census);
        });
        return std::move(census.problems());
    }

    /// Items and their bytes, of one moment, at constant cost; and those of the whole domain, of a moment later.
    [[nodiscard]] QueueStats stats() const {
        QueueStats stats = counts();
        stats.domain = domain_.stats();
        stats.bytes_free = stats.domain.bytes_free;
        stats.garbage_bytes = stats.domain.garbage_bytes;
        stats.journal_high_water = stats.domain.journal_high_water;
        stats.recoveries = stats.domain.recoveries;
        return stats;
    }

    // --- the library's side of it

    /// What ss::transaction runs in.
    [[nodiscard]] DomainType& domain() noexcept { return domain_; }

    /// What leases are ended by.
    bool ack_lease(const detail::LeaseRef& lease) {
        return write([&](Tx& tx) { return ack_in(tx, lease); });
    }
    template <class A, bool V>
    bool ack_lease(const UserTransaction<A, V>& tx, const detail::LeaseRef& lease) {
        return join(tx, [&](Tx& inner) { return ack_in(inner, lease); });
    }
    bool release_lease(const detail::LeaseRef& lease) {
        return write([&](Tx& tx) {
            Writer writer(tx, object_);
            return detail::Leases(writer).release(lease);
        });
    }

private:
    [[nodiscard]] const Region& region() const noexcept { return domain_.region(); }

    [[nodiscard]] const detail::QueueHead& head() const {
        return region().at(Offset<detail::QueueHead>{load(object_.entry->root[detail::queue_head_root])});
    }
    [[nodiscard]] const Word& items() const noexcept { return object_.entry->root[detail::queue_items_root]; }
    [[nodiscard]] const Word& payload() const noexcept { return object_.entry->root[detail::queue_payload_root]; }

    // --- reading

    [[nodiscard]] QueueStats counts() const {
        QueueStats counts;
        detail::read_object(domain_, object_, [&](auto) {
            counts.entries = load(items());
            counts.leased = load(head().leased);
            counts.payload = load(payload());
            counts.bytes_allocated = load(head().bytes);
            return true;
        });
        return counts;
    }

    /// The offset of the item at an end, 0 if none waits.
    [[nodiscard]] std::uint64_t at(End end) const {
        const std::uint64_t page = load(end == End::front ? head().first : head().last);
        if (page == 0) return 0;
        const auto& there = region().at(Offset<detail::QueuePage>{page});
        return load(there.begin) == load(there.end) ? 0 : detail::item_at(region(), page, there, end);
    }

    [[nodiscard]] std::optional<std::string> peek(End end) const {
        std::optional<std::string> found;
        detail::read_object(domain_, object_, [&](auto valid) {
            found.reset();
            const std::uint64_t offset = at(end);
            if (offset == 0) return true;
            const detail::ItemView item(region(), offset);
            if (!valid()) return false; // the size is believed from here on
            item.copy_to(found.emplace());
            return true;
        });
        return found;
    }

    template <class F>
    bool visit(End end, F& f) const {
        if (domain_.core().attachment().is_read_only()) {
            const std::optional<std::string> copy = peek(end);
            if (copy) f(std::string_view(*copy));
            return copy.has_value();
        }
        const Queue self = *this; // f may destroy the handle
        return self.domain_.locked([&] {
            detail::check_stands(self.domain_.core(), self.object_);
            const std::uint64_t offset = self.at(end);
            if (offset != 0) f(detail::ItemView(self.region(), offset).bytes());
            return offset != 0;
        });
    }

    // --- writing

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

    /// f(self, tx) until it returns true or the time is over: each time as a transaction, and in between it looks for 10 us
    /// whether something happens to the queue, and then sleeps on one of the wait words. It is tried once more after each
    /// sleep, so whoever was woken in vain has looked.
    template <class F>
    bool wait_for(std::size_t root, const Timeout& timeout, F f) {
        Attempt attempt = attempt_to(*this, root, false, f);
        if (attempt.done || timeout.is_over()) [[likely]]
            return attempt.done;
        Queue self = *this; // whoever destroys the handle meanwhile does not end the pool
        for (;;) {
            detail::look_before_sleeping(self.object_.entry->version, attempt.version);
            const bool is_last = timeout.is_over();
            attempt = attempt_to(self, root, !is_last, f);
            if (attempt.done || is_last) return attempt.done;
            detail::sleep_on(self.object_.entry->root[root], attempt.mark, timeout.deadline(),
                             attempt.leased ? detail::look_every : longest_sleep);
        }
    }

    struct Attempt {
        bool done = false;
        bool leased = false; ///< dead takers' items may come back
        Word mark = 0;       ///< what to sleep on
        Word version = 0;    ///< of the queue, when there was nothing
    };

    /// Notes that somebody waits, if that is asked for.
    template <class F>
    [[nodiscard]] static Attempt attempt_to(Queue& self, std::size_t root, bool will_sleep, F& f) {
        Attempt attempt;
        attempt.done = self.write([&](Tx& tx) {
            if (f(self, tx)) [[likely]]
                return true;
            if (will_sleep) attempt.mark = detail::begin_to_wait(self.object_.entry->root[root]);
            attempt.leased = load(self.head().leased) != 0;
            attempt.version = load(self.object_.entry->version);
            return false;
        });
        return attempt;
    }

    template <End Side>
    bool try_push_in(Tx& tx, const Pieces& value) {
        const std::uint64_t size = value.size();
        Writer writer(tx, object_);
        if (!writer.has_room(size)) return false;
        writer.template push<Side>(value, size);
        return true;
    }

    template <End Side>
    void push_in(Tx& tx, const Pieces& value) {
        if (!try_push_in<Side>(tx, value)) throw_full();
    }

    template <End Side>
    void push(const Pieces& value) {
        write([&](Tx& tx) { push_in<Side>(tx, value); });
    }

    [[noreturn, gnu::cold, gnu::noinline]] void throw_full() const {
        throw Error(errc::full,
                    "queue \"" + detail::entry_name(*object_.entry) + "\" holds " + std::to_string(load(items())) +
                        " items of " + std::to_string(load(payload())) + " bytes, and was made for " +
                        std::to_string(load(head().max_items)) + " items and " +
                        std::to_string(load(head().max_bytes)) + " bytes (0: any)",
                    domain_.core().attachment().name());
    }

    /// `f` gets the item before it goes, as an ItemView.
    template <End Side, class F>
    bool pop_in(Tx& tx, F f) {
        Writer writer(tx, object_);
        look_for_the_dead(writer);
        return writer.template pop<Side>(f);
    }

    template <End Side>
    std::optional<std::string> pop() {
        std::optional<std::string> value;
        write([&](Tx& tx) { return pop_in<Side>(tx, into(value)); });
        return value;
    }

    template <End Side, class A, bool V>
    std::optional<std::string> pop(const UserTransaction<A, V>& tx) {
        std::optional<std::string> value;
        join(tx, [&](Tx& inner) { return pop_in<Side>(inner, into(value)); });
        return value;
    }

    template <End Side>
    std::optional<std::string> pop_for(const Timeout& timeout) {
        std::optional<std::string> value;
        wait_for(detail::queue_item_waiters_root, timeout,
                 [&](Queue& self, Tx& tx) { return self.template pop_in<Side>(tx, into(value)); });
        return value;
    }

    template <End Side>
    bool pop_into(std::string& value, const Timeout& timeout) {
        return wait_for(detail::queue_item_waiters_root, timeout, [&](Queue& self, Tx& tx) {
            return self.template pop_in<Side>(tx, [&](const detail::ItemView& item) { item.copy_to(value); });
        });
    }

    /// What copies an item to a string that is not there yet.
    [[nodiscard]] static auto into(std::optional<std::string>& value) {
        return [&value](const detail::ItemView& item) { value.emplace(item.bytes()); };
    }

    bool lease_in(Tx& tx, detail::LeaseRef& ref, std::string& value) {
        Writer writer(tx, object_);
        look_for_the_dead(writer);
        return detail::Leases(writer).lease(domain_.core().attachment().session_id(), ref, value);
    }

    bool ack_in(Tx& tx, const detail::LeaseRef& lease) {
        Writer writer(tx, object_);
        return detail::Leases(writer).ack(lease);
    }

    void look_for_the_dead(Writer& writer) const {
        detail::Leases leases(writer);
        if (leases.is_time_to_look()) [[unlikely]]
            leases.return_from_the_dead(
                [this](const SessionId& taker) { return domain_.core().attachment().is_dead(taker); });
    }

    DomainType domain_;
    ObjectRef object_;
};

} // namespace ss::inline v0
