// What there is to complete.
#pragma once

#include <map>
#include <set>
#include <string>

namespace complete {

/// Name and description.
using Packages = std::map<std::string, std::string>;

/// All that apt's lists have; where there are none, what dpkg has installed, and a message that says so.
[[nodiscard]] Packages read_packages();

/// A word on each line, which may have a description behind a space. Throws std::runtime_error if it cannot be read.
[[nodiscard]] Packages read_words(const std::string& path);

/// The name, and the words of the description in lower case, each once.
[[nodiscard]] std::set<std::string> terms_of(const std::string& name, const std::string& description);

} // namespace complete
