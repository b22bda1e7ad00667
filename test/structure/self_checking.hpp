// Readers and writers of few hot keys. Every value carries a checksum of itself and of its key, so a torn read shows.
#pragma once

#include <ss/registry.hpp>

#include "support/barrier.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>

namespace ss::test {

inline constexpr int hot_keys = 6;

inline std::uint64_t checksum(std::string_view key, std::string_view body) {
    std::uint64_t sum = 0xCBF2'9CE4'8422'2325U;
    for (const std::string_view part : {key, body})
        for (const char c : part) sum = (sum ^ static_cast<unsigned char>(c)) * 0x0000'0100'0000'01B3U;
    return sum;
}

/// A body of random bytes, and behind it its checksum.
inline std::string make_value(std::string_view key, std::mt19937_64& engine) {
    static constexpr std::uint64_t limits[] = {8, 40, 56, 57, 200, 3000};
    std::string value(engine() % limits[engine() % 6], '\0');
    for (char& c : value) c = static_cast<char>(engine());
    const std::uint64_t sum = checksum(key, value);
    value.append(reinterpret_cast<const char*>(&sum), 8);
    return value;
}

inline bool is_whole(std::string_view key, std::string_view value) {
    if (value.size() < 8) return false;
    std::uint64_t sum = 0;
    std::memcpy(&sum, value.data() + value.size() - 8, 8);
    return sum == checksum(key, value.substr(0, value.size() - 8));
}

struct Tally {
    Counter reads{0}, hits{0}, writes{0}, torn{0}, miscounted{0};
    std::atomic<bool> stop{false};
};

/// Writes until told to stop: keys come and go, others make the table grow and shrink. A third of the transactions change
/// all hot keys and throw.
template <class Table>
void write(Table t, Tally& tally, unsigned seed) {
    std::mt19937_64 engine(seed);
    while (!tally.stop) {
        const std::string key = std::to_string(engine() % hot_keys);
        switch (engine() % 8) {
        case 0:
            t.erase(key);
            break;
        case 1:
            for (int i = 0; i < 30; ++i)
                t.insert("more " + std::to_string(i), make_value("more " + std::to_string(i), engine));
            for (int i = 0; i < 30; ++i) t.erase("more " + std::to_string(i));
            break;
        case 2:
            if constexpr (!ss::is_striped<typename Table::lock_policy>) try {
                    ss::transaction(t, [&](auto& tx) {
                        for (int i = 0; i < hot_keys; ++i) t.insert(tx, std::to_string(i), "never to be seen");
                        t.insert(tx, "never", "to be seen");
                        throw 1;
                    });
                } catch (int) {}
            break;
        case 3:
            if (engine() % 8 == 0) t.clear();
            break;
        default:
            t.insert(key, make_value(key, engine));
        }
        ++tally.writes;
    }
}

/// Reads in every way until told to stop.
template <class Table>
void read(const Table& t, Tally& tally) {
    std::string buffer;
    for (std::uint64_t round = 0; !tally.stop; ++round) {
        const std::string key = std::to_string(round % hot_keys);
        if (t.find_into(key, buffer)) {
            ++tally.hits;
            if (!is_whole(key, buffer)) ++tally.torn;
        }
        if (round % 16 == 0)
            for (const auto& [walked, value] : t)
                if (!is_whole(walked, value)) ++tally.torn;
        if (round % 16 == 8) {
            if (t.contains("never")) ++tally.torn;
            if (t.size() > 2 * 30 + hot_keys) ++tally.miscounted;
        }
        if (round % 64 == 32)
            t.visit(key, [&](std::string_view value) {
                if (!is_whole(key, value)) ++tally.torn;
            });
        ++tally.reads;
    }
}

template <class Table>
inline constexpr bool is_null = std::is_base_of_v<ss::NullLock, typename Table::lock_policy>;

inline void check(const Tally& tally, const std::string& profile) {
    BOOST_TEST(tally.torn == 0U);
    BOOST_TEST(tally.miscounted == 0U);
    BOOST_TEST(tally.hits > 20U);
    BOOST_TEST(tally.writes > 20U);
    BOOST_TEST_MESSAGE(profile << ": " << tally.reads << " reads, " << tally.writes << " writes");
}

} // namespace ss::test
