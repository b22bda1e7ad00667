// What an allocator policy is, and what it may ask of the heap that it works on.
//
// An allocator cuts one contiguous heap into blocks. It holds no lock and knows no process: it is a set of static
// functions over a `State` in the pool and over a `Heap`, through which every change of a word is journaled. Whoever
// dies in the middle is undone word by word, so an allocator needs no repair of its own.
//
//     State | ... heap.begin() | block | block | free | block | ... heap.end()   (grows here, never moves)
//
// Four rules keep a rollback exact:
//  - A word of the State or of the heap that the allocator may read later is changed by `heap.store` alone.
//  - A word *inside a free block* that the allocator reads (a link, a footer) is `heap.preserve`d when the block is
//    handed out, before its new owner overwrites it without journaling.
//  - `free` journals all that it writes into the block: until the commit its bytes must be restorable.
//  - Within a transaction no allocate comes after a free or a trim: the caller keeps frees back until the commit. So what
//    a transaction gives back has no new owner before it is committed, and what is free when an allocate looks was free
//    when the transaction began, or is new. (An allocate that takes apart something free of its own accord, to make
//    room, preserves what it will need after a rollback.)
//
// Damage is found, not suffered: an allocator checks each word that it reads and follows, so that no bytes in the pool
// make it loop for ever or touch memory outside the heap. It throws errc::damaged instead.
#pragma once

#include <ss/base/policy.hpp>
#include <ss/base/word.hpp>

#include <concepts>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

namespace ss::inline v0 {

/// A State may be as large as this; the domain keeps that much room for it.
inline constexpr std::uint64_t allocator_state_size = 4096;

/// Read access to a heap: what `block_size`, `verify` and `for_each_block` need.
template <class H>
concept HeapReader = requires(const H& heap, std::uint64_t offset) {
    { heap.begin() } -> std::same_as<std::uint64_t>; // offset of the first byte, a multiple of 4096, never 0
    { heap.end() } -> std::same_as<std::uint64_t>;   // offset past the last committed byte, a multiple of 4096
    // Throws errc::damaged if misaligned or outside. Words at consecutive offsets lie side by side in memory.
    { heap.word(offset) } -> std::same_as<const Word&>;
};

/// Write access: what `allocate` and `free` need.
template <class H>
concept Heap = HeapReader<H> && requires(H& heap, Word& word, const Word& constant, std::uint64_t number) {
    { heap.word(number) } -> std::same_as<Word&>;
    heap.store(word, number); // changes a word; undone by a rollback
    heap.preserve(constant);  // a rollback will restore this word's present value
    heap.fill(word, number);  // changes a word that a rollback need not restore
    // Commits at least `number` bytes (at least 1) past end() and returns the new end(). Throws out_of_space or
    // past_max_size and has changed nothing. Never undone by a rollback: the space waits past the allocator's own end.
    { heap.grow(number) } -> std::same_as<std::uint64_t>;
};

/// A word and what it is to hold.
struct Change {
    Word& word;
    Word value;
};

/// Stores several different words, in one where the heap can: a transaction then counts its entries once.
template <Heap H, std::same_as<Change>... Changes>
void store_all(H& heap, const Changes&... changes) {
    if constexpr (requires { heap.store(changes...); })
        heap.store(changes...);
    else
        (heap.store(changes.word, changes.value), ...);
}

/// One block as `for_each_block` reports it.
struct BlockInfo {
    std::uint64_t offset = 0; ///< of the first usable byte
    std::uint64_t size = 0;   ///< usable bytes
    bool allocated = false;   ///< false: free
};

/// An archetype of Heap, to check policies against the concept without a pool. Declared only.
struct HeapArchetype {
    std::uint64_t begin() const;
    std::uint64_t end() const;
    Word& word(std::uint64_t offset);
    const Word& word(std::uint64_t offset) const;
    void store(Word& word, std::uint64_t value);
    void preserve(const Word& word);
    void fill(Word& word, std::uint64_t value);
    std::uint64_t grow(std::uint64_t bytes);
};

/// Optional: `prepare(state, heap, size, step)`, for who has time before he needs a large block. Does a part of the work of
/// an allocation of `size` bytes, above all has the heap grow by about `step` bytes at most, so that nobody waits for all
/// of it at once. True if no more is needed. Journals at most `allocate_entries`; throws what grow throws, and has changed
/// nothing then.
template <class A>
inline constexpr bool prepares = requires(typename A::State& state, HeapArchetype& heap, std::uint64_t number) {
    { A::prepare(state, heap, number, number) } -> std::same_as<bool>;
};

/// See docs/concepts.md for the table of these expressions and a minimal conforming class.
template <class A>
concept AllocatorPolicy = std::is_standard_layout_v<typename A::State> &&
                              std::is_trivially_copyable_v<typename A::State> &&
                              sizeof(typename A::State) <= allocator_state_size
                          && alignof(typename A::State) <= 64 &&
                          requires(typename A::State& state, const typename A::State& constant, HeapArchetype& heap,
                                   const HeapArchetype& reader, std::uint64_t number,
                                   std::vector<std::string>& problems, void (*visit)(const BlockInfo&)) {
    { A::id } -> std::convertible_to<PolicyId>;
    { A::fingerprint } -> std::convertible_to<std::uint64_t>;
    // Journal entries that one call writes at the very most. Tested.
    { A::allocate_entries } -> std::convertible_to<std::uint64_t>;
    { A::free_entries } -> std::convertible_to<std::uint64_t>;
    // Makes an empty heap. Nobody else looks yet: may `fill`. Killed in the middle, it is called again.
    A::initialize(state, heap);
    // A block of at least `size` (up to 2^47) usable bytes, its offset a multiple of `alignment` (8 or 16).
    // Throws out_of_space or past_max_size (from grow), too_large or invalid_argument, and has changed nothing then.
    { A::allocate(state, heap, number, number) } -> std::same_as<std::uint64_t>;
    // Gives back a block by the offset that allocate returned. Throws errc::damaged if there is none.
    A::free(state, heap, number);
    // Usable bytes of the allocated block at this offset; throws errc::damaged if there is none.
    { A::block_size(constant, reader, number) } -> std::same_as<std::uint64_t>;
    // The sum of block_size over all allocated blocks, kept as a word: O(1).
    { A::bytes_allocated(constant) } -> std::same_as<std::uint64_t>;
    // Bytes that can be allocated before the heap must grow, if they were asked for in fitting sizes.
    { A::bytes_free(constant, reader) } -> std::same_as<std::uint64_t>;
    // Walks all state, appends a sentence per contradiction. Terminates on any bytes, never throws damaged.
    A::verify(constant, reader, problems);
    // Every block in the heap, in no particular order; stops or throws errc::damaged on a damaged heap.
    A::for_each_block(constant, reader, visit);
    // Gives the free space at the heap's end back: lowers the allocator's own end as far as free space allows and
    // returns it, a multiple of 4096. The caller then takes [returned, end()) off the heap.
    { A::trim(state, heap) } -> std::same_as<std::uint64_t>;
};

} // namespace ss::inline v0
