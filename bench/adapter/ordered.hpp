// Walks over maps of std::string to std::string that have iterators.
#pragma once

#include <cstdint>
#include <string>

namespace bench {

template <class Map, class F>
void scan_map(const Map& map, F f) {
    for (const auto& [key, value] : map) f(key, value);
}

template <class Map, class F>
void walk_map(const Map& map, const std::string& from, std::uint64_t steps, F f) {
    for (auto at = map.lower_bound(from); at != map.end() && steps != 0; ++at, --steps) f(at->first, at->second);
}

} // namespace bench
