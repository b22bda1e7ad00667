// Blocks of memory: of an allocator of ss, each change a transaction, and of malloc.
#pragma once

#include <ss/ss.hpp>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <gnu/libc-version.h>
#include <malloc.h>
#include <new>
#include <string>
#include <vector>

namespace bench {

template <class Allocator, class Lock>
class SsBlocks {
public:
    SsBlocks(const std::filesystem::path& directory, std::uint64_t count)
        : pool_(directory / "ss.pool"), root_(pool_, "blocks", ss::policy_id("blocks")), offsets_(count) {
        ss::Pool::remove(pool_.path());
    }

    /// By the library's side of a transaction: the user's would also fill the block with zeros.
    void replace(std::uint64_t place, std::uint64_t size) {
        ss::transaction(root_, [&](auto& tx) {
            if (offsets_[place] != 0) tx.inner().free(offsets_[place]);
            offsets_[place] = tx.inner().allocate(size);
        });
    }

    [[nodiscard]] double taken() const { return static_cast<double>(root_.stats().bytes_committed); }

private:
    ss::Pool pool_;
    ss::Root<Allocator, Lock> root_;
    std::vector<std::uint64_t> offsets_; ///< 0 where there is none
};

class MallocBlocks {
public:
    MallocBlocks(const std::filesystem::path&, std::uint64_t count)
        : before_(::mallinfo2().uordblks), blocks_(count) {}

    MallocBlocks(const MallocBlocks&) = delete;
    MallocBlocks& operator=(const MallocBlocks&) = delete;

    ~MallocBlocks() {
        for (void* const block : blocks_) std::free(block);
    }

    void replace(std::uint64_t place, std::uint64_t size) {
        std::free(blocks_[place]);
        blocks_[place] = std::malloc(size);
        if (blocks_[place] == nullptr) throw std::bad_alloc();
    }

    [[nodiscard]] static std::string version() { return std::string("glibc ") + ::gnu_get_libc_version(); }

    /// What was used before is not ours, what was free is.
    [[nodiscard]] double taken() const {
        const auto now = ::mallinfo2();
        return static_cast<double>(now.arena - before_);
    }

private:
    std::size_t before_;
    std::vector<void*> blocks_;
};

} // namespace bench
