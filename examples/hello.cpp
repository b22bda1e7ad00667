// Two processes, one table: each counts a thousand visits, and none is lost.
#include <ss/ss.hpp>

#include <cstdio>

#include <sys/wait.h>
#include <unistd.h>

int main() {
    ss::Pool pool = ss::Pool::anonymous(); // ss::Pool pool("/dev/shm/hello") for processes that are not related
    ss::HashTable<> visits(pool, "visits");
    const pid_t child = fork(); // from here on there are two of us
    for (int i = 0; i < 1000; ++i) visits.incr("index.html", 1);
    if (child == 0) return 0;
    waitpid(child, nullptr, 0);
    const auto count = visits.find_as<std::int64_t>("index.html").value_or(0);
    std::printf("%lld visits\n", static_cast<long long>(count));
    return count == 2000 ? 0 : 1;
}
