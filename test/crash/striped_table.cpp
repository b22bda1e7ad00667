// Every state of memory of what a striped table does in more than one domain: a table is made, opened by who finds some of
// its stripes, removed; a write whose check is about a key of another stripe.
#include <ss/ss.hpp>

#include "crash/profile.hpp"
#include "crash/suite.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace ss::test;

namespace {

using Path = std::filesystem::path;
using Table = ss::HashTable<>::with<ss::Striped<ss::DefaultLock>>;
using StripeDomain = ss::Domain<ss::DefaultAllocator, ss::DefaultLock>;

constexpr std::uint64_t domains = 2;
constexpr ss::HashTableOptions options = {.bits = 2};

/// The first of the keys k0, k1, … that the stripe has.
std::string key_of(const Table& t, std::uint64_t stripe) {
    for (int i = 0;; ++i)
        if (std::string key = numbered("k", static_cast<std::uint64_t>(i)); &t.stripe(key) == &t.stripe_at(stripe))
            return key;
}

ss::Pool make_pool(const Path& path) {
    return ss::Pool(path, {.max_size = 2 * ss::mebi, .domains = domains, .lock_timeout = std::chrono::seconds(3)});
}

/// A key in each stripe, and which domain claims what is settled.
void with_table(const Path& path) {
    Table t(make_pool(path), "t", options);
    for (std::uint64_t stripe = 0; stripe < domains; ++stripe) t.insert(key_of(t, stripe), numbered("of ", stripe));
}

/// Domains that are claimed, and no table "t".
void without_table(const Path& path) {
    const ss::Pool pool = make_pool(path);
    { const Table t(pool, "t", options); }
    pool.remove_object("t");
}

Contents contents(const ss::Pool& pool) {
    Contents found;
    for (const ss::ObjectInfo& object : pool.objects()) {
        found["object " + object.name] = object.type;
        const Table t(pool, object.name);
        std::uint64_t entries = 0;
        for (std::uint64_t stripe = 0; stripe < domains; ++stripe)
            t.stripe_at(stripe).for_each([&](std::string_view key, std::string_view value) {
                ++entries;
                // By its stripe: keys are other ones with each seed, the stripes' contents are not.
                found[numbered("stripe ", stripe) + (value == "written" ? " written" : "")] = value;
                if (t.find(key) != value) throw std::runtime_error("\"" + std::string(key) + "\" is not found");
            });
        if (t.size() != entries) throw std::runtime_error("the size is wrong");
    }
    return found;
}

/// `begin` to `end` of operate() are around what do_it(pool) returns.
Scenario scenario(std::string name, std::function<void(const Path&)> prepare,
                  std::function<std::function<void()>(const ss::Pool&)> do_it) {
    Scenario made = scenario_of<ss::DefaultAllocator, ss::DefaultLock>("striped table: " + std::move(name));
    made.prepare = std::move(prepare);
    made.operate = [do_it](const Path& path, const Markers& markers) {
        const ss::Pool pool = open_pool(path);
        const std::function<void()> operation = do_it(pool);
        markers.begin();
        operation();
        markers.end();
    };
    made.contents = &contents;
    made.recovery = [](const ss::Pool& pool) {
        auto all = std::make_shared<std::vector<StripeDomain>>();
        for (std::uint64_t index = 0; index < domains; ++index) all->emplace_back(pool, index);
        return [all] {
            for (const StripeDomain& domain : *all) domain.locked([] {});
        };
    };
    made.check_guarded = [](const ss::Pool& pool) {
        for (std::uint64_t index = 0; index < domains; ++index) {
            const ss::DomainCore core(pool.attachment(), index, ss::any_locker<ss::DefaultLock>);
            if (core.undo().is_dirty() && core.locker().owner(core.lock_slot()) == 0)
                throw std::runtime_error("a journal is in use, and nobody holds the lock");
        }
    };
    made.check = [](const ss::Pool& pool) {
        if (const auto problems = pool.verify(); !problems.empty())
            throw std::runtime_error("verify: " + problems.front());
    };
    made.next = [](const ss::Pool& pool) {
        Table t(pool, "t", options);
        if (const auto problems = t.verify(); !problems.empty()) throw std::runtime_error(problems.front());
        t.insert(key_of(t, 0), "written");
        t.insert(key_of(t, 1), "written");
    };
    made.next_contents = [](Contents) {
        return Contents{{"object t", "HASHTAB+s"}, {"stripe 0 written", "written"}, {"stripe 1 written", "written"}};
    };
    return made;
}

/// A write to a stripe with a check of a key of the other one, which holds.
Scenario write_beside(const char* name, std::uint64_t own, bool erases) {
    return scenario(name, &with_table, [own, erases](const ss::Pool& pool) -> std::function<void()> {
        auto t = std::make_shared<Table>(pool, "t", options);
        const std::string key = key_of(*t, own), other = key_of(*t, 1 - own);
        const std::string expected = numbered("of ", 1 - own);
        return [=] {
            const ss::BytesCheck check = ss::Check(other, expected);
            if (!(erases ? t->erase_if(check, key) : t->insert_if(check, key, "written")))
                throw std::runtime_error("it did not hold");
        };
    });
}

} // namespace

BOOST_AUTO_TEST_CASE(a_check_of_another_stripe) {
    skip_under_sanitizers();
    explore(write_beside("write below its check", 0, false));
    explore(write_beside("write above its check", 1, false));
    explore(write_beside("erase below its check", 0, true));
}

BOOST_AUTO_TEST_CASE(making_and_removing) {
    skip_under_sanitizers();
    explore(scenario("made", &without_table, [](const ss::Pool& pool) -> std::function<void()> {
        return [pool] { const Table t(pool, "t", options); };
    }));
    explore(scenario("removed", &with_table, [](const ss::Pool& pool) -> std::function<void()> {
        return [pool] { pool.remove_object("t"); };
    }));
}
