// LMDB: a B+-tree in a file that processes map, with transactions of its own. Without its calls of fsync, so that it
// promises what ss does: what is committed outlives the process, not the machine's power.
#pragma once

#include "../kernel/crew.hpp"
#include "../kernel/measure.hpp"

#include <cstdint>
#include <filesystem>
#include <limits>
#include <lmdb.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <sys/stat.h>

namespace bench {

namespace detail {

inline void check_lmdb(int code) {
    if (code != MDB_SUCCESS) throw std::runtime_error(std::string("LMDB: ") + ::mdb_strerror(code));
}

} // namespace detail

/// `Batch` operations of the same kind, writing or reading, for each transaction.
template <std::uint64_t Batch>
class Lmdb {
public:
    static constexpr Sharing sharing = Sharing::processes;
    static constexpr bool single = false;

    explicit Lmdb(const std::filesystem::path& directory) : path_(directory / "lmdb") {
        detail::check_lmdb(::mdb_env_create(&environment_));
        // Address space alone: the file grows as it is needed.
        detail::check_lmdb(::mdb_env_set_mapsize(environment_, std::size_t{1} << 36));
        detail::check_lmdb(::mdb_env_open(environment_, path_.c_str(), MDB_NOSUBDIR | MDB_NOSYNC, 0600));
        MDB_txn* transaction = nullptr;
        detail::check_lmdb(::mdb_txn_begin(environment_, nullptr, 0, &transaction));
        detail::check_lmdb(::mdb_dbi_open(transaction, nullptr, 0, &database_));
        detail::check_lmdb(::mdb_txn_commit(transaction));
    }

    Lmdb(const Lmdb&) = delete;
    Lmdb& operator=(const Lmdb&) = delete;

    ~Lmdb() { ::mdb_env_close(environment_); }

    void attached() {
        std::filesystem::remove(path_);
        std::filesystem::remove(path_.string() + "-lock");
    }

    class Handle {
    public:
        Handle(MDB_env* environment, MDB_dbi database) : environment_(environment), database_(database) {}
        Handle(Handle&& other) noexcept
            : environment_(other.environment_), database_(other.database_),
              reading_(std::exchange(other.reading_, nullptr)), writing_(std::exchange(other.writing_, nullptr)) {}
        Handle& operator=(Handle&&) = delete;

        ~Handle() {
            ::mdb_txn_abort(writing_);
            ::mdb_txn_abort(reading_);
        }

        bool insert(std::string_view key, std::string_view value) {
            begin_writing();
            MDB_val name = in_lmdb(key), data = in_lmdb(value);
            const int code = ::mdb_put(writing_, database_, &name, &data, MDB_NOOVERWRITE);
            if (code == MDB_KEYEXIST) {
                data = in_lmdb(value);
                detail::check_lmdb(::mdb_put(writing_, database_, &name, &data, 0));
            } else {
                detail::check_lmdb(code);
            }
            end_operation();
            return code == MDB_SUCCESS;
        }

        template <class F>
        void change(std::string_view key, std::string_view value, F f) {
            begin_writing();
            MDB_val name = in_lmdb(key), data = in_lmdb(value);
            detail::check_lmdb(::mdb_put(writing_, database_, &name, &data, 0));
            f();
            end_operation();
        }

        const std::string* find(std::string_view key) {
            begin_reading();
            MDB_val name = in_lmdb(key), data{};
            const int code = ::mdb_get(reading_, database_, &name, &data);
            if (code == MDB_SUCCESS)
                value_.assign(view_of(data));
            else if (code != MDB_NOTFOUND)
                detail::check_lmdb(code);
            end_operation();
            return code == MDB_SUCCESS ? &value_ : nullptr;
        }

        bool erase(std::string_view key) {
            begin_writing();
            MDB_val name = in_lmdb(key);
            const int code = ::mdb_del(writing_, database_, &name, nullptr);
            if (code != MDB_NOTFOUND) detail::check_lmdb(code);
            end_operation();
            return code == MDB_SUCCESS;
        }

        template <class F>
        void scan(F f) {
            walk({}, std::numeric_limits<std::uint64_t>::max(), f);
        }

        template <class F>
        void walk(std::string_view from, std::uint64_t steps, F f) {
            begin_reading();
            MDB_cursor* cursor = nullptr;
            detail::check_lmdb(::mdb_cursor_open(reading_, database_, &cursor));
            MDB_val name = in_lmdb(from), data{};
            int code = ::mdb_cursor_get(cursor, &name, &data, from.empty() ? MDB_FIRST : MDB_SET_RANGE);
            for (; code == MDB_SUCCESS && steps != 0; --steps) {
                f(view_of(name), view_of(data));
                code = ::mdb_cursor_get(cursor, &name, &data, MDB_NEXT);
            }
            ::mdb_cursor_close(cursor);
            if (code != MDB_NOTFOUND) detail::check_lmdb(code);
            end_operation();
        }

        /// Ends the batch.
        void finish() {
            operations_ = 0;
            if (writing_ != nullptr) detail::check_lmdb(::mdb_txn_commit(std::exchange(writing_, nullptr)));
            if (is_reading_) ::mdb_txn_reset(reading_); // its slot and memory are used again
            is_reading_ = false;
        }

    private:
        void begin_writing() {
            if (is_reading_) finish();
            if (writing_ == nullptr) detail::check_lmdb(::mdb_txn_begin(environment_, nullptr, 0, &writing_));
        }
        void begin_reading() {
            if (writing_ != nullptr) finish();
            if (is_reading_) return;
            if (reading_ == nullptr)
                detail::check_lmdb(::mdb_txn_begin(environment_, nullptr, MDB_RDONLY, &reading_));
            else
                detail::check_lmdb(::mdb_txn_renew(reading_));
            is_reading_ = true;
        }
        void end_operation() {
            if (++operations_ == Batch) finish();
        }

        [[nodiscard]] static MDB_val in_lmdb(std::string_view bytes) noexcept {
            return {bytes.size(), const_cast<char*>(bytes.data())}; // it does not write there
        }
        [[nodiscard]] static std::string_view view_of(const MDB_val& bytes) noexcept {
            return {static_cast<const char*>(bytes.mv_data), bytes.mv_size};
        }

        MDB_env* environment_;
        MDB_dbi database_;
        MDB_txn* reading_ = nullptr;
        MDB_txn* writing_ = nullptr;
        bool is_reading_ = false;
        std::uint64_t operations_ = 0;
        std::string value_;
    };

    [[nodiscard]] Handle handle() const { return {environment_, database_}; }

    [[nodiscard]] static std::string version() { return ::mdb_version(nullptr, nullptr, nullptr); }

    [[nodiscard]] Memory memory() const {
        MDB_stat pages{};
        detail::check_lmdb(::mdb_env_stat(environment_, &pages));
        int file = -1;
        detail::check_lmdb(::mdb_env_get_fd(environment_, &file));
        struct stat status {};
        ::fstat(file, &status);
        const auto used = pages.ms_branch_pages + pages.ms_leaf_pages + pages.ms_overflow_pages;
        return {.allocated = static_cast<double>(used * pages.ms_psize),
                .taken = static_cast<double>(status.st_blocks) * 512};
    }

private:
    std::filesystem::path path_;
    MDB_env* environment_ = nullptr;
    MDB_dbi database_ = 0;
};

} // namespace bench
