#include "table_counter.hpp"

template void word_count::add_profiles<ss::FutexLock>(std::vector<Profile>& profiles);
