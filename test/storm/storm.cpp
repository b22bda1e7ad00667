// The storm over the default profile and, for a share of the time, over each other lock. NullLock has no place in it: it
// is for one session.
#include "storm/storm.hpp"

#include <cstdlib>

using namespace ss::test;

namespace {

/// Seconds in all: SS_STORM_SECONDS, 20 unless told otherwise.
std::chrono::milliseconds all_of_it() {
    const char* const seconds = std::getenv("SS_STORM_SECONDS");
    return std::chrono::seconds(seconds == nullptr ? 20 : std::atoi(seconds));
}

} // namespace

BOOST_AUTO_TEST_CASE(the_default_profile) { storm<ss::HashTable<>>(all_of_it() / 2); }

BOOST_AUTO_TEST_CASE(every_other_lock) {
    boost::hana::for_each(other_storm_tables,
                          [](auto type) { storm<typename decltype(type)::type>(all_of_it() / 10); });
}
