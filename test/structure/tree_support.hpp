// What the tests of PrefixTree share: keys, values, and what a tree holds and looks like.
#pragma once

#include <ss/ss.hpp>

#include <boost/test/unit_test.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <ostream>
#include <regex>
#include <sstream>
#include <string>
#include <string_view>

namespace ss::test {

using TreeContents = std::map<std::string, Value>;

/// The head of the tree of that name.
inline detail::TreeHead& tree_head(const DomainCore& domain, std::string_view name) {
    const ObjectRef object = find_object(domain, name).value();
    return domain.region().at(Offset<detail::TreeHead>{load(object.entry->root[detail::tree_head_root])});
}

/// Bytes that differ from place to place, from 0 to 255.
inline std::string tree_bytes(std::size_t size, unsigned seed = 0) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 + i / 251 + seed);
    return text;
}

/// A number whose order is that of its bytes.
inline std::string big_endian(std::uint64_t number, unsigned size = 8) {
    std::string text(size, '\0');
    for (unsigned i = 0; i < size; ++i) text[i] = static_cast<char>(number >> (8 * (size - 1 - i)));
    return text;
}

/// The same type and the same bits, so that a NaN is itself and -0.0 is not 0.0.
inline bool is_same(const Value& a, const Value& b) {
    if (a.index() != b.index()) return false;
    if (const auto* real = std::get_if<double>(&a))
        return std::bit_cast<std::uint64_t>(*real) == std::bit_cast<std::uint64_t>(std::get<double>(b));
    return a == b;
}

inline bool is_same(const TreeContents& a, const TreeContents& b) {
    if (a.size() != b.size()) return false;
    for (auto i = a.begin(), j = b.begin(); i != a.end(); ++i, ++j)
        if (i->first != j->first || !is_same(i->second, j->second)) return false;
    return true;
}

/// By a walk, which has to be in order.
template <class Tree>
TreeContents tree_contents(const Tree& tree) {
    TreeContents all;
    for (const auto& [key, value] : tree) {
        if (!all.empty() && key <= all.rbegin()->first) BOOST_ERROR("the walk came to " + key + " out of order");
        all.emplace_hint(all.end(), key, value);
    }
    return all;
}

template <class Tree>
std::string printed(const Tree& tree) {
    std::ostringstream out;
    tree.print(out);
    return out.str();
}

/// One step back. (std::prev takes these iterators for ones that only go forwards.)
template <class Iterator>
Iterator one_back(Iterator it) {
    --it;
    return it;
}

/// What a tree looks like, but for how large each node is.
template <class Tree>
std::string structure_of(const Tree& tree) {
    return std::regex_replace(printed(tree), std::regex("(Node)[0-9]+( of [0-9]+)/[0-9]+"), "$1$2");
}

/// Does nothing until all garbage has been freed.
template <class Tree>
void drain(Tree& tree) {
    const std::string none = "a key that nobody has";
    for (int i = 0; i < 1'000'000 && tree.stats().garbage_bytes != 0; ++i) tree.erase(none);
    BOOST_TEST(tree.stats().garbage_bytes == 0U);
}

} // namespace ss::test
