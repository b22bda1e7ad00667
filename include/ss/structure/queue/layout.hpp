// The bytes of a queue: a head, items that link to each other, and tables of leases.
//
//     directory entry: version | generation | root[0] = head
//                      root[1], root[2]: wait words, for items and for room | root[3]: number of the newest lease
//                      root[4], root[5]: items that wait, and their bytes
//
//     head:    … first | last | … tables | free slot | …
//     page:    previous | next | begin | end | size | taken taken | … item item item …         items: from begin to end
//     item:    size (32) leases (32) | bytes, padded with zeros to a word | size
//     table:   next table | slot slot slot … (31 of them)
//     slot:    number | page | era | token
//
// Items lie in pages one behind the other, each with its size at both ends, so that both ends of the queue can move. A page
// grows at the end that is pushed to, shrinks at the end that is popped from, and is freed when it is empty; but the only page of a
// queue stays, unless it is large. A large item has a page that is made for it, where nothing else fits in.
//
// What a transaction pops it must not write over, for it may be undone: a `taken` is the entry's version as the last pop
// from that end of the page saw it, and a push to that end that sees the same begins another page. No two transactions see
// the same version.
//
// An item waits, in a page between `first` and `last`; or it is leased, and its page hangs on a slot alone, and holds nothing
// else: that is copied out of a page that others share, once. The slot says who has it, by a SessionId, and by a number that
// no two leases of the queue have; 0 is nobody, and then `page` leads to the next slot that is free. Tables stay until the
// queue is removed.
//
// The newest number is not journaled, and does not lie in a head, which `clear` replaces: a lease that was undone must not
// lend its number to the next one, or its handle would end that. So what holds of slot and number is: the number of a
// slot, or of a handle, is at most the newest, and no slot ever has a number that any other lease was given.
//
// Everything is guarded by the entry's version, and changed under the lock. The wait words are no part of a transaction:
// see domain/wakes.hpp. A push and a pop write to the cache line of version and roots, and to that of the page's begin; the
// head changes when a page comes or goes, and is read by all meanwhile.
//
// A head on the garbage list has the pages and tables that are still to be freed.
#pragma once

#include <ss/base/bits.hpp>
#include <ss/base/word.hpp>
#include <ss/pool/region.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace ss::inline v0::detail {

/// Words of the directory entry's roots.
inline constexpr std::size_t queue_head_root = 0, queue_item_waiters_root = 1, queue_room_waiters_root = 2,
                             queue_number_root = 3, queue_items_root = 4, queue_payload_root = 5;

struct QueueHead {
    Word garbage_next; ///< when it is garbage
    Word first;        ///< of those that wait
    Word last;
    Word further_bytes; ///< allocated for all but the items that wait: those follow, so no push and no pop changes it
    Word bytes;         ///< allocated for all of the queue
    Word leased;        ///< items that are leased
    Word tables;        ///< the first table of leases
    Word free_slot;     ///< the first slot that is free
    Word looked;        ///< when somebody last looked for dead takers, in ms of the steady clock. Not journaled
    // Options, from when the queue was made
    Word max_items;
    Word max_bytes;
    Word max_leases;
    Word dead_letters; ///< the directory entry of another queue
    Word dead_letters_generation;
    std::array<Word, 2> reserved;
};

struct QueuePage {
    Word previous;
    Word next;
    Word begin; ///< of the items, in bytes from here
    Word end;
    Word size;           ///< of the page, with this
    Word taken_in_front; ///< the entry's version when an item was last popped there. Not journaled
    Word taken_behind;
};

/// The word before an item's bytes.
struct QueueItem {
    [[nodiscard]] static constexpr Word pack(std::uint64_t size, std::uint64_t leases) noexcept {
        return leases << 32 | size;
    }
    [[nodiscard]] static constexpr std::uint64_t size(Word word) noexcept { return word & 0xFFFF'FFFFU; }
    [[nodiscard]] static constexpr std::uint64_t leases(Word word) noexcept { return word >> 32; }

    /// Bytes that an item of `size` bytes takes in a page.
    [[nodiscard]] static constexpr std::uint64_t footprint(std::uint64_t size) noexcept {
        return (size + word_size - 1) / word_size * word_size + 2 * word_size;
    }
};

/// Pages are as large as this, but the first few of a queue, which are smaller, and those of items that take more than
/// `large_item`. On the way from one process to another, a page is made for hundreds of small items.
inline constexpr std::uint64_t first_page = 1024, largest_page = 32 * kibi, large_item = 8 * kibi;

struct LeaseSlot {
    Word number; ///< 0 if it is free
    Word page;   ///< or the next free slot
    Word era;
    Word token;
};

struct LeaseTable {
    Word next;
    std::array<LeaseSlot, 31> slots;
};

static_assert(sizeof(LeaseTable) == 125 * word_size);

/// A list has no more of anything than the region has room for: where this runs out, it is a circle.
[[nodiscard]] inline std::uint64_t list_limit(const Region& region, std::uint64_t bytes_each) noexcept {
    return region.size() / bytes_each + 1;
}

/// f(slot) for each slot of each table from `first` on, taken or not, until f returns true.
template <class F>
void for_each_slot(const Region& region, std::uint64_t first, F f) {
    std::uint64_t left = list_limit(region, sizeof(LeaseTable));
    for (Offset<LeaseTable> table{first}; table; --left) {
        if (left == 0) region.refuse(table.value);
        LeaseTable& there = region.at(table);
        for (LeaseSlot& slot : there.slots)
            if (f(slot)) return;
        table.value = load(there.next);
    }
}

} // namespace ss::inline v0::detail
