// The pool, as its users see it.
#pragma once

#include <ss/base/error.hpp>
#include <ss/base/word.hpp>
#include <ss/pool/attachment.hpp>
#include <ss/pool/options.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace ss::inline v0 {

/// The policies and structures that come with ss. Complete where <ss/ss.hpp> is included, which the calls below need
/// that look into a pool whatever is in it; `Catalogue<Mine...>` adds your own to them.
struct BuiltIns;

/// What `Pool::objects` tells of a named object.
struct ObjectInfo {
    std::string name;
    std::string type; ///< "HASHTAB"
    std::uint64_t
        domain; ///< that it lives in; of a striped table ("HASHTAB+s"), which lives in all, the first it was in
    std::string allocator; ///< ids of the policies, as the pool records them
    std::string lock;
    std::string hash;    ///< or what it compares by; "none" if the type has no such policy
    std::uint64_t bytes; ///< allocated for it, 0 if the type is unknown here
};

/// A file of shared memory that grows by itself, and the structures in it.
///
/// A Pool is a handle: copies refer to the same attachment, and every structure holds one, so the mapping lives as long
/// as somebody uses it. All of it may be used by several threads. In a forked child it attaches anew at its first use.
/// Any process may be killed at any time, here too: creating leaves either no file or a whole pool.
class Pool {
public:
    /// Opens the pool at `path`, or makes one if there is none and options.access says so.
    ///
    /// Takes 50 to 100 us, whatever the size; on a disk the first to open and the last to close also wait for fsync.
    /// Throws ss::Error: no_such_file, already_exists, permission, not_a_pool, other_version, other_byte_order,
    /// truncated, damaged, filesystem, out_of_space, address_space, too_many_sessions, attach_timeout,
    /// unclean_after_reboot, invalid_argument, system. An error never deletes a file that was there, and changes nothing
    /// that is stored in it.
    explicit Pool(const std::filesystem::path& path, const PoolOptions& options = {})
        : attachment_(Attachment::open(path, options)) {}

    /// A pool without a path that lives as long as somebody is attached: for pre-fork workers.
    [[nodiscard]] static Pool anonymous(const PoolOptions& options = {}) {
        return Pool(Attachment::in_memory("ss-anonymous", options));
    }

    /// The same with a name that shows in /proc. Hand `fd()` to others, who open it by `from_fd`.
    [[nodiscard]] static Pool memfd(const std::string& name, const PoolOptions& options = {}) {
        return Pool(Attachment::in_memory(name, options));
    }

    /// The pool behind a descriptor: inherited, or received over a socket. The descriptor stays the caller's, who may
    /// close it. Of the options only access, lock_timeout, huge_pages and the any_ ones count.
    [[nodiscard]] static Pool from_fd(int descriptor, const PoolOptions& options = {}) {
        return Pool(Attachment::from_descriptor(descriptor, options));
    }

    /// Takes the path away. Who is attached goes on with the file, which is freed when the last detaches. False if there
    /// is no such file. Throws permission, not_a_pool (something else is there, and stays), or what the kernel refuses.
    static bool remove(const std::filesystem::path& path) {
        const os::File file = os::try_open(path, O_RDONLY | O_NOFOLLOW);
        if (!file.is_open()) {
            if (errno == ENOENT) return false;
            if (errno == ENXIO) throw Error(errc::not_a_pool, "is not a regular file", path.string());
            os::throw_errno(errno, "open the file to be removed", path.string());
        }
        std::uint64_t magic = 0;
        const auto bytes = std::as_writable_bytes(std::span(&magic, 1));
        if (!os::status(file.descriptor(), path.string()).regular ||
            os::read_at(file, bytes, 0, path.string()) != bytes.size() || magic != pool_magic)
            throw Error(errc::not_a_pool, "is not removed, since it does not begin as a pool does", path.string());
        if (os::retry_interrupted(os::Call::unlink, [&] { return ::unlink(path.c_str()); }) == 0) return true;
        if (errno == ENOENT) return false;
        os::throw_errno(errno, "remove the file", path.string());
    }

    /// Bytes of the file, holes between domains included.
    [[nodiscard]] std::uint64_t size() const { return attachment_->file_size(); }
    [[nodiscard]] std::uint64_t max_size() const noexcept { return attachment_->header().max_size; }
    [[nodiscard]] std::uint64_t domains() const noexcept { return attachment_->header().domains; }
    /// As given; empty for pools without one.
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return attachment_->path(); }
    /// A descriptor of the file, ours to close. Do not lock bytes of it.
    [[nodiscard]] int fd() const noexcept { return attachment_->descriptor(); }

    /// Who we are. The same for all threads of this process and all copies of this Pool object, until the last of them
    /// and of the structures on it is gone; two Pool objects that were opened each by itself are two sessions. A forked
    /// child is another session than its parent, from its first use of the pool on: what it inherited of this call's
    /// results names the parent. On a read-only pool it is nobody, since who cannot write has nothing to claim.
    /// A few ns; in a forked child it may throw what attaching throws.
    [[nodiscard]] SessionId session_id() const {
        attachment_->enter();
        return attachment_->session_id();
    }

    /// True only if that session has certainly ended, by a detach or by its process's end; so what it had claimed may be
    /// taken. Never true of a living one, however long it has been asleep, stopped or in a debugger; nor of nobody.
    /// A kill is noticed when the kernel has torn the process down (1 ms for 10 MiB, seconds while a core is written),
    /// and before that the answer is false. Once everybody has detached, all sessions of before are dead, after a reboot
    /// too. A read-only pool may ask as well. Of words that no session ever had the answer may be either.
    /// 1 us for the living, 2 for the dead of this era; may throw in a forked child, as session_id().
    [[nodiscard]] bool is_dead(const SessionId& session) const {
        attachment_->enter();
        return attachment_->is_dead(session);
    }

    /// For processes that closed all descriptors or changed their user: opens the file anew if need be, by the path,
    /// and only if that still names the same file. A forked child needs this only if one of the two applies to it.
    void reattach() const { attachment_->reattach(); }

    /// Every named object. Reads without locks.
    template <class Known = BuiltIns>
    [[nodiscard]] std::vector<ObjectInfo> objects() const {
        return Known::objects(*this);
    }

    /// Removes an object: its name is free at once, handles to it throw no_such_object, its memory comes back in small
    /// steps. False if there is none of that name. All or nothing in a crash; but of a striped table, the memory of stripes
    /// that were not come to is given back when the name is opened as one, or removed, again.
    template <class Known = BuiltIns>
    bool remove_object(const std::string& name) const {
        return Known::remove_object(*this, name);
    }

    /// Walks every structure, and holds what they use against what is allocated. One sentence for each thing that is
    /// wrong; empty when nothing is. Locks one domain after the other, each for as long as its walk takes. Works on
    /// read-only pools too, then without locks and only while nobody writes.
    template <class Known = BuiltIns>
    [[nodiscard]] std::vector<std::string> verify() const {
        return Known::verify(*this);
    }

    /// Gives the free space at the domains' ends back to the file system; returns how many bytes. Needs to be alone:
    /// throws in_use if any other Pool object or structure, in any process, has the file open. A crash in the middle
    /// loses at most the giving back.
    template <class Known = BuiltIns>
    std::uint64_t trim() const {
        return Known::trim(*this);
    }

    /// Puts huge pages behind what is committed, whole 2 MiB only, with MADV_COLLAPSE: Linux 6.1, tmpfs and memfds, whatever
    /// shmem_enabled says and without privileges. Returns how many bytes have them now, and why the first of the others have
    /// not: a refusal is no error, and changes nothing. See os::HugePages for what the kernel answers.
    ///
    /// The pages are the file's, so all who are attached have them; this process maps them at once, others at their next
    /// faults, and read-only ones can ask as well. No memory is taken that was not committed, but for the moment in which
    /// 2 MiB are copied. 0.2 ms for each MiB that is not in huge pages, 1 us where it is; no lock is held, and whoever touches
    /// a page that is being copied waits for that. See docs/performance.md for what is gained. A kill in the middle leaves
    /// some pages huge and some small. Not while another thread trims by this Pool object or a copy of it.
    os::HugePages collapse() const {
        attachment_->enter();
        return attachment_->collapse();
    }

    /// Writes a consistent copy to `path`, replacing what is there when all of it is on the disk (fsync, rename). All
    /// domains are locked meanwhile: writers wait, optimistic readers go on. Throws invalid_argument if `path` is this
    /// pool, by whatever name; read_only on a read-only pool, which cannot lock; and what the kernel refuses, and leaves
    /// `path` as it was. A crash leaves nothing behind, but for the moment in which an old copy is replaced: then a
    /// hidden file whose name begins with ".ss-backup-", beside `path`.
    template <class Known = BuiltIns>
    void backup(const std::filesystem::path& path) const {
        Known::backup(*this, path);
    }

    /// The library's side of it.
    [[nodiscard]] const std::shared_ptr<Attachment>& attachment() const noexcept { return attachment_; }

private:
    explicit Pool(std::shared_ptr<Attachment> attachment) noexcept : attachment_(std::move(attachment)) {}

    std::shared_ptr<Attachment> attachment_;
};

} // namespace ss::inline v0
