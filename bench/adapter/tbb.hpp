// oneTBB's concurrent_hash_map and concurrent_map, as one writes them down: std::string to std::string, their own hash
// and allocator.
#pragma once

#include "../kernel/crew.hpp"
#include "../kernel/measure.hpp"
#include "heap.hpp"
#include "ordered.hpp"

#include <tbb/concurrent_hash_map.h>
#include <tbb/concurrent_map.h>
#include <tbb/version.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace bench {

/// What is the same for both. `Handle` is made of a map.
template <class Map, class MapHandle>
class Tbb {
public:
    static constexpr Sharing sharing = Sharing::threads;
    static constexpr bool single = false;

    explicit Tbb(const std::filesystem::path&) {}

    void attached() {}

    [[nodiscard]] MapHandle handle() { return MapHandle(map_); }

    [[nodiscard]] static std::string version() { return "oneTBB " TBB_VERSION_STRING; }

    /// Its nodes come from TBB's allocator, which does not tell what it has given out.
    [[nodiscard]] static Memory memory() { return {.taken = private_bytes()}; }

private:
    Map map_;
};

class TbbHashMapHandle {
public:
    using Map = tbb::concurrent_hash_map<std::string, std::string>;

    explicit TbbHashMapHandle(Map& map) : map_(&map) {}

    bool insert(std::string_view key, std::string_view value) {
        Map::accessor entry;
        key_.assign(key);
        const bool fresh = map_->insert(entry, key_);
        entry->second.assign(value);
        return fresh;
    }
    const std::string* find(std::string_view key) {
        Map::const_accessor entry;
        key_.assign(key);
        if (!map_->find(entry, key_)) return nullptr;
        value_.assign(entry->second);
        return &value_;
    }
    bool erase(std::string_view key) {
        key_.assign(key);
        return map_->erase(key_);
    }

private:
    Map* map_;
    std::string key_; ///< the map looks up nothing but a std::string; kept, so that no look-up allocates
    std::string value_;
};

/// Without erase: unsafe_erase goes along the list from its head to the key, past half of all on the average, and nobody
/// else may be at work meanwhile. Who overwrites a value must keep the others from it, too.
class TbbMapHandle {
public:
    using Map = tbb::concurrent_map<std::string, std::string>;

    explicit TbbMapHandle(Map& map) : map_(&map) {}

    bool insert(std::string_view key, std::string_view value) {
        const auto [entry, fresh] = map_->emplace(key, value);
        if (!fresh) entry->second.assign(value);
        return fresh;
    }
    const std::string* find(std::string_view key) {
        key_.assign(key);
        const auto found = map_->find(key_);
        if (found == map_->end()) return nullptr;
        value_.assign(found->second);
        return &value_;
    }
    template <class F>
    void scan(F f) const {
        scan_map(*map_, f);
    }
    template <class F>
    void walk(std::string_view from, std::uint64_t steps, F f) {
        key_.assign(from);
        walk_map(*map_, key_, steps, f);
    }

private:
    Map* map_;
    std::string key_;
    std::string value_;
};

using TbbHashMap = Tbb<TbbHashMapHandle::Map, TbbHashMapHandle>;
using TbbMap = Tbb<TbbMapHandle::Map, TbbMapHandle>;

} // namespace bench
