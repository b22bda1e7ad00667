// A PrefixTree without room: the n-th growth refused, n = 1, 2 …, and a file system of one MiB filled to the brim. What
// takes away works there, and leaves what an earlier refusal kept larger than it need be.
#include <ss/ss.hpp>

#include "structure/tree_support.hpp"
#include "support/expect.hpp"
#include "support/process.hpp"
#include "support/refusal.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>

#include <sched.h>
#include <sys/mount.h>

BOOST_AUTO_TEST_SUITE(structure_tree_no_room)

using namespace ss::test;
using ss::errc;
using ss::Value;

namespace {

std::string long_text(std::size_t i) { return std::string(40 + i % 50, 'v'); }

/// A tree with nodes of all kinds in a domain that has no free block left, however small.
template <class Tree>
struct Full {
    ss::Pool pool = ss::Pool::anonymous();
    Tree t{pool, "t"};

    Full() {
        for (unsigned i = 0; i < 256; ++i) t.insert(std::string("dense ") + static_cast<char>(i), long_text(i));
        for (unsigned i = 0; i < 40; ++i) t.insert("chain " + std::string(i, 'c'), i);
        for (unsigned i = 0; i < 16; ++i) t.insert(std::string("small ") + static_cast<char>('a' + i) + " leaf", 1.5);
        t.insert("pair/one and a long rest", 1);
        t.insert("pair/two and a long rest", "2");
        t.insert("inner", 1);
        t.insert("inner and more", 1);
        // Of an allocator with classes of sizes, each class has blocks of its own. So values of all sizes are taken, for
        // keys that are there already: a new one takes a block of one size, and without that block no other is taken.
        constexpr unsigned keys = 1000;
        Tree filler(pool, "filler");
        for (unsigned number = 0; number < keys; ++number) filler.insert(big_endian(number, 3), nullptr);
        const Refusal nothing_more(1, ENOSPC, true);
        unsigned number = 0;
        const auto take_all = [&](const Value& value) {
            try {
                for (; number < keys; ++number) filler.insert(big_endian(number, 3), value);
            } catch (const ss::Error& error) { BOOST_TEST((error.code() == errc::out_of_space)); }
        };
        for (std::uint64_t size = 65'536; size != 0; size = size > 512 ? size / 2 : size - 8)
            take_all(std::string(size, 'f'));
        take_all(0.1);
        BOOST_REQUIRE(number < keys);
    }
};

/// op(full) with the n-th growth refused, until it gets through. True if any was refused: a small block may be left.
template <class Tree, class Op>
bool refuse_each(const char* what, Op op) {
    bool any_refused = false;
    for (const int code : {ENOSPC, EIO})
        for (const bool for_good : {true, false})
            for (int n = 1;; ++n) {
                BOOST_REQUIRE(n < 50);
                Full<Tree> full;
                const TreeContents before = tree_contents(full.t);
                const std::string shape = printed(full.t);
                const std::uint64_t bytes = full.t.stats().bytes_allocated;
                bool refused = false;
                BOOST_TEST_CONTEXT(what << ", refusal " << n << " with " << code << (for_good ? ", for good" : "")) {
                    bool threw = false;
                    {
                        const Refusal refusal(n, code, for_good);
                        try {
                            op(full.t);
                        } catch (const ss::Error& error) {
                            threw = true;
                            BOOST_TEST((error.code() == (code == ENOSPC ? errc::out_of_space : errc::system)),
                                       error.what());
                        }
                        refused = Refusal::refused() != 0;
                    }
                    if (threw) {
                        BOOST_TEST(is_same(tree_contents(full.t), before));
                        BOOST_TEST(printed(full.t) == shape);
                        BOOST_TEST(full.t.stats().bytes_allocated == bytes);
                        BOOST_TEST(full.t.size() == before.size());
                    }
                    any_refused |= threw;
                    BOOST_TEST(wrong_with(full.pool) == "");
                    if (threw) BOOST_TEST(thrown_by([&] { op(full.t); }) == "nothing");
                    BOOST_TEST(!is_same(tree_contents(full.t), before));
                    full.t.insert("afterwards", std::string(1000, 'x'));
                    BOOST_TEST((full.t.at("afterwards") == Value(std::string(1000, 'x'))));
                    BOOST_TEST(wrong_with(full.pool) == "");
                }
                if (!refused) break;
            }
    return any_refused;
}

template <class Tree>
void refuse_all() {
    int refused = 0;
    refused += refuse_each<Tree>("a new leaf", [](auto& t) { t.insert("small and a leaf of its own", 1); });
    refused += refuse_each<Tree>("a large value", [](auto& t) { t.insert("new", std::string(3'000'000, 'l')); });
    refused += refuse_each<Tree>("an overwrite", [](auto& t) { t.insert("inner", std::string(5000, 'l')); });
    refused += refuse_each<Tree>("a split prefix",
                                 [](auto& t) { t.insert("pair/one and a long ending", std::string(80, 'x')); });
    refused +=
        refuse_each<Tree>("a value that becomes a node", [](auto& t) { t.insert("inner and more, and more", 1); });
    refused +=
        refuse_each<Tree>("a number that needs a block", [](auto& t) { t.incr("inner", std::int64_t{1} << 61); });
    refused += refuse_each<Tree>("a transaction", [](auto& t) {
        ss::transaction(t, [&](auto& tx) {
            t.erase(tx, "pair/one and a long rest");
            t.erase_prefix(tx, "chain ");
            for (int i = 0; i < 20; ++i) t.insert(tx, "new " + std::to_string(i), std::string(3000, 'n'));
        });
    });
    refused += refuse_each<Tree>("a node that grows", [](auto& t) { t.insert("small z", std::string(20, 's')); });
    BOOST_TEST(refused == 8, refused << " of 8 needed room");
}

/// Whatever is refused, and how: what only takes away is done.
template <class Tree>
void take_away_without_room() {
    for (const int seed : {1, 2, 3}) {
        Full<Tree> full;
        TreeContents model = tree_contents(full.t);
        std::mt19937 engine(static_cast<unsigned>(seed));
        {
            const Refusal nothing_more(1, ENOSPC, true);
            for (int i = 0; i < 150; ++i) {
                const auto gone = std::next(model.begin(), static_cast<long>(engine() % model.size()));
                BOOST_REQUIRE(full.t.erase(gone->first));
                model.erase(gone);
                if (i % 10 == 0) BOOST_REQUIRE(wrong_with(full.pool) == "");
            }
            BOOST_TEST(is_same(tree_contents(full.t), model));
            const std::uint64_t count = full.t.count_prefix("dense");
            BOOST_TEST(full.t.erase_prefix("dense") == count);
            BOOST_TEST(full.t.size() == model.size() - count);
            full.t.clear();
            BOOST_TEST(full.t.empty());
            BOOST_TEST(wrong_with(full.pool) == "");
            full.t.insert("there is room", std::string(1000, 'x')); // garbage is freed for it
            Tree(full.pool, "filler").clear();
        }
        BOOST_TEST(wrong_with(full.pool) == "");
    }
}

/// Every node is emptied while nothing can be made smaller: no merge, no shrinking. What is left then is right too.
template <class Tree>
void take_away_at_the_brim() {
    const ss::Pool pool = ss::Pool::anonymous();
    Tree t(pool, "t");
    Tree filler(pool, "filler");
    const std::uint64_t empty = t.stats().bytes_allocated;
    for (unsigned i = 0; i < 256; ++i) t.insert(std::string("k") + static_cast<char>(i) + " with a leaf", i);
    t.insert("k", 1);
    unsigned number = 0;
    const auto fill = [&] {
        for (std::uint64_t size = 65'536; size != 0; size /= 2) try {
                for (;;) filler.insert(big_endian(number++, 3), std::string(size, 'f'));
            } catch (const ss::Error& error) { BOOST_TEST((error.code() == errc::out_of_space)); }
    };
    bool kept = false;
    {
        const Refusal nothing_more(1, ENOSPC, true);
        for (unsigned i = 0; i < 256; ++i) {
            fill(); // what the last one freed is taken again
            BOOST_REQUIRE(t.erase(std::string("k") + static_cast<char>(i * 77) + " with a leaf"));
            BOOST_REQUIRE(t.size() == 256U - i);
            BOOST_REQUIRE(wrong_with(t) == "");
            BOOST_REQUIRE(tree_contents(t).size() == 256U - i);
            kept |= i > 200 && printed(t).starts_with("Node256");
        }
        BOOST_TEST((t.contains("k") && t.node_size() == 1U));
        fill();
        BOOST_TEST(wrong_with(pool) == "");
    }
    BOOST_TEST(kept); // else nothing was refused
    // It goes on as if nothing had been.
    t.insert("kx", 1);
    t.insert("ky", 1);
    BOOST_TEST((t.count_prefix("k") == 3U && t.longest_prefix("kxx").value().first == "kx"));
    BOOST_TEST((t.erase("k") && t.erase("kx") && t.erase("ky")));
    BOOST_TEST(t.stats().bytes_allocated == empty);
    filler.clear();
    drain(filler);
    BOOST_TEST(wrong_with(pool) == "");
}

/// Runs f(directory) in a child that has a tmpfs of one MiB there, which goes with the child.
template <class F>
void on_a_small_disk(F f) {
    const TempDir directory;
    Process child([&] {
        const Watchdog dog(100, "work on a full disk");
        if (::unshare(CLONE_NEWNS) != 0)
            skip(std::string("mounting a tmpfs needs a mount namespace: unshare: ") + std::strerror(errno));
        if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            ::mount("ss-test", directory.path().c_str(), "tmpfs", 0, "size=1m,mode=0700") != 0)
            skip(std::string("mounting a tmpfs needs more rights: mount: ") + std::strerror(errno));
        f(directory.path());
    });
    child.expect_clean();
}

/// Inserts until it throws out_of_space, and enters into `model` what got in. Returns how many.
template <class Tree>
int fill(Tree& t, TreeContents& model, std::uint64_t size, std::mt19937& engine) {
    for (int inserted = 0;; ++inserted) {
        std::string key(1 + engine() % 4, '\0');
        for (char& c : key) c = static_cast<char>(engine() % 7 * 40);
        if (model.contains(key)) key += big_endian(engine(), 4);
        if (model.contains(key)) continue;
        try {
            t.insert(key, std::string(size, 'f'));
        } catch (const ss::Error& error) {
            if (error.code() != errc::out_of_space) throw;
            BOOST_TEST(!t.contains(key));
            return inserted;
        }
        model[key] = std::string(size, 'f');
    }
}

template <class Tree>
void to_the_brim(const std::filesystem::path& directory) {
    const ss::Pool pool(directory / "pool");
    Tree t(pool, "t");
    TreeContents model;
    std::mt19937 engine(5);
    const auto check = [&] {
        BOOST_REQUIRE(is_same(tree_contents(t), model));
        BOOST_REQUIRE(t.size() == model.size());
        BOOST_REQUIRE(wrong_with(pool) == "");
    };
    for (std::uint64_t size = 100'000; size != 0; size /= 2) fill(t, model, size, engine);
    check();
    BOOST_TEST(t.stats().domain.bytes_allocated > 500'000U);
    for (int round = 0; round < 20; ++round) {
        for (int i = 0; i < 20 && model.size() > 1; ++i) {
            const auto gone = std::next(model.begin(), static_cast<long>(engine() % model.size()));
            BOOST_TEST(t.erase(gone->first));
            model.erase(gone);
        }
        BOOST_REQUIRE(!model.empty());
        const std::string prefix = std::next(model.begin(), static_cast<long>(engine() % model.size()))->first;
        std::uint64_t count = 0;
        for (auto at = model.lower_bound(prefix); at != model.end() && at->first.starts_with(prefix); ++count)
            at = model.erase(at);
        BOOST_TEST(t.erase_prefix(prefix) == count);
        check();
        int inserted = 0;
        for (std::uint64_t size = 20'000; size != 0; size /= 2) inserted += fill(t, model, size, engine);
        BOOST_TEST(inserted > 0);
        check();
    }
    // All of it goes, without any room, and comes back.
    t.clear();
    model.clear();
    check();
    BOOST_TEST(t.stats().garbage_bytes > 300'000U);
    BOOST_TEST(fill(t, model, 1000, engine) > 300);
    check();
    BOOST_TEST(t.erase_prefix("") == model.size());
    model.clear();
    BOOST_TEST(fill(t, model, 1000, engine) > 300);
    check();
}

using Locking = ss::PrefixTree<ss::SimpleAllocator, ss::SpinLock>;
using Logarithmic = ss::PrefixTree<ss::LogarithmicAllocator>;

} // namespace

BOOST_AUTO_TEST_CASE(refused_segregated) { refuse_all<ss::PrefixTree<>>(); }
BOOST_AUTO_TEST_CASE(refused_logarithmic) { refuse_all<Logarithmic>(); }
BOOST_AUTO_TEST_CASE(refused_simple) { refuse_all<Locking>(); }

BOOST_AUTO_TEST_CASE(take_away_segregated) { take_away_without_room<ss::PrefixTree<>>(); }
BOOST_AUTO_TEST_CASE(take_away_logarithmic) { take_away_without_room<Logarithmic>(); }
BOOST_AUTO_TEST_CASE(take_away_simple) { take_away_without_room<Locking>(); }

BOOST_AUTO_TEST_CASE(at_the_brim_segregated) { take_away_at_the_brim<ss::PrefixTree<>>(); }
BOOST_AUTO_TEST_CASE(at_the_brim_logarithmic) { take_away_at_the_brim<Logarithmic>(); }

BOOST_AUTO_TEST_CASE(a_full_disk_segregated) { on_a_small_disk(to_the_brim<ss::PrefixTree<>>); }
BOOST_AUTO_TEST_CASE(a_full_disk_logarithmic) { on_a_small_disk(to_the_brim<Logarithmic>); }
BOOST_AUTO_TEST_CASE(a_full_disk_simple) { on_a_small_disk(to_the_brim<Locking>); }

BOOST_AUTO_TEST_SUITE_END()
