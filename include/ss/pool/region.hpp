// One domain's memory, and the references that may be stored in it.
//
// Processes map a pool at different addresses, so what is stored is an offset from the file's begin, and every use of
// one checks that it lies in the domain's own committed bytes. That check is all that stands between us and a damaged
// file, or an optimistic reader and a word that was freed and reused under its eyes.
#pragma once

#include <ss/base/bits.hpp>
#include <ss/base/error.hpp>
#include <ss/base/word.hpp>
#include <ss/os/machine.hpp>
#include <ss/os/mapping.hpp>
#include <ss/pool/pool_file.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

namespace ss::inline v0 {

/// A reference to a T in the pool, in bytes from the file's begin; 0 is none. Standard layout, all zeros is null, so it
/// may be a member of what lies in a pool. Turned into a T by a Region or a transaction, which check it.
template <class T>
struct Offset {
    Word value = 0;

    [[nodiscard]] constexpr explicit operator bool() const noexcept { return value != 0; }
    friend constexpr bool operator==(Offset, Offset) = default;
};

/// The committed bytes of one domain. Addresses stay valid as long as the attachment does.
class Region {
public:
    Region() = default;
    Region(const Region&) = delete;
    Region& operator=(const Region&) = delete;

    /// `committed` is the shared word that says how many bytes are committed, `stride` what it may grow to.
    void bind(std::byte* pool, std::uint64_t begin, std::uint64_t stride, const Word& committed,
              const PoolFile& file) noexcept {
        pool_ = pool;
        begin_ = begin;
        stride_ = stride;
        committed_ = &committed;
        file_ = &file;
    }

    /// What was known of the size counts no more: the pool may have been trimmed.
    void forget() noexcept { known_.store(0, std::memory_order_release); }

    [[nodiscard]] std::uint64_t begin() const noexcept { return begin_; }

    /// Bytes past begin() that may be touched. Grows when some process grows the pool.
    [[nodiscard]] std::uint64_t size() const noexcept {
        const std::uint64_t known = known_.load(std::memory_order_acquire);
        return load(*committed_) == known ? known : refresh();
    }

    [[nodiscard]] std::uint64_t end() const noexcept { return begin_ + size(); }

    /// True if [offset, offset + count) is committed memory of this domain. Two compares when it is.
    [[nodiscard]] bool contains(std::uint64_t offset, std::uint64_t count) const noexcept {
        // offset - begin_ wraps to something huge for an offset before the region.
        if (fits(offset - begin_, count, known_.load(std::memory_order_acquire))) [[likely]]
            return true;
        return fits(offset - begin_, count, refresh());
    }

    /// The bytes at an offset that `contains` has approved.
    [[nodiscard]] std::byte* data(std::uint64_t offset) const noexcept { return pool_ + offset; }

    /// Asks for the cache line at an offset, whatever that is: of nonsense it does no harm.
    [[gnu::always_inline]] void prefetch(std::uint64_t offset) const noexcept {
        __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(pool_) + offset));
    }

    /// The word at `offset`. Throws errc::damaged if that is misaligned or outside.
    [[nodiscard, gnu::always_inline]] Word& word(std::uint64_t offset) const {
        // Sizes are multiples of a word: where a word begins inside, all of it is.
        if (!is_aligned(offset, word_size) || offset - begin_ >= known_.load(std::memory_order_acquire)) [[unlikely]]
            check_again(offset, 1);
        return *reinterpret_cast<Word*>(data(offset));
    }

    /// `count` words from `offset` on, checked as one.
    [[nodiscard, gnu::always_inline]] Word* words(std::uint64_t offset, std::uint64_t count) const {
        if (!has_words(offset, count, known_.load(std::memory_order_acquire))) [[unlikely]]
            check_again(offset, count);
        return reinterpret_cast<Word*>(data(offset));
    }

    /// The T that `offset` refers to. Throws errc::damaged if that is null, misaligned or outside.
    template <class T>
    [[nodiscard]] T& at(Offset<T> offset) const {
        if (!is_aligned(offset.value, alignof(T)) || !contains(offset.value, sizeof(T))) [[unlikely]]
            refuse(offset.value);
        return *reinterpret_cast<T*>(data(offset.value));
    }

    /// The offset of something that lies in this region.
    [[nodiscard]] std::uint64_t offset_of(const void* address) const noexcept {
        return static_cast<std::uint64_t>(static_cast<const std::byte*>(address) - pool_);
    }

    template <class T>
    [[nodiscard]] Offset<T> offset_to(const T& object) const noexcept {
        return {offset_of(&object)};
    }

    [[noreturn, gnu::cold, gnu::noinline]] void refuse(std::uint64_t offset) const {
        throw Error(errc::damaged,
                    "offset " + std::to_string(offset) + " is misaligned or outside of the domain's bytes " +
                        std::to_string(begin_) + " to " + std::to_string(begin_ + size()),
                    name());
    }

    /// The pool's, for messages.
    [[nodiscard]] const std::string& name() const noexcept { return file_->name(); }

private:
    /// True if `count` words from `offset` on are in a region of `size` bytes. Counted in words, so that nothing overflows.
    [[nodiscard, gnu::always_inline]] bool has_words(std::uint64_t offset, std::uint64_t count,
                                                     std::uint64_t size) const noexcept {
        return is_aligned(offset, word_size) && fits((offset - begin_) / word_size, count, size / word_size);
    }

    /// Throws unless `count` words from `offset` on are in what the region is by now.
    [[gnu::cold, gnu::noinline]] void check_again(std::uint64_t offset, std::uint64_t count) const {
        if (!has_words(offset, count, refresh())) refuse(offset);
    }

    /// Looks how far the region reaches by now, and believes it only if the file is that long: whoever writes nonsense
    /// into the shared word must not make us touch what is past the end.
    [[gnu::cold, gnu::noinline]] std::uint64_t refresh() const noexcept {
        const std::uint64_t known = known_.load(std::memory_order_acquire);
        const std::uint64_t claimed = load_acquire(*committed_);
        if (claimed == known || claimed > stride_) return known;
        if (!reaches(begin_ + claimed)) return known;
        known_.store(claimed, std::memory_order_release);
        return claimed;
    }

    [[nodiscard]] bool reaches(std::uint64_t end) const noexcept {
        os::FileStatus status;
        if (const int descriptor = file_->try_get(); descriptor >= 0 && os::try_status(descriptor, status))
            return status.size >= end;
        return os::may_be_read(pool_ + end - 1, os::page_size()); // no descriptor is left to ask
    }

    std::byte* pool_ = nullptr;
    std::uint64_t begin_ = 0;
    std::uint64_t stride_ = 0;
    const Word* committed_ = nullptr;
    const PoolFile* file_ = nullptr;
    mutable std::atomic<std::uint64_t> known_ = 0;
};

} // namespace ss::inline v0
