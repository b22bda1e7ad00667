// Holding a domain's lock: acquire, recover what the last owner left, release; and none of it in a forked child.
#pragma once

#include <ss/domain/domain_core.hpp>
#include <ss/domain/wakes.hpp>
#include <ss/lock/locker.hpp>

#include <cstdint>
#include <string>

namespace ss::inline v0 {

/// Holds the lock of a domain while it lives, in a state that no dead owner's work is left in.
template <class Locker>
class DomainGuard {
public:
    /// Throws read_only, would_deadlock (this thread holds it), lock_order, lock_timeout (naming the owner), damaged (the
    /// journal is none), or what attaching in a forked child throws. The lock is not held then.
    explicit DomainGuard(const DomainCore& domain, Locker locker = {}) : domain_(&domain), locker_(locker) {
        Attachment& attachment = domain.attachment();
        stamp_ = attachment.enter();
        if (attachment.is_read_only() || domain.is_held_by_this_thread()) [[unlikely]]
            refuse();
        locker_.prepare(attachment, domain.lock_slot());
        if (locker_.try_acquire(domain.lock_slot(), attachment.session()) == LockResult::busy) [[unlikely]]
            wait();
        attachment.owner(domain.index()).store(this_thread(), std::memory_order_relaxed);
        if (domain.undo().is_dirty()) [[unlikely]]
            recover();
    }

    DomainGuard(const DomainGuard&) = delete;
    DomainGuard& operator=(const DomainGuard&) = delete;

    ~DomainGuard() {
        if (!is_ours()) [[unlikely]]
            return;
        release();
        if (!wakes_.empty()) [[unlikely]]
            wakes_.send();
    }

    /// Those whom a transaction, which is committed, wakes when the lock is released: so they find it free.
    void wake_after(Wakes& wakes) noexcept {
        if (wakes.empty()) [[likely]]
            return;
        wakes.announce();
        wakes_ = wakes;
    }

    /// False in a child that was forked since: the lock is the parent's, and so is all that it guards.
    [[nodiscard]] bool is_ours() const noexcept { return domain_->attachment().is_current(stamp_); }

    [[nodiscard]] Attachment::Stamp stamp() const noexcept { return stamp_; }

private:
    void release() noexcept {
        Attachment& attachment = domain_->attachment();
        attachment.owner(domain_->index()).store(0, std::memory_order_relaxed);
        locker_.release(domain_->lock_slot(), attachment.session());
    }

    // Each out of line as a whole, for what builds a sentence needs registers that the hot path would have to save.
    [[noreturn, gnu::cold, gnu::noinline]] void refuse() const {
        const Attachment& attachment = domain_->attachment();
        if (attachment.is_read_only())
            throw Error(errc::read_only, "is open read-only, and this needs the lock", attachment.name());
        throw Error(errc::would_deadlock,
                    "this thread holds domain " + std::to_string(domain_->index()) +
                        " already; within a transaction, pass it on",
                    attachment.name());
    }

    [[gnu::cold, gnu::noinline]] void recover() {
        try {
            domain_->undo().recover();
        } catch (...) {
            release();
            throw;
        }
    }

    /// Somebody holds the lock. A thread that holds a later domain does not wait for an earlier one: two such threads
    /// could wait for each other for ever.
    [[gnu::cold, gnu::noinline]] void wait() {
        Attachment& attachment = domain_->attachment();
        bool holds_later = false;
        for (std::uint64_t later = domain_->index() + 1; later < attachment.header().domains; ++later)
            holds_later |= attachment.owner(later).load(std::memory_order_relaxed) == this_thread();
        const Deadline deadline = holds_later ? Deadline::min() : deadline_after(attachment.options().lock_timeout);
        if (locker_.acquire_until(domain_->lock_slot(), attachment.session(), deadline) != LockResult::busy) return;
        const std::string which = "domain " + std::to_string(domain_->index());
        if (holds_later)
            throw Error(errc::lock_order, which + " is locked, and this thread holds a later one", attachment.name());
        throw Error(errc::lock_timeout,
                    which + " has been locked for " + std::to_string(attachment.options().lock_timeout.count()) +
                        " ms, now by " + attachment.session().describe(locker_.owner(domain_->lock_slot())) +
                        ", which is alive",
                    attachment.name());
    }

    const DomainCore* domain_;
    [[no_unique_address]] Locker locker_;
    Attachment::Stamp stamp_ = 0;
    Wakes wakes_;
};

} // namespace ss::inline v0
