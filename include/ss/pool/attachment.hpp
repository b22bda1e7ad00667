// One Pool object's hold on its file: the descriptor, the mapping, the session, and what a fork does to them.
//
// Attaching, under the attach byte (os/file_lock.hpp), which readers share and writers own:
//
//     1. look again whether the path still names this file, whether it is as long as it says
//     2. no other writer's byte is held: we are alone. A new era begins, the volatile zone is zeroed
//     3. take a slot of the session table (pool/session.hpp)
//     4. the clean mark goes, and reaches the disk before any change can
//
// A forked child inherits the mapping and the descriptor but no session. It finds that out by one load (see
// process_state.hpp) and attaches anew, through the descriptor, at its first use of the pool.
#pragma once

#include <ss/base/bits.hpp>
#include <ss/base/error.hpp>
#include <ss/os/file.hpp>
#include <ss/os/file_lock.hpp>
#include <ss/os/fork_bracket.hpp>
#include <ss/os/machine.hpp>
#include <ss/os/mapping.hpp>
#include <ss/pool/file_check.hpp>
#include <ss/pool/file_creation.hpp>
#include <ss/pool/layout.hpp>
#include <ss/pool/options.hpp>
#include <ss/pool/process_state.hpp>
#include <ss/pool/region.hpp>
#include <ss/pool/session.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

namespace ss::inline v0 {

using Deadline = std::chrono::steady_clock::time_point;

[[nodiscard]] inline Deadline deadline_after(std::chrono::milliseconds duration) noexcept {
    const auto now = std::chrono::steady_clock::now();
    return duration >= Deadline::max() - now ? Deadline::max() : now + duration;
}

/// Holds the attach byte of a pool: nobody attaches, detaches, trims or claims a domain meanwhile, and no fork() of
/// this process is under way. The kernel drops the byte if we die.
class AttachGuard {
public:
    /// Throws attach_timeout, or what the kernel refuses.
    AttachGuard(const os::File& file, os::ByteLock kind, Deadline deadline, const std::string& path)
        : description_(os::try_open_again(file.descriptor(), kind == os::ByteLock::shared ? O_RDONLY : O_RDWR)) {
        if (!description_.is_open()) os::throw_errno(errno, "open the pool once more", path);
        const int error = os::lock_byte_until(description_.descriptor(), LockBytes::attach, kind, deadline);
        if (error == EAGAIN) throw Error(errc::attach_timeout, "somebody has been attaching for too long", path);
        if (error != 0) os::throw_errno(error, "lock a byte of the pool", path);
    }

private:
    os::ForkBracket bracket_; // before the description, so that no child inherits it
    os::File description_;    // a description of its own: a child shares ours, and would pass our own lock
};

class Attachment {
public:
    /// Opens, or makes, the pool at `path`. See Pool::Pool for what it throws.
    [[nodiscard]] static std::shared_ptr<Attachment> open(const std::filesystem::path& path,
                                                          const PoolOptions& options) {
        const bool may_create = options.access == Access::read_write || options.access == Access::create_only;
        const int flags = (options.access == Access::read_only ? O_RDONLY : O_RDWR) | O_NOFOLLOW;
        // Ends as soon as nobody removes the file between two of our steps.
        for (int attempt = 0; attempt < 1000; ++attempt) {
            os::File file = options.access == Access::create_only ? os::File() : os::try_open(path, flags);
            if (!file.is_open() && options.access != Access::create_only && (errno != ENOENT || !may_create)) {
                const int error = errno;
                os::throw_errno(error, error == ELOOP ? "follow a symbolic link to a pool" : "open the file",
                                path.string());
            }
            if (!file.is_open()) {
                detail::UnnamedPool fresh(path, options);
                if (fresh.publish())
                    file = os::try_open_again(fresh.file().descriptor(), O_RDWR);
                else if (options.access == Access::create_only)
                    throw Error(errc::already_exists, "exists already, expected to create it", path.string());
                else
                    continue;
                if (!file.is_open()) os::throw_errno(errno, "open the new pool", path.string());
            }
            if (auto attachment = make(std::move(file), path, options)) return attachment;
        }
        throw Error(errc::no_such_file, "is removed again and again while we open it", path.string());
    }

    /// A pool in memory alone, with no path.
    [[nodiscard]] static std::shared_ptr<Attachment> in_memory(const std::string& name, const PoolOptions& options) {
        os::File file = os::make_memory_file(name);
        if (::fchmod(file.descriptor(), options.mode) != 0) os::throw_errno(errno, "set the file's mode", name);
        detail::write_pool(file, options, name);
        return make(std::move(file), {}, options);
    }

    /// The pool behind a descriptor that somebody handed us. The descriptor stays the caller's.
    [[nodiscard]] static std::shared_ptr<Attachment> from_descriptor(int descriptor, const PoolOptions& options) {
        os::File file = os::try_open_again(descriptor, options.access == Access::read_only ? O_RDONLY : O_RDWR);
        if (!file.is_open())
            os::throw_errno(errno, "open the file behind a descriptor", "descriptor " + std::to_string(descriptor));
        return make(std::move(file), {}, options);
    }

    Attachment(const Attachment&) = delete;
    Attachment& operator=(const Attachment&) = delete;

    ~Attachment() {
        const std::uint64_t session = process_.session().load(std::memory_order_acquire);
        if ((session & ProcessState::attached) != 0) {
            detach();
        } else if (session == ProcessState::forked) { // never used in this child: what is mapped is the parent's
            mapping_.release();
            session_.abandon();
        }
    }

    /// This process's session, attached anew if we are a forked child. Before every use of the pool; one load.
    Token enter() {
        const std::uint64_t word = process_.session().load(std::memory_order_acquire);
        if ((word & ProcessState::attached) != 0) [[likely]]
            return static_cast<Token>(word) & token_mask;
        return attach_in_child();
    }

    /// True if `token` is still this process's session: false in a child that was forked since enter() returned it.
    [[nodiscard]] bool is_current(Token token) const noexcept {
        return process_.session().load(std::memory_order_relaxed) == (ProcessState::attached | token);
    }

    /// Opens the file anew if its descriptor was closed or reused, and attaches if we are a forked child. For those
    /// who close descriptors or change who they are. Throws if the path names another file by now.
    void reattach() {
        ensure_file();
        enter();
    }

    [[nodiscard]] const Header& header() const noexcept { return header_; }
    [[nodiscard]] PoolState& state() const noexcept { return *at<PoolState>(state_zone_offset); }
    [[nodiscard]] DomainState& domain_state(std::uint64_t domain) const noexcept {
        return at<DomainState>(state_zone_offset + sizeof(PoolState))[domain];
    }
    [[nodiscard]] LockSlot& lock_slot(std::uint64_t domain) const noexcept {
        return at<LockSlot>(header_.volatile_offset + sizeof(SessionTable))[domain];
    }
    [[nodiscard]] const Region& region(std::uint64_t domain) const noexcept { return regions_[domain]; }
    [[nodiscard]] Session& session() noexcept { return session_; }
    [[nodiscard]] std::atomic<std::uint64_t>& owner(std::uint64_t domain) const noexcept {
        return process_.owner(domain);
    }
    [[nodiscard]] const PoolOptions& options() const noexcept { return options_; }
    [[nodiscard]] bool is_read_only() const noexcept { return options_.access == Access::read_only; }
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    [[nodiscard]] const std::string& name() const noexcept { return name_; } ///< for messages
    [[nodiscard]] int descriptor() const noexcept { return file_.descriptor(); }
    [[nodiscard]] bool in_memory_only() const noexcept { return file_system_.in_memory; }

    [[nodiscard]] std::uint64_t file_size() const { return os::status(file_, name_).size; }

    /// Keeps others from attaching, detaching and claiming domains for as long as it lives.
    [[nodiscard]] AttachGuard exclude_attachers() {
        ensure_file();
        return {file_, is_read_only() ? os::ByteLock::shared : os::ByteLock::exclusive,
                deadline_after(options_.lock_timeout), name_};
    }

    /// Commits at least `bytes` more of the domain's region: sets blocks aside, then publishes the size. The caller
    /// holds the domain's lock, or the attach byte. Throws past_max_size, out_of_space or what else the kernel refuses;
    /// what was committed until then stays, and so it does in a crash: it is room for the next.
    void grow(std::uint64_t domain, std::uint64_t bytes) {
        ensure_file();
        Word& committed = domain_state(domain).committed;
        const std::uint64_t begin = header_.region_offset + domain * header_.region_stride;
        const std::uint64_t before = load(committed);
        if (bytes > header_.region_stride || before > header_.region_stride - bytes)
            throw Error(errc::past_max_size,
                        "domain " + std::to_string(domain) + " has " + std::to_string(before) + " bytes and needs " +
                            std::to_string(bytes) + " more, its part of max_size is " +
                            std::to_string(header_.region_stride),
                        name_);
        const std::uint64_t needed = align_up(before + bytes, 4096);
        // A quarter more than asked for, so that growth is rare; only what is needed where that is refused.
        const std::uint64_t margin = std::min(std::max(before / 4, 64 * kibi), largest_step);
        const std::uint64_t wished = std::min(align_up(needed + margin, region_alignment), header_.region_stride);
        std::uint64_t reached = before;
        while (reached < needed) {
            const std::uint64_t target = std::min(wished, reached + largest_step);
            std::uint64_t step = target - reached;
            int error = os::try_allocate(file_.descriptor(), begin + reached, step);
            if (error != 0 && target > needed) {
                step = needed - reached;
                error = os::try_allocate(file_.descriptor(), begin + reached, step);
            }
            if (error != 0) os::throw_errno(error, "set " + std::to_string(step) + " more bytes aside", name_);
            reached += step;
            put_release(committed, reached);
        }
        if (options_.huge_pages) os::collapse(mapping_.data() + begin + before, reached - before);
    }

    /// Takes the region's committed bytes past `keep` back. The caller holds the attach byte, is alone, and nothing of
    /// this process refers to them.
    void shrink(std::uint64_t domain, std::uint64_t keep) {
        ensure_file();
        Word& committed = domain_state(domain).committed;
        const std::uint64_t begin = header_.region_offset + domain * header_.region_stride;
        const std::uint64_t before = load(committed);
        if (keep >= before) return;
        put_release(committed, keep); // first: dying here leaves blocks that the next growth sets aside once more
        (void)regions_[domain].size();
        if (header_.domains == 1)
            os::try_truncate(file_.descriptor(), begin + keep);
        else
            os::try_punch(file_.descriptor(), begin + keep, before - keep);
    }

    /// Asks for huge pages behind all that is committed. Returns how many bytes have them now.
    std::uint64_t collapse() noexcept {
        std::uint64_t done = 0;
        for (std::uint64_t domain = 0; domain < header_.domains; ++domain)
            done += os::collapse(mapping_.data() + regions_[domain].begin(), regions_[domain].size());
        return done;
    }

private:
    static constexpr std::uint64_t largest_step = 16 * mebi;

    Attachment(os::File file, const std::filesystem::path& path, const PoolOptions& options, std::string name,
               os::FileSystem system, const os::FileIdentity& identity, const Header& header)
        : options_(options), path_(path), name_(std::move(name)), file_(std::move(file)),
          file_system_(std::move(system)), identity_(identity), header_(header), process_(header.domains),
          regions_(new Region[header.domains]) {}

    /// Null if the path names another file by now.
    [[nodiscard]] static std::shared_ptr<Attachment> make(os::File file, const std::filesystem::path& path,
                                                          const PoolOptions& options) {
        const std::string name = path.empty() ? "memory pool" : path.string();
        const os::FileStatus status = os::status(file, name);
        os::FileSystem system = detail::check_file(file, status, options, name);
        const Header header = detail::read_header(file, options, name);
        std::shared_ptr<Attachment> attachment(
            new Attachment(std::move(file), path, options, name, std::move(system), status.identity, header));
        if (!attachment->attach_first()) return nullptr;
        return attachment;
    }

    /// False if the path names another file by now.
    [[nodiscard]] bool attach_first() {
        const AttachGuard guard(file_, is_read_only() ? os::ByteLock::shared : os::ByteLock::exclusive,
                                deadline_after(options_.lock_timeout), name_);
        if (!path_.empty() && !os::is_at(identity_, path_)) return false;
        if (const std::uint64_t size = os::status(file_, name_).size; size < header_.region_offset)
            throw Error(errc::truncated,
                        "has " + std::to_string(size) + " bytes, its header expects at least " +
                            std::to_string(header_.region_offset),
                        name_);
        mapping_ = os::try_map_shared(file_.descriptor(), header_.max_size, !is_read_only());
        if (!mapping_.is_mapped())
            throw Error(errc::address_space,
                        "cannot reserve the pool's max_size of " + std::to_string(header_.max_size) +
                            " bytes of address space",
                        name_);
        for (std::uint64_t domain = 0; domain < header_.domains; ++domain)
            regions_[domain].bind(mapping_.data(), header_.region_offset + domain * header_.region_stride,
                                  header_.region_stride, domain_state(domain).committed, file_, identity_);
        begin_session();
        if (options_.huge_pages) collapse();
        return true;
    }

    /// Steps 1 to 4 of the head of this file. The caller holds the attach byte.
    void begin_session() {
        detail::check_size(file_, header_, &domain_state(0), options_, name_);
        auto& table = *at<SessionTable>(header_.volatile_offset);
        const bool alone =
            os::probe_bytes(file_.descriptor(), LockBytes::sessions, max_sessions) == os::ByteState::free;
        if (alone && load(state().clean) != 1 && load(state().boot) != os::boot_id() && !file_system_.in_memory &&
            !options_.accept_unclean)
            throw Error(errc::unclean_after_reboot,
                        "was in use when the machine went down, so what reached the disk may not fit together; "
                        "PoolOptions::accept_unclean opens it for verify()",
                        name_);
        if (is_read_only()) {
            session_.open_for_reading(table, file_.descriptor(), identity_, name_);
        } else {
            if (alone) begin_era();
            session_.open_for_writing(table, file_.descriptor(), identity_, name_);
            if (load(state().clean) != 0) {
                put(state().clean, 0);
                put(state().boot, os::boot_id());
                if (!file_system_.in_memory) os::sync(file_, name_);
            }
        }
        process_.session().store(ProcessState::attached | session_.token(), std::memory_order_release);
    }

    /// Whoever dies in here held the only session, so the next to attach is alone again and starts over.
    void begin_era() noexcept {
        put_release(state().era, load(state().era) + 1);
        auto* const words = at<Word>(header_.volatile_offset);
        for (std::uint64_t i = 0; i < header_.volatile_size / word_size; ++i) put(words[i], 0);
    }

    [[gnu::cold, gnu::noinline]] Token attach_in_child() {
        auto& session = process_.session();
        for (;;) {
            std::uint64_t seen = ProcessState::forked;
            if (session.compare_exchange_strong(seen, ProcessState::attaching, std::memory_order_acquire)) break;
            if ((seen & ProcessState::attached) != 0) return static_cast<Token>(seen) & token_mask;
            os::sleep_for(std::chrono::microseconds(50)); // another thread of this child is at it
        }
        try {
            session_.abandon();
            ensure_file();
            const AttachGuard guard = exclude_attachers();
            begin_session();
        } catch (...) {
            session.store(ProcessState::forked, std::memory_order_release);
            throw;
        }
        return session_.token();
    }

    /// The descriptor may have been closed, and its number may be another file by now.
    void ensure_file() {
        os::FileStatus status;
        if (os::try_status(file_.descriptor(), status) && status.identity == identity_) return;
        file_.release(); // not ours to close
        if (path_.empty()) throw Error(errc::system, "the descriptor of a pool without a path was closed", name_);
        os::File file = os::try_open(path_, (is_read_only() ? O_RDONLY : O_RDWR) | O_NOFOLLOW);
        if (!file.is_open()) os::throw_errno(errno, "open the pool again", name_);
        if (!os::try_status(file.descriptor(), status) || status.identity != identity_)
            throw Error(errc::no_such_file, "the path names another file than the one attached", name_);
        file_ = std::move(file);
        session_.set_probe(file_.descriptor());
    }

    /// The data goes first, the proof of life last. The last writer to go writes everything back and says so.
    void detach() noexcept {
        try {
            const AttachGuard guard = exclude_attachers();
            if (!is_read_only() && session_.is_alone(false)) {
                if (!file_system_.in_memory) os::sync(file_, name_);
                put(state().clean, 1);
                if (!file_system_.in_memory) os::sync(file_, name_);
            }
            mapping_.reset();
            session_.close();
        } catch (...) { // without the attach byte there is no clean mark, and nothing worse
            mapping_.reset();
            session_.close();
        }
    }

    template <class T>
    [[nodiscard]] T* at(std::uint64_t offset) const noexcept {
        return reinterpret_cast<T*>(mapping_.data() + offset);
    }

    PoolOptions options_;
    std::filesystem::path path_;
    std::string name_;
    os::File file_;
    os::FileSystem file_system_;
    os::FileIdentity identity_;
    Header header_;
    ProcessState process_;
    std::unique_ptr<Region[]> regions_;
    os::Mapping mapping_;
    Session session_;
};

} // namespace ss::inline v0
