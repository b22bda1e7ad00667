// Walking a table while it grows and shrinks.
//
// Turn a hash's bits around and read it as a number between 0 and 2^64: a bucket of depth d, whose keys agree in their
// low d bits, then holds exactly one interval of such numbers, and a split cuts the interval in two. So a position on
// that line stays meaningful whatever happens to the buckets: a step copies, at one moment, all entries of the bucket at
// the position that are not before it, and moves on to the bucket's upper end. Nothing comes twice, and nothing that is
// there throughout is missed. (The idea of Redis' SCAN cursor, P. Noordhuis.)
#pragma once

#include <ss/structure/hash_table/lookup.hpp>

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ss::inline v0::detail {

/// A position, and whether there is anything left. The end is a flag, since all numbers are positions.
struct TableCursor {
    std::uint64_t position = 0;
    bool end = false;
};

using TableBatch = std::vector<std::pair<std::string, std::string>>;

/// Copies the entries at the cursor's bucket, and moves the cursor past it. `read(attempt)` runs an attempt until it is
/// consistent, as Domain::read does; `hash(bytes)` is the table's.
template <class Read, class HashKey>
void read_batch(const Region& region, const ObjectRef& object, Read read, HashKey hash, TableCursor& cursor,
                TableBatch& batch) {
    std::uint64_t upper = 0;
    read([&](auto reading) {
        return attempt_in_bucket(region, object, reading, reverse_bits(cursor.position), [&](const auto& table) {
            batch.clear();
            bool consistent = true;
            table.for_each_record([&](const RecordView& record) {
                if (!consistent || !table.validate()) { // before two sizes are believed
                    consistent = false;
                    return;
                }
                auto& [key, value] = batch.emplace_back();
                key.resize(record.sizes().key);
                copy_words(key.data(), record.key_words(), key.size());
                value.resize(record.sizes().value);
                copy_words(value.data(), record.value_words(), value.size());
            });
            const unsigned depth = table.depth();
            const std::uint64_t lower = reverse_bits(table.number());
            upper = depth == 0 ? 0 : lower + (std::uint64_t{1} << (64 - depth)); // 0: the line's end
            return consistent;
        });
    });
    std::erase_if(batch, [&](const auto& entry) { return reverse_bits(hash(entry.first)) < cursor.position; });
    cursor.position = upper;
    cursor.end = upper == 0;
}

/// An input iterator over copies of a table's entries. It holds no lock and keeps no reference into the pool; copies of
/// it go on independently. `Table` has `next_batch(TableCursor&, TableBatch&)`.
template <class Table>
class TableIterator {
public:
    using value_type = std::pair<std::string, std::string>;
    using reference = value_type;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;
    using iterator_concept = std::input_iterator_tag;

    /// What operator-> leads to.
    class Pointer {
    public:
        explicit Pointer(value_type value) : value_(std::move(value)) {}
        [[nodiscard]] const value_type* operator->() const noexcept { return &value_; }

    private:
        value_type value_;
    };
    using pointer = Pointer;

    TableIterator() = default;
    explicit TableIterator(const Table& table) : table_(std::make_shared<Table>(table)) { refill(); }

    /// A copy: nothing can be changed through it.
    [[nodiscard]] value_type operator*() const {
        assert(!is_end());
        return batch_[at_];
    }
    [[nodiscard]] Pointer operator->() const { return Pointer(**this); }

    TableIterator& operator++() {
        assert(!is_end());
        if (++at_ == batch_.size()) refill();
        return *this;
    }
    TableIterator operator++(int) {
        TableIterator before = *this;
        ++*this;
        return before;
    }

    /// True at the end; two iterators that stand somewhere are equal if they stand at the same place of a walk.
    friend bool operator==(const TableIterator& a, const TableIterator& b) noexcept {
        if (a.is_end() || b.is_end()) return a.is_end() == b.is_end();
        return a.table_ == b.table_ && a.cursor_.position == b.cursor_.position && a.at_ == b.at_;
    }
    friend bool operator==(const TableIterator& a, std::default_sentinel_t) noexcept { return a.is_end(); }

private:
    [[nodiscard]] bool is_end() const noexcept { return at_ >= batch_.size(); }

    void refill() {
        at_ = 0;
        batch_.clear();
        while (batch_.empty() && !cursor_.end) table_->next_batch(cursor_, batch_);
    }

    std::shared_ptr<const Table> table_; // a handle of its own: the walk may outlive the one it began on
    TableCursor cursor_;
    TableBatch batch_;
    std::size_t at_ = 0;
};

} // namespace ss::inline v0::detail
