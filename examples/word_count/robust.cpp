#include "table_counter.hpp"

template void word_count::add_profiles<ss::RobustMutex>(std::vector<Profile>& profiles);
