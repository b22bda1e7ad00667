// Numbers that processes share: ss::AtomicVector, and what it is made of, without ss.
#pragma once

#include <ss/ss.hpp>

#include "../kernel/numbers.hpp"
#include "../kernel/shared.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>

namespace bench {

/// Each process opens the pool by its path.
template <class Vector>
class SsNumbers {
public:
    SsNumbers(const std::filesystem::path& directory, std::uint64_t count) : pool_(directory / "numbers.pool") {
        Vector(pool_, "bench").expand(count);
    }

    SsNumbers(const SsNumbers&) = delete;
    SsNumbers& operator=(const SsNumbers&) = delete;

    ~SsNumbers() { ss::Pool::remove(pool_.path()); }

    [[nodiscard]] Vector handle() const { return Vector(ss::Pool(pool_.path()), "bench"); }

private:
    ss::Pool pool_;
};

/// An array of std::atomic in memory that was mapped before the fork: it checks no index, and cannot grow.
class PlainNumbers {
    using Array = std::array<std::atomic<std::uint64_t>, number_count>;

public:
    PlainNumbers(const std::filesystem::path&, std::uint64_t) {}

    class Handle {
    public:
        explicit Handle(Array& numbers) noexcept : numbers_(&numbers) {}

        [[nodiscard]] std::uint64_t load(std::uint64_t i) const noexcept { return (*numbers_)[i].load(); }
        void store(std::uint64_t i, std::uint64_t value) const noexcept { (*numbers_)[i].store(value); }
        std::uint64_t fetch_add(std::uint64_t i, std::uint64_t delta) const noexcept {
            return (*numbers_)[i].fetch_add(delta);
        }

    private:
        Array* numbers_;
    };

    [[nodiscard]] Handle handle() const noexcept { return Handle(*numbers_); }

private:
    Shared<Array> numbers_;
};

} // namespace bench
