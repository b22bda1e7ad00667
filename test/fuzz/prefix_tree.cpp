// Every string of operations that the fuzzer found worth keeping, once more. The fuzzer itself is fuzzer/prefix_tree.cpp.
#include "fuzz/tree_operations.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

using namespace ss::test;

namespace {

std::vector<std::uint8_t> bytes_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace

BOOST_AUTO_TEST_CASE(the_corpus) {
    unsigned files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(SS_FUZZ_CORPUS)) {
        BOOST_TEST_CONTEXT(entry.path().filename()) {
            const std::vector<std::uint8_t> bytes = bytes_of(entry.path());
            BOOST_CHECK_NO_THROW(TreeOperations(bytes).run());
        }
        ++files;
    }
    BOOST_TEST(files > 100U);
}

BOOST_AUTO_TEST_CASE(bytes_at_random) {
    std::mt19937 engine(11);
    for (int round = 0; round < 50; ++round) {
        std::vector<std::uint8_t> bytes(2000);
        for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(engine());
        BOOST_TEST_CONTEXT("round " << round) { BOOST_CHECK_NO_THROW(TreeOperations(bytes).run()); }
    }
}
