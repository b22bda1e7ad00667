// ss::HashTable and ss::PrefixTree, in any profile: each worker is a process that opens the pool by its path.
#pragma once

#include <ss/ss.hpp>

#include "../kernel/crew.hpp"
#include "../kernel/measure.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include <sys/stat.h>

namespace bench {

enum class Pages { small, huge };

template <class Structure, Pages PageSize = Pages::small>
class Ss {
    /// A tree's values may be other things than strings.
    static constexpr bool is_tree = requires(const Structure& structure) { structure.lower_bound(""); };
    static constexpr bool is_striped = ss::is_striped<typename Structure::lock_policy>;
    using Value = std::conditional_t<is_tree, ss::Value, std::string>;

public:
    static constexpr Sharing sharing = Sharing::processes;
    static constexpr bool single = std::is_base_of_v<ss::NullLock, typename Structure::lock_policy>;

    explicit Ss(const std::filesystem::path& directory)
        : pool_(directory / "ss.pool",
                ss::PoolOptions{.domains = is_striped ? 16U : 1U, .huge_pages = PageSize == Pages::huge}),
          structure_(pool_, "bench") {}

    /// The path goes as soon as all have opened it: whatever becomes of us, the memory comes back.
    void attached() { ss::Pool::remove(pool_.path()); }

    class Handle {
    public:
        explicit Handle(const Structure& structure) : structure_(structure) {}

        bool insert(std::string_view key, std::string_view value) { return structure_.insert(key, value); }
        const std::string* find(std::string_view key) {
            if (!structure_.find_into(key, value_)) return nullptr;
            if constexpr (is_tree)
                return &std::get<std::string>(value_);
            else
                return &value_;
        }
        bool erase(std::string_view key) { return structure_.erase(key); }
        template <class F>
        void change(std::string_view key, std::string_view value, F f) {
            ss::transaction(structure_, [&](auto& tx) {
                structure_.insert(tx, key, value);
                f();
            });
        }
        void empty_transaction() {
            if constexpr (is_striped)
                ss::transaction(structure_.stripe(""), [](auto&) {});
            else
                ss::transaction(structure_, [](auto&) {});
        }

        template <class F>
        void scan(F f) const requires is_tree {
            structure_.for_each(
                [&](std::string_view key, const ss::ValueView& value) { f(key, std::get<std::string_view>(value)); });
        }
        template <class F>
        void walk(std::string_view from, std::uint64_t steps, F f) const requires is_tree {
            structure_.for_each_from(from, [&](std::string_view key, const ss::ValueView& value) {
                f(key, std::get<std::string_view>(value));
                return --steps != 0;
            });
        }

    private:
        Structure structure_;
        Value value_;
    };

    [[nodiscard]] Handle handle() const { return Handle(structure_); }

    [[nodiscard]] Memory memory() const {
        struct stat status {};
        ::fstat(pool_.fd(), &status);
        return {.allocated = static_cast<double>(structure_.stats().domain.bytes_allocated),
                .taken = static_cast<double>(status.st_blocks) * 512};
    }

private:
    ss::Pool pool_;
    Structure structure_;
};

namespace detail {

template <class Structure, class... Policies>
struct Exchange {
    using type = Structure;
};
template <class Structure, class First, class... Rest>
struct Exchange<Structure, First, Rest...> : Exchange<typename Structure::template with<First>, Rest...> {};

} // namespace detail

/// A profile with these policies exchanged.
template <class Structure, class... Policies>
using SsWith = Ss<typename detail::Exchange<Structure, Policies...>::type>;

} // namespace bench
