// A policy that nearly conforms is told which kind it is not, and where to read what is missing.
#include <ss/ss.hpp>

/// A lock without release.
struct NoRelease {
    using State = ss::SpinLock::State;
    static constexpr ss::PolicyId id = ss::policy_id("norel");
    static constexpr std::uint64_t fingerprint = 1;
    static ss::LockResult try_acquire(State&, const ss::Session&);
    static ss::LockResult acquire(State&, const ss::Session&);
    static ss::LockResult acquire_until(State&, const ss::Session&, ss::Deadline);
    static ss::Token owner(const State&);
};

/// A hash that does not say whether it is seeded.
struct NoSeeded {
    static constexpr ss::PolicyId id = ss::policy_id("noseed");
    static constexpr std::uint64_t fingerprint = 1;
    static std::uint64_t hash(std::string_view, const ss::HashSeed&) noexcept;
};

/// A hash that may throw.
struct Throwing {
    static constexpr ss::PolicyId id = ss::policy_id("throws");
    static constexpr std::uint64_t fingerprint = 1;
    static constexpr bool seeded = false;
    static std::uint64_t hash(std::string_view, const ss::HashSeed&);
};

/// An allocator that is none.
struct NoAllocator {
    struct State {
        ss::Word word;
    };
    static constexpr ss::PolicyId id = ss::policy_id("noalloc");
    static constexpr std::uint64_t fingerprint = 1;
};

struct Nothing {};

void use(const ss::Pool& pool) {
    ss::HashTable<> table(pool, "table");
#ifdef CASE_lock
    // CASE_lock expect: the second parameter is not a lock policy
    ss::HashTable<ss::SegregatedAllocator, NoRelease>(pool, "table");
#endif
#ifdef CASE_hash
    // CASE_hash expect: the third parameter is not a hash policy
    ss::HashTable<ss::SegregatedAllocator, ss::SpinLock, NoSeeded>(pool, "table");
#endif
#ifdef CASE_throwing_hash
    // CASE_throwing_hash expect: the third parameter is not a hash policy
    ss::HashTable<ss::SegregatedAllocator, ss::SpinLock, Throwing>(pool, "table");
#endif
#ifdef CASE_allocator
    // CASE_allocator expect: the first parameter is not an allocator policy
    ss::HashTable<NoAllocator>(pool, "table");
#endif
#ifdef CASE_order
    // CASE_order expect: the first parameter is not an allocator policy
    ss::HashTable<ss::SpinLock, ss::SegregatedAllocator>(pool, "table");
#endif
#ifdef CASE_with
    // CASE_with expect: neither an allocator nor a lock nor a hash nor a comparison policy
    ss::HashTable<>::with<Nothing>(pool, "table");
#endif
#ifdef CASE_twice_optimistic
    // CASE_twice_optimistic expect: write Optimistic<L>
    ss::HashTable<>::with<ss::Optimistic<ss::Optimistic<ss::SpinLock>>>(pool, "table");
#endif
#ifdef CASE_optimistic_of_nothing
    // CASE_optimistic_of_nothing expect: L is not a lock policy
    ss::Optimistic<Nothing> lock;
#endif
#ifdef CASE_optimistic_striped
    // CASE_optimistic_striped expect: write Striped<Optimistic<L>>
    ss::HashTable<>::with<ss::Optimistic<ss::Striped<ss::SpinLock>>>(pool, "table");
#endif
#ifdef CASE_twice_striped
    // CASE_twice_striped expect: write Striped<L>
    ss::HashTable<>::with<ss::Striped<ss::Striped<ss::SpinLock>>>(pool, "table");
#endif
#ifdef CASE_striped_tree
    // CASE_striped_tree expect: Striped<L> is a lock policy of HashTable alone
    ss::PrefixTree<>::with<ss::Striped<ss::SpinLock>>(pool, "tree");
#endif
#ifdef CASE_striped_queue
    // CASE_striped_queue expect: Striped<L> is a lock policy of HashTable alone
    ss::Queue<>::with<ss::Striped<ss::SpinLock>>(pool, "queue");
#endif
#ifdef CASE_striped_priority_queue
    // CASE_striped_priority_queue expect: Striped<L> is a lock policy of HashTable alone
    ss::PriorityQueue<>::with<ss::Striped<ss::SpinLock>>(pool, "queue");
#endif
#ifdef CASE_striped_vector
    // CASE_striped_vector expect: Striped<L> is a lock policy of HashTable alone
    ss::AtomicVector<std::int64_t>::with<ss::Striped<ss::SpinLock>>(pool, "vector");
#endif
#ifdef CASE_striped_root
    // CASE_striped_root expect: Striped<L> is a lock policy of HashTable alone
    ss::Root<ss::SegregatedAllocator, ss::Striped<ss::SpinLock>>(pool, "root", ss::policy_id("mine"));
#endif
#ifdef CASE_transaction_over_stripes
    // CASE_transaction_over_stripes expect: ss::transaction\(table.stripe\(key\), f\)
    ss::HashTable<>::with<ss::Striped<ss::SpinLock>> striped(pool, "table");
    ss::transaction(striped, [](auto&) {});
#endif
#ifdef CASE_clear_over_stripes
    // CASE_clear_over_stripes expect: deleted
    ss::HashTable<>::with<ss::Striped<ss::SpinLock>> striped(pool, "table");
    ss::transaction(striped.stripe("key"), [&](auto& tx) { striped.clear(tx); });
#endif
#ifdef CASE_long_id
    // CASE_long_id expect: (not a constant expression|call to consteval|is not a constant)
    constexpr ss::PolicyId id = ss::policy_id("a_name_too_long");
#endif
#ifdef CASE_strange_id
    // CASE_strange_id expect: (not a constant expression|call to consteval|is not a constant)
    constexpr ss::PolicyId id = ss::policy_id("a b");
#endif
}
