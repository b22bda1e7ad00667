// A child process that is run one instruction at a time, and a watch on the pool that it changes.
//
//     Tracee child([&](Markers& markers) { open(); markers.begin(); insert(); markers.end(); });
//     child.run_to_marker();                        // at full speed up to begin()
//     while (child.step()) …                        // false once the child stands at end()
//     child.kill();                                 // SIGKILL, between the instruction before and the next one
//
// A SIGKILL falls between two instructions, never into one: what was retired is in the shared memory, the rest never
// happens. So the bytes of the file after an instruction are exactly what a kill at that point leaves behind. (An
// instruction with a REP prefix counts as one per repetition, and so it is stepped. A system call counts as one: those
// that change the file, fallocate(2) and pwrite(2), are not watched halfway.)
//
// Works on x86-64 and arm64, for one thread, at 30,000 to 50,000 instructions a second. A marker is a SIGSTOP that the
// child sends to itself.
#pragma once

#include "support/skip.hpp"

#include <bit>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <elf.h>
#include <exception>
#include <filesystem>
#include <iostream>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace ss::test {

[[noreturn]] inline void throw_system(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

/// Where stepping begins and ends, called by the child. Without a tracer they do nothing.
class Markers {
public:
    explicit Markers(bool traced) noexcept : traced_(traced) {}
    void begin() const noexcept { stop(); }
    void end() const noexcept { stop(); }

private:
    void stop() const noexcept {
        if (traced_) ::raise(SIGSTOP);
    }
    bool traced_;
};

/// Keeps this process, and children made meanwhile, on one processor: a step is two switches between parent and child,
/// which are several times faster where no other processor has to be woken.
class OneProcessor {
public:
    OneProcessor() {
        if (::sched_getaffinity(0, sizeof before_, &before_) != 0) throw_system("sched_getaffinity");
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(::sched_getcpu(), &one);
        ::sched_setaffinity(0, sizeof one, &one);
    }
    OneProcessor(const OneProcessor&) = delete;
    OneProcessor& operator=(const OneProcessor&) = delete;
    ~OneProcessor() { ::sched_setaffinity(0, sizeof before_, &before_); }

private:
    cpu_set_t before_{};
};

/// Owns one traced child, killed at the latest by the destructor, or by the kernel if this process dies.
class Tracee {
public:
    /// Forks. The child runs body(markers) once run_to_marker is called, and ends. What it throws is printed.
    template <class Body>
    explicit Tracee(Body&& body) {
        std::cout.flush();
        std::fflush(nullptr);
        pid_ = ::fork();
        if (pid_ < 0) throw_system("fork");
        if (pid_ == 0) run(std::forward<Body>(body));
        if (const int status = wait(); !WIFSTOPPED(status)) {
            pid_ = -1;
            skip("this process may not trace its children");
        }
        if (::ptrace(PTRACE_SETOPTIONS, pid_, 0, PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD) != 0)
            throw_system("PTRACE_SETOPTIONS");
    }

    Tracee(const Tracee&) = delete;
    Tracee& operator=(const Tracee&) = delete;
    ~Tracee() { kill(); }

    /// At full speed to the next marker. Throws std::runtime_error if the child ends before.
    void run_to_marker() {
        proceed(PTRACE_CONT, [](int signal) { return signal == SIGSTOP; });
    }

    /// One instruction. False if that was a marker's. Throws std::runtime_error if the child ends.
    [[nodiscard]] bool step() {
        return proceed(PTRACE_SINGLESTEP, [](int signal) { return signal == SIGTRAP || signal == SIGSTOP; }) !=
               SIGSTOP;
    }

    /// At full speed to where the next system call begins or ends. False if a marker came first. Throws
    /// std::runtime_error if the child ends.
    [[nodiscard]] bool run_to_system_call() {
        constexpr int at_system_call = SIGTRAP | 0x80;
        return proceed(PTRACE_SYSCALL, [](int signal) { return signal == at_system_call || signal == SIGSTOP; }) !=
               SIGSTOP;
    }

    /// At full speed to the end. Returns waitpid's status.
    int finish() {
        if (::ptrace(PTRACE_CONT, pid_, 0, 0) != 0) throw_system("PTRACE_CONT");
        for (;;) {
            const int status = wait();
            if (!WIFSTOPPED(status)) {
                pid_ = -1;
                return status;
            }
            const int signal = WSTOPSIG(status) == SIGSTOP || WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
            if (::ptrace(PTRACE_CONT, pid_, 0, signal) != 0) throw_system("PTRACE_CONT");
        }
    }

    /// SIGKILL; returns when the process is gone, with its memory and its locks.
    void kill() noexcept {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        int status = 0;
        while (::waitpid(pid_, &status, __WALL) >= 0 ? WIFSTOPPED(status) : errno == EINTR) {}
        pid_ = -1;
    }

    /// At full speed until the instruction at `address` is about to run for the n-th time from here on, n = 0, 1, …
    /// False if this processor's debug registers are not at hand: nothing has run then. Throws std::runtime_error if the
    /// child ends before.
    [[nodiscard]] bool run_to(std::uintptr_t address, std::uint64_t n) {
#if defined(__x86_64__)
        const auto set = [this](std::size_t number, std::uintptr_t value) {
            return ::ptrace(PTRACE_POKEUSER, pid_, offsetof(struct user, u_debugreg) + number * sizeof(long),
                            value) == 0;
        };
        constexpr std::uintptr_t enabled = 1; // of DR7: breakpoint 0 is on, and at an instruction
        if (pc() == address && n == 0) return true;
        if (!set(0, address) || !set(7, enabled)) return false;
        // One that the child stands on does not count as met.
        for (std::uint64_t met = pc() == address ? 1 : 0; met <= n; ++met)
            proceed(PTRACE_CONT, [](int signal) { return signal == SIGTRAP; });
        return set(7, 0);
#else
        return address == 0 && n == 0;
#endif
    }

    /// The address of the instruction that comes next.
    [[nodiscard]] std::uintptr_t pc() const {
#if defined(__x86_64__)
        errno = 0;
        const long word = ::ptrace(PTRACE_PEEKUSER, pid_, offsetof(struct user, regs.rip), 0);
        if (word == -1 && errno != 0) throw_system("PTRACE_PEEKUSER");
        return static_cast<std::uintptr_t>(word);
#elif defined(__aarch64__)
        struct user_regs_struct registers = {};
        struct iovec place = {.iov_base = &registers, .iov_len = sizeof registers};
        if (::ptrace(PTRACE_GETREGSET, pid_, NT_PRSTATUS, &place) != 0) throw_system("PTRACE_GETREGSET");
        return registers.pc;
#else
#error "where does this processor keep its program counter?"
#endif
    }

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }

private:
    template <class Body>
    [[noreturn]] static void run(Body&& body) {
        int code = 1;
        if (::ptrace(PTRACE_TRACEME, 0, 0, 0) != 0) ::_exit(code);
        ::raise(SIGSTOP);
        try {
            const Markers markers(true);
            std::forward<Body>(body)(markers);
            code = 0;
        } catch (const std::exception& error) { std::cerr << "in a traced child: " << error.what() << std::endl; }
        ::_exit(code); // no destructors and no atexit: those belong to the parent
    }

    [[nodiscard]] int wait() const {
        int status = 0;
        while (::waitpid(pid_, &status, __WALL) < 0)
            if (errno != EINTR) throw_system("waitpid");
        return status;
    }

    /// Lets the child go on by `request` until a stop whose signal is `wanted`; passes other signals on to it.
    template <class Wanted>
    int proceed(int request, Wanted wanted) {
        for (int signal = 0;;) {
            if (::ptrace(static_cast<__ptrace_request>(request), pid_, 0, signal) != 0) throw_system("ptrace");
            const int status = wait();
            if (!WIFSTOPPED(status)) {
                pid_ = -1;
                throw std::runtime_error(
                    WIFEXITED(status) ? "the traced child ended with exit code " + std::to_string(WEXITSTATUS(status))
                                      : "the traced child ended by signal " + std::to_string(WTERMSIG(status)));
            }
            signal = WSTOPSIG(status);
            if (wanted(signal)) return signal;
        }
    }

    pid_t pid_ = -1;
};

/// A word of the file that an instruction changed.
struct WordChange {
    std::uint64_t offset;
    std::uint64_t value; ///< what it holds now
};

/// Looks at a file for what changed since the last look. Compares all of it: nothing is assumed of who writes where.
class FileWatch {
public:
    /// The file need not exist yet: it has size 0 then.
    explicit FileWatch(std::filesystem::path path) : path_(std::move(path)) {
        std::vector<WordChange> changes;
        (void)look(changes);
    }
    FileWatch(const FileWatch&) = delete;
    FileWatch& operator=(const FileWatch&) = delete;
    ~FileWatch() {
        if (data_ != nullptr) ::munmap(data_, reserved);
        if (descriptor_ >= 0) ::close(descriptor_);
    }

    /// True if the size or any word changed; appends the words. The file's size must be a multiple of 8.
    [[nodiscard]] bool look(std::vector<WordChange>& changes) {
        if (descriptor_ < 0 && !open()) return false;
        struct stat status = {};
        if (::fstat(descriptor_, &status) != 0) throw_system("fstat");
        const auto words = static_cast<std::size_t>(status.st_size) / sizeof(std::uint64_t);
        const bool resized = words != seen_.size();
        if (words * sizeof(std::uint64_t) > reserved) throw std::runtime_error("the watched file grew too large");
        if (resized) seen_.resize(words, 0);
        bool changed = resized;
        const auto* const now = static_cast<const std::uint64_t*>(data_);
        for (std::size_t at = 0; at < words; at += page_words) {
            const std::size_t count = std::min(page_words, words - at);
            if (std::memcmp(now + at, seen_.data() + at, count * sizeof(std::uint64_t)) == 0) continue;
            for (std::size_t i = at; i < at + count; ++i) {
                if (now[i] == seen_[i]) continue;
                seen_[i] = now[i];
                changes.push_back({.offset = i * sizeof(std::uint64_t), .value = now[i]});
            }
            changed = true;
        }
        return changed;
    }

    /// The words as of the last look.
    [[nodiscard]] std::span<const std::uint64_t> words() const noexcept { return seen_; }

private:
    static constexpr std::size_t reserved = std::size_t{1} << 30;
    static constexpr std::size_t page_words = 4096 / sizeof(std::uint64_t);

    bool open() {
        descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
        if (descriptor_ < 0) return false;
        data_ = ::mmap(nullptr, reserved, PROT_READ, MAP_SHARED | MAP_NORESERVE, descriptor_, 0);
        if (data_ == MAP_FAILED) throw_system("mmap");
        return true;
    }

    std::filesystem::path path_;
    int descriptor_ = -1;
    void* data_ = nullptr;
    std::vector<std::uint64_t> seen_;
};

/// Steps the child, which stands at its begin marker, to its end marker. Before each instruction before(its address) is
/// called, and after each that changed the file on_change(its address, its number, the words changed), which returns
/// false to stop there. Returns how many instructions were stepped. Throws std::runtime_error if the child ends on the
/// way.
template <class Before, class OnChange>
std::uint64_t step_through(Tracee& child, FileWatch& watch, Before&& before, OnChange&& on_change) {
    constexpr std::uint64_t patience = 20'000'000; // instructions: about ten minutes
    std::vector<WordChange> words;
    for (std::uint64_t steps = 0; steps < patience; ++steps) {
        const std::uintptr_t pc = child.pc();
        before(pc);
        const bool more = child.step();
        words.clear();
        if (watch.look(words) && !on_change(pc, steps, words)) return steps + 1;
        if (!more) return steps;
    }
    throw std::runtime_error("the operation does not end");
}

} // namespace ss::test
