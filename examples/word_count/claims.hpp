// Who works on which text, and how far he is.
//
//     claims   text -> {offset, owner}: all before the offset is counted; the owner is a session, or nobody
//     notes    what else there is to tell: how many bytes are counted, who was killed, who went on
#pragma once

#include <ss/ss.hpp>

#include "counter.hpp"

#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace word_count {

/// A worker, as it calls itself and as the pool knows it.
struct Worker {
    const Job& job;
    const std::string& name;
    ss::SessionId session; ///< never given to another, so it may lie in the pool for as long as one likes
};

template <class Allocator, class Lock>
class Claims {
public:
    explicit Claims(const ss::Pool& pool) : pool_(pool), claims_(pool, "claims"), notes_(pool, "notes") {}

    /// Takes a text that nobody has, or nobody any more. Returns the offset to go on from; nothing if a living worker has
    /// the text, who may yet be killed.
    [[nodiscard]] std::optional<std::uint64_t> take(const Worker& self, const Text& text) {
        return ss::transaction(claims_, [&](auto& tx) -> std::optional<std::uint64_t> {
            const Claim found = parse(claims_.find(tx, text.name));
            if (found.offset == text.content.size()) return found.offset;
            if (found.owner != ss::SessionId{}) {
                // Never true of a worker that is slow, or stopped: that one keeps its claim.
                if (!pool_.is_dead(found.owner)) return std::nullopt;
                notes_.insert(tx, "went on", self.name + place(text, found.offset));
            }
            claims_.insert(tx, text.name, Claim{.offset = found.offset, .owner = self.session}.bytes());
            return found.offset;
        });
    }

    /// Moves our claim on a text past what `tx` counts.
    template <class Tx>
    void advance(Tx& tx, const Worker& self, const Text& text, const Batch& batch) {
        claims_.insert(tx, text.name, Claim{.offset = batch.end, .owner = self.session}.bytes());
        notes_.incr(tx, "bytes", batch.end - batch.begin);
    }

    /// True for the first worker that comes to the fatal byte. The next one sees the note, and lives.
    [[nodiscard]] bool is_fatal(const Worker& self, const Text& text, const Batch& batch) {
        return &text == &self.job.texts[self.job.fatal_text] && batch.begin <= self.job.fatal_byte &&
               self.job.fatal_byte < batch.end && notes_.try_insert("killed", self.name + place(text, batch.begin));
    }

    [[nodiscard]] std::uint64_t bytes_counted() const {
        return notes_.template find_as<std::uint64_t>("bytes").value_or(0);
    }
    [[nodiscard]] std::string note(std::string_view key) const { return notes_.find(key).value_or(""); }
    [[nodiscard]] std::uint64_t recoveries() const { return claims_.stats().domain.recoveries; }

private:
    struct Claim {
        std::uint64_t offset = 0;
        ss::SessionId owner;

        [[nodiscard]] std::string_view bytes() const { return {reinterpret_cast<const char*>(this), sizeof *this}; }
    };

    [[nodiscard]] static Claim parse(const std::optional<std::string>& bytes) {
        Claim claim;
        if (bytes && bytes->size() == sizeof claim) std::memcpy(&claim, bytes->data(), sizeof claim);
        return claim;
    }

    [[nodiscard]] static std::string place(const Text& text, std::uint64_t offset) {
        return " at byte " + std::to_string(offset) + " of " + std::filesystem::path(text.name).filename().string();
    }

    ss::Pool pool_;
    ss::HashTable<Allocator, Lock> claims_;
    ss::HashTable<Allocator, Lock> notes_;
};

} // namespace word_count
