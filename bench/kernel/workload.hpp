// What is done to every contestant: keys, values and their order, all made before anything is timed.
//
// Each phase has its keys in a sequence of its own that is read from front to back: the structure is what misses the
// cache, not the list of what to look for.
#pragma once

#include "keys.hpp"
#include "measure.hpp"
#include "zipf.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <random>
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
    KeySet key_set = KeySet::bytes;
    std::uint64_t key_size = 16; ///< of KeySet::bytes
    std::uint64_t value_size = 32;
    std::uint64_t walks = 0;   ///< from a lower bound on; 0 where there is no order
    unsigned processes = 2;    ///< at most at once, or threads of a contestant that lives in one process
    bool only_inserts = false; ///< and nothing else is prepared
    unsigned rounds = 5;
    Clock clock = Clock::wall;
};

/// A number by which a value is known: what a check adds up. Of few instructions, for they are timed with the look-up.
[[nodiscard]] inline std::uint64_t digest(std::string_view value) noexcept {
    return value.size() + static_cast<unsigned char>(value.front()) + 2UL * static_cast<unsigned char>(value.back());
}

/// What a walk adds up, of keys of 8 bytes or more: another number if an entry is missing, wrong, or out of order.
class WalkSum {
public:
    void add(std::string_view key, std::string_view value) noexcept {
        ++entries_;
        const std::size_t last = key.size() - sizeof(std::uint64_t);
        sum_ = sum_ * 0x9E37'79B9'7F4A'7C15U + word_at(key, last) + word_at(key, last / 2) + digest(value);
    }
    [[nodiscard]] std::uint64_t entries() const noexcept { return entries_; }

    friend bool operator==(const WalkSum&, const WalkSum&) noexcept = default;

private:
    [[nodiscard]] static std::uint64_t word_at(std::string_view key, std::size_t at) noexcept {
        std::uint64_t word = 0;
        std::memcpy(&word, key.data() + at, sizeof word);
        return word;
    }

    std::uint64_t entries_ = 0, sum_ = 0;
};

/// The same for all contestants and all rounds: the seed is fixed.
class Workload {
public:
    /// So many keys are few enough to stay in a core's cache with their records.
    static constexpr std::uint64_t cached_keys = 1000;
    /// Entries that a walk from a lower bound on visits, if there are so many.
    static constexpr std::uint64_t walk_steps = 100;

    explicit Workload(const Settings& settings)
        : settings_(checked(settings)), inserts_(keys(numbers(0))), values_(values()), other_values_(values()) {
        if (settings.only_inserts || settings.key_set == KeySet::none) return;
        hits_ = keys(shuffled());
        misses_ = keys(numbers(settings.keys));
        overwrites_ = keys(shuffled());
        erases_ = keys(shuffled());
        const Zipf zipf(settings.keys);
        for (unsigned worker = 0; worker < settings.processes; ++worker) {
            mixed_[0].push_back(keys(picked(settings.keys, settings.keys)));
            mixed_[1].push_back(keys(picked_by(zipf)));
        }
        dice_.resize(settings.keys);
        for (std::uint8_t& die : dice_) die = static_cast<std::uint8_t>(random_() % 100);
        if (settings.walks != 0) prepare_walks();
    }

    [[nodiscard]] const Settings& settings() const noexcept { return settings_; }

    [[nodiscard]] const Strings& inserts() const noexcept { return inserts_; }
    [[nodiscard]] const Strings& hits() const noexcept { return hits_; }
    [[nodiscard]] const Strings& misses() const noexcept { return misses_; }
    [[nodiscard]] const Strings& overwrites() const noexcept { return overwrites_; }
    [[nodiscard]] const Strings& erases() const noexcept { return erases_; }
    /// Keys picked at random, for one of several workers.
    [[nodiscard]] const Strings& mixed(Picks picks, unsigned worker) const {
        return mixed_.at(static_cast<std::size_t>(picks)).at(worker);
    }
    /// True if operation `i` of a mixed phase with so many reads of a hundred is a read.
    [[nodiscard]] bool is_read(std::uint64_t i, unsigned reads) const noexcept { return dice_[i] < reads; }
    /// Where walks begin: at a key that is there, or at one that is not.
    [[nodiscard]] const Strings& walks() const noexcept { return walks_; }

    [[nodiscard]] std::string_view value(std::uint64_t i) const noexcept { return values_[i % value_count]; }
    [[nodiscard]] std::string_view other_value(std::uint64_t i) const noexcept {
        return other_values_[i % value_count];
    }

    /// The sum of the digests of all values that insert leaves.
    [[nodiscard]] std::uint64_t digest_of_all() const noexcept {
        std::uint64_t sum = 0;
        for (std::uint64_t i = 0; i < settings_.keys; ++i) sum += digest(value(i));
        return sum;
    }
    /// What comes of a walk over all that insert leaves, and of all walks one after the other.
    [[nodiscard]] const WalkSum& sum_of_all() const noexcept { return sum_of_all_; }
    [[nodiscard]] const WalkSum& sum_of_walks() const noexcept { return sum_of_walks_; }

private:
    /// Few, so that reading the values to be written costs next to nothing.
    static constexpr std::uint64_t value_count = 128;

    [[nodiscard]] static const Settings& checked(const Settings& settings) {
        if (settings.keys < cached_keys) throw std::invalid_argument("at least 1000 keys are needed");
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
    [[nodiscard]] Numbers picked(std::uint64_t count, std::uint64_t below) {
        Numbers all(count);
        for (std::uint64_t& number : all) number = random_() % below;
        return all;
    }
    /// Which key is frequent has nothing to do with when it was inserted.
    [[nodiscard]] Numbers picked_by(const Zipf& zipf) {
        Numbers all(settings_.keys);
        for (std::uint64_t& number : all) number = scramble_below(zipf(random_()), settings_.keys);
        return all;
    }

    [[nodiscard]] Strings keys(const Numbers& numbers) const {
        if (settings_.key_set == KeySet::none) return {};
        KeyMaker key(settings_.key_set, settings_.key_size, 2 * settings_.keys);
        Strings all(numbers.size());
        for (const std::uint64_t number : numbers) all.push(key(number));
        return all;
    }

    [[nodiscard]] Strings values() {
        Strings all(value_count);
        std::string value;
        for (std::uint64_t i = 0; i < value_count; ++i) {
            value.clear();
            append_bytes(value, random_(), settings_.value_size);
            all.push(value);
        }
        return all;
    }

    void prepare_walks() {
        Numbers order = numbers(0);
        std::sort(order.begin(), order.end(), [&](auto a, auto b) { return inserts_[a] < inserts_[b]; });
        const auto walk = [&](auto from, std::uint64_t steps, WalkSum& sum) {
            for (; from != order.end() && steps != 0; ++from, --steps) sum.add(inserts_[*from], value(*from));
        };
        walk(order.begin(), order.size(), sum_of_all_);

        walks_ = keys(picked(settings_.walks, 2 * settings_.keys));
        for (std::uint64_t i = 0; i < walks_.count(); ++i)
            walk(std::lower_bound(order.begin(), order.end(), walks_[i],
                                  [&](auto number, std::string_view key) { return inserts_[number] < key; }),
                 walk_steps, sum_of_walks_);
    }

    Settings settings_;
    std::mt19937_64 random_{20'230'817};
    Strings inserts_, hits_, misses_, overwrites_, erases_;
    Strings values_, other_values_;
    std::array<std::vector<Strings>, picks_names.size()> mixed_;
    std::vector<std::uint8_t> dice_;
    Strings walks_;
    WalkSum sum_of_all_, sum_of_walks_;
};

} // namespace bench
