// open_any with policies of the user's own: a lock, bare and Optimistic, that only the caller knows.
#include <ss/registry.hpp>

#include "support/expect.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <type_traits>

using namespace ss::test;

namespace {

struct Mine : ss::SpinLock {
    static constexpr ss::PolicyId id = ss::policy_id("mine");
};

std::string opened_as(const ss::Pool& pool, const std::string& name) {
    std::string profile;
    ss::open_any(pool, name, ss::policies<Mine>, [&](auto& table) {
        using Table = std::remove_cvref_t<decltype(table)>;
        if (table.at("k") == "v") profile = ss::registry::profile_name<Table>();
    });
    return profile;
}

template <class Lock>
void check(const char* expected) {
    const ss::Pool pool = ss::Pool::anonymous();
    {
        typename ss::HashTable<ss::SimpleAllocator>::template with<Lock> table(pool, "table");
        table.insert("k", "v");
    }
    BOOST_TEST(opened_as(pool, "table") == expected);
    BOOST_TEST(pool.verify<ss::Catalogue<Mine>>().empty());
    BOOST_TEST(pool.objects<ss::Catalogue<Mine>>().at(0).lock == ss::to_string(Lock::id));
    BOOST_TEST(pool.remove_object<ss::Catalogue<Mine>>("table"));
}

} // namespace

BOOST_AUTO_TEST_CASE(mine_and_the_librarys) {
    check<Mine>("SIMPLE mine WYHASH4");
    check<ss::Optimistic<Mine>>("SIMPLE mine+o WYHASH4");
    check<ss::FutexLock>("SIMPLE FUTEX WYHASH4");
}
