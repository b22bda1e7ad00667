// Single operations between two marks, for cache_lines.py to see which cache lines of a pool each of them reads and writes.
#include <ss/ss.hpp>

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace {

volatile std::uint64_t mark = 0; // its stores are seen in the trace

void tell(const char* name, const void* begin, std::uint64_t bytes) {
    std::printf("range %s %zu %zu\n", name, reinterpret_cast<std::size_t>(begin), static_cast<std::size_t>(bytes));
}

/// Twice before it counts: what happens once alone is no part of it. What `before` does is none, either.
template <class Before, class F>
void operation(const char* name, Before before, F f) {
    static std::uint64_t number = 0;
    for (int i = 0; i < 2; ++i) {
        before(i);
        f(i);
    }
    before(2);
    std::printf("operation %s\n", name);
    mark = ++number;
    f(2);
    mark = 0;
}

template <class F>
void operation(const char* name, F f) {
    operation(
        name, [](int) {}, f);
}

} // namespace

int main() {
    const ss::Pool pool = ss::Pool::anonymous();
    ss::HashTable<> table(pool, "table");
    ss::PrefixTree<> tree(pool, "tree");
    ss::Queue<> queue(pool, "queue");
    ss::AtomicVector<std::uint64_t> numbers(pool, "numbers");
    const std::string small(32, 's'), large(200, 'l');
    const auto key = [](int i) { return "a key of 16 b" + std::to_string(100 + i); };
    for (int i = 0; i < 800; ++i) {
        table.insert(key(i), small);
        tree.insert(key(i), i);
    }
    table.insert("number", std::string(8, '\0'));
    queue.push_back("first");
    numbers.expand(64);

    const ss::DomainCore& core = table.domain().core();
    const ss::DomainBlock& block = core.block();
    tell("lock", &core.lock_slot(), sizeof(ss::LockSlot));
    tell("journal", &block.journal, sizeof block.journal);
    tell("garbage", &block.garbage, sizeof block.garbage);
    tell("allocator", &block.allocator, sizeof block.allocator);
    tell("directory", &block.directory, sizeof block.directory);
    tell("versions", &block.versions, sizeof block.versions);
    tell("signals", &block.signals, sizeof block.signals);
    const std::byte* const heap = core.region().data(core.region().begin()) + ss::heap_begin;
    tell("heap", heap, core.region().size() - ss::heap_begin);
    tell("mark", const_cast<const std::uint64_t*>(&mark), sizeof mark);

    std::string value;
    operation("table: get", [&](int i) { table.find_into(key(i), value); });
    operation("table: overwrite 32 bytes", [&](int i) { table.insert(key(i), std::string(32, 'o')); });
    operation("table: incr", [&](int) { table.incr("number", 1); });
    operation(
        "table: insert, inside", [&](int i) { table.erase(key(700 + i)); },
        [&](int i) { table.insert(key(700 + i), small); });
    operation("table: erase, inside", [&](int i) { table.erase(key(i)); });
    operation("table: insert, outside", [&](int i) { table.insert(key(910 + i), large); });
    operation("tree: get", [&](int i) { (void)tree.find(key(i)); });
    operation("tree: insert", [&](int i) { tree.insert(key(920 + i), i); });
    operation("queue: push", [&](int) { queue.push_back("item"); });
    operation("queue: pop", [&](int) { (void)queue.pop_front(); });
    operation("vector: fetch_add", [&](int i) { numbers.fetch_add(static_cast<std::uint64_t>(i), 1); });
    return 0;
}
