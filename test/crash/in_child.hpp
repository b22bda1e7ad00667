// A question put to a process of its own: it sees the pool as any newcomer would, and whatever becomes of it, a wrong
// answer, an exception, a signal or silence, is an answer.
#pragma once

#include "support/process.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/mman.h>
#include <system_error>
#include <unistd.h>

namespace ss::test {

/// What a structure holds, in words that a failure can print.
using Contents = std::map<std::string, std::string>;

/// What a newcomer says.
struct Testimony {
    std::string problem; ///< empty: nothing is wrong
    Contents contents;   ///< as it found them
};

/// A child that is asked, and answers when it likes: several can be at it at a time.
class Question {
public:
    /// Begins f() in a child, which has ten seconds.
    template <class F>
    explicit Question(F f)
        : memory_(capacity), child_([&] {
              ::alarm(10);
              Testimony said;
              try {
                  said = f();
              } catch (const std::exception& error) { said.problem = std::string("throws: ") + error.what(); }
              write(said);
          }) {}

    /// Waits for the child and returns its Testimony, in which anything but f's return is a problem.
    [[nodiscard]] Testimony answer() {
        if (const Ending ending = child_.wait(); !ending.clean())
            return {.problem = "the process " + ending.text(), .contents = {}};
        return read();
    }

private:
    static constexpr std::size_t capacity = std::size_t{8} << 20;
    static constexpr std::size_t header = sizeof(std::uint64_t);

    void write(const Testimony& said) const {
        std::size_t at = header;
        const auto put = [&](std::string_view text) {
            const std::uint64_t size = text.size();
            if (at + sizeof size + text.size() > capacity) throw std::runtime_error("too much to say");
            std::memcpy(memory_.data() + at, &size, sizeof size);
            std::memcpy(memory_.data() + at + sizeof size, text.data(), text.size());
            at += sizeof size + text.size();
        };
        put(said.problem);
        for (const auto& [key, value] : said.contents) {
            put(key);
            put(value);
        }
        const std::uint64_t count = said.contents.size() + 1;
        std::memcpy(memory_.data(), &count, sizeof count);
    }

    [[nodiscard]] Testimony read() const {
        std::size_t at = header;
        const auto get = [&] {
            std::uint64_t size = 0;
            std::memcpy(&size, memory_.data() + at, sizeof size);
            std::string text(memory_.data() + at + sizeof size, size);
            at += sizeof size + size;
            return text;
        };
        std::uint64_t count = 0;
        std::memcpy(&count, memory_.data(), sizeof count);
        if (count == 0) return {.problem = "the process said nothing", .contents = {}};
        Testimony said;
        said.problem = get();
        for (; count > 1; --count) {
            std::string key = get();
            said.contents[std::move(key)] = get();
        }
        return said;
    }

    /// Shared with the child; costs what is used of it.
    class Memory {
    public:
        explicit Memory(std::size_t size) : size_(size) {
            void* const data =
                ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
            if (data == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
            data_ = static_cast<char*>(data);
        }
        Memory(Memory&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(other.size_) {}
        Memory& operator=(Memory&&) = delete;
        ~Memory() {
            if (data_ != nullptr) ::munmap(data_, size_);
        }
        [[nodiscard]] char* data() const noexcept { return data_; }

    private:
        char* data_ = nullptr;
        std::size_t size_;
    };

    Memory memory_; // before the child, which inherits it
    Process child_;
};

/// f() in a child: its Testimony.
template <class F>
[[nodiscard]] Testimony ask(F f) {
    return Question(f).answer();
}

} // namespace ss::test
