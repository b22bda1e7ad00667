// A directory for one test, gone at its end with all that is in it.
#pragma once

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include <system_error>
#include <unistd.h>

namespace ss::test {

/// Makes a directory of its own below `base`: by default on tmpfs, where pools usually are. Removed by the destructor,
/// in the process that made it only: a forked child's copy does nothing.
class TempDir {
public:
    TempDir() : TempDir(default_base()) {}

    explicit TempDir(const std::filesystem::path& base) {
        std::string pattern = (base / "ss-test-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr)
            throw std::system_error(errno, std::generic_category(),
                                    "no directory for the test below " + base.string());
        path_ = pattern;
    }

    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;

    ~TempDir() {
        if (::getpid() != owner_) return;
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

    /// The path of `name` in it; nothing is created.
    [[nodiscard]] std::filesystem::path operator/(const std::filesystem::path& name) const { return path_ / name; }

private:
    [[nodiscard]] static std::filesystem::path default_base() {
        const std::filesystem::path tmpfs = "/dev/shm";
        return std::filesystem::is_directory(tmpfs) ? tmpfs : std::filesystem::temp_directory_path();
    }

    std::filesystem::path path_;
    pid_t owner_ = ::getpid();
};

} // namespace ss::test
