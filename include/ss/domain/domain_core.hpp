// A domain as one process sees it, whatever its policies are.
#pragma once

#include <ss/domain/journal.hpp>
#include <ss/domain/layout.hpp>
#include <ss/lock/locker.hpp>
#include <ss/pool/attachment.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace ss::inline v0 {

/// What `stats()` of a domain tells. Bytes are of the heap. All of one moment: see Domain::stats.
struct DomainStats {
    std::uint64_t entries = 0;            ///< named objects
    std::uint64_t bytes_committed = 0;    ///< of the region, the domain's own block included
    std::uint64_t bytes_allocated = 0;    ///< in blocks that are in use, garbage included
    std::uint64_t bytes_free = 0;         ///< can be allocated before the region grows
    std::uint64_t garbage_bytes = 0;      ///< wait to be freed, piece by piece
    std::uint64_t journal_high_water = 0; ///< most words that one transaction changed
    std::uint64_t recoveries = 0;         ///< how often the work of a dead or throwing owner was undone
};

class DomainCore {
public:
    /// `locker` is of the lock policy that the domain has, or will be claimed with.
    DomainCore(std::shared_ptr<Attachment> attachment, std::uint64_t index, const AnyLocker& locker) noexcept
        : attachment_(std::move(attachment)), region_(&attachment_->region(index)), index_(index), locker_(&locker) {}

    [[nodiscard]] Attachment& attachment() const noexcept { return *attachment_; }
    [[nodiscard]] std::uint64_t index() const noexcept { return index_; }
    [[nodiscard]] const Region& region() const noexcept { return *region_; }
    [[nodiscard]] LockSlot& lock_slot() const noexcept { return attachment_->lock_slot(index_); }
    [[nodiscard]] DomainState& state() const noexcept { return attachment_->domain_state(index_); }

    [[nodiscard]] const AnyLocker& locker() const noexcept { return *locker_; }

    /// Throws errc::damaged for a word that is neither yes nor no: taken for no, the domain would be made anew.
    [[nodiscard]] bool is_claimed() const {
        const Word claimed = load_acquire(state().claimed);
        if (claimed > 1)
            throw Error(errc::damaged,
                        "domain " + std::to_string(index_) + " says neither that it is claimed nor that not",
                        attachment_->name());
        return claimed == 1;
    }

    /// The permanent block. Only of a claimed domain, whose region holds it.
    [[nodiscard]] DomainBlock& block() const noexcept {
        return *reinterpret_cast<DomainBlock*>(region_->data(region_->begin()));
    }

    /// The journal. The caller holds the lock.
    [[nodiscard]] Undo undo() const noexcept { return {*region_, block()}; }

    [[nodiscard]] bool is_held_by_this_thread() const noexcept {
        return attachment_->owner(index_).load(std::memory_order_relaxed) == this_thread();
    }

    /// Throws errc::damaged if the region does not begin with a domain's block.
    void check_block() const {
        if (!region_->contains(region_->begin(), heap_begin) || load(block().magic) != domain_magic ||
            load(block().index) != index_)
            throw Error(errc::damaged, "domain " + std::to_string(index_) + " does not begin with a domain's block",
                        attachment_->name());
    }

private:
    std::shared_ptr<Attachment> attachment_;
    const Region* region_;
    std::uint64_t index_;
    const AnyLocker* locker_;
};

} // namespace ss::inline v0
