// Reading without a lock, and the same text with one.
//
//     reader                                      writer, under the lock
//     v = version, acquire; odd: start over       touch: version odd; release fence
//     data, relaxed, every offset checked         data, relaxed
//     acquire fence; version again: v?            commit: count = 0; version even, release
//
// If the reader saw a word of the writer's, its second look at the version sees the odd value or a later one: it starts
// over. If it saw none, it has read what was there before. (H.-J. Boehm, MSPC 2012, form with fences.)
//
// A read is written once, as a function of a `Reading` that it asks to begin and to validate. `LockedReading` says yes
// to all, at no cost. What is read in between may be nonsense until it is validated: offsets are checked against the
// region, loops are bounded, and nothing is believed, or thrown, before its version was looked at again.
#pragma once

#include <ss/base/word.hpp>
#include <ss/domain/guard.hpp>
#include <ss/os/futex.hpp>

#include <chrono>
#include <cstdint>
#include <string>

#include <sched.h>

namespace ss::inline v0 {

class OptimisticReading {
public:
    static constexpr bool is_locked = false;

    /// Notes a version. False while a writer is changing what it guards.
    [[nodiscard]] static bool begin(const Word& version, Word& seen) noexcept {
        seen = load_acquire(version);
        return (seen & 1) == 0;
    }

    /// True if nothing that `version` guards has changed since begin() noted `seen`.
    [[nodiscard]] static bool validate(const Word& version, Word seen) noexcept {
        return load_after_all(version) == seen;
    }
};

class LockedReading {
public:
    static constexpr bool is_locked = true;

    [[nodiscard]] static bool begin(const Word&, Word&) noexcept { return true; }
    [[nodiscard]] static bool validate(const Word&, Word) noexcept { return true; }
};

/// How long a reader goes on without the lock: 64 attempts or 50 us, whichever is later, for one attempt may be long.
class ReadPatience {
public:
    /// Waits a little. False when patience is over.
    [[nodiscard]] bool wait() noexcept {
        ++attempts_;
        if (attempts_ == 1) begin_ = std::chrono::steady_clock::now();
        if (attempts_ >= 64 && std::chrono::steady_clock::now() - begin_ > std::chrono::microseconds(50))
            return false;
        if (attempts_ % 16 == 0)
            ::sched_yield(); // the writer may be waiting for this very core
        else
            os::spin_pause();
        return true;
    }

private:
    int attempts_ = 0;
    std::chrono::steady_clock::time_point begin_;
};

namespace detail {

/// For those who cannot lock, or must not. True when the read was done; false if the writer has died in mid-change, and
/// its versions stay odd until somebody who may write recovers them. Throws lock_timeout.
template <class Locker, class F>
[[nodiscard, gnu::cold, gnu::noinline]] bool read_while_the_writer_lives(const DomainCore& core, Locker locker,
                                                                         F& attempt) {
    Attachment& attachment = core.attachment();
    const std::string which = "domain " + std::to_string(core.index());
    const Deadline deadline = deadline_after(attachment.options().lock_timeout);
    for (int abandoned = 0;;) {
        if (attempt(OptimisticReading{})) return true;
        const Token owner = locker.owner(core.lock_slot());
        const bool nobody = owner == 0 || attachment.session().is_dead(owner);
        // Between two looks a living writer may have come and gone; ten times in a row none does.
        abandoned = nobody && core.undo().is_dirty() ? abandoned + 1 : 0;
        if (abandoned == 10) return false;
        if (std::chrono::steady_clock::now() >= deadline)
            throw Error(errc::lock_timeout,
                        which + " has been changed without a pause to read it in by " +
                            attachment.session().describe(owner) + ", which is alive",
                        attachment.name());
        os::sleep_for(std::chrono::milliseconds(1));
    }
}

} // namespace detail

namespace detail {

/// What follows when the first attempt of a read has met a writer. Out of line, so that the first can be inlined.
template <class Locker, class F>
[[gnu::cold, gnu::noinline]] void read_patiently(const DomainCore& core, Locker locker, F& attempt) {
    if (core.is_held_by_this_thread()) {
        (void)attempt(LockedReading{});
        return;
    }
    ReadPatience patience;
    while (patience.wait())
        if (attempt(OptimisticReading{})) return;
    const bool read_only = core.attachment().is_read_only();
    if ((read_only || locker.single_session) && read_while_the_writer_lives(core, locker, attempt)) return;
    if (read_only)
        throw Error(errc::needs_recovery,
                    "domain " + std::to_string(core.index()) +
                        " was left in the middle of a change; open the pool once for writing, that mends it",
                    core.attachment().name());
    const DomainGuard<Locker> guard(core, locker);
    (void)attempt(LockedReading{});
}

} // namespace detail

/// attempt(reading) until it returns true: without the lock as long as patience lasts, then with it. A thread reads
/// straight what it is changing itself. On a read-only pool it goes on as long as a writer lives: throws needs_recovery
/// if that is dead, lock_timeout if all this time it stood still in mid-change, or never stood still long enough.
template <class Locker, class F>
void read_optimistically(const DomainCore& core, Locker locker, F attempt) {
    core.attachment().enter();
    if (!attempt(OptimisticReading{})) [[unlikely]]
        detail::read_patiently(core, locker, attempt);
}

/// attempt(reading) under the lock, which this thread may hold already.
template <class Locker, class F>
void read_locked(const DomainCore& core, Locker locker, F attempt) {
    core.attachment().enter();
    if (core.is_held_by_this_thread()) {
        (void)attempt(LockedReading{});
    } else {
        const DomainGuard<Locker> guard(core, locker);
        (void)attempt(LockedReading{});
    }
}

} // namespace ss::inline v0
