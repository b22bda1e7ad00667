// The unit of everything in a pool: a 64-bit word, read and written as one.
//
// Optimistic readers look at words while a writer changes them. In the C++ memory model that is a data race unless
// both sides use atomics, so every word that a reader without the lock may see is read and written here, with relaxed
// atomics, and ordered by the fences below. On x86-64 and arm64 a relaxed access is a plain load or store.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

// gcc says __SANITIZE_THREAD__, clang __has_feature. Undefined again at the end of this file.
#if defined(__SANITIZE_THREAD__)
#define SS_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SS_TSAN 1
#endif
#endif

namespace ss::inline v0 {

/// One aligned 64-bit word in shared memory.
using Word = std::uint64_t;

inline constexpr std::uint64_t word_size = sizeof(Word);

/// True where fences are replaced by read-modify-writes, since ThreadSanitizer knows no fences.
#ifdef SS_TSAN
inline constexpr bool thread_sanitizer = true;

namespace detail {

/// What those are made at: words of the process, not the versions themselves. A version may be read-only, or may have
/// been freed by the time that a reader looks at it, and be somebody's data that he reads plainly under the lock.
inline std::array<Word, 1024> fence_words{};

[[nodiscard]] inline Word& fence_word(const Word& version) noexcept {
    return fence_words[(reinterpret_cast<std::uintptr_t>(&version) / word_size * 0x9E37'79B9'7F4A'7C15U) >> 54];
}

} // namespace detail
#else
inline constexpr bool thread_sanitizer = false;
#endif

[[nodiscard]] inline Word load(const Word& word) noexcept { return __atomic_load_n(&word, __ATOMIC_RELAXED); }

[[nodiscard]] inline Word load_acquire(const Word& word) noexcept { return __atomic_load_n(&word, __ATOMIC_ACQUIRE); }

/// A relaxed store: for memory that no rollback needs to restore. Anything else goes through a transaction.
inline void put(Word& word, Word value) noexcept { __atomic_store_n(&word, value, __ATOMIC_RELAXED); }

inline void put_release(Word& word, Word value) noexcept { __atomic_store_n(&word, value, __ATOMIC_RELEASE); }

/// Orders the compiler alone. Enough for all that only a successor after a kill will look at: a killed process has
/// done every instruction up to some point and none after.
inline void compiler_fence() noexcept { std::atomic_signal_fence(std::memory_order_seq_cst); }

/// What was stored before is seen by whoever sees what is stored after. `version` is the word whose change the
/// fence is to make visible first.
inline void fence_release([[maybe_unused]] const Word& version) noexcept {
#ifdef SS_TSAN
    __atomic_fetch_add(&detail::fence_word(version), 0, __ATOMIC_SEQ_CST);
#else
    std::atomic_thread_fence(std::memory_order_release);
#endif
}

/// Loads `version` after all loads that come before: the second half of a seqlock's read (H.-J. Boehm, "Can seqlocks
/// get along with programming language memory models?", MSPC 2012).
[[nodiscard]] inline Word load_after_all(const Word& version) noexcept {
#ifdef SS_TSAN
    __atomic_fetch_add(&detail::fence_word(version), 0, __ATOMIC_SEQ_CST);
#else
    std::atomic_thread_fence(std::memory_order_acquire);
#endif
    return load(version);
}

#undef SS_TSAN

} // namespace ss::inline v0
