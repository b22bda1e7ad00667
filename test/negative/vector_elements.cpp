// What an AtomicVector cannot be of, and what only integers have.
#include <ss/ss.hpp>

struct Pair {
    std::uint64_t first, second;
};

void use(const ss::Pool& pool) {
    ss::AtomicVector<std::uint64_t> numbers(pool, "numbers");
    const ss::AtomicVector<double> reals(pool, "reals");
    (void)numbers.fetch_or(0, 1);
    (void)reals.fetch_add(0, 1);
#ifdef CASE_two_words
    // CASE_two_words expect: the first parameter is not an integer of 8 to 64 bits
    ss::AtomicVector<Pair>(pool, "v");
#endif
#ifdef CASE_int128
    // CASE_int128 expect: the first parameter is not an integer of 8 to 64 bits
    ss::AtomicVector<__int128>(pool, "v");
#endif
#ifdef CASE_long_double
    // CASE_long_double expect: the first parameter is not an integer of 8 to 64 bits
    ss::AtomicVector<long double>(pool, "v");
#endif
#ifdef CASE_bool
    // CASE_bool expect: for flags take the bits of an integer
    ss::AtomicVector<bool>(pool, "v");
#endif
#ifdef CASE_pointer
    // CASE_pointer expect: the first parameter is not an integer of 8 to 64 bits
    ss::AtomicVector<int*>(pool, "v");
#endif
#ifdef CASE_const
    // CASE_const expect: the first parameter is not an integer of 8 to 64 bits
    ss::AtomicVector<const int>(pool, "v");
#endif
#ifdef CASE_allocator
    // CASE_allocator expect: the second parameter is not an allocator policy
    ss::AtomicVector<int, ss::SpinLock>(pool, "v");
#endif
#ifdef CASE_lock
    // CASE_lock expect: the third parameter is not a lock policy
    ss::AtomicVector<int, ss::SegregatedAllocator, int>(pool, "v");
#endif
#ifdef CASE_bits_of_reals
    // CASE_bits_of_reals expect: (no matching|constraints)
    (void)reals.fetch_or(0, 1);
#endif
#ifdef CASE_a_bit_of_a_real
    // CASE_a_bit_of_a_real expect: (no matching|constraints)
    (void)reals.load_bit(0);
#endif
}
