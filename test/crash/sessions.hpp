// Those beside whom a victim dies: a session that lives, or the one byte by which the kernel would tell of it.
#pragma once

#include <ss/os/file.hpp>
#include <ss/os/file_lock.hpp>
#include <ss/pool/layout.hpp>
#include <ss/pool/pool.hpp>

#include "crash/scenario.hpp"
#include "crash/single_step.hpp"
#include "support/barrier.hpp"
#include "support/process.hpp"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace ss::test {

/// Somebody who is attached to a pool, and lives until the destructor.
class OtherSession {
public:
    /// at_first(pool) is what it does once; then it stays and does nothing.
    template <class F>
    OtherSession(const std::filesystem::path& path, F at_first)
        : process_([&] {
              const Pool pool = open_pool(path);
              at_first(pool);
              slot_->store(token_slot(pool.attachment()->session().token()) + 1);
              for (;;) ::pause();
          }) {
        wait_until([&] { return slot_->load() != 0 || !process_.running(); }, "the other session does not attach");
        if (slot_->load() == 0) throw std::runtime_error("the other session cannot attach");
    }

    OtherSession(const OtherSession&) = delete;
    OtherSession& operator=(const OtherSession&) = delete;

    /// The byte that it holds.
    [[nodiscard]] std::uint64_t byte() const { return LockBytes::sessions + slot_->load() - 1; }

private:
    Shared<std::atomic<std::uint32_t>> slot_{0U};
    Process process_;
};

/// Holds a byte of a file, as a living session does.
class HeldByte {
public:
    HeldByte(const std::filesystem::path& path, std::uint64_t byte) : file_(os::try_open(path, O_RDWR)) {
        if (!file_.is_open()) throw_system("open");
        if (const int error = os::try_lock_byte(file_.descriptor(), byte, os::ByteLock::exclusive); error != 0)
            throw std::runtime_error("cannot lock a byte of an image: error " + std::to_string(error));
    }

private:
    os::File file_;
};

} // namespace ss::test
