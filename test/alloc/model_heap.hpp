// A heap to test allocators on, without a pool: memory with an undo journal that counts what it is asked to do, dies at
// the n-th change, refuses to grow at the n-th time, and can be copied to see what would have happened otherwise.
#pragma once

#include <ss/alloc/concept.hpp>
#include <ss/base/bits.hpp>
#include <ss/base/error.hpp>
#include <ss/base/word.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include <sys/mman.h>

namespace ss::test {

/// What ModelHeap throws where a process would die. No std::exception, so that nobody catches it by accident.
struct Death {};

/// Of which memory a ModelHeap is made.
struct ModelHeapOptions {
    std::uint64_t begin = 3 * 4096;    ///< offset of the first byte
    std::uint64_t initial = 64 * kibi; ///< bytes committed at first
    std::uint64_t limit = 64 * mebi;   ///< bytes it may grow to
    std::uint64_t step = 64 * kibi;    ///< it grows by multiples of this
};

class ModelHeap {
public:
    using Options = ModelHeapOptions;

    explicit ModelHeap(const Options& options = {}) : options_(options), committed_(options.initial) {
        // What is not committed is not accessible: an allocator that reads past the end dies of it.
        void* const memory =
            ::mmap(nullptr, reserved(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) throw std::bad_alloc();
        memory_ = static_cast<Word*>(memory);
        allow(0, allocator_state_size + committed_);
    }

    /// A heap in the same state, with an empty journal.
    ModelHeap(const ModelHeap& other) : ModelHeap(other.sized()) {
        std::memcpy(memory_, other.memory_, allocator_state_size + committed_);
    }
    ModelHeap(ModelHeap&& other) noexcept
        : options_(other.options_), committed_(other.committed_), memory_(std::exchange(other.memory_, nullptr)) {}
    /// Becomes such a copy in the memory it has: much cheaper. Both must have the same limit.
    ModelHeap& operator=(const ModelHeap& other) {
        if (this == &other) return *this;
        if (options_.limit != other.options_.limit) throw Error(errc::invalid_argument, "heaps of different limits");
        if (committed_ > other.committed_) withdraw(other.committed_);
        reach(other);
        options_ = other.options_;
        std::memcpy(memory_, other.memory_, allocator_state_size + committed_);
        journal_.clear();
        death_ = refused_growth_ = 0;
        return *this;
    }
    ModelHeap& operator=(ModelHeap&&) = delete;
    ~ModelHeap() {
        if (memory_ != nullptr) ::munmap(memory_, reserved());
    }

    /// The allocator's State, in front of the heap.
    template <class A>
    [[nodiscard]] typename A::State& state() const noexcept {
        static_assert(sizeof(typename A::State) <= allocator_state_size);
        return *reinterpret_cast<typename A::State*>(memory_);
    }
    [[nodiscard]] Word* state_words() const noexcept { return memory_; }

    // --- what an allocator sees

    [[nodiscard]] std::uint64_t begin() const noexcept { return options_.begin; }
    [[nodiscard]] std::uint64_t end() const noexcept { return options_.begin + committed_; }
    [[nodiscard]] Word& word(std::uint64_t offset) { return *at(offset); }
    [[nodiscard]] const Word& word(std::uint64_t offset) const { return *at(offset); }

    void store(Word& word, std::uint64_t value) {
        step();
        journal_.push_back({&word, load(word)});
        step();
        put(word, value);
    }
    void preserve(const Word& word) {
        step();
        journal_.push_back({const_cast<Word*>(&word), load(word)});
    }
    void fill(Word& word, std::uint64_t value) {
        step();
        put(word, value);
    }
    std::uint64_t grow(std::uint64_t bytes) {
        if (bytes == 0) throw Error(errc::invalid_argument, "growth by nothing");
        ++growths_;
        if (growths_ == refused_growth_) throw Error(errc::out_of_space, "refused");
        if (bytes > options_.limit - committed_) throw Error(errc::past_max_size, "the model's limit");
        const std::uint64_t all = std::min(options_.limit, align_up(committed_ + bytes, options_.step));
        allow(allocator_state_size + committed_, allocator_state_size + all);
        committed_ = all;
        step();
        return end();
    }

    // --- transactions

    [[nodiscard]] std::uint64_t entries() const noexcept { return journal_.size(); }
    void commit() noexcept { journal_.clear(); }
    /// Undoes to when the journal had this many entries, newest first.
    void rollback(std::uint64_t to = 0) noexcept {
        for (; journal_.size() > to; journal_.pop_back()) put(*journal_.back().word, journal_.back().old);
    }

    // --- accidents

    /// Changes of any kind so far, those of a store counted as two: the entry and the word.
    [[nodiscard]] std::uint64_t changes() const noexcept { return changes_; }
    [[nodiscard]] std::uint64_t growths() const noexcept { return growths_; }
    /// Throws Death instead of the n-th change from now on, n = 1, 2, …; 0: never.
    void die_at(std::uint64_t n) noexcept { death_ = n == 0 ? 0 : changes_ + n; }
    /// Refuses the n-th growth from now on; 0: none.
    void refuse_growth(std::uint64_t n) noexcept { refused_growth_ = n == 0 ? 0 : growths_ + n; }

    // --- the other hand

    /// As a block's owner: no journal, no count.
    [[nodiscard]] Word* raw(std::uint64_t offset) const noexcept {
        return memory_ + (allocator_state_size + offset - options_.begin) / word_size;
    }
    /// Takes the bytes from `new_end` on off the heap. What they were is lost.
    void shrink(std::uint64_t new_end) {
        ::madvise(raw(new_end), end() - new_end, MADV_DONTNEED);
        withdraw(new_end - begin());
    }
    /// Commits as much as another heap has.
    void reach(const ModelHeap& other) {
        if (committed_ >= other.committed_) return;
        allow(allocator_state_size + committed_, allocator_state_size + other.committed_);
        committed_ = other.committed_;
    }

private:
    struct Entry {
        Word* word;
        Word old;
    };

    [[nodiscard]] Options sized() const noexcept {
        Options options = options_;
        options.initial = committed_;
        return options;
    }
    [[nodiscard]] std::uint64_t reserved() const noexcept { return allocator_state_size + options_.limit; }

    [[nodiscard]] Word* at(std::uint64_t offset) const {
        if (!is_aligned(offset, word_size) || offset < begin() || offset >= end()) [[unlikely]]
            throw Error(errc::damaged, "offset " + std::to_string(offset) + " is misaligned or outside the heap");
        return raw(offset);
    }
    void step() {
        if (++changes_ == death_) [[unlikely]]
            throw Death{};
    }
    void withdraw(std::uint64_t committed) {
        ::mprotect(raw(begin() + committed), committed_ - committed, PROT_NONE);
        committed_ = committed;
    }
    void allow(std::uint64_t from, std::uint64_t to) {
        if (::mprotect(reinterpret_cast<std::byte*>(memory_) + from, to - from, PROT_READ | PROT_WRITE) != 0)
            throw std::bad_alloc();
    }

    Options options_;
    std::uint64_t committed_;
    Word* memory_ = nullptr;
    std::vector<Entry> journal_;
    std::uint64_t changes_ = 0;
    std::uint64_t growths_ = 0;
    std::uint64_t death_ = 0;
    std::uint64_t refused_growth_ = 0;
};

} // namespace ss::test
