// The keys: what the image of a number is, in each set of keys.
//
// A key is the image of its number under an injection, so no two are the same, and the numbers past the last key give
// keys that are missing. The order of the numbers leaves no trace in the order of the keys.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// The sets of keys.
enum class KeySet {
    bytes,  ///< random, of one size
    digits, ///< 16 of them, random
    paths,  ///< of files, about 37 bytes: a random half of all files of a tree, the other half is missing
    none,   ///< for structures without keys
};

inline constexpr std::array<const char*, 4> key_set_names = {"bytes", "digits", "paths", "none"};

[[nodiscard]] constexpr const char* name_of(KeySet set) noexcept {
    return key_set_names[static_cast<std::size_t>(set)];
}

/// Byte strings side by side.
class Strings {
public:
    Strings() = default;
    explicit Strings(std::uint64_t count) { ends_.reserve(count + 1); }

    [[nodiscard]] std::uint64_t count() const noexcept { return ends_.size() - 1; }
    [[nodiscard]] std::string_view operator[](std::uint64_t i) const noexcept {
        return {bytes_.data() + ends_[i], ends_[i + 1] - ends_[i]};
    }

    void push(std::string_view string) {
        bytes_.insert(bytes_.end(), string.begin(), string.end());
        ends_.push_back(bytes_.size());
    }

private:
    std::vector<char> bytes_;
    std::vector<std::uint64_t> ends_ = {0}; ///< of the string before, which is where one begins
};

/// The last step of splitmix64 (S. Vigna), of numbers of so many bits: a bijection that leaves no trace of the order.
[[nodiscard]] constexpr std::uint64_t scramble(std::uint64_t x, int bits = 64) noexcept {
    const std::uint64_t mask = ~std::uint64_t{0} >> (64 - bits);
    x = (x ^ (x >> (bits * 30 / 64))) * 0xBF58'476D'1CE4'E5B9U & mask;
    x = (x ^ (x >> (bits * 27 / 64))) * 0x94D0'49BB'1331'11EBU & mask;
    return x ^ (x >> (bits * 31 / 64));
}

/// A bijection of the numbers below `bound`, of which x is one: scrambled until it is one again.
[[nodiscard]] constexpr std::uint64_t scramble_below(std::uint64_t x, std::uint64_t bound) noexcept {
    const auto bits = static_cast<int>(std::bit_width(bound - 1));
    do x = scramble(x, bits);
    while (x >= bound);
    return x;
}

/// So many random bytes that belong to a number: its image, and what follows from that.
inline void append_bytes(std::string& out, std::uint64_t number, std::uint64_t size) {
    std::uint64_t word = scramble(number);
    for (std::uint64_t at = 0; at < size; at += sizeof word, word = scramble(word + 1)) {
        const std::uint64_t left = size - at;
        out.append(reinterpret_cast<const char*>(&word), left < sizeof word ? left : sizeof word);
    }
}

/// What makes keys of numbers below `numbers`.
class KeyMaker {
public:
    /// `size` is for KeySet::bytes alone.
    KeyMaker(KeySet set, std::uint64_t size, std::uint64_t numbers) : set_(set), size_(size), numbers_(numbers) {
        if (set == KeySet::bytes && size < sizeof(std::uint64_t))
            throw std::invalid_argument("a key needs 8 bytes or more");
    }

    /// The view holds until the next call.
    [[nodiscard]] std::string_view operator()(std::uint64_t number) {
        key_.clear();
        switch (set_) {
        case KeySet::bytes:
            append_bytes(key_, number, size_);
            break;
        case KeySet::digits:
            key_ = std::to_string(scramble_below(number, digits_bound));
            key_.insert(0, 16 - key_.size(), '0');
            break;
        case KeySet::paths:
            append_path(scramble_below(number, numbers_));
            break;
        case KeySet::none:
            break;
        }
        return key_;
    }

private:
    static constexpr std::uint64_t digits_bound = 10'000'000'000'000'000U;

    /// The path of a file: 128 in each directory, 256 directories of each user.
    void append_path(std::uint64_t file) {
        const auto take = [&file](std::uint64_t choices) {
            const std::uint64_t choice = file % choices;
            file /= choices;
            return choice;
        };
        static constexpr std::array<std::string_view, 16> names = {
            "archive", "binaries", "cache",   "config", "data",   "docs",    "images",    "include",
            "lib",     "logs",     "modules", "public", "shared", "sources", "templates", "tests"};
        const std::string_view name = names[take(names.size())];
        const char version = static_cast<char>('0' + take(8));
        const std::string_view inner = names[take(names.size())], outer = names[take(names.size())];
        key_ += "/home/user";
        key_ += std::to_string(file);
        for (const std::string_view part : {outer, inner, name}) {
            key_ += '/';
            key_ += part;
        }
        key_ += '_';
        key_ += version;
        key_ += ".txt";
    }

    KeySet set_;
    std::uint64_t size_, numbers_;
    std::string key_;
};

} // namespace bench
