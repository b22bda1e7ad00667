// The undo journal: how a transaction of words becomes all or nothing under a kill and under a throw.
//
//     … touched[1] touched[0] | counts | {offset, old} {offset, old} {offset, old} …
//                 ^           ^                                              ^
//                 └ a cache line: all that a small transaction needs ────────┘
//
//     counts: versions touched (32) | entries (32)
//
// A SIGKILL falls between two instructions: what came before is in the shared memory, the rest never happens. So a
// change is recorded before it is made, and only the compiler has to be kept from turning that around; whoever comes
// after the death sees all of it. CPU fences are for optimistic readers alone, who look while the writer lives.
//
//     record(word)   entry n = {offset, old value}; n + 1 entries; then the caller changes the word
//     touch(version) touched n = offset; n + 1 touched; version odd; release fence; then what it guards changes
//     commit()       no entries: the one store at which the transaction has happened; touched versions become even
//     rollback()     old values go back, newest first; no entries; touched versions become even
//
// Rolling back and evening out can be killed and started over: both write the same values again, or higher versions.
// In either case a version gets a value that it never had: a reader that saw any state in between starts over.
//
// Recovery is rollback by the next owner of the lock. If there are no entries and versions are touched, the owner died
// between its commit and its last version, or before its first change: the same code evens them out and undoes nothing.
#pragma once

#include <ss/base/error.hpp>
#include <ss/base/word.hpp>
#include <ss/domain/layout.hpp>
#include <ss/pool/region.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>

namespace ss::inline v0 {

/// The journal of a domain whose lock we hold.
class Undo {
public:
    Undo(const Region& region, DomainBlock& block) noexcept : region_(&region), block_(&block) {}

    /// True if the last owner left something behind.
    [[nodiscard]] bool is_dirty() const noexcept { return load(journal().counts) != 0; }

    /// Notes the values of these words, so that a rollback restores them. Throws transaction_too_large and has done
    /// nothing.
    template <std::same_as<Word>... Words>
    void record(const Words&... words) {
        Journal& journal = block_->journal;
        const Word counts = load(journal.counts);
        const Word n = JournalCounts::entries(counts);
        if (n + sizeof...(words) > journal_capacity - reserved_) [[unlikely]]
            refuse_entry();
        JournalEntry* entry = &journal.entries[n];
        (note(*entry++, words), ...);
        compiler_fence();
        put(journal.counts, counts + sizeof...(words));
        compiler_fence();
    }

    /// Makes `version` odd until the transaction ends. Throws transaction_too_large.
    void touch(Word& version) {
        const Word value = load(version);
        if ((value & 1) != 0) return; // by this transaction: the last owner's were evened out
        const std::uint64_t offset = recoverable(version);
        const Word counts = load(journal().counts);
        const Word n = JournalCounts::touched(counts);
        if (n >= touched_capacity) [[unlikely]]
            refuse_version();
        put(touched(n), offset);
        compiler_fence();
        put(journal().counts, counts + JournalCounts::one_touched);
        compiler_fence();
        put(version, value + 1);
        fence_release(version);
        only_touched_ = n == 0 ? &version : nullptr;
    }

    /// Keeps that many entries for later, when a throw would come too late.
    void reserve(std::uint64_t entries) {
        if (count() + reserved_ + entries > journal_capacity)
            refuse("its " + std::to_string(journal_capacity) + " journal entries");
        reserved_ += entries;
    }
    void unreserve(std::uint64_t entries) noexcept { reserved_ -= entries; }

    /// True if this word's value from before is noted.
    [[nodiscard]] bool has_recorded(const Word& word) const noexcept {
        const std::uint64_t offset = region_->offset_of(&word);
        for (std::uint64_t i = count(); i-- != 0;)
            if (load(journal().entries[i].offset) == offset) return true;
        return false;
    }

    /// Of its entries.
    [[nodiscard]] std::uint64_t count() const noexcept { return JournalCounts::entries(load(journal().counts)); }

    void commit() {
        const Word counts = load(journal().counts), n = JournalCounts::entries(counts);
        if (n > load(block_->journal_high_water)) put(block_->journal_high_water, n);
        compiler_fence();
        put(journal().counts, counts - n);
        compiler_fence();
        if (only_touched_ == nullptr) return settle_versions();
        settle(*only_touched_);
        only_touched_ = nullptr;
        put(journal().counts, 0);
    }

    /// Undoes all entries past the first `keep`; versions stay odd. Throws errc::damaged if an entry points where no
    /// transaction writes.
    void undo_to(std::uint64_t keep) {
        const Word counts = load(journal().counts), n = JournalCounts::entries(counts);
        if (n > journal_capacity) refuse_damaged("has " + std::to_string(n) + " entries");
        if (n <= keep) return;
        // One pass, then one store: an entry undone twice is undone as well as once.
        for (Word i = n; i-- > keep;) put(checked(load(journal().entries[i].offset)), load(journal().entries[i].old));
        compiler_fence();
        put(journal().counts, counts - (n - keep));
        compiler_fence();
    }

    void rollback() {
        undo_to(0);
        settle_versions();
    }

    /// What the last owner left behind is undone, or evened out if it had committed.
    void recover() {
        if (!is_dirty()) return;
        rollback();
        put(block_->recoveries, load(block_->recoveries) + 1);
    }

private:
    [[nodiscard]] Journal& journal() const noexcept { return block_->journal; }
    [[nodiscard]] Word& touched(Word n) const noexcept { return journal().touched[touched_capacity - 1 - n]; }

    void note(JournalEntry& entry, const Word& word) {
        put(entry.offset, recoverable(word));
        put(entry.old, load(word));
    }

    /// (v | 1) + 1: even, and never a value from before, whether or not the death fell between the two.
    void settle_versions() {
        const Word n = JournalCounts::touched(load(journal().counts));
        if (n == 0) return;
        if (n > touched_capacity) refuse_damaged("has touched " + std::to_string(n) + " versions");
        for (Word i = 0; i < n; ++i) settle(checked(load(touched(i))));
        put(journal().counts, 0); // of entries there are none by now
        only_touched_ = nullptr;
    }

    static void settle(Word& version) noexcept {
        put_release(version, (load(version) | 1) + 1);
        compiler_fence();
    }

    /// The offset of a word, if recovery may write it: a stray link must not lead a transaction to write what stops every
    /// later one.
    [[nodiscard]] std::uint64_t recoverable(const Word& word) const {
        const std::uint64_t offset = region_->offset_of(&word);
        if (reinterpret_cast<const std::byte*>(&word) < reinterpret_cast<const std::byte*>(&block_->garbage))
            [[unlikely]]
            region_->refuse(offset);
        return offset;
    }

    /// The word, if it is one that transactions write: past the journal, inside the region.
    [[nodiscard]] Word& checked(std::uint64_t offset) const {
        if (offset < region_->begin() + offsetof(DomainBlock, garbage)) [[unlikely]]
            refuse_damaged("would write at offset " + std::to_string(offset));
        return region_->word(offset);
    }

    // Each out of line as a whole, for what builds a sentence needs registers that the hot path would have to save.
    [[noreturn, gnu::cold, gnu::noinline]] void refuse_entry() const {
        refuse("its " + std::to_string(journal_capacity) + " journal entries, of which " + std::to_string(reserved_) +
               " are kept for its frees");
    }
    [[noreturn, gnu::cold, gnu::noinline]] void refuse_version() const {
        refuse("its " + std::to_string(touched_capacity) + " versions");
    }
    [[noreturn, gnu::cold, gnu::noinline]] void refuse(const std::string& what) const {
        throw Error(errc::transaction_too_large, "the transaction has used up " + what, region_->name());
    }
    [[noreturn, gnu::cold, gnu::noinline]] void refuse_damaged(const std::string& what) const {
        throw Error(errc::damaged, "a domain's journal " + what, region_->name());
    }

    const Region* region_;
    DomainBlock* block_;
    std::uint64_t reserved_ = 0;
    Word* only_touched_ = nullptr; ///< the version that this transaction has touched, if it is a single one
};

} // namespace ss::inline v0
