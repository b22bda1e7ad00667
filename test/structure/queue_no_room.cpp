// A Queue without room: the n-th growth refused, n = 1, 2 …. What is refused has not happened; what takes away works all the
// same.
#include <ss/ss.hpp>

#include "support/expect.hpp"
#include "support/refusal.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(structure_queue_no_room)

using namespace ss::test;
using ss::errc;

namespace {

/// A queue with items and a lease, in a domain that has no free block left, however small, and a queue that is full of
/// what fills it.
template <class Queue>
struct Full {
    ss::Pool pool = ss::Pool::anonymous();
    Queue q{pool, "q", {.max_leases = 2, .dead_letters = "dead"}};
    std::optional<typename Queue::Lease> lease;

    Full() {
        for (unsigned i = 0; i < 100; ++i) q.push_back(std::to_string(i) + std::string(i % 60, 'i'));
        lease = q.lease();
        Queue filler(pool, "filler");
        const Refusal nothing_more(1, ENOSPC, true);
        for (std::uint64_t size = 65'536;; size /= 2) {
            try {
                for (;;) filler.push_back(std::string(size, 'f'));
            } catch (const ss::Error& error) { BOOST_TEST((error.code() == errc::out_of_space)); }
            if (size == 0) break;
        }
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
                const std::vector<std::string> items = full.q.snapshot();
                const std::uint64_t bytes = full.q.stats().bytes_allocated;
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
                        BOOST_TEST(full.q.snapshot() == items);
                        BOOST_TEST((full.q.leased() == 1U && full.q.stats().bytes_allocated == bytes));
                    }
                    any_refused |= threw;
                    BOOST_TEST(wrong_with(full.pool) == "");
                    if (threw) BOOST_TEST(thrown_by([&] { op(full.q); }) == "nothing");
                    BOOST_TEST(full.q.snapshot() != items);
                    BOOST_TEST(full.lease->ack());
                    full.q.push_front(std::string(1000, 'x'));
                    BOOST_TEST(wrong_with(full.pool) == "");
                }
                if (!refused) break;
            }
    return any_refused;
}

template <class Queue>
void refuse_all() {
    int refused = 0;
    refused += refuse_each<Queue>("large items", [](auto& q) { q.push_back(std::string(3'000'000, 'l')); });
    refused += refuse_each<Queue>("an item in front", [](auto& q) { q.push_front(std::string(20'000, 'l')); });
    refused += refuse_each<Queue>("one that may fail", [](auto& q) {
        if (!q.try_push(std::string(20'000, 't'))) throw std::runtime_error("there are no limits");
    });
    refused += refuse_each<Queue>("a transaction", [](auto& q) {
        ss::transaction(q, [&](auto& tx) {
            for (int i = 0; i < 20; ++i) (void)q.pop_front(tx);
            for (int i = 0; i < 20; ++i) q.push_back(tx, std::string(3000, 'n'));
            (void)q.lease(tx);
        });
    });
    BOOST_TEST(refused == 4);
    // For what these need there may be a free block.
    (void)refuse_each<Queue>("a clear", [](auto& q) { q.clear(); });
    (void)refuse_each<Queue>("more leases", [](auto& q) {
        std::vector<typename Queue::Lease> all;
        ss::transaction(q, [&](auto& tx) {
            for (int i = 0; i < 40; ++i) all.push_back(q.lease(tx).value());
            for (auto& lease : all)
                if (!lease.ack(tx)) throw std::runtime_error("a lease ended by itself");
        });
    });
}

/// Whatever is refused: what only takes away is done, and gives the room for more.
template <class Queue>
void take_away_without_room() {
    Full<Queue> full;
    const Refusal nothing_more(1, ENOSPC, true);
    BOOST_TEST((full.lease->leases() == 1U && full.lease->release()));
    BOOST_TEST(full.q.front().value() == "0");
    for (unsigned i = 0; i < 60; ++i)
        BOOST_REQUIRE((i % 3 != 0 ? full.q.pop_front() : full.q.pop_back()).has_value());
    BOOST_TEST((full.q.size() == 40U && wrong_with(full.pool) == ""));
    // A lease of an item among the others, and its end among the dead letters.
    for (int i = 0; i < 2; ++i) BOOST_TEST(full.q.lease().value().release());
    BOOST_TEST((full.q.size() == 39U && Queue(full.pool, "dead").size() == 1U));
    BOOST_TEST(full.q.lease().value().ack());
    for (unsigned i = 0; i < 5; ++i) full.q.push_back("again");
    BOOST_TEST(wrong_with(full.pool) == "");
    Queue filler(full.pool, "filler");
    while (filler.pop_front()) {}
    full.q.push_back(std::string(10'000, 'r'));
    // Garbage is freed for whoever finds no room.
    full.q.clear();
    full.q.push_back(std::string(10'000, 'r'));
    BOOST_TEST(wrong_with(full.pool) == "");
}

using Locking = ss::Queue<ss::SimpleAllocator, ss::SpinLock>;
using Logarithmic = ss::Queue<ss::LogarithmicAllocator>;

} // namespace

BOOST_AUTO_TEST_CASE(refused_segregated) { refuse_all<ss::Queue<>>(); }
BOOST_AUTO_TEST_CASE(refused_logarithmic) { refuse_all<Logarithmic>(); }
BOOST_AUTO_TEST_CASE(refused_simple) { refuse_all<Locking>(); }

BOOST_AUTO_TEST_CASE(take_away_segregated) { take_away_without_room<ss::Queue<>>(); }
BOOST_AUTO_TEST_CASE(take_away_logarithmic) { take_away_without_room<Logarithmic>(); }
BOOST_AUTO_TEST_CASE(take_away_simple) { take_away_without_room<Locking>(); }

BOOST_AUTO_TEST_SUITE_END()
