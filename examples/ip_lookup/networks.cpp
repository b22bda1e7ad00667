#include "networks.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <random>
#include <tuple>
#include <utility>

namespace ip_lookup {

namespace {

bool comes_before(const Network& a, const Network& b) {
    return std::tie(a.address.is_v6, a.address.bytes, a.length) <
           std::tie(b.address.is_v6, b.address.bytes, b.length);
}

bool is_same(const Network& a, const Network& b) { return a.address == b.address && a.length == b.length; }

/// The value of the longest network that has the address; empty if there is none. By binary search for each length.
std::string find_plainly(const Networks& networks, Address address) {
    for (int length = address.bits(); length >= 0; --length) {
        address.clear_from(length);
        const Network wanted{.address = address, .length = length};
        const auto found = std::lower_bound(networks.begin(), networks.end(), wanted, comes_before);
        if (found != networks.end() && is_same(*found, wanted)) return found->value;
    }
    return {};
}

} // namespace

void Address::clear_from(int length) {
    for (int bit = length; bit < 128; bit = (bit / 8 + 1) * 8)
        bytes.at(static_cast<std::size_t>(bit) / 8) &= static_cast<unsigned char>(0xFF00 >> bit % 8);
}

Networks in_order(Networks networks) {
    std::stable_sort(networks.begin(), networks.end(), comes_before);
    networks.erase(std::unique(networks.begin(), networks.end(), is_same), networks.end());
    return networks;
}

Networks generate(std::size_t count) {
    // Per mille of each length: from 8 on for IPv4, from 32 on for IPv6.
    std::discrete_distribution<int> v4_length{1, 1, 1, 1, 1, 1, 2, 3, 17, 9, 15, 27, 46, 56, 135, 111, 573};
    std::discrete_distribution<int> v6_length{195, 19, 18, 7, 38, 5, 9, 6, 77, 5, 13, 6, 95, 9, 20, 17, 461};
    std::mt19937_64 random(20'260'101);
    Networks networks(count);
    for (Network& network : networks) {
        network.address.is_v6 = random() % 6 == 0;
        network.length = network.address.is_v6 ? 32 + v6_length(random) : 8 + v4_length(random);
        for (unsigned char& byte : network.address.bytes) byte = static_cast<unsigned char>(random());
        // A part of the address space, which is where registries assign networks.
        auto& bytes = network.address.bytes;
        bytes[0] = static_cast<unsigned char>(network.address.is_v6 ? 0x2A : 1 + bytes[0] % 223);
        if (network.address.is_v6) bytes[1] &= 0x0F, bytes[2] &= 0x1F;
        network.address.clear_from(network.length);
        network.value = "AS" + std::to_string(1 + random() % 64'000);
    }
    return in_order(std::move(networks));
}

Networks some_time_later(const Networks& networks) {
    Networks later;
    for (std::size_t i = 0; i < networks.size(); ++i)
        if (i % 10 != 3) later.push_back(networks[i]);
    for (std::size_t i = 1; i < later.size(); i += 20) std::swap(later[i - 1].value, later[i].value);
    return later;
}

std::vector<Sample> take_samples(const Networks& networks, const Networks& replacement, std::size_t count) {
    std::mt19937_64 random(1);
    std::vector<Sample> samples(count);
    for (Sample& sample : samples) {
        const Network& network = networks[random() % networks.size()];
        sample.address = network.address;
        for (int bit = network.length; bit < network.address.bits(); ++bit)
            if (random() % 2 == 0)
                sample.address.bytes[static_cast<std::size_t>(bit) / 8] ^= static_cast<unsigned char>(128 >> bit % 8);
        sample.expected = {find_plainly(networks, sample.address), find_plainly(replacement, sample.address)};
    }
    return samples;
}

} // namespace ip_lookup
