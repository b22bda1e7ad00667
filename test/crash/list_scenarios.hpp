// What may be interrupted of a linked list: what allocators go through.
#pragma once

#include <ss/pool/pool.hpp>

#include "crash/list.hpp"
#include "crash/scenario.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ss::test {

class ListScenarios {
    using Path = std::filesystem::path;
    using Edit = std::function<void(ListEditor&)>;

public:
    [[nodiscard]] static std::vector<Scenario> all(const ListProfile& profile) {
        ListScenarios all(profile);
        const auto x = [](std::size_t size) { return std::string(size, 'x'); };
        all.add("push", [x](ListEditor& list) { list.push(7, x(24)); });
        all.add("push, a size not seen", [x](ListEditor& list) { list.push(7, x(200)); });
        all.add("replace, same size", [x](ListEditor& list) { list.replace(103, x(600)); });
        all.add("replace, longer", [x](ListEditor& list) { list.replace(107, x(250)); });
        all.add("erase, first", [](ListEditor& list) { list.erase(109); });
        all.add("erase, between free blocks", [](ListEditor& list) { list.erase(106); });
        all.add("erase and push, one size", [x](ListEditor& list) {
            list.erase(102);
            list.push(8, x(24));
            list.push(9, x(24));
        });
        all.add("clear", [](ListEditor& list) { list.clear(); });
        all.add("push, the pool grows", [x](ListEditor& list) { list.push(7, x(200)); }).prepare =
            [profile](const Path& path) { prepare_full(profile, path); };
        all.add("throw in the middle",
                [x](ListEditor& list) {
                    list.erase(102);
                    list.push(8, x(24));
                    list.push(9, x(300));
                    throw 1;
                })
            .changes = false;
        return std::move(all.scenarios_);
    }

    /// Those few that take blocks where there are some, where there are none, and give some back.
    [[nodiscard]] static std::vector<Scenario> few(const ListProfile& profile) {
        std::vector<Scenario> few = all(profile);
        std::erase_if(few, [](const Scenario& scenario) {
            return scenario.name != "list: replace, longer" && scenario.name != "list: erase, between free blocks" &&
                   scenario.name != "list: erase and push, one size" && scenario.name != "list: push, the pool grows";
        });
        return few;
    }

private:
    explicit ListScenarios(const ListProfile& profile) : profile_(profile) {}

    Scenario& add(const char* name, const Edit& edit) {
        Scenario scenario = profile_.blank;
        scenario.name = std::string("list: ") + name;
        scenario.prepare = [profile = profile_](const Path& path) { (void)prepare(profile, path); };
        scenario.operate = [edit, open = profile_.open](const Path& path, const Markers& markers) {
            const auto list = open(open_pool(path));
            markers.begin();
            try {
                list->change(edit);
            } catch (int) {}
            markers.end();
        };
        scenario.next = [open = profile_.open](const Pool& pool) {
            const auto list = open(pool);
            list->change([](ListEditor& editor) {
                editor.push(1, std::string(40, 'n'));
                editor.push(2, std::string(700, 'm'));
            });
            list->change([](ListEditor& editor) { editor.erase(1); });
        };
        scenario.next_contents = [](Contents contents) {
            contents["2"] = std::string(700, 'm');
            return contents;
        };
        scenarios_.push_back(std::move(scenario));
        return scenarios_.back();
    }

    /// Nodes 100 to 109 but for three, which leave free blocks, alone and side by side.
    static std::unique_ptr<AnyList> prepare(const ListProfile& profile, const Path& path) {
        auto list = profile.open(open_pool(path));
        Word key = 100;
        for (const std::size_t size : {24U, 100U, 24U, 600U, 24U, 40U, 3000U, 100U, 24U, 8U}) {
            list->change(
                [&](ListEditor& editor) { editor.push(key, std::string(size, static_cast<char>('a' + key % 26))); });
            ++key;
        }
        for (const Word gone : {101U, 104U, 105U}) list->change([&](ListEditor& editor) { editor.erase(gone); });
        return list;
    }

    /// So full that one more such node makes the pool grow: found out by a pool that is thrown away.
    static void prepare_full(const ListProfile& profile, const Path& path) {
        const auto fill = [&](Word nodes) {
            const auto list = prepare(profile, path);
            const std::uint64_t before = list->committed();
            Word done = 0;
            for (; done < nodes && list->committed() == before; ++done)
                list->change([&](ListEditor& editor) { editor.push(1000 + done, std::string(200, 'f')); });
            return done;
        };
        const Word nodes = fill(10'000);
        Pool::remove(path);
        (void)fill(nodes - 1);
    }

    ListProfile profile_;
    std::vector<Scenario> scenarios_;
};

} // namespace ss::test
