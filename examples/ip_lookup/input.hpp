// Networks and addresses from outside.
#pragma once

#include "networks.hpp"

#include <string>
#include <vector>

namespace ip_lookup {

/// Throws std::runtime_error if it is none.
[[nodiscard]] Address parse_address(const std::string& text);

/// Either lines like "192.0.2.0/24 value", of IPv4 or IPv6, '#' beginning a comment; or a database of libloc, of which the
/// values are country and autonomous system. Throws std::runtime_error if it is neither.
[[nodiscard]] Networks read_networks(const std::string& path);

/// The database of libloc: the newer one that `location update` puts, or that of the package libloc-database. Or none.
[[nodiscard]] std::vector<std::string> find_libloc();

} // namespace ip_lookup
