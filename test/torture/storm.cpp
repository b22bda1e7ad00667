// The storm, for as many minutes as one likes, over every lock that several sessions can use.
#include "storm/storm.hpp"

#include <boost/hana/filter.hpp>
#include <boost/hana/for_each.hpp>
#include <boost/hana/length.hpp>

#include <cstdlib>

namespace {

constexpr auto tables = boost::hana::filter(ss::registry::few_hash_tables, [](auto type) {
    return boost::hana::bool_c<!ss::is_single_session<typename decltype(type)::type::lock_policy>>;
});

} // namespace

BOOST_AUTO_TEST_CASE(for_minutes) {
    const char* const minutes = std::getenv("SS_TORTURE_MINUTES");
    const std::chrono::milliseconds all = std::chrono::minutes(minutes == nullptr ? 1 : std::atoi(minutes));
    boost::hana::for_each(tables, [&](auto type) {
        ss::test::storm<typename decltype(type)::type>(all / boost::hana::length(tables).value);
    });
}
