// A structure of the user's own on ss::Root: a stack whose nodes are allocated, freed and read in transactions.
#include <ss/ss.hpp>

#include "support/barrier.hpp"
#include "support/expect.hpp"
#include "support/process.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(domain_root)

using namespace ss::test;
using namespace std::chrono_literals;
using ss::errc;

namespace {

struct Node {
    ss::Word value;
    ss::Offset<Node> next;
};

struct alignas(16) Wide {
    ss::Word words[5];
};

constexpr auto stack_type = ss::policy_id("stack");

/// The nodes hang on word 0; word 1 is the sum of their values, so that a torn read shows.
template <class A, class L>
class Stack {
public:
    Stack(const ss::Pool& pool, std::string_view name) : root_(pool, name, stack_type) {}

    void push(ss::Word value) {
        ss::transaction(root_, [&](auto& tx) { push(tx, value); });
    }

    template <class Tx>
    void push(Tx& tx, ss::Word value) {
        tx.touch(root_.version());
        const ss::Offset<Node> node = tx.template allocate<Node>();
        tx.store(tx.at(node).value, value);
        tx.store(tx.at(node).next, ss::Offset<Node>{root_.word(0)});
        tx.store(root_.word(0), node.value);
        tx.store(root_.word(1), root_.word(1) + value);
    }

    ss::Word pop() {
        return ss::transaction(root_, [&](auto& tx) {
            tx.touch(root_.version());
            const ss::Offset<Node> node{root_.word(0)};
            const ss::Word value = tx.at(node).value;
            tx.store(root_.word(0), tx.at(node).next.value);
            tx.store(root_.word(1), root_.word(1) - value);
            tx.free(node);
            return value;
        });
    }

    /// The values from the top, as of one moment; throws std::logic_error if they are not.
    std::vector<ss::Word> values() const {
        std::vector<ss::Word> all;
        ss::Word sum = 0;
        root_.read([&](const auto& view) {
            all.clear();
            sum = ss::load(root_.word(1));
            ss::Offset<Node> at{ss::load(root_.word(0))};
            for (int i = 0; at && i < 10'000; ++i) {
                const Node& node = view.at(at);
                all.push_back(ss::load(node.value));
                at.value = ss::load(node.next.value);
            }
        });
        ss::Word total = 0;
        for (const ss::Word value : all) total += value;
        if (total != sum) throw std::logic_error("read values that sum up to " + std::to_string(total));
        return all;
    }

    ss::Root<A, L>& root() { return root_; }

private:
    ss::Root<A, L> root_;
};

using Default = Stack<ss::DefaultAllocator, ss::DefaultLock>;

} // namespace

BOOST_AUTO_TEST_CASE(a_stack_of_ones_own) {
    const ss::Pool pool = ss::Pool::anonymous();
    Default stack(pool, "stack");
    const std::uint64_t empty = stack.root().stats().bytes_allocated;
    for (ss::Word i = 1; i <= 100; ++i) stack.push(i);
    BOOST_TEST((stack.values().size() == 100U && stack.values().front() == 100U));
    for (ss::Word i = 100; i > 50; --i) BOOST_TEST(stack.pop() == i);
    BOOST_CHECK_THROW(ss::transaction(stack.root(),
                                      [&](auto& tx) {
                                          stack.push(tx, 1000);
                                          stack.push(tx, 2000);
                                          throw std::runtime_error("undone");
                                      }),
                      std::runtime_error);
    BOOST_TEST(stack.values().front() == 50U);
    while (!stack.values().empty()) stack.pop();
    BOOST_TEST(stack.root().stats().bytes_allocated == empty);
    BOOST_TEST(wrong_with(pool) == "");
    const auto objects = pool.objects();
    BOOST_REQUIRE(objects.size() == 1U);
    BOOST_TEST((objects[0].name == "stack" && objects[0].type == "stack" && objects[0].hash == "none"));
    // What it does not know it does not free.
    BOOST_TEST(thrown_by([&] { pool.remove_object("stack"); }) == error(errc::unknown_policy));
    BOOST_TEST(pool.objects().size() == 1U);
}

BOOST_AUTO_TEST_CASE(what_is_allocated_is_zero_aligned_and_checked) {
    const ss::Pool pool = ss::Pool::anonymous({.max_size = 64 * ss::mebi});
    ss::Root<> root(pool, "root", stack_type);
    ss::transaction(root, [&](auto& tx) {
        for (std::uint64_t count = 1; count < 200; count += 13) {
            const auto wide = tx.template allocate<Wide>(count);
            BOOST_TEST(wide.value % 16 == 0U);
            for (std::uint64_t i = 0; i < count; ++i) {
                const ss::Offset<Wide> one{wide.value + i * sizeof(Wide)};
                for (const ss::Word word : tx.at(one).words) BOOST_TEST(word == 0U);
                tx.store(tx.at(one).words[i % 5], ~ss::Word{0});
            }
            tx.free(wide); // at the commit: the next block is another
        }
    });
    ss::transaction(root, [&](auto& tx) {
        const auto again = tx.template allocate<Wide>(100);
        for (const ss::Word word : tx.at(again).words) BOOST_TEST(word == 0U);
        tx.free(again);
        const auto three = tx.template allocate<char>(3);
        BOOST_TEST(tx.at(three) == '\0');
        tx.free(three);
        using ss::Offset;
        BOOST_TEST(thrown_by([&] { (void)tx.template allocate<Node>(0); }) == error(errc::too_large));
        BOOST_TEST(thrown_by([&] { (void)tx.template allocate<Node>(~std::uint64_t{0}); }) == error(errc::too_large));
        BOOST_TEST(thrown_by([&] { (void)tx.template allocate<Node>(1ULL << 30); }) == error(errc::past_max_size));
        BOOST_TEST(thrown_by([&] { (void)tx.at(Offset<Node>{}); }) == error(errc::damaged));
        BOOST_TEST(thrown_by([&] { (void)tx.at(Offset<Node>{again.value + 4}); }) == error(errc::damaged));
        BOOST_TEST(thrown_by([&] { (void)tx.at(Offset<Node>{1ULL << 40}); }) == error(errc::damaged));
        BOOST_TEST(thrown_by([&] { (void)tx.at(Offset<Node>{~ss::Word{7}}); }) == error(errc::damaged));
        BOOST_TEST(thrown_by([&] { tx.free(Offset<Node>{again.value + 8}); }) == error(errc::damaged));
        BOOST_TEST(thrown_by([&] { tx.free(Offset<Node>{}); }) == error(errc::damaged));
    });
    BOOST_TEST(wrong_with(pool) == "");
    // Freed twice in one transaction: found out at the commit, and nothing of it happens.
    ss::transaction(root, [&](auto& tx) { tx.store(root.word(0), tx.template allocate<Node>().value); });
    const std::uint64_t allocated = root.stats().bytes_allocated;
    BOOST_TEST(thrown_by([&] {
                   ss::transaction(root, [&](auto& tx) {
                       const ss::Offset<Node> node{root.word(0)};
                       tx.store(root.word(0), 0);
                       tx.free(node);
                       tx.free(node);
                   });
               }) == error(errc::damaged));
    BOOST_TEST((root.word(0) != 0U && root.stats().bytes_allocated == allocated));
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE(beside_tables_in_one_transaction) {
    const ss::Pool pool = ss::Pool::anonymous();
    Default stack(pool, "stack");
    ss::HashTable<> names(pool, "names");
    ss::transaction(names, [&](auto& tx) {
        stack.push(tx, 5);
        names.insert(tx, "5", "five");
    });
    BOOST_TEST((stack.values().front() == 5U && names.at("5") == "five"));
    BOOST_CHECK_THROW(ss::transaction(names,
                                      [&](auto& tx) {
                                          stack.push(tx, 6);
                                          names.insert(tx, "6", "six");
                                          throw std::runtime_error("undone");
                                      }),
                      std::runtime_error);
    BOOST_TEST((stack.values().size() == 1U && !names.contains("6")));
    // Types and fingerprints are compared when it is opened.
    BOOST_TEST(thrown_by([&] { const ss::Root<> other(pool, "stack", ss::policy_id("queue")); }) ==
               error(errc::other_type));
    BOOST_TEST(thrown_by([&] { const ss::Root<> other(pool, "stack", stack_type, 2); }) == error(errc::other_type));
    BOOST_TEST(thrown_by([&] { const ss::HashTable<> other(pool, "stack"); }) == error(errc::other_type));
    BOOST_TEST(thrown_by([&] { const ss::Root<> other(pool, "names", stack_type); }) == error(errc::other_type));
}

BOOST_AUTO_TEST_CASE(readers_beside_a_writer_that_is_killed) {
    const Watchdog dog(60, "readers beside a writer that is killed");
    const TempDir directory;
    const ss::Pool pool(directory / "pool");
    Default stack(pool, "stack");
    for (int round = 0; round < 20; ++round) {
        Process writer([&] {
            const ss::Pool theirs(directory / "pool");
            Default own(theirs, "stack");
            for (ss::Word i = 1;; ++i)
                if (own.values().size() < 50)
                    own.push(i);
                else
                    for (int n = 0; n < 20; ++n) own.pop();
        });
        const auto end = std::chrono::steady_clock::now() + 20ms;
        while (std::chrono::steady_clock::now() < end) (void)stack.values();
        BOOST_TEST(writer.kill().killed());
        (void)stack.values();
        stack.push(7);
        BOOST_TEST(wrong_with(pool) == "");
    }
    while (!stack.values().empty()) stack.pop();
    BOOST_TEST(stack.root().stats().bytes_allocated == 0U); // and nothing leaked
}

BOOST_AUTO_TEST_CASE(exceptions_of_a_reader) {
    const ss::Pool pool = ss::Pool::anonymous();
    Default stack(pool, "stack");
    stack.push(1);
    BOOST_CHECK_THROW(stack.root().read([](const auto&) { throw std::logic_error("of the user"); }),
                      std::logic_error);
    BOOST_TEST(thrown_by([&] { stack.root().read([](const auto& view) { (void)view.at(ss::Offset<Node>{3}); }); }) ==
               error(errc::damaged));
    // Beside a writer, what a reader throws of nonsense that it read does not count, whatever it is.
    std::atomic<bool> stop = false;
    std::thread writer([&] {
        while (!stop)
            ss::transaction(stack.root(), [&](auto& tx) {
                tx.touch(stack.root().version());
                tx.store(stack.root().word(2), 1);
                for (int i = 0; i < 100; ++i) tx.store(stack.root().word(3), ss::load(stack.root().word(3)) + 1);
                tx.store(stack.root().word(2), 0);
            });
    });
    const std::string thrown = thrown_by([&] {
        const auto end = std::chrono::steady_clock::now() + 300ms;
        while (std::chrono::steady_clock::now() < end)
            stack.root().read([&](const auto&) {
                for (int i = 0; i < 100; ++i)
                    if (ss::load(stack.root().word(2)) != 0) throw std::length_error("in the middle of a change");
            });
    });
    stop = true;
    writer.join();
    BOOST_TEST(thrown == "nothing");
}

BOOST_AUTO_TEST_CASE(profiles_whose_readers_lock) {
    const ss::Pool pool = ss::Pool::anonymous();
    Stack<ss::SimpleAllocator, ss::SpinLock> stack(pool, "stack");
    for (ss::Word i = 1; i <= 10; ++i) stack.push(i);
    BOOST_TEST(stack.values().size() == 10U);
    BOOST_TEST(stack.pop() == 10U);
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_SUITE_END()
