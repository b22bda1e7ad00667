// A map of std::string to std::string that knows nothing of threads, under one lock: std::unordered_map, std::map,
// absl::flat_hash_map, absl::btree_map. What one has without any library for sharing.
#pragma once

#include "../kernel/crew.hpp"
#include "../kernel/measure.hpp"
#include "heap.hpp"
#include "ordered.hpp"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>

namespace bench {

/// The shortest lock there is: who waits spins until he has it.
class SpinLock {
public:
    void lock() noexcept {
        while (flag_.test_and_set(std::memory_order_acquire))
            while (flag_.test(std::memory_order_relaxed)) pause();
    }
    void unlock() noexcept { flag_.clear(std::memory_order_release); }

private:
    static void pause() noexcept {
#ifdef __x86_64__
        __builtin_ia32_pause();
#endif
    }

    std::atomic_flag flag_;
};

template <class Map, class Lock = std::mutex>
class Locked {
    static constexpr bool is_ordered = requires(const Map& map) { map.lower_bound(std::string()); };

public:
    static constexpr Sharing sharing = Sharing::threads;
    static constexpr bool single = false;

    explicit Locked(const std::filesystem::path&) {}

    void attached() {}

    class Handle {
    public:
        explicit Handle(Locked& shared) : shared_(&shared) {}

        bool insert(std::string_view key, std::string_view value) {
            key_.assign(key);
            const std::lock_guard lock(shared_->lock_);
            return shared_->map_.insert_or_assign(key_, value).second;
        }
        const std::string* find(std::string_view key) {
            key_.assign(key);
            const std::lock_guard lock(shared_->lock_);
            const auto found = shared_->map_.find(key_);
            if (found == shared_->map_.end()) return nullptr;
            value_.assign(found->second);
            return &value_;
        }
        bool erase(std::string_view key) {
            key_.assign(key);
            const std::lock_guard lock(shared_->lock_);
            return shared_->map_.erase(key_) != 0;
        }

        template <class F>
        void scan(F f) const requires is_ordered {
            const std::lock_guard lock(shared_->lock_);
            scan_map(shared_->map_, f);
        }
        template <class F>
        void walk(std::string_view from, std::uint64_t steps, F f) requires is_ordered {
            key_.assign(from);
            const std::lock_guard lock(shared_->lock_);
            walk_map(shared_->map_, key_, steps, f);
        }

    private:
        Locked* shared_;
        std::string key_; ///< kept, so that no look-up allocates
        std::string value_;
    };

    [[nodiscard]] Handle handle() { return Handle(*this); }

    [[nodiscard]] static Memory memory() { return malloc_memory(); }

private:
    Lock lock_;
    Map map_;
};

} // namespace bench
