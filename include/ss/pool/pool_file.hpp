// The descriptor of an attached pool, which is ours until the program closes it over our head.
//
// Programs close descriptors that they never opened (closefrom(3), daemon(3)), and the numbers then name other files.
// So whoever is about to use the descriptor asks here, and is given one that is the pool's at that moment: the old one,
// or the file opened anew by its path, if that still names the same file. A number that is no longer ours is never
// closed.
#pragma once

#include <ss/base/error.hpp>
#include <ss/os/file.hpp>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

namespace ss::inline v0 {

/// May be asked by several threads at once.
class PoolFile {
public:
    /// `path` is empty for pools without one; `name` is for messages.
    PoolFile(os::File file, const std::filesystem::path& path, bool read_only, std::string name)
        : identity_(os::status(file.descriptor(), name).identity), flags_(read_only ? O_RDONLY : O_RDWR),
          name_(std::move(name)) {
        if (!path.empty()) {
            std::error_code failed; // no current directory: then the path is of no use later on
            path_ = std::filesystem::absolute(path, failed);
        }
        current_ = static_cast<std::uint32_t>(file.release());
    }

    PoolFile(const PoolFile&) = delete;
    PoolFile& operator=(const PoolFile&) = delete;

    ~PoolFile() {
        if (os::File file(number()); look(file.descriptor()) == Look::other) file.release();
    }

    [[nodiscard]] const os::FileIdentity& identity() const noexcept { return identity_; }

    /// The descriptor that it was when somebody last looked.
    [[nodiscard]] int number() const noexcept { return number_of(current_.load(std::memory_order_acquire)); }

    /// A descriptor of the pool. -1 if there is none to be had: errno tells, ESTALE if the path names another file.
    /// One fstat(2) if all is well.
    [[nodiscard]] int try_get() const noexcept {
        std::uint64_t seen = current_.load(std::memory_order_acquire);
        const Look found = look(number_of(seen));
        if (found == Look::same) return number_of(seen);
        if (found == Look::unknown) return -1;
        errno = EBADF;
        if (path_.empty()) return -1;
        os::File fresh = os::try_open(path_, flags_ | O_NOFOLLOW);
        if (!fresh.is_open()) return -1;
        const Look opened = look(fresh.descriptor());
        if (opened == Look::other) errno = ESTALE;
        if (opened != Look::same) return -1;
        // Several threads may have come here. The count beside the number tells that one has, even if the numbers
        // are the same; the others close what they opened.
        const std::uint64_t next = ((seen >> 32) + 1) << 32 | static_cast<std::uint32_t>(fresh.descriptor());
        if (!current_.compare_exchange_strong(seen, next, std::memory_order_acq_rel)) return number_of(seen);
        return fresh.release();
    }

    /// The same, or throws no_such_file (the path is gone, or names another file), or what the kernel refuses.
    [[nodiscard]] int get() const {
        const int descriptor = try_get();
        if (descriptor >= 0) return descriptor;
        if (errno == EBADF)
            throw Error(errc::system, "its descriptor was closed, and there is no path to open it by", name_);
        if (errno == ESTALE)
            throw Error(errc::no_such_file, "the path names another file than the one attached", name_);
        os::throw_errno(errno, "open the file once more, after its descriptor was closed", name_);
    }

    /// A new open file description of the pool, which shares no lock with others. Throws as get() does.
    [[nodiscard]] os::File open_again(int flags) const {
        os::File fresh = os::open_again(get(), flags, name_);
        if (look(fresh.descriptor()) != Look::same)
            throw Error(errc::system, "its descriptor was closed while we looked at it", name_);
        return fresh;
    }

    [[nodiscard]] const std::string& name() const noexcept { return name_; }

private:
    enum class Look { same, other, unknown };

    [[nodiscard]] Look look(int descriptor) const noexcept {
        os::FileStatus status;
        if (os::try_status(descriptor, status)) return status.identity == identity_ ? Look::same : Look::other;
        return errno == EBADF ? Look::other : Look::unknown;
    }

    [[nodiscard]] static int number_of(std::uint64_t word) noexcept {
        return static_cast<int>(static_cast<std::uint32_t>(word));
    }

    os::FileIdentity identity_;
    int flags_;
    std::string name_;
    std::filesystem::path path_;                     // absolute: the current directory may change
    mutable std::atomic<std::uint64_t> current_ = 0; // how often it changed (32) | descriptor (32)
};

} // namespace ss::inline v0
