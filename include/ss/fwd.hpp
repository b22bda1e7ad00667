// Every public name, declared. Defaults of policies are in structure/fwd.hpp, the only place that has any.
#pragma once

#include <ss/structure/fwd.hpp>

namespace ss::inline v0 {

// The pool
class Pool;
struct PoolOptions;
enum class Access;
struct ObjectInfo;
struct SessionId;
class Error;
enum class errc;
template <class T>
struct Offset;

// Policies
struct NullLock;
struct SpinLock;
struct FutexLock;
struct RobustMutex;
template <class L>
struct Optimistic;
template <class L>
struct Striped;
class SimpleAllocator;
class LogarithmicAllocator;
class SegregatedAllocator;
struct Fnv1a64;
struct Wyhash;
struct SipHash13;
struct Xxh3; // <ss/hash/xxh3.hpp>, which needs libxxhash
struct ByBytes;

// Structures and what they take
class BytesCheck;
class ValueCheck;
class Check;
struct HashTableOptions;
struct HashTableStats;
struct PrefixTreeStats;
struct QueueOptions;
struct QueueStats;
struct Stamp;
struct AtomicVectorStats;
struct PriorityQueueStats;
class AnyValue;
enum class ValueType : unsigned char;
struct DomainStats;
template <class A, bool Versioned>
class UserTransaction;

// What is known of policies and types at run time
template <class... Ps>
struct Policies;
template <class... Mine>
struct Catalogue;
struct BuiltIns;

} // namespace ss::inline v0
