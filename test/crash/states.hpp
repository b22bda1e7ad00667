// The images of a pool that an operation leaves behind if it is killed at one instruction or another.
//
//     Image       the words of a file at one moment, and a hash of them that costs O(words changed) to keep
//     Recording   the first image, and for each instruction that changed it which words it changed to what
//
// An operation changes a few words hundreds of times, so a chain of changes takes kilobytes where images would take
// gigabytes; they are walked in order and written out one at a time.
#pragma once

#include "crash/single_step.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace ss::test {

/// All words of a file. The hash is a sum over the words that are not zero, each mixed with its place, so two images
/// of the same bytes have the same one whichever way they came about. Among a million images the chance that any two
/// share one by accident is 3e-8.
class Image {
public:
    Image() = default;
    explicit Image(std::span<const std::uint64_t> words) : words_(words.begin(), words.end()) {
        for (std::size_t i = 0; i < words_.size(); ++i) sum_ += mix(i, words_[i]);
    }

    void apply(std::uint64_t size, std::span<const WordChange> changes) {
        const std::size_t count = size / sizeof(std::uint64_t);
        for (std::size_t i = count; i < words_.size(); ++i) sum_ -= mix(i, words_[i]);
        words_.resize(count, 0);
        for (const WordChange& change : changes) {
            const std::size_t i = change.offset / sizeof(std::uint64_t);
            sum_ += mix(i, change.value) - mix(i, words_[i]);
            words_[i] = change.value;
        }
    }

    [[nodiscard]] std::uint64_t hash() const noexcept { return sum_ ^ scramble(words_.size()); }
    [[nodiscard]] std::uint64_t size() const noexcept { return words_.size() * sizeof(std::uint64_t); }
    [[nodiscard]] std::span<const std::uint64_t> words() const noexcept { return words_; }

    /// Makes `path` a file of exactly these bytes with blocks behind all of them; an image of no bytes is no file.
    void write(const std::filesystem::path& path) const {
        if (words_.empty()) {
            std::filesystem::remove(path);
            return;
        }
        const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (descriptor < 0) throw_system("open");
        const bool fine = ::ftruncate(descriptor, static_cast<off_t>(size())) == 0 &&
                          ::pwrite(descriptor, words_.data(), size(), 0) == static_cast<ssize_t>(size());
        ::close(descriptor);
        if (!fine) throw_system("write an image");
    }

private:
    [[nodiscard]] static std::uint64_t scramble(std::uint64_t x) noexcept {
        x = (x ^ x >> 30) * 0xBF58'476D'1CE4'E5B9U;
        x = (x ^ x >> 27) * 0x94D0'49BB'1331'11EBU;
        return x ^ x >> 31;
    }
    [[nodiscard]] static std::uint64_t mix(std::uint64_t place, std::uint64_t value) noexcept {
        return value == 0 ? 0 : scramble(value + scramble(place + 0x9E37'79B9'7F4A'7C15U));
    }

    std::vector<std::uint64_t> words_;
    std::uint64_t sum_ = 0;
};

/// One instruction that changed the file.
struct Change {
    std::uintptr_t pc;  ///< its address
    std::uint64_t hits; ///< how often it had run before, from the begin marker on
    std::uint64_t part; ///< how many words it had moved before, if it is one that repeats itself
    std::uint64_t step; ///< its number among all instructions since
    std::uint64_t size; ///< of the file now
    std::vector<WordChange> words;
};

struct Recording {
    Image first;
    std::vector<Change> changes;
    std::uint64_t steps = 0;

    /// f(image, change) for each image in order; change is null for the first one.
    template <class F>
    void for_each(F f) const {
        Image image = first;
        f(std::as_const(image), static_cast<const Change*>(nullptr));
        for (const Change& change : changes) {
            image.apply(change.size, change.words);
            f(std::as_const(image), &change);
        }
    }
};

/// Steps a child that stands at its begin marker to its end marker, and records what becomes of the file.
[[nodiscard]] inline Recording record(Tracee& child, const std::filesystem::path& path) {
    FileWatch watch(path);
    Recording recording;
    recording.first = Image(watch.words());
    std::unordered_map<std::uintptr_t, std::uint64_t> runs;
    std::uintptr_t last = 0;
    std::uint64_t part = 0;
    recording.steps = step_through(
        child, watch,
        [&](std::uintptr_t pc) {
            part =
                pc == last ? part + 1 : 0; // `rep movsq` is stepped a word at a time, and a breakpoint meets it once
            runs[pc] += part == 0 ? 1 : 0;
            last = pc;
        },
        [&](std::uintptr_t pc, std::uint64_t step, const std::vector<WordChange>& words) {
            recording.changes.push_back({.pc = pc,
                                         .hits = runs[pc] - 1,
                                         .part = part,
                                         .step = step,
                                         .size = watch.words().size() * sizeof(std::uint64_t),
                                         .words = words});
            return true;
        });
    return recording;
}

/// Brings a child that stands at its begin marker to where an earlier one had made change number `n` (from 0) of its
/// recording, and not one instruction further. False if it ended without coming so far.
[[nodiscard]] inline bool replay(Tracee& child, FileWatch& watch, const Recording& recording, std::size_t n) {
    const Change& last = recording.changes[n];
    std::vector<WordChange> words;
    if (child.run_to(last.pc, last.hits)) {
        for (std::uint64_t i = 0; i < last.part; ++i)
            if (!child.step()) return false;
        (void)watch.look(words);
        words.clear();
        return child.step() && watch.look(words);
    }
    std::size_t changes = 0;
    (void)step_through(
        child, watch, [](std::uintptr_t) {},
        [&](std::uintptr_t, std::uint64_t, const std::vector<WordChange>&) { return changes++ != n; });
    return changes == n + 1;
}

/// Images by their hashes, so that each is checked once.
using Seen = std::unordered_set<std::uint64_t>;

} // namespace ss::test
