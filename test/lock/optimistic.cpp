// Optimistic<L> locks as L does, and says in its id that its readers do not. And the two ways to call a policy.
#include <ss/lock/futex_lock.hpp>
#include <ss/lock/locker.hpp>
#include <ss/lock/null_lock.hpp>
#include <ss/lock/optimistic.hpp>
#include <ss/lock/robust_mutex.hpp>
#include <ss/lock/spin_lock.hpp>

#include "lock/user.hpp"
#include "support/temp_dir.hpp"

#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>

#include <set>

using namespace ss;
using namespace ss::test;

using Locks = boost::mpl::list<FutexLock, SpinLock, RobustMutex, NullLock>;

BOOST_AUTO_TEST_CASE_TEMPLATE(it_is_its_lock_with_another_id, L, Locks) {
    using O = Optimistic<L>;
    static_assert(LockPolicy<L> && LockPolicy<O>);
    static_assert(is_optimistic<O> && !is_optimistic<L>);
    static_assert(needs_initialize<O> == needs_initialize<L>);
    static_assert(O::id == with_flag(L::id, 'o') && O::fingerprint == L::fingerprint);
    BOOST_TEST(to_string(O::id) == to_string(L::id) + "+o");
    // Both are one lock, to each other too.
    const TempDir directory;
    LockUser<L> plain(directory / "pool");
    LockUser<O> same(plain.pool());
    BOOST_TEST(text(same.acquire()) == "acquired");
    BOOST_TEST(plain.owner() == same.token());
    same.release();
    BOOST_TEST(text(plain.acquire()) == "acquired");
    plain.release();
}

BOOST_AUTO_TEST_CASE(ids_and_fingerprints_differ) {
    const std::set<PolicyId> ids = {FutexLock::id, SpinLock::id, RobustMutex::id, NullLock::id};
    BOOST_TEST(ids.size() == 4U);
    static_assert(needs_initialize<RobustMutex> && !needs_initialize<FutexLock>);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(by_pointers_it_is_the_same, L, Locks) {
    const TempDir directory;
    LockUser<L> user(directory / "pool");
    Attachment& attachment = *user.pool().attachment();
    constexpr const AnyLocker& any = any_locker<L>;
    any.prepare(attachment, user.slot());
    BOOST_TEST(any.owner(user.slot()) == 0U);
    BOOST_TEST(text(any.try_acquire(user.slot(), user.session())) == "acquired");
    BOOST_TEST(any.owner(user.slot()) == user.token());
    BOOST_TEST(user.owner() == user.token());
    any.release(user.slot(), user.session());
    BOOST_TEST(text(any.acquire_until(user.slot(), user.session(), Deadline::max())) == "acquired");
    any.release(user.slot(), user.session());
}
