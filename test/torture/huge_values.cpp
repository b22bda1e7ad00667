// The largest value there is, 4 GiB less one byte, in each structure that holds values; and one byte more.
#include <ss/ss.hpp>

#include "support/expect.hpp"
#include "support/skip.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>

using namespace ss::test;
using ss::errc;

namespace {

constexpr std::uint64_t most = (std::uint64_t{1} << 32) - 1;

/// The value, the pool and a copy that is read, at once, and what the system needs.
void need_memory() {
    std::ifstream file("/proc/meminfo");
    for (std::string word; file >> word;) {
        std::uint64_t kibibytes = 0;
        if (word == "MemAvailable:" && file >> kibibytes && kibibytes < (std::uint64_t{18} << 20))
            skip("18 GiB of memory are needed, and " + std::to_string(kibibytes >> 20) + " are available");
    }
}

/// `size` bytes that differ from place to place.
std::string huge(std::uint64_t size) {
    std::string bytes(size, '\0');
    for (std::uint64_t i = 0; i < size; i += 509) bytes[i] = static_cast<char>(i >> 12);
    bytes.back() = '!';
    return bytes;
}

ss::Pool large_pool() { return ss::Pool::anonymous({.max_size = std::uint64_t{24} << 30}); }

} // namespace

BOOST_AUTO_TEST_CASE(in_a_table) {
    need_memory();
    const std::string value = huge(most);
    const ss::Pool pool = large_pool();
    ss::HashTable<> table(pool, "table");
    table.insert("before", "1");
    BOOST_TEST(table.insert("huge", value));
    BOOST_TEST(table.visit("huge", [&](std::string_view stored) { BOOST_TEST((stored == value)); }));
    BOOST_TEST((table.at("huge") == value));
    BOOST_TEST(thrown_by([&] { table.insert("more", {std::string_view(value), "x"}); }) == error(errc::too_large));
    BOOST_TEST(!table.contains("more"));
    BOOST_TEST(table.erase("huge"));
    BOOST_TEST(table.at("before") == "1");
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE(in_a_tree) {
    need_memory();
    const std::string value = huge(most);
    const ss::Pool pool = large_pool();
    ss::PrefixTree<> tree(pool, "tree");
    BOOST_TEST(tree.insert("huge", std::string_view(value)));
    BOOST_TEST(tree.visit(
        "huge", [&](const ss::ValueView& stored) { BOOST_TEST((std::get<std::string_view>(stored) == value)); }));
    BOOST_TEST(tree.erase("huge"));
    BOOST_TEST(wrong_with(pool) == "");
}

BOOST_AUTO_TEST_CASE(in_queues) {
    need_memory();
    const std::string item = huge(most);
    {
        const ss::Pool pool = large_pool();
        ss::Queue<> queue(pool, "queue");
        queue.push_back(item);
        BOOST_TEST(queue.visit_front([&](std::string_view stored) { BOOST_TEST((stored == item)); }));
        BOOST_TEST((queue.pop_front() == item));
        BOOST_TEST(wrong_with(pool) == "");
    }
    const ss::Pool pool = large_pool();
    ss::PriorityQueue<> queue(pool, "priority queue");
    queue.push(item);
    BOOST_TEST((queue.pop() == item));
    BOOST_TEST(wrong_with(pool) == "");
}
