// What may be a value of a PrefixTree, and what may be added to one. A pointer is no bool, an enumeration no number.
#include <ss/ss.hpp>

#include <string>
#include <vector>

struct Plain {
    int number;
};
enum Unscoped { first, second };
enum class Scoped { first, second };

void use(ss::PrefixTree<>& tree, void* pointer, unsigned char* bytes, const wchar_t* wide, const Plain& plain) {
    tree.insert("key", true);
    tree.insert("key", 'c');
    tree.insert("key", 1.5F);
    tree.insert("key", nullptr);
    tree.insert("key", "text");
    tree.insert("key", {"te", "xt"});
    tree.incr("key", 1);
    tree.incr("key", 1.5);
    (void)pointer, (void)bytes, (void)wide, (void)plain;
#ifdef CASE_void_pointer
    // CASE_void_pointer expect: (no matching|constraints)
    tree.insert("key", pointer);
#endif
#ifdef CASE_pointer_to_bytes
    // CASE_pointer_to_bytes expect: (no matching|constraints)
    tree.insert("key", bytes);
#endif
#ifdef CASE_wide_text
    // CASE_wide_text expect: (no matching|constraints)
    tree.insert("key", wide);
#endif
#ifdef CASE_struct
    // CASE_struct expect: (no matching|constraints)
    tree.insert("key", plain);
#endif
#ifdef CASE_unscoped_enumeration
    // CASE_unscoped_enumeration expect: (no matching|constraints)
    tree.insert("key", second);
#endif
#ifdef CASE_scoped_enumeration
    // CASE_scoped_enumeration expect: (no matching|constraints)
    tree.insert("key", Scoped::second);
#endif
#ifdef CASE_vector_of_char
    // CASE_vector_of_char expect: (no matching|constraints)
    tree.try_insert("key", std::vector<char>{'a'});
#endif
#ifdef CASE_struct_in_a_transaction
    // CASE_struct_in_a_transaction expect: (no matching|constraints)
    ss::transaction(tree, [&](auto& tx) { tree.insert(tx, "key", plain); });
#endif
#ifdef CASE_check_of_a_pointer
    // CASE_check_of_a_pointer expect: (no matching|constraints)
    tree.insert_if(ss::Check("key", pointer), "key", 1);
#endif
#ifdef CASE_integer_key
    // CASE_integer_key expect: deleted
    tree.insert(7, "value");
#endif
#ifdef CASE_null_key
    // CASE_null_key expect: deleted
    tree.insert(nullptr, "value");
#endif
#ifdef CASE_integer_prefix
    // CASE_integer_prefix expect: deleted
    (void)tree.prefix(7);
#endif
#ifdef CASE_bool_delta
    // CASE_bool_delta expect: (no matching|constraints)
    tree.incr("key", true);
#endif
#ifdef CASE_bool_delta_in_a_transaction
    // CASE_bool_delta_in_a_transaction expect: (no matching|constraints)
    ss::transaction(tree, [&](auto& tx) { tree.incr(tx, "key", true); });
#endif
#ifdef CASE_string_delta
    // CASE_string_delta expect: (no matching|constraints)
    tree.incr("key", "1");
#endif
#ifdef CASE_enumeration_delta
    // CASE_enumeration_delta expect: (no matching|constraints)
    tree.incr("key", second);
#endif
#ifdef CASE_write_through_an_iterator
    // CASE_write_through_an_iterator expect: (no match|no viable|discards)
    tree.begin()->second = 1.5;
#endif
#ifdef CASE_lock_first
    // CASE_lock_first expect: the first parameter is not an allocator policy
    (void)sizeof(ss::PrefixTree<ss::SpinLock, ss::SegregatedAllocator>);
#endif
#ifdef CASE_hash_second
    // CASE_hash_second expect: the second parameter is not a lock policy
    (void)sizeof(ss::PrefixTree<ss::SegregatedAllocator, ss::Wyhash>);
#endif
}
