// Waiting for a change of something, when the change may come at any time, and most of the time nobody waits.
//
// What can be watched is a thing: a key of a table, a key or a prefix of a tree, as a hash of 64 bits. Its highest 8 bits
// pick a signal of the domain's block, of which there are 256:
//
//     version | watched        version | watched        …        four to a cache line
//
//     stamp(thing)      under the lock: watched = the thing's mark (1 if another thing's is there); the cache line's bit
//                       of `block.watched` is set. The stamp is the version, which is even
//     a change of it    under the lock: bit set, and watched is the mark, or 1? touch the version, which makes it odd
//                       until the transaction ends; watched = 0. Where the bit is not set that is one load, no more
//     watch(stamp)      sleeps as long as the version is the stamp
//
// So from a stamp on, the first change of the thing moves the version: it finds `watched` as the stamp left it, unless
// another change came first, which then has moved it. None is missed, and what follows costs nothing until somebody takes
// a stamp again.
//
// A version is a version (journal.hpp): touched before the change, and even again, with a value it never had, when the
// transaction has happened, or was undone, or when the next owner of the lock finds that its owner has died. So whoever
// sees a change that was committed sees the version moved, killed writers or not: a sleeper looks at it every 100 ms,
// and takes its next stamp under the lock, where there is nothing left to recover.
//
// A stamp that moved without a change: another thing of the same mark (2^-56); things that share a signal, once two of
// them are watched; a transaction that was undone; `clear` and its kin, which move all that are watched.
#pragma once

#include <ss/domain/layout.hpp>
#include <ss/domain/wakes.hpp>

#include <cstdint>

namespace ss::inline v0::detail {

inline constexpr std::uint64_t signals_per_line = cache_line / sizeof(Signal);

static_assert(signal_count / signals_per_line == 64, "one bit of a word for each cache line of signals");

/// The signals of a domain whose lock we hold.
class Signals {
public:
    explicit Signals(DomainBlock& block) noexcept : block_(&block) {}

    [[nodiscard]] static constexpr std::uint64_t index_of(std::uint64_t thing) noexcept { return thing >> 56; }

    /// From now on, the first change of `thing` moves the version that is returned here.
    Word arm(std::uint64_t thing) noexcept {
        const std::uint64_t index = index_of(thing);
        Signal& signal = block_->signals[index];
        const Word before = load(signal.watched);
        // The bit first: whoever dies between the two leaves one that is cleared at the next change.
        put(block_->watched, load(block_->watched) | line_bit(index));
        compiler_fence();
        put(signal.watched, before == 0 || before == mark_of(thing) ? mark_of(thing) : several);
        return load(signal.version);
    }

    /// f(Signal&) for the signal of `thing`, if it may be watched. One load if nothing near it is.
    template <class F>
    void changed(std::uint64_t thing, F f) {
        if ((load(block_->watched) & line_bit(index_of(thing))) != 0) [[unlikely]]
            changed_in_line(thing, f);
    }

    /// f(Signal&) for every signal that is watched.
    template <class F>
    void all_changed(F f) {
        if (load(block_->watched) == 0) return;
        for (Signal& signal : block_->signals)
            if (load(signal.watched) != 0) tell(signal, f);
        put(block_->watched, 0);
    }

    [[nodiscard]] bool any() const noexcept { return load(block_->watched) != 0; }

private:
    static constexpr Word several = 1;

    [[nodiscard]] static constexpr Word mark_of(std::uint64_t thing) noexcept { return thing | 2; }
    [[nodiscard]] static constexpr Word line_bit(std::uint64_t index) noexcept {
        return Word{1} << (index / signals_per_line);
    }

    template <class F>
    [[gnu::cold, gnu::noinline]] void changed_in_line(std::uint64_t thing, F& f) {
        const std::uint64_t index = index_of(thing);
        Signal& signal = block_->signals[index];
        if (const Word watched = load(signal.watched); watched == several || watched == mark_of(thing))
            tell(signal, f);
        const std::uint64_t first = index - index % signals_per_line;
        Word any = 0;
        for (std::uint64_t i = first; i < first + signals_per_line; ++i) any |= load(block_->signals[i].watched);
        if (any == 0) put(block_->watched, load(block_->watched) & ~line_bit(index));
    }

    /// f touches the version first, and may throw; only then nobody watches any more.
    template <class F>
    static void tell(Signal& signal, F& f) {
        f(signal);
        put(signal.watched, 0);
    }

    DomainBlock* block_;
};

} // namespace ss::inline v0::detail
