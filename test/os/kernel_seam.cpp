// The seam by which a test refuses system calls, and what refusals come to mean.
#include <ss/os/kernel.hpp>

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <string>

BOOST_AUTO_TEST_SUITE(os_kernel_seam)

using namespace ss;

namespace {

int interruptions = 0;
os::Call last_call = os::Call::open;

int interrupt_a_few_times(os::Call call) {
    last_call = call;
    return interruptions-- > 0 ? EINTR : 0;
}

int refuse_all(os::Call) { return ENOSPC; }

struct Hook {
    explicit Hook(int (*hook)(os::Call)) { os::refuse.store(hook); }
    ~Hook() { os::refuse.store(nullptr); }
};

} // namespace

BOOST_AUTO_TEST_CASE(without_a_hook_the_kernel_answers) {
    BOOST_TEST(os::permit(os::Call::open));
    int calls = 0;
    BOOST_TEST(os::retry_interrupted(os::Call::read, [&] { return ++calls; }) == 1);
}

BOOST_AUTO_TEST_CASE(interrupted_calls_are_repeated_whoever_interrupts_them) {
    interruptions = 3;
    const Hook hook(&interrupt_a_few_times);
    int calls = 0;
    const int result = os::retry_interrupted(os::Call::sync, [&] {
        errno = EINTR;
        return ++calls < 5 ? -1 : 7;
    });
    BOOST_TEST(result == 7);
    BOOST_TEST(calls == 5);
    BOOST_TEST((last_call == os::Call::sync));
}

BOOST_AUTO_TEST_CASE(a_refused_call_does_not_reach_the_kernel) {
    const Hook hook(&refuse_all);
    bool called = false;
    errno = 0;
    BOOST_TEST(os::retry_interrupted(os::Call::write, [&] {
                   called = true;
                   return 0;
               }) == -1);
    BOOST_TEST(!called);
    BOOST_TEST(errno == ENOSPC);
}

BOOST_AUTO_TEST_CASE(an_errno_becomes_the_code_that_tells_what_to_do) {
    const auto code = [](int error) { return make_error_code(os::classify(error)); };
    BOOST_TEST(code(ENOENT) == make_error_code(errc::no_such_file));
    BOOST_TEST(code(EEXIST) == make_error_code(errc::already_exists));
    for (const int error : {EACCES, EPERM, ELOOP}) BOOST_TEST(code(error) == make_error_code(errc::permission));
    for (const int error : {ENOSPC, EDQUOT, EFBIG}) BOOST_TEST(code(error) == make_error_code(errc::out_of_space));
    BOOST_TEST(code(EROFS) == make_error_code(errc::read_only));
    for (const int error : {EOPNOTSUPP, ENODEV}) BOOST_TEST(code(error) == make_error_code(errc::filesystem));
    for (const int error : {EMFILE, ENFILE, EIO, EINTR}) BOOST_TEST(code(error) == make_error_code(errc::system));
}

BOOST_AUTO_TEST_CASE(the_sentence_names_the_call_and_the_reason) {
    try {
        os::throw_errno(EMFILE, "open the file", "/pools/one");
    } catch (const Error& error) {
        BOOST_TEST((error.code() == errc::system));
        BOOST_TEST(error.path() == "/pools/one");
        const std::string sentence = error.what();
        BOOST_TEST(sentence.find("/pools/one: cannot open the file: ") == 0U);
        BOOST_TEST(sentence.find("open files") != std::string::npos);
    }
}

BOOST_AUTO_TEST_SUITE_END()
