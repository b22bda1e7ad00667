#include "table_counter.hpp"

template void word_count::add_profiles<ss::SpinLock>(std::vector<Profile>& profiles);
