// Freeing what structures have left behind, whichever they are: after a commit, or when there is no room.
#pragma once

#include <ss/domain/transaction.hpp>
#include <ss/structure/atomic_vector/garbage.hpp>
#include <ss/structure/hash_table/garbage.hpp>
#include <ss/structure/prefix_tree/garbage.hpp>
#include <ss/structure/priority_queue/garbage.hpp>
#include <ss/structure/queue/garbage.hpp>

namespace ss::inline v0::detail {

/// Frees a few blocks of a domain's garbage. False if there is none. Within a transaction.
template <class Tx>
bool reap_garbage(Tx& tx) {
    return reap_hash_table(tx) || reap_prefix_tree(tx) || reap_queue(tx) || reap_atomic_vector(tx) ||
           reap_priority_queue(tx);
}

/// The same as a transaction of its own, while this thread holds the lock.
template <class DomainType>
bool reap(DomainType& domain) {
    return domain.step([](typename DomainType::Tx& tx) { return reap_garbage(tx); });
}

/// A little, after each operation.
template <class DomainType>
void reap_some(DomainType& domain) {
    if (load(domain.core().block().garbage.bytes) != 0)
        for (int i = 0; i < 2 && reap(domain); ++i) {}
}

/// A lot, for somebody who found no room: a few hundred blocks. False if there is none; or if nothing has come free by so
/// many steps as a way down the deepest tree takes, for then what is there hangs in a circle.
template <class DomainType>
bool reclaim(DomainType& domain) {
    constexpr std::uint64_t some = 64, most = 2 * max_key_size;
    const Word& bytes = domain.core().block().garbage.bytes;
    const Word before = load(bytes);
    for (std::uint64_t i = 0; i < most; ++i) {
        if (!reap(domain)) return i != 0;
        if (i + 1 >= some && load(bytes) < before) return true;
    }
    return false;
}

/// The upkeep of structures that need no other.
template <class DomainType>
[[nodiscard]] const Upkeep::Functions& garbage_upkeep() noexcept {
    static constexpr Upkeep::Functions functions = {
        .run = [](void* domain, const Upkeep&) { reap_some(*static_cast<DomainType*>(domain)); },
        .reclaim = [](void* domain, const Upkeep&) { return reclaim(*static_cast<DomainType*>(domain)); }};
    return functions;
}

} // namespace ss::inline v0::detail
