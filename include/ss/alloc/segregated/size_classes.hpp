// Into which sizes slabs are cut.
//
// A slab is one or a few pages cut into blocks of one size. The sizes lie so close that no request beyond 64 bytes
// wastes more than an eighth of its block, and each fills its pages but for a fortieth:
//
//     8 16 24 … 256       every multiple of 8: exact for records and tree nodes
//     272 288 … 512       every multiple of 16
//     544 576 … 26 KiB    multiples of 16, an eighth apart or closer, and each about the n-th part of some pages: 1360
//                         is a third of one page, 10240 is half of five
//
// What is larger, or would fit whole pages as well, is a run of pages of its own.
#pragma once

#include <ss/base/bits.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace ss::inline v0::segregated {

inline constexpr std::uint64_t page_size = 4096;

/// What is to be known of one class. Sixteen bytes: the table of all of them stays in the first-level cache.
struct SizeClass {
    std::uint32_t reciprocal = 0;  // ceil(2^32 / size): a division by `size` as a multiplication
    std::uint16_t size = 0;        // bytes of a block
    std::uint16_t blocks = 0;      // in one slab
    std::uint16_t reach = 0;       // bit i: the i-th class from here on may serve in this one's place
    std::uint16_t reach_16 = 0;    // the same, of classes whose blocks are all aligned to 16
    std::uint8_t pages = 0;        // in one slab
    std::uint8_t head = 0;         // bytes of bitmap where the slab begins; 0: it is in the page's descriptor
    std::uint8_t next_aligned = 0; // the first class from here on whose blocks are all aligned to 16
    std::uint8_t map_words = 0;    // in the bitmap

    /// Which block contains the byte that lies `bytes` past the first block's begin. Exact: with bytes and size below
    /// 2^16 the reciprocal's error never carries into the next integer.
    [[nodiscard]] constexpr std::uint64_t index(std::uint64_t bytes) const noexcept {
        return bytes * reciprocal >> 32;
    }

    /// Word `i` of the bitmap of a slab that is all free: a bit per block, those past the last one are 0.
    [[nodiscard]] constexpr std::uint64_t all_free(unsigned i) const noexcept {
        const unsigned left = blocks - 64 * i;
        return left >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << left) - 1;
    }
};
static_assert(sizeof(SizeClass) == 16);

namespace detail {

inline constexpr std::uint16_t sparse_sizes[] = {
    544,  576,  608,  640,  672,  720,  768,  816,   864,   896,   944,   1024,  1088,  1168,
    1248, 1360, 1488, 1632, 1744, 1808, 2048, 2336,  2448,  2720,  3072,  3264,  3584, //
    4672, 5120, 5456, 6144, 6816, 7168, 9216, 10240, 10912, 13648, 14336, 18432, 22528, 26624,
};
inline constexpr unsigned steps_of_8 = 32;
inline constexpr unsigned steps_of_16 = 16;
inline constexpr unsigned class_count = steps_of_8 + steps_of_16 + std::size(sparse_sizes);
inline constexpr std::uint64_t most_pages = 13;        // so that a slab is smaller than 2^16 bytes
inline constexpr std::uint64_t described_blocks = 128; // what the bitmap in a descriptor can tell of

consteval std::uint64_t size_of_class(std::uint64_t c) {
    if (c < steps_of_8) return 8 * (c + 1);
    if (c < steps_of_8 + steps_of_16) return 256 + 16 * (c - steps_of_8 + 1);
    return sparse_sizes[c - steps_of_8 - steps_of_16];
}

/// The fewest pages that blocks of `size` fill but for a fortieth, as long as a descriptor can hold their bits.
consteval std::uint64_t pages_of_slab(std::uint64_t size) {
    for (std::uint64_t pages = 1; pages <= most_pages && pages * page_size / size <= described_blocks; ++pages)
        if (pages * page_size % size * 40 <= pages * page_size) return pages;
    return 1;
}

consteval std::array<SizeClass, class_count> make_classes() {
    std::array<SizeClass, class_count> all{};
    for (unsigned i = 0; i < class_count; ++i) {
        const std::uint64_t size = size_of_class(i);
        const std::uint64_t bytes = pages_of_slab(size) * page_size;
        std::uint64_t blocks = bytes / size;
        // More bits lie in the slab itself, in front of the blocks.
        while (blocks > described_blocks && blocks * size + align_up(blocks, 64) / 8 > bytes) --blocks;
        SizeClass& c = all[i];
        c.reciprocal = static_cast<std::uint32_t>(((std::uint64_t{1} << 32) + size - 1) / size);
        c.size = static_cast<std::uint16_t>(size);
        c.blocks = static_cast<std::uint16_t>(blocks);
        c.pages = static_cast<std::uint8_t>(bytes / page_size);
        c.map_words = static_cast<std::uint8_t>(align_up(blocks, 64) / 64);
        c.head = static_cast<std::uint8_t>(blocks > described_blocks ? c.map_words * 8 : 0);
    }
    for (unsigned i = 0; i < class_count; ++i) {
        SizeClass& c = all[i];
        for (unsigned k = 0; k < 16 && i + k < class_count; ++k) {
            if (all[i + k].size > c.size + c.size / 8) break;
            c.reach = static_cast<std::uint16_t>(c.reach | 1U << k);
            if (all[i + k].size % 16 == 0) c.reach_16 = static_cast<std::uint16_t>(c.reach_16 | 1U << k);
        }
        unsigned aligned = i;
        while (all[aligned].size % 16 != 0) ++aligned;
        c.next_aligned = static_cast<std::uint8_t>(aligned);
    }
    return all;
}

} // namespace detail

inline constexpr unsigned class_count = detail::class_count;
inline constexpr auto classes = detail::make_classes();
inline constexpr std::uint64_t largest_class = classes.back().size;

static_assert(class_count <= 128, "two words tell which classes have room");
static_assert(
    [] {
        for (const SizeClass& c : classes)
            if (c.size % 16 == 0 && c.head % 16 != 0) return false;
        return true;
    }(),
    "a size that is a multiple of 16 gives blocks aligned to 16");

namespace detail {

inline constexpr std::uint64_t fine_step = 8;     // up to fine_limit a size finds its class in one step,
inline constexpr std::uint64_t fine_limit = 1024; // above in a few
inline constexpr std::uint64_t coarse_step = 256;

/// For each multiple of `Step` up to `Limit` the least class that holds as much.
template <std::uint64_t Step, std::uint64_t Limit>
inline constexpr auto class_table = [] {
    std::array<std::uint8_t, Limit / Step + 1> table{};
    unsigned c = 0;
    for (std::size_t i = 0; i < table.size(); ++i) {
        while (classes[c].size < Step * i) ++c;
        table[i] = static_cast<std::uint8_t>(c);
    }
    return table;
}();

} // namespace detail

/// The least class that holds `size` bytes; size is at most largest_class.
[[nodiscard]] constexpr unsigned class_of(std::uint64_t size) noexcept {
    using namespace detail;
    if (size <= fine_limit) [[likely]]
        return class_table<fine_step, fine_limit>[(size + fine_step - 1) / fine_step];
    unsigned c = class_table<coarse_step, largest_class>[size / coarse_step];
    while (classes[c].size < size) ++c;
    return c;
}

} // namespace ss::inline v0::segregated
