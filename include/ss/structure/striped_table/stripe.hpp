// What makes tables in several domains one: the name, and an id.
//
//     domain:            0              1              2  = domain_of("t")
//     directory entry:   "t" id 7       "t" id 7       "t" id 7         all with the same seed
//                                                      the home stripe: there is a table "t" as long as this stands
//
// A table begins with its home stripe, for which an id and a seed are drawn, in one transaction. Whoever opens it makes the
// stripes that are missing, each in a transaction, with the home's id and seed. It ends with its home stripe, too; then the
// others go. An id is never drawn twice. So a stripe whose id the home has not, which is looked at after the stripe, is left
// of a table that is no more, for good: it can be removed at leisure, by whoever meets it.
#pragma once

#include <ss/domain/directory.hpp>
#include <ss/hash/concept.hpp>
#include <ss/structure/hash_table/kind.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace ss::inline v0::detail {

/// Which stripe a key belongs to: by 16 bits of its hash that neither buckets nor tags use, scaled to any number of stripes.
[[nodiscard]] constexpr std::uint64_t stripe_of(std::uint64_t hash, std::uint64_t stripes) noexcept {
    return (hash >> 32 & 0xFFFF) * stripes >> 16;
}

/// The root of a stripe's entry that has the id; a table's own begin at the other end.
inline constexpr std::size_t stripe_id_root = 5;

/// What tells stripes apart.
struct StripeRecord {
    ObjectRef object;
    bool is_stripe = false;
    Word id = 0;
    HashSeed seed;
    PolicyId hash{};
};

[[nodiscard]] inline StripeRecord stripe_record(const DirectoryEntry& entry, const ObjectRef& object = {}) noexcept {
    return {.object = object,
            .is_stripe = HashTableKind::is_stripe(entry),
            .id = load(entry.root[stripe_id_root]),
            .seed = {.first = load(entry.seed[0]), .second = load(entry.seed[1])},
            .hash = PolicyId{load(entry.hash_id)}};
}

/// The object of that name in a domain, as it was at one moment. Reads without the lock. Throws as find_object does.
[[nodiscard]] inline std::optional<StripeRecord> find_stripe(const DomainCore& domain, std::string_view name) {
    for (;;) {
        const auto object = find_object(domain, name);
        if (!object) return std::nullopt;
        StripeRecord record;
        bool stands = false;
        read_directory(domain, [&] {
            record = stripe_record(*object->entry, *object);
            stands = load(object->entry->generation) == object->generation;
        });
        if (stands) return record;
    }
}

/// True if a stripe, which was found before this call, is left of a table that is no more. `home` is its name's domain.
[[nodiscard]] inline bool is_left_over(const DomainCore& home, std::string_view name, const StripeRecord& stripe) {
    const auto table = find_stripe(home, name);
    return !table || !table->is_stripe || table->id != stripe.id;
}

} // namespace ss::inline v0::detail
