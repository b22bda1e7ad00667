// Abseil's maps are told of in locked.hpp; here is what it says of itself.
#pragma once

#include <absl/base/config.h>
#include <string>

namespace bench {

[[nodiscard]] inline std::string abseil_version() {
    return "Abseil " + std::to_string(ABSL_LTS_RELEASE_VERSION) + "." + std::to_string(ABSL_LTS_RELEASE_PATCH_LEVEL);
}

} // namespace bench
