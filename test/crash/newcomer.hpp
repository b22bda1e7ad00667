// What a newcomer does who finds a pool that somebody died in, and how it tells of it.
#pragma once

#include <ss/base/error.hpp>
#include <ss/pool/pool.hpp>

#include "crash/in_child.hpp"
#include "crash/scenario.hpp"

#include <filesystem>
#include <string>

namespace ss::test {

/// Problems that a read-only newcomer is allowed to have.
inline const std::string needs_recovery = "needs recovery";
inline const std::string refused = "refused, for readers need the lock";

/// Reads, recovers, reads again, checks, does another operation, checks again.
[[nodiscard]] inline Testimony examine(const Scenario& scenario, const std::filesystem::path& path) {
    Testimony said;
    const Pool pool = open_pool(path);
    said.contents = scenario.contents(pool);
    scenario.recovery(pool)();
    if (scenario.contents(pool) != said.contents) said.problem = "readers saw what the recovery then undid";
    scenario.check(pool);
    scenario.next(pool);
    if (scenario.contents(pool) != scenario.next_contents(said.contents))
        said.problem = "the next operation does not do what it should";
    scenario.check(pool);
    return said;
}

/// Reads without being able to change anything. `guarded`: whoever was killed held the lock as long as there was something
/// to undo. A newcomer who begins an era takes the lock as if nobody ever had it, and may be killed before.
[[nodiscard]] inline Testimony look_read_only(const Scenario& scenario, const std::filesystem::path& path,
                                              bool guarded) {
    Testimony said;
    try {
        const Pool pool = open_pool(path, Access::read_only);
        if (guarded) scenario.check_guarded(pool);
        said.contents = scenario.contents(pool);
        if (scenario.readers_lock && !said.contents.empty())
            said.problem = "may be read, though readers need the lock";
    } catch (const Error& error) {
        const bool missing = error.code() == errc::no_such_file && !scenario.prepare;
        if (error.code() == errc::needs_recovery)
            said.problem = needs_recovery;
        else if (error.code() == errc::read_only && scenario.readers_lock)
            said.problem = refused;
        else if (!missing)
            throw;
    }
    return said;
}

} // namespace ss::test
