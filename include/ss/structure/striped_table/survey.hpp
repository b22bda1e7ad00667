// What all domains together have of striped tables: collected domain by domain, and then held against each other.
#pragma once

#include <ss/structure/striped_table/stripe.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ss::inline v0::detail {

class StripeSurvey {
public:
    explicit StripeSurvey(std::uint64_t domains) noexcept : domains_(domains) {}

    /// A stripe of that name was found in a domain.
    void note(const std::string& name, std::uint64_t domain, const DirectoryEntry& entry, std::uint64_t bytes) {
        found_[name].push_back({.domain = domain, .record = stripe_record(entry), .bytes = bytes});
    }

    /// Of all stripes of the table that has the name now; nothing if it is no striped one.
    [[nodiscard]] std::optional<std::uint64_t> bytes_of(const std::string& name) const {
        const auto stripes = found_.find(name);
        if (stripes == found_.end()) return std::nullopt;
        const Stripe* const home = home_of(stripes->first, stripes->second);
        if (home == nullptr) return std::nullopt;
        std::uint64_t bytes = 0;
        for (const Stripe& stripe : stripes->second)
            if (stripe.record.id == home->record.id) bytes += stripe.bytes;
        return bytes;
    }

    /// A sentence for each stripe that does not fit to its home stripe. That some are missing, or left of another table, is
    /// what a kill leaves, and nothing to complain about.
    void complain(std::vector<std::string>& problems) const {
        for (const auto& [name, stripes] : found_) {
            const Stripe* const home = home_of(name, stripes);
            if (home == nullptr) continue;
            for (const Stripe& stripe : stripes)
                if (stripe.record.id == home->record.id &&
                    (stripe.record.seed != home->record.seed || stripe.record.hash != home->record.hash))
                    problems.push_back("domain " + std::to_string(stripe.domain) + ": the stripe of table \"" + name +
                                       "\" hashes otherwise than the one in domain " + std::to_string(home->domain));
        }
    }

private:
    struct Stripe {
        std::uint64_t domain;
        StripeRecord record;
        std::uint64_t bytes;
    };

    [[nodiscard]] const Stripe* home_of(const std::string& name, const std::vector<Stripe>& stripes) const noexcept {
        for (const Stripe& stripe : stripes)
            if (stripe.domain == domain_of(name, domains_)) return &stripe;
        return nullptr;
    }

    std::uint64_t domains_;
    std::map<std::string, std::vector<Stripe>> found_;
};

} // namespace ss::inline v0::detail
