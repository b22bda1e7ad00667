#include "input.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace ip_lookup {

namespace {

Networks parse_text(const std::string& text) {
    std::istringstream lines(text);
    Networks networks;
    for (std::string line; std::getline(lines, line);) {
        if (line.empty() || line.front() == '#') continue;
        const std::size_t space = std::min(line.find_first_of(" \t"), line.size());
        const std::size_t slash = std::min(line.find('/'), space);
        Network network{.address = parse_address(line.substr(0, slash))};
        network.length = network.address.bits();
        if (slash != space) {
            const char* const end = line.data() + space;
            const auto parsed = std::from_chars(line.data() + slash + 1, end, network.length);
            if (parsed.ptr != end || network.length < 0 || network.length > network.address.bits())
                throw std::runtime_error("not a network: " + line);
        }
        network.address.clear_from(network.length);
        network.value = line.substr(std::min(space + 1, line.size()));
        networks.push_back(std::move(network));
    }
    return networks;
}

// A header with the offsets of its parts; the nodes of a trie over the bits of IPv6 addresses, each with the numbers of
// the node for a 0 and of that for a 1 (0 where there is none), and of its network; the networks, each with a country and,
// at byte 4, an autonomous system. Numbers have 32 bits, the highest first. IPv4 lies below ::ffff:0:0/96.
Networks parse_libloc(const std::string& file) {
    const auto number = [&](std::size_t at) {
        if (at + 4 > file.size()) throw std::runtime_error("the database of libloc is damaged");
        std::size_t value = 0;
        for (std::size_t i = at; i < at + 4; ++i) value = value << 8 | static_cast<unsigned char>(file[i]);
        return value;
    };
    const std::size_t data = number(36), nodes = number(44);
    const Address v4 = parse_address("::ffff:0.0.0.0");
    Networks networks;
    const auto visit = [&](auto& self, std::size_t node, Network& way) -> void {
        if (const std::size_t found = number(nodes + 12 * node + 8); found != 0xFFFF'FFFF) {
            Network& network = networks.emplace_back(way);
            if (way.length >= 96 && std::equal(v4.bytes.begin(), v4.bytes.begin() + 12, way.address.bytes.begin())) {
                network = {.address = {}, .length = way.length - 96};
                std::copy(way.address.bytes.begin() + 12, way.address.bytes.end(), network.address.bytes.begin());
            }
            const std::size_t at = data + 12 * found;
            const std::size_t system = number(at + 4);
            network.value = file.substr(at, 2) + " AS" + std::to_string(system);
        }
        if (way.length == 128) return;
        for (const unsigned bit : {0U, 1U}) {
            const std::size_t next = number(nodes + 12 * node + std::size_t{4} * bit);
            if (next == 0) continue;
            unsigned char& byte = way.address.bytes.at(static_cast<std::size_t>(way.length) / 8);
            const auto mask = static_cast<unsigned char>(bit << (7 - way.length % 8));
            byte ^= mask, ++way.length;
            self(self, next, way);
            byte ^= mask, --way.length;
        }
    };
    Network way{.address = {.is_v6 = true}};
    visit(visit, 0, way);
    return networks;
}

} // namespace

Address parse_address(const std::string& text) {
    Address address{.is_v6 = text.find(':') != std::string::npos};
    if (inet_pton(address.is_v6 ? AF_INET6 : AF_INET, text.c_str(), address.bytes.data()) != 1)
        throw std::runtime_error("not an address: " + text);
    return address;
}

Networks read_networks(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(file), {}};
    if (!file) throw std::runtime_error("cannot read " + path);
    Networks networks = in_order(content.starts_with("LOCDBXX\1") ? parse_libloc(content) : parse_text(content));
    if (networks.empty()) throw std::runtime_error("no networks are in " + path);
    return networks;
}

std::vector<std::string> find_libloc() {
    for (const char* path : {"/var/lib/location/database.db", "/usr/share/libloc-location/location.db"})
        if (std::filesystem::exists(path)) return {path};
    return {};
}

} // namespace ip_lookup
