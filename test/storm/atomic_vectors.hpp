// The part that vectors have in a storm, in the domain of its tables.
//
//     "meter"    grows all the while, and is added to by all; each writes down in memory of his own how often
//     "own"      an element for each worker: he writes down what it is after each addition, so whoever takes his place when
//                he was killed finds that number there, or one more, and the next one exactly
//     "bits"     as many as workers in each element; each turns over his own, which nobody else changes
//     "brief"    made, grown, added to and removed, while others are at it
#pragma once

#include <ss/ss.hpp>

#include "support/expect.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <random>

namespace ss::test {

/// What those who add write down; it outlives them.
template <unsigned workers>
struct StormVectorTally {
    std::atomic<std::uint64_t> metered{0};                ///< additions that returned
    std::array<std::atomic<std::int64_t>, workers> own{}; ///< what each has made of his own
};

/// The vectors of a pool, in the profile of a table.
template <class Table, unsigned workers>
class StormVectors {
    template <class T>
    using Vector = AtomicVector<T, typename Table::allocator_policy, typename Table::lock_policy>;
    using Tally = StormVectorTally<workers>;
    static_assert(workers == 8, "\"bits\" has a bit for each");

    static constexpr std::uint64_t meter_size = 60'000, bits_size = 20, apart = 8;

public:
    explicit StormVectors(const Pool& pool)
        : pool_(pool), meter_(pool, "meter"), own_(pool, "own"), bits_(pool, "bits") {}

    void begin() {
        meter_.expand(1);
        own_.expand(workers * apart);
        bits_.expand(bits_size);
    }

    /// For whoever takes a worker's place: settles what the last one had begun.
    void take_over(unsigned worker, Tally& tally, std::atomic<std::uint64_t>& wrong) {
        const std::int64_t found = own_.load(worker * apart), known = tally.own.at(worker);
        if (found != known && found != known + 1) ++wrong;
        tally.own.at(worker) = found;
    }

    /// Something; counts what it finds wrong.
    void work(std::mt19937& random, unsigned worker, Tally& tally, std::atomic<std::uint64_t>& wrong) {
        const auto below = [&](std::uint64_t limit) { return random() % limit; };
        switch (below(8)) {
        case 0:
        case 1: {
            const std::int64_t before = own_.fetch_add(worker * apart, 1);
            if (before != tally.own.at(worker)) ++wrong;
            tally.own.at(worker) = before + 1;
            own_.notify(worker * apart);
            break;
        }
        case 2:
        case 3: {
            const std::uint64_t size = meter_.size();
            meter_.fetch_add(below(2) == 0 ? size - 1 : below(size), 1);
            ++tally.metered;
            break;
        }
        case 4:
            if (const std::uint64_t size = meter_.size(); size < meter_size) {
                meter_.expand(size + 1 + below(size / 50 + 2));
                if (meter_.size() <= size) ++wrong;
            }
            break;
        case 5: {
            const std::uint64_t index = below(bits_size), bit = index * 8 + worker;
            const bool before = bits_.load_bit(bit);
            if (bits_.xor_bit(bit) == before) ++wrong;
            if (bits_.store_bit(bit, false) == before) ++wrong;
            break;
        }
        case 6: {
            const std::uint64_t other = below(workers) * apart;
            const std::int64_t seen = own_.load(other);
            if (own_.wait(other, seen, std::chrono::milliseconds(below(2))) && own_.load(other) <= seen) ++wrong;
            break;
        }
        default:
            if (below(20) == 0) come_and_go(below(300) + 1);
        }
    }

    /// What must be true when all is quiet, of so many additions that returned and so many workers that were killed.
    void check(const Tally& tally, std::uint64_t kills) {
        BOOST_TEST((wrong_with(meter_) == "" && wrong_with(own_) == "" && wrong_with(bits_) == ""));
        std::uint64_t metered = 0;
        for (const std::uint64_t count : meter_.snapshot()) metered += count;
        BOOST_TEST(metered >= tally.metered);
        BOOST_TEST(metered <= tally.metered + kills);
        for (unsigned worker = 0; worker < workers; ++worker) {
            const std::int64_t known = tally.own.at(worker), found = own_.load(worker * apart);
            BOOST_TEST((found == known || found == known + 1));
            BOOST_TEST((own_.load(worker * apart + 1) == 0)); // nobody's
        }
    }

private:
    void come_and_go(std::uint64_t size) {
        try {
            Vector<std::uint16_t> brief(pool_, "brief");
            brief.expand(size);
            for (std::uint64_t index = 0; index < size; ++index) brief.fetch_add(index, 1);
            (void)pool_.remove_object("brief");
        } catch (const Error& error) {
            if (error.code() != errc::no_such_object) throw; // somebody else was first
        }
    }

    Pool pool_;
    Vector<std::uint64_t> meter_;
    Vector<std::int64_t> own_;
    Vector<std::uint8_t> bits_;
};

} // namespace ss::test
