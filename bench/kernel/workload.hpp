// What is done to every contestant's table: keys, values and their order, all made before anything is timed.
//
// A key is the image of its number under a bijection, so no two are the same, and the numbers past the last key give
// keys that are missing. Each phase has its keys in a sequence of its own that is read from front to back: the table is
// what misses the cache, not the list of what to look for.
#pragma once

#include <cstdint>
#include <cstring>
#include <numeric>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {

/// What time is told by where one works alone. The others' time is the processor's only if nobody takes it away.
enum class Clock {
    wall,
    processor, ///< of the thread: also right on a machine that is busy with other things, caches apart
};

struct Settings {
    std::uint64_t keys = 1'000'000;
    std::uint64_t key_size = 16;
    std::uint64_t value_size = 32;
    unsigned workers = 2; ///< in the phases that have several
    unsigned rounds = 5;
    Clock clock = Clock::wall;
};

/// Byte strings of one size, side by side.
class Strings {
public:
    Strings(std::uint64_t count, std::uint64_t size) : size_(size), bytes_(count * size) {}

    [[nodiscard]] std::uint64_t count() const noexcept { return bytes_.size() / size_; }
    [[nodiscard]] std::string_view operator[](std::uint64_t i) const noexcept { return {at(i), size_}; }
    [[nodiscard]] std::span<char> operator[](std::uint64_t i) noexcept { return {bytes_.data() + i * size_, size_}; }

private:
    [[nodiscard]] const char* at(std::uint64_t i) const noexcept { return bytes_.data() + i * size_; }

    std::uint64_t size_;
    std::vector<char> bytes_;
};

/// The last step of splitmix64 (S. Vigna): a bijection of 64 bits that leaves no trace of the order.
[[nodiscard]] constexpr std::uint64_t scramble(std::uint64_t x) noexcept {
    x = (x ^ (x >> 30)) * 0xBF58'476D'1CE4'E5B9U;
    x = (x ^ (x >> 27)) * 0x94D0'49BB'1331'11EBU;
    return x ^ (x >> 31);
}

/// A number by which a value is known: what a check adds up. Of few instructions, for they are timed with the look-up.
[[nodiscard]] inline std::uint64_t digest(const std::string& value) noexcept {
    return value.size() + static_cast<unsigned char>(value.front()) + 2UL * static_cast<unsigned char>(value.back());
}

/// The same for all contestants and all rounds: the seed is fixed.
class Workload {
public:
    /// So many keys are few enough to stay in a core's cache with their records.
    static constexpr std::uint64_t cached_keys = 1000;

    explicit Workload(const Settings& settings)
        : settings_(checked(settings)), inserts_(keys(numbers(0))), hits_(keys(shuffled())),
          misses_(keys(numbers(settings.keys))), overwrites_(keys(shuffled())), erases_(keys(shuffled())),
          values_(value_count, settings.value_size), other_values_(value_count, settings.value_size) {
        for (Strings* const values : {&values_, &other_values_})
            for (std::uint64_t i = 0; i < value_count; ++i) fill((*values)[i], random_());
        for (unsigned worker = 0; worker < settings.workers; ++worker) mixed_.push_back(keys(picked()));
        dice_.resize(settings.keys);
        for (std::uint8_t& die : dice_) die = static_cast<std::uint8_t>(random_() % 100);
    }

    [[nodiscard]] const Settings& settings() const noexcept { return settings_; }

    [[nodiscard]] const Strings& inserts() const noexcept { return inserts_; }
    [[nodiscard]] const Strings& hits() const noexcept { return hits_; }
    [[nodiscard]] const Strings& misses() const noexcept { return misses_; }
    [[nodiscard]] const Strings& overwrites() const noexcept { return overwrites_; }
    [[nodiscard]] const Strings& erases() const noexcept { return erases_; }
    /// Keys picked at random, each as likely as the others, for one of several workers.
    [[nodiscard]] const Strings& mixed(unsigned worker) const { return mixed_.at(worker); }
    /// True if operation `i` of a mixed phase with so many reads of a hundred is a read.
    [[nodiscard]] bool is_read(std::uint64_t i, unsigned reads) const noexcept { return dice_[i] < reads; }

    [[nodiscard]] std::string_view value(std::uint64_t i) const noexcept { return values_[i % value_count]; }
    [[nodiscard]] std::string_view other_value(std::uint64_t i) const noexcept {
        return other_values_[i % value_count];
    }

    /// The sum of the digests of all values that insert leaves.
    [[nodiscard]] std::uint64_t digest_of_all() const noexcept {
        std::uint64_t sum = 0;
        for (std::uint64_t i = 0; i < settings_.keys; ++i) sum += digest(std::string(value(i)));
        return sum;
    }

private:
    /// Few, so that reading the values to be written costs next to nothing.
    static constexpr std::uint64_t value_count = 128;

    [[nodiscard]] static const Settings& checked(const Settings& settings) {
        if (settings.keys < cached_keys) throw std::invalid_argument("at least 1000 keys are needed");
        if (settings.key_size < sizeof(std::uint64_t)) throw std::invalid_argument("a key needs 8 bytes or more");
        if (settings.value_size == 0) throw std::invalid_argument("a value needs a byte or more");
        return settings;
    }

    using Numbers = std::vector<std::uint64_t>;

    [[nodiscard]] Numbers numbers(std::uint64_t first) const {
        Numbers all(settings_.keys);
        std::iota(all.begin(), all.end(), first);
        return all;
    }
    [[nodiscard]] Numbers shuffled() {
        Numbers all = numbers(0);
        // Not std::shuffle, whose result is each library's own.
        for (std::uint64_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[random_() % i]);
        return all;
    }
    [[nodiscard]] Numbers picked() {
        Numbers all(settings_.keys);
        for (std::uint64_t& number : all) number = random_() % settings_.keys;
        return all;
    }

    [[nodiscard]] Strings keys(const Numbers& numbers) const {
        Strings all(numbers.size(), settings_.key_size);
        for (std::uint64_t i = 0; i < numbers.size(); ++i) fill(all[i], numbers[i]);
        return all;
    }

    /// The bytes that belong to a number: its image, and what follows from that.
    static void fill(std::span<char> bytes, std::uint64_t number) noexcept {
        std::uint64_t word = scramble(number);
        for (std::size_t at = 0; at < bytes.size(); at += sizeof word, word = scramble(word + 1)) {
            const std::size_t left = bytes.size() - at;
            std::memcpy(bytes.data() + at, &word, left < sizeof word ? left : sizeof word);
        }
    }

    Settings settings_;
    std::mt19937_64 random_{20'230'817};
    Strings inserts_, hits_, misses_, overwrites_, erases_;
    Strings values_, other_values_;
    std::vector<Strings> mixed_;
    std::vector<std::uint8_t> dice_;
};

} // namespace bench
