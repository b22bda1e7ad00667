// What watchers of a tree watch: keys, and prefixes.
//
// A key is one thing, and each of its prefixes of up to 64 bytes another: a change of the key is a change of all of them. So
// whoever watches a prefix is woken by the keys that begin with it, and by no others, at the cost of a hash for each byte
// of a key, which only those pay who write while somebody in the domain watches something.
#pragma once

#include <ss/domain/signal.hpp>
#include <ss/domain/watch.hpp>
#include <ss/hash/wyhash.hpp>

#include <cstdint>
#include <string_view>

namespace ss::inline v0::detail {

/// Longer prefixes are watched by their first so many bytes.
inline constexpr std::size_t watched_prefix_size = 64;

class WatchedKeys {
public:
    WatchedKeys(const Region& region, const ObjectRef& object) noexcept : region_(&region), object_(&object) {}

    /// The thing that is that key alone.
    [[nodiscard]] std::uint64_t key(std::string_view key) const noexcept {
        return thing_of(*region_, *object_, Wyhash::hash(key, {}), 1);
    }

    /// The thing that is all keys that begin with `prefix`.
    [[nodiscard]] std::uint64_t prefix(std::string_view prefix) const noexcept {
        std::uint64_t hash = empty_prefix;
        for (const char byte : prefix.substr(0, watched_prefix_size)) hash = longer(hash, byte);
        return thing_of(*region_, *object_, hash, 2);
    }

    /// That key changes, or has changed, in this transaction.
    template <class Tx>
    void changed(Tx& tx, std::string_view key) const {
        if (tx.is_watched()) [[unlikely]]
            changed_while_watched(tx, key);
    }

private:
    static constexpr std::uint64_t empty_prefix = 0xCBF2'9CE4'8422'2325U;

    /// FNV-1a, a byte at a time.
    [[nodiscard]] static std::uint64_t longer(std::uint64_t hash, char byte) noexcept {
        return (hash ^ static_cast<unsigned char>(byte)) * 0x0000'0100'0000'01B3U;
    }

    template <class Tx>
    [[gnu::cold, gnu::noinline]] void changed_while_watched(Tx& tx, std::string_view key) const {
        tx.signal(this->key(key));
        std::uint64_t hash = empty_prefix;
        tx.signal(thing_of(*region_, *object_, hash, 2));
        for (const char byte : key.substr(0, watched_prefix_size)) {
            hash = longer(hash, byte);
            tx.signal(thing_of(*region_, *object_, hash, 2));
        }
    }

    const Region* region_;
    const ObjectRef* object_;
};

} // namespace ss::inline v0::detail
