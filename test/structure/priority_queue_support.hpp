// What the tests of PriorityQueue share: a model, comparison policies of a user's, and how to empty one.
#pragma once

#include <ss/ss.hpp>

#include "support/expect.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace ss::test {

/// By a number in the first 8 bytes, big-endian and padded with zeros: the largest first; the rest does not count.
struct LargestFirst {
    static constexpr PolicyId id = policy_id("largest");
    static constexpr std::uint64_t fingerprint = ss::fingerprint(1);

    [[nodiscard]] static std::uint64_t number(std::string_view item) noexcept {
        std::uint64_t number = 0;
        for (std::size_t i = 0; i < 8; ++i)
            number = number << 8 | (i < item.size() ? static_cast<unsigned char>(item[i]) : 0U);
        return number;
    }
    [[nodiscard]] static bool less(std::string_view a, std::string_view b) noexcept { return number(a) > number(b); }
};

/// By what stands behind the first space.
struct ByRest {
    static constexpr PolicyId id = policy_id("byrest");
    static constexpr std::uint64_t fingerprint = ss::fingerprint(1);

    [[nodiscard]] static std::string_view rest(std::string_view item) noexcept {
        const auto space = item.find(' ');
        return space == std::string_view::npos ? std::string_view() : item.substr(space + 1);
    }
    [[nodiscard]] static bool less(std::string_view a, std::string_view b) noexcept { return rest(a) < rest(b); }
};

inline std::string big_endian(std::uint64_t number) {
    std::string text(8, '\0');
    for (unsigned i = 0; i < 8; ++i) text[i] = static_cast<char>(number >> (8 * (7 - i)));
    return text;
}

template <class Compare>
struct Less {
    bool operator()(const std::string& a, const std::string& b) const noexcept { return Compare::less(a, b); }
};

/// What is in a queue, in the order of its policy. Of items that are equal there any may come.
template <class Queue>
using QueueModel = std::multiset<std::string, Less<typename Queue::compare_policy>>;

/// Takes `item`, which must be one of the smallest, out of the model. False if it is not.
template <class Model>
[[nodiscard]] bool take(Model& model, const std::optional<std::string>& item) {
    if (!item) return model.empty();
    if (model.empty()) return false;
    const auto [begin, end] = model.equal_range(*model.begin());
    const auto found = std::find(begin, end, *item);
    if (found == end) return false;
    model.erase(found);
    return true;
}

/// All items, which are put back in one transaction or none.
template <class Queue>
[[nodiscard]] std::vector<std::string> items_of(Queue& queue) {
    std::vector<std::string> items;
    while (auto item = queue.pop()) items.push_back(std::move(*item));
    for (const std::string& item : items) queue.push(item);
    return items;
}

/// Does nothing until all garbage has been freed.
template <class Queue>
void drain(Queue& queue) {
    for (int i = 0; i < 1'000'000 && queue.stats().garbage_bytes != 0; ++i)
        transaction(queue, [&](auto& tx) {
            queue.push(tx, "");
            (void)queue.pop(tx);
        });
    BOOST_TEST(queue.stats().garbage_bytes == 0U);
}

/// How many segments the heap has. Whether they are the right ones verify() looks at.
template <class Queue>
[[nodiscard]] unsigned segments_of(Queue& queue, const std::string& name) {
    const DomainCore& core = queue.domain().core();
    const auto object = find_object(core, name);
    const detail::PriorityHeap heap(core.region(), load(object.value().entry->root[detail::heap_head_root]));
    unsigned segments = 0;
    for (const Word& word : heap.head().segments) segments += load(word) != 0;
    return segments;
}

} // namespace ss::test
