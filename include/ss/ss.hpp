// Data structures in shared memory that survive the death of any process that uses them.
//
// This header has all of ss but what needs another library: <ss/registry.hpp> (Boost.Hana) and <ss/hash/xxh3.hpp>
// (libxxhash). Compile with -std=c++20 -pthread; there is nothing to link.
//
//     ss::Pool pool("/dev/shm/counters");
//     ss::HashTable<> hits(pool, "hits");
//     hits.incr("index.html", 1);
#pragma once

// IWYU pragma: begin_exports
#include <ss/catalogue.hpp>
#include <ss/fwd.hpp>
#include <ss/structure/root.hpp>
// IWYU pragma: end_exports
