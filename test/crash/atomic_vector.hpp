// What may be interrupted of an AtomicVector.
#pragma once

#include <ss/pool/pool.hpp>

#include "crash/atomic_vector_pool.hpp"
#include "crash/profile.hpp"
#include "crash/scenario.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ss::test {

/// Sizes are in cache lines of elements: segments have 1, 1, 2, 4, 8 … of them.
class AtomicVectorScenarios {
    using Path = std::filesystem::path;
    using Prepare = std::function<void(const AtomicVectorProfile&, const Path&)>;
    using Operation = std::function<void(VectorsAndTable&)>;

    static constexpr std::string_view title = "vector: ";

public:
    /// Everything that changes a vector.
    [[nodiscard]] static std::vector<Scenario> all(const AtomicVectorProfile& profile) {
        return std::move(AtomicVectorScenarios(profile).add_all().scenarios_);
    }

    /// Those few that are looked at in every profile: an addition, segments, steps, and garbage.
    [[nodiscard]] static std::vector<Scenario> few(const AtomicVectorProfile& profile) {
        std::vector<Scenario> few = all(profile);
        std::erase_if(few, [](const Scenario& scenario) {
            return scenario.name != "vector: add" && scenario.name != "vector: expand, a segment comes" &&
                   scenario.name != "vector: expand, in small steps" &&
                   scenario.name != "vector: remove, beside an older era";
        });
        return few;
    }

private:
    explicit AtomicVectorScenarios(const AtomicVectorProfile& profile) : profile_(profile) {}

    AtomicVectorScenarios& add_all() {
        add_elements();
        add_growth();
        add_steps();
        add_transactions();
        add_lives();
        add_garbage();
        return *this;
    }

    void add_elements() {
        add("store", &prepare, [](VectorsAndTable& all) { all.v().store(0, 7); });
        add("exchange", &prepare, [](VectorsAndTable& all) { all.v().exchange(last(all), 7); });
        add("add", &prepare, [](VectorsAndTable& all) { all.v().fetch_add(last(all), 7); });
        add("compare and exchange", &prepare, [](VectorsAndTable& all) { all.v().compare_exchange(1, 2, 7); });
        add("turn a bit over", &prepare, [](VectorsAndTable& all) { all.v().turn_bit(1, 5); });
        add("notify, nobody waits", &prepare, [](VectorsAndTable& all) { all.v().notify(1); }).changes = false;
        add("notify, somebody waits", &somebody_waits, [](VectorsAndTable& all) {
            all.v().fetch_add(1, 1);
            all.v().notify(1);
        });
        add("wait for nothing", &prepare, [](VectorsAndTable& all) {
            (void)all.v().wait(1, 2, std::chrono::milliseconds(1));
        }).changes = false;
    }

    void add_growth() {
        add("expand, in a segment", &prepare, expand_to(4));
        add("expand, a segment comes", &prepare, expand_to(5), +1);
        add("expand, three segments come", &prepare, expand_to(20), +3);
        add("expand, the first elements", &no_elements, expand_to(1), +1);
        add("expand, to less", &prepare, expand_to(2)).changes = false;
        add("expand, the pool grows", &about_to_grow, expand_to(200), +6);
        add("size, nobody has published it", &unpublished, [](VectorsAndTable& all) {
            (void)all.v().size();
        }).changes = false;
        add("expand, nobody has published it", &unpublished, expand_to(5), +1);
    }

    void add_steps() {
        const auto in_steps = [](std::uint64_t lines) {
            return [lines](VectorsAndTable& all) {
                detail::Growth growth = small_steps;
                while (!all.v().step(lines * all.line(), growth)) {}
                (void)all.v().size(); // publishes it
            };
        };
        add("expand, in small steps", &prepare, in_steps(9), +2);
        add("expand, the pool grows in steps", &about_to_grow, in_steps(150), +6);
        add("expand, half a segment is there", &pending, expand_to(9), +1);
        add("expand, to less than half a segment", &pending, expand_to(7));
        add("expand, the rest in small steps", &pending, in_steps(17), +2);
        add(
            "no room, half a segment is there", &pending, [](VectorsAndTable& all) { all.v().give_back(); }, -1)
            .changes = false;
        add("remove, half a segment is there", &pending, nullptr).operate = remove();
    }

    void add_transactions() {
        add(
            "expand, and into a table", &prepare,
            [](VectorsAndTable& all) {
                all.transact([&](const auto& v, const auto& w, AnyTable& h) {
                    h.insert("sizes", "are others");
                    v(5 * all.line());
                    w(all.line());
                    v(6 * all.line());
                });
            },
            +1);
        add("expand, thrown out", &prepare, [](VectorsAndTable& all) {
            try {
                all.transact([&](const auto& v, const auto& w, AnyTable& h) {
                    h.clear();
                    v(5 * all.line());
                    w(9 * all.line());
                    throw 1;
                });
            } catch (int) {}
        }).changes = false;
    }

    /// The first vector of a domain, and others; one that comes where a table was.
    void add_lives() {
        const auto make = [&](const char* name, const Prepare& prepare_pool, const char* vector) {
            add(name, prepare_pool, nullptr).operate = [vector, make = profile_.make](const Path& path,
                                                                                      const Markers& markers) {
                const Pool pool = open_pool(path);
                markers.begin();
                const auto made = make(pool, vector);
                markers.end();
            };
        };
        make(
            "claim a domain, make a vector",
            [](const AtomicVectorProfile&, const Path& path) { (void)open_pool(path); }, "v");
        make("make a vector", &prepare, "x");
        make("make a vector where a table was", &without_table, "x");
    }

    /// The scenario's sessions are of an era that is younger than what was prepared.
    void add_garbage() {
        add("remove", &prepare, nullptr).operate = remove();
        add("remove, without elements", &no_elements, nullptr).operate = remove();
        add("remove, two of an era", &prepare, nullptr).operate = remove(true);
        add("remove, beside an older era", &with_garbage<3>, nullptr).operate = remove(true);
        add("expand, garbage is freed", &with_elements_of_garbage, expand_to(5), +1);
        add("expand, the last garbage goes", &with_garbage<1>, expand_to(5), +1);
    }

    /// `segments` is how many come, or go: so that a scenario is what its name says it is.
    Scenario& add(const char* name, const Prepare& prepare_pool, const Operation& operation, int segments = 0) {
        Scenario scenario = profile_.blank;
        scenario.name = std::string(title) + name;
        scenario.prepare = [=, profile = profile_](const Path& path) {
            prepare_pool(profile, path);
            if (operation) rehearse(profile, path, operation, segments);
        };
        scenario.operate = [operation, open = profile_.open](const Path& path, const Markers& markers) {
            const auto vectors = open(open_pool(path));
            markers.begin();
            operation(*vectors);
            markers.end();
        };
        scenarios_.push_back(std::move(scenario));
        return scenarios_.back();
    }

    /// Of "v"; or of "v" when another one has just been removed.
    [[nodiscard]] std::function<void(const Path&, const Markers&)> remove(bool is_second = false) const {
        return [is_second, make = profile_.make](const Path& path, const Markers& markers) {
            const Pool pool = open_pool(path);
            if (is_second) make_garbage(make, pool);
            markers.begin();
            (void)pool.remove_object("v");
            markers.end();
        };
    }

    static void make_garbage(const std::function<std::shared_ptr<void>(const Pool&, const std::string&)>& make,
                             const Pool& pool) {
        (void)make(pool, "gone");
        if (!pool.remove_object("gone")) throw std::runtime_error("there is nothing to remove");
    }

    /// Throws if the operation does not do to the segments what it is expected to.
    static void rehearse(const AtomicVectorProfile& profile, const Path& path, const Operation& operation,
                         int segments) {
        const Path trial = path.string() + "-trial";
        std::filesystem::copy_file(path, trial);
        {
            const auto vectors = profile.open(open_pool(trial));
            const std::uint64_t expected = vectors->segments() + static_cast<std::uint64_t>(segments);
            operation(*vectors);
            if (vectors->segments() != expected)
                throw std::runtime_error(numbered("the operation leaves ", vectors->segments()) +
                                         numbered(" segments, not ", expected));
        }
        Pool::remove(trial);
    }

    static Operation expand_to(std::uint64_t lines) {
        return [lines](VectorsAndTable& all) { all.v().expand(lines * all.line()); };
    }

    static std::uint64_t last(VectorsAndTable& all) { return all.v().size() - 1; }

    static constexpr detail::Growth small_steps{.zeroing_step = 3 * cache_line, .growing_step = 4096};

    // --- pools to begin with

    static std::unique_ptr<VectorsAndTable> fill(const AtomicVectorProfile& profile, const Pool& pool) {
        auto all = profile.open(pool);
        all->v().expand(3 * all->line());
        for (std::uint64_t index = 0; index < all->v().size(); ++index)
            all->v().store(index, static_cast<int>(index * index % 19 + 1));
        all->w().expand(1);
        all->h().insert("k0", std::string(20, 'h'));
        return all;
    }

    static void prepare(const AtomicVectorProfile& profile, const Path& path) {
        (void)fill(profile, open_pool(path));
    }

    static void no_elements(const AtomicVectorProfile& profile, const Path& path) {
        (void)profile.open(open_pool(path));
    }

    /// Somebody has waited and is gone; the word that he left is there.
    static void somebody_waits(const AtomicVectorProfile& profile, const Path& path) {
        (void)fill(profile, open_pool(path))->v().wait(1, 2, std::chrono::milliseconds(1));
    }

    /// Its expander was killed after the commit.
    static void unpublished(const AtomicVectorProfile& profile, const Path& path) {
        const auto all = fill(profile, open_pool(path));
        put(all->v().head().published, all->line());
    }

    /// And this one after a few steps.
    static void pending(const AtomicVectorProfile& profile, const Path& path) {
        const auto all = fill(profile, open_pool(path));
        detail::Growth growth = small_steps;
        for (int i = 0; i < 3; ++i)
            if (all->v().step(15 * all->line(), growth)) throw std::runtime_error("it was done too soon");
        if (load(all->v().head().pending) == 0) throw std::runtime_error("no segment is pending");
    }

    static void without_table(const AtomicVectorProfile& profile, const Path& path) {
        (void)fill(profile, open_pool(path));
        if (!open_pool(path).remove_object("h")) throw std::runtime_error("there is no table to remove");
    }

    /// Of so many vectors that were removed.
    template <int count>
    static void with_garbage(const AtomicVectorProfile& profile, const Path& path) {
        const Pool pool = open_pool(path);
        const auto all = fill(profile, pool);
        for (int i = 0; i < count; ++i) make_garbage(profile.make, pool);
        if (all->garbage() == 0) throw std::runtime_error("there is no garbage");
    }

    /// A head and its only segment.
    static void with_elements_of_garbage(const AtomicVectorProfile& profile, const Path& path) {
        const Pool pool = open_pool(path);
        (void)fill(profile, pool);
        if (!pool.remove_object("w")) throw std::runtime_error("there is nothing to remove");
        if (profile.open(pool)->garbage() == 0) throw std::runtime_error("there is no garbage");
    }

    /// So full that a segment makes the pool grow: found out by a pool that is thrown away.
    static void about_to_grow(const AtomicVectorProfile& profile, const Path& path) {
        const auto fill_up = [&](std::uint64_t entries) {
            const auto all = fill(profile, open_pool(path));
            const std::uint64_t before = all->committed();
            std::uint64_t done = 0;
            for (; done < entries && all->committed() == before; ++done)
                all->h().insert(numbered("filling ", done), std::string(300, 'g'));
            return done;
        };
        const std::uint64_t entries = fill_up(10'000);
        Pool::remove(path);
        (void)fill_up(entries - 1);
        const Path trial = path.string() + "-trial";
        std::filesystem::copy_file(path, trial);
        {
            const auto all = profile.open(open_pool(trial));
            const std::uint64_t before = all->committed();
            expand_to(150)(*all);
            if (all->committed() == before) throw std::runtime_error("the pool does not grow");
        }
        Pool::remove(trial);
    }

    AtomicVectorProfile profile_;
    std::vector<Scenario> scenarios_;
};

} // namespace ss::test
