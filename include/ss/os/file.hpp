// A file descriptor that closes itself, and what a pool does with files.
#pragma once

#include <ss/base/bits.hpp>
#include <ss/os/kernel.hpp>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace ss::inline v0::os {

/// What tells one file from all others on this machine.
struct FileIdentity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

struct FileStatus {
    FileIdentity identity;
    std::uint64_t size = 0;      ///< bytes
    std::uint64_t allocated = 0; ///< bytes that the file system has set aside
    std::uint64_t links = 0;
    uid_t owner = 0;
    bool regular = false;
};

/// An owned descriptor. -1 is none. All descriptors are close-on-exec.
class File {
public:
    File() = default;
    explicit File(int descriptor) noexcept : descriptor_(descriptor) {}
    File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    File& operator=(File&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~File() { reset(); }

    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
    [[nodiscard]] bool is_open() const noexcept { return descriptor_ >= 0; }

    void reset() noexcept {
        if (descriptor_ >= 0) ::close(descriptor_);
        descriptor_ = -1;
    }

    /// Gives the descriptor up without closing it.
    int release() noexcept { return std::exchange(descriptor_, -1); }

private:
    int descriptor_ = -1;
};

/// open(2), close-on-exec. An unopened File where the kernel refuses: errno tells why. Whatever lies at the path does
/// not hold us up, as a FIFO without a writer would, and does not become our terminal.
[[nodiscard]] inline File try_open(const char* path, int flags, unsigned mode = 0) noexcept {
    flags |= O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    return File(retry_interrupted(Call::open, [&] { return ::open(path, flags, mode); }));
}

[[nodiscard]] inline File try_open(const std::filesystem::path& path, int flags, unsigned mode = 0) noexcept {
    return try_open(path.c_str(), flags, mode);
}

/// The path by which the kernel knows this process's `descriptor`. Of this thread, not of the process: /proc/self is
/// the main thread, and has no descriptors any more once that has ended and the others go on.
struct DescriptorPath {
    explicit DescriptorPath(int descriptor) noexcept {
        std::snprintf(text, sizeof text, "/proc/thread-self/fd/%d", descriptor);
    }
    char text[48];
};

/// A new open file description of the file behind `descriptor`: it shares no lock and no position with the old one.
/// Throws errc::system where /proc is not mounted, or what the kernel refuses.
[[nodiscard]] inline File open_again(int descriptor, int flags, const std::string& path) {
    File file = try_open(DescriptorPath(descriptor).text, flags);
    if (file.is_open()) return file;
    if (errno == ENOENT)
        throw Error(errc::system,
                    "cannot open the file once more: descriptor " + std::to_string(descriptor) +
                        " is closed, or /proc is not mounted",
                    path);
    throw_errno(errno, "open the file once more", path);
}

/// False if the descriptor is not open (any more).
[[nodiscard]] inline bool try_status(int descriptor, FileStatus& status) noexcept {
    struct stat raw = {};
    if (retry_interrupted(Call::stat, [&] { return ::fstat(descriptor, &raw); }) != 0) return false;
    status = {.identity = {.device = raw.st_dev, .inode = raw.st_ino},
              .size = static_cast<std::uint64_t>(raw.st_size),
              .allocated = static_cast<std::uint64_t>(raw.st_blocks) * 512,
              .links = raw.st_nlink,
              .owner = raw.st_uid,
              .regular = S_ISREG(raw.st_mode)};
    return true;
}

[[nodiscard]] inline FileStatus status(int descriptor, const std::string& path) {
    FileStatus result;
    if (!try_status(descriptor, result)) throw_errno(errno, "look at the file", path);
    return result;
}

/// True if `path` names exactly this file now. Throws what keeps the kernel from telling.
[[nodiscard]] inline bool is_at(const FileIdentity& identity, const std::filesystem::path& path) {
    struct stat raw = {};
    if (retry_interrupted(Call::stat, [&] { return ::stat(path.c_str(), &raw); }) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) return false;
        throw_errno(errno, "look whether the path still names the file", path.string());
    }
    return FileIdentity{.device = raw.st_dev, .inode = raw.st_ino} == identity;
}

/// Permission bits, whatever the umask says.
inline void set_mode(const File& file, mode_t mode, const std::string& path) {
    if (retry_interrupted(Call::chmod, [&] { return ::fchmod(file.descriptor(), mode); }) != 0)
        throw_errno(errno, "set the file's mode", path);
}

/// The largest size that this process may give a file: past it the kernel sends SIGXFSZ, which kills.
[[nodiscard]] inline std::uint64_t file_size_limit() noexcept {
    struct rlimit limit = {};
    if (::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return ~std::uint64_t{0};
    return limit.rlim_cur;
}

/// Sets disk blocks aside for [offset, offset + size) and makes the file at least that long: fallocate(2) itself, for
/// the C library's emulation writes, and would be SIGBUS or worse on a full disk. Returns 0 or the errno.
[[nodiscard]] inline int try_allocate(int descriptor, std::uint64_t offset, std::uint64_t size) noexcept {
    if (!fits(offset, size, file_size_limit())) return EFBIG;
    const int result = retry_interrupted(Call::fallocate, [&] {
        return ::fallocate(descriptor, 0, static_cast<off_t>(offset), static_cast<off_t>(size));
    });
    return result == 0 ? 0 : errno;
}

/// Sets blocks aside for the holes of [offset, offset + size), which lies within the file: so no limit is met.
[[nodiscard]] inline int try_fill_holes(int descriptor, std::uint64_t offset, std::uint64_t size) noexcept {
    const int result = retry_interrupted(Call::fallocate, [&] {
        return ::fallocate(descriptor, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset), static_cast<off_t>(size));
    });
    return result == 0 ? 0 : errno;
}

/// Gives the blocks of [offset, offset + size) back; reading them is reading zeros. The size stays.
inline bool try_punch(int descriptor, std::uint64_t offset, std::uint64_t size) noexcept {
    return retry_interrupted(Call::fallocate, [&] {
               return ::fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                                  static_cast<off_t>(size));
           }) == 0;
}

inline bool try_truncate(int descriptor, std::uint64_t size) noexcept {
    return retry_interrupted(Call::truncate, [&] { return ::ftruncate(descriptor, static_cast<off_t>(size)); }) == 0;
}

/// Reads as many of `bytes` as there are from `offset` on; returns how many. Throws what the kernel refuses.
[[nodiscard]] inline std::size_t read_at(const File& file, std::span<std::byte> bytes, std::uint64_t offset,
                                         const std::string& path) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        const auto got = retry_interrupted(Call::read, [&] {
            return ::pread(file.descriptor(), bytes.data() + done, bytes.size() - done,
                           static_cast<off_t>(offset + done));
        });
        if (got < 0) throw_errno(errno, "read the file", path);
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    return done;
}

inline void write_at(const File& file, std::span<const std::byte> bytes, std::uint64_t offset,
                     const std::string& path) {
    if (!fits(offset, bytes.size(), file_size_limit())) throw_errno(EFBIG, "write the file", path);
    std::size_t done = 0;
    while (done < bytes.size()) {
        const auto put = retry_interrupted(Call::write, [&] {
            return ::pwrite(file.descriptor(), bytes.data() + done, bytes.size() - done,
                            static_cast<off_t>(offset + done));
        });
        if (put < 0) throw_errno(errno, "write the file", path);
        done += static_cast<std::size_t>(put);
    }
}

inline void sync(int descriptor, const std::string& path) {
    if (retry_interrupted(Call::sync, [&] { return ::fsync(descriptor); }) != 0)
        throw_errno(errno, "write the file back to the disk", path);
}

inline void sync(const File& file, const std::string& path) { sync(file.descriptor(), path); }

/// A file that lives in memory alone and has no path.
[[nodiscard]] inline File make_memory_file(const std::string& name) {
    File file(retry_interrupted(Call::memfd, [&] { return ::memfd_create(name.c_str(), MFD_CLOEXEC); }));
    if (!file.is_open() && errno == EINVAL)
        throw Error(errc::invalid_argument,
                    "a memory file's name has " + std::to_string(name.size()) + " bytes, expected at most 249", name);
    if (!file.is_open()) throw_errno(errno, "create a memory file", name);
    return file;
}

/// What a pool must know of the file system below it.
struct FileSystem {
    std::string name;
    bool keeps_allocations = false; ///< blocks set aside by fallocate(2) can be written without a further refusal
    bool in_memory = false;         ///< nothing of it survives a reboot
};

[[nodiscard]] inline FileSystem file_system(const File& file, const std::string& path) {
    struct statfs raw = {};
    if (retry_interrupted(Call::stat, [&] { return ::fstatfs(file.descriptor(), &raw); }) != 0)
        throw_errno(errno, "look at the file system", path);
    constexpr unsigned long xfs_magic = 0x5846'5342;
    switch (static_cast<unsigned long>(raw.f_type)) {
    case TMPFS_MAGIC:
        return {.name = "tmpfs", .keeps_allocations = true, .in_memory = true};
    case EXT4_SUPER_MAGIC:
        return {.name = "ext4", .keeps_allocations = true, .in_memory = false};
    case xfs_magic:
        return {.name = "xfs", .keeps_allocations = true, .in_memory = false};
    case BTRFS_SUPER_MAGIC:
        return {.name = "btrfs", .keeps_allocations = false, .in_memory = false};
    case OVERLAYFS_SUPER_MAGIC:
        return {.name = "overlayfs", .keeps_allocations = false, .in_memory = false};
    case NFS_SUPER_MAGIC:
        return {.name = "nfs", .keeps_allocations = false, .in_memory = false};
    default:
        break;
    }
    char number[32];
    std::snprintf(number, sizeof number, "type 0x%lx", static_cast<unsigned long>(raw.f_type));
    return {.name = number, .keeps_allocations = false, .in_memory = false};
}

} // namespace ss::inline v0::os
