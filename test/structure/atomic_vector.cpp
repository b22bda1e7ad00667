// AtomicVector in one process: every operation on elements and bits against a model, what is refused, and removal.
#include "structure/atomic_vector_support.hpp"
#include "support/expect.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

BOOST_AUTO_TEST_SUITE(structure_atomic_vector)

using namespace ss::test;
using ss::AtomicVector;
using ss::errc;
using ss::Word;

namespace {

template <class T>
T number(std::mt19937_64& random) {
    if constexpr (std::is_integral_v<T>)
        return static_cast<T>(random());
    else
        return static_cast<T>(static_cast<double>(random() % 1000) / 8); // sums are exact
}

/// Without a promotion: T and T make T, and integers wrap.
template <class T>
T sum(T a, T b, bool minus = false) {
    if constexpr (std::is_integral_v<T>) {
        const auto x = static_cast<std::uint64_t>(a), y = static_cast<std::uint64_t>(b);
        return static_cast<T>(minus ? x - y : x + y);
    } else {
        return minus ? a - b : a + b;
    }
}

} // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(every_operation_against_a_model, Vector, Vectors) {
    using T = typename Vector::value_type;
    const ss::Pool pool = ss::Pool::anonymous();
    Vector vector(pool, "v");
    std::vector<T> model;
    std::mt19937_64 random(1);
    BOOST_TEST((vector.empty() && vector.snapshot().empty()));
    for (int i = 0; i < 20'000; ++i) {
        if (i % 1000 == 0) {
            const std::size_t size = model.size() + random() % 40;
            vector.expand(size);
            model.resize(size);
            vector.expand(size / 2); // never less
            BOOST_REQUIRE(vector.size() == size);
        }
        const Vector other = vector;
        const std::uint64_t index = random() % model.size();
        T& mine = model[index];
        const T before = mine, value = number<T>(random);
        bool fine = true;
        switch (random() % 9) {
        case 0:
            fine = same(vector.load(index), mine);
            break;
        case 1:
            vector.store(index, mine = value);
            break;
        case 2:
            fine = same(vector.exchange(index, mine = value), before);
            break;
        case 3: {
            T expected = random() % 2 == 0 ? mine : value;
            const bool is_equal = same(expected, mine);
            const T desired = number<T>(random);
            fine = vector.compare_exchange(index, expected, desired) == is_equal && same(expected, before);
            if (is_equal) mine = desired;
            break;
        }
        case 4:
            mine = sum(before, value);
            fine = same(vector.fetch_add(index, value), before);
            break;
        case 5:
            mine = sum(before, value, true);
            fine = same(vector.fetch_sub(index, value), before);
            break;
        default:
            if constexpr (std::is_integral_v<T>) {
                const auto which = random() % 3;
                mine = static_cast<T>(which == 0 ? before & value : which == 1 ? before | value : before ^ value);
                fine = (which == 0   ? other.fetch_and(index, value)
                        : which == 1 ? other.fetch_or(index, value)
                                     : other.fetch_xor(index, value)) == before;
            }
        }
        if (!fine || !same(other.load(index), mine)) BOOST_FAIL("wrong at operation " << i);
    }
    const std::vector<T> all = vector.snapshot();
    BOOST_TEST((all.size() == model.size() && std::memcmp(all.data(), model.data(), all.size() * sizeof(T)) == 0));
    std::uint64_t next = 0;
    vector.for_each([&](std::uint64_t index, T value) {
        if (index != next++ || !same(value, model[index])) BOOST_ERROR("for_each is wrong at " << index);
    });
    BOOST_TEST(next == model.size());
    BOOST_TEST((wrong_with(pool) == "" && wrong_with(vector) == ""));
    BOOST_TEST(vector.stats().size == model.size());
    BOOST_TEST(vector.stats().bytes_allocated == pool.objects().at(0).bytes);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(integers_wrap, Vector, Integers) {
    using T = typename Vector::value_type;
    const ss::Pool pool = ss::Pool::anonymous();
    Vector vector(pool, "v");
    vector.expand(2);
    vector.store(0, std::numeric_limits<T>::max());
    BOOST_TEST((vector.fetch_add(0, T{1}) == std::numeric_limits<T>::max()));
    BOOST_TEST((vector.load(0) == std::numeric_limits<T>::min()));
    BOOST_TEST((vector.fetch_sub(0, T{1}) == std::numeric_limits<T>::min()));
    BOOST_TEST((vector.load(0) == std::numeric_limits<T>::max()));
    BOOST_TEST((vector.load(1) == 0)); // no neighbour is touched
}

BOOST_AUTO_TEST_CASE(reals_are_compared_by_their_bits) {
    const ss::Pool pool = ss::Pool::anonymous();
    AtomicVector<double> vector(pool, "v");
    vector.expand(1);
    double expected = -0.0;
    BOOST_TEST(!vector.compare_exchange(0, expected, 1));
    BOOST_TEST(!std::signbit(expected));
    vector.store(0, std::numeric_limits<double>::quiet_NaN());
    expected = std::numeric_limits<double>::quiet_NaN();
    BOOST_TEST(!vector.wait(0, expected, std::chrono::milliseconds(1))); // the same NaN
    BOOST_TEST(vector.compare_exchange(0, expected, 2.5));
    BOOST_TEST(vector.wait(0, expected, std::chrono::milliseconds(1)));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(bit_0_is_the_most_significant_one, Vector, Integers) {
    using T = typename Vector::value_type;
    constexpr std::uint64_t bits = 8 * sizeof(T);
    const ss::Pool pool = ss::Pool::anonymous();
    Vector vector(pool, "v");
    vector.expand_bits(1);
    BOOST_TEST((vector.size() == 1U && vector.bits() == bits));
    vector.expand_bits(bits);
    BOOST_TEST(vector.size() == 1U);
    vector.expand_bits(bits + 1);
    BOOST_TEST((vector.size() == 2U && vector.bits() == 2 * bits));

    BOOST_TEST(!vector.store_bit(0, true));
    BOOST_TEST((vector.load(0) == static_cast<T>(std::uint64_t{1} << (bits - 1))));
    BOOST_TEST(vector.store_bit(0, true));
    BOOST_TEST(!vector.store_bit(bits - 1, true));
    BOOST_TEST((vector.load(0) == static_cast<T>((std::uint64_t{1} << (bits - 1)) + 1)));
    BOOST_TEST(vector.store_bit(0, false));
    BOOST_TEST(!vector.store_bit(0, false));
    BOOST_TEST((vector.load(0) == 1));
    BOOST_TEST(vector.xor_bit(bits)); // what it is now
    BOOST_TEST(!vector.xor_bit(bits));
    BOOST_TEST(!vector.xor_bit(bits - 1));

    vector.expand_bits(2000);
    std::vector<bool> model(vector.bits());
    std::mt19937_64 random(2);
    for (int i = 0; i < 20'000; ++i) {
        const std::uint64_t bit = random() % model.size();
        const bool value = random() % 2 == 0, before = model[bit];
        bool fine = vector.load_bit(bit) == before;
        if (random() % 2 == 0) {
            model[bit] = value;
            fine &= vector.store_bit(bit, value) == before;
        } else {
            model[bit] = !before;
            fine &= vector.xor_bit(bit) == !before;
        }
        if (!fine) BOOST_FAIL("wrong at bit " << bit);
    }
    // The same as a string of bits from the left.
    for (std::uint64_t index = 0; index < vector.size(); ++index) {
        std::uint64_t word = 0;
        for (std::uint64_t bit = 0; bit < bits; ++bit) word = word << 1 | (model[index * bits + bit] ? 1U : 0U);
        if (vector.load(index) != static_cast<T>(word)) BOOST_ERROR("element " << index << " is not its bits");
    }
    BOOST_TEST(thrown_by([&] { (void)vector.load_bit(model.size()); }).starts_with(no_element));
    BOOST_TEST(thrown_by([&] { vector.store_bit(~std::uint64_t{0}, true); }).starts_with(no_element));
    BOOST_TEST(thrown_by([&] { vector.xor_bit(model.size()); }).starts_with(no_element));
}

BOOST_AUTO_TEST_CASE(refusals) {
    const ss::Pool pool = ss::Pool::anonymous();
    AtomicVector<std::int64_t> vector(pool, "v");
    BOOST_TEST(thrown_by([&] { vector.expand((std::uint64_t{1} << 44) + 1); }) == error(errc::too_large));
    BOOST_TEST(thrown_by([&] { vector.expand(~std::uint64_t{0}); }) == error(errc::too_large));
    BOOST_TEST(thrown_by([&] { vector.expand(std::uint64_t{1} << 44); }) == error(errc::past_max_size));
    BOOST_TEST(thrown_by([&] { vector.expand_bits(~std::uint64_t{0}); }) == error(errc::too_large));
    BOOST_TEST((vector.size() == 0U && wrong_with(pool) == ""));
    const auto other = [&]<class T>(T) { return sentence_of([&] { AtomicVector<T>(pool, "v"); }); };
    for (const std::string& sentence :
         {other(std::uint64_t{}), other(std::int32_t{}), other(std::uint8_t{}), other(double{}), other(float{})})
        BOOST_TEST(sentence.find("is an AtomicVector of int64, asked for was one of ") != std::string::npos,
                   sentence);
    BOOST_TEST(other(float{}).find("float32") != std::string::npos);
    BOOST_TEST(other(static_cast<long long>(0)) == ""); // the same kind
    BOOST_TEST(thrown_by([&] { ss::HashTable<>(pool, "v"); }) == error(errc::other_type));
    BOOST_TEST(thrown_by([&] { AtomicVector<int>(pool, ""); }) == error(errc::invalid_argument));
    BOOST_TEST(thrown_by([&] { AtomicVector<int>(pool, std::string(121, 'n')); }) == error(errc::name_too_long));
    BOOST_TEST(thrown_by([&] { AtomicVector<int>::with<ss::SpinLock>(pool, "w"); }) == error(errc::other_policies));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_removed_vector, Vector, Vectors) {
    const ss::Pool pool = ss::Pool::anonymous();
    Vector vector(pool, "v");
    vector.expand(10);
    vector.store(3, 1);
    BOOST_TEST(pool.remove_object("v"));
    const auto gone = error(errc::no_such_object);
    const auto check = [&] {
        BOOST_TEST(thrown_by([&] { (void)vector.load(3); }) == gone);
        BOOST_TEST(thrown_by([&] { vector.store(3, 1); }) == gone);
        BOOST_TEST(thrown_by([&] { vector.fetch_add(3, 1); }) == gone);
        BOOST_TEST(thrown_by([&] { vector.expand(100); }) == gone);
        BOOST_TEST(thrown_by([&] { vector.expand(1); }) == gone);
        BOOST_TEST(thrown_by([&] { (void)vector.size(); }) == gone);
        BOOST_TEST(thrown_by([&] { (void)vector.snapshot(); }) == gone);
        BOOST_TEST(thrown_by([&] { (void)vector.verify(); }) == gone);
        BOOST_TEST(thrown_by([&] { vector.notify(3); }) == gone);
        BOOST_TEST(thrown_by([&] { (void)vector.wait(3, 1, std::chrono::seconds(1)); }) == gone);
        BOOST_TEST(thrown_by([&] { ss::transaction(vector, [&](auto& tx) { vector.expand(tx, 100); }); }) == gone);
    };
    check();
    Vector again(pool, "v");
    check();
    BOOST_TEST(again.empty());
    again.expand(5);
    BOOST_TEST((again.load(3) == 0));
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_SUITE_END()
