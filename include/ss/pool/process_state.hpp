// What a pool knows of this process: which session it has, and which thread holds which domain.
//
//     session | owner of domain 0 | owner of domain 1 | …
//
// It lies in a page that the kernel wipes in a forked child. A child therefore finds no session and no owners: nothing
// of what its parent had going on, and nothing to undo. Looking costs one load.
#pragma once

#include <ss/base/error.hpp>
#include <ss/os/mapping.hpp>
#include <ss/pool/session.hpp>

#include <atomic>
#include <cstdint>
#include <new>

#include <pthread.h>

namespace ss::inline v0 {

/// This thread, as a number that no other living thread of the process has. (A thread_local would be another in each
/// shared object.)
[[nodiscard]] inline std::uint64_t this_thread() noexcept { return static_cast<std::uint64_t>(pthread_self()); }

class ProcessState {
public:
    /// Throws errc::system if the kernel has no memory, or is older than MADV_WIPEONFORK (Linux 4.14).
    explicit ProcessState(std::uint64_t domains)
        : memory_(os::try_map_wiped_on_fork((domains + 1) * sizeof(std::atomic<std::uint64_t>))) {
        if (!memory_.is_mapped()) os::throw_errno(errno, "map memory that is wiped on fork");
        words_ = new (memory_.data()) std::atomic<std::uint64_t>[domains + 1] {};
        session().store(unattached, std::memory_order_relaxed);
    }

    static constexpr std::uint64_t forked = 0;              ///< wiped: we are a child that has not attached yet
    static constexpr std::uint64_t unattached = 1ULL << 61; ///< the Pool object is still being made
    static constexpr std::uint64_t attaching = 1ULL << 62;
    static constexpr std::uint64_t attached = 1ULL << 63; ///< and below it the ordinal of the attach, and the token

    /// The word of an attached process. The ordinal counts a Pool object's attaches, its forebears' in parent processes
    /// included: a child that attached alone, in a new era, may well have its dead parent's token.
    [[nodiscard]] static constexpr std::uint64_t stamp(std::uint64_t ordinal, Token token) noexcept {
        return attached | (ordinal << 31 & (unattached - 1)) | token;
    }

    [[nodiscard]] std::atomic<std::uint64_t>& session() const noexcept { return words_[0]; }

    /// The thread of this process that holds the domain's lock, 0 if none does.
    [[nodiscard]] std::atomic<std::uint64_t>& owner(std::uint64_t domain) const noexcept {
        return words_[1 + domain];
    }

private:
    os::Mapping memory_;
    std::atomic<std::uint64_t>* words_ = nullptr;
};

} // namespace ss::inline v0
