// FutexLock, held to what every lock policy must hold.
#include <ss/lock/futex_lock.hpp>

#include "lock/conformance.hpp"

#include <boost/test/unit_test.hpp>

using namespace ss;
using namespace ss::test;

BOOST_AUTO_TEST_CASE(it_conforms) { check_lock_policy<FutexLock>("FutexLock"); }

BOOST_AUTO_TEST_CASE(it_works_across_pid_namespaces) { check_lock_across_pid_namespaces<FutexLock>(); }
