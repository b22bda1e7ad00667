// An item of a queue, looked at, and where in a page it is.
#pragma once

#include <ss/structure/queue/layout.hpp>
#include <ss/structure/words.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace ss::inline v0::detail {

enum class End { front, back };

class ItemView {
public:
    /// Throws errc::damaged if the item reaches outside of the region.
    ItemView(const Region& region, std::uint64_t offset) {
        state_ = load(region.word(offset));
        words_ = region.words(offset, footprint() / word_size) + 1;
    }

    [[nodiscard]] std::uint64_t size() const noexcept { return QueueItem::size(state_); }
    [[nodiscard]] std::uint64_t leases() const noexcept { return QueueItem::leases(state_); }
    [[nodiscard]] std::uint64_t footprint() const noexcept { return QueueItem::footprint(size()); }
    [[nodiscard]] const Word* words() const noexcept { return words_; }
    [[nodiscard]] Word size_behind() const noexcept { return load(words_[words_for(size())]); }

    /// In place: under the lock only.
    [[nodiscard]] std::string_view bytes() const noexcept {
        return {reinterpret_cast<const char*>(words_), static_cast<std::size_t>(size())};
    }

    void copy_to(std::string& out) const {
        out.resize(size());
        copy_words(out.data(), words_, out.size());
    }

private:
    Word state_ = 0;
    const Word* words_;
};

/// The offset of the item at an end of a page that is not empty. Throws errc::damaged.
[[nodiscard]] inline std::uint64_t item_at(const Region& region, std::uint64_t page, const QueuePage& there,
                                           End end) {
    if (end == End::front) return page + load(there.begin);
    const std::uint64_t behind = page + load(there.end);
    return behind - QueueItem::footprint(QueueItem::size(load(region.word(behind - word_size))));
}

/// f(item, offset) for each item that lies in a page, from the front on, until f returns false; false if it did. Throws
/// errc::damaged if they do not end where the page says so.
template <class F>
bool for_each_item(const Region& region, std::uint64_t page, F f) {
    const QueuePage& there = region.at(Offset<QueuePage>{page});
    std::uint64_t at = load(there.begin);
    const std::uint64_t end = load(there.end);
    while (at < end) {
        const ItemView item(region, page + at);
        if (!f(item)) return false;
        at += item.footprint();
    }
    if (at != end) region.refuse(page + at);
    return true;
}

} // namespace ss::inline v0::detail
