// Readers of a PriorityQueue beside writers, in processes of several threads, some of which have the pool mapped read-only:
// no item is torn, none comes that was undone, and what is counted is of one moment.
#include <ss/registry.hpp>

#include "structure/priority_queue_support.hpp"
#include "structure/self_checking.hpp"
#include "support/barrier.hpp"
#include "support/expect.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(structure_priority_queue_readers)

using namespace ss::test;
using namespace std::chrono_literals;

namespace {

/// Items of "q" are whole values; those of "even" have 40 bytes each, and there is an even number of them. An item that is
/// undone always says so.
template <class Queue>
struct Queues {
    explicit Queues(const ss::Pool& pool) : q(pool, "q"), even(pool, "even") {}
    Queue q, even;
};

bool is_fine(std::string_view item) {
    return is_whole("item", item) && item.find("undone") == std::string_view::npos;
}

std::string even_item(std::uint64_t i) { return big_endian(i) + std::string(32, static_cast<char>('a' + i % 26)); }

template <class Queue>
void write(Queues<Queue> queues, Tally& tally, unsigned seed) {
    std::mt19937_64 engine(seed);
    Queue& q = queues.q;
    Queue& even = queues.even;
    const auto check = [&](const std::optional<std::string>& item) {
        if (item && !is_fine(*item)) ++tally.torn;
    };
    while (!tally.stop) {
        switch (engine() % 8) {
        case 0:
        case 1:
            q.push(make_value("item", engine));
            break;
        case 2:
            check(q.pop());
            break;
        case 3:
        case 4:
            check(q.replace_top(make_value("item", engine)));
            break;
        case 5:
            try {
                ss::transaction(q, [&](auto& tx) {
                    for (int i = 0; i < 4; ++i) q.push(tx, {"", "undone", "by a throw"});
                    (void)q.replace_top(tx, "undone");
                    even.push(tx, "undone");
                    throw 1;
                });
            } catch (int) {}
            break;
        case 6:
            ss::transaction(even, [&](auto& tx) {
                for (std::uint64_t n = engine() % 4; n-- != 0;) {
                    even.push(tx, even_item(engine() % 1000));
                    even.push(tx, even_item(engine() % 1000));
                }
            });
            break;
        default:
            ss::transaction(even, [&](auto& tx) {
                if (even.pop(tx)) (void)even.pop(tx);
            });
            if (engine() % 100 == 0) even.clear();
            if (engine() % 100 == 0) q.clear();
        }
        ++tally.writes;
    }
}

template <class Queue>
void read(const Queues<Queue>& queues, Tally& tally) {
    while (!tally.stop) {
        if (const auto item = queues.q.top()) {
            if (!is_fine(*item)) ++tally.torn;
            ++tally.hits;
        }
        if (const auto item = queues.even.top(); item && (item->size() != 40 || (*item)[8] != (*item)[39]))
            ++tally.torn;
        if (tally.reads % 16 == 0) {
            // Both numbers are of one moment.
            const ss::PriorityQueueStats stats = queues.even.stats();
            if (stats.entries % 2 != 0 || stats.bytes_payload != 40 * stats.entries) ++tally.miscounted;
        }
        if (queues.even.size() % 2 != 0 || queues.even.bytes() % 80 != 0) ++tally.miscounted;
        ++tally.reads;
    }
}

/// Two processes, of a writer and a reader each as threads, and a third that may only read.
template <class Queue>
void processes(std::chrono::milliseconds duration) {
    const TempDir directory;
    const ss::Pool pool(directory / "pool");
    Shared<Tally> tally;
    { const Queues<Queue> queues(pool); }
    const auto both = [&](unsigned seed) {
        const ss::Pool own(directory / "pool");
        std::thread reader([&] { read(Queues<Queue>(own), *tally); });
        write(Queues<Queue>(own), *tally, seed);
        reader.join();
    };
    std::vector<Process> all;
    all.emplace_back([&] { both(1); });
    all.emplace_back([&] { both(2); });
    if constexpr (ss::is_optimistic<typename Queue::lock_policy>)
        all.emplace_back([&] {
            const ss::Pool own(directory / "pool", {.access = ss::Access::read_only});
            read(Queues<Queue>(own), *tally);
        });
    std::this_thread::sleep_for(duration);
    tally->stop = true;
    for (Process& process : all) process.expect_clean();
    BOOST_TEST_MESSAGE(ss::registry::profile_name<Queue>() << ": " << tally->reads << " reads, " << tally->hits
                                                           << " hits, " << tally->writes << " writes");
    BOOST_TEST((tally->torn == 0U && tally->miscounted == 0U),
               tally->torn << " torn, " << tally->miscounted << " miscounted");
    BOOST_TEST((tally->hits > 0U && tally->writes > 0U));
    BOOST_TEST(wrong_with(pool) == "");
}

} // namespace

BOOST_AUTO_TEST_CASE(the_default_profile) {
    const Watchdog dog(60, "readers and writers");
    processes<ss::PriorityQueue<>>(3s);
}

BOOST_AUTO_TEST_CASE(every_lock_of_several_sessions) {
    const Watchdog dog(100, "readers and writers");
    boost::hana::for_each(ss::registry::few_priority_queues, [](auto type) {
        using Queue = typename decltype(type)::type;
        if constexpr (!ss::is_single_session<typename Queue::lock_policy>) processes<Queue>(500ms);
    });
}

BOOST_AUTO_TEST_SUITE_END()
