// The registry: every profile of the library's own policies, by type and by name, and opening what a pool says it is. The few
// profiles are opened here, for each takes its time to compile; torture/open_any.cpp opens all of them.
#include <ss/registry.hpp>

#include "face/profiles.hpp"
#include "support/expect.hpp"

#include <boost/hana/size.hpp>
#include <boost/hana/value.hpp>
#include <boost/test/unit_test.hpp>

#include <concepts>
#include <set>
#include <string>
#include <type_traits>

using namespace ss::test;
using ss::errc;
namespace hana = boost::hana;

namespace {

/// A lock that the caller of open_any knows, and others that he does not.
struct Known : ss::SpinLock {
    static constexpr ss::PolicyId id = ss::policy_id("known");
};
struct Mine : ss::SpinLock {
    static constexpr ss::PolicyId id = ss::policy_id("mine");
};
struct OlderMine : ss::SpinLock {
    static constexpr std::uint64_t fingerprint = ss::SpinLock::fingerprint + 1;
};
/// A lock that will not go with SimpleAllocator.
struct Picky : ss::SpinLock {
    static constexpr ss::PolicyId id = ss::policy_id("picky");
};
struct MyHash : ss::Fnv1a64 {
    static constexpr ss::PolicyId id = ss::policy_id("myhash");
};

} // namespace

template <class Hash>
inline constexpr bool ss::registry::compatible<ss::SimpleAllocator, Picky, Hash> = false;

namespace {

/// What opened_as is made for: the few profiles, and those of the lock Known.
template <class Structure>
concept OpenedHere = OneOf<Structure, decltype(ss::registry::few_hash_tables)> ||
    OneOf<Structure, decltype(ss::registry::few_prefix_trees)> ||
    (std::same_as<typename Structure::allocator_policy, ss::SimpleAllocator>&&
         std::same_as<typename ss::registry::detail::Bare<typename Structure::lock_policy>::type, Known>);

/// The profile that open_any opens the object with, if it has keys.
std::string opened_as(const ss::Pool& pool, const std::string& name) {
    std::string profile;
    ss::open_any(
        pool, name, ss::policies<Known>,
        [&]<OpenedHere Structure>(Structure & structure) requires requires { structure.at("k"); } {
            if (structure.at("k") == decltype(structure.at("k"))("v"))
                profile = ss::registry::profile_name<Structure>();
        });
    return profile;
}

} // namespace

BOOST_AUTO_TEST_CASE(the_product_has_each_profile_once) {
    std::set<std::string> names;
    hana::for_each(ss::registry::hash_tables,
                   [&](auto type) { names.insert(ss::registry::profile_name<typename decltype(type)::type>()); });
    BOOST_TEST(names.size() == 3U * 8U * 3U);
    BOOST_TEST(hana::value(hana::size(ss::registry::hash_tables)) == names.size());
    for (const std::string& name : names) BOOST_TEST(name.find("none") == std::string::npos);
    // The few have each policy at least once.
    std::set<std::string> allocators, locks, hashes;
    hana::for_each(ss::registry::few_hash_tables, [&](auto type) {
        using Table = typename decltype(type)::type;
        BOOST_TEST(names.contains(ss::registry::profile_name<Table>()));
        allocators.insert(ss::to_string(Table::allocator_policy::id));
        locks.insert(ss::to_string(ss::registry::detail::Bare<typename Table::lock_policy>::type::id));
        hashes.insert(ss::to_string(Table::hash_policy::id));
    });
    BOOST_TEST((allocators.size() == 3U && locks.size() == 4U && hashes.size() == 3U));
}

BOOST_AUTO_TEST_CASE(policies_that_do_not_fit_are_left_out) {
    constexpr auto tables = ss::registry::hash_tables_of(ss::registry::allocators, hana::tuple_t<Picky, ss::SpinLock>,
                                                         hana::tuple_t<ss::Fnv1a64>);
    std::set<std::string> names;
    hana::for_each(tables,
                   [&](auto type) { names.insert(ss::registry::profile_name<typename decltype(type)::type>()); });
    BOOST_TEST((names == std::set<std::string>{"LOGARIT picky FNV1A64", "SEGREG picky FNV1A64", "SIMPLE SPIN FNV1A64",
                                               "LOGARIT SPIN FNV1A64", "SEGREG SPIN FNV1A64"}));
}

BOOST_AUTO_TEST_CASE(with_exchanges_one_policy) {
    using Table = ss::HashTable<>;
    static_assert(
        std::same_as<Table::with<ss::SpinLock>, ss::HashTable<ss::DefaultAllocator, ss::SpinLock, ss::DefaultHash>>);
    static_assert(std::same_as<Table::with<ss::SimpleAllocator>::with<ss::SipHash13>,
                               ss::HashTable<ss::SimpleAllocator, ss::DefaultLock, ss::SipHash13>>);
    static_assert(std::same_as<Table::with<Mine>::lock_policy, Mine>);
    static_assert(std::same_as<Table::with<ss::DefaultHash>, Table>);
}

BOOST_AUTO_TEST_CASE(profiles_by_name) {
    std::string found;
    const bool known =
        ss::registry::with_profile(ss::registry::few_hash_tables, "SIMPLE", "ROBUST", "SIP13", [&](auto type) {
            found = ss::registry::profile_name<typename decltype(type)::type>();
        });
    BOOST_TEST((known && found == "SIMPLE ROBUST SIP13"));
    BOOST_TEST(!ss::registry::with_profile(ss::registry::few_hash_tables, "SIMPLE", "ROBUST", "none",
                                           [](auto) { BOOST_ERROR("called for a profile that there is not"); }));
}

BOOST_AUTO_TEST_CASE(every_few_profile_is_opened_as_what_it_is) {
    hana::for_each(ss::registry::few_hash_tables, [](auto type) {
        using Table = typename decltype(type)::type;
        const ss::Pool pool = ss::Pool::anonymous();
        { Table(pool, "table").insert("k", "v"); }
        BOOST_TEST(opened_as(pool, "table") == ss::registry::profile_name<Table>());
        BOOST_TEST(wrong_with(pool) == "");
        const auto objects = pool.objects();
        BOOST_REQUIRE(objects.size() == 1U);
        BOOST_TEST(objects[0].allocator + " " + objects[0].lock + " " + objects[0].hash ==
                   ss::registry::profile_name<Table>());
        // Every other of them is refused by name.
        hana::for_each(ss::registry::few_hash_tables, [&](auto other) {
            using Other = typename decltype(other)::type;
            if constexpr (!std::same_as<Table, Other>)
                BOOST_TEST(thrown_by([&] { const Other wrong(pool, "table"); }) == error(errc::other_policies));
        });
    });
}

BOOST_AUTO_TEST_CASE(a_lock_of_the_users_own_is_found_bare_and_optimistic) {
    const auto check = []<class Lock>(Lock*, const char* expected) {
        const ss::Pool pool = ss::Pool::anonymous();
        {
            ss::HashTable<ss::SimpleAllocator, Lock> table(pool, "table");
            table.insert("k", "v");
        }
        BOOST_TEST(opened_as(pool, "table") == expected);
        BOOST_TEST(pool.verify<ss::Catalogue<Known>>().empty());
        BOOST_TEST(pool.objects<ss::Catalogue<Known>>().at(0).lock == ss::to_string(Lock::id));
        BOOST_TEST(pool.remove_object<ss::Catalogue<Known>>("table"));
    };
    check(static_cast<Known*>(nullptr), "SIMPLE known WYHASH4");
    check(static_cast<ss::Optimistic<Known>*>(nullptr), "SIMPLE known+o WYHASH4");
}

BOOST_AUTO_TEST_CASE(what_is_unknown_is_named) {
    const ss::Pool empty = ss::Pool::anonymous();
    BOOST_TEST(thrown_by([&] { opened_as(empty, "table"); }) == error(errc::no_such_object));
    const auto refused = [](auto* table_type, const char* part) {
        using Table = std::remove_pointer_t<decltype(table_type)>;
        const ss::Pool pool = ss::Pool::anonymous();
        { Table(pool, "table").insert("k", "v"); }
        BOOST_TEST(thrown_by([&] { opened_as(pool, "table"); }) == error(errc::unknown_policy));
        const std::string said = sentence_of([&] { opened_as(pool, "table"); });
        BOOST_TEST(said.find(part) != std::string::npos, said);
    };
    refused(static_cast<ss::HashTable<>::with<Mine>*>(nullptr), "lock mine");
    refused(static_cast<ss::HashTable<>::with<ss::Optimistic<Mine>>*>(nullptr), "lock mine+o");
    refused(static_cast<ss::HashTable<>::with<OlderMine>*>(nullptr), "lock SPIN"); // another layout or meaning
    refused(static_cast<ss::HashTable<>::with<MyHash>*>(nullptr), "hash myhash");
    // Of verify and the like as well; and a Catalogue that has it knows it.
    const ss::Pool pool = ss::Pool::anonymous();
    ss::HashTable<>::with<Mine> mine(pool, "table");
    mine.insert("k", "v");
    BOOST_TEST(thrown_by([&] { pool.remove_object("table"); }) == error(errc::unknown_policy));
    BOOST_TEST(wrong_with(pool).find("mine") != std::string::npos);
    BOOST_TEST(pool.verify<ss::Catalogue<Mine>>().empty());
    BOOST_TEST(pool.objects<ss::Catalogue<Mine>>().size() == 1U);
    BOOST_TEST(pool.remove_object<ss::Catalogue<Mine>>("table"));
    // And an object that is no table.
    const ss::Pool other = ss::Pool::anonymous();
    const ss::Root<> root(other, "root", ss::policy_id("list"));
    BOOST_TEST(thrown_by([&] { opened_as(other, "root"); }) == error(errc::other_type));
    BOOST_TEST(sentence_of([&] { opened_as(other, "root"); }).find("list") != std::string::npos);
    BOOST_TEST(thrown_by([&] { opened_as(other, "none"); }) == error(errc::no_such_object));
}

BOOST_AUTO_TEST_CASE(the_product_of_trees_has_each_profile_once) {
    std::set<std::string> names;
    hana::for_each(ss::registry::prefix_trees,
                   [&](auto type) { names.insert(ss::registry::profile_name<typename decltype(type)::type>()); });
    BOOST_TEST(names.size() == 3U * 8U);
    BOOST_TEST(hana::value(hana::size(ss::registry::prefix_trees)) == names.size());
    std::set<std::string> allocators, locks;
    hana::for_each(ss::registry::few_prefix_trees, [&](auto type) {
        using Tree = typename decltype(type)::type;
        BOOST_TEST(names.contains(ss::registry::profile_name<Tree>()));
        allocators.insert(ss::to_string(Tree::allocator_policy::id));
        locks.insert(ss::to_string(ss::registry::detail::Bare<typename Tree::lock_policy>::type::id));
    });
    BOOST_TEST((allocators.size() == 3U && locks.size() == 4U));
    using Tree = ss::PrefixTree<>;
    static_assert(std::same_as<Tree::with<ss::SpinLock>, ss::PrefixTree<ss::DefaultAllocator, ss::SpinLock>>);
    static_assert(
        std::same_as<Tree::with<ss::SimpleAllocator>::with<Mine>, ss::PrefixTree<ss::SimpleAllocator, Mine>>);
}

BOOST_AUTO_TEST_CASE(every_few_tree_is_opened_as_what_it_is) {
    hana::for_each(ss::registry::few_prefix_trees, [](auto type) {
        using Tree = typename decltype(type)::type;
        const ss::Pool pool = ss::Pool::anonymous();
        { Tree(pool, "tree").insert("k", "v"); }
        BOOST_TEST(opened_as(pool, "tree") == ss::registry::profile_name<Tree>());
        BOOST_TEST(wrong_with(pool) == "");
        const auto objects = pool.objects();
        BOOST_REQUIRE(objects.size() == 1U);
        BOOST_TEST(objects[0].allocator + " " + objects[0].lock == ss::registry::profile_name<Tree>());
        hana::for_each(ss::registry::few_prefix_trees, [&](auto other) {
            using Other = typename decltype(other)::type;
            if constexpr (!std::same_as<Tree, Other>)
                BOOST_TEST(thrown_by([&] { const Other wrong(pool, "tree"); }) == error(errc::other_policies));
        });
        // A tree is no table, whatever the policies.
        using Table = ss::HashTable<typename Tree::allocator_policy, typename Tree::lock_policy>;
        BOOST_TEST(thrown_by([&] { const Table wrong(pool, "tree"); }) == error(errc::other_type));
    });
}

BOOST_AUTO_TEST_CASE(one_pool_of_trees_and_tables) {
    const ss::Pool pool = ss::Pool::anonymous();
    { ss::PrefixTree<ss::SimpleAllocator, ss::Optimistic<Known>>(pool, "tree").insert("k", "v"); }
    { ss::HashTable<ss::SimpleAllocator, ss::Optimistic<Known>>(pool, "table").insert("k", "v"); }
    BOOST_TEST(opened_as(pool, "tree") == "SIMPLE known+o");
    BOOST_TEST(opened_as(pool, "table") == "SIMPLE known+o WYHASH4");
    // Who takes one kind only is told of the other.
    const auto open_tree = [&](const std::string& name) {
        int taken = 0;
        ss::open_any(pool, name, ss::policies<Known>,
                     [&]<class A, class L>(ss::PrefixTree<A, L>& tree) { taken += tree.contains("k"); });
        return taken;
    };
    BOOST_TEST(open_tree("tree") == 1);
    BOOST_TEST(thrown_by([&] { open_tree("table"); }) == error(errc::other_type));
    BOOST_TEST(sentence_of([&] { open_tree("table"); }).find("HASHTAB") != std::string::npos);
    BOOST_TEST(pool.verify<ss::Catalogue<Known>>().empty());
    BOOST_TEST(pool.remove_object<ss::Catalogue<Known>>("tree"));
    BOOST_TEST(thrown_by([&] { opened_as(pool, "tree"); }) == error(errc::no_such_object));
    // A lock that is not known here.
    const ss::Pool other = ss::Pool::anonymous();
    { ss::PrefixTree<>::with<Mine>(other, "tree").insert("k", "v"); }
    BOOST_TEST(thrown_by([&] { opened_as(other, "tree"); }) == error(errc::unknown_policy));
    BOOST_TEST(sentence_of([&] { opened_as(other, "tree"); }).find("lock mine") != std::string::npos);
}
