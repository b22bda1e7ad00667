// A consistent copy of a pool, made while others use it.
#pragma once

#include <ss/base/crc32c.hpp>
#include <ss/domain/domain_core.hpp>
#include <ss/os/machine.hpp>
#include <ss/pool/attachment.hpp>
#include <ss/pool/file_check.hpp>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace ss::inline v0::detail {

/// Writes the domains that `locked` says to a new pool, complete and on the disk before it gets the name `path`. The caller
/// holds their locks, so that no transaction is under way in them. The others are left out: who claims one while we are at
/// it was not there when we began.
inline void write_backup(Attachment& source, const std::vector<std::uint64_t>& locked,
                         const std::filesystem::path& path) {
    const std::filesystem::path temporary = path.string() + ".backup";
    ::unlink(temporary.c_str()); // left by one that was killed
    const os::File file = os::try_open(temporary, O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR, 0600);
    if (!file.is_open()) os::throw_errno(errno, "create the copy", temporary.string());
    try {
        Header header = source.header();
        os::random_words(header.uuid); // another pool, with a life of its own
        header.crc = header_checksum(header);
        PoolState state{};
        state.era = load(source.state().era);
        state.clean = 1;
        if (const int error = os::try_allocate(file.descriptor(), 0, header.region_offset); error != 0)
            os::throw_errno(error, "set disk blocks aside for the copy", temporary.string());
        os::write_at(file, std::as_bytes(std::span(&header, 1)), 0, temporary.string());
        os::write_at(file, std::as_bytes(std::span(&state, 1)), state_zone_offset, temporary.string());
        std::vector<DomainState> domains(header.domains);
        for (const std::uint64_t domain : locked) {
            domains[domain] = source.domain_state(domain);
            domains[domain].committed = source.region(domain).size();
        }
        os::write_at(file, std::as_bytes(std::span(domains)), state_zone_offset + sizeof(PoolState),
                     temporary.string());
        for (const std::uint64_t domain : locked) {
            const Region& region = source.region(domain);
            os::write_at(file, std::span(region.data(region.begin()), domains[domain].committed), region.begin(),
                         temporary.string());
        }
        os::sync(file, temporary.string());
        if (os::retry_interrupted(os::Call::rename, [&] { return ::rename(temporary.c_str(), path.c_str()); }) != 0)
            os::throw_errno(errno, "give the copy its name", path.string());
    } catch (...) {
        ::unlink(temporary.c_str()); // ours, made above
        throw;
    }
    const os::File directory =
        os::try_open(path.has_parent_path() ? path.parent_path() : ".", O_RDONLY | O_DIRECTORY);
    if (directory.is_open()) os::sync(directory, path.string());
}

} // namespace ss::inline v0::detail
