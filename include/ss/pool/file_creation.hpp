// How a pool's file comes to be: complete before it has a name.
//
//     O_TMPFILE in the directory  ->  set blocks aside, write the header  ->  linkat() to the path
//
// Until the last step nobody can find it, and a process that dies leaves nothing. Of several that race, one links and
// the others get EEXIST and open the winner's. Where the file system has no O_TMPFILE a name of its own takes its
// place; a process that dies then leaves that file, which nobody looks for. A backup comes to be in the same way, but
// for its last step, which may replace what has the name.
#pragma once

#include <ss/base/error.hpp>
#include <ss/os/file.hpp>
#include <ss/os/machine.hpp>
#include <ss/os/mapping.hpp>
#include <ss/pool/file_check.hpp>
#include <ss/pool/layout.hpp>
#include <ss/pool/options.hpp>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

namespace ss::inline v0::detail {

/// The largest size not above `wanted` that can be reserved here, by halving. (Where the kernel says ENOMEM, valgrind says
/// EINVAL.)
[[nodiscard]] inline std::uint64_t reservable(int descriptor, std::uint64_t wanted, const std::string& path) {
    for (std::uint64_t size = wanted; size >= 16 * mebi || size == wanted; size /= 2) {
        if (os::try_map_shared(descriptor, align_down(size, region_alignment), true).is_mapped())
            return align_down(size, region_alignment);
        if (errno != ENOMEM && errno != EINVAL) os::throw_errno(errno, "map the file", path);
    }
    throw Error(errc::address_space, "no address space for max_size, nor for 16 MiB", path);
}

/// Turns an empty file into a pool without objects.
inline void write_pool(const os::File& file, const PoolOptions& options, const std::string& path) {
    if (options.domains == 0 || options.domains > max_domains)
        throw Error(errc::invalid_argument,
                    std::to_string(options.domains) + " domains asked for, expected 1 to " +
                        std::to_string(max_domains),
                    path);
    const std::uint64_t smallest =
        pool_geometry(0, options.domains).region_offset + options.domains * min_region_size;
    if (options.max_size < smallest || options.max_size > largest_max_size)
        throw Error(errc::invalid_argument,
                    "max_size of " + std::to_string(options.max_size) + " bytes asked for, expected " +
                        std::to_string(smallest) + " to 2^47 with so many domains",
                    path);
    if ((options.mode & 0600) != 0600 || (options.mode & ~mode_t{0777}) != 0) {
        char octal[16];
        std::snprintf(octal, sizeof octal, "%04o", static_cast<unsigned>(options.mode));
        throw Error(errc::invalid_argument,
                    "mode " + std::string(octal) + " asked for, expected permission bits alone, 0600 among them",
                    path);
    }
    Header header{};
    header.magic = pool_magic;
    header.byte_order = byte_order_mark;
    header.major = format_major;
    header.minor = format_minor;
    header.header_size = sizeof(Header);
    header.word_size = word_size;
    header.page_size = static_cast<std::uint32_t>(os::page_size());
    os::random_words(header.uuid);
    header.max_size = reservable(file.descriptor(), options.max_size, path);
    header.domains = options.domains;
    const PoolGeometry geometry = pool_geometry(header.max_size, header.domains);
    header.volatile_offset = geometry.volatile_offset;
    header.volatile_size = geometry.volatile_size;
    header.region_offset = geometry.region_offset;
    header.region_stride = geometry.region_stride;
    if (geometry.region_stride < min_region_size)
        throw Error(errc::address_space, "no address space for so many domains", path);
    header.crc = header_checksum(header);

    if (const int error = os::try_allocate(file.descriptor(), 0, geometry.region_offset); error != 0)
        os::throw_errno(error, "set disk blocks aside for a new pool", path);
    PoolState state{};
    state.clean = 1;
    os::write_at(file, std::as_bytes(std::span(&state, 1)), state_zone_offset, path);
    os::write_at(file, std::as_bytes(std::span(&header, 1)), 0, path);
    os::set_mode(file, options.mode, path);
}

/// A path that is removed at the end, if it was ever set.
struct TemporaryName {
    TemporaryName() = default;
    TemporaryName(const TemporaryName&) = delete;
    TemporaryName& operator=(const TemporaryName&) = delete;
    ~TemporaryName() {
        if (!path.empty()) ::unlink(path.c_str());
    }
    std::filesystem::path path;
};

/// A file in `path`'s directory that gets its name from publish() or replace().
class UnnamedFile {
public:
    /// `kind` is a part of the name that it has where it cannot do without one.
    UnnamedFile(const std::filesystem::path& path, const char* kind)
        : path_(path), directory_(path.has_parent_path() ? path.parent_path() : "."), kind_(kind) {
        file_ = os::try_open(directory_, O_TMPFILE | O_RDWR, 0600);
        if (!file_.is_open() && (errno == EOPNOTSUPP || errno == EISDIR)) {
            std::filesystem::path name = own_name();
            file_ = os::try_open(name, O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR, 0600);
            if (file_.is_open()) temporary_.path = std::move(name);
        }
        if (!file_.is_open()) os::throw_errno(errno, "create a file in " + directory_.string(), path.string());
    }

    /// Gives the file its path. False if something is there.
    [[nodiscard]] bool publish() const {
        if (try_link(path_)) return true;
        if (errno == EEXIST) return false;
        os::throw_errno(errno, "give the new file its name", path_.string());
    }

    /// Gives the file its path, and what was there loses it: nobody ever finds nothing there. A crash in between leaves
    /// the file with a name of its own.
    void replace() {
        if (temporary_.path.empty()) {
            std::filesystem::path name = own_name();
            if (!try_link(name)) os::throw_errno(errno, "give the new file a name", path_.string());
            temporary_.path = std::move(name);
        }
        if (os::retry_interrupted(os::Call::rename,
                                  [&] { return ::rename(temporary_.path.c_str(), path_.c_str()); }) != 0)
            os::throw_errno(errno, "give the new file its name", path_.string());
        temporary_.path.clear();
    }

    /// Sees to it that the name that it got outlives a power failure, where the directory can be opened.
    void sync_name() const {
        const os::File directory = os::try_open(directory_, O_RDONLY | O_DIRECTORY);
        if (directory.is_open()) os::sync(directory, path_.string());
    }

    [[nodiscard]] const os::File& file() const noexcept { return file_; }
    /// The file, open for reading and writing.
    [[nodiscard]] os::File take_file() noexcept { return std::move(file_); }

private:
    /// One that nobody else uses, however many are at it.
    [[nodiscard]] std::filesystem::path own_name() const {
        std::uint64_t random = 0;
        os::random_words(std::span(&random, 1));
        return directory_ / (std::string(".ss-") + kind_ + "-" + std::to_string(random));
    }

    [[nodiscard]] bool try_link(const std::filesystem::path& name) const {
        const os::DescriptorPath descriptor(file_.descriptor());
        const char* const source = temporary_.path.empty() ? descriptor.text : temporary_.path.c_str();
        return os::retry_interrupted(os::Call::link, [&] {
                   return ::linkat(AT_FDCWD, source, AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW);
               }) == 0;
    }

    std::filesystem::path path_;
    std::filesystem::path directory_;
    const char* kind_;
    TemporaryName temporary_; // none with O_TMPFILE, but for the moment between the two steps of replace()
    os::File file_;
};

/// A new pool, complete, that gets its name from publish(), as UnnamedFile does.
class UnnamedPool {
public:
    UnnamedPool(const std::filesystem::path& path, const PoolOptions& options) : unnamed_(path, "pool") {
        // Refused here rather than at the attach, where the file would have its name already.
        const os::File& file = unnamed_.file();
        const os::FileSystem system =
            check_file(file, os::status(file.descriptor(), path.string()), options, path.string());
        write_pool(file, options, path.string());
        // A name that outlives a power failure must not be that of a file whose bytes did not.
        if (!system.in_memory) os::sync(file.descriptor(), path.string());
    }

    [[nodiscard]] bool publish() const { return unnamed_.publish(); }
    [[nodiscard]] os::File take_file() noexcept { return unnamed_.take_file(); }

private:
    UnnamedFile unnamed_;
};

} // namespace ss::inline v0::detail
