// Opening all stripes of a table, or making them. The protocol is in stripe.hpp.
#pragma once

#include <ss/domain/domain.hpp>
#include <ss/structure/striped_table/stripe.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ss::inline v0::detail {

/// make(tx, entry) makes a stripe's own part of it: an empty table.
template <class A, class L, class Make>
class StripesOpening {
    using DomainType = Domain<A, L>;
    using Tx = typename DomainType::Tx;

public:
    /// Claims all domains. Throws other_policies, and has claimed none if one of them was another's when this began.
    StripesOpening(const Pool& pool, std::string_view name, const ObjectType& type, bool seeded,
                   const Upkeep::Functions& upkeep, Make make)
        : name_(name), type_(type), seeded_(seeded), upkeep_(&upkeep), make_(make),
          home_(domain_of(name, pool.domains())) {
        pool.attachment()->enter();
        for (std::uint64_t index = 0; index < pool.domains(); ++index)
            if (const DomainCore core(pool.attachment(), index, any_locker<L>); core.is_claimed())
                check_policies(core, A::id, A::fingerprint, L::id, L::fingerprint);
        domains_.reserve(pool.domains());
        for (std::uint64_t index = 0; index < pool.domains(); ++index) domains_.emplace_back(pool, index);
    }

    /// The stripes' objects, which belong together, one in each domain. Throws what opening an object throws; on a
    /// read-only pool needs_recovery, too, of a table that is not whole yet.
    [[nodiscard]] std::vector<ObjectRef> open() {
        for (;;) {
            const StripeRecord home = open_home();
            std::vector<ObjectRef> stripes;
            for (std::uint64_t index = 0; index < domains_.size(); ++index) {
                const auto stripe = index == home_ ? std::optional(home.object) : open_stripe(domains_[index], home);
                if (!stripe) break;
                stripes.push_back(*stripe);
            }
            // One that was made after the table had been removed stands in nobody's way: the next attempt removes it.
            if (stripes.size() == domains_.size() && is_home(home)) return stripes;
        }
    }

    [[nodiscard]] const DomainType& domain(std::uint64_t index) const noexcept { return domains_[index]; }

private:
    [[nodiscard]] const DomainCore& home_core() const noexcept { return domains_[home_].core(); }

    [[nodiscard]] bool is_home(const StripeRecord& home) const {
        const auto now = find_stripe(home_core(), name_);
        return now && now->is_stripe && now->id == home.id;
    }

    /// The home stripe, made if there is none.
    [[nodiscard]] StripeRecord open_home() {
        for (;;) {
            const ObjectRef object = domains_[home_].open_object(
                name_, type_, seeded_,
                [&](Tx& tx, DirectoryEntry& entry) {
                    std::array<Word, 1> id{};
                    os::random_words(id);
                    tx.store(entry.root[stripe_id_root], id[0]);
                    make_(tx, entry);
                },
                upkeep_);
            const auto record = find_stripe(home_core(), name_);
            if (record && record->object.entry == object.entry && record->object.generation == object.generation)
                return *record;
        }
    }

    /// The stripe of that table in `domain`, made if there is none; nothing if the table was made anew meanwhile.
    [[nodiscard]] std::optional<ObjectRef> open_stripe(DomainType& domain, const StripeRecord& home) {
        for (;;) {
            const auto found = find_stripe(domain.core(), name_);
            if (!found) {
                make_stripe(domain, home);
                continue;
            }
            check_object(domain.core(), name_, *found->object.entry, found->is_stripe ? own_type(*found) : type_);
            if (found->id == home.id) return found->object;
            if (!is_left_over(home_core(), name_, *found)) return std::nullopt;
            remove_left_over(domain, found->object);
        }
    }

    /// A stripe's type, of whichever hash: one that is left of another table may have had another.
    [[nodiscard]] ObjectType own_type(const StripeRecord& stripe) const {
        ObjectType type = type_;
        type.hash = stripe.hash;
        type.hash_fingerprint = load(stripe.object.entry->hash_fingerprint);
        return type;
    }

    void make_stripe(DomainType& domain, const StripeRecord& home) {
        if (domain.core().attachment().is_read_only()) throw_not_whole(domain.core());
        domain.run([&](Tx& tx) {
            tx.remember(*upkeep_, {});
            if (find_object(domain.core(), name_)) return; // somebody else was faster
            DirectoryEntry& entry = enter_object(tx, name_, type_, {home.seed.first, home.seed.second});
            tx.store(entry.root[stripe_id_root], home.id);
            make_(tx, entry);
        });
    }

    void remove_left_over(DomainType& domain, const ObjectRef& object) {
        if (domain.core().attachment().is_read_only()) throw_not_whole(domain.core());
        domain.run([&](Tx& tx) {
            tx.remember(*upkeep_, {});
            if (load(object.entry->generation) != object.generation) return;
            HashTableKind::discard(tx, object);
            tx.signal_all();
            leave_object(tx, *object.entry);
        });
    }

    [[noreturn]] void throw_not_whole(const DomainCore& domain) const {
        throw Error(errc::needs_recovery,
                    "has no whole table \"" + name_ + "\": its stripe in domain " + std::to_string(domain.index()) +
                        " is missing, which the next who opens the table for writing makes",
                    domain.attachment().name());
    }

    std::string name_;
    ObjectType type_;
    bool seeded_;
    const Upkeep::Functions* upkeep_;
    Make make_;
    std::uint64_t home_;
    std::vector<DomainType> domains_;
};

} // namespace ss::inline v0::detail
