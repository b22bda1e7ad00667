// A PriorityQueue without room: the n-th growth refused, n = 1, 2 …. What is refused has not happened; what takes away works
// all the same.
#include <ss/ss.hpp>

#include "structure/priority_queue_support.hpp"
#include "support/expect.hpp"
#include "support/refusal.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(structure_priority_queue_no_room)

using namespace ss::test;
using ss::errc;

namespace {

/// A queue that is about to open a segment, in a domain that has no free block left, however small.
template <class Queue>
struct Full {
    ss::Pool pool = ss::Pool::anonymous();
    Queue q{pool, "q"};

    Full() {
        for (unsigned i = 0; i < 256; ++i) q.push(big_endian(i * 77) + std::string(i % 60, 'i'));
        Queue filler(pool, "filler");
        const Refusal nothing_more(1, ENOSPC, true);
        for (std::uint64_t size = 65'536; size != 0; size /= 2) try {
                for (;;) filler.push(std::string(size, 'f'));
            } catch (const ss::Error& error) { BOOST_TEST((error.code() == errc::out_of_space)); }
    }
};

/// op(queue) with the n-th growth refused, until it gets through. True if any was refused: a small block may be left.
template <class Queue, class Op>
bool refuse_each(const char* what, Op op) {
    bool any_refused = false;
    for (const int code : {ENOSPC, EIO})
        for (const bool for_good : {true, false})
            for (int n = 1;; ++n) {
                BOOST_REQUIRE(n < 50);
                Full<Queue> full;
                const std::uint64_t size = full.q.size(), payload = full.q.bytes();
                const std::uint64_t bytes = full.q.stats().bytes_allocated;
                const std::string top = full.q.top().value();
                bool refused = false;
                BOOST_TEST_CONTEXT(what << ", refusal " << n << " with " << code << (for_good ? ", for good" : "")) {
                    bool threw = false;
                    {
                        const Refusal refusal(n, code, for_good);
                        try {
                            op(full.q);
                        } catch (const ss::Error& error) {
                            threw = true;
                            BOOST_TEST((error.code() == (code == ENOSPC ? errc::out_of_space : errc::system)),
                                       error.what());
                        }
                        refused = Refusal::refused() != 0;
                    }
                    if (threw) {
                        BOOST_TEST(
                            (full.q.size() == size && full.q.bytes() == payload && full.q.top().value() == top));
                        BOOST_TEST(full.q.stats().bytes_allocated == bytes);
                        BOOST_TEST(segments_of(full.q, "q") == 3U);
                    }
                    any_refused |= threw;
                    BOOST_TEST(wrong_with(full.pool) == "");
                    if (threw) BOOST_TEST(thrown_by([&] { op(full.q); }) == "nothing");
                    BOOST_TEST(full.q.bytes() != payload);
                    full.q.push(std::string(1000, 'x'));
                    BOOST_TEST(wrong_with(full.pool) == "");
                }
                if (!refused) break;
            }
    return any_refused;
}

template <class Queue>
void refuse_all() {
    int refused = 0;
    refused += refuse_each<Queue>("an item and a segment", [](auto& q) { q.push("x"); });
    refused += refuse_each<Queue>("a large item", [](auto& q) { q.push(std::string(3'000'000, 'l')); });
    refused += refuse_each<Queue>("another top", [](auto& q) { (void)q.replace_top(std::string(10'000, 'l')); });
    refused += refuse_each<Queue>("a transaction", [](auto& q) {
        ss::transaction(q, [&](auto& tx) {
            for (int i = 0; i < 20; ++i) (void)q.pop(tx);
            for (int i = 0; i < 40; ++i) q.push(tx, std::string(3000, 'n'));
        });
    });
    BOOST_TEST(refused == 4);
    // A head is needed for a clear, whose room may be a free block that is left.
    (void)refuse_each<Queue>("a clear", [](auto& q) { q.clear(); });
}

/// Whatever is refused: what only takes away is done, and gives the room for more.
template <class Queue>
void take_away_without_room() {
    Full<Queue> full;
    const Refusal nothing_more(1, ENOSPC, true);
    std::string last;
    for (unsigned i = 0; i < 200; ++i) {
        const std::string item = full.q.pop().value();
        BOOST_REQUIRE(item > last);
        last = item;
        if (i % 20 == 0) BOOST_REQUIRE(wrong_with(full.pool) == "");
    }
    BOOST_TEST((segments_of(full.q, "q") == 2U && full.q.size() == 56U));
    for (unsigned i = 0; i < 30; ++i) full.q.push("again");
    BOOST_TEST(wrong_with(full.pool) == "");
    full.q.clear();
    BOOST_TEST(wrong_with(full.pool) == "");
    Queue filler(full.pool, "filler");
    while (filler.pop()) {}
    full.q.push(std::string(10'000, 'r'));
    // Garbage is freed for whoever finds no room.
    full.q.clear();
    full.q.push(std::string(10'000, 'r'));
    BOOST_TEST(wrong_with(full.pool) == "");
}

using Locking = ss::PriorityQueue<ss::SimpleAllocator, ss::SpinLock>;
using Logarithmic = ss::PriorityQueue<ss::LogarithmicAllocator>;

} // namespace

BOOST_AUTO_TEST_CASE(refused_segregated) { refuse_all<ss::PriorityQueue<>>(); }
BOOST_AUTO_TEST_CASE(refused_logarithmic) { refuse_all<Logarithmic>(); }
BOOST_AUTO_TEST_CASE(refused_simple) { refuse_all<Locking>(); }

BOOST_AUTO_TEST_CASE(take_away_segregated) { take_away_without_room<ss::PriorityQueue<>>(); }
BOOST_AUTO_TEST_CASE(take_away_logarithmic) { take_away_without_room<Logarithmic>(); }
BOOST_AUTO_TEST_CASE(take_away_simple) { take_away_without_room<Locking>(); }

BOOST_AUTO_TEST_SUITE_END()
