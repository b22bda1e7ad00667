// Adding to a value.
#pragma once

#include <ss/structure/prefix_tree/tagged.hpp>

#include <concepts>
#include <cstdint>
#include <string>
#include <variant>

namespace ss::inline v0::detail {

/// What a value is when `delta`, an int64 or a double, has been added; `delta` where there is none (0). Integers wrap.
/// Throws wrong_type. Under the lock.
template <class T>
[[nodiscard]] T added(const Region& region, const ValueRef& value, T delta) {
    if (value.word == 0) return delta;
    const StoredValue stored(region, value);
    const ValueView view = stored.view();
    const T* const old = std::get_if<T>(&view);
    if (old == nullptr)
        throw_error(errc::wrong_type, "the value is of type " + std::string(to_string(stored.type())) +
                                          ", what is added of type " +
                                          std::string(to_string(type_of(ValueView(delta)))));
    if constexpr (std::integral<T>)
        return static_cast<T>(static_cast<std::uint64_t>(*old) + static_cast<std::uint64_t>(delta));
    else
        return *old + delta;
}

} // namespace ss::inline v0::detail
