// A user's program, as small as it can be: built against the package in each way that one can come by it, and run.
#include <ss/ss.hpp>

int main() {
    ss::Pool pool = ss::Pool::anonymous({});
    ss::HashTable<> table(pool, "t");
    table.insert("k", "v");
    return table.find("k") == "v" ? 0 : 1;
}
