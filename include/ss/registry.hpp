// The registry: all profiles of all structures, and opening any of them. Opt-in: needs Boost's headers.
#pragma once

#include <ss/open_any.hpp>
#include <ss/profiles.hpp>
