// Two PrefixTrees, "t" and "u", and a HashTable "h", in the one domain of a pool, without their types: so that what is done
// to them is one text, compiled once, and each profile only adds the structures themselves.
#pragma once

#include <ss/ss.hpp>

#include "crash/profile.hpp"
#include "crash/scenario.hpp"
#include "crash/tables.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace ss::test {

/// A tree, or a tree within a transaction.
class AnyTree {
public:
    AnyTree() = default;
    AnyTree(const AnyTree&) = delete;
    AnyTree& operator=(const AnyTree&) = delete;
    virtual ~AnyTree() = default;
    virtual void insert(std::string_view key, const AnyValue& value) = 0;
    virtual bool insert_if(const ValueCheck& check, std::string_view key, const AnyValue& value) = 0;
    virtual bool erase(std::string_view key) = 0;
    virtual std::uint64_t erase_prefix(std::string_view prefix) = 0;
    virtual void clear() = 0;
    virtual void incr(std::string_view key, std::int64_t delta) = 0;
    virtual void incr_real(std::string_view key, double delta) = 0;
    /// Not within a transaction.
    virtual void load(const std::vector<std::pair<std::string, Value>>& entries) = 0;
};

/// How many nodes of each kind a tree has, by the number of the kind.
using NodeCounts = std::array<std::int64_t, detail::node_kinds.size()>;

class TreesAndTable {
public:
    TreesAndTable() = default;
    TreesAndTable(const TreesAndTable&) = delete;
    TreesAndTable& operator=(const TreesAndTable&) = delete;
    virtual ~TreesAndTable() = default;

    [[nodiscard]] virtual AnyTree& t() = 0;
    [[nodiscard]] virtual AnyTree& u() = 0;
    [[nodiscard]] virtual AnyTable& h() = 0;
    /// f(t, u, h) as one transaction.
    virtual void transact(const std::function<void(AnyTree&, AnyTree&, AnyTable&)>& f) = 0;
    /// Of "t".
    [[nodiscard]] virtual NodeCounts nodes() = 0;
    /// Bytes of the domain.
    [[nodiscard]] virtual std::uint64_t committed() const = 0;
    /// Bytes that wait to be freed.
    [[nodiscard]] virtual std::uint64_t garbage() const = 0;
};

/// What the scenarios of trees need to know of a profile.
struct TreeProfile {
    /// All of a scenario but its name, prepare and operate.
    Scenario blank;
    std::function<std::unique_ptr<TreesAndTable>(const Pool&)> open;
    /// Opens, or makes, another tree; what is returned keeps it open.
    std::function<std::shared_ptr<void>(const Pool&, const std::string& name)> make;
};

/// `Tx` is empty, or the transaction's type.
template <class Tree, class... Tx>
class TypedTree final : public AnyTree {
public:
    explicit TypedTree(Tree& tree, Tx&... tx) noexcept : tree_(&tree), tx_(&tx...) {}

    void insert(std::string_view key, const AnyValue& value) override {
        with([&](Tx&... tx) { tree_->insert(tx..., key, value); });
    }
    bool insert_if(const ValueCheck& check, std::string_view key, const AnyValue& value) override {
        return with([&](Tx&... tx) { return tree_->insert_if(tx..., check, key, value); });
    }
    bool erase(std::string_view key) override {
        return with([&](Tx&... tx) { return tree_->erase(tx..., key); });
    }
    std::uint64_t erase_prefix(std::string_view prefix) override {
        return with([&](Tx&... tx) { return tree_->erase_prefix(tx..., prefix); });
    }
    void clear() override {
        with([&](Tx&... tx) { tree_->clear(tx...); });
    }
    void incr(std::string_view key, std::int64_t delta) override {
        with([&](Tx&... tx) { tree_->incr(tx..., key, delta); });
    }
    void incr_real(std::string_view key, double delta) override {
        with([&](Tx&... tx) { tree_->incr(tx..., key, delta); });
    }
    void load(const std::vector<std::pair<std::string, Value>>& entries) override {
        if constexpr (sizeof...(Tx) == 0)
            tree_->load(entries);
        else
            throw std::logic_error("a tree is not loaded within a transaction");
    }

private:
    template <class F>
    auto with(F f) {
        return std::apply([&](Tx*... tx) { return f(*tx...); }, tx_);
    }

    Tree* tree_;
    std::tuple<Tx*...> tx_;
};

template <class Tree>
class TypedTreesAndTable final : public TreesAndTable {
    using Table = HashTable<typename Tree::allocator_policy, typename Tree::lock_policy>;

public:
    explicit TypedTreesAndTable(const Pool& pool) : t_(pool, "t"), u_(pool, "u"), h_(pool, "h", {.bits = 0}) {}

    [[nodiscard]] AnyTree& t() override { return any_t_; }
    [[nodiscard]] AnyTree& u() override { return any_u_; }
    [[nodiscard]] AnyTable& h() override { return any_h_; }

    void transact(const std::function<void(AnyTree&, AnyTree&, AnyTable&)>& f) override {
        transaction(t_, [&]<class Tx>(Tx& tx) {
            TypedTree<Tree, Tx> t(t_, tx);
            TypedTree<Tree, Tx> u(u_, tx);
            TypedTableInside<Table, Tx> h(h_, tx);
            f(t, u, h);
        });
    }

    [[nodiscard]] NodeCounts nodes() override {
        NodeCounts counts{};
        const DomainCore& domain = t_.domain().core();
        const auto object = find_object(domain, "t");
        const auto& head =
            domain.region().at(Offset<detail::TreeHead>{load(object->entry->root[detail::tree_head_root])});
        detail::walk_subtree(
            domain.region(), load(head.root), [&](const detail::NodeView& node) { ++counts[node.header().kind]; },
            [](const detail::ValueRef&) {});
        return counts;
    }

    [[nodiscard]] std::uint64_t committed() const override { return t_.stats().domain.bytes_committed; }
    [[nodiscard]] std::uint64_t garbage() const override { return t_.stats().garbage_bytes; }

private:
    Tree t_;
    Tree u_;
    Table h_;
    TypedTree<Tree> any_t_{t_};
    TypedTree<Tree> any_u_{u_};
    TypedTable<Table> any_h_{h_};
};

/// A value as text that says its type, too.
[[nodiscard]] inline std::string described(const Value& value) {
    std::ostringstream text;
    text << to_string(type_of(value)) << ' ';
    if (const auto* boolean = std::get_if<bool>(&value)) text << *boolean;
    if (const auto* integer = std::get_if<std::int64_t>(&value)) text << *integer;
    if (const auto* real = std::get_if<double>(&value)) text << std::hexfloat << *real;
    if (const auto* string = std::get_if<std::string>(&value)) text << *string;
    return text.str();
}

/// All that is in a tree: walked up, walked down, and looked up key by key, which must agree.
template <class Tree>
void read_tree(const Tree& tree, const std::string& name, Contents& found) {
    std::uint64_t entries = 0;
    std::string last;
    tree.for_each([&](std::string_view view, const ValueView& value) {
        const std::string key(view);
        if (entries++ != 0 && key <= last) throw std::runtime_error("\"" + key + "\" comes after \"" + last + "\"");
        last = key;
        const std::string text = described(copy_of(value));
        found[name + ": " + key] = text;
        const auto looked_up = tree.find(key);
        if (!looked_up) throw std::runtime_error("\"" + key + "\" is not found");
        if (described(*looked_up) != text) throw std::runtime_error("\"" + key + "\" has another value when found");
    });
    if (tree.size() != entries)
        throw std::runtime_error("a tree of " + std::to_string(tree.size()) + " has " + std::to_string(entries) +
                                 " entries");
    for (auto at = tree.end(); entries != 0; --entries) {
        --at;
        if (at.is_end()) throw std::runtime_error("there is less on the way down than on the way up");
        const auto same = found.find(name + ": " + std::string(at.key()));
        if (same == found.end() || same->second != described(at->second))
            throw std::runtime_error("\"" + std::string(at.key()) + "\" is met on the way down alone");
    }
}

/// The objects of a pool and all that is in them, by every way that there is to read it.
template <class Tree>
[[nodiscard]] Contents tree_contents(const Pool& pool) {
    Contents found;
    for (const ObjectInfo& object : pool.objects()) {
        found["object " + object.name] = object.type;
        if (object.type == to_string(prefix_tree_type)) {
            read_tree(Tree(pool, object.name), object.name, found);
            continue;
        }
        const HashTable<typename Tree::allocator_policy, typename Tree::lock_policy> table(pool, object.name);
        table.for_each([&](std::string_view key, std::string_view value) {
            found[object.name + ": " + std::string(key)] = value;
        });
    }
    return found;
}

/// Throws unless the pool verifies, and, once all garbage is freed, verifies again and has exactly the bytes allocated
/// that its objects use.
template <class Tree>
void check_trees(const Pool& pool) {
    const auto verify = [&](const char* when) {
        if (const auto problems = pool.verify(); !problems.empty())
            throw std::runtime_error(std::string("verify ") + when + ": " + problems.front());
    };
    verify("as found");
    Domain<typename Tree::allocator_policy, typename Tree::lock_policy> domain(pool, 0);
    while (domain.run([](auto& tx) { return detail::reap_garbage(tx); })) {}
    verify("without garbage");
    std::uint64_t bytes = 0;
    for (const ObjectInfo& object : pool.objects()) {
        bytes += object.bytes;
        if (object.type != to_string(prefix_tree_type)) continue;
        const Tree tree(pool, object.name);
        const std::uint64_t of_entries = tree.bytes_for_prefix("");
        const std::uint64_t of_head = object.bytes - of_entries;
        if (of_head < sizeof(detail::TreeHead) || of_head > sizeof(detail::TreeHead) + 4 * cache_line)
            throw std::runtime_error("a tree says " + std::to_string(object.bytes) +
                                     " bytes, of which its entries take " + std::to_string(of_entries));
    }
    const DomainStats stats = domain.stats();
    if (stats.garbage_bytes != 0) throw std::runtime_error("there is garbage that cannot be freed");
    if (stats.bytes_allocated != bytes)
        throw std::runtime_error(std::to_string(stats.bytes_allocated) + " bytes are allocated, " +
                                 std::to_string(bytes) + " are used");
}

template <class Tree>
[[nodiscard]] TreeProfile tree_profile() {
    Scenario blank = scenario_of<typename Tree::allocator_policy, typename Tree::lock_policy>("");
    blank.contents = &tree_contents<Tree>;
    blank.check = &check_trees<Tree>;
    blank.next = [](const Pool& pool) {
        Tree t(pool, "t");
        t.insert("next", std::string(700, 'n'));
        t.insert("one more", std::string(30, 'm'));
        t.erase("next");
    };
    blank.next_contents = [](Contents contents) {
        contents["object t"] = to_string(prefix_tree_type);
        contents["t: one more"] = described(std::string(30, 'm'));
        return contents;
    };
    return {.blank = std::move(blank),
            .open = [](const Pool& pool) { return std::make_unique<TypedTreesAndTable<Tree>>(pool); },
            .make = [](const Pool& pool, const std::string& name) -> std::shared_ptr<void> {
                return std::make_shared<Tree>(pool, name);
            }};
}

} // namespace ss::test
