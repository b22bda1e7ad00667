// Who is alive: the dead are found out soon, and nobody who lives is ever taken for dead, whatever he does.
#include "pool/support.hpp"
#include "support/barrier.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

BOOST_AUTO_TEST_SUITE(pool_liveness)

using namespace ss;
using namespace ss::test;
using namespace std::chrono_literals;

namespace {

/// A pool that the test asks through, and the token that a child has told of.
struct Asker {
    Watchdog dog{60, "a question of life and death"};
    TempDir directory;
    std::filesystem::path path = directory / "pool";
    Pool pool{path, small_pool};
    Shared<Counter> told{0U};

    void tell(const Pool& mine) const { *told = token_of(mine); }

    [[nodiscard]] Token heard() const {
        wait_until([&] { return *told != 0; }, "the child never attached");
        return static_cast<Token>(*told);
    }

    void check_alive(Token token, std::chrono::milliseconds duration = 100ms) const {
        const auto end = std::chrono::steady_clock::now() + duration;
        unsigned verdicts = 0;
        do verdicts += is_dead(pool, token) ? 1 : 0;
        while (std::chrono::steady_clock::now() < end);
        BOOST_TEST(verdicts == 0U);
        BOOST_TEST(!pool.attachment()->session().is_alone(false));
    }

    void check_dead(Token token) const {
        wait_until([&] { return is_dead(pool, token); }, "the dead passes for alive", 5);
        wait_until([&] { return pool.attachment()->session().is_alone(false); }, "the dead is in the way", 5);
    }
};

void close_all_descriptors() { ::syscall(SYS_close_range, 3U, ~0U, 0U); }

} // namespace

BOOST_FIXTURE_TEST_CASE(killed, Asker) {
    Process child([&] {
        const Pool mine(path);
        tell(mine);
        ::pause();
    });
    const Token token = heard();
    check_alive(token);
    child.kill();
    check_dead(token);
}

BOOST_FIXTURE_TEST_CASE(a_zombie_is_dead, Asker) {
    Process child([&] {
        const Pool mine(path);
        tell(mine);
        ::pause();
    });
    const Token token = heard();
    child.send(SIGKILL);
    check_dead(token); // nobody has waited for it
    child.wait();
}

BOOST_FIXTURE_TEST_CASE(detached, Asker) {
    Token token = 0;
    {
        const Pool other(path);
        token = token_of(other);
        check_alive(token, 5ms);
    }
    BOOST_TEST(is_dead(pool, token));
}

BOOST_FIXTURE_TEST_CASE(one_who_ends_with_a_lock_in_hand_is_alive_to_the_last_instruction, Asker) {
    Shared<Counter> finish(0U);
    Process child([&] {
        {
            const Pool mine(path);
            mine.attachment()->owner(0).store(this_thread()); // as another thread's guard does
            tell(mine);
        } // as in exit(), where static objects go while other threads are at work
        wait_until([&] { return *finish != 0; }, "nobody looked");
    });
    const Token token = heard();
    ::usleep(10'000);
    check_alive(token);
    *finish = 1;
    child.expect_clean();
    check_dead(token);
}

BOOST_FIXTURE_TEST_CASE(stopped_is_alive, Asker) {
    Process child([&] {
        const Pool mine(path);
        tell(mine);
        ::pause();
    });
    const Token token = heard();
    child.send(SIGSTOP);
    check_alive(token, 300ms);
    child.send(SIGCONT);
    check_alive(token, 10ms);
}

BOOST_FIXTURE_TEST_CASE(one_who_closes_all_descriptors_is_alive_and_can_ask, Asker) {
    Shared<Counter> asked(0U);
    Process child([&] {
        const Pool mine(path);
        close_all_descriptors();
        tell(mine);
        wait_until([&] { return *asked != 0; }, "nobody asked");
        // It also still finds out about others: its descriptor is opened anew by the path.
        BOOST_TEST(!is_dead(mine, token_of(pool)));
        Token gone = 0;
        {
            const Pool guest(path);
            gone = token_of(guest);
            BOOST_TEST(!is_dead(mine, gone));
        }
        BOOST_TEST(is_dead(mine, gone));
    });
    const Token token = heard();
    check_alive(token);
    *asked = 1;
    child.expect_clean();
    check_dead(token);
}

BOOST_FIXTURE_TEST_CASE(numbers_that_name_other_files_by_now_are_not_believed, Asker) {
    // Another file, in which no byte is locked, takes every number that the pool may have had.
    write_bytes(directory / "other", "something else");
    Process child([&] {
        const Pool mine(path);
        const Token parents = token_of(pool);
        std::vector<int> numbers;
        for (int number = 3; number < 30; ++number) ::close(number);
        for (int number = 3; number < 30; ++number) numbers.push_back(::open((directory / "other").c_str(), O_RDWR));
        BOOST_TEST(!is_dead(mine, parents));
        BOOST_TEST(!mine.attachment()->session().is_alone(false));
        mine.attachment()->grow(0, mebi);
        BOOST_TEST(std::filesystem::file_size(directory / "other") == 14U);
        BOOST_TEST(mine.attachment()->region(0).size() >= mebi);
        { const Pool dropped = mine; }
        for (const int number : numbers) BOOST_TEST(::fcntl(number, F_GETFD) >= 0);
    });
    child.expect_clean();
}

namespace {

int descriptor_to_replace = -1, replacement = -1;

int replace_it_before_a_lock_is_asked_for(os::Call call) {
    if (call == os::Call::lock) ::dup2(replacement, descriptor_to_replace);
    return 0;
}

} // namespace

BOOST_FIXTURE_TEST_CASE(a_number_that_changes_hands_at_the_worst_moment_gives_no_verdict, Asker) {
    write_bytes(directory / "other", "no byte of this is locked");
    Process child([&] {
        const Pool mine(path);
        Token gone = 0;
        {
            const Pool guest(path);
            gone = token_of(guest);
        }
        descriptor_to_replace = mine.fd();
        replacement = ::open((directory / "other").c_str(), O_RDWR | O_CLOEXEC);
        os::refuse.store(&replace_it_before_a_lock_is_asked_for);
        const bool dead = is_dead(mine, token_of(pool));
        const bool alone = mine.attachment()->session().is_alone(true);
        os::refuse.store(nullptr);
        BOOST_TEST(!dead);
        BOOST_TEST(!alone);
        BOOST_TEST(is_dead(mine, gone)); // asked again in peace
    });
    child.expect_clean();
}

BOOST_FIXTURE_TEST_CASE(who_has_lost_his_own_proof_of_life_judges_nobody, Asker) {
    Process child([&] {
        const Pool mine(path);
        Token gone = 0;
        {
            const Pool guest(path);
            gone = token_of(guest);
        }
        BOOST_TEST(is_dead(mine, gone));
        // The page that keeps the lock: the one read-only mapping of the pool.
        std::ifstream maps("/proc/self/maps");
        for (std::string line; std::getline(maps, line);)
            if (line.find("r--s") != std::string::npos && line.find(path.string()) != std::string::npos) {
                const auto address = std::stoull(line.substr(0, line.find('-')), nullptr, 16);
                BOOST_REQUIRE(::munmap(reinterpret_cast<void*>(address), os::page_size()) == 0);
            }
        BOOST_TEST(is_dead(pool, token_of(mine)));
        BOOST_TEST(!is_dead(mine, gone));
        BOOST_TEST(!mine.attachment()->session().is_alone(false));
        ::_exit(failed_checks() == 0 ? 0 : 1); // without the destructor, which would unmap it again
    });
    child.expect_clean();
}

BOOST_FIXTURE_TEST_CASE(without_a_path_and_a_descriptor_there_is_no_verdict, Asker) {
    const Pool memory = Pool::memfd("here", small_pool);
    Process child([&] {
        const Pool mine = Pool::from_fd(memory.fd());
        Token gone = 0, other = 0;
        {
            const Pool guest = Pool::from_fd(memory.fd());
            gone = token_of(guest);
        }
        BOOST_TEST(is_dead(mine, gone));
        const Pool stays = Pool::from_fd(memory.fd());
        other = token_of(stays);
        close_all_descriptors();
        BOOST_TEST(!is_dead(mine, other));
        BOOST_TEST(!is_dead(mine, gone)); // it is, but who would know
        BOOST_TEST(!mine.attachment()->session().is_alone(false));
        BOOST_TEST(outcome([&] { mine.attachment()->grow(0, 4096); }) == text(errc::system));
        BOOST_TEST(outcome([&] { mine.reattach(); }) == text(errc::system));
    });
    child.expect_clean();
}

BOOST_FIXTURE_TEST_CASE(a_forked_child_keeps_nobody_alive, Asker) {
    Process parent([&] {
        const Pool mine(path);
        const pid_t child = ::fork();
        if (child == 0)
            for (;;) ::pause(); // lives on, with all that it inherited
        tell(mine);
        ::pause();
    });
    const Token token = heard();
    check_alive(token);
    parent.kill();
    check_dead(token);
}

BOOST_FIXTURE_TEST_CASE(a_forked_child_that_ends_kills_nobody, Asker) {
    Process parent([&] {
        const Pool mine(path);
        for (int i = 0; i < 3; ++i) {
            const pid_t child = ::fork();
            if (child == 0) {
                if (i == 1) close_all_descriptors();
                if (i == 2) (void)token_of(mine);
                ::_exit(0);
            }
            int status = 0;
            ::waitpid(child, &status, 0);
        }
        tell(mine);
        ::pause();
    });
    const Token token = heard();
    check_alive(token);
    parent.kill();
    check_dead(token);
}

BOOST_FIXTURE_TEST_CASE(one_that_becomes_another_program_is_dead, Asker) {
    Process child([&] {
        const Pool mine(path);
        tell(mine);
        ::execl("/bin/sleep", "sleep", "100", nullptr);
    });
    check_dead(heard());
    BOOST_TEST(child.running());
}

BOOST_FIXTURE_TEST_CASE(a_process_whose_main_thread_has_ended_is_alive_and_works, Asker) {
    Shared<Counter> done(0U);
    Process child([&] {
        static Pool mine(path);
        std::thread([&] {
            ::usleep(20'000); // the main thread is gone by now
            int code = 0;
            try {
                const Pool second(path); // attaching works from here too
                if (is_dead(second, token_of(mine)) || is_dead(mine, token_of(second))) code = 2;
                mine.attachment()->grow(0, 4096);
                tell(mine);
                while (*done == 0) ::usleep(1000);
            } catch (...) { code = 3; }
            ::_exit(code);
        }).detach();
        ::syscall(SYS_exit, 0);
    });
    const Token token = heard();
    check_alive(token, 200ms);
    *done = 1;
    BOOST_TEST(child.wait() == (Ending{true, 0, 0}));
    check_dead(token);
}

BOOST_FIXTURE_TEST_CASE(many_who_come_and_go_never_make_a_living_one_look_dead, Asker) {
    std::vector<Process> crowd;
    for (int i = 0; i < 3; ++i)
        crowd.emplace_back([&] {
            for (;;) const Pool guest(path);
        });
    const Pool stays(path);
    const auto end = std::chrono::steady_clock::now() + 500ms;
    unsigned verdicts = 0;
    while (std::chrono::steady_clock::now() < end) {
        verdicts += is_dead(pool, token_of(stays)) || is_dead(stays, token_of(pool)) ? 1 : 0;
        const Pool guest(path);
        verdicts += is_dead(pool, token_of(guest)) ? 1 : 0;
    }
    BOOST_TEST(verdicts == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
