// Whether readers without the lock are warned of every change: no image of memory shows them a word of a node or of a
// value that has changed, or that has become something else, while its version is what it was.
//
// What such a reader has to be protected from depends on when it came, so a whole run of an operation is looked at, from
// one moment of rest to the next: at each, the words that can be come to are found, and which versions guard each. When
// one of them has changed its versions must have, by no later an instruction; and when at the next rest it cannot be come
// to, too, for then it is a free block's, and will be something else.
#pragma once

#include <ss/ss.hpp>

#include "crash/profile.hpp"
#include "crash/report.hpp"
#include "crash/scenario.hpp"
#include "crash/single_step.hpp"
#include "crash/states.hpp"
#include "support/temp_dir.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>
#include <utility>

namespace ss::test {

/// The offsets of the versions that guard a word: the same one twice if there is only one.
struct Guards {
    std::uint64_t version;
    std::uint64_t changes; ///< of a live tree, the version by which iterators know that they have read too early
};

/// By the offsets of the words.
using GuardedWords = std::unordered_map<std::uint64_t, Guards>;

/// What readers can come to in the trees of a pool at rest, and in what trees have left behind.
class TreeGuards {
public:
    explicit TreeGuards(const DomainCore& domain) : domain_(&domain) {
        detail::find_entry(domain, [&](const DirectoryEntry& entry) {
            if (detail::is_live(entry) && PolicyId{load(entry.type_id)} == prefix_tree_type) add_tree(entry);
            return false;
        });
        // Who is at a node on the garbage list has a version that is valid no more; below there are others.
        for (std::uint64_t offset =
                 load(domain.block().garbage.first[static_cast<std::uint64_t>(GarbageKind::prefix_tree)]);
             offset != 0;) {
            const auto node = detail::NodeView::garbage(region(), offset);
            for (std::uint64_t i = 0; i < node.count(); ++i)
                if (const Word word = load(node.slots()[i]); detail::Tagged::is_node(word)) add_nodes(word, 0);
            offset = load(node.header_word());
        }
    }

    [[nodiscard]] const GuardedWords& words() const noexcept { return words_; }

private:
    [[nodiscard]] const Region& region() const noexcept { return domain_->region(); }
    [[nodiscard]] std::uint64_t version_of(std::uint64_t offset) const noexcept {
        return region().offset_of(&detail::version_of(*domain_, offset));
    }

    void add(std::uint64_t offset, std::uint64_t words, const Guards& guards) {
        for (std::uint64_t i = 0; i < words; ++i) words_[offset + i * word_size] = guards;
    }

    void add_tree(const DirectoryEntry& entry) {
        const std::uint64_t offset = load(entry.root[detail::tree_head_root]);
        const auto& head = region().at(Offset<detail::TreeHead>{offset});
        const std::uint64_t changes = region().offset_of(&entry.root[detail::tree_changes_root]);
        const std::uint64_t removed = region().offset_of(&entry.version);
        const Guards guards{.version = version_of(offset), .changes = changes};
        add(region().offset_of(&head.root), 1, guards);
        add(region().offset_of(&head.block), 1, guards);
        add(region().offset_of(&head.entries), 3, {.version = changes, .changes = changes});
        add(region().offset_of(&entry.root[detail::tree_head_root]), 1, {.version = removed, .changes = removed});
        add_value(load(head.root), guards);
        add_nodes(load(head.root), changes);
    }

    void add_value(Word word, const Guards& guards) {
        if (!detail::Tagged::is_value(word) || detail::Tagged::block(word) == 0) return;
        const detail::StoredValue value(region(), {.word = word});
        add(detail::Tagged::block(word),
            value.tag == detail::Tag::text_block ? detail::text_block_words(value.size) : 1, guards);
    }

    /// `changes` is 0 for what is no tree's any more.
    void add_nodes(Word word, std::uint64_t changes) {
        detail::walk_subtree(
            region(), word,
            [&](const detail::NodeView& node) {
                const std::uint64_t version = version_of(node.offset());
                const Guards guards{.version = version, .changes = changes == 0 ? version : changes};
                add(node.offset(), node.all_words(), guards);
                add_value(load(node.value()), guards);
                node.for_each([&](std::uint8_t, const Word& slot) { add_value(load(slot), guards); });
            },
            [](const detail::ValueRef&) {});
    }

    const DomainCore* domain_;
    GuardedWords words_;
};

/// Steps through the scenario's operation, whose domain has lock policy L. What the first reader without warning would
/// have met, in words; empty if there is none.
template <class L>
[[nodiscard]] std::string unguarded_change(const Scenario& scenario) {
    const TempDir directory;
    const auto base = directory / "base", live = directory / "live", scratch = directory / "scratch",
               rest = directory / "rest";
    scenario.prepare(base);
    std::filesystem::copy_file(base, live);
    std::filesystem::copy_file(base, scratch);
    Recording recording;
    {
        const OneProcessor one;
        Tracee victim([&](const Markers& markers) {
            scenario.operate(scratch, Markers(false));
            scenario.operate(live, markers);
        });
        victim.run_to_marker();
        recording = record(victim, live);
    }

    const PoolGeometry geometry = pool_geometry(0, 1);
    const std::uint64_t journal = geometry.region_offset + offsetof(DomainBlock, journal);
    const auto word = [](const Image& image, std::uint64_t offset) { return image.words()[offset / word_size]; };
    const auto guards_of = [&](const Image& image) {
        std::filesystem::remove(rest);
        image.write(rest);
        const Pool pool = open_pool(rest, Access::read_only);
        return TreeGuards(DomainCore(pool.attachment(), 0, any_locker<L>)).words();
    };
    GuardedWords guards;
    Image begin; // the moment of rest before
    bool at_rest = false;
    std::string problem;
    std::uint64_t number = 0;
    const auto moved = [&](const Image& image, std::uint64_t offset) {
        return word(image, offset) != word(begin, offset);
    };
    const auto complain = [&](const Change& change, std::uint64_t offset, const char* what) {
        if (problem.empty())
            problem = scenario.name + numbered(": change ", number) + numbered(": the word at ", offset) + what +
                      ", and its version has not moved. " + describe_address(change.pc);
    };
    recording.for_each([&](const Image& image, const Change* change) {
        const bool rests = word(image, journal + offsetof(Journal, counts)) == 0;
        if (change != nullptr)
            for (const auto& [offset, value] : change->words) {
                const auto guard = guards.find(offset);
                if (guard != guards.end() && moved(image, offset) &&
                    !(moved(image, guard->second.version) && moved(image, guard->second.changes)))
                    complain(*change, offset, " changes");
                const std::uint64_t in_versions = offset - geometry.region_offset - offsetof(DomainBlock, versions);
                if (in_versions < sizeof(DomainBlock::versions) && value < word(begin, offset))
                    complain(*change, offset, " goes back");
            }
        // What follows a rest at once is its end: only the first change after it needs to know what was there.
        if (rests && (!at_rest || change == nullptr)) {
            GuardedWords now = guards_of(image);
            if (change != nullptr)
                for (const auto& [offset, guard] : guards)
                    if (!now.contains(offset) && !moved(image, guard.version)) complain(*change, offset, " is free");
            guards = std::move(now);
            begin = image;
        }
        at_rest = rests;
        ++number;
    });
    return problem;
}

} // namespace ss::test
