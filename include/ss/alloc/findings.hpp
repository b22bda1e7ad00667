// What `verify` found, in sentences for people: bounded, so that a heap of noise does not fill the memory with them.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ss::inline v0 {

/// Appends sentences to a vector, at most `limit` of them.
class Findings {
public:
    static constexpr std::size_t limit = 100;

    Findings(std::vector<std::string>& problems, std::string_view subject) noexcept
        : problems_(problems), subject_(subject), room_(problems.size() + limit) {}

    /// True if no more will be kept: the walk may stop.
    [[nodiscard]] bool full() const noexcept { return problems_.size() >= room_; }

    /// Words and numbers, joined: `add("block at ", offset, " overlaps the next")`.
    template <class... Parts>
    void add(const Parts&... parts) {
        if (full()) return;
        std::string sentence(subject_);
        sentence += ": ";
        (append(sentence, parts), ...);
        problems_.push_back(std::move(sentence));
    }

private:
    static void append(std::string& sentence, std::string_view text) { sentence += text; }
    static void append(std::string& sentence, std::integral auto number) { sentence += std::to_string(number); }

    std::vector<std::string>& problems_;
    std::string_view subject_;
    std::size_t room_;
};

} // namespace ss::inline v0
