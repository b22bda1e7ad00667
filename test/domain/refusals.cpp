// The n-th call of the kernel that would make the pool grow is refused, n = 1, 2 … until the operation gets through:
// each time nothing has changed, and everything goes on afterwards.
#include <ss/ss.hpp>

#include "support/expect.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <cstdint>
#include <map>
#include <string>

BOOST_AUTO_TEST_SUITE(domain_refusals)

using namespace ss::test;
using ss::errc;

namespace {

/// While one lives, the `at`-th fallocate from now on, and all after it if `for_good`, fails with `code`.
class Refusal {
public:
    Refusal(int at, int code, bool for_good) {
        left_ = at;
        code_ = code;
        for_good_ = for_good;
        refused_ = 0;
        ss::os::refuse = +[](ss::os::Call call) {
            if (call != ss::os::Call::fallocate) return 0;
            if (--left_ > 0 || (left_ < 0 && !for_good_)) return 0;
            ++refused_;
            return code_;
        };
    }
    Refusal(const Refusal&) = delete;
    Refusal& operator=(const Refusal&) = delete;
    ~Refusal() { ss::os::refuse = nullptr; }

    [[nodiscard]] static int refused() noexcept { return refused_; }

private:
    static inline int left_ = 0;
    static inline int code_ = 0;
    static inline int refused_ = 0;
    static inline bool for_good_ = false;
};

/// Some tables in a domain that has no free block left, however small.
template <class Table>
struct Full {
    ss::Pool pool = ss::Pool::anonymous();
    Table t{pool, "t", {.bits = 0}};
    Table u{pool, "u", {.bits = 0}};

    /// `more` objects beside the three that there are anyway.
    explicit Full(int more) {
        for (int i = 0; i < 40; ++i) t.insert(std::to_string(i), std::string(static_cast<std::size_t>(i * 7), 'v'));
        for (int i = 0; i < 10; ++i) u.insert(std::to_string(i), "u");
        u.incr("number", 1);
        for (int i = 0; i < more; ++i) Table(pool, "more " + std::to_string(i), {.bits = 0});
        Table filler(pool, "filler", {.bits = 12}); // so many that no bucket needs a second page
        // From large to small, until not even the smallest block is left. Splits fail meanwhile, and are made up for.
        const Refusal nothing_more(1, ENOSPC, true);
        int number = 0;
        for (std::uint64_t size = 65'536; size != 0; size /= 2) try {
                for (;;) filler.insert(std::to_string(number++), std::string(size, 'f'));
            } catch (const ss::Error& error) { BOOST_TEST((error.code() == errc::out_of_space)); }
        // Nor a word in a page.
        for (int i = 0; i < 2000; ++i)
            for (Table* table : {&t, &u}) try {
                    table->insert("small " + std::to_string(i), "");
                } catch (const ss::Error& error) { BOOST_TEST((error.code() == errc::out_of_space)); }
    }

    struct State {
        std::map<std::string, std::string> t, u;
        std::uint64_t objects;
        std::uint64_t used; ///< bytes; what is garbage may be freed by whoever finds no room
        friend bool operator==(const State&, const State&) = default;
    };
    [[nodiscard]] State state() const {
        const ss::DomainStats stats = t.stats().domain;
        return {.t = {t.begin(), t.end()},
                .u = {u.begin(), u.end()},
                .objects = stats.entries,
                .used = stats.bytes_allocated - stats.garbage_bytes};
    }
};

/// op(full), which needs to grow, with the n-th growth refused.
template <class Table, class Op>
void refuse_each(const char* what, Op op, int more_objects = 0) {
    for (const int code : {ENOSPC, EIO})
        for (const bool for_good : {true, false}) {
            int n = 1;
            for (bool refused = true; refused; ++n) {
                BOOST_REQUIRE(n < 50);
                Full<Table> full(more_objects);
                const auto before = full.state();
                BOOST_TEST_CONTEXT(what << ", refusal " << n << " with " << code << (for_good ? ", for good" : "")) {
                    bool threw = false;
                    {
                        const Refusal refusal(n, code, for_good);
                        try {
                            op(full);
                        } catch (const ss::Error& error) {
                            threw = true;
                            BOOST_TEST((error.code() == (code == ENOSPC ? errc::out_of_space : errc::system)),
                                       error.what());
                        }
                        refused = Refusal::refused() != 0;
                    }
                    if (n == 1 && for_good) BOOST_TEST(threw);
                    if (!refused) BOOST_TEST(!threw);
                    if (threw) BOOST_TEST((full.state() == before));
                    BOOST_TEST(wrong_with(full.pool) == "");
                    // It works as soon as there is room.
                    if (threw) BOOST_TEST(thrown_by([&] { op(full); }) == "nothing");
                    BOOST_TEST((full.state() != before));
                    full.t.insert("afterwards", std::string(1000, 'x'));
                    BOOST_TEST(full.t.at("afterwards") == std::string(1000, 'x'));
                    BOOST_TEST(wrong_with(full.pool) == "");
                }
            }
            BOOST_TEST(n > 2);
        }
}

template <class Table>
void refuse_all() {
    refuse_each<Table>("insert", [](auto& f) { f.t.insert("new", "value"); });
    refuse_each<Table>("insert of a large value", [](auto& f) { f.t.insert("new", std::string(3'000'000, 'l')); });
    refuse_each<Table>("overwrite by a longer value", [](auto& f) { f.t.insert("5", std::string(5000, 'l')); });
    refuse_each<Table>("incr of a new number", [](auto& f) { f.t.incr("n", 1); });
    refuse_each<Table>("a transaction", [](auto& f) {
        ss::transaction(f.t, [&](auto& tx) {
            f.t.erase(tx, "5");
            for (int i = 0; i < 30; ++i) {
                f.t.insert(tx, "new " + std::to_string(i), std::string(3000, 'n'));
                f.u.insert(tx, "new " + std::to_string(i), std::string(3000, 'n'));
            }
        });
    });
    refuse_each<Table>("clear", [](auto& f) { f.t.clear(); });
    refuse_each<Table>("making a table", [](auto& f) { Table(f.pool, "made", {.bits = 8}); });
    refuse_each<Table>(
        "making a table, and a page of the directory", [](auto& f) { Table(f.pool, "made", {.bits = 0}); }, 12);
}

} // namespace

BOOST_AUTO_TEST_CASE(with_the_segregated_allocator) { refuse_all<ss::HashTable<>>(); }
BOOST_AUTO_TEST_CASE(with_the_logarithmic_allocator) { refuse_all<ss::HashTable<ss::LogarithmicAllocator>>(); }
BOOST_AUTO_TEST_CASE(with_the_simple_allocator) { refuse_all<ss::HashTable<ss::SimpleAllocator, ss::FutexLock>>(); }

BOOST_AUTO_TEST_CASE(what_needs_no_room_works_without) {
    Full<ss::HashTable<>> f(3);
    {
        const Refusal nothing_more(1, ENOSPC, true);
        for (int i = 0; i < 30; ++i) BOOST_TEST(f.t.erase(std::to_string(i)));
        for (int i = 0; i < 10; ++i) f.u.incr("number", 1);
        f.t.insert("35", "short");
        BOOST_TEST(f.pool.remove_object("more 1"));
        // What was erased makes room, and so does what was removed.
        f.t.insert("7", std::string(49, 'w'));
        const ss::HashTable<> instead(f.pool, "instead", {.bits = 0});
        BOOST_TEST(f.pool.objects().size() == 6U);
    }
    BOOST_TEST((f.u.find_as<std::int64_t>("number").value() == 11 && f.t.at("35") == "short"));
    BOOST_TEST(wrong_with(f.pool) == "");
}

BOOST_AUTO_TEST_CASE(caught_within_a_transaction_it_has_not_happened) {
    Full<ss::HashTable<>> f(0);
    auto expected = f.state();
    {
        const Refusal nothing_more(1, ENOSPC, true);
        ss::transaction(f.t, [&](auto& tx) {
            f.u.incr(tx, "number", 1);
            BOOST_TEST(thrown_by([&] { f.t.insert(tx, "5", std::string(50'000, 'x')); }) ==
                       error(errc::out_of_space));
            BOOST_TEST(thrown_by([&] { f.t.insert(tx, "new", std::string(50'000, 'x')); }) ==
                       error(errc::out_of_space));
            BOOST_TEST(thrown_by([&] { f.t.clear(tx); }) == error(errc::out_of_space));
            f.u.insert(tx, "3", "w");
        });
    }
    expected.u["3"] = "w";
    expected.u["number"][0] = 2;
    BOOST_TEST((f.state() == expected));
    BOOST_TEST(wrong_with(f.pool) == "");
}

BOOST_AUTO_TEST_SUITE_END()
