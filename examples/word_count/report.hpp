// What came of it, and whether it is right.
#pragma once

#include "counter.hpp"
#include "texts.hpp"

#include <string>
#include <vector>

namespace word_count {

void print(const Result& result);

/// Holds the counts against those of a plain loop over the texts, and the story against what had to happen. A sentence
/// for each thing that is wrong.
[[nodiscard]] std::vector<std::string> find_faults(const Result& result, const std::vector<Text>& texts);

} // namespace word_count
