// What the tests of Queue share.
#pragma once

#include <ss/ss.hpp>

#include <cstddef>
#include <string>

namespace ss::test {

/// True when somebody has left word at one of a queue's wait words that he waits.
template <class Queue>
[[nodiscard]] bool somebody_waits(Queue& q, const std::string& name, std::size_t root) {
    const auto object = find_object(q.domain().core(), name);
    return (load(object.value().entry->root[root]) & 1) != 0;
}
template <class Queue>
[[nodiscard]] bool somebody_waits_for_item(Queue& q, const std::string& name = "q") {
    return somebody_waits(q, name, detail::queue_item_waiters_root);
}
template <class Queue>
[[nodiscard]] bool somebody_waits_for_room(Queue& q, const std::string& name = "q") {
    return somebody_waits(q, name, detail::queue_room_waiters_root);
}

} // namespace ss::test
