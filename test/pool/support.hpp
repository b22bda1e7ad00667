// What the tests of pools share: outcomes as text, files as bytes, and the pool's own zones.
#pragma once

#include <ss/base/error.hpp>
#include <ss/pool/pool.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace ss::test {

[[nodiscard]] inline std::string text(errc code) { return make_error_code(code).message(); }

/// "success", or what the code of the Error says that `f` throws. Checks that the Error has a sentence of its own.
template <class F>
[[nodiscard]] std::string outcome(F&& f) {
    try {
        f();
        return "success";
    } catch (const Error& error) {
        const std::string sentence = error.what(), code = error.code().message();
        BOOST_TEST(sentence.size() > code.size() + error.path().size() + 4, sentence << ": says nothing of its own");
        return code;
    }
}

[[nodiscard]] inline std::string bytes_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::string bytes(std::filesystem::file_size(path), '\0');
    if (!file.read(bytes.data(), static_cast<std::streamsize>(bytes.size())))
        throw std::runtime_error("cannot read " + path.string());
    return bytes;
}

/// What is stored in the pool at `path`: all but the words that come and go with those who are attached.
[[nodiscard]] inline std::string content_of(const std::filesystem::path& path) {
    std::string bytes = bytes_of(path);
    const PoolGeometry geometry = pool_geometry(gibi, 1); // of all pools with one domain
    bytes.replace(state_zone_offset, sizeof(PoolState), sizeof(PoolState), '-');
    bytes.replace(geometry.volatile_offset, geometry.volatile_size, geometry.volatile_size, '-');
    return bytes;
}

inline void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

/// How many files lie in a directory.
[[nodiscard]] inline std::size_t files_in(const std::filesystem::path& directory) {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(directory), std::filesystem::directory_iterator()));
}

/// A pool that needs little address space, for tests that open many.
inline constexpr PoolOptions small_pool{.max_size = 16 * mebi};

[[nodiscard]] inline const std::array<std::uint64_t, 2>& uuid_of(const Pool& pool) {
    return pool.attachment()->header().uuid;
}

/// The session table in the pool's volatile zone, before the first lock slot.
[[nodiscard]] inline SessionTable& session_table(const Pool& pool) {
    auto* const slots = reinterpret_cast<std::byte*>(&pool.attachment()->lock_slot(0));
    return *reinterpret_cast<SessionTable*>(slots - sizeof(SessionTable));
}

/// This process's token, attached if need be.
[[nodiscard]] inline Token token_of(const Pool& pool) {
    pool.attachment()->enter();
    return pool.attachment()->session().token();
}

[[nodiscard]] inline bool is_dead(const Pool& pool, Token token) {
    return pool.attachment()->session().is_dead(token);
}

} // namespace ss::test
