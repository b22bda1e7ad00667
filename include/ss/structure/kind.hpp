// What a kind of structure tells of itself to those who find one in a pool without having made it: `Pool::objects`,
// `verify`, `remove_object`. Each kind is a struct of these functions, and kinds.hpp lists them all:
//
//     noun                                       what messages call it: "table"
//     is(entry)                                  the directory says that it is one of these, in this layout
//     discard(tx, object)                        frees what it has, or hangs it on the garbage list
//     bytes(region, entry)                       allocated, as it counts them itself; 0 if it has no head
//     verify(domain, entry, name, code, census)  complains about what is wrong; false if it cannot tell
//     count(domain, entry, census)               uses each of its blocks
//     count_garbage(domain, census)              the same for what hangs on its garbage list
#pragma once

#include <ss/base/bits.hpp>
#include <ss/domain/census.hpp>
#include <ss/domain/directory.hpp>
#include <ss/hash/concept.hpp>
#include <ss/pool/region.hpp>

#include <cstdint>
#include <string_view>

namespace ss::inline v0::detail {

/// How keys are hashed, when the policy is known from the pool alone.
using HashFunction = std::uint64_t (*)(std::string_view bytes, const HashSeed& seed) noexcept;

/// How items are compared, likewise.
using LessFunction = bool (*)(std::string_view a, std::string_view b) noexcept;

/// The code of an object's own policy; null for what it has none of, or what is unknown here.
struct ObjectCode {
    HashFunction hash = nullptr;
    LessFunction less = nullptr;
};

[[nodiscard]] inline bool is_of_type(const DirectoryEntry& entry, PolicyId type, std::uint64_t fingerprint) noexcept {
    return load(entry.type_id) == static_cast<Word>(type) && load(entry.type_fingerprint) == fingerprint;
}

/// The head of an object, if there can be one where its first root says; else null.
template <class Head>
[[nodiscard]] const Head* head_of(const Region& region, const DirectoryEntry& entry) {
    const Offset<Head> head{load(entry.root[0])};
    return region.contains(head.value, sizeof(Head)) && is_aligned(head.value, alignof(Head)) ? &region.at(head)
                                                                                              : nullptr;
}

} // namespace ss::inline v0::detail
