// The n-th allocation from the process's own heap fails, n = 1, 2 … until the operation gets through: each time it
// throws std::bad_alloc and has not happened, and the next operation works.
#include <ss/ss.hpp>

#include "support/expect.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <cstdlib>
#include <map>
#include <new>
#include <string>

using namespace ss::test;

namespace {

/// How many allocations of this thread succeed before one fails; negative: all do.
thread_local int succeed = -1;

void* allocate(std::size_t size) {
    if (succeed == 0) {
        succeed = -1;
        throw std::bad_alloc();
    }
    if (succeed > 0) --succeed;
    if (void* p = std::malloc(size == 0 ? 1 : size)) return p;
    throw std::bad_alloc();
}

} // namespace

// Not inlined: g++ takes a malloc that meets a delete for a mistake.
[[gnu::noinline]] void* operator new(std::size_t size) { return allocate(size); }
[[gnu::noinline]] void* operator new[](std::size_t size) { return allocate(size); }
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p, std::size_t) noexcept { std::free(p); }

namespace {

using Contents = std::map<std::string, std::string>;
const std::string long_value(300, 'v');

/// Runs op(t, pool) with the n-th allocation refused, n = 1, 2 …; returns how many were refused.
template <class F>
int until_success(F op) {
    const ss::Pool pool = ss::Pool::anonymous();
    ss::HashTable<> t(pool, "t", {.bits = 1});
    for (int i = 0; i < 40; ++i) t.insert(std::to_string(i), long_value);
    for (int refused = 0;; ++refused) {
        const Contents before(t.begin(), t.end());
        const std::uint64_t used = t.stats().bytes_allocated;
        bool threw = false;
        succeed = refused;
        try {
            op(t, pool);
        } catch (const std::bad_alloc&) { threw = true; }
        const bool through = succeed >= 0;
        succeed = -1;
        BOOST_REQUIRE(wrong_with(pool) == "");
        if (threw) {
            BOOST_REQUIRE((Contents(t.begin(), t.end()) == before));
            BOOST_REQUIRE(t.stats().bytes_allocated == used);
        }
        if (through) {
            BOOST_TEST_MESSAGE(refused << " allocations refused");
            return refused;
        }
        BOOST_REQUIRE_MESSAGE(refused < 1000, "it allocates without end");
        t.insert("next", "operation");
        t.erase("next");
    }
}

} // namespace

BOOST_AUTO_TEST_CASE(writes) {
    until_success([](auto& t, auto&) { t.insert("new", long_value); });
    until_success([](auto& t, auto&) { t.insert("1", long_value + long_value); });
    until_success([](auto& t, auto&) { t.insert("1", {long_value, long_value}); });
    until_success([](auto& t, auto&) { t.erase("1"); });
    until_success([](auto& t, auto&) { t.incr("n", 1); });
    until_success([](auto& t, auto&) { t.clear(); });
    until_success([](auto& t, auto&) {
        ss::transaction(t, [&](auto& tx) {
            for (int i = 0; i < 30; ++i) t.insert(tx, "more" + std::to_string(i), long_value);
            t.erase(tx, "1");
        });
    });
}

BOOST_AUTO_TEST_CASE(reads) {
    BOOST_TEST(until_success([](auto& t, auto&) { (void)t.find("1"); }) > 0); // the value's own memory
    BOOST_TEST(until_success([](auto& t, auto&) { (void)t.at("1"); }) > 0);
    until_success([](auto& t, auto&) { t.visit("1", [](std::string_view value) { (void)std::string(value); }); });
    until_success([](auto& t, auto&) { (void)Contents(t.begin(), t.end()); });
}

BOOST_AUTO_TEST_CASE(opening_an_object) {
    BOOST_TEST(until_success([](auto&, auto& pool) { ss::HashTable<>(pool, "t"); }) >= 0);
    BOOST_TEST(until_success([](auto&, auto& pool) {
                   const ss::Pool again = ss::Pool::from_fd(pool.fd());
                   ss::HashTable<>(again, "t").insert("1", long_value);
               }) > 0);
    BOOST_TEST(until_success([](auto&, auto& pool) { (void)pool.objects(); }) > 0);
}

BOOST_AUTO_TEST_CASE(what_is_free_is_told) {
    const ss::Pool pool = ss::Pool::anonymous();
    ss::HashTable<> t(pool, "t");
    for (int i = 0; i < 1000; ++i) t.insert(std::to_string(i), long_value);
    const ss::HashTableStats full = t.stats();
    BOOST_TEST(full.bytes_free == full.domain.bytes_free);
    for (int i = 0; i < 1000; ++i) t.erase(std::to_string(i));
    BOOST_TEST(t.stats().bytes_free >= full.bytes_free + 1000 * 300);
    BOOST_TEST(t.stats().domain.bytes_committed == full.domain.bytes_committed);
}
