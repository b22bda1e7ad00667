// Networks, addresses, and the plain way to find the one by the other.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

namespace ip_lookup {

/// The highest byte first; an IPv4 address is in the first four.
struct Address {
    bool is_v6 = false;
    std::array<unsigned char, 16> bytes{};

    friend bool operator==(const Address&, const Address&) = default;

    [[nodiscard]] int bits() const { return is_v6 ? 128 : 32; }
    /// Sets all bits from `length` on to 0.
    void clear_from(int length);
};

struct Network {
    Address address; ///< zeros from `length` on
    int length = 0;
    std::string value = {};
};

/// Each once, and before those within it.
using Networks = std::vector<Network>;

/// Sorts, and takes out what comes again.
[[nodiscard]] Networks in_order(Networks networks);

/// As many, or a few less, of lengths as the routers of the internet know them. Always the same.
[[nodiscard]] Networks generate(std::size_t count);

/// A table as it may be some time later: a tenth is gone, and another tenth has other values.
[[nodiscard]] Networks some_time_later(const Networks& networks);

/// An address, and the values that two tables have for it: of the longest network that it is in, or none.
struct Sample {
    Address address;
    std::array<std::string, 2> expected;
};

/// Addresses in networks of the first table. Their values are found by binary search for each length.
[[nodiscard]] std::vector<Sample> take_samples(const Networks& networks, const Networks& replacement,
                                               std::size_t count);

} // namespace ip_lookup
