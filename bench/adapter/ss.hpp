// ss::HashTable, in any profile: each worker is a process that opens the pool by its path.
#pragma once

#include <ss/ss.hpp>

#include "../kernel/crew.hpp"
#include "../kernel/measure.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <type_traits>

#include <sys/stat.h>

namespace bench {

enum class Pages { small, huge };

template <class Table, Pages PageSize = Pages::small>
class SsTable {
    template <class Lock>
    static constexpr bool is_null = std::is_base_of_v<ss::NullLock, Lock>;

public:
    static constexpr Sharing sharing = Sharing::processes;
    static constexpr bool single = is_null<typename Table::lock_policy>;

    explicit SsTable(const std::filesystem::path& directory)
        : pool_(directory / "hash_table.pool", ss::PoolOptions{.huge_pages = PageSize == Pages::huge}),
          table_(pool_, "table") {}

    /// The path goes as soon as all have opened it: whatever becomes of us, the memory comes back.
    void attached() { ss::Pool::remove(pool_.path()); }

    class Handle {
    public:
        explicit Handle(const Table& table) : table_(table) {}

        bool insert(std::string_view key, std::string_view value) { return table_.insert(key, value); }
        bool find_into(std::string_view key, std::string& value) const { return table_.find_into(key, value); }
        bool erase(std::string_view key) { return table_.erase(key); }
        void empty_transaction() {
            ss::transaction(table_, [](auto&) {});
        }

    private:
        Table table_;
    };

    [[nodiscard]] Handle handle() const { return Handle(table_); }

    [[nodiscard]] Memory memory() const {
        struct stat status {};
        ::fstat(pool_.fd(), &status);
        return {.allocated = static_cast<double>(table_.stats().domain.bytes_allocated),
                .taken = static_cast<double>(status.st_blocks) * 512};
    }

private:
    ss::Pool pool_;
    Table table_;
};

} // namespace bench
