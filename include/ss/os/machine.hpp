// What a pool records of the machine it was used on, and random bytes.
#pragma once

#include <ss/os/file.hpp>

#include <cstdint>
#include <span>
#include <string>

#include <sys/random.h>

namespace ss::inline v0::os {

[[nodiscard]] inline std::uint64_t page_size() noexcept {
    static const auto size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    return size;
}

/// Fills `words` from getrandom(2). Throws errc::system if the kernel has none.
inline void random_words(std::span<std::uint64_t> words) {
    auto bytes = std::as_writable_bytes(words);
    while (!bytes.empty()) {
        const auto got = retry_interrupted(Call::random, [&] { return ::getrandom(bytes.data(), bytes.size(), 0); });
        if (got < 0) throw_errno(errno, "draw random bytes");
        bytes = bytes.subspan(static_cast<std::size_t>(got));
    }
}

/// A number that is another after each boot of the machine; 0 where the kernel has none to tell. Throws if it has but
/// cannot just now: to take that for another boot would be wrong.
[[nodiscard]] inline std::uint64_t boot_id() {
    static constexpr const char* path = "/proc/sys/kernel/random/boot_id";
    const File file = try_open(path, O_RDONLY);
    if (!file.is_open()) {
        if (errno == ENOENT || errno == EACCES) return 0;
        throw_errno(errno, "ask for the machine's boot id", path);
    }
    std::byte text[36] = {};
    if (read_at(file, text, 0, path) != sizeof text) return 0;
    std::uint64_t id = 0xCBF2'9CE4'8422'2325U;
    for (const std::byte c : text) id = (id ^ std::to_integer<std::uint64_t>(c)) * 0x0000'0100'0000'01B3U;
    return id | 1;
}

/// The PID namespace that this process lives in, as a number; 0 if the kernel does not tell.
[[nodiscard]] inline std::uint64_t pid_namespace() noexcept {
    struct stat raw = {};
    if (::stat("/proc/thread-self/ns/pid", &raw) != 0) return 0;
    return raw.st_ino ^ (static_cast<std::uint64_t>(raw.st_dev) << 40);
}

} // namespace ss::inline v0::os
