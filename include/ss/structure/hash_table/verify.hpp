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
            load(head.bits) > max_table_bits || min_bits != bucket_bits(load(head.bits)) ||
            !is_page_size(load(head.page_words)) || load(head.cursor) != 0) {
            complain("its head contradicts itself");
            return;
        }
        const std::uint64_t page_words = load(head.page_words);
        std::uint64_t size = 0, wanted = 0;
        std::uint64_t pages = chain_limit(region); // in all buckets together: chains share none
        std::vector<std::string_view> keys;
        for (std::uint64_t number = 0; number < buckets; ++number) {
            const auto complain_of = [&](const std::string& sentence) {
                complain("bucket " + std::to_string(number) + " " + sentence);
            };
            const Page* page = &bucket_at(region, head, number);
            if (!census.is_settled(load(page->version))) complain_of("has an odd version");
            keys.clear();
            for (;;) {
                Word used = 0;
                for_each_slot(*page, [&](unsigned index, Place place) {
                    const RecordView record = record_at(region, *page, place, page_words);
                    const std::uint64_t words = record.sizes().words(), inside = place.is_outside() ? 1 : words;
                    const Word bits = bits_at(place.word(), inside);
                    if ((used & bits) != 0) complain_of("has records that lie in each other");
                    used |= bits;
                    wanted += words_wanted(words);
                    const std::uint64_t hashed = hash(record.key(), seed);
                    const Word tag = Slots::tag(load(page->slots[index / slots_per_word]), index % slots_per_word);
                    if (bucket_of(hashed, buckets) != number || tag != Slots::tag_of(hashed))
                        complain_of("holds a key that belongs elsewhere");
                    else if (!words_equal(record.key_words(), record.key()))
                        complain_of("holds a key whose padding is not zero");
                    keys.push_back(record.key());
                });
                for (unsigned index = 0; index < slots_per_page; ++index) {
                    const Word word = load(page->slots[index / slots_per_word]);
                    if (Slots::place(word, index % slots_per_word).is_empty() &&
                        Slots::tag(word, index % slots_per_word) != 0)
                        complain_of("has an empty slot with a tag");
                }
                if (used != load(page->used)) complain_of("has a page that counts its words wrongly");
                if (load(page->link) == 0) break;
                if (pages-- == 0) {
                    complain_of("has a chain that runs in a circle");
                    return;
                }
                page = &page_at(region, load(page->link), page_words);
            }
            size += keys.size();
            std::sort(keys.begin(), keys.end());
            if (std::adjacent_find(keys.begin(), keys.end()) != keys.end()) complain_of("holds a key twice");
        }
        std::uint64_t spares = 0;
        for (std::uint64_t spare = load(head.spare); spare != 0; ++spares) {
            if (spares == chain_limit(region)) region.refuse(spare);
            spare = load(region.at(Offset<Page>{spare}).version);
        }
        if (spares != load(head.spares))
            complain("has " + std::to_string(spares) + " spare pages and counts " +
                     std::to_string(load(head.spares)));
        if (size != load(head.size))
            complain("has " + std::to_string(size) + " entries and counts " + std::to_string(load(head.size)));
        if (wanted != load(head.load))
            complain("has records that want " + std::to_string(wanted) + " words and counts " +
                     std::to_string(load(head.load)));
        if (!census.is_settled(load(head.size_version)) || !census.is_settled(load(entry.version)))
            complain("has an odd version, and nobody holds the lock");
    } catch (const Error& error) { complain(error.what()); }
}

} // namespace ss::inline v0::detail
