// A consistent copy of a pool, made while others use it.
#pragma once

#include <ss/base/crc32c.hpp>
#include <ss/domain/domain_core.hpp>
#include <ss/os/machine.hpp>
#include <ss/pool/attachment.hpp>
#include <ss/pool/file_check.hpp>
#include <ss/pool/file_creation.hpp>

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
    // The copy would take the name, and whoever is attached go on in a file that nobody finds any more.
    if (os::is_at(source.identity(), path))
        throw Error(errc::invalid_argument, "is the pool itself, expected another file for its copy", path.string());
    UnnamedFile copy(path, "backup");
    const os::File& file = copy.file();
    const std::string name = path.string();
    Header header = source.header();
    os::random_words(header.uuid); // another pool, with a life of its own
    header.crc = header_checksum(header);
    PoolState state{};
    state.era = load(source.state().era);
    state.clean = 1;
    if (const int error = os::try_allocate(file.descriptor(), 0, header.region_offset); error != 0)
        os::throw_errno(error, "set disk blocks aside for the copy", name);
    os::write_at(file, std::as_bytes(std::span(&header, 1)), 0, name);
    os::write_at(file, std::as_bytes(std::span(&state, 1)), state_zone_offset, name);
    std::vector<DomainState> domains(header.domains);
    for (const std::uint64_t domain : locked) {
        domains[domain] = source.domain_state(domain);
        domains[domain].committed = source.region(domain).size();
    }
    os::write_at(file, std::as_bytes(std::span(domains)), state_zone_offset + sizeof(PoolState), name);
    for (const std::uint64_t domain : locked) {
        const Region& region = source.region(domain);
        os::write_at(file, std::span(region.data(region.begin()), domains[domain].committed), region.begin(), name);
    }
    os::sync(file, name);
    if (!copy.publish()) copy.replace();
    copy.sync_name();
}

} // namespace ss::inline v0::detail
