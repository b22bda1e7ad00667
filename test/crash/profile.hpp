// What the scenarios of all structures share: their policies, and the checks of a domain.
#pragma once

#include <ss/alloc/concept.hpp>
#include <ss/domain/domain.hpp>
#include <ss/domain/heap_view.hpp>
#include <ss/lock/optimistic.hpp>
#include <ss/lock/robust_mutex.hpp>

#include "crash/scenario.hpp"

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace ss::test {

template <class L>
inline constexpr bool is_kernel_lock = std::is_base_of_v<RobustMutex, L>;

/// "k7". (Not written with `+`, of which g++ 12 warns at -O3 without reason.)
[[nodiscard]] inline std::string numbered(const char* prefix, std::uint64_t number) {
    return std::string(prefix).append(std::to_string(number));
}

/// A scenario that has its names, its flags, and how it recovers.
template <class A, class L>
[[nodiscard]] Scenario scenario_of(std::string name) {
    Scenario scenario;
    scenario.name = std::move(name);
    scenario.profile = to_string(A::id) + " " + to_string(L::id);
    scenario.readers_lock = !is_optimistic<L>;
    scenario.kernel_lock = is_kernel_lock<L>;
    scenario.recovery = [](const Pool& pool) {
        return [domain = std::make_shared<Domain<A, L>>(pool, 0)] { domain->locked([] {}); };
    };
    scenario.check_guarded = [](const Pool& pool) {
        const DomainCore core(pool.attachment(), 0, any_locker<L>);
        if (core.is_claimed() && core.undo().is_dirty() && core.locker().owner(core.lock_slot()) == 0)
            throw std::runtime_error("the journal is in use, and nobody holds the lock");
    };
    return scenario;
}

/// Throws unless the allocator finds nothing wrong, and what it counts as allocated is the sum of its allocated blocks and
/// is what needed(its state, its heap) says the structures need.
template <class A, class L, class Needed>
void check_domain(const Pool& pool, Needed needed) {
    Domain<A, L> domain(pool, 0);
    domain.locked([&] {
        const DomainBlock& block = domain.core().block();
        const auto& state = *reinterpret_cast<const typename A::State*>(block.allocator.data());
        const detail::HeapView heap(domain.core());
        std::vector<std::string> problems;
        A::verify(state, heap, problems);
        if (!problems.empty()) throw std::runtime_error("verify: " + problems.front());
        const auto check_even = [](Word version) {
            if ((version & 1) != 0) throw std::runtime_error("a version is odd, and nobody changes anything");
        };
        check_even(load(block.directory_version));
        for (const DirectoryEntry& entry : block.directory.entries) check_even(load(entry.version));
        std::uint64_t sum = 0;
        A::for_each_block(state, heap, [&](const BlockInfo& info) {
            if (info.allocated) sum += info.size;
        });
        const std::uint64_t counted = A::bytes_allocated(state);
        const std::uint64_t expected = needed(state, heap);
        const auto bytes = [](std::uint64_t number) { return std::to_string(number) + " bytes"; };
        if (sum != counted) throw std::runtime_error(bytes(sum) + " in blocks, " + bytes(counted) + " counted");
        if (sum != expected)
            throw std::runtime_error(bytes(sum) + " are allocated, " + bytes(expected) + " are needed");
        if (load(block.garbage.bytes) != 0) throw std::runtime_error("garbage, where nobody makes any");
    });
}

} // namespace ss::test
