// What is done to a pool while it may be killed, and how to tell afterwards whether all is well.
#pragma once

#include <ss/pool/pool.hpp>

#include "crash/in_child.hpp"
#include "crash/single_step.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>

namespace ss::test {

/// One operation under one profile. Everything is called in a child process of its own; the calls that take a Pool open
/// the structures that they need.
struct Scenario {
    std::string name;    ///< "counter: add one"
    std::string profile; ///< "SEGREG FUTEX+o"

    /// Makes the pool and fills it with what is there before. Null: the operation itself makes the file.
    std::function<void(const std::filesystem::path&)> prepare;

    /// Opens what it needs, calls begin(), does the operation, calls end(). Does not detach: the guards of the markers
    /// stand inside of the Pool's life, unless detaching is what is looked at.
    std::function<void(const std::filesystem::path&, const Markers&)> operate;

    /// Everything that the structures hold, read as readers read it: without the lock where that is possible, on a
    /// read-only pool too. What is missing altogether is empty. Throws what reading throws.
    std::function<Contents(const Pool&)> contents;

    /// Opens what it needs without the lock, and returns what takes the lock once, which recovers what is there to
    /// recover, and changes nothing.
    std::function<std::function<void()>(const Pool&)> recovery;

    /// Throws std::runtime_error saying what is wrong with the structures, the allocator, or the bytes that they use.
    std::function<void(const Pool&)> check;

    /// Looks at a pool that was not recovered, opened read-only, beside whose victim somebody lives on: throws
    /// std::runtime_error if there is something to undo and the lock was not held.
    std::function<void(const Pool&)> check_guarded;

    /// One more operation, and what it makes of the contents.
    std::function<void(const Pool&)> next;
    std::function<Contents(Contents)> next_contents;

    bool changes = true; ///< the contents after the operation are not those before

    /// No other session is attached while it runs: it begins an era, and there is nobody to take a lock over.
    bool alone = false;

    /// Readers take the lock, so a read-only pool is refused.
    bool readers_lock = false;

    /// The kernel has its part in the lock's state (a robust mutex), so a copied image's lock cannot be taken over.
    bool kernel_lock = false;

    /// The victim is the first in its era to take such a lock, and makes it ready.
    bool first_lock = false;
};

/// How the harness opens pools: a lock that cannot be had is a failure soon.
[[nodiscard]] inline Pool open_pool(const std::filesystem::path& path, Access access = Access::read_write) {
    return Pool(path, {.max_size = 256 * mebi, .access = access, .lock_timeout = std::chrono::seconds(3)});
}

} // namespace ss::test
