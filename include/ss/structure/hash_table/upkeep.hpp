// What a table has done after a commit, while the lock is still held: splits or merges, and some garbage.
#pragma once

#include <ss/domain/transaction.hpp>
#include <ss/hash/concept.hpp>
#include <ss/structure/garbage.hpp>
#include <ss/structure/hash_table/resize.hpp>

#include <cstdint>

namespace ss::inline v0::detail {

/// The work of tables with this hash in such a domain. See Upkeep for when it is done, and why it names no handle.
template <class DomainType, class Hash>
class TableUpkeep {
public:
    [[nodiscard]] static const Upkeep::Functions& functions() noexcept {
        static constexpr Upkeep::Functions functions = {
            .run = [](void* domain, const Upkeep& upkeep) { maintain(*static_cast<DomainType*>(domain), upkeep); },
            .reclaim = [](void* domain, const Upkeep&) { return reclaim(*static_cast<DomainType*>(domain)); }};
        return functions;
    }

private:
    /// As many buckets as the transaction's operations can have called for, and a little garbage.
    static void maintain(DomainType& domain, const Upkeep& upkeep) {
        // Garbage first: a split may throw for want of space.
        reap_some(domain);
        const ObjectRef object{.entry = upkeep.entry, .generation = upkeep.generation};
        if (object.entry != nullptr && load(object.entry->generation) == object.generation) {
            const HashSeed seed{.first = load(object.entry->seed[0]), .second = load(object.entry->seed[1])};
            TableResizer<DomainType, Hash> resizer(domain, object, seed);
            const std::uint64_t most = 1 + upkeep.operations / 2;
            for (std::uint64_t i = 0; i < most && resizer.wants_split(); ++i) resizer.split();
            for (std::uint64_t i = 0; i < most && resizer.wants_merge(); ++i) resizer.merge();
        }
    }
};

} // namespace ss::inline v0::detail
