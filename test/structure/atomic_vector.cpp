// AtomicVector in one process: every operation against a model, bits, growth, transactions, refusals, damage.
#include <ss/registry.hpp>
#include <ss/ss.hpp>

#include "support/expect.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>

#include <bit>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

using namespace ss::test;
using ss::AtomicVector;
using ss::errc;
using ss::Word;

namespace {

using Vectors = ss::registry::AsList<std::tuple, decltype(ss::registry::few_atomic_vectors)>;
using Integers =
    std::tuple<AtomicVector<std::int64_t>, AtomicVector<std::uint32_t, ss::SegregatedAllocator, ss::FutexLock>,
               AtomicVector<std::int16_t>, AtomicVector<std::uint8_t, ss::SimpleAllocator, ss::SpinLock>>;

template <class T>
T number(std::mt19937_64& random) {
    if constexpr (std::is_integral_v<T>)
        return static_cast<T>(random());
    else
        return static_cast<T>(static_cast<double>(random() % 1000) / 8); // sums are exact
}

template <class T>
bool same(T a, T b) {
    return std::memcmp(&a, &b, sizeof(T)) == 0;
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

/// The head of the vector called "v".
template <class Vector>
ss::detail::VectorHead& head_of(Vector& vector) {
    const auto object = ss::find_object(vector.domain().core(), "v");
    return vector.domain().region().at(ss::Offset<ss::detail::VectorHead>{object->entry->root[0]});
}

const std::string none = "ss::AtomicVector: there is no element ";

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
    BOOST_TEST(thrown_by([&] { (void)vector.load_bit(model.size()); }).starts_with(none));
    BOOST_TEST(thrown_by([&] { vector.store_bit(~std::uint64_t{0}, true); }).starts_with(none));
    BOOST_TEST(thrown_by([&] { vector.xor_bit(model.size()); }).starts_with(none));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(growth_over_many_segments, Vector, Vectors) {
    using T = typename Vector::value_type;
    const ss::Pool pool = ss::Pool::anonymous();
    Vector vector(pool, "v");
    const auto value_at = [](std::uint64_t index) { return static_cast<T>(index % 101); };
    std::uint64_t size = 0;
    for (const std::uint64_t next : {1, 2, 63, 64, 65, 128, 129, 1000, 70'000, 70'001, 3'000'000}) {
        vector.expand(next);
        BOOST_REQUIRE(vector.size() == next);
        for (std::uint64_t index = size; index < next; ++index)
            if (vector.load(index) != T{}) BOOST_FAIL("a new element is not zero: " << index);
        for (std::uint64_t index = size; index < next; ++index) vector.store(index, value_at(index));
        size = next;
        BOOST_TEST(thrown_by([&] { vector.store(size, T{}); }).starts_with(none));
        BOOST_TEST(thrown_by([&] { vector.store(~std::uint64_t{0}, T{}); }).starts_with(none));
    }
    for (std::uint64_t index = 0; index < size; ++index)
        if (vector.load(index) != value_at(index)) BOOST_FAIL("an element has changed: " << index);
    for (const Word segment : head_of(vector).segments)
        BOOST_TEST((segment == 0 || ss::detail::AlignedBlock::use(segment) % ss::cache_line == 0));
    BOOST_TEST(ss::load(head_of(vector).pending) == 0U);
    BOOST_TEST(wrong_with(pool) == "");
    // Two handles, one object; and one under a name in another domain.
    const Vector again(pool, "v");
    BOOST_TEST((again.size() == size && again.load(size - 1) == value_at(size - 1)));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_large_one_is_made_in_steps, Vector, Vectors) {
    const ss::Pool pool = ss::Pool::anonymous();
    Vector vector(pool, "v");
    const std::uint64_t size = 40 * ss::mebi / sizeof(typename Vector::value_type) + 1; // the last segment has 64 MiB
    vector.expand(size);
    BOOST_TEST(vector.size() == size);
    BOOST_TEST((vector.load(size - 1) == 0));
    BOOST_TEST(wrong_with(vector) == "");
}

BOOST_AUTO_TEST_CASE(half_a_segment_is_gone_on_with) {
    // As if somebody had died after a few steps.
    const ss::Pool pool = ss::Pool::anonymous();
    AtomicVector<std::int64_t> vector(pool, "v");
    vector.expand(10);
    vector.store(9, 9);
    using Domain = ss::Domain<ss::DefaultAllocator, ss::DefaultLock>;
    const auto object = *ss::find_object(vector.domain().core(), "v");
    const std::uint64_t size = 4 * ss::mebi / 8;
    ss::detail::Growth growth;
    int steps = 0;
    const auto step = [&] {
        ++steps;
        return vector.domain().run(
            [&](Domain::Tx& tx) { return ss::detail::VectorExpander<Domain::Tx>(tx, object).step(size, 8, growth); });
    };
    while (!step()) {
        BOOST_TEST((vector.size() == 10U && vector.load(9) == 9));
        BOOST_TEST(wrong_with(pool) == "");
        if (steps == 3) {
            vector.expand(1000); // somebody who wants less
            BOOST_REQUIRE(vector.size() == 1000U);
            break;
        }
    }
    BOOST_TEST(ss::load(head_of(vector).pending) != 0U);
    const std::uint64_t before = vector.stats().domain.bytes_allocated;
    vector.expand(size);
    BOOST_TEST((vector.size() == size && vector.load(9) == 9 && vector.load(size - 1) == 0));
    BOOST_TEST(ss::load(head_of(vector).pending) == 0U);
    BOOST_TEST(vector.stats().domain.bytes_allocated < before + 2 * ss::mebi + 4096 + 64); // what was pending is used
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(as_a_part_of_a_transaction, Vector, Vectors) {
    using Table = ss::HashTable<typename Vector::allocator_policy, typename Vector::lock_policy>;
    const ss::Pool pool = ss::Pool::anonymous();
    Vector vector(pool, "v");
    Table table(pool, "t");
    vector.expand(3);
    const auto expand_to = [&](std::uint64_t size, auto f) {
        ss::transaction(table, [&](auto& tx) {
            table.insert(tx, "size", std::to_string(size));
            vector.expand(tx, size);
            BOOST_TEST(vector.size() == 3U); // not yet
            BOOST_TEST(thrown_by([&] { (void)vector.load(3); }).starts_with(none));
            vector.fetch_add(1, 1); // belongs to no transaction
            vector.expand(2);
            BOOST_TEST(thrown_by([&] { vector.expand(5000); }) == error(errc::would_deadlock));
            f(tx);
        });
    };
    BOOST_TEST(thrown_by([&] { expand_to(1000, [](auto&) { throw std::runtime_error("not so"); }); }) == "not so");
    BOOST_TEST((vector.size() == 3U && !table.contains("size") && vector.load(1) == 1));
    BOOST_TEST(wrong_with(pool) == "");
    expand_to(1000, [&](auto& tx) {
        BOOST_TEST(thrown_by([&] { vector.expand(tx, ~std::uint64_t{0}); }) == error(errc::too_large));
        vector.expand(tx, 2000);
        if constexpr (std::is_integral_v<typename Vector::value_type>) vector.expand_bits(tx, 1);
    });
    BOOST_TEST((vector.size() == 2000U && table.at("size") == "1000" && vector.load(1) == 2));
    BOOST_TEST(vector.load(1999) == 0);
    // Another domain's.
    const ss::Pool other = ss::Pool::anonymous();
    Vector elsewhere(other, "v");
    ss::transaction(table, [&](auto& tx) {
        BOOST_TEST(thrown_by([&] { elsewhere.expand(tx, 1); }) == error(errc::other_domain));
    });
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE(a_size_that_nobody_has_published) {
    // As if somebody had died between the commit and the publishing.
    const ss::Pool pool = ss::Pool::anonymous();
    AtomicVector<int> vector(pool, "v");
    vector.expand(100);
    const auto unpublish = [&] { ss::put(head_of(vector).published, 60); };
    unpublish();
    BOOST_TEST(vector.load(59) == 0);
    BOOST_TEST(ss::load(head_of(vector).published) == 60U);
    BOOST_TEST(thrown_by([&] { (void)vector.load(100); }).starts_with(none));
    BOOST_TEST(ss::load(head_of(vector).published) == 60U);
    BOOST_TEST(vector.load(99) == 0);
    BOOST_TEST(ss::load(head_of(vector).published) == 100U);
    unpublish();
    BOOST_TEST(wrong_with(pool) == "");
    BOOST_TEST(vector.size() == 100U);
    BOOST_TEST(ss::load(head_of(vector).published) == 100U);
    unpublish();
    ss::transaction(vector, [&](auto& tx) {
        BOOST_TEST(vector.size() == 100U);
        unpublish();
        vector.expand(tx, 200);
        BOOST_TEST(vector.size() == 100U);
    });
    BOOST_TEST(vector.size() == 200U);
    // Beside a transaction of this thread on something else.
    ss::put(head_of(vector).published, 60);
    ss::HashTable<> table(pool, "t");
    ss::transaction(table, [&](auto& tx) {
        table.insert(tx, "k", "v");
        BOOST_TEST(vector.load(199) == 0);
    });
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

BOOST_AUTO_TEST_CASE_TEMPLATE(on_a_read_only_pool, Vector, Vectors) {
    const TempDir directory;
    {
        const ss::Pool pool(directory / "pool");
        Vector vector(pool, "v");
        vector.expand(100);
        vector.store(42, 7);
    }
    const ss::Pool pool(directory / "pool", {.access = ss::Access::read_only});
    if constexpr (!ss::is_optimistic<typename Vector::lock_policy>) {
        BOOST_TEST(thrown_by([&] { const Vector vector(pool, "v"); }) == error(errc::read_only));
    } else {
        Vector vector(pool, "v");
        BOOST_TEST((vector.size() == 100U && vector.load(42) == 7 && vector.snapshot()[42] == 7));
        BOOST_TEST(thrown_by([&] { (void)vector.load(100); }).starts_with(none));
        BOOST_TEST(!vector.wait(42, 7, std::chrono::milliseconds(30)));
        BOOST_TEST(vector.wait(42, 6, std::chrono::milliseconds(30)));
        const auto refused = error(errc::read_only);
        typename Vector::value_type expected = 7;
        BOOST_TEST(thrown_by([&] { vector.store(42, 1); }) == refused);
        BOOST_TEST(thrown_by([&] { vector.exchange(42, 1); }) == refused);
        BOOST_TEST(thrown_by([&] { vector.compare_exchange(42, expected, 1); }) == refused);
        BOOST_TEST(thrown_by([&] { vector.fetch_add(42, 1); }) == refused);
        BOOST_TEST(thrown_by([&] { vector.expand(200); }) == refused);
        BOOST_TEST(thrown_by([&] { vector.expand(1); }) == refused);
        BOOST_TEST(thrown_by([&] { vector.notify(42); }) == refused);
        BOOST_TEST(thrown_by([&] { Vector(pool, "w"); }) == error(errc::no_such_object));
        BOOST_TEST((wrong_with(pool) == "" && wrong_with(vector) == "" && vector.stats().size == 100U));
        // Whoever writes goes on beside it.
        const ss::Pool writable(directory / "pool");
        Vector writer(writable, "v");
        writer.expand(5000);
        writer.store(4999, 3);
        BOOST_TEST((vector.size() == 5000U && vector.load(4999) == 3));
        ss::put(head_of(writer).published, 100); // as if he had died on the way
        BOOST_TEST((vector.load(4999) == 3 && vector.size() == 5000U));
        BOOST_TEST(writable.remove_object("v"));
        BOOST_TEST(thrown_by([&] { (void)vector.load(42); }) == error(errc::no_such_object));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(no_room_at_the_nth_growth, Vector, Vectors) {
    static int left = 0;
    for (int n = 1; n < 100; ++n) {
        const ss::Pool pool = ss::Pool::anonymous();
        Vector vector(pool, "v");
        vector.expand(50);
        vector.store(49, 49);
        const std::uint64_t size = 24 * ss::mebi / sizeof(typename Vector::value_type);
        left = n;
        ss::os::refuse =
            +[](ss::os::Call call) { return call == ss::os::Call::fallocate && --left <= 0 ? ENOSPC : 0; };
        const std::string thrown = thrown_by([&] { vector.expand(size); });
        const bool was_refused = left <= 0;
        ss::os::refuse = nullptr;
        if (!was_refused) {
            BOOST_TEST((thrown == "nothing" && vector.size() == size && n > 2));
            break;
        }
        if (thrown != "nothing") {
            BOOST_TEST(thrown == error(errc::out_of_space));
            BOOST_TEST((vector.size() == 50U && vector.load(49) == 49));
            BOOST_TEST(thrown_by([&] { (void)vector.load(50); }).starts_with(none));
        }
        BOOST_TEST(wrong_with(pool) == "");
        vector.expand(size); // goes on
        BOOST_TEST((vector.size() == size && vector.load(49) == 49 && vector.load(size - 1) == 0));
        BOOST_TEST(wrong_with(pool) == "");
    }
}

BOOST_AUTO_TEST_CASE(past_max_size) {
    const ss::Pool pool = ss::Pool::anonymous({.max_size = 4 * ss::mebi});
    AtomicVector<std::uint8_t> vector(pool, "v");
    vector.expand(1'500'000);
    vector.store(1'499'999, 9);
    BOOST_TEST(thrown_by([&] { vector.expand(2'500'000); }) == error(errc::past_max_size));
    BOOST_TEST(thrown_by([&] { vector.expand(1'000'000'000); }) == error(errc::past_max_size));
    BOOST_TEST((vector.size() == 1'500'000U && vector.load(1'499'999) == 9));
    BOOST_TEST(wrong_with(pool) == "");
    vector.expand(2'000'000);
    BOOST_TEST(vector.size() == 2'000'000U);
}

BOOST_AUTO_TEST_CASE(words_of_a_head_that_are_not_what_they_were) {
    const ss::Pool pool = ss::Pool::anonymous();
    AtomicVector<std::uint16_t> vector(pool, "v");
    vector.expand(1000);
    const auto step = [&] {
        using Domain = ss::Domain<ss::DefaultAllocator, ss::DefaultLock>;
        const auto object = *ss::find_object(vector.domain().core(), "v");
        ss::detail::Growth growth;
        return vector.domain().run([&](Domain::Tx& tx) {
            return ss::detail::VectorExpander<Domain::Tx>(tx, object).step(4'000'000, 2, growth);
        });
    };
    while (ss::load(head_of(vector).pending) == 0) BOOST_REQUIRE(!step());
    // In a child: whatever becomes of it, it ends well.
    Process child([&] {
        const Watchdog dog(200, "damage");
        const auto attempt = [](auto f) {
            try {
                f();
            } catch (const ss::Error&) {
            } catch (const std::out_of_range&) {}
        };
        ss::detail::VectorHead& head = head_of(vector);
        const ss::detail::VectorHead right = head;
        auto* const words = reinterpret_cast<Word*>(&head);
        const std::size_t reserved = offsetof(ss::detail::VectorHead, reserved) / 8;
        const std::size_t waits = offsetof(ss::detail::VectorHead, waits) / 8;
        for (std::size_t i = 0; i < sizeof head / 8; ++i)
            for (const Word value :
                 {Word{0}, ~Word{0}, words[i] ^ 1, words[i] ^ Word{1} << 20, words[i] ^ Word{1} << 61, words[i] + 64,
                  words[i] / 2, Word{1} << 47, Word{1} << 62}) {
                const Word before = words[i];
                if (value == before) continue;
                words[i] = value;
                const bool may_be_anything = (i >= reserved && i < reserved + 6) || i >= waits;
                const bool fewer = &words[i] == &head.published && value < before; // an expander may have died
                if (!may_be_anything && !fewer && pool.verify().empty())
                    BOOST_ERROR("verify does not see word " << i << " as " << value);
                // No writing where it would go astray; but looking, at every segment.
                for (const std::uint64_t index : {0ULL, 31ULL, 32ULL, 511ULL, 999ULL, 1000ULL, 5000ULL, 1ULL << 40,
                                                  1ULL << 52, 1ULL << 62, ~0ULL})
                    attempt([&] { (void)vector.load(index); });
                attempt([&] { (void)vector.size(); });
                attempt([&] { (void)vector.snapshot(); });
                attempt([&] { (void)vector.verify(); });
                attempt([&] { (void)vector.stats(); });
                attempt([&] { (void)AtomicVector<std::uint16_t>(pool, "v").load(999); });
                std::memcpy(static_cast<void*>(&head), &right, sizeof head);
            }
        // Bytes past the last element.
        ss::detail::element_at<std::uint16_t>(vector.domain().region(), head, 1001) = 1;
        BOOST_TEST(wrong_with(pool).find("is not zero past the last element") != std::string::npos);
        ss::detail::element_at<std::uint16_t>(vector.domain().region(), head, 1001) = 0;
        BOOST_TEST(wrong_with(pool) == "");
    });
    child.expect_clean();
}
