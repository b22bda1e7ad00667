// Error codes: each has words of its own, and an Error tells all three things.
#include <ss/base/error.hpp>

#include <boost/test/unit_test.hpp>

#include <set>
#include <string>

#include <system_error>

BOOST_AUTO_TEST_SUITE(base_error)

using namespace ss;

BOOST_AUTO_TEST_CASE(every_code_has_words_of_its_own) {
    std::set<std::string> texts;
    for (int code = static_cast<int>(errc::no_such_file); code <= static_cast<int>(errc::system); ++code) {
        const std::string text = error_category().message(code);
        BOOST_TEST(text != "unknown error");
        BOOST_TEST(texts.insert(text).second, text << " is told of two codes");
    }
    BOOST_TEST(error_category().message(0) == "unknown error");
    BOOST_TEST(error_category().message(static_cast<int>(errc::system) + 1) == "unknown error");
}

BOOST_AUTO_TEST_CASE(codes_compare_as_the_standards_own_do) {
    const std::error_code code = errc::in_use;
    BOOST_TEST((code == errc::in_use));
    BOOST_TEST((code != errc::damaged));
    BOOST_TEST((code != std::error_code(static_cast<int>(errc::in_use), std::generic_category())));
    BOOST_TEST(code.category().name() == std::string("ss"));
}

BOOST_AUTO_TEST_CASE(an_error_tells_code_path_and_sentence) {
    const Error error(errc::truncated, "has 3 bytes, expected 128", "/pools/one");
    BOOST_TEST((error.code() == errc::truncated));
    BOOST_TEST(error.path() == "/pools/one");
    BOOST_TEST(std::string(error.what()) == "/pools/one: has 3 bytes, expected 128: truncated");
    const Error nowhere(errc::would_deadlock, "this thread holds it");
    BOOST_TEST(nowhere.path().empty());
    BOOST_TEST(std::string(nowhere.what()) == "this thread holds it: would deadlock");
    const Error somewhere = nowhere.at("/pools/two");
    BOOST_TEST((somewhere.code() == errc::would_deadlock));
    BOOST_TEST(somewhere.path() == "/pools/two");
    BOOST_TEST(std::string(somewhere.what()) == "/pools/two: this thread holds it: would deadlock");
    BOOST_CHECK_THROW(throw_error(errc::damaged, "offset 7"), std::system_error);
}

BOOST_AUTO_TEST_SUITE_END()
