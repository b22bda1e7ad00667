// libcuckoo's cuckoohash_map: std::string to std::string, many locks, two buckets a key may be in.
#pragma once

#include "../kernel/crew.hpp"
#include "../kernel/measure.hpp"
#include "heap.hpp"

#include <filesystem>
#include <libcuckoo/cuckoohash_map.hh>
#include <string>
#include <string_view>

namespace bench {

class Cuckoo {
    using Map = libcuckoo::cuckoohash_map<std::string, std::string>;

public:
    static constexpr Sharing sharing = Sharing::threads;
    static constexpr bool single = false;

    explicit Cuckoo(const std::filesystem::path&) {}

    void attached() {}

    class Handle {
    public:
        explicit Handle(Map& map) : map_(&map) {}

        bool insert(std::string_view key, std::string_view value) {
            key_.assign(key);
            return map_->insert_or_assign(key_, value);
        }
        const std::string* find(std::string_view key) {
            key_.assign(key);
            return map_->find(key_, value_) ? &value_ : nullptr;
        }
        bool erase(std::string_view key) {
            key_.assign(key);
            return map_->erase(key_);
        }

    private:
        Map* map_;
        std::string key_; ///< kept, so that no look-up allocates
        std::string value_;
    };

    [[nodiscard]] Handle handle() { return Handle(map_); }

    [[nodiscard]] static std::string version() { return "libcuckoo " SS_BENCH_LIBCUCKOO_VERSION; }

    [[nodiscard]] static Memory memory() { return malloc_memory(); }

private:
    Map map_;
};

} // namespace bench
