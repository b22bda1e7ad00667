// A page: up to twenty records of one bucket, those that are small enough with their bytes.
//
//     | version | used | link | slot ×4 | slot ×4 | slot ×4 | slot ×4 | slot ×4 | room …
//     '------------------------- one cache line --------------------------------'
//
//     version   of the bucket; of a further page of it: the link of the list of spare pages, or of garbage, that it is on
//     used      bit i: word i of the page belongs to a record, or refers to one
//     link      offset of the bucket's next page, or 0
//     slot ×4   | place 3 | place 2 | place 1 | place 0 | tag 3 | tag 2 | tag 1 | tag 0 |       a byte each
//
//     place     0: the slot is empty. 8 … 63: the record begins at that word of the page.
//               64 + i: word i of the page is the offset of the record's block
//     tag       eight bits of the hash, never 0
//
// So a get of a small record is one miss, of the cache line with the slots; its other lines have been asked for with it. A
// change of one slot is a change of one word. All zeros is an empty page.
#pragma once

#include <ss/base/word.hpp>
#include <ss/pool/region.hpp>
#include <ss/structure/hash_table/record.hpp>

#include <array>
#include <bit>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace ss::inline v0::detail {

inline constexpr unsigned slots_per_word = 4;
inline constexpr unsigned slots_per_page = 20;

/// The first cache line of a page.
struct Page {
    Word version;
    Word used;
    Word link;
    std::array<Word, slots_per_page / slots_per_word> slots;
};

inline constexpr std::uint64_t header_words = sizeof(Page) / word_size;
static_assert(sizeof(Page) == cache_line);

/// A record of up to so many words lies in the page, if that has room. Of larger ones so few would fit in that the room
/// would be wasted.
inline constexpr std::uint64_t max_words_inside = 10;

inline constexpr std::uint64_t min_page_words = 24; ///< any record that may lie in a page has room in an empty one
inline constexpr std::uint64_t max_page_words = 64; ///< as many as `used` has bits

/// True if a page may have so many words: whole cache lines.
[[nodiscard]] constexpr bool is_page_size(std::uint64_t words) noexcept {
    return words >= min_page_words && words <= max_page_words && words % header_words == 0;
}

static_assert(min_page_words - header_words >= max_words_inside);

/// What a record of so many words wants of a page: its words, or one to refer to it.
[[nodiscard]] constexpr std::uint64_t words_wanted(std::uint64_t record_words) noexcept {
    return record_words <= max_words_inside ? record_words : 1;
}

/// The page at that offset. Throws errc::damaged if it reaches outside of the region; whether it lies where pages may be,
/// only who fills it has to know.
[[nodiscard]] inline Page& page_at(const Region& region, std::uint64_t offset, std::uint64_t words) {
    return *reinterpret_cast<Page*>(region.words(offset, words));
}

/// Asks for the cache lines behind the first, as many as the largest page has: the others' are there no less. Inlined, or
/// gcc takes it for a function without effect; and one by one, for it does not unroll loops.
[[gnu::always_inline]] inline void prefetch_behind(const Page& page) noexcept {
    static_assert(max_page_words / header_words == 8);
    __builtin_prefetch(&page + 1);
    __builtin_prefetch(&page + 2);
    __builtin_prefetch(&page + 3);
    __builtin_prefetch(&page + 4);
    __builtin_prefetch(&page + 5);
    __builtin_prefetch(&page + 6);
    __builtin_prefetch(&page + 7);
}

/// Word `index` of a page, counted from its begin.
[[nodiscard]] inline Word& word_of(Page& page, std::uint64_t index) noexcept {
    return reinterpret_cast<Word*>(&page)[index];
}
[[nodiscard]] inline const Word& word_of(const Page& page, std::uint64_t index) noexcept {
    return reinterpret_cast<const Word*>(&page)[index];
}

/// `count` bits from bit `first` on, as `used` has them.
[[nodiscard]] constexpr Word bits_at(std::uint64_t first, std::uint64_t count) noexcept {
    return ((Word{1} << count) - 1) << first; // count is less than 64: a page begins with its header
}

/// What a slot says of where its record is.
struct Place {
    static constexpr unsigned outside = 64;

    unsigned value = 0;

    [[nodiscard]] constexpr bool is_empty() const noexcept { return value == 0; }
    [[nodiscard]] constexpr bool is_outside() const noexcept { return (value & outside) != 0; }
    /// Of the record in the page, or of the word that refers to it.
    [[nodiscard]] constexpr unsigned word() const noexcept { return value % outside; }
};

/// Four slots, taken out of their word and put into it.
struct Slots {
    static constexpr Word tag_lanes = 0x0101'0101;

    [[nodiscard]] static constexpr Word tag_of(std::uint64_t hash) noexcept {
        const Word tag = hash >> 56;
        return tag == 0 ? 1 : tag;
    }
    [[nodiscard]] static constexpr Word tag(Word word, unsigned lane) noexcept { return word >> (8 * lane) & 0xFF; }
    [[nodiscard]] static constexpr Place place(Word word, unsigned lane) noexcept {
        return {static_cast<unsigned>(word >> (32 + 8 * lane) & 0xFF)};
    }
    [[nodiscard]] static constexpr Word with(Word word, unsigned lane, Word tag, Place place) noexcept {
        return (word & ~(Word{0xFF'0000'00FF} << (8 * lane))) | (tag | Word{place.value} << 32) << (8 * lane);
    }

    /// Bit 8i + 7 for each lane i of eight that is 0. (H. S. Warren, "Hacker's Delight", 6-1: exact in every lane.)
    [[nodiscard]] static constexpr Word zero_lanes(Word word) noexcept {
        constexpr Word low = 0x7F7F'7F7F'7F7F'7F7F;
        return ~(((word & low) + low) | word | low);
    }
};

/// One slot of a page.
struct SlotOf {
    Page* page = nullptr;
    unsigned index = 0;

    [[nodiscard]] Word& word() const noexcept { return page->slots[index / slots_per_word]; }
    [[nodiscard]] unsigned lane() const noexcept { return index % slots_per_word; }
    [[nodiscard]] Place place() const noexcept { return Slots::place(load(word()), lane()); }
    [[nodiscard]] Word tag() const noexcept { return Slots::tag(load(word()), lane()); }
};

/// The record at a place of a page of so many words. Throws errc::damaged if it is not in the page, or not in the region.
[[nodiscard, gnu::always_inline]] inline RecordView record_at(const Region& region, const Page& page, Place place,
                                                              std::uint64_t page_words) {
    const unsigned at = place.word();
    if (at < header_words || at >= page_words || place.value >= 2 * Place::outside) [[unlikely]]
        region.refuse(region.offset_of(&page));
    const Word& word = word_of(page, at);
    if (place.is_outside()) [[unlikely]]
        return {region, load(word)};
    return {region, &word, page_words - at};
}

/// Bit i for each slot i of a page whose tag is `tag`.
[[nodiscard]] inline std::uint32_t slots_with(const Page& page, Word tag) noexcept {
#if defined(__SSE2__)
    const auto pair = [&](std::size_t i) {
        return _mm_castsi128_ps(_mm_set_epi64x(static_cast<std::int64_t>(load(page.slots[i + 1])),
                                               static_cast<std::int64_t>(load(page.slots[i]))));
    };
    const __m128i wanted = _mm_set1_epi8(static_cast<char>(tag));
    const auto compare = [&](__m128i tags) {
        return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(tags, wanted)));
    };
    const __m128i sixteen = _mm_castps_si128(_mm_shuffle_ps(pair(0), pair(2), _MM_SHUFFLE(2, 0, 2, 0)));
    return compare(sixteen) | (compare(_mm_cvtsi64_si128(static_cast<std::int64_t>(load(page.slots[4])))) & 0xF)
                                  << 16;
#else
    std::uint32_t found = 0;
    for (std::size_t i = 0; i < page.slots.size(); ++i) {
        Word hits = Slots::zero_lanes((load(page.slots[i]) & 0xFFFF'FFFF) ^ tag * Slots::tag_lanes) & 0x8080'8080;
        for (; hits != 0; hits &= hits - 1)
            found |= std::uint32_t{1} << (slots_per_word * i + static_cast<unsigned>(std::countr_zero(hits)) / 8);
    }
    return found;
#endif
}

/// Calls f(index, place) for each slot that has the tag, until f returns true. True if it did.
template <class F>
[[nodiscard, gnu::always_inline]] inline bool find_in_page(const Page& page, Word tag, F f) {
    for (std::uint32_t hits = slots_with(page, tag); hits != 0; hits &= hits - 1) {
        const auto index = static_cast<unsigned>(std::countr_zero(hits));
        const Place place = Slots::place(load(page.slots[index / slots_per_word]), index % slots_per_word);
        if (!place.is_empty() && f(index, place)) return true;
    }
    return false;
}

/// Calls f(index, place) for each slot that is not empty.
template <class F>
void for_each_slot(const Page& page, F f) {
    for (unsigned index = 0; index < slots_per_page; ++index) {
        const Place place = Slots::place(load(page.slots[index / slots_per_word]), index % slots_per_word);
        if (!place.is_empty()) f(index, place);
    }
}

[[nodiscard]] inline bool is_empty(const Page& page) noexcept {
    Word any = 0;
    for (const Word& word : page.slots) any |= load(word);
    return any == 0;
}

} // namespace ss::inline v0::detail
