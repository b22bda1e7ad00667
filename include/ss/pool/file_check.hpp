// Is this file a pool that we can open? Every way in which it may not be has its own answer.
#pragma once

#include <ss/base/crc32c.hpp>
#include <ss/base/error.hpp>
#include <ss/os/file.hpp>
#include <ss/pool/layout.hpp>
#include <ss/pool/options.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace ss::inline v0 {

/// The checksum that belongs into `header.crc`.
[[nodiscard]] inline std::uint32_t header_checksum(const Header& header) noexcept {
    return crc32c(std::as_bytes(std::span(&header, 1)).first(offsetof(Header, crc)));
}

namespace detail {

/// Kind, owner and file system: what must hold before a byte is read.
inline os::FileSystem check_file(const os::File& file, const os::FileStatus& status, const PoolOptions& options,
                                 const std::string& path) {
    if (!status.regular) throw Error(errc::not_a_pool, "is not a regular file", path);
    if (!options.any_owner && status.owner != ::geteuid() && status.owner != 0)
        throw Error(errc::permission,
                    "belongs to uid " + std::to_string(status.owner) + ", expected our own (" +
                        std::to_string(::geteuid()) + ") or root; PoolOptions::any_owner accepts it",
                    path);
    os::FileSystem system = os::file_system(file, path);
    if (!system.keeps_allocations && !options.any_filesystem)
        throw Error(errc::filesystem,
                    "lies on " + system.name +
                        ", expected tmpfs, ext4 or xfs, which keep the promise of fallocate(2); "
                        "PoolOptions::any_filesystem accepts it",
                    path);
    return system;
}

/// Reads the header and believes nothing in it that does not fit the rest.
[[nodiscard]] inline Header read_header(const os::File& file, const PoolOptions& options, const std::string& path) {
    Header header{};
    const std::size_t got = os::read_at(file, std::as_writable_bytes(std::span(&header, 1)), 0, path);
    if (header.magic == __builtin_bswap64(pool_magic))
        throw Error(errc::other_byte_order, "was made on a machine of the other byte order", path);
    if (got < sizeof header.magic || header.magic != pool_magic)
        throw Error(errc::not_a_pool,
                    got == 0 ? "is empty, expected a pool's header" : "does not begin with a pool's magic bytes",
                    path);
    if (got < sizeof header)
        throw Error(errc::truncated,
                    "has " + std::to_string(got) + " bytes, expected a header of " + std::to_string(sizeof header),
                    path);
    if (header.byte_order != byte_order_mark)
        throw Error(errc::damaged, "the header's byte order is none, though its magic bytes are ours", path);
    // Before the checksum, which another version may keep elsewhere.
    if (header.major != format_major || header.minor != format_minor)
        throw Error(errc::other_version,
                    "has format " + std::to_string(header.major) + "." + std::to_string(header.minor) +
                        ", this program knows " + std::to_string(format_major) + "." + std::to_string(format_minor),
                    path);
    if (header.crc != header_checksum(header))
        throw Error(errc::damaged, "the header's checksum does not match its bytes", path);
    if (header.features_incompatible != 0)
        throw Error(errc::other_version,
                    "needs features that this program does not know (bits " +
                        std::to_string(header.features_incompatible) + ")",
                    path);
    if (header.features_read_only != 0 && options.access != Access::read_only)
        throw Error(errc::other_version,
                    "can only be opened read-only by this program (feature bits " +
                        std::to_string(header.features_read_only) + ")",
                    path);
    if (header.header_size != sizeof(Header) || header.word_size != word_size || header.domains == 0 ||
        header.domains > max_domains || header.max_size > largest_max_size ||
        !is_aligned(header.max_size, region_alignment))
        throw Error(errc::damaged, "the header contradicts itself", path);
    const PoolGeometry geometry = pool_geometry(header.max_size, header.domains);
    if (header.volatile_offset != geometry.volatile_offset || header.volatile_size != geometry.volatile_size ||
        header.region_offset != geometry.region_offset || header.region_stride != geometry.region_stride ||
        header.region_stride < min_region_size)
        throw Error(errc::damaged, "the header's zones do not follow from its sizes", path);
    return header;
}

/// What the state words say is in use.
struct BytesInUse {
    std::uint64_t end;    ///< how long the file must be
    std::uint64_t blocks; ///< how many bytes of it must have blocks
};

/// `states` are the mapped words. Throws damaged if they claim more than there can be.
[[nodiscard]] inline BytesInUse bytes_in_use(const Header& header, const DomainState* states,
                                             const std::string& path) {
    BytesInUse use{.end = header.region_offset, .blocks = header.region_offset};
    for (std::uint64_t domain = 0; domain < header.domains; ++domain) {
        const std::uint64_t committed = load_acquire(states[domain].committed);
        if (committed > header.region_stride)
            throw Error(errc::damaged,
                        "domain " + std::to_string(domain) + " claims " + std::to_string(committed) +
                            " bytes, its region has " + std::to_string(header.region_stride),
                        path);
        if (committed == 0) continue;
        use.end = header.region_offset + domain * header.region_stride + committed;
        use.blocks += committed;
    }
    return use;
}

/// Sets blocks aside for every byte in use that has none: writing into a hole of a full file system is a SIGBUS. A copy
/// that leaves out the zeros has such holes (cp(1)). What has its blocks costs little: nothing is written.
inline void fill_holes(int descriptor, const Header& header, const DomainState* states, const std::string& path) {
    const auto fill = [&](std::uint64_t at, std::uint64_t size) {
        if (const int error = size == 0 ? 0 : os::try_fill_holes(descriptor, at, size); error != 0)
            os::throw_errno(error, "set disk blocks aside for the holes of a sparse copy", path);
    };
    fill(0, header.region_offset);
    for (std::uint64_t domain = 0; domain < header.domains; ++domain)
        fill(header.region_offset + domain * header.region_stride, load(states[domain].committed));
}

} // namespace detail
} // namespace ss::inline v0
