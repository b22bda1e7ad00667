// Looking at a whole vector to see whether everything in it fits together. Under the lock, or while nobody writes.
#pragma once

#include <ss/domain/census.hpp>
#include <ss/structure/atomic_vector/layout.hpp>
#include <ss/structure/atomic_vector/stats.hpp>

#include <atomic>
#include <cstdint>
#include <string>

namespace ss::inline v0::detail {

[[nodiscard]] inline bool is_zero(const Word* words, std::uint64_t begin, std::uint64_t end) noexcept {
    for (std::uint64_t i = begin; i < end; ++i)
        if (load(words[i]) != 0) return false;
    return true;
}

/// Complains about each thing that is wrong with the vector of `entry`, which is called `name`. What its elements are
/// nobody can tell; but what is past the last one must be zero.
inline void verify_atomic_vector(const Region& region, const DirectoryEntry& entry, const std::string& name,
                                 Census& census) {
    const auto complain = [&](const std::string& sentence) {
        census.complain("vector \"" + name + "\": " + sentence);
    };
    try {
        const VectorHead& head = region.at(Offset<VectorHead>{load(entry.root[0])});
        const ElementCode code = load(head.element);
        const std::uint64_t size = code & 0xFF;
        const Word wanted = load(head.wanted);
        if (code != element_code_of(entry) || wanted > vector_bytes_limit / size || load(head.published) > wanted ||
            (load(head.garbage_next) | load(head.garbage_older) | load(head.garbage_era)) != 0) {
            complain("its head contradicts itself");
            return;
        }
        std::uint64_t segments = 0;
        while (segments < vector_segments && load(head.segments[segments]) != 0) ++segments;
        for (std::uint64_t segment = segments; segment < vector_segments; ++segment)
            if (load(head.segments[segment]) != 0)
                complain("segment " + std::to_string(segment) + " is there, and an earlier one is missing");
        if (segments < segments_for(wanted * size)) complain("segment " + std::to_string(segments) + " is missing");
        const Word zeroed = load(head.zeroed);
        if (load(head.pending) == 0) {
            if (zeroed != 0) complain("no segment is pending, and part of it is zero");
        } else if (segments == vector_segments || zeroed == 0 || zeroed % word_size != 0 ||
                   zeroed >= segment_bytes(segments)) {
            complain("a segment is pending that cannot be");
        } else if (!is_zero(region.words(AlignedBlock::use(load(head.pending)), segment_bytes(segments) / word_size),
                            0, zeroed / word_size)) {
            complain("the pending segment is not zero as far as it is said to be");
        }
        for (std::uint64_t segment = 0; segment < segments; ++segment) {
            const std::uint64_t bytes = segment_bytes(segment);
            const Word* const words =
                region.words(AlignedBlock::use(load(head.segments[segment])), bytes / word_size);
            // The first byte past the last element, as far as this segment is concerned; and the rest of its word.
            const std::uint64_t before = segment == 0 ? 0 : bytes;
            const std::uint64_t used = wanted * size > before ? wanted * size - before : 0;
            if (used >= bytes) continue;
            bool zero = true;
            for (std::uint64_t byte = used; byte % word_size != 0; ++byte)
                zero &= reinterpret_cast<const std::atomic<unsigned char>*>(words)[byte].load(
                            std::memory_order_relaxed) == 0;
            zero &= is_zero(words, (used + word_size - 1) / word_size, bytes / word_size);
            if (!zero) complain("segment " + std::to_string(segment) + " is not zero past the last element");
        }
        if (!census.is_settled(load(entry.version))) complain("has an odd version, and nobody holds the lock");
    } catch (const Error& error) { complain(error.what()); }
}

} // namespace ss::inline v0::detail
