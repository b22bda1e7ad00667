// How a domain gets its policies: from the first structure that is made in it, for good.
//
// Under the attach byte: commit the region's first bytes, write the block and the allocator's state, record the
// policies, and set `claimed`, one store, last. Who dies before that leaves a domain that the next one claims anew.
#pragma once

#include <ss/alloc/concept.hpp>
#include <ss/domain/domain_core.hpp>
#include <ss/lock/concept.hpp>

#include <cstdint>
#include <string>

namespace ss::inline v0::detail {

/// The heap of a domain that nobody else has seen yet: nothing needs a journal.
class UnclaimedHeap {
public:
    explicit UnclaimedHeap(DomainCore& domain) noexcept : domain_(&domain) {}

    [[nodiscard]] std::uint64_t begin() const noexcept { return domain_->region().begin() + heap_begin; }
    [[nodiscard]] std::uint64_t end() const noexcept { return domain_->region().end(); }
    [[nodiscard]] Word& word(std::uint64_t offset) { return domain_->region().word(offset); }
    [[nodiscard]] const Word& word(std::uint64_t offset) const { return domain_->region().word(offset); }
    void store(Word& word, std::uint64_t value) noexcept { put(word, value); }
    void preserve(const Word&) noexcept {}
    void fill(Word& word, std::uint64_t value) noexcept { put(word, value); }
    std::uint64_t grow(std::uint64_t bytes) {
        domain_->attachment().grow(domain_->index(), bytes);
        return end();
    }

private:
    DomainCore* domain_;
};

/// Throws other_policies, naming both sides, if the domain was claimed with others than these.
inline void check_policies(const DomainCore& domain, PolicyId allocator, std::uint64_t allocator_fingerprint,
                           PolicyId lock, std::uint64_t lock_fingerprint) {
    const DomainState& state = domain.state();
    const auto same = [](const Word& id, PolicyId expected, const Word& print, std::uint64_t expected_print) {
        return load(id) == static_cast<std::uint64_t>(expected) && load(print) == expected_print;
    };
    if (same(state.allocator_id, allocator, state.allocator_fingerprint, allocator_fingerprint) &&
        same(state.lock_id, lock, state.lock_fingerprint, lock_fingerprint))
        return;
    const auto describe = [](PolicyId id, std::uint64_t print) {
        return to_string(id) + " (" + std::to_string(print % 100000) + ")";
    };
    throw Error(errc::other_policies,
                "domain " + std::to_string(domain.index()) + " has allocator " +
                    describe(PolicyId{load(state.allocator_id)}, load(state.allocator_fingerprint)) + " and lock " +
                    describe(PolicyId{load(state.lock_id)}, load(state.lock_fingerprint)) + ", asked for were " +
                    describe(allocator, allocator_fingerprint) + " and " + describe(lock, lock_fingerprint),
                domain.attachment().name());
}

template <class A, class L>
void claim(DomainCore& domain) {
    domain.attachment().enter(); // before the attach byte: a child attaches under it
    const AttachGuard guard = domain.attachment().exclude_attachers();
    if (domain.is_claimed()) return;
    const Region& region = domain.region();
    constexpr std::uint64_t initial = heap_begin + 16 * kibi;
    if (region.size() < initial) domain.attachment().grow(domain.index(), initial - region.size());
    // What a claimer that died left is zeroed; word by word, as all of a pool is written.
    Word* const words = region.words(region.begin(), sizeof(DomainBlock) / word_size);
    for (std::uint64_t i = 0; i < sizeof(DomainBlock) / word_size; ++i) put(words[i], 0);
    DomainBlock& block = domain.block();
    put(block.index, domain.index());
    put(block.magic, domain_magic);
    UnclaimedHeap heap(domain);
    A::initialize(*reinterpret_cast<typename A::State*>(block.allocator.data()), heap);
    DomainState& state = domain.state();
    put(state.allocator_id, static_cast<std::uint64_t>(A::id));
    put(state.allocator_fingerprint, A::fingerprint);
    put(state.lock_id, static_cast<std::uint64_t>(L::id));
    put(state.lock_fingerprint, L::fingerprint);
    put_release(state.claimed, 1);
}

} // namespace ss::inline v0::detail
