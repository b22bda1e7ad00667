// The hash tables that several benchmarks compare, by the names that these have for them.
#pragma once

#include "abseil.hpp"
#include "cuckoo.hpp"
#include "locked.hpp"
#include "ss.hpp"
#include "tbb.hpp"

#include <absl/container/flat_hash_map.h>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <vector>

namespace bench {

template <class... Policies>
using SsTable = SsWith<ss::HashTable<>, Policies...>;

using StdMap = std::unordered_map<std::string, std::string>;
using AbslMap = absl::flat_hash_map<std::string, std::string>;

/// `contestants`, and behind them the hash tables of a single process, which make(std::type_identity<Adapter>, name, what)
/// makes contestants.
template <class Contestant, class Make>
[[nodiscard]] std::vector<Contestant> beside_those_of_one_process(std::vector<Contestant> contestants, Make make) {
    contestants.push_back(
        make(std::type_identity<TbbHashMap>(), "tbb", "tbb::concurrent_hash_map<std::string, std::string>"));
    contestants.push_back(
        make(std::type_identity<Cuckoo>(), "cuckoo", "libcuckoo::cuckoohash_map<std::string, std::string>"));
    contestants.push_back(make(std::type_identity<Locked<AbslMap, SpinLock>>(), "absl-spin",
                               "absl::flat_hash_map<std::string, std::string> under a spin lock"));
    contestants.back().version = abseil_version();
    contestants.push_back(make(std::type_identity<Locked<StdMap>>(), "std",
                               "std::unordered_map<std::string, std::string> under a std::mutex"));
    return contestants;
}

} // namespace bench
