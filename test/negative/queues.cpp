// What a queue is made of, and what goes in: a policy that nearly conforms is told which kind it is not, and a number is no
// item.
#include <ss/ss.hpp>

#include <string_view>

/// A right one, and three that nearly are.
struct Longest {
    static constexpr ss::PolicyId id = ss::policy_id("length");
    static constexpr std::uint64_t fingerprint = ss::fingerprint(1);
    static bool less(std::string_view a, std::string_view b) noexcept { return a.size() > b.size(); }
};
struct MayThrow {
    static constexpr ss::PolicyId id = ss::policy_id("throws");
    static constexpr std::uint64_t fingerprint = ss::fingerprint(1);
    static bool less(std::string_view a, std::string_view b);
};
struct ThreeWay {
    static constexpr ss::PolicyId id = ss::policy_id("3way");
    static constexpr std::uint64_t fingerprint = ss::fingerprint(1);
    static int less(std::string_view a, std::string_view b) noexcept;
};
struct NoFingerprint {
    static constexpr ss::PolicyId id = ss::policy_id("nofing");
    static bool less(std::string_view a, std::string_view b) noexcept;
};
struct NotStatic {
    static constexpr ss::PolicyId id = ss::policy_id("notstat");
    static constexpr std::uint64_t fingerprint = ss::fingerprint(1);
    bool less(std::string_view a, std::string_view b) const noexcept;
};

template <class Compare>
using By = ss::PriorityQueue<ss::SegregatedAllocator, ss::SpinLock, Compare>;

void use(const ss::Pool& pool) {
    By<Longest> longest(pool, "length");
    ss::PriorityQueue<>::with<Longest> too(pool, "longest, too");
    ss::Queue<> q(pool, "q", {.max_items = 1});
    q.push_back("item");
    longest.push({"it", "em"});
#ifdef CASE_comparison_that_may_throw
    // CASE_comparison_that_may_throw expect: the third parameter is not a comparison policy
    By<MayThrow>(pool, "q");
#endif
#ifdef CASE_three_way_comparison
    // CASE_three_way_comparison expect: the third parameter is not a comparison policy
    By<ThreeWay>(pool, "q");
#endif
#ifdef CASE_comparison_without_fingerprint
    // CASE_comparison_without_fingerprint expect: the third parameter is not a comparison policy
    By<NoFingerprint>(pool, "q");
#endif
#ifdef CASE_comparison_that_is_an_object
    // CASE_comparison_that_is_an_object expect: the third parameter is not a comparison policy
    By<NotStatic>(pool, "q");
#endif
#ifdef CASE_priority_queue_order
    // CASE_priority_queue_order expect: the first parameter is not an allocator policy
    ss::PriorityQueue<ss::SpinLock, ss::SegregatedAllocator>(pool, "q");
#endif
#ifdef CASE_queue_allocator
    // CASE_queue_allocator expect: the first parameter is not an allocator policy
    ss::Queue<ss::SpinLock, ss::SegregatedAllocator>(pool, "q");
#endif
#ifdef CASE_queue_lock
    // CASE_queue_lock expect: the second parameter is not a lock policy
    ss::Queue<ss::SegregatedAllocator, ss::Wyhash>(pool, "q");
#endif
#ifdef CASE_number_as_item
    // CASE_number_as_item expect: deleted
    q.push_back(7);
#endif
#ifdef CASE_null_item
    // CASE_null_item expect: deleted
    q.push_front(nullptr);
#endif
#ifdef CASE_number_with_priority
    // CASE_number_with_priority expect: deleted
    longest.push(7);
#endif
}
