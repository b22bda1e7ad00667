// The names of the structures, and the only place where their policies have defaults.
#pragma once

#include <ss/alloc/segregated_allocator.hpp>
#include <ss/compare/by_bytes.hpp>
#include <ss/hash/wyhash.hpp>
#include <ss/lock/futex_lock.hpp>
#include <ss/lock/optimistic.hpp>
#include <ss/lock/striped.hpp>

namespace ss::inline v0 {

using DefaultAllocator = SegregatedAllocator;
using DefaultLock = Optimistic<FutexLock>;
using DefaultHash = Wyhash;
using DefaultCompare = ByBytes;

template <class Allocator = DefaultAllocator, class Lock = DefaultLock, class Hash = DefaultHash>
class HashTable;

/// One table in all domains of a pool: <ss/structure/striped_table.hpp>.
template <class Allocator, class Lock, class Hash>
class HashTable<Allocator, Striped<Lock>, Hash>;

template <class Allocator = DefaultAllocator, class Lock = DefaultLock>
class PrefixTree;

template <class T, class Allocator = DefaultAllocator, class Lock = DefaultLock>
class AtomicVector;

template <class Allocator = DefaultAllocator, class Lock = DefaultLock>
class Queue;

template <class Allocator = DefaultAllocator, class Lock = DefaultLock, class Compare = DefaultCompare>
class PriorityQueue;

template <class Allocator = DefaultAllocator, class Lock = DefaultLock>
class Root;

} // namespace ss::inline v0
