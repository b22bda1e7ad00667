// A reader of a tree starts over only when a node on its own way has changed: told by how many instructions it takes
// when somebody writes at one of them.
#include <ss/ss.hpp>

#include "crash/single_step.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>

using namespace ss;
using namespace ss::test;

namespace {

/// A tree whose root leads to two nodes with two keys each, and a child that looks for one of them again and again.
class Reading {
public:
    Reading()
        : pool_(Pool::memfd("restarts", {.max_size = std::uint64_t{16} << 20})), tree_(pool_, "tree"),
          child_([this](const Markers& markers) {
              const PrefixTree<> mine(pool_, "tree");
              for (;;) {
                  markers.begin();
                  const bool found = mine.find("own/1").has_value();
                  markers.end();
                  if (!found) return;
              }
          }) {
        for (const char* const key : {"own/1", "own/2", "other/1", "other/2"}) tree_.insert(key, 1);
        for (int marker = 0; marker < 4; ++marker) child_.run_to_marker(); // until it has what it allocates once
    }

    /// Instructions of a look-up, at the `at`-th of which `key` is written.
    [[nodiscard]] std::uint64_t steps(std::uint64_t at, const char* key) {
        child_.run_to_marker();
        std::uint64_t steps = 0;
        for (; steps < at; ++steps) BOOST_REQUIRE(child_.step());
        tree_.insert(key, ++value_);
        while (child_.step()) ++steps;
        return steps;
    }

    [[nodiscard]] std::uint64_t undisturbed() {
        child_.run_to_marker();
        std::uint64_t steps = 0;
        while (child_.step()) ++steps;
        return steps;
    }

private:
    Pool pool_;
    PrefixTree<> tree_;
    Tracee child_;
    std::int64_t value_ = 1;
};

} // namespace

BOOST_AUTO_TEST_CASE(a_reader_starts_over_when_its_own_way_has_changed_alone) {
    const Watchdog dog(400, "restarts");
    const OneProcessor one;
    Reading reading;
    const std::uint64_t length = reading.undisturbed();
    BOOST_REQUIRE(length == reading.undisturbed());
    std::uint64_t over = 0;
    for (std::uint64_t at = 1; at < length; at += 7) {
        BOOST_TEST(reading.steps(at, "other/1") == length, "starts over for another node, at instruction " << at);
        if (reading.steps(at, "own/1") > length) ++over;
    }
    BOOST_TEST_MESSAGE("a look-up of " << length << " instructions starts over for a change of its node at " << over
                                       << " of " << length / 7);
    BOOST_TEST(over > 5U);
}
