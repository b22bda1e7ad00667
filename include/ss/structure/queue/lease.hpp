// Lease: an item that is in one worker's hands.
#pragma once

#include <ss/domain/transaction.hpp>
#include <ss/structure/queue/leases.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace ss::inline v0::detail {

/// A job: an item of a queue that this session has, and nobody else gets until it is let go of. What `Queue::lease` returns.
///
/// It ends by `ack`, which removes the item; by `release`, or the end of this object, which puts it back in front of the
/// queue; or by the death of the process, after which the next who wants an item gets it. It does not end by time: a worker
/// may take as long as it lives. A move-only handle, for one thread at a time; it keeps the pool attached. In a forked
/// child it is the parent's: there its end does nothing, and ack and release throw errc::forked.
///
/// Not to be ended within a transaction of the queue's domain but by ack with that: its end can neither join the
/// transaction nor wait for it, and the item would stay this session's.
template <class QueueType>
class QueueLease {
public:
    QueueLease(const QueueType& queue, const LeaseRef& lease, std::string value, std::uint64_t stamp)
        : queue_(queue), lease_(lease), value_(std::move(value)), stamp_(stamp) {}

    QueueLease(QueueLease&& other) noexcept
        : queue_(other.queue_), lease_(std::exchange(other.lease_, {})), value_(std::move(other.value_)),
          stamp_(other.stamp_) {}

    QueueLease& operator=(QueueLease&& other) noexcept {
        if (this != &other) {
            end();
            queue_ = other.queue_;
            lease_ = std::exchange(other.lease_, {});
            value_ = std::move(other.value_);
            stamp_ = other.stamp_;
        }
        return *this;
    }

    ~QueueLease() { end(); }

    /// A copy of the item's bytes.
    [[nodiscard]] const std::string& value() const noexcept { return value_; }

    /// How often the item has been leased, this time included: 1 unless somebody had it and did not finish.
    [[nodiscard]] std::uint64_t leases() const noexcept { return lease_.leases; }

    /// Removes the item: the job is done. False if the lease has ended before, as it has after the first call.
    bool ack() {
        return finish([this] { return queue_.ack_lease(lease_); });
    }

    /// The same as a part of a transaction, so that the job's result and its end happen as one. Where the transaction
    /// does not happen, the lease has not ended.
    template <class A, bool V>
    bool ack(const UserTransaction<A, V>& tx) {
        check_ours();
        return lease_.number != 0 && queue_.ack_lease(tx, lease_);
    }

    /// Puts the item back in front of the queue, or to the dead letters if this was the last lease that it may have. False
    /// if the lease has ended before.
    bool release() {
        return finish([this] { return queue_.release_lease(lease_); });
    }

private:
    template <class F>
    bool finish(F f) {
        check_ours();
        if (lease_.number == 0) return false;
        const bool done = f();
        lease_.number = 0;
        return done;
    }

    [[nodiscard]] bool is_ours() const noexcept { return queue_.domain().core().attachment().is_current(stamp_); }

    void check_ours() const {
        if (!is_ours()) throw Error(errc::forked, "a lease of the parent, used in a forked child");
    }

    void end() noexcept {
        if (lease_.number == 0 || !is_ours()) return;
        try {
            (void)release();
        } catch (...) { // the item is ours until this process ends
        }
    }

    mutable QueueType queue_;
    LeaseRef lease_;
    std::string value_;
    std::uint64_t stamp_;
};

} // namespace ss::inline v0::detail
