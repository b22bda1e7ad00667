// The storm, for as many minutes as one likes, over every lock that several sessions can use.
#include "storm/storm.hpp"

#include <boost/hana/for_each.hpp>
#include <boost/hana/length.hpp>

#include <cstdlib>

using namespace ss::test;

BOOST_AUTO_TEST_CASE(for_minutes) {
    const char* const minutes = std::getenv("SS_TORTURE_MINUTES");
    const std::chrono::milliseconds all = std::chrono::minutes(minutes == nullptr ? 1 : std::atoi(minutes));
    const auto share = all / (1 + boost::hana::length(other_storm_tables).value);
    storm<ss::HashTable<>>(share);
    boost::hana::for_each(other_storm_tables, [&](auto type) { storm<typename decltype(type)::type>(share); });
}
