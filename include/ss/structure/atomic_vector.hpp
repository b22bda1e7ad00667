// AtomicVector: numbers that processes change at the same time, without a lock.
//
// The bytes are drawn in atomic_vector/layout.hpp. expand.hpp makes it larger, waiting.hpp sleeps and wakes, garbage.hpp
// gives back what was removed, verify.hpp checks. Here they become one class.
#pragma once

#include <ss/domain/domain.hpp>
#include <ss/structure/atomic_vector/expand.hpp>
#include <ss/structure/atomic_vector/garbage.hpp>
#include <ss/structure/atomic_vector/layout.hpp>
#include <ss/structure/atomic_vector/stats.hpp>
#include <ss/structure/atomic_vector/verify.hpp>
#include <ss/structure/atomic_vector/waiting.hpp>
#include <ss/structure/fwd.hpp>
#include <ss/structure/garbage.hpp>
#include <ss/structure/object_read.hpp>
#include <ss/structure/replace_policy.hpp>

#include <atomic>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <sched.h>

namespace ss::inline v0 {

/// A vector of numbers in a pool: integers of 8 to 64 bits, float or double. It begins empty, and only ever grows.
///
/// A handle: cheap to copy, may be used by several threads, keeps the pool attached. What is done to an element is one
/// atomic operation of the processor, as on a std::atomic<T>, under every lock policy: it takes no lock, makes no system
/// call, waits for nobody, and no journal knows of it. A process that is killed has done it or has not, and there is
/// nothing to recover. It belongs to no transaction: what was added stays added, whatever is rolled back around it.
///
/// Only `expand` is a transaction under the domain's lock, all or nothing as those of other structures.
///
/// Whatever takes an index throws std::out_of_range where there is no such element. Every member function may throw
/// no_such_object (the vector was removed), damaged, and in a forked child what attaching anew throws. All that write
/// throw read_only on a read-only pool, where an `Optimistic` lock lets others look.
///
/// Removing it (Pool::remove_object) gives its memory back only when everybody who may write has detached once: until then
/// somebody may be in the middle of an operation that knows nothing of it.
///
/// When not to use it: where a change must come together with others, take a HashTable's `incr` within a transaction; and
/// for numbers that many write at once, keep them 64 bytes apart, for cores pass a cache line from one to the other.
template <class T, class Allocator, class Lock>
class AtomicVector {
    static_assert(AtomicElement<T>, "AtomicVector: the first parameter is not an integer of 8 to 64 bits, float or "
                                    "double, which std::atomic handles without a lock; for flags take the bits of an "
                                    "integer: store_bit");
    static_assert(AllocatorPolicy<Allocator>, "AtomicVector: the second parameter is not an allocator policy; "
                                              "docs/concepts.md says what one needs");
    static_assert(LockPolicy<Lock>,
                  "AtomicVector: the third parameter is not a lock policy; docs/concepts.md says what one needs");

    using DomainType = Domain<Allocator, Lock>;
    using Tx = typename DomainType::Tx;
    using Order = std::memory_order;

    template <class... Ps>
    using WithPolicies = AtomicVector<T, Ps...>;

public:
    using value_type = T;
    using allocator_policy = Allocator;
    using lock_policy = Lock;

    static constexpr std::uint64_t bits_per_element = 8 * sizeof(T);

    /// The same vector type with one policy exchanged: `AtomicVector<int>::with<SpinLock>`.
    template <class P>
    using with = typename detail::ReplacePolicy<WithPolicies, P, Allocator, Lock>::type;

    /// Opens the vector of that name, or makes it, empty. The first structure of a domain claims it for its allocator and
    /// lock. Throws other_type (of another type, or a vector of other elements; both are named), other_policies,
    /// name_too_long, invalid_argument, no_such_object and read_only (on a read-only pool), lock_timeout, out_of_space,
    /// past_max_size. Killed in the middle, there is a whole vector or none.
    AtomicVector(const Pool& pool, std::string_view name)
        : domain_(pool, domain_of(name, pool.domains())), object_(open(name)),
          read_only_(domain_.core().attachment().is_read_only()) {
        const Offset<detail::VectorHead> head{load_acquire(object_.entry->root[0])};
        detail::check_stands(domain_.core(), object_);
        head_ = &region().at(head);
    }

    // --- elements. An `order` is as std::atomic takes it

    [[nodiscard]] T load(std::uint64_t index, Order order = Order::seq_cst) const {
        return look([&] { return std::atomic_ref<T>(place(index)).load(order); });
    }
    void store(std::uint64_t index, T value, Order order = Order::seq_cst) const { at(index).store(value, order); }

    /// Returns the value before.
    T exchange(std::uint64_t index, T value, Order order = Order::seq_cst) const {
        return at(index).exchange(value, order);
    }

    /// Stores `desired` if the element is `expected`, bit for bit; true if it was. Else `expected` becomes what it is.
    bool compare_exchange(std::uint64_t index, T& expected, T desired, Order order = Order::seq_cst) const {
        return at(index).compare_exchange_strong(expected, desired, order);
    }

    /// Each returns the value before. Integers wrap.
    T fetch_add(std::uint64_t index, T delta, Order order = Order::seq_cst) const {
        return at(index).fetch_add(delta, order);
    }
    T fetch_sub(std::uint64_t index, T delta, Order order = Order::seq_cst) const {
        return at(index).fetch_sub(delta, order);
    }
    T fetch_and(std::uint64_t index, T mask, Order order = Order::seq_cst) const requires std::integral<T> {
        return at(index).fetch_and(mask, order);
    }
    T fetch_or(std::uint64_t index, T mask, Order order = Order::seq_cst) const requires std::integral<T> {
        return at(index).fetch_or(mask, order);
    }
    T fetch_xor(std::uint64_t index, T mask, Order order = Order::seq_cst) const requires std::integral<T> {
        return at(index).fetch_xor(mask, order);
    }

    // --- bits, of vectors of integers. Bit 0 is the most significant one of element 0

    [[nodiscard]] bool load_bit(std::uint64_t bit, Order order = Order::seq_cst) const requires std::integral<T> {
        return (load(bit / bits_per_element, order) & mask_of(bit)) != 0;
    }
    /// Returns the bit before.
    bool store_bit(std::uint64_t bit, bool value, Order order = Order::seq_cst) const requires std::integral<T> {
        const T mask = mask_of(bit);
        const T before = value ? fetch_or(bit / bits_per_element, mask, order)
                               : fetch_and(bit / bits_per_element, static_cast<T>(~mask), order);
        return (before & mask) != 0;
    }
    /// Turns the bit over and returns what it is now.
    bool xor_bit(std::uint64_t bit, Order order = Order::seq_cst) const requires std::integral<T> {
        return (fetch_xor(bit / bits_per_element, mask_of(bit), order) & mask_of(bit)) == 0;
    }

    // --- size

    /// Makes it so large that there are at least `size` elements; the new ones are zero. Does nothing if there are. Not an
    /// element moves, and others go on meanwhile. Throws what a write to a HashTable throws, and too_large past 2^47 bytes;
    /// the size is then as before, and killed in the middle it is so or as it was to be.
    ///
    /// Memory doubles as it grows, so up to half of it is spare. What is larger than 1 MiB is zeroed in steps of that, with
    /// the lock free in between (about 0.1 ms for each). Who is killed on the way leaves what was set aside with the vector,
    /// and the next to expand goes on with it; where there is no room, it is freed.
    void expand(std::uint64_t size) {
        if (size <= writable_size()) return;
        check_size(size);
        detail::Growth growth;
        const auto step = [&](Tx& tx) {
            tx.remember(detail::vector_upkeep<DomainType>(), object_);
            return detail::VectorExpander<Tx>(tx, object_).step(size, sizeof(T), growth);
        };
        try {
            while (!domain_.run(step)) ::sched_yield(); // those who wait for the lock come first
        } catch (const Error& error) {
            if (error.code() == errc::out_of_space || error.code() == errc::past_max_size) give_back();
            throw;
        }
    }

    /// The same as a part of a transaction: see ss::transaction. The elements are there when that has happened, not before.
    /// Everything is zeroed under the lock, about 0.1 ms for each MiB; so expand by much without a transaction.
    template <class A, bool V>
    void expand(const UserTransaction<A, V>& tx, std::uint64_t size) {
        check_size(size);
        domain_.join(tx, [&](Tx& inner) {
            inner.remember(detail::vector_upkeep<DomainType>(), object_);
            detail::VectorExpander<Tx>(inner, object_).expand(size, sizeof(T));
        });
    }

    /// Room for at least so many bits.
    void expand_bits(std::uint64_t bits) { expand(elements_for(bits)); }
    template <class A, bool V>
    void expand_bits(const UserTransaction<A, V>& tx, std::uint64_t bits) {
        expand(tx, elements_for(bits));
    }

    /// How many elements there are. Takes no lock, unless somebody is expanding it just now.
    [[nodiscard]] std::uint64_t size() const {
        return look([&] {
            enter();
            const Word published = load_acquire(head_->published);
            return ss::load(head_->wanted) == published ? published : settled_size();
        });
    }
    [[nodiscard]] std::uint64_t bits() const { return size() * bits_per_element; }
    [[nodiscard]] bool empty() const { return size() == 0; }

    // --- waiting

    /// Sleeps until the element is seen to be other than `old`, bit for bit: true at once if it is. False if it was not
    /// within `timeout`.
    ///
    /// It is woken by `notify`, and never misses one that follows the change. A change without that does not wake anybody,
    /// as with std::atomic; but no sleep is longer than 100 ms, so it is noticed by then, as is one whose maker was killed
    /// before he could notify. On a read-only pool, where it cannot leave word, it looks every 10 ms.
    [[nodiscard]] bool wait(std::uint64_t index, T old, const Timeout& timeout) const {
        const AtomicVector self = *this; // whoever destroys the handle meanwhile does not end the pool
        (void)self.load(index);
        return detail::wait_while(detail::wait_word(*self.head_, index), !read_only_, timeout, [&] {
            const T now = self.load(index);
            return std::memcmp(&now, &old, sizeof(T)) == 0;
        });
    }

    /// Wakes all, in all processes, who wait for this element. Costs one atomic operation while nobody does, and a system
    /// call else. Elements share 16 such places: those who wait for another one may wake up, and go to sleep again.
    void notify(std::uint64_t index) const {
        (void)at(index);
        detail::notify_all(detail::wait_word(*head_, index));
    }

    // --- all of it

    /// Copies of all elements: each as it is when its turn comes, not all of one moment.
    [[nodiscard]] std::vector<T> snapshot() const {
        const std::uint64_t size = this->size();
        if (size > region().size() / sizeof(T)) region().refuse(region().offset_of(head_));
        std::vector<T> all;
        all.reserve(size);
        for (std::uint64_t index = 0; index < size; ++index) all.push_back(load(index, Order::acquire));
        return all;
    }

    /// f(index, value) for each element that there is at the begin, likewise.
    template <class F>
    void for_each(F f) const {
        const AtomicVector self = *this; // f may destroy the handle
        const std::uint64_t size = self.size();
        for (std::uint64_t index = 0; index < size; ++index) f(index, self.load(index, Order::acquire));
    }

    /// Looks at all of it under the lock; one sentence for each thing that is wrong. `Pool::verify` also holds all blocks
    /// against the allocator.
    [[nodiscard]] std::vector<std::string> verify() const {
        Census census(domain_.core().is_held_by_this_thread());
        domain_.read_settled([&] {
            detail::check_stands(domain_.core(), object_);
            detail::verify_atomic_vector(region(), *object_.entry, detail::entry_name(*object_.entry), census);
        });
        return std::move(census.problems());
    }

    /// Elements and their bytes, at constant cost; and those of the whole domain, of a moment later.
    [[nodiscard]] AtomicVectorStats stats() const {
        AtomicVectorStats stats;
        stats.size = size();
        stats.bytes_allocated = look([&] {
            enter();
            return ss::load(head_->bytes);
        });
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
    static constexpr std::uint64_t max_size = detail::vector_bytes_limit / sizeof(T);

    [[nodiscard]] ObjectRef open(std::string_view name) {
        static constexpr ObjectType type = {.type = atomic_vector_type,
                                            .type_fingerprint = atomic_vector_fingerprint<T>,
                                            .hash = {},
                                            .hash_fingerprint = 0};
        try {
            return domain_.open_object(
                name, type, false,
                [](Tx& tx, DirectoryEntry& entry) {
                    tx.store(entry.root[0], detail::make_vector(tx, detail::element_code<T>));
                },
                &detail::vector_upkeep<DomainType>());
        } catch (const Error& error) {
            if (error.code() == errc::other_type) refuse_other_elements(name);
            throw;
        }
    }

    /// Says so if that is what is wrong.
    void refuse_other_elements(std::string_view name) const {
        const auto object = find_object(domain_.core(), name);
        if (!object) return;
        const detail::ElementCode found = detail::element_code_of(*object->entry);
        if (found != 0 && found != detail::element_code<T>)
            throw Error(errc::other_type,
                        "object \"" + std::string(name) + "\" is an AtomicVector of " + detail::element_name(found) +
                            ", asked for was one of " + detail::element_name(detail::element_code<T>),
                        domain_.core().attachment().name());
    }

    [[nodiscard]] const Region& region() const noexcept { return domain_.region(); }

    /// Before the head is looked at: in a forked child it may be gone.
    void enter() const {
        domain_.core().attachment().enter();
        detail::check_stands(domain_.core(), object_);
    }

    /// Where element `index` is.
    [[nodiscard]] T& place(std::uint64_t index) const {
        enter();
        if (index >= load_acquire(head_->published)) [[unlikely]]
            find_past_published(index);
        return detail::element_at<T>(region(), *head_, index);
    }

    /// The same for whoever writes.
    [[nodiscard]] std::atomic_ref<T> at(std::uint64_t index) const {
        if (read_only_) [[unlikely]]
            refuse_to_write();
        return std::atomic_ref<T>(place(index));
    }

    /// f() in a pool in which its memory cannot become something else meanwhile; where it can, f() if it did not.
    template <class F>
    auto look(F f) const {
        if (!read_only_) [[likely]]
            return f();
        return look_twice(f);
    }
    template <class F>
    [[gnu::noinline]] auto look_twice(F& f) const {
        const auto check = [&] {
            if (load_after_all(object_.entry->generation) != object_.generation)
                detail::check_stands(domain_.core(), object_);
        };
        try {
            auto found = f();
            check();
            return found;
        } catch (...) {
            check();
            throw;
        }
    }

    /// Returns if there is such an element all the same, whose expander died before he could say so.
    [[gnu::cold, gnu::noinline]] void find_past_published(std::uint64_t index) const {
        if (index < ss::load(head_->wanted) && index < settled_size()) return;
        throw std::out_of_range("ss::AtomicVector: there is no element " + std::to_string(index) + " among " +
                                std::to_string(load_acquire(head_->published)));
    }

    [[gnu::cold, gnu::noinline]] std::uint64_t settled_size() const {
        const Word size = detail::committed_size(domain_.core(), object_, *head_);
        if (!read_only_) detail::publish(*head_, size);
        return size;
    }

    void give_back() noexcept {
        try {
            domain_.run([&](Tx& tx) { detail::VectorExpander<Tx>(tx, object_).give_back(sizeof(T)); });
        } catch (const std::exception&) {
            // Then it waits for the next who expands.
        }
    }

    [[nodiscard]] std::uint64_t writable_size() const {
        if (read_only_) refuse_to_write();
        return size();
    }

    void check_size(std::uint64_t size) const {
        if (size > max_size)
            throw Error(errc::too_large,
                        "a vector of " + std::to_string(size) + " elements is asked for, expected at most " +
                            std::to_string(max_size),
                        domain_.core().attachment().name());
    }

    [[noreturn, gnu::cold, gnu::noinline]] void refuse_to_write() const {
        throw Error(errc::read_only, "is open read-only, and this would change an AtomicVector",
                    domain_.core().attachment().name());
    }

    [[nodiscard]] static constexpr std::uint64_t elements_for(std::uint64_t bits) noexcept {
        return bits / bits_per_element + (bits % bits_per_element != 0);
    }

    [[nodiscard]] static constexpr T mask_of(std::uint64_t bit) noexcept requires std::integral<T> {
        return static_cast<T>(std::uint64_t{1} << (bits_per_element - 1 - bit % bits_per_element));
    }

    DomainType domain_;
    ObjectRef object_;
    detail::VectorHead* head_ = nullptr;
    bool read_only_;
};

} // namespace ss::inline v0
