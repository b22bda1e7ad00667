// The names of a domain: which objects there are, of what type, and where they begin.
//
// Pages of entries, the first in the domain's block, the others in blocks that are never freed. Names and generations
// are guarded by the block's directory_version, and read without the lock in every profile. An entry is used again for
// another name once its object was removed, with a generation that it never had; whoever holds a handle of the old
// object sees that its generation has passed.
#pragma once

#include <ss/base/policy.hpp>
#include <ss/domain/domain_core.hpp>
#include <ss/domain/optimistic_read.hpp>

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ss::inline v0 {

/// What a structure records of itself when it is made, and compares when it is opened.
struct ObjectType {
    PolicyId type{};
    std::uint64_t type_fingerprint = 0;
    PolicyId hash{}; ///< or what it compares by; none for types that have no such policy
    std::uint64_t hash_fingerprint = 0;
    const char* hash_noun = "hash"; ///< what messages call that
};

/// An entry, and the generation that it had when it was found.
struct ObjectRef {
    DirectoryEntry* entry = nullptr;
    Word generation = 0;
};

namespace detail {

[[noreturn, gnu::cold, gnu::noinline]] inline void refuse_removed(const Region& region) {
    throw Error(errc::no_such_object, "the object was removed while a handle to it was open", region.name());
}

/// Throws no_such_object if the object of a handle is no more. The caller holds the lock, or validates.
inline void check_stands(const DomainCore& domain, const ObjectRef& object) {
    if (load(object.entry->generation) != object.generation) [[unlikely]]
        refuse_removed(domain.region());
}

/// Calls f(entry) for each entry of a domain until f returns true; returns that entry. Follows links only as far as
/// there can be pages. Throws errc::damaged if they lead outside.
template <class F>
DirectoryEntry* find_entry(const DomainCore& domain, F f) {
    DirectoryPage* page = &domain.block().directory;
    for (std::uint64_t left = domain.region().size() / sizeof(DirectoryPage) + 1; left != 0; --left) {
        for (DirectoryEntry& entry : page->entries)
            if (f(entry)) return &entry;
        const Offset<DirectoryPage> next{load(page->next)};
        if (!next) return nullptr;
        page = &domain.region().at(next);
    }
    throw Error(errc::damaged, "the directory's pages run in a circle", domain.attachment().name());
}

[[nodiscard]] inline bool is_live(const DirectoryEntry& entry) noexcept { return (load(entry.generation) & 1) != 0; }

/// The name as it can be had now; to be believed once the directory's version is validated.
[[nodiscard]] inline std::string entry_name(const DirectoryEntry& entry) {
    std::array<Word, max_name_size / word_size> words{};
    for (std::size_t i = 0; i < words.size(); ++i) words[i] = load(entry.name[i]);
    return {reinterpret_cast<const char*>(words.data()),
            std::min<std::uint64_t>(load(entry.name_size), max_name_size)};
}

/// f() as a consistent read of the directory. f may throw of what it read before that is known to be so.
template <class F>
void read_directory(const DomainCore& domain, F f) {
    const Word& version = domain.block().directory_version;
    read_optimistically(domain, domain.locker(), [&](auto reading) {
        Word seen = 0;
        if (!reading.begin(version, seen)) return false;
        try {
            f();
        } catch (const Error&) {
            if (reading.validate(version, seen)) throw;
            return false;
        }
        return reading.validate(version, seen);
    });
}

} // namespace detail

/// Which domain of a pool a name belongs to: a hash of it, or of its part in braces, if it has one, so that
/// "{cart}items" and "{cart}total" live together.
[[nodiscard]] inline std::uint64_t domain_of(std::string_view name, std::uint64_t domains) noexcept {
    if (const auto open = name.find('{'); open != std::string_view::npos)
        if (const auto close = name.find('}', open); close != std::string_view::npos && close > open + 1)
            name = name.substr(open + 1, close - open - 1);
    std::uint64_t hash = 0xCBF2'9CE4'8422'2325U; // FNV-1a, whose last bytes reach few bits: so mixed once more
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x0000'0100'0000'01B3U;
    return ((hash ^ hash >> 32) * 0x9E37'79B9'7F4A'7C15U >> 32) % domains;
}

/// The object of that name. Reads without the lock. Throws needs_recovery (read-only openers alone), damaged.
[[nodiscard]] inline std::optional<ObjectRef> find_object(const DomainCore& domain, std::string_view name) {
    std::optional<ObjectRef> found;
    detail::read_directory(domain, [&] {
        found.reset();
        DirectoryEntry* const entry = detail::find_entry(domain, [&](const DirectoryEntry& candidate) {
            return detail::is_live(candidate) && detail::entry_name(candidate) == name;
        });
        if (entry != nullptr) found = ObjectRef{.entry = entry, .generation = load(entry->generation)};
    });
    return found;
}

/// All objects of a domain, with their names.
[[nodiscard]] inline std::vector<std::pair<std::string, ObjectRef>> list_objects(const DomainCore& domain) {
    std::vector<std::pair<std::string, ObjectRef>> all;
    detail::read_directory(domain, [&] {
        all.clear();
        detail::find_entry(domain, [&](DirectoryEntry& entry) {
            if (detail::is_live(entry))
                all.emplace_back(detail::entry_name(entry),
                                 ObjectRef{.entry = &entry, .generation = load(entry.generation)});
            return false;
        });
    });
    return all;
}

/// Enters a new object; its roots are zero and its seed is `seed`. Within a transaction, in which the caller has looked
/// that the name is free.
template <class Tx>
[[nodiscard]] DirectoryEntry& enter_object(Tx& tx, std::string_view name, const ObjectType& type,
                                           const std::array<Word, 2>& seed) {
    tx.touch_always(tx.block().directory_version);
    DirectoryEntry* entry =
        detail::find_entry(tx.domain(), [](const DirectoryEntry& candidate) { return !detail::is_live(candidate); });
    if (entry == nullptr) {
        const std::uint64_t offset = tx.allocate(sizeof(DirectoryPage) + cache_line, 16);
        const std::uint64_t aligned = align_up(offset, cache_line);
        Word* const words = tx.region().words(aligned, sizeof(DirectoryPage) / word_size);
        for (std::uint64_t i = 0; i < sizeof(DirectoryPage) / word_size; ++i) tx.fill(words[i], 0);
        auto& page = tx.region().at(Offset<DirectoryPage>{aligned});
        // At the front of the chain's rest: one store, wherever the chain ends.
        tx.fill(page.next, load(tx.block().directory.next));
        tx.fill(page.block, offset);
        tx.store(tx.block().directory.next, aligned);
        entry = &page.entries[0]; // nobody has seen its version; and rolled back, it would be touched in free memory
    } else {
        tx.touch_always(entry->version);
    }
    tx.store(entry->type_id, static_cast<Word>(type.type));
    tx.store(entry->type_fingerprint, type.type_fingerprint);
    tx.store(entry->hash_id, static_cast<Word>(type.hash));
    tx.store(entry->hash_fingerprint, type.hash_fingerprint);
    tx.store(entry->seed[0], seed[0]);
    tx.store(entry->seed[1], seed[1]);
    for (Word& root : entry->root) tx.store(root, 0);
    std::array<Word, max_name_size / word_size> words{};
    std::memcpy(words.data(), name.data(), name.size());
    for (std::size_t i = 0; i < words.size(); ++i) tx.store(entry->name[i], words[i]);
    tx.store(entry->name_size, name.size());
    tx.store(entry->generation, load(entry->generation) + 1);
    tx.store(tx.block().objects, load(tx.block().objects) + 1);
    return *entry;
}

/// Takes an object's name away; what hung on its roots has been discarded before, in the same transaction.
template <class Tx>
void leave_object(Tx& tx, DirectoryEntry& entry) {
    tx.touch_always(tx.block().directory_version);
    tx.touch_always(entry.version);
    tx.store(entry.generation, load(entry.generation) + 1);
    tx.store(tx.block().objects, load(tx.block().objects) - 1);
}

/// Throws other_type or other_policies, naming both sides, unless the object is of the type asked for.
inline void check_object(const DomainCore& domain, std::string_view name, const DirectoryEntry& entry,
                         const ObjectType& expected) {
    const auto refuse = [&](errc code, const char* what, PolicyId found, Word found_print, PolicyId wanted,
                            Word wanted_print) {
        throw Error(code,
                    "object \"" + std::string(name) + "\" has " + what + " " + to_string(found) + " (" +
                        std::to_string(found_print % 100000) + "), asked for was " + to_string(wanted) + " (" +
                        std::to_string(wanted_print % 100000) + ")",
                    domain.attachment().name());
    };
    const PolicyId type{load(entry.type_id)};
    const PolicyId hash{load(entry.hash_id)};
    if (type != expected.type || load(entry.type_fingerprint) != expected.type_fingerprint)
        refuse(errc::other_type, "type", type, load(entry.type_fingerprint), expected.type,
               expected.type_fingerprint);
    if (hash != expected.hash || load(entry.hash_fingerprint) != expected.hash_fingerprint)
        refuse(errc::other_policies, expected.hash_noun, hash, load(entry.hash_fingerprint), expected.hash,
               expected.hash_fingerprint);
}

} // namespace ss::inline v0
