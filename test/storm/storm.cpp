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

template <class Lock>
using With = ss::HashTable<>::with<Lock>;

} // namespace

BOOST_AUTO_TEST_CASE(the_default_profile) { storm<ss::HashTable<>>(all_of_it() / 2); }

BOOST_AUTO_TEST_CASE(every_other_lock) {
    const auto share = all_of_it() / 10;
    storm<With<ss::SpinLock>>(share);
    storm<With<ss::FutexLock>>(share);
    storm<With<ss::RobustMutex>>(share);
    storm<ss::HashTable<ss::SimpleAllocator, ss::Optimistic<ss::SpinLock>, ss::Fnv1a64>>(share);
    storm<ss::HashTable<ss::LogarithmicAllocator, ss::Optimistic<ss::RobustMutex>, ss::SipHash13>>(share);
}
