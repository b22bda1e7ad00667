// A transaction: journaled stores, blocks from the heap, and frees that wait for the commit.
//
// `Transaction` is what structures and allocators work on, inside the library. `UserTransaction` is what a callback of
// `ss::transaction` gets: the same, behind a look whether we are still the process that began it.
#pragma once

#include <ss/alloc/concept.hpp>
#include <ss/domain/directory.hpp>
#include <ss/domain/domain_core.hpp>
#include <ss/domain/signal.hpp>
#include <ss/domain/wakes.hpp>

#include <array>
#include <concepts>
#include <cstdint>
#include <string>
#include <utility>

namespace ss::inline v0 {

/// Work on an object after a commit, while the lock is still held, in small transactions of its own: growing by a
/// bucket, freeing some garbage. What it throws is dropped: the operation before it has happened. It names the object and
/// not the handle, which may be gone by the commit.
struct Upkeep {
    struct Functions {
        void (*run)(void* domain, const Upkeep& upkeep);
        bool (*reclaim)(void* domain, const Upkeep& upkeep); ///< frees some garbage; true if there was any
    };

    const Functions* functions; ///< `domain` is the Domain that runs the transaction
    DirectoryEntry* entry;      ///< of the object; null where that is only just being made
    Word generation;
    std::uint64_t operations; ///< on the object, in this transaction
};

/// `A` is the domain's allocator; `Versioned` says whether readers without the lock exist, for whom versions are kept.
template <class A, bool Versioned>
class Transaction {
public:
    using Allocator = A;

    /// The caller holds the domain's lock, and the journal is empty.
    Transaction(DomainCore& domain, Attachment::Stamp stamp) noexcept
        : domain_(&domain), region_(&domain.region()), block_(&domain.block()), undo_(domain.undo()), stamp_(stamp) {
        // Whoever sees what is stored in here sees the versions, too, that the owners before changed.
        if constexpr (Versioned) fence_release(block_->journal.counts);
    }

    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    // --- words

    /// A word of the heap. Throws errc::damaged for any other: the journal is no place for a stray link to write to.
    [[nodiscard]] Word& word(std::uint64_t offset) {
        if (offset < begin()) [[unlikely]]
            region_->refuse(offset);
        return region_->word(offset);
    }
    [[nodiscard]] const Word& word(std::uint64_t offset) const {
        return const_cast<Transaction*>(this)->word(offset);
    }
    [[nodiscard]] const Region& region() const noexcept { return *region_; }
    [[nodiscard]] DomainBlock& block() const noexcept { return *block_; }
    [[nodiscard]] DomainCore& domain() const noexcept { return *domain_; }
    [[nodiscard]] Attachment::Stamp stamp() const noexcept { return stamp_; }

    /// Changes a word; a rollback changes it back. Throws transaction_too_large and has done nothing.
    void store(Word& word, Word value) {
        undo_.record(word);
        put(word, value);
    }

    using Change = ss::Change;

    /// Changes several different words: cheaper than one after the other.
    template <std::same_as<Change>... Changes>
    void store(const Changes&... changes) {
        undo_.record(changes.word...);
        (put(changes.word, changes.value), ...);
    }

    /// True if this word has been changed. Looks at each journal entry of the transaction.
    [[nodiscard]] bool has_changed(const Word& word) const noexcept { return undo_.has_recorded(word); }

    /// A rollback will restore this word's present value.
    void preserve(const Word& word) { undo_.record(word); }

    /// Changes a word that no rollback needs to restore: in a block that this operation allocated.
    void fill(Word& word, Word value) noexcept { put(word, value); }

    /// Announces to readers without the lock that what `version` guards is about to change, before it does.
    void touch(Word& version) {
        if constexpr (Versioned) undo_.touch(version);
    }

    /// As touch, in profiles without such readers too: for the directory, which is always read without the lock.
    void touch_always(Word& version) { undo_.touch(version); }

    // --- who is told

    /// What others may watch changes: see signal.hpp. Before or after the change. Whoever has to work out what the thing is
    /// asks is_watched first, so that a change of what nobody watches costs one load. Throws transaction_too_large.
    void signal(std::uint64_t thing) {
        detail::Signals(*block_).changed(thing, [this](Signal& signal) { tell(signal); });
    }

    /// Everything that is watched in the domain changes, or may have.
    void signal_all() {
        detail::Signals(*block_).all_changed([this](Signal& signal) { tell(signal); });
    }

    /// True if something in the domain is watched.
    [[nodiscard]] bool is_watched() const noexcept { return load(block_->watched) != 0; }

    /// Up to `sleepers` of those who wait at a wait word (wakes.hpp) are woken when all this has happened.
    void wake(Word& word, int sleepers = 1) noexcept { wakes_.wake_waiters(word, sleepers); }

    /// Whom to wake once the lock is released. After the commit, under the lock.
    [[nodiscard]] Wakes& wakes() noexcept { return wakes_; }

    // --- the heap, as the allocator sees it (alloc/concept.hpp)

    [[nodiscard]] std::uint64_t begin() const noexcept { return region_->begin() + heap_begin; }
    [[nodiscard]] std::uint64_t end() const noexcept { return region_->end(); }
    std::uint64_t grow(std::uint64_t bytes) {
        domain_->attachment().grow(domain_->index(), bytes);
        return region_->end();
    }

    // --- blocks

    /// A block of at least `size` bytes at a multiple of `alignment` (8 or 16); its offset. To be filled by `fill`.
    [[nodiscard]] std::uint64_t allocate(std::uint64_t size, std::uint64_t alignment = 8) {
        const std::uint64_t offset = A::allocate(allocator(), *this, size, alignment);
        // Some reader may still look at what this block was before. If it sees a word that we fill in now, it must
        // see the version, too, whose change took the block away from what it was.
        fence_release(block_->journal.counts);
        return offset;
    }

    /// Frees the block at the commit: until then it can neither be reused nor lost. Throws transaction_too_large.
    void free(std::uint64_t offset) {
        if (free_count_ == free_capacity)
            throw Error(errc::transaction_too_large,
                        "the transaction frees more than " + std::to_string(free_capacity) + " blocks",
                        region().name());
        undo_.reserve(A::free_entries);
        frees_[free_count_++] = offset;
    }

    [[nodiscard]] std::uint64_t block_size(std::uint64_t offset) const {
        return A::block_size(allocator(), *this, offset);
    }

    [[nodiscard]] typename A::State& allocator() const noexcept {
        return *reinterpret_cast<typename A::State*>(block_->allocator.data());
    }

    // --- garbage

    /// Hangs a block, and all that its kind says hangs on it, on the garbage list. `bytes` are to be freed in all.
    void discard(GarbageKind kind, std::uint64_t offset, std::uint64_t bytes) {
        Word& first = block_->garbage.first[static_cast<std::uint64_t>(kind)];
        store(word(offset), load(first));
        store(first, offset);
        store(block_->garbage.bytes, load(block_->garbage.bytes) + bytes);
    }

    /// Frees one block that hangs on a garbage list.
    void free_garbage(std::uint64_t offset) {
        const std::uint64_t bytes = load(block_->garbage.bytes);
        store(block_->garbage.bytes, bytes - std::min(bytes, block_size(offset)));
        free(offset);
    }

    // --- beginning, end and parts

    void commit() {
        // Here, not before: a block freed and allocated again in one transaction could not be rolled back.
        if (free_count_ != 0) free_blocks();
        undo_.commit();
    }

    void rollback() {
        undo_.rollback();
        forget_frees(0);
    }

    /// A point within a transaction to which it can be undone.
    struct Savepoint {
        std::uint64_t entries;
        std::uint64_t frees;
    };

    [[nodiscard]] Savepoint savepoint() const noexcept { return {.entries = undo_.count(), .frees = free_count_}; }

    void undo_to(const Savepoint& point) {
        undo_.undo_to(point.entries);
        forget_frees(point.frees);
    }

    /// Notes work for after the commit, once per object. What does not fit in is done at a later operation.
    void remember(const Upkeep::Functions& functions, const ObjectRef& object) noexcept {
        if (upkeep_count_ != 0 && remember_again(object)) [[unlikely]]
            return;
        Upkeep& upkeep = upkeep_[upkeep_count_++];
        upkeep.functions = &functions;
        upkeep.entry = object.entry;
        upkeep.generation = object.generation;
        upkeep.operations = 1;
    }

    template <class F>
    void for_each_upkeep(F f) const {
        for (std::uint64_t i = 0; i < upkeep_count_; ++i) f(upkeep_[i]);
    }

private:
    /// In a transaction of several operations: true if nothing is left to note.
    [[gnu::noinline]] bool remember_again(const ObjectRef& object) noexcept {
        for (std::uint64_t i = 0; i < upkeep_count_; ++i)
            if (upkeep_[i].entry == object.entry) {
                ++upkeep_[i].operations;
                return true;
            }
        return upkeep_count_ == upkeep_.size();
    }

    void free_blocks() {
        const std::uint64_t frees = free_count_;
        forget_frees(0);
        for (std::uint64_t i = 0; i < frees; ++i) A::free(allocator(), *this, frees_[i]);
    }

    void forget_frees(std::uint64_t keep) noexcept {
        undo_.unreserve((free_count_ - keep) * A::free_entries);
        free_count_ = keep;
    }

    void tell(Signal& signal) {
        undo_.touch(signal.version);
        wakes_.wake_all(signal.version);
    }

    DomainCore* domain_;
    const Region* region_;
    DomainBlock* block_;
    Undo undo_;
    Attachment::Stamp stamp_;
    Wakes wakes_;
    std::uint64_t free_count_ = 0;
    std::uint64_t upkeep_count_ = 0;
    std::array<Upkeep, 16> upkeep_;
    std::array<std::uint64_t, free_capacity> frees_; // the first free_count_ count
};

/// What the callback of `ss::transaction` works with, and what the `tx` forms of structures take.
///
/// All of it happens or nothing does, under a kill and under a throw. Every call throws errc::forked in a child that
/// was forked within the callback, where the transaction remains the parent's.
template <class A, bool Versioned>
class UserTransaction {
public:
    explicit UserTransaction(Transaction<A, Versioned>& transaction) noexcept : transaction_(&transaction) {}

    // It lives as long as the callback: not to be kept.
    UserTransaction(const UserTransaction&) = delete;
    UserTransaction& operator=(const UserTransaction&) = delete;

    /// The T behind an offset. Throws errc::damaged if that is null, misaligned or not in this domain.
    template <class T>
    [[nodiscard]] T& at(Offset<T> offset) const {
        return inner().region().at(offset);
    }

    /// A block for `count` objects of T, all zeros; freed if the transaction does not happen. Throws out_of_space,
    /// past_max_size, too_large, transaction_too_large, and has done nothing then.
    template <class T>
    [[nodiscard]] Offset<T> allocate(std::uint64_t count = 1) const {
        static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= 16,
                      "what lies in a pool is plain data: trivially copyable, aligned to at most 16");
        if (count == 0 || count > (std::uint64_t{1} << 47) / sizeof(T))
            throw Error(errc::too_large, std::to_string(count) + " objects asked for at once", name());
        const std::uint64_t words = (count * sizeof(T) + word_size - 1) / word_size;
        Transaction<A, Versioned>& tx = inner();
        const auto point = tx.savepoint();
        try {
            const std::uint64_t offset = tx.allocate(words * word_size, alignof(T) <= 8 ? 8 : 16);
            Word* const block = tx.region().words(offset, words);
            for (std::uint64_t i = 0; i < words; ++i) tx.fill(block[i], 0);
            return {offset};
        } catch (...) {
            tx.undo_to(point); // the journal may have filled up in the middle of it
            throw;
        }
    }

    /// Gives a block back when the transaction commits. Throws transaction_too_large; a block that is none is found
    /// out here: errc::damaged.
    template <class T>
    void free(Offset<T> offset) const {
        (void)inner().block_size(offset.value);
        inner().free(offset.value);
    }

    /// Changes a word in the pool; undone if the transaction does not happen. Throws other_domain for a word of another
    /// domain, or of no pool.
    void store(Word& word, Word value) const { inner().store(checked(word), value); }

    /// The same for a stored reference.
    template <class T>
    void store(Offset<T>& reference, Offset<T> value) const {
        inner().store(checked(reference.value), value.value);
    }

    /// Before the first change of what readers without the lock read under `version`: see domain/optimistic_read.hpp.
    /// Never of a version in a block that this transaction allocated: rolled back, that is free memory.
    void touch(Word& version) const { inner().touch(checked(version)); }

    [[nodiscard]] std::uint64_t domain() const noexcept { return transaction_->domain().index(); }

    /// The library's side of it. Throws errc::forked in a child.
    [[nodiscard]] Transaction<A, Versioned>& inner() const {
        if (!transaction_->domain().attachment().is_current(transaction_->stamp())) [[unlikely]]
            throw Error(errc::forked, "a transaction of the parent, used in a forked child", name());
        return *transaction_;
    }

private:
    /// What the journal cannot put back must not get into it: it would stop every later recovery.
    [[nodiscard]] Word& checked(Word& word) const {
        const Region& region = transaction_->region();
        const std::uint64_t offset = region.offset_of(&word);
        if (offset < region.begin() + offsetof(DomainBlock, garbage) || !region.contains(offset, word_size))
            [[unlikely]]
            throw Error(errc::other_domain,
                        "the word does not lie in domain " + std::to_string(domain()) +
                            ", in which the transaction runs",
                        name());
        return word;
    }

    [[nodiscard]] const std::string& name() const noexcept { return transaction_->region().name(); }

    Transaction<A, Versioned>* transaction_;
};

} // namespace ss::inline v0
