#include "table_counter.hpp"

template void word_count::add_profiles<ss::NullLock>(std::vector<Profile>& profiles);
