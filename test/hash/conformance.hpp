// What every hash policy must hold. A new policy joins with
//
//     BOOST_AUTO_TEST_CASE(my_hash_conforms) { ss::test::check_hash_policy<MyHash>(); }
//
// and adds its known answers. All inputs are fixed, so a policy that passes once passes always. The bounds are in
// standard deviations from what a fair coin, or a fair die, would do: the worst cell of a good hash lies near 4.
#pragma once

#include <ss/hash/concept.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ss::test {

inline constexpr double hash_bound = 6.0;

/// Fixed pseudorandom words (splitmix64: S. Vigna after G. Steele, D. Lea and C. Flood).
class FixedWords {
public:
    explicit FixedWords(std::uint64_t start) : state_(start) {}

    std::uint64_t operator()() {
        std::uint64_t word = state_ += 0x9E37'79B9'7F4A'7C15U;
        word = (word ^ word >> 30) * 0xBF58'476D'1CE4'E5B9U;
        word = (word ^ word >> 27) * 0x94D0'49BB'1331'11EBU;
        return word ^ word >> 31;
    }

    std::string bytes(std::size_t size) {
        std::string text(size, '\0');
        for (char& byte : text) byte = static_cast<char>((*this)() >> 56);
        return text;
    }

private:
    std::uint64_t state_;
};

inline constexpr HashSeed some_seed{0x0123'4567'89AB'CDEFU, 0xF00D'BABE'5EED'C0DEU};

/// The seeds that a policy is looked at with: the fixed one alone if it takes none.
template <class H>
[[nodiscard]] std::vector<HashSeed> seeds_of() {
    return H::seeded ? std::vector<HashSeed>{{}, some_seed} : std::vector<HashSeed>{{}};
}

/// `prefix` and the decimal digits of `number`, `width` of them: "key0000042", what keys look like in life.
struct TextKeys {
    std::string_view prefix;
    std::size_t width;

    std::string operator()(std::uint64_t number) const {
        std::string key(prefix);
        key.append(width, '0');
        for (std::size_t i = key.size(); number != 0; number /= 10) key[--i] = static_cast<char>('0' + number % 10);
        return key;
    }
};

/// The eight bytes of a counter, from the lowest: what keys look like that were numbers.
struct NumberKeys {
    std::string operator()(std::uint64_t number) const {
        std::string key(8, '\0');
        for (std::size_t i = 0; i < 8; ++i, number >>= 8) key[i] = static_cast<char>(number & 0xFF);
        return key;
    }
};

/// For each of 64 bits, how many of the words that were added had it set. All 64 counted at once: plane k holds bit k
/// of every counter.
class BitCounters {
public:
    void add(std::uint64_t word) {
        for (std::size_t k = 0; word != 0 && k < std::size(planes_); ++k) {
            const std::uint64_t carry = planes_[k] & word;
            planes_[k] ^= word;
            word = carry;
        }
    }

    [[nodiscard]] std::uint64_t count(unsigned bit) const {
        std::uint64_t sum = 0;
        for (std::size_t k = 0; k < std::size(planes_); ++k) sum |= (planes_[k] >> bit & 1) << k;
        return sum;
    }

    /// The bit that was furthest from set half of the time among `total` words, in standard deviations.
    [[nodiscard]] double worst(std::uint64_t total) const {
        const double half = static_cast<double>(total) / 2, deviation = std::sqrt(static_cast<double>(total)) / 2;
        double worst = 0;
        for (unsigned bit = 0; bit < 64; ++bit)
            worst = std::max(worst, std::abs(static_cast<double>(count(bit)) - half) / deviation);
        return worst;
    }

private:
    std::uint64_t planes_[32] = {};
};

/// Flips each bit of `count` keys and looks how often each bit of the hash flips with it. The worst pair of bits, in
/// standard deviations from half of the time. `make_key(number)` makes keys that all have the size of the first; they
/// lie so far apart that a flip hardly ever makes another of them, since a pair that counts twice is no new evidence.
template <class H, class MakeKey>
[[nodiscard]] double worst_avalanche(MakeKey make_key, const HashSeed& seed, std::uint64_t count = 4096) {
    std::vector<BitCounters> counters(8 * make_key(0).size());
    for (std::uint64_t number = 0; number < count; ++number) {
        std::string key = make_key(number);
        const std::uint64_t hash = H::hash(key, seed);
        for (std::size_t bit = 0; bit < counters.size(); ++bit) {
            const auto flip = static_cast<char>(1 << bit % 8);
            key[bit / 8] = static_cast<char>(key[bit / 8] ^ flip);
            counters[bit].add(hash ^ H::hash(key, seed));
            key[bit / 8] = static_cast<char>(key[bit / 8] ^ flip);
        }
    }
    double worst = 0;
    for (const BitCounters& counter : counters) worst = std::max(worst, counter.worst(count));
    return worst;
}

/// The same for the bits of the seed's first word.
template <class H>
[[nodiscard]] double worst_seed_avalanche(std::string_view key, std::uint64_t count = 4096) {
    std::vector<BitCounters> counters(64);
    FixedWords words(3);
    for (std::uint64_t number = 0; number < count; ++number) {
        const HashSeed seed{words(), words()};
        for (unsigned bit = 0; bit < 64; ++bit)
            counters[bit].add(H::hash(key, seed) ^ H::hash(key, {seed.first ^ std::uint64_t{1} << bit, seed.second}));
    }
    double worst = 0;
    for (const BitCounters& counter : counters) worst = std::max(worst, counter.worst(count));
    return worst;
}

template <class H, class MakeKey>
[[nodiscard]] std::vector<std::uint64_t> hashes_of_sequence(MakeKey make_key, const HashSeed& seed,
                                                            std::uint64_t count = std::uint64_t{1} << 18) {
    std::vector<std::uint64_t> hashes;
    hashes.reserve(count);
    for (std::uint64_t number = 0; number < count; ++number) hashes.push_back(H::hash(make_key(number), seed));
    return hashes;
}

/// Chi-square of `hashes` thrown into 2^bits boxes by the bits from `shift` on, in standard deviations above what
/// chance gives. Below it is no fault: a table does not mind keys that spread too evenly.
[[nodiscard]] inline double crowding(const std::vector<std::uint64_t>& hashes, unsigned shift, unsigned bits) {
    std::vector<std::uint32_t> boxes(std::size_t{1} << bits);
    for (const std::uint64_t hash : hashes) ++boxes[hash >> shift & (boxes.size() - 1)];
    const double expected = static_cast<double>(hashes.size()) / static_cast<double>(boxes.size());
    double chi_square = 0;
    for (const std::uint32_t box : boxes) chi_square += (box - expected) * (box - expected) / expected;
    const double freedom = static_cast<double>(boxes.size() - 1);
    return (chi_square - freedom) / std::sqrt(2 * freedom);
}

[[nodiscard]] inline std::size_t distinct(std::vector<std::uint64_t> words) {
    std::sort(words.begin(), words.end());
    return static_cast<std::size_t>(std::unique(words.begin(), words.end()) - words.begin());
}

/// A function of the bytes and the seed, of all of them, and of nothing else.
template <class H>
void check_hash_is_a_function(const HashSeed& seed) {
    BOOST_TEST(H::hash(std::string_view(), seed) == H::hash(std::string_view("x", 0), seed));

    FixedWords words(1);
    std::vector<std::uint64_t> hashes_of_zeros;
    for (std::size_t size = 0; size <= 300; ++size) {
        // In a block of exactly its size, for AddressSanitizer to see reads beyond.
        const auto key = std::make_unique<char[]>(size);
        hashes_of_zeros.push_back(H::hash({key.get(), size}, seed));
        std::memcpy(key.get(), words.bytes(size).data(), size);
        const std::uint64_t hash = H::hash({key.get(), size}, seed);

        bool same_everywhere = true, every_byte_counts = true;
        for (std::size_t offset = 0; offset < 16; ++offset) {
            std::string around = words.bytes(size + 32);
            around.replace(offset, size, key.get(), size);
            same_everywhere &= H::hash(std::string_view(around).substr(offset, size), seed) == hash;
        }
        for (std::size_t i = 0; i < size; ++i) {
            key[i] = static_cast<char>(key[i] ^ 0x10);
            every_byte_counts &= H::hash({key.get(), size}, seed) != hash;
            key[i] = static_cast<char>(key[i] ^ 0x10);
        }
        BOOST_TEST_CONTEXT("a key of " << size << " bytes") {
            BOOST_TEST(same_everywhere);
            BOOST_TEST(every_byte_counts);
            BOOST_TEST(H::hash({key.get(), size}, seed) == hash);
        }
    }
    BOOST_TEST(distinct(hashes_of_zeros) == hashes_of_zeros.size());
}

/// The seed matters exactly if the policy says so.
template <class H>
void check_hash_seed() {
    FixedWords words(2);
    for (std::size_t size = 0; size <= 300; ++size) {
        const std::string key = words.bytes(size);
        const HashSeed other{words(), words()};
        BOOST_TEST_CONTEXT("a key of " << size << " bytes")
        BOOST_TEST((H::hash(key, {}) != H::hash(key, other)) == H::seeded);
    }
    if constexpr (H::seeded)
        for (const std::string_view key : {"", "ab", "12345678", "a key of 16 byte", "a key of somewhat more bytes"})
            BOOST_TEST_CONTEXT("the key '" << key << "'") BOOST_TEST(worst_seed_avalanche<H>(key) < hash_bound);
}

/// Each bit of the key moves each bit of the hash half of the time: for random bytes, for digits, and for numbers.
template <class H>
void check_hash_avalanche(const HashSeed& seed) {
    const auto random = [](std::uint64_t number) { return FixedWords(number * 1000); };
    const auto digits = [&](TextKeys keys, std::uint64_t limit) {
        return [=](std::uint64_t number) { return keys(random(number)() % limit); };
    };
    BOOST_TEST(worst_avalanche<H>([&](std::uint64_t n) { return random(n).bytes(8); }, seed) < hash_bound);
    BOOST_TEST(worst_avalanche<H>([&](std::uint64_t n) { return random(n).bytes(16); }, seed) < hash_bound);
    BOOST_TEST(worst_avalanche<H>(digits({"k", 7}, 10'000'000), seed) < hash_bound);
    BOOST_TEST(worst_avalanche<H>(digits({"user:", 11}, 100'000'000'000), seed) < hash_bound);
    BOOST_TEST(worst_avalanche<H>([&](std::uint64_t n) { return NumberKeys()(random(n)() >> 32); }, seed) <
               hash_bound);
}

/// Keys that differ in a few digits, as keys in life do, spread over buckets and tags and all between.
template <class H>
void check_hash_spread(const HashSeed& seed) {
    const auto check = [&](const char* name, auto make_key) {
        const std::vector<std::uint64_t> hashes = hashes_of_sequence<H>(make_key, seed);
        BOOST_TEST_CONTEXT(name) {
            BOOST_TEST(distinct(hashes) == hashes.size());
            BOOST_TEST(crowding(hashes, 0, 10) < hash_bound);  // a thousand buckets
            BOOST_TEST(crowding(hashes, 48, 16) < hash_bound); // tags
            for (unsigned shift = 0; shift < 48; shift += 8)
                BOOST_TEST_CONTEXT("bits from " << shift) BOOST_TEST(crowding(hashes, shift, 16) < hash_bound);
        }
    };
    check("text keys of 10 bytes", TextKeys{"key", 7});
    check("text keys of 16 bytes", TextKeys{"user:", 11});
    check("text keys of 32 bytes", TextKeys{"session/user/", 19});
    check("numbers of 8 bytes", NumberKeys{});
}

/// All of it. Takes about a second.
template <HashPolicy H>
void check_hash_policy() {
    check_hash_seed<H>();
    for (const HashSeed& seed : seeds_of<H>()) {
        BOOST_TEST_CONTEXT("seed " << seed.first << ", " << seed.second) {
            check_hash_is_a_function<H>(seed);
            check_hash_avalanche<H>(seed);
            check_hash_spread<H>(seed);
        }
    }
}

} // namespace ss::test
