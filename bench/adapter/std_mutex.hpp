// std::unordered_map under a std::mutex: what one has without any library.
#pragma once

#include "../kernel/crew.hpp"
#include "../kernel/measure.hpp"
#include "heap.hpp"

#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace bench {

class StdTable {
public:
    static constexpr Sharing sharing = Sharing::threads;
    static constexpr bool single = false;

    explicit StdTable(const std::filesystem::path&) {}

    void attached() {}

    class Handle {
    public:
        explicit Handle(StdTable& table) : table_(&table) {}

        bool insert(std::string_view key, std::string_view value) {
            key_.assign(key);
            const std::lock_guard lock(table_->mutex_);
            return table_->map_.insert_or_assign(key_, value).second;
        }
        bool find_into(std::string_view key, std::string& value) {
            key_.assign(key);
            const std::lock_guard lock(table_->mutex_);
            const auto found = table_->map_.find(key_);
            if (found == table_->map_.end()) return false;
            value.assign(found->second);
            return true;
        }
        bool erase(std::string_view key) {
            key_.assign(key);
            const std::lock_guard lock(table_->mutex_);
            return table_->map_.erase(key_) != 0;
        }

    private:
        StdTable* table_;
        std::string key_; ///< kept, so that no look-up allocates
    };

    [[nodiscard]] Handle handle() { return Handle(*this); }

    [[nodiscard]] static Memory memory() { return malloc_memory(); }

private:
    std::mutex mutex_;
    std::unordered_map<std::string, std::string> map_;
};

} // namespace bench
