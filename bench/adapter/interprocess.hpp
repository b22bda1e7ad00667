// boost::unordered_map in a managed_mapped_file of Boost.Interprocess, under an interprocess_mutex: processes share it, as
// they share a table of ss. One that is killed with the mutex leaves it locked for good, and what it was changing half done.
#pragma once

#include "../kernel/crew.hpp"
#include "../kernel/measure.hpp"

#include <boost/functional/hash.hpp>
#include <boost/interprocess/allocators/allocator.hpp>
#include <boost/interprocess/containers/string.hpp>
#include <boost/interprocess/managed_mapped_file.hpp>
#include <boost/interprocess/sync/interprocess_mutex.hpp>
#include <boost/interprocess/sync/scoped_lock.hpp>
#include <boost/unordered_map.hpp>
#include <boost/version.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bench {

class Interprocess {
    using File = boost::interprocess::managed_mapped_file;
    template <class T>
    using Allocator = boost::interprocess::allocator<T, File::segment_manager>;
    using String = boost::interprocess::basic_string<char, std::char_traits<char>, Allocator<char>>;

    [[nodiscard]] static std::string_view view_of(const String& string) noexcept {
        return {string.data(), string.size()};
    }
    [[nodiscard]] static std::string_view view_of(std::string_view string) noexcept { return string; }

    /// Of both kinds of strings, so that no look-up allocates.
    struct Hash {
        std::size_t operator()(const auto& key) const noexcept {
            return std::hash<std::string_view>()(view_of(key)); // without a seed: the same in all processes
        }
    };
    struct Equal {
        bool operator()(const auto& a, const auto& b) const noexcept { return view_of(a) == view_of(b); }
    };

    using Map = boost::unordered_map<String, String, Hash, Equal, Allocator<std::pair<const String, String>>>;

    struct Table {
        explicit Table(File::segment_manager* memory) : map(Allocator<Map::value_type>(memory)) {}

        boost::interprocess::interprocess_mutex mutex;
        Map map;
    };

public:
    static constexpr Sharing sharing = Sharing::processes;
    static constexpr bool single = false;

    /// The file has holes: it does not grow, so its size is one that nobody needs.
    static constexpr std::size_t file_size = std::size_t{1} << 34;

    explicit Interprocess(const std::filesystem::path& directory)
        : path_(directory / "interprocess"), file_(boost::interprocess::open_or_create, path_.c_str(), file_size),
          table_(file_.find_or_construct<Table>("bench")(file_.get_segment_manager())),
          descriptor_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC)) {}

    Interprocess(const Interprocess&) = delete;
    Interprocess& operator=(const Interprocess&) = delete;

    ~Interprocess() { ::close(descriptor_); }

    void attached() { std::filesystem::remove(path_); }

    class Handle {
    public:
        explicit Handle(Table& table) : table_(&table) {}

        bool insert(std::string_view key, std::string_view value) {
            const Lock lock(table_->mutex);
            Map& map = table_->map;
            if (const auto found = map.find(key, Hash(), Equal()); found != map.end()) {
                found->second.assign(value.data(), value.size());
                return false;
            }
            const Allocator<char> allocator(map.get_allocator());
            map.emplace(String(key.data(), key.size(), allocator), String(value.data(), value.size(), allocator));
            return true;
        }
        const std::string* find(std::string_view key) {
            const Lock lock(table_->mutex);
            const auto found = table_->map.find(key, Hash(), Equal());
            if (found == table_->map.end()) return nullptr;
            value_.assign(found->second.data(), found->second.size());
            return &value_;
        }
        bool erase(std::string_view key) {
            const Lock lock(table_->mutex);
            const auto found = table_->map.find(key, Hash(), Equal());
            if (found == table_->map.end()) return false;
            table_->map.erase(found);
            return true;
        }

    private:
        using Lock = boost::interprocess::scoped_lock<boost::interprocess::interprocess_mutex>;

        Table* table_;
        std::string value_;
    };

    [[nodiscard]] Handle handle() const { return Handle(*table_); }

    [[nodiscard]] static std::string version() { return "Boost " BOOST_LIB_VERSION; }

    [[nodiscard]] Memory memory() const {
        struct stat status {};
        ::fstat(descriptor_, &status);
        return {.allocated = static_cast<double>(file_.get_size() - file_.get_free_memory()),
                .taken = static_cast<double>(status.st_blocks) * 512};
    }

private:
    std::filesystem::path path_;
    File file_;
    Table* table_;
    int descriptor_; ///< which the library has, too, and does not tell
};

} // namespace bench
