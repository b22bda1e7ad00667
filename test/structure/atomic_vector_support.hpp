// What the tests of AtomicVector share: how one is compared with a model, and its head.
#pragma once

#include <ss/registry.hpp>
#include <ss/ss.hpp>

#include <cstdint>
#include <cstring>
#include <string>
#include <tuple>
#include <type_traits>

namespace ss::test {

/// Every element and every policy once.
using Vectors = registry::AsList<std::tuple, decltype(registry::few_atomic_vectors)>;

/// Each kind of element that has another width, as far as its profile matters.
using Integers = std::tuple<AtomicVector<std::int64_t>, AtomicVector<std::uint32_t, SegregatedAllocator, FutexLock>,
                            AtomicVector<std::int16_t>, AtomicVector<std::uint8_t, SimpleAllocator, SpinLock>>;

template <class T>
bool same(T a, T b) {
    return std::memcmp(&a, &b, sizeof(T)) == 0;
}

/// The head of the vector called "v".
template <class Vector>
detail::VectorHead& head_of(Vector& vector) {
    const auto object = find_object(vector.domain().core(), "v");
    return vector.domain().region().at(Offset<detail::VectorHead>{object->entry->root[0]});
}

/// How it begins, what is thrown for an index past the end.
inline const std::string no_element = "ss::AtomicVector: there is no element ";

} // namespace ss::test
