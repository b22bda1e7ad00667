// Walking a whole table to see whether everything in it fits together. Under the lock, or while nobody writes.
#pragma once

#include <ss/domain/census.hpp>
#include <ss/domain/heap_view.hpp>
#include <ss/hash/concept.hpp>
#include <ss/structure/hash_table/garbage.hpp>
#include <ss/structure/hash_table/record.hpp>
#include <ss/structure/kind.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ss::inline v0::detail {

/// Complains about each thing that is wrong with the table of `entry`, which is called `name`.
inline void verify_hash_table(const Region& region, const DirectoryEntry& entry, const std::string& name,
                              HashFunction hash, Census& census) {
    const HashSeed seed{.first = load(entry.seed[0]), .second = load(entry.seed[1])};
    const auto complain = [&](const std::string& sentence) {
        census.complain("table \"" + name + "\": " + sentence);
    };
    try {
        const HashTableHead& head = region.at(Offset<HashTableHead>{load(entry.root[0])});
        const std::uint64_t buckets = load(head.buckets);
        const std::uint64_t min_bits = load(head.min_bits);
        if (min_bits > max_table_bits || buckets < std::uint64_t{1} << min_bits || load(head.initialised) < buckets ||
            load(head.cursor) != 0) {
            complain("its head contradicts itself");
            return;
        }
        const std::uint64_t last_segment = place_of(buckets - 1, min_bits).segment;
        for (std::uint64_t segment = 0; segment < max_segments && segment <= last_segment; ++segment)
            if (load(head.segments[segment]) == 0) complain("segment " + std::to_string(segment) + " is missing");
        std::uint64_t size = 0;
        std::uint64_t lines = chain_limit(region); // in all buckets together: chains share no lines
        std::vector<std::string_view> keys;
        for (std::uint64_t number = 0; number < buckets; ++number) {
            const Bucket& bucket = bucket_at(region, head, number);
            if (!census.is_settled(load(bucket.version)))
                complain("bucket " + std::to_string(number) + " has an odd version");
            keys.clear();
            const std::array<Word, slots_per_line>* slots = &bucket.slots;
            for (;;) {
                for (const Word& slot : *slots) {
                    const Word word = load(slot);
                    if (!Slot::is_record(word)) {
                        if (word != 0 && &slot != &slots->back())
                            complain("bucket " + std::to_string(number) + " links from another slot than its last");
                        continue;
                    }
                    const RecordView record(region, Slot::offset(word));
                    const std::uint64_t hashed = hash(record.key(), seed);
                    if (bucket_of(hashed, buckets) != number || Slot::tag(word) != Slot::tag_of(hashed))
                        complain("bucket " + std::to_string(number) + " holds a key that belongs elsewhere");
                    else if (!words_equal(record.key_words(), record.key()))
                        complain("bucket " + std::to_string(number) + " holds a key whose padding is not zero");
                    keys.push_back(record.key());
                }
                if (!Slot::is_link(load(slots->back()))) break;
                if (lines-- == 0) {
                    complain("bucket " + std::to_string(number) + " has a chain that runs in a circle");
                    return;
                }
                slots = &linked_slots(region, load(slots->back()));
            }
            size += keys.size();
            std::sort(keys.begin(), keys.end());
            if (std::adjacent_find(keys.begin(), keys.end()) != keys.end())
                complain("bucket " + std::to_string(number) + " holds a key twice");
        }
        std::uint64_t spares = 0;
        for (std::uint64_t spare = load(head.spare); spare != 0; ++spares) {
            if (spares == chain_limit(region)) region.refuse(spare);
            spare = load(region.at(Offset<OverflowLine>{spare}).link);
        }
        if (spares != load(head.spares))
            complain("has " + std::to_string(spares) + " spare lines and counts " +
                     std::to_string(load(head.spares)));
        if (size != load(head.size))
            complain("has " + std::to_string(size) + " entries and counts " + std::to_string(load(head.size)));
        if (!census.is_settled(load(head.size_version)) || !census.is_settled(load(entry.version)))
            complain("has an odd version, and nobody holds the lock");
    } catch (const Error& error) { complain(error.what()); }
}

} // namespace ss::inline v0::detail
