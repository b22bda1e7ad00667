// How a pool is opened or made.
#pragma once

#include <ss/base/bits.hpp>

#include <chrono>
#include <cstdint>

#include <sys/types.h>

namespace ss::inline v0 {

enum class Access {
    read_write,  ///< open, or create if there is none
    read_only,   ///< open and change nothing: the mapping itself forbids it
    create_only, ///< create; errc::already_exists if there is one
    open_only,   ///< open; errc::no_such_file if there is none
};

/// Every field has the value that most want; name the others: `PoolOptions{.domains = 16}`. What concerns the file's
/// shape (max_size, domains, mode) counts when the file is made and is taken from its header afterwards.
struct PoolOptions {
    /// Bytes that the pool may ever grow to, and that every attacher reserves as address space. Costs no memory. If
    /// the creator cannot reserve so much it is halved until it fits.
    std::uint64_t max_size = 64 * gibi;
    /// Parts of the pool that are locked, recovered and filled each on their own: 1 to 1024.
    std::uint64_t domains = 1;
    /// Permission bits of a new file, not reduced by the umask.
    mode_t mode = 0600;
    Access access = Access::read_write;
    /// Ask for huge pages, as Pool::collapse does: for what is committed when we attach (0.2 ms for each MiB that has none
    /// yet), and by whole 2 MiB when we grow the pool, which is then cheaper than without. From 16 MiB of a domain on it
    /// grows to the next multiple of 2 MiB of the file. Where the kernel refuses, or takes longer than 10 ms for one, for
    /// which others may wait, nothing else changes: it is asked no more until the next collapse().
    bool huge_pages = false;
    /// Open files that neither we nor root own.
    bool any_owner = false;
    /// Open pools on file systems that are not known to keep the promise of fallocate(2): writing what was set aside
    /// may then be a SIGBUS.
    bool any_filesystem = false;
    /// Open a pool on a disk although the machine went down while it was in use. Follow with `verify()`.
    bool accept_unclean = false;
    /// How long to wait for a living owner of a lock before errc::lock_timeout (or attach_timeout).
    std::chrono::milliseconds lock_timeout = std::chrono::seconds(60);
};

} // namespace ss::inline v0
