// fork() while attached: the child finds out by itself, attaches anew, and touches nothing of its parent's.
#include "pool/resources.hpp"
#include "pool/support.hpp"
#include "support/barrier.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <csignal>
#include <filesystem>
#include <memory>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

BOOST_AUTO_TEST_SUITE(pool_fork)

using namespace ss;
using namespace ss::test;

namespace {

struct Parent {
    Watchdog dog{60, "a fork"};
    TempDir directory;
    std::filesystem::path path = directory / "pool";
    Pool pool{path, small_pool};
    Token parents = token_of(pool);
    Attachment::Stamp stamp = pool.attachment()->enter();
};

void close_all_descriptors() { ::syscall(SYS_close_range, 3U, ~0U, 0U); }

} // namespace

BOOST_FIXTURE_TEST_CASE(the_child_attaches_anew_at_its_first_use_and_both_live, Parent) {
    pool.attachment()->grow(0, 4096);
    Word& word = pool.attachment()->region(0).word(pool.attachment()->region(0).begin());
    put(word, 1);
    Shared<Counter> childs(0U), finish(0U);
    Process child([&] {
        BOOST_TEST(!pool.attachment()->is_current(stamp));
        const Token mine = token_of(pool);
        BOOST_TEST(mine != parents);
        BOOST_TEST(pool.attachment()->is_current(pool.attachment()->enter()));
        BOOST_TEST(token_of(pool) == mine);
        BOOST_TEST(!is_dead(pool, parents));
        put(word, load(word) + 1);
        pool.attachment()->grow(0, mebi);
        *childs = mine;
        wait_until([&] { return *finish != 0; }, "the parent never finished");
    });
    wait_until([&] { return *childs != 0; }, "the child never attached");
    BOOST_TEST(pool.attachment()->is_current(stamp));
    BOOST_TEST(!is_dead(pool, static_cast<Token>(*childs)));
    BOOST_TEST(load(word) == 2U);
    BOOST_TEST(pool.attachment()->region(0).size() >= mebi);
    *finish = 1;
    child.expect_clean();
    BOOST_TEST(is_dead(pool, static_cast<Token>(*childs)));
}

BOOST_FIXTURE_TEST_CASE(a_child_that_never_uses_the_pool_changes_nothing, Parent) {
    const std::uint32_t next = session_table(pool).next;
    Process child([&] {
        // As exit() would: its copy of the handle goes.
        auto* const copy = new Pool(pool);
        pool.~Pool();
        delete copy;
        new (&pool) Pool(path);
    });
    child.expect_clean();
    Process idle([] {});
    idle.expect_clean();
    BOOST_TEST(session_table(pool).next == next + 1); // of the one that it made itself
    BOOST_TEST(pool.attachment()->is_current(stamp));
    const Pool other(path);
    BOOST_TEST(!is_dead(other, parents));
}

BOOST_FIXTURE_TEST_CASE(a_child_that_used_the_pool_detaches_for_itself_alone, Parent) {
    Shared<Counter> childs(0U);
    Process child([&] {
        *childs = token_of(pool);
        const Resources before = Resources::now();
        pool.~Pool();
        BOOST_TEST(Resources::now().descriptors < before.descriptors);
        BOOST_TEST(Resources::now().shared_mappings < before.shared_mappings);
        new (&pool) Pool(path);
    });
    child.expect_clean();
    BOOST_TEST(is_dead(pool, static_cast<Token>(*childs)));
    BOOST_TEST(pool.attachment()->is_current(stamp));
    BOOST_TEST(!is_dead(Pool(path), parents));
}

BOOST_FIXTURE_TEST_CASE(a_number_that_is_no_longer_the_pools_is_not_closed, Parent) {
    const Pool memory = Pool::memfd("here", small_pool);
    write_bytes(directory / "other", "somebody else's");
    Process child([&] {
        const int other = ::open((directory / "other").c_str(), O_RDONLY);
        const int number = pool.fd(), second = memory.fd();
        ::dup2(other, number);
        pool.~Pool(); // never used in this child
        BOOST_TEST(::fcntl(number, F_GETFD) >= 0);
        new (&pool) Pool(path);
        int third = -1;
        {
            const Pool mine = Pool::from_fd(second);
            third = mine.fd();
            ::dup2(other, third); // and there is no path by which it could come by another
            BOOST_TEST(outcome([&] { mine.attachment()->grow(0, 4096); }) == text(errc::system));
        }
        BOOST_TEST(::fcntl(third, F_GETFD) >= 0);
    });
    child.expect_clean();
}

BOOST_FIXTURE_TEST_CASE(generations_of_children, Parent) {
    Process child([&] {
        const Token mine = token_of(pool);
        Process grandchild([&] {
            Process great_grandchild([&] { // whose parent never attached
                BOOST_TEST(token_of(pool) != mine);
                BOOST_TEST(!is_dead(pool, mine));
                BOOST_TEST(!is_dead(pool, parents));
            });
            great_grandchild.expect_clean();
            BOOST_TEST(token_of(pool) != mine);
        });
        grandchild.expect_clean();
        BOOST_TEST(token_of(pool) == mine);
    });
    child.expect_clean();
}

BOOST_FIXTURE_TEST_CASE(a_child_with_its_dead_parents_token_is_another_all_the_same, Parent) {
    const auto alone = directory / "alone";
    Shared<std::atomic<pid_t>> orphan(0);
    Shared<Counter> step(0U);
    Process middle([&] {
        const Pool mine(alone, small_pool); // of this process and its child alone
        const auto theirs = mine.attachment()->enter();
        const Token token = token_of(mine);
        const pid_t pid = ::fork();
        if (pid == 0) {
            while (*step == 0) ::usleep(500);
            int code = 1;
            try { // its parent is gone, so a new era begins, with the first slot and generation
                code = token_of(mine) != token ? 2 : mine.attachment()->is_current(theirs) ? 3 : 17;
            } catch (...) { code = 4; }
            ::_exit(code);
        }
        *orphan = pid;
        ::pause();
    });
    wait_until([&] { return *orphan != 0; }, "no orphan was made");
    middle.kill();
    *step = 1;
    BOOST_TEST(Process::adopt(*orphan).wait() == (Ending{true, 17, 0}));
}

BOOST_FIXTURE_TEST_CASE(threads_of_a_child_attach_once, Parent) {
    Process child([&] {
        std::array<Token, 8> tokens{};
        std::vector<std::thread> threads;
        for (Token& token : tokens) threads.emplace_back([&] { token = token_of(pool); });
        for (std::thread& thread : threads) thread.join();
        for (const Token token : tokens) BOOST_TEST(token == tokens[0]);
        BOOST_TEST(tokens[0] != parents);
    });
    child.expect_clean();
}

BOOST_FIXTURE_TEST_CASE(a_child_made_behind_the_c_librarys_back_finds_out_too, Parent) {
    const auto child = static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr));
    if (child == 0) ::_exit(pool.attachment()->is_current(stamp) ? 1 : 17);
    BOOST_TEST(Process::adopt(child).wait() == (Ending{true, 17, 0}));
}

BOOST_FIXTURE_TEST_CASE(a_child_goes_on_when_its_parent_was_killed, Parent) {
    Shared<Counter> token_of_the_dead(0U), step(0U);
    Shared<std::atomic<pid_t>> orphan(0);
    Process middle([&] {
        const Pool mine(path);
        *token_of_the_dead = token_of(mine);
        const pid_t pid = ::fork();
        if (pid == 0) {
            while (*step == 0) ::usleep(500);
            // Its parent is dead by now; it has not used the pool yet.
            int code = 17;
            try {
                if (is_dead(mine, parents)) code = 1;
                const Token before = token_of(mine);
                if (before == *token_of_the_dead) code = 2;
                for (int i = 0; i < 5000 && !is_dead(mine, static_cast<Token>(*token_of_the_dead)); ++i)
                    ::usleep(1000);
                if (!is_dead(mine, static_cast<Token>(*token_of_the_dead))) code = 3;
                mine.attachment()->grow(0, 4096);
            } catch (...) { code = 4; }
            ::_exit(code);
        }
        *orphan = pid;
        ::pause();
    });
    wait_until([&] { return *orphan != 0; }, "no orphan was made");
    middle.kill();
    *step = 1;
    Process child = Process::adopt(*orphan);
    BOOST_TEST(child.wait() == (Ending{true, 17, 0}));
}

BOOST_FIXTURE_TEST_CASE(a_child_that_closed_everything_attaches_by_the_path, Parent) {
    Process child([&] {
        close_all_descriptors();
        const Token mine = token_of(pool);
        BOOST_TEST(mine != parents);
        BOOST_TEST(!is_dead(pool, parents));
        pool.attachment()->grow(0, mebi);
    });
    child.expect_clean();
    BOOST_TEST(pool.attachment()->region(0).size() >= mebi);
}

BOOST_FIXTURE_TEST_CASE(and_never_attaches_to_another_file_of_that_name, Parent) {
    Process child([&] {
        close_all_descriptors();
        std::filesystem::rename(path, directory / "moved");
        BOOST_TEST(outcome([&] { (void)token_of(pool); }) == text(errc::no_such_file));
        { const Pool imposter(path, small_pool); }
        const std::string before = bytes_of(path);
        BOOST_TEST(outcome([&] { (void)token_of(pool); }) == text(errc::no_such_file));
        BOOST_TEST(outcome([&] { pool.reattach(); }) == text(errc::no_such_file));
        BOOST_TEST((bytes_of(path) == before));
        std::filesystem::rename(directory / "moved", path);
        BOOST_TEST(token_of(pool) != parents); // the right one again
    });
    child.expect_clean();
}

BOOST_FIXTURE_TEST_CASE(a_child_of_a_pool_in_memory_attaches_by_the_descriptor_it_inherited, Parent) {
    const Pool memory = Pool::anonymous(small_pool);
    memory.attachment()->grow(0, 4096);
    Word& word = memory.attachment()->region(0).word(memory.attachment()->region(0).begin());
    Process child([&] {
        BOOST_TEST(token_of(memory) != 0U);
        memory.attachment()->grow(0, mebi);
        put(word, 7);
    });
    child.expect_clean();
    BOOST_TEST(load(word) == 7U);
    BOOST_TEST(memory.attachment()->region(0).size() >= mebi);
    Process careless([&] {
        close_all_descriptors();
        BOOST_TEST(outcome([&] { (void)token_of(memory); }) == text(errc::system));
    });
    careless.expect_clean();
}

BOOST_FIXTURE_TEST_CASE(a_child_that_slept_through_a_trim_knows_the_new_size, Parent) {
    Attachment& attachment = *pool.attachment();
    attachment.grow(0, 4 * mebi);
    const std::uint64_t before = attachment.region(0).size();
    Shared<Counter> trimmed(0U);
    Process child([&] {
        wait_until([&] { return *trimmed != 0; }, "nobody trimmed");
        (void)token_of(pool);
        const Region& region = pool.attachment()->region(0);
        BOOST_TEST(!region.contains(region.begin() + mebi, 1)); // though it was committed when we were forked
        BOOST_TEST(outcome([&] { (void)region.word(region.begin() + 2 * mebi); }) == text(errc::damaged));
        BOOST_TEST(region.size() == mebi);
    });
    {
        BOOST_REQUIRE(attachment.session().is_alone(true)); // a child that has not attached does not count
        const AttachGuard guard = attachment.exclude_attachers();
        attachment.shrink(0, mebi);
    }
    BOOST_TEST(attachment.region(0).size() < before);
    *trimmed = 1;
    child.expect_clean();
}

BOOST_FIXTURE_TEST_CASE(forks_beside_attaching_threads_leave_no_session_behind, Parent) {
    std::atomic<bool> stop = false;
    std::thread attacher([&] {
        while (!stop) const Pool guest(path);
    });
    std::vector<Process> children;
    for (int i = 0; i < 100; ++i) children.emplace_back([] { ::pause(); });
    stop = true;
    attacher.join();
    // The children live on, and none has inherited the lock of a slot or of the attach byte.
    BOOST_TEST(pool.attachment()->session().is_alone(true));
    BOOST_TEST(outcome([&] { const Pool guest(path, {.lock_timeout = std::chrono::milliseconds(0)}); }) == "success");
}

BOOST_AUTO_TEST_SUITE_END()
