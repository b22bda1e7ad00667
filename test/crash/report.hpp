// What an exploration counted, and what it has to say of a state that is wrong.
//
// SS_KEEP_IMAGES=<directory> keeps the image of each failure there, as a pool to be looked at.
#pragma once

#include "crash/in_child.hpp"
#include "crash/states.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace ss::test {

/// Where an address of this program lies: its symbol where the program tells, and always what addr2line wants. A child
/// that was forked has the same addresses.
[[nodiscard]] inline std::string describe_address(std::uintptr_t address) {
    std::ostringstream text;
    text << "0x" << std::hex << address;
    Dl_info found = {};
    if (::dladdr(reinterpret_cast<void*>(address), &found) == 0 || found.dli_fname == nullptr) return text.str();
    if (found.dli_sname != nullptr)
        text << " " << found.dli_sname << "+0x" << address - reinterpret_cast<std::uintptr_t>(found.dli_saddr);
    const std::uintptr_t offset = address - reinterpret_cast<std::uintptr_t>(found.dli_fbase);
    // The program's own name as the loader knows it may be relative to another directory.
    std::error_code ignored;
    const std::string self = std::filesystem::read_symlink("/proc/self/exe", ignored).string();
    const bool own = std::filesystem::path(found.dli_fname).filename() == std::filesystem::path(self).filename();
    std::ostringstream command;
    command << "addr2line -Cfip -e '" << (own ? self : found.dli_fname) << "' 0x" << std::hex << offset;
    text << "\n        " << command.str();
    if (FILE* const pipe = ::popen((command.str() + " 2>/dev/null").c_str(), "r")) {
        std::string line(512, '\0');
        while (std::fgets(line.data(), static_cast<int>(line.size()), pipe) != nullptr)
            text << "\n        " << std::string(line.c_str(), line.find_last_not_of("\n", line.find('\0')));
        ::pclose(pipe);
    }
    return text.str();
}

/// The first few keys in which `found` is neither `before` nor `after`.
[[nodiscard]] inline std::string describe_difference(const Contents& found, const Contents& before,
                                                     const Contents& after) {
    const auto value = [](const Contents& contents, const std::string& key) {
        const auto at = contents.find(key);
        return at == contents.end() ? std::string("nothing")
               : at->second.size() > 40
                   ? std::to_string(at->second.size()) + " bytes \"" + at->second.substr(0, 20) + "...\""
                   : "\"" + at->second + "\"";
    };
    Contents keys = found;
    keys.insert(before.begin(), before.end());
    keys.insert(after.begin(), after.end());
    std::string text = "neither what was before nor what comes after:";
    int shown = 0;
    for (const auto& [key, ignored] : keys) {
        const std::string is = value(found, key), was = value(before, key), becomes = value(after, key);
        if (is == was && is == becomes) continue;
        if (++shown > 4) return text + " ...";
        text += " [\"" + key + "\" is " + is + ", was " + was + ", becomes " + becomes + "]";
    }
    return text;
}

/// The same without what does not belong into a file's name.
[[nodiscard]] inline std::string file_name(std::string text) {
    for (char& c : text)
        if (c == '/' || c == ' ' || c == ':' || c == ',') c = '_';
    return text;
}

/// Which state a check was about.
struct State {
    std::size_t number;   ///< how many instructions had changed the pool
    const Change* change; ///< the last of them; null before the first
    const Change* second; ///< the last one of the recovery that was interrupted; null if none was
};

struct Report {
    std::string scenario;
    std::string profile;
    std::uint64_t steps = 0;   ///< instructions of the operation
    std::uint64_t changes = 0; ///< how many of them changed the pool
    std::uint64_t states = 0;  ///< distinct images that they left
    std::uint64_t alone = 0, takeover = 0, read_only = 0, second = 0, killed = 0; ///< states checked so
    std::uint64_t needs_recovery = 0;                        ///< how many of the read-only openers were told so
    std::uint64_t second_takeover = 0, second_read_only = 0; ///< of `second`, checked in these ways as well
    std::uint64_t second_from = 0;                           ///< from how many states recoveries were stepped through
    std::uint64_t killed_alike = 0; ///< kills that left the very image of the first run, locks aside
    std::uint64_t bad = 0;
    double seconds = 0;

    /// Counts a failure, and prints the first few.
    void add(const State& state, const char* mode, const std::string& problem, const Image& image) {
        if (++bad > most_printed) return;
        std::cout << "\nBAD  " << scenario << " | " << profile << " | " << mode << " | after change " << state.number
                  << " of " << changes << "\n    " << problem << '\n';
        if (state.change != nullptr)
            std::cout << "    instruction " << state.change->step << " of " << steps << " at "
                      << describe_address(state.change->pc) << '\n';
        if (state.second != nullptr)
            std::cout << "    then in the recovery: instruction " << state.second->step << " at "
                      << describe_address(state.second->pc) << '\n';
        if (const char* const directory = std::getenv("SS_KEEP_IMAGES"); directory != nullptr && *directory != '\0') {
            std::filesystem::create_directories(directory);
            const std::filesystem::path path =
                std::filesystem::path(directory) /
                (file_name(scenario + "-" + profile + "-" + mode + "-" + std::to_string(bad)) + ".pool");
            image.write(path);
            std::cout << "    image kept as " << path.string() << '\n';
        }
        std::cout << std::flush;
    }

    [[nodiscard]] std::uint64_t checks() const noexcept {
        return alone + takeover + read_only + second + second_takeover + second_read_only + killed;
    }

    static void print_heading() {
        std::printf("%-36s %-24s %6s %7s %6s %6s %6s %6s(%5s) %5s(%5s) %7s(%4s) %4s %6s\n", "scenario", "profile",
                    "instr", "changes", "states", "alone", "takeov", "r/only", "needs", "kills", "alike", "second",
                    "from", "bad", "sec");
        std::fflush(stdout);
    }

    /// A line of the table.
    [[nodiscard]] std::string line() const {
        const auto n = [](std::uint64_t number) { return static_cast<unsigned long>(number); };
        char text[400];
        std::snprintf(
            text, sizeof text, "%-36s %-24s %6lu %7lu %6lu %6lu %6lu %6lu(%5lu) %5lu(%5lu) %7lu(%4lu) %4lu %6.1f",
            scenario.c_str(), profile.c_str(), n(steps), n(changes), n(states), n(alone), n(takeover), n(read_only),
            n(needs_recovery), n(killed), n(killed_alike), n(second), n(second_from), n(bad), seconds);
        return text;
    }

    static constexpr std::uint64_t most_printed = 4;
};

} // namespace ss::test
