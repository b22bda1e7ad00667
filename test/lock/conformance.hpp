// What every lock policy must hold. A policy of your own joins with
//
//     BOOST_AUTO_TEST_CASE(my_lock_conforms) { ss::test::check_lock_policy<MyLock>("MyLock"); }
//     BOOST_AUTO_TEST_CASE(my_lock_in_namespaces) { ss::test::check_lock_across_pid_namespaces<MyLock>(); }
//
// which takes about seven seconds, and prints how soon the lock was taken over from killed owners. The second is skipped
// where namespaces cannot be made. Each part can be called by itself.
#pragma once

#include <ss/lock/concept.hpp>

#include "lock/basics.hpp"
#include "lock/death.hpp"
#include "lock/living.hpp"
#include "support/watchdog.hpp"

#include <string_view>

namespace ss::test {

template <LockPolicy L>
void check_lock_policy(std::string_view name) {
    const Watchdog dog(100, name);
    check_lock_states<L>();
    check_lock_deadlines<L>();
    check_lock_threads<L>();
    check_lock_exclusion<L>();
    check_lock_takeover<L>(name);
    check_lock_killed_waiters<L>();
    check_lock_storm<L>();
    check_lock_living_owners<L>();
}

} // namespace ss::test
