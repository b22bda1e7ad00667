// Eight children of a buddy tree in one word, and what their parent says of them.
//
// A byte tells of one child, which at level l is 8^l units of 32 bytes:
//
//     0 … 3l          split; the largest free block in it has 2^(byte - 1) units, 0: none is free
//     3l + 1          free as a whole: nothing below it means anything
//     0x40            taken as a whole: by a block that began in a child before, or it lies past the heap's end
//     0x80 | order    a block of 2^order units begins here; it covers 1, 2, 4 or all 8 children
//
// Two neighbours that are free side by side, aligned to twice their size, are a free block of twice the size: that is
// the whole of merging. Here it takes no change but of the bytes above.
#pragma once

#include <ss/base/word.hpp>

#include <bit>
#include <cstdint>

namespace ss::inline v0::logarithmic {

inline constexpr unsigned taken = 0x40;
inline constexpr unsigned block_begins = 0x80;

/// What a child at `level` says if it is free as a whole.
[[nodiscard]] constexpr unsigned whole(unsigned level) noexcept { return 3 * level + 1; }

[[nodiscard]] constexpr unsigned child_of(Word word, unsigned child) noexcept {
    return static_cast<unsigned>(word >> 8 * child & 0xFF);
}

/// The word with `code` in place of one child.
[[nodiscard]] constexpr Word with_child(Word word, unsigned child, unsigned code) noexcept {
    return (word & ~(Word{0xFF} << 8 * child)) | Word{code} << 8 * child;
}

/// A word of eight equal children.
[[nodiscard]] constexpr Word uniform(unsigned code) noexcept { return code * Word{0x0101'0101'0101'0101U}; }

/// Bit i: child i is free as a whole.
[[nodiscard]] constexpr unsigned free_children(Word word, unsigned level) noexcept {
    constexpr Word low = uniform(0x7F);
    const Word difference = word ^ uniform(whole(level));
    const Word equal = ~(((difference & low) + low) | difference | low); // the top bit of each equal byte
    return static_cast<unsigned>((equal >> 7) * Word{0x0102'0408'1020'4080U} >> 56);
}
static_assert(free_children(0x0401'8004'4004'0004U, 1) == 0b1001'0101);

/// Bit i: children i and i + 1 are free, and buddies. Of children that are buddies of buddies the same by fours.
[[nodiscard]] constexpr unsigned free_pairs(unsigned singles) noexcept { return singles & singles >> 1 & 0x55; }
[[nodiscard]] constexpr unsigned free_fours(unsigned pairs) noexcept { return pairs & pairs >> 2 & 0x11; }

/// What the parent says of a word at `level`: 0 if nothing in it is free, else 1 + the order of the largest free block.
[[nodiscard]] constexpr unsigned summary(Word word, unsigned level) noexcept {
    const unsigned singles = free_children(word, level);
    if (singles == 0xFF) return whole(level) + 3;
    if (const unsigned pairs = free_pairs(singles); pairs != 0)
        return free_fours(pairs) != 0 ? whole(level) + 2 : whole(level) + 1;
    if (singles != 0) return whole(level);
    unsigned most = 0;
    for (; word != 0; word >>= 8)
        if (const unsigned code = word & 0xFF; code < whole(level) && code > most) most = code;
    return most;
}
static_assert(summary(uniform(1), 0) == 4 && summary(0x0101'4040'0101'8040U, 0) == 2);

/// The child of a word at `level` with the smallest free block of at least `order`; 8 if there is none.
[[nodiscard]] constexpr unsigned best_child(Word word, unsigned level, unsigned order) noexcept {
    unsigned best = 8;
    unsigned least = whole(level) + 1;
    for (unsigned child = 0; child < 8; ++child)
        if (const unsigned code = child_of(word, child); code > order && code < least) best = child, least = code;
    return best;
}

/// The first of 2^doublings free children that are buddies, out of the smallest free block that has them; 8 if there
/// are none.
[[nodiscard]] constexpr unsigned best_group(Word word, unsigned level, unsigned doublings) noexcept {
    const unsigned singles = free_children(word, level);
    const unsigned pairs = free_pairs(singles);
    const unsigned fours = free_fours(pairs);
    const unsigned lone_pairs = pairs & ~(fours | fours << 2);
    const unsigned lone_singles = singles & ~(pairs | pairs << 1);
    unsigned choice = doublings == 3 ? static_cast<unsigned>(singles == 0xFF) : fours;
    if (doublings <= 1 && lone_pairs != 0) choice = lone_pairs;
    if (doublings == 0 && lone_singles != 0) choice = lone_singles;
    return choice == 0 ? 8 : static_cast<unsigned>(std::countr_zero(choice));
}
static_assert(best_group(0x0101'0101'4001'0101U, 0, 0) == 2 && best_group(0x0101'0101'4001'0101U, 0, 1) == 0);

} // namespace ss::inline v0::logarithmic
