// Walking a whole queue to see whether everything in it fits together. Under the lock, or while nobody writes.
#pragma once

#include <ss/domain/census.hpp>
#include <ss/domain/directory.hpp>
#include <ss/structure/queue/item.hpp>

#include <cstdint>
#include <string>

namespace ss::inline v0::detail {

/// Complains about each thing that is wrong with the queue of `entry`, which is called `name`.
inline void verify_queue(const Region& region, const DirectoryEntry& entry, const std::string& name, Census& census) {
    const auto complain = [&](const std::string& sentence) {
        census.complain("queue \"" + name + "\": " + sentence);
    };
    const auto compare = [&](const char* what, std::uint64_t found, std::uint64_t counted) {
        if (found != counted)
            complain("has " + std::to_string(found) + " " + what + " and counts " + std::to_string(counted));
    };
    std::uint64_t items = 0, payload = 0;
    // Complains about what lies in a page. Returns how many items that are.
    const auto check_page = [&](std::uint64_t offset) {
        const QueuePage& page = region.at(Offset<QueuePage>{offset});
        if (load(page.begin) < sizeof(QueuePage) || load(page.end) > load(page.size))
            complain("has a page whose items lie outside of it");
        std::uint64_t found = 0;
        (void)for_each_item(region, offset, [&](const ItemView& item) {
            if (!words_equal(item.words(), item.bytes())) complain("has an item whose padding is not zero");
            if (item.size_behind() != item.size()) complain("has an item that says two sizes");
            ++found;
            payload += item.size();
            return true;
        });
        items += found;
        return found;
    };
    try {
        const QueueHead& head = region.at(Offset<QueueHead>{load(entry.root[queue_head_root])});
        std::uint64_t previous = 0;
        std::uint64_t left = list_limit(region, sizeof(QueuePage));
        for (std::uint64_t offset = load(head.first); offset != 0; --left) {
            if (left == 0) {
                complain("has pages that link to each other in a circle");
                return;
            }
            const QueuePage& page = region.at(Offset<QueuePage>{offset});
            if (load(page.previous) != previous) complain("has a page that does not link back to the one before");
            if (check_page(offset) == 0 && load(head.first) != load(head.last))
                complain("has an empty page among others");
            previous = offset;
            offset = load(page.next);
        }
        if (load(head.last) != previous) complain("does not end with its last page");
        compare("items", items, load(entry.root[queue_items_root]));
        compare("bytes in items", payload, load(entry.root[queue_payload_root]));
        std::uint64_t leased = 0, slots = 0;
        for_each_slot(region, load(head.tables), [&](const LeaseSlot& slot) {
            ++slots;
            const std::uint64_t number = load(slot.number);
            if (number == 0) return false;
            ++leased;
            if (check_page(load(slot.page)) != 1) complain("has a lease of no item or of several");
            if (number > load(entry.root[queue_number_root]))
                complain("has a lease with a number that was not given yet");
            return false;
        });
        compare("leased items", leased, load(head.leased));
        std::uint64_t free = 0;
        for (std::uint64_t slot = load(head.free_slot); slot != 0 && free <= slots; ++free) {
            const LeaseSlot& there = region.at(Offset<LeaseSlot>{slot});
            if (load(there.number) != 0) complain("counts a lease as free");
            slot = load(there.page);
        }
        compare("free leases", free, slots - leased);
        if (!census.is_settled(load(entry.version))) complain("has an odd version, and nobody holds the lock");
    } catch (const Error& error) { complain(error.what()); }
}

} // namespace ss::inline v0::detail
