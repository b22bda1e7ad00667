// A range of address space over a file: reserved once, for the largest size the file may ever have.
//
// Linux lets a shared mapping reach past the end of its file. What is past the end is SIGBUS to touch, until the file
// grows: then the same addresses are the new bytes, in every process that has such a mapping, with nothing remapped.
// Reserving 1 TiB over a file of 4 KiB costs microseconds and no memory. So a pool never moves.
#pragma once

#include <ss/base/bits.hpp>
#include <ss/os/kernel.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <sys/mman.h>
#include <system_error>

namespace ss::inline v0::os {

/// An owned range of mapped address space.
class Mapping {
public:
    Mapping() = default;
    Mapping(std::byte* data, std::uint64_t size) noexcept : data_(data), size_(size) {}
    Mapping(Mapping&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    Mapping& operator=(Mapping&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~Mapping() { reset(); }

    [[nodiscard]] std::byte* data() const noexcept { return data_; }
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    [[nodiscard]] bool is_mapped() const noexcept { return data_ != nullptr; }

    void reset() noexcept {
        if (data_ != nullptr) ::munmap(data_, size_);
        release();
    }

    /// Gives the range up and leaves it mapped until the process ends.
    void release() noexcept {
        data_ = nullptr;
        size_ = 0;
    }

private:
    std::byte* data_ = nullptr;
    std::uint64_t size_ = 0;
};

/// Huge pages, and so the ranges of MADV_COLLAPSE, are of this size and alignment.
inline constexpr std::uint64_t huge_page = 2 * mebi;

/// Reserves `size` bytes of address space over `descriptor` from offset 0, shared, aligned to a huge page, and left out
/// of core dumps. Unmapped if the address space, RLIMIT_AS or the kernel refuses: errno tells.
[[nodiscard]] inline Mapping try_map_shared(int descriptor, std::uint64_t size, bool writable) noexcept {
    if (!permit(Call::map)) return {};
    // Twice: once without access and with room to align, then the file over the aligned part.
    const std::uint64_t room = size + huge_page;
    void* const reserved = ::mmap(nullptr, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reserved == MAP_FAILED) return {};
    auto* const begin = static_cast<std::byte*>(reserved);
    const auto address = reinterpret_cast<std::uintptr_t>(begin);
    auto* const aligned = begin + (align_up(address, huge_page) - address);
    void* const data = ::mmap(aligned, size, PROT_READ | (writable ? PROT_WRITE : 0),
                              MAP_SHARED | MAP_NORESERVE | MAP_FIXED, descriptor, 0);
    if (data == MAP_FAILED) {
        const int error = errno;
        ::munmap(begin, room);
        errno = error;
        return {};
    }
    if (aligned != begin) ::munmap(begin, static_cast<std::size_t>(aligned - begin));
    auto* const end = aligned + size;
    if (end != begin + room) ::munmap(end, static_cast<std::size_t>(begin + room - end));
    ::madvise(aligned, size, MADV_DONTDUMP);
    return {aligned, size};
}

/// Maps one page of `descriptor` that a forked child does not get. It keeps the open file description, and with it its
/// locks, alive for exactly as long as this process's memory, whatever becomes of the descriptor.
[[nodiscard]] inline Mapping try_map_private_page(int descriptor, std::uint64_t page_size) noexcept {
    if (!permit(Call::map)) return {};
    void* const data = ::mmap(nullptr, page_size, PROT_READ, MAP_SHARED, descriptor, 0);
    if (data == MAP_FAILED) return {};
    Mapping page(static_cast<std::byte*>(data), page_size);
    if (!permit(Call::advise) || ::madvise(data, page_size, MADV_DONTFORK) != 0) {
        const int error = errno;
        page.reset();
        errno = error;
    }
    return page;
}

/// Anonymous memory that reads as zeros in a forked child, however it was forked. Unmapped if the kernel refuses.
[[nodiscard]] inline Mapping try_map_wiped_on_fork(std::uint64_t size) noexcept {
    if (!permit(Call::map)) return {};
    void* const data = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) return {};
    Mapping memory(static_cast<std::byte*>(data), size);
    if (!permit(Call::advise) || ::madvise(data, size, MADV_WIPEONFORK) != 0) {
        const int error = errno;
        memory.reset();
        errno = error;
    }
    return memory;
}

/// False if a read of `address`, somewhere in a shared mapping, would certainly be a SIGBUS. For when there is no
/// descriptor left to ask for the file's size. Asks MADV_POPULATE_READ; says true where the kernel knows of no such
/// thing (before Linux 5.14).
[[nodiscard]] inline bool may_be_read(std::byte* address, std::uint64_t page_size) noexcept {
    constexpr int madv_populate_read = 22; // older headers lack it
    auto* const page = address - (reinterpret_cast<std::uintptr_t>(address) & (page_size - 1));
    return ::madvise(page, page_size, madv_populate_read) == 0 || errno != EFAULT;
}

/// What became of asking for huge pages.
struct HugePages {
    std::uint64_t bytes = 0; ///< that were asked about and are in huge pages now, mapped as such in this process
    std::error_code refused; ///< why the first of the others are not, in the generic category; 0 if all are

    /// The bytes, for who asks no more.
    operator std::uint64_t() const noexcept { return bytes; }
};

/// Asks the kernel to put huge pages behind [begin, begin + size), whole ones only. MADV_COLLAPSE (Linux 6.1) sets aside
/// what is a hole in them, so no byte may lie there that was not to be.
///
/// 0.4 ms a huge page on tmpfs where small ones are copied, 0.1 ms where there are holes, 1.5 us where it is huge already;
/// a machine with little free memory may take longer. Ends at the first refusal, unless that is of one page that somebody
/// uses just now (EAGAIN). EINVAL: the kernel or the file system has no such thing, or no space for what was a hole;
/// ENOMEM: no free memory in one piece; EBUSY: a cgroup's limit. All stays as it was then.
inline HugePages collapse(std::byte* begin, std::uint64_t size) noexcept {
    constexpr int madv_collapse = 25; // older headers lack it
    const auto address = reinterpret_cast<std::uintptr_t>(begin);
    const std::uint64_t first = align_up(address, huge_page);
    const std::uint64_t last = align_down(address + size, huge_page);
    HugePages result;
    for (std::uint64_t at = first; at < last; at += huge_page) {
        if (permit(Call::advise) && ::madvise(begin + (at - address), huge_page, madv_collapse) == 0) {
            result.bytes += huge_page;
            continue;
        }
        const int error = errno;
        if (!result.refused || error != EAGAIN) result.refused.assign(error, std::generic_category());
        if (error != EAGAIN) break;
    }
    return result;
}

} // namespace ss::inline v0::os
