// What tests expect, as text, so that a failed check prints what there was instead: what is thrown, what is wrong.
//
//     BOOST_TEST(thrown_by([&] { table.insert(null, "v"); }) == error(ss::errc::invalid_argument));
//     BOOST_TEST(wrong_with(pool) == "");
#pragma once

#include <ss/base/error.hpp>

#include <boost/test/unit_test.hpp>

#include <exception>
#include <string>

namespace ss::test {

/// What f() throws, in words: "errc <message>", another exception's what(), or "nothing".
template <class F>
[[nodiscard]] std::string thrown_by(F f) {
    try {
        f();
    } catch (const Error& error) { return "errc " + error.code().message(); } catch (const std::exception& error) {
        return error.what();
    } catch (...) { return "something that is no std::exception"; }
    return "nothing";
}

/// As `thrown_by` says it.
[[nodiscard]] inline std::string error(errc code) { return "errc " + make_error_code(code).message(); }

/// The whole sentence of the ss::Error that f() throws; empty if it throws none.
template <class F>
[[nodiscard]] std::string sentence_of(F f) {
    try {
        f();
    } catch (const Error& error) { return error.what(); }
    return {};
}

/// All that verify() of a pool or a table complains about, a line each.
template <class Verified>
[[nodiscard]] std::string wrong_with(const Verified& verified) {
    std::string lines;
    for (const std::string& problem : verified.verify()) lines += problem + '\n';
    return lines;
}

} // namespace ss::test
