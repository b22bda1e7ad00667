// Taking stamps of what can be watched, and sleeping until they are out of date. The protocol is in signal.hpp.
#pragma once

#include <ss/base/deadline.hpp>
#include <ss/domain/directory.hpp>
#include <ss/domain/signal.hpp>
#include <ss/hash/fnv1a64.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace ss::inline v0 {

/// What `stamp` returns and `watch` takes: a moment of a key's life. Means something only to the key and the structure
/// that it was taken of, and on a read-only pool only to other handles on read-only pools.
struct Stamp {
    Word key = 0;
    Word prefix = 0; ///< of all that begins with the key, in structures that have an order

    friend bool operator==(const Stamp&, const Stamp&) = default;
};

namespace detail {

/// How often a watcher looks that cannot leave word that it watches: on a read-only pool.
inline constexpr auto watch_poll = std::chrono::milliseconds(10);

/// The hash of a thing of one object, as signals take it. `salt` keeps apart the kinds of things that it has.
[[nodiscard]] inline std::uint64_t thing_of(const Region& region, const ObjectRef& object, std::uint64_t hash,
                                            std::uint64_t salt = 0) noexcept {
    return mix_bits(mix_bits(hash ^ salt) + region.offset_of(object.entry) + object.generation);
}

/// Stamps a thing of an object: under the lock, so that no change of it is under way. Throws no_such_object.
template <class DomainType>
[[nodiscard]] Word stamp_thing(const DomainType& domain, const ObjectRef& object, std::uint64_t thing) {
    return domain.locked([&] {
        check_stands(domain.core(), object);
        return Signals(domain.core().block()).arm(thing);
    });
}

/// Sleeps until the thing's version is not `stamp`. False if the time was over before.
template <class DomainType>
[[nodiscard]] bool wait_for_change(const DomainType& domain, std::uint64_t thing, Word stamp,
                                   const Timeout& timeout) {
    Attachment& attachment = domain.core().attachment();
    if (domain.core().is_held_by_this_thread())
        throw Error(errc::would_deadlock, "this thread holds the lock, so what it waits for cannot happen",
                    attachment.name());
    const Word& version = domain.core().block().signals[Signals::index_of(thing)].version;
    for (;;) {
        attachment.enter();
        if (load_acquire(version) != stamp) return true;
        if (timeout.is_over()) return false;
        sleep_on(version, stamp, timeout.deadline());
    }
}

/// Looks again and again until look() is not `stamp`. False if the time was over before.
template <class Look>
[[nodiscard]] bool poll_for_change(Look look, const Stamp& stamp, const Timeout& timeout) {
    for (;;) {
        if (look() != stamp) return true;
        const auto left = timeout.deadline() - std::chrono::steady_clock::now();
        if (left <= left.zero()) return false;
        os::sleep_for(std::min<std::chrono::nanoseconds>(left, watch_poll));
    }
}

} // namespace detail
} // namespace ss::inline v0
