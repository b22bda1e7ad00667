// PriorityQueue: every form of every operation in each profile of few_priority_queues and a little of everything in all of
// the product; comparisons of a user's; the wrong place, a read-only pool, and what is no more.
#include <ss/registry.hpp>

#include "structure/priority_queue_support.hpp"
#include "support/expect.hpp"
#include "support/process.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

BOOST_AUTO_TEST_SUITE(structure_priority_queue)

using namespace ss::test;
using namespace std::chrono_literals;
using ss::errc;

namespace {

constexpr std::array<std::string_view, 3> pieces = {"ab", "", "cdefghijk"};
const std::string long_text(1000, 'x');

using Items = std::vector<std::string>;

/// Runs op(q, tx) twice on queues of the same contents, in a transaction; the first is undone by a throw.
template <class Queue, class F>
void all_or_nothing(Queue& q, F op) {
    const std::uint64_t size = q.size(), payload = q.bytes(), bytes = q.stats().bytes_allocated;
    const std::optional<std::string> top = q.top();
    BOOST_CHECK_THROW(ss::transaction(q,
                                      [&](auto& tx) {
                                          op(q, tx);
                                          throw std::runtime_error("undo");
                                      }),
                      std::runtime_error);
    BOOST_TEST((q.size() == size && q.bytes() == payload && q.stats().bytes_allocated == bytes && q.top() == top));
    BOOST_TEST(wrong_with(q) == "");
    ss::transaction(q, [&](auto& tx) { op(q, tx); });
    BOOST_TEST(wrong_with(q) == "");
}

template <class Queue>
void use_everything(const ss::Pool& pool) {
    Queue q(pool, "q");
    BOOST_TEST((q.empty() && q.size() == 0U && q.bytes() == 0U && !q.top() && !q.pop() && !q.pop_for(0ms)));
    BOOST_TEST(!q.visit_top([](std::string_view) { BOOST_ERROR("called with no item"); }));
    BOOST_TEST(!q.replace_top("c"));
    q.push("b");
    q.push("");
    q.push({"a", std::string("b"), std::string_view("c")});
    q.push(std::span<const std::string_view>(pieces));
    q.push(long_text);
    q.push("b");
    BOOST_TEST((q.size() == 7U && !q.empty() && q.bytes() == 1U + 1 + 0 + 3 + 11 + 1000 + 1));
    BOOST_TEST((q.stats().entries == 7U && q.stats().bytes_payload == q.bytes()));
    BOOST_TEST(q.top().value() == "");
    std::string seen = "?";
    BOOST_TEST(q.visit_top([&](std::string_view in_place) { seen = in_place; }));
    BOOST_TEST(seen == "");
    BOOST_TEST(q.replace_top("d").value() == "");
    BOOST_TEST((items_of(q) == Items{"abc", "abcdefghijk", "b", "b", "c", "d", long_text}));
    BOOST_TEST((q.size() == 7U && q.pop_for(1h).value() == "abc" && q.pop().value() == "abcdefghijk"));
    // One that is smaller than all comes in its stead, and is the next.
    BOOST_TEST((q.replace_top("a").value() == "b" && q.top().value() == "a" && q.size() == 5U));

    all_or_nothing(q, [&](Queue& queue, auto& tx) {
        queue.push(tx, "x");
        queue.push(tx, {"0", "1"});
        queue.push(tx, std::span<const std::string_view>(pieces));
        BOOST_TEST((queue.top(tx).value() == "01" && queue.size(tx) == 8U));
        BOOST_TEST(queue.pop(tx).value() == "01");
        BOOST_TEST(queue.replace_top(tx, "zz").value() == "a");
        // The plain forms of reads see the same.
        BOOST_TEST((queue.top().value() == "abcdefghijk" && queue.size() == 7U && !queue.empty()));
        for (int i = 0; i < 60; ++i) queue.push(tx, "many");
        for (int i = 0; i < 40; ++i) BOOST_TEST(queue.pop(tx).has_value());
    });
    BOOST_TEST(q.size() == 27U);
    all_or_nothing(q, [&](Queue& queue, auto& tx) {
        queue.clear(tx);
        BOOST_TEST((queue.size() == 0U && queue.bytes() == 0U && !queue.top(tx) && !queue.pop(tx)));
        BOOST_TEST(!queue.replace_top(tx, "first"));
        for (int i = 0; i < 70; ++i) queue.push(tx, std::to_string(i));
        BOOST_TEST((queue.size(tx) == 71U && queue.pop(tx).value() == "0"));
    });
    BOOST_TEST((q.size() == 70U && segments_of(q, "q") == 2U));
    for (unsigned i = 0; i < 1000; ++i) q.push(big_endian(i * 7919 % 1000).append(i % 50, 'x'));
    BOOST_TEST(segments_of(q, "q") == 6U);
    for (unsigned i = 0; i < 1000; ++i) BOOST_REQUIRE(q.pop().value().substr(0, 8) == big_endian(i));
    BOOST_TEST((q.size() == 70U && segments_of(q, "q") == 2U && wrong_with(q) == ""));
    q.clear();
    BOOST_TEST((q.empty() && segments_of(q, "q") == 0U));
    drain(q);
    BOOST_TEST(wrong_with(q) == "");
}

/// Push, pop, top, and no more: this is compiled for all of the product.
template <class Queue>
void use_a_little(const ss::Pool& pool) {
    Queue q(pool, "q");
    for (unsigned i = 0; i < 300; ++i) q.push(big_endian(i * 7919 % 300));
    BOOST_TEST(wrong_with(q) == "");
    for (unsigned i = 0; i < 299; ++i) BOOST_REQUIRE(q.pop() == big_endian(i));
    BOOST_TEST((q.top() == big_endian(299) && q.size() == 1U));
}

/// Every form of writing, in a transaction `tx...` or without.
template <class Queue, class... Tx>
void expect_refused(Queue& q, errc code, Tx&... tx) {
    const auto refused = error(code);
    BOOST_TEST(thrown_by([&] { q.push(tx..., "k"); }) == refused);
    BOOST_TEST(thrown_by([&] { q.push(tx..., {"v", "w"}); }) == refused);
    BOOST_TEST(thrown_by([&] { q.push(tx..., std::span<const std::string_view>(pieces)); }) == refused);
    BOOST_TEST(thrown_by([&] { q.pop(tx...); }) == refused);
    BOOST_TEST(thrown_by([&] { q.replace_top(tx..., "k"); }) == refused);
    BOOST_TEST(thrown_by([&] { q.clear(tx...); }) == refused);
    if constexpr (sizeof...(Tx) == 0) {
        BOOST_TEST(thrown_by([&] { q.pop_for(0s); }) == refused);
        BOOST_TEST(thrown_by([&] { q.pop_for(1h); }) == refused);
    }
}

struct TwoQueues {
    TwoQueues() {
        q.push("1");
        other.push("1");
    }
    ~TwoQueues() { BOOST_TEST((wrong_with(pool) == "" && wrong_with(elsewhere) == "")); }

    ss::Pool pool = ss::Pool::anonymous(), elsewhere = ss::Pool::anonymous();
    ss::PriorityQueue<> q{pool, "q"}, other{elsewhere, "q"};
};

} // namespace

BOOST_AUTO_TEST_CASE(every_policy_at_least_once) {
    boost::hana::for_each(ss::registry::few_priority_queues, [](auto type) {
        using Queue = typename decltype(type)::type;
        BOOST_TEST_CONTEXT(ss::registry::profile_name<Queue>()) {
            const ss::Pool pool = ss::Pool::anonymous();
            use_everything<Queue>(pool);
            BOOST_TEST(wrong_with(pool) == "");
        }
    });
}

BOOST_AUTO_TEST_CASE(all_of_the_product) {
    int profiles = 0;
    boost::hana::for_each(ss::registry::priority_queues, [&](auto type) {
        using Queue = typename decltype(type)::type;
        BOOST_TEST_CONTEXT(ss::registry::profile_name<Queue>()) {
            const ss::Pool pool = ss::Pool::anonymous();
            use_a_little<Queue>(pool);
            BOOST_TEST(wrong_with(pool) == "");
        }
        ++profiles;
    });
    BOOST_TEST(profiles == 24);
}

BOOST_AUTO_TEST_CASE(a_comparison_of_ones_own) {
    const ss::Pool pool = ss::Pool::anonymous();
    using Queue = ss::PriorityQueue<>::with<LargestFirst>;
    static_assert(std::same_as<Queue::compare_policy, LargestFirst>);
    static_assert(
        std::same_as<Queue::with<ss::SpinLock>, ss::PriorityQueue<ss::DefaultAllocator, ss::SpinLock, LargestFirst>>);
    static_assert(
        std::same_as<Queue::with<ss::ByBytes>::with<ss::SimpleAllocator>, ss::PriorityQueue<ss::SimpleAllocator>>);
    Queue q(pool, "q");
    for (unsigned i = 0; i < 500; ++i) q.push({big_endian(i * 7919 % 500), "/", std::to_string(i)});
    BOOST_TEST((wrong_with(q) == "" && q.top().value().substr(0, 8) == big_endian(499)));
    ss::PriorityQueue<>::with<ByRest> other(pool, "other");
    for (const char* const item : {"5 d", "1 b", "3 a", "9", "4 c"}) other.push(item);
    BOOST_TEST((items_of(other) == Items{"9", "3 a", "1 b", "4 c", "5 d"}));

    // Others are refused by both names, before anything is read in their order.
    BOOST_TEST(thrown_by([&] { const ss::PriorityQueue<> wrong(pool, "q"); }) == error(errc::other_policies));
    const std::string said = sentence_of([&] { const ss::PriorityQueue<> wrong(pool, "q"); });
    BOOST_TEST(said.find("has comparison largest") != std::string::npos, said);
    BOOST_TEST(said.find("asked for was BYBYTES") != std::string::npos, said);
    // Who does not know it cannot tell whether it is in order; who does can.
    BOOST_TEST(wrong_with(pool).find("has comparison largest, which this program does not know") !=
               std::string::npos);
    BOOST_TEST((pool.verify<ss::Catalogue<LargestFirst, ByRest>>().empty()));
    BOOST_TEST(pool.objects().at(0).hash == "largest");
    for (unsigned i = 500; i-- != 0;) BOOST_REQUIRE(q.pop().value().substr(0, 8) == big_endian(i));
    BOOST_TEST((pool.remove_object("q") && pool.remove_object("other")));
}

BOOST_AUTO_TEST_CASE(segments_come_and_go_with_room_to_spare) {
    const ss::Pool pool = ss::Pool::anonymous();
    ss::PriorityQueue<> q(pool, "q");
    BOOST_TEST(segments_of(q, "q") == 0U);
    const auto size_to = [&](std::uint64_t size) {
        for (; q.size() < size; q.push("some item")) {}
        for (; q.size() > size; (void)q.pop()) {}
        BOOST_TEST(wrong_with(pool) == "");
        return segments_of(q, "q");
    };
    BOOST_TEST((size_to(1) == 1U && size_to(64) == 1U && size_to(65) == 2U));
    // Back and forth over the border costs nothing: the segment stays until a quarter is free before it.
    const std::uint64_t bytes = q.stats().bytes_allocated;
    for (int i = 0; i < 100; ++i) {
        BOOST_REQUIRE((size_to(63) == 2U && size_to(65) == 2U));
        BOOST_REQUIRE(q.stats().bytes_allocated == bytes);
    }
    BOOST_TEST((size_to(49) == 2U && size_to(48) == 1U && size_to(64) == 1U && size_to(65) == 2U));
    BOOST_TEST((size_to(128) == 2U && size_to(129) == 3U && size_to(97) == 3U && size_to(96) == 2U));
    BOOST_TEST((size_to(5000) == 8U && size_to(0) == 1U));
    q.clear();
    BOOST_TEST(segments_of(q, "q") == 0U);
}

BOOST_FIXTURE_TEST_CASE(a_plain_write_within_a_transaction, TwoQueues) {
    ss::transaction(q, [&](auto& tx) {
        expect_refused(q, errc::would_deadlock);
        BOOST_TEST(thrown_by([&] { q.visit_top([](std::string_view) {}); }) == error(errc::would_deadlock));
        q.push(tx, "after all of it");
    });
    BOOST_TEST((q.size() == 2U && q.top().value() == "1"));
    q.visit_top([&](std::string_view view) {
        expect_refused(q, errc::would_deadlock);
        BOOST_TEST((view == "1" && q.top().value() == "1" && q.size() == 2U && q.bytes() == 16U));
    });
    BOOST_CHECK_THROW(q.visit_top([](std::string_view) { throw std::logic_error("of the user"); }), std::logic_error);
    q.push("free again");
}

BOOST_FIXTURE_TEST_CASE(a_transaction_of_another_domain, TwoQueues) {
    ss::transaction(q, [&](auto& tx) {
        expect_refused(other, errc::other_domain, tx);
        BOOST_TEST(thrown_by([&] { (void)other.top(tx); }) == error(errc::other_domain));
        BOOST_TEST(thrown_by([&] { (void)other.size(tx); }) == error(errc::other_domain));
        q.push(tx, "after all of it");
    });
    BOOST_TEST((q.size() == 2U && other.size() == 1U));
}

BOOST_FIXTURE_TEST_CASE(what_throws_in_a_transaction_has_not_happened, TwoQueues) {
    ss::HashTable<> table(pool, "table");
    ss::transaction(q, [&](auto& tx) {
        q.push(tx, "0");
        table.insert(tx, "k", "v");
        // As large as the memory of any machine: only its size is looked at.
        const std::vector<std::string_view> too_large(5000, std::string_view(long_text.data(), 1 << 20));
        BOOST_TEST(thrown_by([&] { q.push(tx, std::span<const std::string_view>(too_large)); }) ==
                   error(errc::too_large));
        std::uint64_t done = 0;
        BOOST_TEST(thrown_by([&] {
                       for (;; ++done) q.push(tx, std::to_string(done));
                   }) == error(errc::transaction_too_large));
        BOOST_TEST((q.size(tx) == 2 + done && done > 100));
        BOOST_TEST(thrown_by([&] { (void)q.pop(tx); }) == error(errc::transaction_too_large));
        BOOST_TEST((q.size(tx) == 2 + done && q.top(tx).value() == "0"));
    });
    BOOST_TEST((wrong_with(pool) == "" && q.pop().value() == "0" && table.contains("k")));
}

BOOST_AUTO_TEST_CASE(a_queue_and_a_table_in_one_domain) {
    const ss::Pool pool = ss::Pool::anonymous();
    ss::PriorityQueue<> q(pool, "q");
    ss::HashTable<> table(pool, "table");
    for (int i = 0; i < 100; ++i) q.push(std::to_string(100 + i));
    const auto move = [&](auto& tx) {
        for (int i = 0; i < 20; ++i) BOOST_TEST(table.insert(tx, q.pop(tx).value(), "taken"));
        q.push(tx, "after");
    };
    BOOST_CHECK_THROW(ss::transaction(table,
                                      [&](auto& tx) {
                                          move(tx);
                                          throw std::runtime_error("undo");
                                      }),
                      std::runtime_error);
    BOOST_TEST((q.size() == 100U && table.empty() && q.top().value() == "100" && wrong_with(pool) == ""));
    ss::transaction(table, move);
    BOOST_TEST((q.size() == 81U && table.size() == 20U && q.top().value() == "120" && wrong_with(pool) == ""));
    BOOST_TEST(thrown_by([&] { const ss::HashTable<> wrong(pool, "q"); }) == error(errc::other_type));
    BOOST_TEST(thrown_by([&] { const ss::PriorityQueue<> wrong(pool, "table"); }) == error(errc::other_type));
    BOOST_TEST(pool.objects().size() == 2U);
    BOOST_TEST(pool.remove_object("q"));
    expect_refused(q, errc::no_such_object);
    BOOST_TEST(thrown_by([&] { (void)q.top(); }) == error(errc::no_such_object));
    BOOST_TEST(thrown_by([&] { (void)q.size(); }) == error(errc::no_such_object));
    BOOST_TEST(thrown_by([&] { q.visit_top([](std::string_view) {}); }) == error(errc::no_such_object));
    BOOST_TEST(thrown_by([&] { (void)q.verify(); }) == error(errc::no_such_object));
    ss::PriorityQueue<> again(pool, "q");
    BOOST_TEST(again.empty());
    again.push("1");
    BOOST_TEST(thrown_by([&] { (void)q.top(); }) == error(errc::no_such_object));
    drain(again);
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE(handles_are_copied_and_moved) {
    std::optional<ss::Pool> pool(ss::Pool::anonymous());
    std::optional<ss::PriorityQueue<>> first(std::in_place, *pool, "q");
    first->push("a");
    ss::PriorityQueue<> copy(*first);
    ss::PriorityQueue<> moved(std::move(*first));
    first.reset();
    pool.reset(); // the handles keep the pool attached
    moved.push("b");
    BOOST_TEST((copy.size() == 2U && copy.top().value() == "a"));
    ss::PriorityQueue<> other(ss::Pool::anonymous(), "q");
    other = copy;
    BOOST_TEST(other.size() == 2U);
    std::optional<ss::PriorityQueue<>> handle(copy);
    handle->visit_top([&](std::string_view) { handle.reset(); });
    BOOST_TEST(copy.pop().value() == "a");
}

BOOST_AUTO_TEST_CASE(a_read_only_pool_reads_everything_and_writes_nothing) {
    if (ss::thread_sanitizer) skip("a read-only mapping, whose versions ThreadSanitizer's build would write");
    const TempDir directory;
    {
        const ss::Pool pool(directory / "pool");
        ss::PriorityQueue<> q(pool, "q");
        for (int i = 0; i < 500; ++i) q.push("item " + std::to_string(i));
    }
    const ss::Pool pool(directory / "pool", {.access = ss::Access::read_only});
    ss::PriorityQueue<> q(pool, "q");
    BOOST_TEST((q.top().value() == "item 0" && q.size() == 500U && q.bytes() == 500U * 5 + 10 + 180 + 1200));
    std::string seen;
    BOOST_TEST(q.visit_top([&](std::string_view copy) { seen = copy; }));
    BOOST_TEST(seen == "item 0");
    BOOST_TEST((wrong_with(q) == "" && wrong_with(pool) == "" && q.stats().entries == 500U));
    expect_refused(q, errc::read_only);
    BOOST_TEST(thrown_by([&] { const ss::PriorityQueue<> none(pool, "none"); }) == error(errc::no_such_object));
    BOOST_TEST(thrown_by([&] { const ss::PriorityQueue<>::with<ss::FutexLock> locking(pool, "q"); }) ==
               error(errc::read_only));
}

BOOST_AUTO_TEST_CASE(parent_and_children_share_it_after_a_fork) {
    const ss::Pool pool = ss::Pool::anonymous();
    ss::PriorityQueue<> q(pool, "q");
    q.push("before");
    std::vector<Process> children;
    for (int c = 0; c < 3; ++c)
        children.emplace_back([&, c] {
            for (unsigned i = 0; i < 1000; ++i) q.push({std::to_string(c), " ", big_endian(i)});
        });
    for (unsigned i = 0; i < 1000; ++i) q.push({"3 ", big_endian(i)});
    for (Process& child : children) child.expect_clean();
    BOOST_TEST(wrong_with(pool) == "");
    for (unsigned c = 0; c < 4; ++c)
        for (unsigned i = 0; i < 1000; ++i) BOOST_REQUIRE(q.pop().value() == std::to_string(c) + " " + big_endian(i));
    // A child within a callback has nothing: the lock and the transaction are its parent's.
    q.visit_top([&](std::string_view view) {
        BOOST_TEST(view == "before");
        Process child([&] {
            q.push("0 of a child"); // waits for its parent, who holds the lock, but for its own attaching
        });
        BOOST_TEST(!child.wait_for(30ms).has_value());
        BOOST_TEST(child.kill().killed());
    });
    ss::transaction(q, [&](auto& tx) {
        q.push(tx, "1");
        Process child([&] {
            BOOST_TEST(thrown_by([&] { q.push(tx, "2"); }) == error(errc::forked));
            BOOST_TEST(thrown_by([&] { (void)q.pop(tx); }) == error(errc::forked));
        });
        child.expect_clean();
    });
    BOOST_TEST((q.size() == 2U && q.pop().value() == "1" && wrong_with(pool) == ""));
}

BOOST_AUTO_TEST_SUITE_END()
