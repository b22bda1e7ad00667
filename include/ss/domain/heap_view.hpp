// A domain's heap, to be looked at: what an allocator's verify, block_size and the like work on.
#pragma once

#include <ss/domain/domain_core.hpp>

#include <cstdint>

namespace ss::inline v0::detail {

class HeapView {
public:
    explicit HeapView(const DomainCore& domain) noexcept : region_(&domain.region()) {}

    [[nodiscard]] std::uint64_t begin() const noexcept { return region_->begin() + heap_begin; }
    [[nodiscard]] std::uint64_t end() const noexcept { return region_->end(); }
    [[nodiscard]] const Word& word(std::uint64_t offset) const {
        if (offset < begin()) [[unlikely]]
            region_->refuse(offset);
        return region_->word(offset);
    }

private:
    const Region* region_;
};

} // namespace ss::inline v0::detail
