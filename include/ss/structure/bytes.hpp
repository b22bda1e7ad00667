// What keys and values come in as.
#pragma once

#include <ss/base/error.hpp>

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace ss::inline v0 {

/// Keys and values have at most this many bytes.
inline constexpr std::uint64_t max_bytes_size = 0xFFFF'FFFFU;

/// What converts to std::string_view, but nullptr and numbers, which only would by way of a null pointer.
template <class T>
concept BytesLike =
    std::convertible_to<const T&, std::string_view> && !std::same_as<std::remove_cvref_t<T>, std::nullptr_t> &&
    !std::is_arithmetic_v<std::remove_cvref_t<T>>;

/// A string_view of any bytes, for the length of a call. Anything that converts to std::string_view does; a number or
/// nullptr does not compile, for `insert("key", 0)` would otherwise mean a null pointer.
class Bytes {
public:
    template <BytesLike T>
    constexpr Bytes(const T& bytes) : view_(make(bytes)) {} // NOLINT: implicit, as string_view's is

    template <class T>
    requires(std::is_arithmetic_v<std::remove_cvref_t<T>> || std::same_as<std::remove_cvref_t<T>, std::nullptr_t>)
        Bytes(const T&)
    = delete; // keys and values are bytes: write std::to_string(n), or use incr

    [[nodiscard]] constexpr std::string_view view() const noexcept { return view_; }
    [[nodiscard]] constexpr std::uint64_t size() const noexcept { return view_.size(); }

private:
    template <class T>
    [[nodiscard]] static constexpr std::string_view make(const T& bytes) {
        if constexpr (std::is_pointer_v<T>)
            if (bytes == nullptr) throw_error(errc::invalid_argument, "a null pointer was passed as a key or value");
        return std::string_view(bytes);
    }

    std::string_view view_;
};

namespace detail {

/// Pieces in braces, as views. They come in as Bytes, so that `{0}` does not compile.
[[nodiscard]] inline std::vector<std::string_view> views_of(std::initializer_list<Bytes> pieces) {
    std::vector<std::string_view> views;
    views.reserve(pieces.size());
    for (const Bytes& piece : pieces) views.push_back(piece.view());
    return views;
}

} // namespace detail

/// A value, in one piece or in several that follow each other.
class Pieces {
public:
    explicit Pieces(const Bytes& whole) noexcept : single_(whole.view()) {}
    explicit Pieces(std::span<const std::string_view> pieces) noexcept : pieces_(pieces), scattered_(true) {}

    [[nodiscard]] std::span<const std::string_view> get() const noexcept {
        return scattered_ ? pieces_ : std::span(&single_, 1);
    }

    /// Bytes in all. Throws too_large.
    [[nodiscard]] std::uint64_t size() const {
        if (!scattered_ && single_.size() <= max_bytes_size) [[likely]]
            return single_.size();
        return sum();
    }

private:
    [[gnu::noinline]] std::uint64_t sum() const {
        std::uint64_t size = 0;
        for (const std::string_view piece : get()) {
            if (piece.size() > max_bytes_size - size)
                throw_error(errc::too_large, "a value has more than " + std::to_string(max_bytes_size) + " bytes");
            size += piece.size();
        }
        return size;
    }

    std::string_view single_;
    std::span<const std::string_view> pieces_;
    bool scattered_ = false;
};

} // namespace ss::inline v0
