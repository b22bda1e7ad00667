// What a queue is asked for at the edges: no bytes and many, limits, names, other processes and read-only pools.
#include <ss/registry.hpp>

#include "support/expect.hpp"
#include "support/process.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

BOOST_AUTO_TEST_SUITE(structure_queue)

using namespace ss::test;
using namespace std::chrono_literals;
using ss::errc;

BOOST_AUTO_TEST_CASE(every_policy_at_least_once) {
    boost::hana::for_each(ss::registry::few_queues, [](auto type) {
        using Queue = typename decltype(type)::type;
        BOOST_TEST_CONTEXT(ss::registry::profile_name<Queue>()) {
            const ss::Pool pool = ss::Pool::anonymous();
            Queue q(pool, "q", {.max_items = 3});
            q.push_back("b");
            q.push_front("a");
            BOOST_TEST((q.try_push("c") && !q.try_push("d")));
            BOOST_TEST((q.front().value() == "a" && q.back().value() == "c" && q.size() == 3U && q.bytes() == 3U));
            auto lease = q.lease().value();
            BOOST_TEST((lease.value() == "a" && q.leased() == 1U && q.push_for("d", 1ms)));
            BOOST_TEST((q.pop_front().value() == "b" && q.pop_back().value() == "d" && lease.ack()));
            BOOST_TEST(q.snapshot() == std::vector<std::string>{"c"});
            q.clear();
            BOOST_TEST((q.empty() && q.leased() == 0U && !q.pop_front() && !q.front()));
            BOOST_TEST(wrong_with(pool) == "");
        }
    });
}

BOOST_AUTO_TEST_CASE(no_bytes_and_null) {
    const ss::Pool pool = ss::Pool::anonymous();
    ss::Queue<> q(pool, "q", {.max_bytes = 4});
    q.push_back("");
    q.push_back(std::string_view());
    q.push_front(std::initializer_list<ss::Bytes>{});
    q.push_back({"", "", ""});
    q.push_back(std::span<const std::string_view>());
    BOOST_TEST((q.size() == 5U && q.bytes() == 0U && !q.empty()));
    BOOST_TEST((q.front().value().empty() && q.back().value().empty()));
    BOOST_TEST(q.lease().value().value().empty());
    const std::string zeros(4, '\0');
    q.push_back(zeros);
    BOOST_TEST((q.pop_back().value() == zeros && q.pop_back().value().empty()));
    BOOST_TEST(q.visit_front([](std::string_view item) { BOOST_TEST(item.empty()); }));
    BOOST_TEST(wrong_with(pool) == "");
    // A null pointer is no string of no bytes, and changes nothing.
    const char* const null = nullptr;
    BOOST_TEST(thrown_by([&] { q.push_back(null); }) == error(errc::invalid_argument));
    BOOST_TEST(thrown_by([&] { q.push_front({"a", null}); }) == error(errc::invalid_argument));
    BOOST_TEST(thrown_by([&] { (void)q.try_push(null); }) == error(errc::invalid_argument));
    BOOST_TEST(thrown_by([&] { (void)q.push_for(null, 60s); }) == error(errc::invalid_argument));
    BOOST_TEST(q.size() == 4U);
}

BOOST_AUTO_TEST_CASE(huge_items) {
    const ss::Pool pool = ss::Pool::anonymous({.max_size = 64 * ss::mebi});
    ss::Queue<> q(pool, "q");
    q.push_back("small");
    std::string large(20'000'003, 'l');
    large.front() = 'f', large.back() = 'b';
    q.push_back(large);
    q.push_front({std::string_view(large).substr(0, 5), std::string_view(large).substr(5)});
    BOOST_TEST((q.front().value() == large && q.back().value() == large && q.bytes() == 2 * large.size() + 5));
    BOOST_TEST(thrown_by([&] { q.push_back(large), q.push_back(large); }) == error(errc::past_max_size));
    BOOST_TEST(q.lease().value().value() == large); // and back
    BOOST_TEST(q.pop_front().value() == large);
    BOOST_TEST(wrong_with(pool) == "");
    // An item of more than there can be, of which not one byte is read.
    const std::uint64_t most = (std::uint64_t{1} << 32) + 1;
    void* const memory = ::mmap(nullptr, most, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    BOOST_REQUIRE(memory != MAP_FAILED);
    const std::string_view there(static_cast<const char*>(memory), most - 1);
    BOOST_TEST(thrown_by([&] { q.push_back(there); }) == error(errc::too_large));
    BOOST_TEST(thrown_by([&] { (void)q.push_for(there, 60s); }) == error(errc::too_large));
    ::munmap(memory, most);
}

BOOST_AUTO_TEST_CASE(limits) {
    const ss::Pool pool = ss::Pool::anonymous();
    ss::Queue<> q(pool, "q", {.max_items = 3, .max_bytes = 10});
    q.push_back("1234");
    BOOST_TEST((q.try_push("567890") && !q.try_push("x") && q.try_push("") && !q.try_push("")));
    BOOST_TEST(thrown_by([&] { q.push_back(""); }) == error(errc::full));
    BOOST_TEST(thrown_by([&] { q.push_front({"", ""}); }) == error(errc::full));
    const std::string sentence = sentence_of([&] { q.push_back("x"); });
    for (const char* const part : {"queue \"q\"", "3 items", "10 bytes"})
        BOOST_TEST(sentence.find(part) != std::string::npos, sentence);
    // What will never have room is told so at once, however much there is.
    const std::string eleven(11, 'x');
    BOOST_TEST(thrown_by([&] { (void)q.try_push(eleven); }) == error(errc::too_large));
    BOOST_TEST(thrown_by([&] { (void)q.push_for(eleven, 60s); }) == error(errc::too_large));
    // In a transaction: nothing of it has happened.
    BOOST_TEST(thrown_by([&] {
                   ss::transaction(q, [&](auto& tx) {
                       BOOST_TEST((q.pop_front(tx) && q.try_push(tx, "ab") && !q.try_push(tx, "cd")));
                       q.push_back(tx, "full");
                   });
               }) == error(errc::full));
    BOOST_TEST(q.snapshot() == (std::vector<std::string>{"1234", "567890", ""}));
    // Limits are the queue's, not the handle's; whoever opens it later says others in vain.
    ss::Queue<> again(pool, "q", {.max_items = 100, .max_leases = 7, .dead_letters = "dead"});
    BOOST_TEST(
        (again.options().max_items == 3U && again.options().max_bytes == 10U && again.options().max_leases == 0U));
    BOOST_TEST(!again.try_push(""));
    // The largest numbers are numbers.
    const std::uint64_t most = ~std::uint64_t{0};
    ss::Queue<> wide(pool, "wide",
                     {.max_items = most, .max_bytes = most, .max_leases = ~std::uint32_t{0}, .dead_letters = "dead"});
    BOOST_TEST((wide.try_push("x") && wide.try_push(std::string(100'000, 'x')) && wide.options().max_bytes == most));
    for (std::uint64_t i = 1; i <= 5; ++i) BOOST_TEST(wide.lease().value().leases() == i);
    BOOST_TEST(wide.options().max_leases == ~std::uint32_t{0});
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE(options_that_make_no_sense) {
    const ss::Pool pool = ss::Pool::anonymous();
    const auto make = [&](const ss::QueueOptions& options) {
        return thrown_by([&] { (void)ss::Queue<>(pool, "q", options); });
    };
    BOOST_TEST(make({.max_leases = 1}) == error(errc::invalid_argument));
    BOOST_TEST(make({.dead_letters = "d"}) == error(errc::invalid_argument));
    BOOST_TEST(make({.max_leases = 1, .dead_letters = "q"}) == error(errc::invalid_argument));
    BOOST_TEST(make({.max_leases = 1, .dead_letters = std::string(1000, 'd')}) == error(errc::name_too_long));
    { const ss::HashTable<> table(pool, "table"); }
    BOOST_TEST(make({.max_leases = 1, .dead_letters = "table"}) == error(errc::other_type));
    BOOST_TEST(pool.objects().size() == 1U); // no queue was made
    const ss::Pool wide = ss::Pool::anonymous({.domains = 16});
    unsigned refused = 0;
    for (int i = 0; i < 8; ++i) {
        const std::string name = "q" + std::to_string(i);
        const std::string said =
            thrown_by([&] { (void)ss::Queue<>(wide, name, {.max_leases = 1, .dead_letters = "dead"}); });
        refused += said == error(errc::other_domain);
        BOOST_TEST((said == "nothing" || said == error(errc::other_domain)));
        BOOST_TEST(thrown_by([&] {
                       (void)ss::Queue<>(wide, "{" + name + "}",
                                         {.max_leases = 1, .dead_letters = "{" + name + "}dead"});
                   }) == "nothing");
    }
    BOOST_TEST(refused > 0U);
}

BOOST_AUTO_TEST_CASE(a_read_only_pool_reads_everything_and_writes_nothing) {
    if (ss::thread_sanitizer) skip("a read-only mapping, whose versions ThreadSanitizer's build would write");
    const TempDir directory;
    const ss::Pool pool(directory / "pool");
    ss::Queue<> q(pool, "q", {.max_items = 9});
    for (const char* const item : {"a", "", "ccc"}) q.push_back(item);
    auto lease = q.lease();
    const ss::Pool readonly(directory / "pool", {.access = ss::Access::read_only});
    ss::Queue<> r(readonly, "q");
    BOOST_TEST((r.size() == 2U && r.bytes() == 3U && r.leased() == 1U && r.options().max_items == 9U));
    BOOST_TEST((r.front().value().empty() && r.back().value() == "ccc"));
    BOOST_TEST(r.snapshot() == (std::vector<std::string>{"", "ccc"}));
    std::string seen;
    BOOST_TEST((r.visit_back([&](std::string_view item) { seen = item; }) && seen == "ccc"));
    BOOST_TEST((r.stats().entries == 2U && r.stats().leased == 1U));
    const std::string refused = error(errc::read_only);
    BOOST_TEST(thrown_by([&] { r.push_back("x"); }) == refused);
    BOOST_TEST(thrown_by([&] { (void)r.push_for("x", 60s); }) == refused);
    BOOST_TEST(thrown_by([&] { (void)r.pop_front(); }) == refused);
    BOOST_TEST(thrown_by([&] { (void)r.pop_back_for(60s); }) == refused);
    BOOST_TEST(thrown_by([&] { (void)r.lease(60s); }) == refused);
    BOOST_TEST(thrown_by([&] { r.clear(); }) == refused);
    BOOST_TEST(thrown_by([&] { (void)ss::Queue<>(readonly, "new"); }) != "nothing");
    BOOST_TEST((q.size() == 2U && lease->ack() && wrong_with(pool) == ""));
}

BOOST_AUTO_TEST_CASE(parent_and_children_share_it_after_a_fork) {
    const ss::Pool pool = ss::Pool::anonymous();
    ss::Queue<> q(pool, "q");
    q.push_back("parent's");
    std::vector<Process> children;
    for (int i = 0; i < 4; ++i)
        children.emplace_back([&, i] {
            for (int n = 0; n < 200; ++n) {
                q.push_back(std::to_string(i) + " " + std::to_string(n));
                if (!q.pop_front()) throw std::runtime_error("an item is gone");
            }
        });
    for (Process& child : children) child.expect_clean();
    BOOST_TEST((q.size() == 1U && wrong_with(pool) == ""));
    // A fork in the middle of a transaction: the child's part in it is none.
    ss::transaction(q, [&](auto& tx) {
        q.push_back(tx, "once");
        Process child([&] {
            if (thrown_by([&] { q.push_back(tx, "twice"); }) != error(errc::forked))
                throw std::runtime_error("it pushed");
            ::_exit(0);
        });
        child.expect_clean();
    });
    BOOST_TEST((q.size() == 2U && q.back().value() == "once" && wrong_with(pool) == ""));
}

BOOST_AUTO_TEST_CASE(a_queue_that_is_gone) {
    const ss::Pool pool = ss::Pool::anonymous();
    ss::Queue<> q(pool, "q");
    q.push_back("x");
    std::optional<ss::Queue<>::Lease> lease = q.lease();
    BOOST_TEST(pool.remove_object("q"));
    const std::string gone = error(errc::no_such_object);
    BOOST_TEST(thrown_by([&] { (void)q.size(); }) == gone);
    BOOST_TEST(thrown_by([&] { q.push_back("x"); }) == gone);
    BOOST_TEST(thrown_by([&] { (void)lease->ack(); }) == gone);
    // Another of that name is another: an old handle and an old lease have no part in it.
    ss::Queue<> other(pool, "q");
    other.push_back("y");
    auto theirs = other.lease().value();
    BOOST_TEST(thrown_by([&] { (void)q.pop_front(); }) == gone);
    lease.reset();
    BOOST_TEST((other.leased() == 1U && theirs.ack() && wrong_with(pool) == ""));
}

BOOST_AUTO_TEST_CASE(what_deadlocks_is_refused) {
    const ss::Pool pool = ss::Pool::anonymous();
    ss::Queue<> q(pool, "q");
    q.push_back("x");
    q.visit_front([&](std::string_view) {
        BOOST_TEST(thrown_by([&] { q.push_back("y"); }) == error(errc::would_deadlock));
        BOOST_TEST(thrown_by([&] { (void)q.pop_front_for(60s); }) == error(errc::would_deadlock));
        BOOST_TEST(thrown_by([&] { (void)q.lease(60s); }) == error(errc::would_deadlock));
    });
    ss::transaction(q, [&](auto&) {
        BOOST_TEST(thrown_by([&] { q.push_back("y"); }) == error(errc::would_deadlock));
        BOOST_TEST(thrown_by([&] { (void)q.push_for("y", 60s); }) == error(errc::would_deadlock));
    });
    BOOST_TEST(thrown_by([&] { q.visit_back([](std::string_view) { throw std::runtime_error("thrown on"); }); }) ==
               "thrown on");
    BOOST_TEST((q.size() == 1U && wrong_with(pool) == ""));
}

BOOST_AUTO_TEST_CASE(a_queue_turned_round_in_a_transaction_needs_no_more_memory) {
    const ss::Pool pool = ss::Pool::memfd("turned", {.max_size = std::uint64_t{16} << 20});
    ss::Queue<> queue(pool, "it");
    for (int i = 0; i < 10; ++i) queue.push_back(std::to_string(i));
    const auto before = queue.stats().bytes_allocated;
    ss::transaction(queue, [&](auto& tx) {
        for (int i = 0; i < 10; ++i) queue.push_back(tx, *queue.pop_front(tx));
    });
    BOOST_TEST(queue.stats().bytes_allocated == before);
    BOOST_TEST(queue.snapshot().front() == "0");
}

BOOST_AUTO_TEST_SUITE_END()
