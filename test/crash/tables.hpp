// Two HashTables, "t" and "u", in the one domain of a pool, without their type: so that what is done to them is one text,
// compiled once, and each profile only adds the table itself.
#pragma once

#include <ss/ss.hpp>

#include "crash/profile.hpp"
#include "crash/scenario.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace ss::test {

/// What the tables are made with, so that they have four buckets: the 53rd entry splits one, or as many words as four pages have room for.
inline constexpr unsigned table_bits = 5;
inline constexpr std::uint64_t table_buckets = 4;

/// A table, or a table within a transaction.
class AnyTable {
public:
    AnyTable() = default;
    AnyTable(const AnyTable&) = delete;
    AnyTable& operator=(const AnyTable&) = delete;
    virtual ~AnyTable() = default;
    virtual void insert(std::string_view key, std::string_view value) = 0;
    virtual void erase(std::string_view key) = 0;
    virtual void incr(std::string_view key, std::int64_t delta) = 0;
    virtual void clear() = 0;
};

class TwoTables {
public:
    TwoTables() = default;
    TwoTables(const TwoTables&) = delete;
    TwoTables& operator=(const TwoTables&) = delete;
    virtual ~TwoTables() = default;

    [[nodiscard]] virtual AnyTable& t() = 0;
    [[nodiscard]] virtual AnyTable& u() = 0;
    /// f(t, u) as one transaction.
    virtual void transact(const std::function<void(AnyTable&, AnyTable&)>& f) = 0;
    /// Entries of "t".
    [[nodiscard]] virtual std::uint64_t size() const = 0;
    /// Bytes of the domain.
    [[nodiscard]] virtual std::uint64_t committed() const = 0;
    /// The n-th of the keys b0, b1, … that belong into the first of the buckets of "t".
    [[nodiscard]] virtual std::string key_of_bucket(std::uint64_t n) = 0;
};

/// What the scenarios of tables need to know of a profile.
struct TableProfile {
    /// All of a scenario but its name, prepare and operate.
    Scenario blank;
    std::function<std::unique_ptr<TwoTables>(const Pool&, unsigned bits_of_t)> open;
    /// Opens, or makes, another one with a single bucket; what is returned keeps it open.
    std::function<std::shared_ptr<void>(const Pool&, const std::string& name)> make;
};

template <class Table>
class TypedTable final : public AnyTable {
public:
    explicit TypedTable(Table& table) noexcept : table_(&table) {}
    void insert(std::string_view key, std::string_view value) override { table_->insert(key, value); }
    void erase(std::string_view key) override { table_->erase(key); }
    void incr(std::string_view key, std::int64_t delta) override { table_->incr(key, delta); }
    void clear() override { table_->clear(); }

private:
    Table* table_;
};

template <class Table, class Tx>
class TypedTableInside final : public AnyTable {
public:
    TypedTableInside(Table& table, Tx& tx) noexcept : table_(&table), tx_(&tx) {}
    void insert(std::string_view key, std::string_view value) override { table_->insert(*tx_, key, value); }
    void erase(std::string_view key) override { table_->erase(*tx_, key); }
    void incr(std::string_view key, std::int64_t delta) override { table_->incr(*tx_, key, delta); }
    void clear() override { table_->clear(*tx_); }

private:
    Table* table_;
    Tx* tx_;
};

template <class Table>
class TwoTypedTables final : public TwoTables {
public:
    TwoTypedTables(const Pool& pool, unsigned bits_of_t)
        : t_(pool, "t", {.bits = bits_of_t}), u_(pool, "u", {.bits = table_bits}) {}

    [[nodiscard]] AnyTable& t() override { return any_t_; }
    [[nodiscard]] AnyTable& u() override { return any_u_; }

    void transact(const std::function<void(AnyTable&, AnyTable&)>& f) override {
        transaction(t_, [&]<class Tx>(Tx& tx) {
            TypedTableInside<Table, Tx> t(t_, tx);
            TypedTableInside<Table, Tx> u(u_, tx);
            f(t, u);
        });
    }

    [[nodiscard]] std::uint64_t size() const override { return t_.size(); }
    [[nodiscard]] std::uint64_t committed() const override { return t_.stats().domain.bytes_committed; }

    [[nodiscard]] std::string key_of_bucket(std::uint64_t n) override {
        const auto object = find_object(t_.domain().core(), "t");
        const HashSeed seed{.first = load(object->entry->seed[0]), .second = load(object->entry->seed[1])};
        for (std::uint64_t i = 0;; ++i) {
            std::string key = numbered("b", i);
            if (Table::hash_policy::hash(key, seed) % table_buckets == 0 && n-- == 0) return key;
        }
    }

private:
    Table t_;
    Table u_;
    TypedTable<Table> any_t_{t_};
    TypedTable<Table> any_u_{u_};
};

/// The objects of a pool and all that is in them, by every way that there is to read it.
template <class Table>
[[nodiscard]] Contents table_contents(const Pool& pool) {
    Contents found;
    for (const ObjectInfo& object : pool.objects()) {
        found["object " + object.name] = object.type;
        const Table table(pool, object.name);
        std::uint64_t entries = 0;
        table.for_each([&](std::string_view key, std::string_view value) {
            ++entries;
            if (!found.emplace(object.name + ": " + std::string(key), value).second)
                throw std::runtime_error("the key \"" + std::string(key) + "\" comes twice");
            if (table.find(key) != value) throw std::runtime_error("\"" + std::string(key) + "\" is not found");
        });
        if (table.size() != entries)
            throw std::runtime_error("a table of " + std::to_string(table.size()) + " has " +
                                     std::to_string(entries) + " entries");
    }
    return found;
}

/// Throws unless the pool verifies, and, once all garbage is freed, verifies again and has exactly the bytes allocated
/// that its objects use.
template <class Table>
void check_tables(const Pool& pool) {
    const auto verify = [&](const char* when) {
        if (const auto problems = pool.verify(); !problems.empty())
            throw std::runtime_error(std::string("verify ") + when + ": " + problems.front());
    };
    verify("as found");
    using A = typename Table::allocator_policy;
    Domain<A, typename Table::lock_policy> domain(pool, 0);
    while (domain.run([](auto& tx) { return detail::reap_hash_table(tx); })) {}
    verify("without garbage");
    std::uint64_t bytes = 0;
    for (const ObjectInfo& object : pool.objects()) bytes += object.bytes;
    const DomainBlock& block = domain.core().block();
    for (Offset<DirectoryPage> page{load(block.directory.next)}; page;
         page.value = load(domain.region().at(page).next))
        bytes += A::block_size(*reinterpret_cast<const typename A::State*>(block.allocator.data()),
                               detail::HeapView(domain.core()), load(domain.region().at(page).block));
    const DomainStats stats = domain.stats();
    if (stats.garbage_bytes != 0) throw std::runtime_error("there is garbage that cannot be freed");
    if (stats.bytes_allocated != bytes)
        throw std::runtime_error(std::to_string(stats.bytes_allocated) + " bytes are allocated, " +
                                 std::to_string(bytes) + " are used");
}

template <class Table>
[[nodiscard]] TableProfile table_profile() {
    Scenario blank = scenario_of<typename Table::allocator_policy, typename Table::lock_policy>("");
    blank.profile += " " + to_string(Table::hash_policy::id);
    blank.contents = &table_contents<Table>;
    blank.check = &check_tables<Table>;
    blank.next = [](const Pool& pool) {
        Table t(pool, "t", {.bits = table_bits});
        t.insert("next", std::string(700, 'n'));
        t.insert("one more", std::string(30, 'm'));
        t.erase("next");
    };
    blank.next_contents = [](Contents contents) {
        contents["object t"] = to_string(hash_table_type);
        contents["t: one more"] = std::string(30, 'm');
        return contents;
    };
    return {.blank = std::move(blank),
            .open = [](const Pool& pool,
                       unsigned bits_of_t) { return std::make_unique<TwoTypedTables<Table>>(pool, bits_of_t); },
            .make = [](const Pool& pool, const std::string& name) -> std::shared_ptr<void> {
                return std::make_shared<Table>(pool, name, HashTableOptions{.bits = 0});
            }};
}

} // namespace ss::test
