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
#include <ss/base/deadline.hpp>
#include <ss/base/error.hpp>
#include <ss/os/file.hpp>
#include <ss/os/file_lock.hpp>
#include <ss/os/machine.hpp>
#include <ss/os/mapping.hpp>
#include <ss/pool/attach_guard.hpp>
#include <ss/pool/file_check.hpp>
#include <ss/pool/file_creation.hpp>
#include <ss/pool/layout.hpp>
#include <ss/pool/options.hpp>
#include <ss/pool/pool_file.hpp>
#include <ss/pool/process_state.hpp>
#include <ss/pool/region.hpp>
#include <ss/pool/session.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include <system_error>

namespace ss::inline v0 {

/// Shared by all that use the pool in this process: Pool objects that are copies of one, and their structures. Threads
/// may use it at once.
class Attachment {
public:
    /// Names one attach of one Pool object in one process.
    using Stamp = std::uint64_t;

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
                if (error == EISDIR || error == ENXIO)
                    throw Error(errc::not_a_pool, "is not a regular file", path.string());
                os::throw_errno(error, error == ELOOP ? "follow a symbolic link to a pool" : "open the file",
                                path.string());
            }
            if (!file.is_open()) {
                detail::UnnamedPool fresh(path, options);
                if (fresh.publish())
                    file = fresh.take_file();
                else if (options.access == Access::create_only)
                    throw Error(errc::already_exists, "exists already, expected to create it", path.string());
                else
                    continue;
            }
            if (auto attachment = make(std::move(file), path, options)) return attachment;
        }
        throw Error(errc::no_such_file, "is removed again and again while we open it", path.string());
    }

    /// A pool in memory alone, with no path.
    [[nodiscard]] static std::shared_ptr<Attachment> in_memory(const std::string& name, const PoolOptions& options) {
        os::File file = os::make_memory_file(name);
        detail::write_pool(file, options, name);
        return make(std::move(file), {}, options);
    }

    /// The pool behind a descriptor that somebody handed us. The descriptor stays the caller's.
    [[nodiscard]] static std::shared_ptr<Attachment> from_descriptor(int descriptor, const PoolOptions& options) {
        const std::string name = "descriptor " + std::to_string(descriptor);
        if (os::FileStatus status; !os::try_status(descriptor, status)) {
            if (errno == EBADF) throw Error(errc::invalid_argument, "is not open", name);
            os::throw_errno(errno, "look at the file", name);
        } else if (!status.regular) {
            throw Error(errc::not_a_pool, "is not a regular file", name);
        }
        return make(os::open_again(descriptor, options.access == Access::read_only ? O_RDONLY : O_RDWR, name), {},
                    options);
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

    /// Attaches anew if we are a forked child. Before every use of the pool; one load. Returns what is_current takes.
    Stamp enter() {
        const Stamp stamp = process_.session().load(std::memory_order_acquire);
        if ((stamp & ProcessState::attached) != 0) [[likely]]
            return stamp;
        return attach_in_child();
    }

    /// True if the session is still the one that enter() returned: false in a child that was forked since.
    [[nodiscard]] bool is_current(Stamp stamp) const noexcept {
        return process_.session().load(std::memory_order_relaxed) == stamp;
    }

    /// Opens the file anew if its descriptor was closed or reused, and attaches if we are a forked child. For those
    /// who close descriptors or change who they are. Throws if the path names another file by now.
    void reattach() {
        (void)file_.get();
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
    /// Nobody's for a read-only one.
    [[nodiscard]] SessionId session_id() const noexcept {
        if (is_read_only()) return {};
        return {.era = era(), .token = session_.token()};
    }
    /// True only if that session has certainly ended. See Pool::is_dead.
    [[nodiscard]] bool is_dead(const SessionId& session) const noexcept {
        if (session == SessionId{}) return false;
        return session.era != era() || session_.is_dead(static_cast<Token>(session.token));
    }
    /// How often somebody attached who was alone. The same for as long as a writer is attached. A reader that was given
    /// an id of a later era sees that one here.
    [[nodiscard]] std::uint64_t era() const noexcept { return load_acquire(state().era); }
    [[nodiscard]] std::atomic<std::uint64_t>& owner(std::uint64_t domain) const noexcept {
        return process_.owner(domain);
    }
    [[nodiscard]] const PoolOptions& options() const noexcept { return options_; }
    [[nodiscard]] bool is_read_only() const noexcept { return options_.access == Access::read_only; }
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    [[nodiscard]] const std::string& name() const noexcept { return file_.name(); } ///< for messages
    [[nodiscard]] const os::FileIdentity& identity() const noexcept { return file_.identity(); }
    [[nodiscard]] int descriptor() const noexcept { return file_.number(); }
    [[nodiscard]] bool in_memory_only() const noexcept { return file_system_.in_memory; }

    [[nodiscard]] std::uint64_t file_size() const { return os::status(file_.get(), name()).size; }

    /// Keeps others from attaching, detaching and claiming domains for as long as it lives.
    [[nodiscard]] AttachGuard exclude_attachers() {
        return {file_, is_read_only() ? os::ByteLock::shared : os::ByteLock::exclusive,
                deadline_after(options_.lock_timeout)};
    }

    /// Commits at least `bytes` more of the domain's region: sets blocks aside, then publishes the size. The caller
    /// holds the domain's lock, or the attach byte. Throws past_max_size, out_of_space or what else the kernel refuses;
    /// what was committed until then stays, and so it does in a crash: it is room for the next.
    void grow(std::uint64_t domain, std::uint64_t bytes) {
        const int descriptor = file_.get(); // the pool's, or none: nothing else may grow
        Word& committed = domain_state(domain).committed;
        const std::uint64_t begin = header_.region_offset + domain * header_.region_stride;
        const std::uint64_t before = load(committed);
        if (bytes > header_.region_stride || before > header_.region_stride - bytes)
            throw Error(errc::past_max_size,
                        "domain " + std::to_string(domain) + " has " + std::to_string(before) + " bytes and needs " +
                            std::to_string(bytes) + " more, its part of max_size is " +
                            std::to_string(header_.region_stride),
                        name());
        const std::uint64_t needed = align_up(before + bytes, 4096);
        // A quarter more than asked for, so that growth is rare, but no more than what all can wait for; only what is
        // needed where that is refused.
        const std::uint64_t margin = std::min(std::max(before / 4, 64 * kibi), largest_margin);
        std::uint64_t wished = align_up(needed + margin, region_alignment);
        if (grows_huge() && before >= enough_for_huge) wished = align_up(begin + wished, os::huge_page) - begin;
        wished = std::min(wished, header_.region_stride);
        std::uint64_t reached = before;
        while (reached < needed) {
            std::uint64_t target = std::min(wished, reached + largest_step);
            if (grows_huge()) {
                target = std::min(target, align_down(begin + reached, os::huge_page) + os::huge_page - begin);
                if (is_aligned(begin + target, os::huge_page)) prepare_huge_page(domain, descriptor, reached, target);
            }
            std::uint64_t step = target - reached;
            int error = os::try_allocate(descriptor, begin + reached, step);
            if (error != 0 && target > needed) {
                step = needed - reached;
                error = os::try_allocate(descriptor, begin + reached, step);
            }
            if (error != 0) os::throw_errno(error, "set " + std::to_string(step) + " more bytes aside", name());
            reached += step;
            put_release(committed, reached);
        }
    }

    /// Takes the region's committed bytes past `keep` back. The caller holds the attach byte, is alone, and nothing of
    /// this process refers to them.
    void shrink(std::uint64_t domain, std::uint64_t keep) {
        const int descriptor = file_.get();
        Word& committed = domain_state(domain).committed;
        const std::uint64_t begin = header_.region_offset + domain * header_.region_stride;
        const std::uint64_t before = load(committed);
        if (keep >= before) return;
        put_release(committed, keep); // first: dying here leaves blocks that the next growth sets aside once more
        regions_[domain].forget();
        if (header_.domains == 1)
            os::try_truncate(descriptor, begin + keep);
        else
            os::try_punch(descriptor, begin + keep, before - keep);
    }

    /// Asks for huge pages behind all that is committed. See Pool::collapse.
    os::HugePages collapse() noexcept {
        os::HugePages all;
        for (std::uint64_t domain = 0; domain < header_.domains; ++domain) {
            const std::uint64_t from = first_byte_for_huge(domain);
            const os::HugePages some = os::collapse(mapping_.data() + from, regions_[domain].end() - from);
            all.bytes += some.bytes;
            if (!all.refused || is_final(some)) all.refused = some.refused;
            if (is_final(all)) break;
        }
        grows_huge_.store(options_.huge_pages && !is_final(all), std::memory_order_relaxed);
        return all;
    }

private:
    static constexpr std::uint64_t largest_step = 16 * mebi;
    static constexpr std::uint64_t largest_margin = 256 * kibi;
    static constexpr std::chrono::milliseconds longest_wait{10}; ///< for a huge page: we have the domain's lock
    static constexpr std::uint64_t enough_for_huge = 16 * mebi;  ///< from here on a huge page is a small margin

    Attachment(os::File file, const std::filesystem::path& path, const PoolOptions& options, const std::string& name,
               os::FileSystem system, const Header& header)
        : options_(options), path_(path), file_(std::move(file), path, is_read_only(), name),
          file_system_(std::move(system)), header_(header), process_(header.domains),
          regions_(new Region[header.domains]), grows_huge_(options.huge_pages) {}

    /// Null if the path names another file by now.
    [[nodiscard]] static std::shared_ptr<Attachment> make(os::File file, const std::filesystem::path& path,
                                                          const PoolOptions& options) {
        const std::string name = path.empty() ? "memory pool" : path.string();
        const os::FileStatus status = os::status(file.descriptor(), name);
        os::FileSystem system = detail::check_file(file, status, options, name);
        const Header header = detail::read_header(file, options, name);
        // exit() may destroy the last handle while another thread is in a transaction: then all of it stays until the
        // process has ended, for that thread goes on to write by what lies in here.
        const auto destroy = [](Attachment* last) {
            if (!last->is_any_domain_held()) delete last;
        };
        std::shared_ptr<Attachment> attachment(
            new Attachment(std::move(file), path, options, name, std::move(system), header), destroy);
        if (!attachment->attach_first()) return nullptr;
        return attachment;
    }

    /// False if the path names another file by now.
    [[nodiscard]] bool attach_first() {
        {
            const AttachGuard guard = exclude_attachers();
            if (!path_.empty() && !os::is_at(file_.identity(), path_)) return false;
            if (const std::uint64_t size = file_size(); size < header_.region_offset)
                throw Error(errc::truncated,
                            "has " + std::to_string(size) + " bytes, its header expects at least " +
                                std::to_string(header_.region_offset),
                            name());
            map();
            begin_session();
        }
        if (options_.huge_pages) collapse();
        return true;
    }

    [[nodiscard]] bool grows_huge() const noexcept { return grows_huge_.load(std::memory_order_relaxed); }

    /// What lies before the first region has been set aside when the pool was made; before the others lie holes.
    [[nodiscard]] std::uint64_t first_byte_for_huge(std::uint64_t domain) const noexcept {
        return domain == 0 ? 0 : regions_[domain].begin();
    }

    /// True if to ask again would only cost time.
    [[nodiscard]] static bool is_final(const os::HugePages& asked) noexcept {
        return asked.refused && asked.refused != std::errc::resource_unavailable_try_again;
    }

    /// Puts a huge page behind the last bytes of the region's [0, target), those from `reached` on not yet set aside.
    /// Which is a fourth of the work that 512 small pages are, so it comes first; and nothing follows from it: that
    /// these bytes can be written is what fallocate says, afterwards, whether this was refused or the process dies here.
    void prepare_huge_page(std::uint64_t domain, int descriptor, std::uint64_t reached,
                           std::uint64_t target) noexcept {
        const std::uint64_t end = regions_[domain].begin() + target;
        const std::uint64_t begin = end - os::huge_page;
        if (begin < first_byte_for_huge(domain) || end > os::file_size_limit()) return;
        // The kernel fills holes, but nothing that is one hole and no more.
        if (regions_[domain].begin() + reached == begin && os::try_allocate(descriptor, begin, 4096) != 0) return;
        const auto began = std::chrono::steady_clock::now();
        const bool refused = is_final(os::collapse(mapping_.data() + begin, os::huge_page));
        if (refused || std::chrono::steady_clock::now() - began > longest_wait)
            grows_huge_.store(false, std::memory_order_relaxed);
    }

    void map() {
        mapping_ = os::try_map_shared(file_.get(), header_.max_size, !is_read_only());
        if (!mapping_.is_mapped() && errno != ENOMEM) os::throw_errno(errno, "map the file", name());
        if (!mapping_.is_mapped())
            throw Error(errc::address_space,
                        "cannot reserve the pool's max_size of " + std::to_string(header_.max_size) +
                            " bytes of address space",
                        name());
        for (std::uint64_t domain = 0; domain < header_.domains; ++domain)
            regions_[domain].bind(mapping_.data(), header_.region_offset + domain * header_.region_stride,
                                  header_.region_stride, domain_state(domain).committed, file_);
    }

    /// Steps 1 to 4 of the head of this file. The caller holds the attach byte.
    void begin_session() {
        const int descriptor = file_.get();
        auto& table = *at<SessionTable>(header_.volatile_offset);
        const os::ByteState others = os::probe_bytes(descriptor, LockBytes::sessions, max_sessions);
        if (others == os::ByteState::unknown) os::throw_errno(errno, "ask who is attached", name());
        const bool alone = others == os::ByteState::free;
        check_blocks(descriptor, alone);
        const std::uint64_t boot = file_system_.in_memory ? 0 : os::boot_id();
        if (alone && load(state().clean) != 1 && load(state().boot) != boot && !file_system_.in_memory &&
            !options_.accept_unclean)
            throw Error(errc::unclean_after_reboot,
                        "was in use when the machine went down, so what reached the disk may not fit together; "
                        "PoolOptions::accept_unclean opens it for verify()",
                        name());
        // A forked child may have slept through a trim.
        for (std::uint64_t domain = 0; domain < header_.domains; ++domain) regions_[domain].forget();
        if (is_read_only()) {
            session_.open_for_reading(table, file_);
        } else {
            if (alone) begin_era();
            session_.open_for_writing(table, file_);
            if (load(state().clean) != 0 || alone) {
                put(state().boot, boot); // first: unclean with an old boot id would be taken for a crash
                put_release(state().clean, 0);
                if (!file_system_.in_memory) sync();
            }
        }
        process_.session().store(ProcessState::stamp(++ordinal_, session_.token()), std::memory_order_release);
    }

    /// Every byte that the domains have committed lies in the file and has a block. On a disk the sum of blocks is no
    /// proof, since it counts some that hold no bytes of the file; so there the first to attach does not rely on it.
    void check_blocks(int descriptor, bool alone) const {
        const detail::BytesInUse use = detail::bytes_in_use(header_, &domain_state(0), name());
        const os::FileStatus status = os::status(descriptor, name()); // after the words, which may grow meanwhile
        if (status.size < use.end)
            throw Error(errc::truncated,
                        "has " + std::to_string(status.size) + " bytes, its header expects " +
                            std::to_string(use.end),
                        name());
        const bool sparse = status.allocated < use.blocks;
        if (sparse && is_read_only())
            throw Error(errc::truncated,
                        "is a sparse copy, whose holes must be filled by opening it once for writing", name());
        if (sparse || (alone && !is_read_only() && !file_system_.in_memory))
            detail::fill_holes(descriptor, header_, &domain_state(0), name());
    }

    void sync() const { os::sync(file_.get(), name()); }

    [[nodiscard]] bool is_any_domain_held() const noexcept {
        for (std::uint64_t domain = 0; domain < header_.domains; ++domain)
            if (owner(domain).load(std::memory_order_acquire) != 0) return true;
        return false;
    }

    /// Whoever dies in here held the only session, so the next to attach is alone again and starts over.
    void begin_era() noexcept {
        put_release(state().era, load(state().era) + 1);
        auto* const words = at<Word>(header_.volatile_offset);
        for (std::uint64_t i = 0; i < header_.volatile_size / word_size; ++i) put(words[i], 0);
    }

    [[gnu::cold, gnu::noinline]] Stamp attach_in_child() {
        auto& session = process_.session();
        for (;;) {
            std::uint64_t seen = ProcessState::forked;
            if (session.compare_exchange_strong(seen, ProcessState::attaching, std::memory_order_acquire)) break;
            if ((seen & ProcessState::attached) != 0) return seen;
            os::sleep_for(std::chrono::microseconds(50)); // another thread of this child is at it
        }
        session_.abandon(); // the parent's
        try {
            const AttachGuard guard = exclude_attachers();
            begin_session();
        } catch (...) {
            session_.close(); // what there is of ours
            session.store(ProcessState::forked, std::memory_order_release);
            throw;
        }
        return session.load(std::memory_order_relaxed);
    }

    /// The data goes first, the proof of life last. The last writer to go writes everything back and says so.
    void detach() noexcept {
        try {
            const AttachGuard guard = exclude_attachers();
            if (!is_read_only() && session_.is_alone(false)) {
                if (!file_system_.in_memory) sync();
                put(state().clean, 1);
                if (!file_system_.in_memory) sync();
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
    std::filesystem::path path_; // as given
    PoolFile file_;
    os::FileSystem file_system_;
    Header header_;
    ProcessState process_;
    std::unique_ptr<Region[]> regions_;
    os::Mapping mapping_;
    Session session_;
    std::atomic<bool> grows_huge_; ///< asked for, and neither refused nor slow since the last collapse()
    std::uint64_t ordinal_ = 0;    ///< inherited by a child, so that its next attach has another stamp
};

} // namespace ss::inline v0
