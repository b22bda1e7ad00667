// oneTBB's concurrent_hash_map, as one writes it down: std::string to std::string, its own hash and allocator.
#pragma once

#include "../kernel/crew.hpp"
#include "../kernel/measure.hpp"
#include "heap.hpp"

#include <tbb/concurrent_hash_map.h>

#include <filesystem>
#include <string>
#include <string_view>

namespace bench {

class TbbTable {
    using Map = tbb::concurrent_hash_map<std::string, std::string>;

public:
    static constexpr Sharing sharing = Sharing::threads;
    static constexpr bool single = false;

    explicit TbbTable(const std::filesystem::path&) {}

    void attached() {}

    class Handle {
    public:
        explicit Handle(Map& map) : map_(&map) {}

        bool insert(std::string_view key, std::string_view value) {
            Map::accessor entry;
            const bool fresh = map_->insert(entry, in_string(key));
            entry->second.assign(value);
            return fresh;
        }
        bool find_into(std::string_view key, std::string& value) {
            Map::const_accessor entry;
            if (!map_->find(entry, in_string(key))) return false;
            value.assign(entry->second);
            return true;
        }
        bool erase(std::string_view key) { return map_->erase(in_string(key)); }

    private:
        /// The map looks up nothing but a std::string. Kept, so that no look-up allocates.
        [[nodiscard]] const std::string& in_string(std::string_view key) {
            key_.assign(key);
            return key_;
        }

        Map* map_;
        std::string key_;
    };

    [[nodiscard]] Handle handle() { return Handle(map_); }

    /// Its nodes come from TBB's allocator, which does not tell what it has given out.
    [[nodiscard]] static Memory memory() { return {.taken = private_bytes()}; }

private:
    Map map_;
};

} // namespace bench
