// Keys and values are bytes. What is not is told so, and does not become a null pointer or a character.
#include <ss/ss.hpp>

#include <string>

void use(ss::HashTable<>& table) {
    table.insert("key", std::string("value"));
    table.incr("key", 1);
    table.insert_if(ss::Check("key", std::string("value")), "key", "value");
    table.erase_if(ss::Check::missing("key"), "key");
#ifdef CASE_integer_value
    // CASE_integer_value expect: (deleted|use of deleted)
    table.insert("key", 0);
#endif
#ifdef CASE_integer_key
    // CASE_integer_key expect: deleted
    (void)table.find(7);
#endif
#ifdef CASE_null_value
    // CASE_null_value expect: deleted
    table.insert("key", nullptr);
#endif
#ifdef CASE_null_key
    // CASE_null_key expect: deleted
    (void)table.contains(nullptr);
#endif
#ifdef CASE_bool_value
    // CASE_bool_value expect: deleted
    table.insert("key", true);
#endif
#ifdef CASE_floating_value
    // CASE_floating_value expect: deleted
    table.insert("key", 1.5);
#endif
#ifdef CASE_check_of_an_integer
    // CASE_check_of_an_integer expect: (no matching|cannot convert|could not convert|no known conversion)
    table.insert_if(ss::Check("key", 7), "key", "value");
#endif
#ifdef CASE_check_of_null
    // CASE_check_of_null expect: (no matching|cannot convert|could not convert|no known conversion)
    table.insert_if(ss::Check("key", nullptr), "key", "value");
#endif
#ifdef CASE_check_of_a_bool_to_erase
    // CASE_check_of_a_bool_to_erase expect: (no matching|cannot convert|could not convert|no known conversion)
    table.erase_if(ss::Check("key", true), "key");
#endif
#ifdef CASE_check_of_an_integer_in_a_transaction
    // CASE_check_of_an_integer_in_a_transaction expect: (no matching|cannot convert|could not convert|no known conversion)
    ss::transaction(table, [&](auto& tx) { table.insert_if(tx, ss::Check("key", 7), "key", "value"); });
#endif
#ifdef CASE_check_of_an_integer_key
    // CASE_check_of_an_integer_key expect: deleted
    table.insert_if(ss::Check(7, "value"), "key", "value");
#endif
#ifdef CASE_string_delta
    // CASE_string_delta expect: (no matching|constraints)
    table.incr("key", "1");
#endif
#ifdef CASE_bool_delta
    // CASE_bool_delta expect: (no matching|constraints)
    table.incr("key", true);
#endif
#ifdef CASE_bool_delta_in_a_transaction
    // CASE_bool_delta_in_a_transaction expect: (no matching|constraints)
    ss::transaction(table, [&](auto& tx) { table.incr(tx, "key", true); });
#endif
#ifdef CASE_bool_number
    // CASE_bool_number expect: (no matching|constraints)
    table.incr_as<bool>("key", true);
#endif
#ifdef CASE_string_in_the_pool
    // CASE_string_in_the_pool expect: plain data
    ss::transaction(table, [](auto& tx) { (void)tx.template allocate<std::string>(); });
#endif
}
