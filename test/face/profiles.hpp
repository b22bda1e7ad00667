// What tests of the registry say of types: what a structure is called, and whether a list has it.
#pragma once

#include <ss/registry.hpp>

#include <concepts>
#include <string>

namespace ss::test {

/// The profile of a structure, and what it is of if it is a vector: "SEGREG FUTEX+o", "SEGREG FUTEX+o of int64".
template <class Structure>
[[nodiscard]] std::string name_of() {
    std::string name = registry::profile_name<Structure>();
    if constexpr (requires { typename Structure::value_type; })
        if constexpr (AtomicElement<typename Structure::value_type>)
            name += " of " + detail::element_name(detail::element_code<typename Structure::value_type>);
    return name;
}

namespace of_list {

template <class... Ts>
struct OneOf {
    template <class T>
    static constexpr bool is = (std::same_as<T, Ts> || ...);
};

} // namespace of_list

/// One of a tuple of `hana::type`s.
template <class T, class Types>
concept OneOf = registry::AsList<of_list::OneOf, Types>::template is<T>;

} // namespace ss::test
