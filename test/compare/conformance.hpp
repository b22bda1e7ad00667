// What every comparison policy must hold. A new policy joins with
//
//     BOOST_AUTO_TEST_CASE(my_order_conforms) { ss::test::check_compare_policy<MyOrder>(); }
//
// and, where its order is of something within the items, some items of its own: check_compare_policy<MyOrder>(items).
// All inputs are fixed, so a policy that passes once passes always.
#pragma once

#include <ss/compare/concept.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ss::test {

/// Strings in which an order may go wrong: the empty one, beginnings of each other, all bytes, zeros, those at which a
/// signed comparison differs from an unsigned one, numbers of 8 bytes, text, random bytes of many lengths.
[[nodiscard]] inline std::vector<std::string> strings_to_compare() {
    std::vector<std::string> strings = {"", std::string(1, '\0'), std::string(2, '\0'), "a", "ab", "abc", "b", "B"};
    for (const char c : {'\x01', '\x7f', '\x80', '\xff'}) {
        strings.emplace_back(1, c);
        strings.push_back("prefix" + std::string(1, c));
        strings.push_back(std::string(1, c) + "suffix");
    }
    for (std::uint64_t number : {0U, 1U, 255U, 256U, 0x7FFF'FFFFU, 0x8000'0000U}) {
        std::string little(8, '\0');
        for (char& byte : little) {
            byte = static_cast<char>(number & 0xFF);
            number >>= 8;
        }
        strings.push_back(little);
        strings.emplace_back(little.rbegin(), little.rend());
    }
    std::uint64_t state = 1;
    const auto random = [&] {
        state = state * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
        return state >> 33;
    };
    for (int i = 0; i < 80; ++i) {
        std::string bytes(random() % 40, '\0');
        // Of few bytes, so that many are equal for a while; half of them of all.
        for (char& byte : bytes) byte = static_cast<char>(i % 2 == 0 ? random() % 3 * 127 : random());
        strings.push_back(bytes);
    }
    for (int i = 0; i < 40; ++i)
        strings.push_back(std::to_string(random() % 50) + " " + std::to_string(random() % 9));
    return strings;
}

/// The answers of a policy about all pairs of some strings.
class Comparisons {
public:
    template <class C>
    static Comparisons of(const std::vector<std::string>& strings) {
        Comparisons all(strings.size());
        for (std::size_t i = 0; i < strings.size(); ++i)
            for (std::size_t j = 0; j < strings.size(); ++j)
                all.answers_[i * all.size_ + j] = C::less(strings[i], strings[j]);
        return all;
    }

    [[nodiscard]] bool less(std::size_t i, std::size_t j) const { return answers_[i * size_ + j]; }
    [[nodiscard]] bool same(std::size_t i, std::size_t j) const { return !less(i, j) && !less(j, i); }

    friend bool operator==(const Comparisons&, const Comparisons&) = default;

private:
    explicit Comparisons(std::size_t size) : size_(size), answers_(size * size) {}

    std::size_t size_;
    std::vector<bool> answers_;
};

/// How often each law of a strict weak order is broken.
struct BrokenLaws {
    std::uint64_t irreflexive = 0; ///< nothing comes before itself
    std::uint64_t asymmetric = 0;  ///< of two at most one comes before the other
    std::uint64_t transitive = 0;  ///< what comes before what comes before c, comes before c
    std::uint64_t same = 0;        ///< and to be neither before nor after is transitive, too

    [[nodiscard]] std::uint64_t all() const noexcept { return irreflexive + asymmetric + transitive + same; }
};

[[nodiscard]] inline BrokenLaws broken_laws(const Comparisons& c, std::size_t size) {
    BrokenLaws broken;
    for (std::size_t i = 0; i < size; ++i) {
        broken.irreflexive += c.less(i, i);
        for (std::size_t j = 0; j < size; ++j) {
            broken.asymmetric += i != j && c.less(i, j) && c.less(j, i);
            const bool is_less = c.less(i, j), is_same = c.same(i, j);
            for (std::size_t k = 0; k < size; ++k) {
                broken.transitive += is_less && c.less(j, k) && !c.less(i, k);
                broken.same += is_same && c.same(j, k) && !c.same(i, k);
            }
        }
    }
    return broken;
}

/// True if the answers depend on the bytes alone: not on where they lie, on what lies around them, or on how often it was
/// asked. The strings lie in blocks of exactly their size, for AddressSanitizer to see reads beyond.
template <class C>
[[nodiscard]] bool depends_on_bytes_alone(const std::vector<std::string>& strings, const Comparisons& expected) {
    bool same = Comparisons::of<C>(strings) == expected;
    for (std::size_t i = 0; i < strings.size(); ++i)
        for (std::size_t j = 0; j < strings.size(); ++j) {
            const std::string &a = strings[i], &b = strings[j];
            const auto exact = std::make_unique<char[]>(a.size());
            std::memcpy(exact.get(), a.data(), a.size());
            const std::size_t shift = (i + j) % 16;
            const std::string around = std::string(shift, '\xFF') + b + std::string(9, '\xFF');
            same &= C::less({exact.get(), a.size()}, std::string_view(around).substr(shift, b.size())) ==
                    expected.less(i, j);
        }
    return same;
}

/// All of it, for strings of all kinds and `more` of the policy's own. Takes about a tenth of a second.
template <ComparePolicy C>
void check_compare_policy(const std::vector<std::string>& more = {}) {
    std::vector<std::string> strings = strings_to_compare();
    strings.insert(strings.end(), more.begin(), more.end());
    const auto comparisons = Comparisons::of<C>(strings);
    const BrokenLaws broken = broken_laws(comparisons, strings.size());
    BOOST_TEST(broken.irreflexive == 0U);
    BOOST_TEST(broken.asymmetric == 0U);
    BOOST_TEST(broken.transitive == 0U);
    BOOST_TEST(broken.same == 0U);
    BOOST_TEST(depends_on_bytes_alone<C>(strings, comparisons));
    BOOST_TEST(C::less(std::string_view(), std::string_view("x", 0)) == false);
    // An order in which all is the same is one, and of no use.
    bool any = false;
    for (std::size_t i = 0; i < strings.size(); ++i) any |= comparisons.less(i, strings.size() / 2);
    for (std::size_t i = 0; i < strings.size(); ++i) any |= comparisons.less(strings.size() / 2, i);
    BOOST_TEST(any);
}

} // namespace ss::test
