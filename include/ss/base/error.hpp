// The one exception that tells of trouble with the world: the kernel, the file, the other processes.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <system_error>

namespace ss::inline v0 {

/// What went wrong. Normal outcomes (no such key, nothing to erase) are never errors; see docs/errors.md for
/// what leads to each and what to do about it.
enum class errc {
    no_such_file = 1,      ///< the path does not exist and was not to be created
    already_exists,        ///< the path exists and was to be created
    permission,            ///< the kernel or the owner check refuses the file
    not_a_pool,            ///< the file does not begin with a pool's header
    other_version,         ///< written by a version of the format, or with features, that we do not know
    other_byte_order,      ///< written on a machine of the other byte order
    truncated,             ///< the file is shorter than its header says
    damaged,               ///< a checksum, an offset or a length that cannot be
    other_policies,        ///< the domain or object was made with other policies than asked for
    other_type,            ///< the name belongs to an object of another type
    unknown_policy,        ///< the pool names a policy that this program does not know
    no_such_object,        ///< no object of that name, or it was removed while a handle was open
    name_too_long,         ///< an object's name past max_name_size
    in_use,                ///< somebody else is attached, and the call needs to be alone
    too_many_sessions,     ///< every slot of the session table is taken
    attach_timeout,        ///< somebody held the attach byte for longer than PoolOptions::lock_timeout
    out_of_space,          ///< the file system is full, or a limit (RLIMIT_FSIZE, quota) is reached
    past_max_size,         ///< the pool has reached the max_size it was created with
    address_space,         ///< max_size bytes of address space cannot be reserved
    too_large,             ///< a key, value or allocation past its limit
    full,                  ///< a bounded queue has no room for one more item
    transaction_too_large, ///< the journal, or the list of frees or versions, is full
    read_only,             ///< the pool was opened read-only and the call would change it
    lock_timeout,          ///< a living owner held the lock for longer than PoolOptions::lock_timeout
    would_deadlock,        ///< this thread holds the lock already
    lock_order,            ///< this thread holds a later domain's lock, and the one asked for is taken
    other_domain,          ///< the structure lives in another domain than the transaction
    other_namespace,       ///< the lock was made in another PID namespace or by another C library
    needs_recovery,        ///< a writer died in the middle, and a read-only opener cannot mend it
    unclean_after_reboot,  ///< not closed cleanly before the machine went down
    filesystem,            ///< the file system does not keep a promise that pools depend on
    forked,                ///< a guard or transaction of the parent, met in a forked child
    wrong_width,           ///< the value is not of the width of the number asked for
    wrong_type,            ///< the value is of another type than the number added to it
    invalid_argument,      ///< an argument that can never be right
    system,                ///< any other refusal of the kernel; the sentence names the call
};

/// The category of `errc`, so that `error.code() == ss::errc::in_use` compares as the standard's own do.
class ErrorCategory final : public std::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "ss"; }
    [[nodiscard]] std::string message(int value) const override { return text(static_cast<errc>(value)); }

private:
    [[nodiscard]] static const char* text(errc code) noexcept {
        switch (code) {
        case errc::no_such_file:
            return "no such file";
        case errc::already_exists:
            return "already exists";
        case errc::permission:
            return "permission denied";
        case errc::not_a_pool:
            return "not a pool";
        case errc::other_version:
            return "other format version";
        case errc::other_byte_order:
            return "other byte order";
        case errc::truncated:
            return "truncated";
        case errc::damaged:
            return "damaged";
        case errc::other_policies:
            return "other policies";
        case errc::other_type:
            return "other type";
        case errc::unknown_policy:
            return "unknown policy";
        case errc::no_such_object:
            return "no such object";
        case errc::name_too_long:
            return "name too long";
        case errc::in_use:
            return "in use";
        case errc::too_many_sessions:
            return "too many sessions";
        case errc::attach_timeout:
            return "attach timed out";
        case errc::out_of_space:
            return "out of space";
        case errc::past_max_size:
            return "past max_size";
        case errc::address_space:
            return "not enough address space";
        case errc::too_large:
            return "too large";
        case errc::full:
            return "full";
        case errc::transaction_too_large:
            return "transaction too large";
        case errc::read_only:
            return "read-only";
        case errc::lock_timeout:
            return "lock timed out";
        case errc::would_deadlock:
            return "would deadlock";
        case errc::lock_order:
            return "locks out of order";
        case errc::other_domain:
            return "other domain";
        case errc::other_namespace:
            return "other namespace";
        case errc::needs_recovery:
            return "needs recovery";
        case errc::unclean_after_reboot:
            return "unclean after reboot";
        case errc::filesystem:
            return "unsuitable file system";
        case errc::forked:
            return "forked";
        case errc::wrong_width:
            return "wrong width";
        case errc::wrong_type:
            return "wrong type";
        case errc::invalid_argument:
            return "invalid argument";
        case errc::system:
            return "system call failed";
        }
        return "unknown error";
    }
};

[[nodiscard]] inline const std::error_category& error_category() noexcept {
    static const ErrorCategory category;
    return category;
}

[[nodiscard]] inline std::error_code make_error_code(errc code) noexcept {
    return {static_cast<int>(code), error_category()};
}

} // namespace ss::inline v0

template <>
struct std::is_error_code_enum<ss::errc> : std::true_type {};

namespace ss::inline v0 {

/// Thrown when the world refuses. `code()` is for programs, `what()` is one sentence for people that names what
/// was found and what was expected, `path()` is the pool it happened to (empty where there is none).
class Error : public std::system_error {
public:
    Error(errc code, const std::string& sentence, std::string path = {})
        : std::system_error(make_error_code(code), path.empty() ? sentence : path + ": " + sentence),
          sentence_(sentence), path_(std::move(path)) {}

    /// The same, and it happened to that pool: for what was thrown by a floor that does not know the path.
    [[nodiscard]] Error at(const std::string& path) const {
        return {static_cast<errc>(code().value()), sentence_, path};
    }

    [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
    std::string sentence_;
    std::string path_;
};

/// Throws out of line, so that the callers' hot paths stay short.
[[noreturn, gnu::cold, gnu::noinline]] inline void throw_error(errc code, const std::string& sentence,
                                                               const std::string& path = {}) {
    throw Error(code, sentence, path);
}

} // namespace ss::inline v0
