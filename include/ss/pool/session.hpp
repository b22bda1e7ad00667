// Who is alive: sessions, and the tokens by which locks remember their owners.
//
//     token, 31 bits:   generation (20) | slot (11)          0 is nobody
//     slot              an index into the pool's session table, and a byte far past the file's end that is locked
//     generation        of the slot, raised by one at each attach, so no token is ever valid twice in an era
//
// A session holds the lock on its slot's byte by an open file description that nothing refers to but one mapped page,
// which a forked child does not get (os/mapping.hpp). So the kernel drops the lock when this process's memory is gone,
// and at nothing else: no close, no closefrom(), no exec of a child, no reused number touches it.
//
//     dead(token)  =  the slot's generation is a later one, or its byte is unlocked
//
// Whoever takes a slot locks the byte first, raises the generation then, and only then has a token that others could
// see. So a later generation means that the byte was free after the token's session had it; and whoever sees a token
// but, for want of fences, not yet its generation, still finds the byte locked. A verdict of death lets a lock be taken
// over, so it counts only if the question was put to the right file by somebody whose own byte reads as locked. Anything
// else is "alive".
#pragma once

#include <ss/os/file.hpp>
#include <ss/os/file_lock.hpp>
#include <ss/os/machine.hpp>
#include <ss/os/mapping.hpp>
#include <ss/pool/layout.hpp>
#include <ss/pool/pool_file.hpp>

#include <atomic>
#include <cstdint>
#include <string>
#include <type_traits>

namespace ss::inline v0 {

using Token = std::uint32_t;

inline constexpr unsigned slot_bits = 11;
inline constexpr unsigned generation_bits = 20;
inline constexpr std::uint32_t max_generation = (1U << generation_bits) - 1;
inline constexpr Token token_mask = (1U << (slot_bits + generation_bits)) - 1;

static_assert((1U << slot_bits) == max_sessions);

[[nodiscard]] constexpr Token make_token(std::uint32_t slot, std::uint32_t generation) noexcept {
    return generation << slot_bits | slot;
}
[[nodiscard]] constexpr std::uint32_t token_slot(Token token) noexcept { return token & (max_sessions - 1); }
[[nodiscard]] constexpr std::uint32_t token_generation(Token token) noexcept {
    return token >> slot_bits & max_generation;
}

/// Names one session of a pool, for all time: one attach of one Pool object in one process. Plain data, to be stored in
/// the pool beside what the session has claimed, so that others know when to take that over. All zeros is nobody.
struct SessionId {
    std::uint64_t era = 0;   ///< of the pool: a new one begins with whoever attaches when nobody is there
    std::uint64_t token = 0; ///< of the session, never given twice within an era

    friend bool operator==(const SessionId&, const SessionId&) = default;
};

static_assert(sizeof(SessionId) == 2 * word_size && std::is_trivially_copyable_v<SessionId>);

/// One attachment's proof of life, and its means to ask for others'. What a lock policy is given.
class Session {
public:
    Session() = default;

    /// Takes a slot of `table` for as long as this object or its process lives. The caller holds the attach byte.
    /// `file` outlives the session, and no lock is ever held through its descriptor: questions are put through it.
    /// Throws too_many_sessions, filesystem (locks do not survive the close), or what the kernel refuses.
    void open_for_writing(SessionTable& table, const PoolFile& file) {
        begin(table, file);
        os::File description = file.open_again(O_RDWR);
        const std::uint32_t first = table.next.load(std::memory_order_relaxed) % max_sessions;
        for (std::uint32_t i = 0; i < max_sessions; ++i) {
            const std::uint32_t slot = (first + i) % max_sessions;
            const std::uint32_t generation = table.generations[slot].load(std::memory_order_relaxed);
            if (generation >= max_generation) continue; // would wrap: rests until somebody attaches alone
            const int error =
                os::try_lock_byte(description.descriptor(), LockBytes::sessions + slot, os::ByteLock::exclusive);
            if (error == EAGAIN) continue;
            if (error != 0) os::throw_errno(error, "lock a byte of the pool", path());
            table.pids[slot].store(static_cast<std::uint32_t>(::getpid()), std::memory_order_relaxed);
            table.generations[slot].store(generation + 1, std::memory_order_release);
            table.next.store((slot + 1) % max_sessions, std::memory_order_relaxed);
            keep_alive(std::move(description), LockBytes::sessions + slot);
            token_ = make_token(slot, generation + 1);
            pid_namespace_ = os::pid_namespace();
            return;
        }
        throw Error(errc::too_many_sessions,
                    "all " + std::to_string(max_sessions) + " slots of the session table are taken", path());
    }

    /// Shares the readers' byte, so that nobody trims the pool below us. No slot, and token 0.
    void open_for_reading(const SessionTable& table, const PoolFile& file) {
        begin(table, file);
        os::File description = file.open_again(O_RDONLY);
        const int error = os::try_lock_byte(description.descriptor(), LockBytes::readers, os::ByteLock::shared);
        if (error != 0) os::throw_errno(error, "lock a byte of the pool", path());
        keep_alive(std::move(description), LockBytes::readers);
        token_ = 0;
    }

    /// Ends the session: its locks are anybody's to take from now on.
    void close() noexcept {
        token_ = 0;
        page_.reset();
    }

    /// In a forked child: forgets the parent's session without touching it. The page was not inherited, so its
    /// addresses may be somebody else's by now.
    void abandon() noexcept {
        token_ = 0;
        page_.release();
    }

    /// What locks store. 0 for a read-only session.
    [[nodiscard]] Token token() const noexcept { return token_; }

    /// True only if the session that `token` names has certainly ended. 1 us for the living, 2 for the dead.
    [[nodiscard]] bool is_dead(Token token) const noexcept {
        token &= token_mask;
        if (token == 0 || token == token_) return false;
        const auto& generation = table_->generations[token_slot(token)];
        if (generation.load(std::memory_order_acquire) > token_generation(token)) return true;
        const int probe = file_->try_get();
        return probe >= 0 && os::probe_bytes(probe, LockBytes::sessions + token_slot(token)) == os::ByteState::free &&
               was_asked(probe);
    }

    /// For messages: "session 3.17 (pid 4711)", slot and generation, and what its process called itself.
    [[nodiscard]] std::string describe(Token token) const {
        token &= token_mask;
        std::string text =
            "session " + std::to_string(token_slot(token)) + "." + std::to_string(token_generation(token));
        if (table_->generations[token_slot(token)].load(std::memory_order_acquire) == token_generation(token))
            text += " (pid " + std::to_string(table_->pids[token_slot(token)].load(std::memory_order_relaxed)) + ")";
        return text;
    }

    /// True only if certainly no other session that may write, and no reader either if `readers` says so, is there.
    [[nodiscard]] bool is_alone(bool readers) const noexcept {
        const int probe = file_->try_get();
        const std::uint64_t own = token_slot(token_);
        const auto free = [probe](std::uint64_t at, std::uint64_t count) {
            return count == 0 || os::probe_bytes(probe, at, count) == os::ByteState::free;
        };
        return probe >= 0 && free(LockBytes::sessions, own) &&
               free(LockBytes::sessions + own + 1, max_sessions - own - 1) &&
               (!readers || free(LockBytes::readers, 1)) && was_asked(probe);
    }

    /// Of the process that opened the session: thread ids mean something only within one.
    [[nodiscard]] std::uint64_t pid_namespace() const noexcept { return pid_namespace_; }

    /// Of the pool, for messages.
    [[nodiscard]] const std::string& path() const noexcept { return file_->name(); }

private:
    void begin(const SessionTable& table, const PoolFile& file) noexcept {
        table_ = &table;
        file_ = &file;
    }

    void keep_alive(os::File description, std::uint64_t byte) {
        page_ = os::try_map_private_page(description.descriptor(), os::page_size());
        if (!page_.is_mapped()) os::throw_errno(errno, "map a page of the pool", path());
        own_byte_ = byte;
        description.reset(); // from here on the page alone holds the lock
        const os::ByteState own = os::probe_bytes(file_->get(), byte);
        if (own == os::ByteState::held) return;
        const int error = errno;
        page_.reset();
        if (own == os::ByteState::unknown) os::throw_errno(error, "ask for a lock of the pool", path());
        throw Error(errc::filesystem,
                    "the file system drops a lock when its descriptor is closed, though the file is still mapped",
                    path());
    }

    /// True if what `probe` answered until now, it answered for the pool: it still is the pool's descriptor, and tells
    /// of our own lock. Looked at afterwards, since another thread may close the number at any time.
    [[nodiscard]] bool was_asked(int probe) const noexcept {
        os::FileStatus status;
        return os::probe_bytes(probe, own_byte_) == os::ByteState::held && os::try_status(probe, status) &&
               status.identity == file_->identity();
    }

    const SessionTable* table_ = nullptr;
    const PoolFile* file_ = nullptr;
    os::Mapping page_;
    std::uint64_t own_byte_ = 0;
    std::uint64_t pid_namespace_ = 0;
    Token token_ = 0;
};

} // namespace ss::inline v0
