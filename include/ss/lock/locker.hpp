// Two ways to call a lock policy: one that is known at compile time, and one that only the pool knows.
#pragma once

#include <ss/lock/concept.hpp>
#include <ss/pool/attachment.hpp>

namespace ss::inline v0 {

/// A lock policy over the slots of a pool; costs nothing.
template <class L>
struct StaticLocker {
    static constexpr bool single_session = is_single_session<L>;

    /// Makes the State ready, if the policy wants that and nobody has in this era. Before the slot is used.
    static void prepare(Attachment& attachment, LockSlot& slot) {
        if constexpr (needs_initialize<L>)
            if (slot.ready.load(std::memory_order_acquire) == 0) [[unlikely]]
                initialize(attachment, slot);
    }
    [[nodiscard]] static LockResult try_acquire(LockSlot& slot, const Session& session) {
        return L::try_acquire(state(slot), session);
    }
    [[nodiscard]] static LockResult acquire_until(LockSlot& slot, const Session& session, Deadline deadline) {
        return L::acquire_until(state(slot), session, deadline);
    }
    static void release(LockSlot& slot, const Session& session) { L::release(state(slot), session); }
    [[nodiscard]] static Token owner(LockSlot& slot) { return L::owner(state(slot)); }

private:
    [[nodiscard]] static typename L::State& state(LockSlot& slot) noexcept {
        return *reinterpret_cast<typename L::State*>(slot.state.data());
    }

    [[gnu::cold, gnu::noinline]] static void initialize(Attachment& attachment, LockSlot& slot) {
        const AttachGuard guard = attachment.exclude_attachers();
        if (slot.ready.load(std::memory_order_acquire) != 0) return;
        L::initialize(state(slot), attachment.session());
        slot.ready.store(1, std::memory_order_release);
    }
};

/// The same by pointers, for what looks into any pool: verify, backup, the directory.
struct AnyLocker {
    void (*prepare)(Attachment& attachment, LockSlot& slot);
    LockResult (*try_acquire)(LockSlot& slot, const Session& session);
    LockResult (*acquire_until)(LockSlot& slot, const Session& session, Deadline deadline);
    void (*release)(LockSlot& slot, const Session& session);
    Token (*owner)(LockSlot& slot);
    bool single_session;
};

template <class L>
inline constexpr AnyLocker any_locker = {.prepare = &StaticLocker<L>::prepare,
                                         .try_acquire = &StaticLocker<L>::try_acquire,
                                         .acquire_until = &StaticLocker<L>::acquire_until,
                                         .release = &StaticLocker<L>::release,
                                         .owner = &StaticLocker<L>::owner,
                                         .single_session = StaticLocker<L>::single_session};

} // namespace ss::inline v0
