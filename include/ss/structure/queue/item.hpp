// An item of a queue, looked at.
#pragma once

#include <ss/structure/queue/layout.hpp>
#include <ss/structure/words.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace ss::inline v0::detail {

class ItemView {
public:
    /// Throws errc::damaged if the item reaches outside of the region.
    ItemView(const Region& region, std::uint64_t offset) : item_(&region.at(Offset<QueueItem>{offset})) {
        state_ = load(item_->size_and_leases);
        words_ = region.words(offset, item_words + words_for(size())) + item_words;
    }

    [[nodiscard]] QueueItem& item() const noexcept { return *item_; }
    [[nodiscard]] std::uint64_t size() const noexcept { return QueueItem::size(state_); }
    [[nodiscard]] std::uint64_t leases() const noexcept { return QueueItem::leases(state_); }
    [[nodiscard]] const Word* words() const noexcept { return words_; }

    /// In place: under the lock only.
    [[nodiscard]] std::string_view bytes() const noexcept {
        return {reinterpret_cast<const char*>(words_), static_cast<std::size_t>(size())};
    }

    void copy_to(std::string& out) const {
        out.resize(size());
        copy_words(out.data(), words_, out.size());
    }

private:
    QueueItem* item_;
    Word state_ = 0;
    const Word* words_;
};

} // namespace ss::inline v0::detail
