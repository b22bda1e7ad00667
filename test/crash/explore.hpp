// Every state of memory that a scenario's operation can leave behind, and whether each is recovered.
//
//     prepare ──> base        the pool before
//     base ──copy──> live     another session attaches, then the victim, which is stepped through the operation
//     live ──after each instruction that changed it──> image 1, 2, 3 … n
//
// Each distinct image is written to a file, and processes of their own look at it:
//
//     alone        nobody else is attached: a new era, all locks free, the journal undone at the first lock
//     takeover     the other session's byte is locked, as it was when the victim died: the victim's token stands in the
//                  lock word, and the newcomer has to find it dead and take the lock over
//     read-only    the right contents, or errc::needs_recovery; and the journal is in use only under the lock
//     killed       not an image: a victim is brought to the state again and killed there, beside the living session,
//                  and a newcomer works on the very same file. The one way that tells for locks in which the kernel
//                  has a part; a sample for the others
//     second       the newcomer is stepped through its recovery, and each of its states is an image that is checked,
//                  or, where only kills can tell, it is killed there in its turn
//
// Wrong is: contents that are neither those before nor those after; those before once an earlier image was those after;
// two modes that disagree on one image; anything that the scenario's check finds, before or after another operation;
// an exception, a signal, or a hang.
#pragma once

#include <ss/pool/layout.hpp>

#include "crash/in_child.hpp"
#include "crash/newcomer.hpp"
#include "crash/report.hpp"
#include "crash/scenario.hpp"
#include "crash/sessions.hpp"
#include "crash/single_step.hpp"
#include "crash/states.hpp"
#include "support/temp_dir.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

namespace ss::test {

/// How much of it all, at most. What is left out is left out evenly, and shows in the table.
struct Effort {
    static constexpr std::size_t all = ~std::size_t{0};

    std::size_t second = all;        ///< images whose recovery is stepped through; every state of it is checked
    std::size_t ways = 1;            ///< every how many of those states is taken over and read read-only as well
    std::size_t kills = all;         ///< where images can tell as well
    std::size_t kernel_kills = all;  ///< where only kills can tell
    std::size_t kernel_second = all; ///< of those, after which the recoverer is killed as well, at each of its states

    /// For every day: all images of the operation, some of what follows.
    [[nodiscard]] static Effort brief() {
        return {.second = 16, .ways = 4, .kills = 6, .kernel_kills = 40, .kernel_second = 2};
    }
};

/// Chooses at most `most` of `count` things, evenly.
class Choice {
public:
    Choice(std::size_t count, std::size_t most)
        : step_(most == 0       ? 0
                : most >= count ? 1
                                : (count + most - 1) / most) {}
    [[nodiscard]] bool operator()(std::size_t number) const { return step_ != 0 && number % step_ == 0; }

private:
    std::size_t step_;
};

class Exploration {
public:
    Exploration(const Scenario& scenario, const Effort& effort) : scenario_(scenario), effort_(effort) {
        report_.scenario = scenario_.name;
        report_.profile = scenario_.profile;
    }

    /// Runs all of it. Throws std::runtime_error if the scenario does not even work when nobody is killed.
    [[nodiscard]] Report run() {
        const auto begin = std::chrono::steady_clock::now();
        rehearse();
        const Recording recording = record_operation();
        check_images(recording);
        kill_victims(recording);
        report_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        return report_;
    }

private:
    using Path = std::filesystem::path;
    enum class Outcome { before, after, wrong };
    static constexpr std::size_t most_pending = 12;

    // --- the operation

    /// The contents before and after, of runs that nobody disturbs.
    void rehearse() {
        if (scenario_.prepare) {
            must_work("preparing", [&] {
                scenario_.prepare(base_);
                return Testimony{};
            });
            reset(copy_);
            before_ = must_work("reading", [&] { return examine(scenario_, copy_); });
        }
        reset(copy_);
        must_work("the operation", [&] {
            scenario_.operate(copy_, Markers(false));
            return Testimony{};
        });
        after_ = must_work("reading afterwards", [&] { return examine(scenario_, copy_); });
        if ((before_ != after_) != scenario_.changes)
            throw std::runtime_error(scenario_.name + ": the operation was to change the contents" +
                                     (scenario_.changes ? ", and does not" : " in no way, and does"));
    }

    template <class F>
    Contents must_work(const char* what, F f) {
        Testimony said = ask(f);
        if (!said.problem.empty())
            throw std::runtime_error(scenario_.name + ", " + scenario_.profile + ": " + what +
                                     " fails though nobody is killed: " + said.problem);
        return std::move(said.contents);
    }

    /// The scenario's operation in a child, at its begin marker. It has been through all of it once, in another pool, so
    /// that the dynamic linker's work is not stepped.
    [[nodiscard]] auto victim_of_operation() {
        reset(scratch_);
        return [this](const Markers& markers) {
            scenario_.operate(scratch_, Markers(false));
            scenario_.operate(live_, markers);
        };
    }

    /// The same for what a newcomer does first: it takes the lock.
    [[nodiscard]] auto victim_of_recovery(const Path& path) {
        reset(scratch_);
        return [this, path](const Markers& markers) {
            const auto recover = [this](const Path& where, const Markers& here) {
                const Pool pool = open_pool(where);
                const auto recovery = scenario_.recovery(pool);
                here.begin();
                recovery();
                here.end();
            };
            recover(scratch_, Markers(false));
            recover(path, markers);
        };
    }

    /// Who lives on beside the victim; nobody where the scenario wants that.
    [[nodiscard]] std::unique_ptr<OtherSession> other_session() const {
        if (scenario_.alone) return nullptr;
        return std::make_unique<OtherSession>(live_, [this](const Pool& pool) {
            if (scenario_.kernel_lock && !scenario_.first_lock) scenario_.recovery(pool)();
        });
    }

    [[nodiscard]] Recording record_operation() {
        reset(live_);
        const auto other = other_session();
        if (other) other_byte_ = other->byte();
        const OneProcessor one;
        Tracee victim(victim_of_operation());
        victim.run_to_marker();
        Recording recording = record(victim, live_);
        report_.steps = recording.steps;
        report_.changes = recording.changes.size();
        return recording;
    }

    // --- images

    void check_images(const Recording& recording) {
        bool happened = false;
        Outcome last = Outcome::wrong;
        std::size_t number = 0;
        const Choice second(recording.changes.size() + 1, effort_.second);
        recording.for_each([&](const Image& image, const Change* change) {
            const State state{.number = number++, .change = change, .second = nullptr};
            if (!alone_.insert(image.hash()).second) return;
            ++report_.states;
            last = check_alone(image, state);
            if (change == nullptr && last == Outcome::after && scenario_.changes)
                throw std::runtime_error(scenario_.name + ": it had happened before it began");
            if (last == Outcome::before && happened && scenario_.changes)
                report_.add(state, "alone", "has not happened, though it had happened an instruction before", image);
            happened |= last == Outcome::after;
            if (!scenario_.alone && !scenario_.kernel_lock) {
                check_takeover(image, state, last);
                ++report_.takeover;
            }
            check_read_only(image, state, last, !scenario_.alone);
            ++report_.read_only;
            if (last != Outcome::wrong && second(state.number)) crash_again(image, state, last);
        });
        settle(0);
        if (last == Outcome::before && scenario_.changes)
            throw std::runtime_error(scenario_.name + ": complete, but it has not happened");
    }

    [[nodiscard]] Outcome check_alone(const Image& image, const State& state) {
        image.write(copy_);
        ++report_.alone;
        return judge(image, state, "alone", ask([&] { return examine(scenario_, copy_); }));
    }

    /// A newcomer beside a living session. The answer is looked at later: it has to find out first that the victim is
    /// dead, and sleeps meanwhile.
    void check_takeover(const Image& image, const State& state, Outcome expected) {
        const Path path = place_for(image);
        auto other = std::make_unique<HeldByte>(path, other_byte_);
        Question question([&] { return examine(scenario_, path); });
        pending_.push_back({.question = std::move(question),
                            .other = std::move(other),
                            .image = image,
                            .state = state,
                            .expected = expected,
                            .mode = "takeover"});
    }

    void check_read_only(const Image& image, const State& state, Outcome expected, bool guarded) {
        const Path path = place_for(image);
        Question question([&] { return look_read_only(scenario_, path, guarded); });
        pending_.push_back({.question = std::move(question),
                            .other = nullptr,
                            .image = image,
                            .state = state,
                            .expected = expected,
                            .mode = "read-only"});
    }

    /// A question that was put, and what its answer is to be held against.
    struct Pending {
        Question question;
        std::unique_ptr<HeldByte> other;
        Image image;
        State state;
        Outcome expected;
        const char* mode;
    };

    /// Writes the image where no newcomer is at work.
    [[nodiscard]] Path place_for(const Image& image) {
        settle(most_pending - 1);
        const Path path = directory_ / ("pending" + std::to_string(placed_++ % most_pending));
        std::filesystem::remove(path);
        image.write(path);
        return path;
    }

    /// Waits until no more than `left` answers are missing.
    void settle(std::size_t left) {
        for (; pending_.size() > left; pending_.pop_front()) {
            Pending& first = pending_.front();
            const Testimony said = first.question.answer();
            if (said.problem == refused) continue;
            if (said.problem == needs_recovery) {
                if (first.state.second == nullptr) ++report_.needs_recovery;
                continue;
            }
            const Outcome found = judge(first.image, first.state, first.mode, said);
            compare(first.image, first.state, first.mode, found, first.expected,
                    "shows other contents than to a newcomer who is alone");
        }
    }

    /// Steps a newcomer through its recovery of the image and checks what it leaves if it is killed, too: every
    /// fourth time as it takes the lock over, otherwise when it is alone. What it leaves is recovered by the next newcomer
    /// alone, by one that takes over in its turn, beside the same living session, and is read read-only.
    void crash_again(const Image& image, const State& state, Outcome expected) {
        ++report_.second_from;
        image.write(second_);
        std::optional<HeldByte> other;
        if (!scenario_.alone && !scenario_.kernel_lock && report_.second_from % 4 == 0)
            other.emplace(second_, other_byte_);
        Recording recovery;
        try {
            const OneProcessor one;
            Tracee victim(victim_of_recovery(second_));
            victim.run_to_marker();
            recovery = record(victim, second_);
        } catch (const std::runtime_error& error) {
            report_.add(state, "second", error.what(), image);
            return;
        }
        recovery.for_each([&](const Image& left, const Change* change) {
            if (change == nullptr || !alone_.insert(left.hash()).second) return;
            const State second{.number = state.number, .change = state.change, .second = change};
            ++report_.second;
            left.write(copy_);
            const Outcome found = judge(left, second, "second", ask([&] { return examine(scenario_, copy_); }));
            compare(left, second, "second", found, expected, "gives other contents than the first recovery");
            if (report_.second % effort_.ways != 0) return;
            if (other) {
                check_takeover(left, second, expected);
                ++report_.second_takeover;
            }
            check_read_only(left, second, expected, other.has_value());
            ++report_.second_read_only;
        });
        settle(0); // they point into the recording
    }

    // --- kills

    void kill_victims(const Recording& recording) {
        const Choice killed(recording.changes.size(), scenario_.kernel_lock ? effort_.kernel_kills : effort_.kills);
        const Choice second(recording.changes.size(), scenario_.kernel_lock ? effort_.kernel_second : 0);
        bool happened = false;
        Image image = recording.first;
        for (std::size_t k = 0; k < recording.changes.size(); ++k) {
            const Change& change = recording.changes[k];
            image.apply(change.size, change.words);
            if (!killed(k) && k + 1 != recording.changes.size()) continue;
            const State state{.number = k + 1, .change = &change, .second = nullptr};
            reset(live_);
            const auto other = other_session();
            if (!kill_at(recording, k, image)) {
                report_.add(state, "killed", "a second run never comes to this state", image);
                continue;
            }
            ++report_.killed;
            const Outcome found = judge(image, state, "killed", ask([&] { return examine(scenario_, live_); }));
            if (found == Outcome::before && happened && scenario_.changes)
                report_.add(state, "killed", "has not happened, though it had happened an instruction before", image);
            happened |= found == Outcome::after;
            if (second(k)) kill_recoverers(recording, k, image, state, found);
        }
    }

    /// Kills a victim at its change `k`, and whoever recovers from that at each of its own changes.
    void kill_recoverers(const Recording& recording, std::size_t k, const Image& image, const State& state,
                         Outcome expected) {
        ++report_.second_from;
        Recording recovery;
        for (std::size_t n = 0; n <= recovery.changes.size(); ++n) {
            reset(live_);
            const auto other = other_session();
            if (!kill_at(recording, k, image, false)) return;
            State second = state;
            {
                const OneProcessor one;
                Tracee victim(victim_of_recovery(live_));
                victim.run_to_marker();
                if (n == 0) { // the first time it is recorded, and killed at its end
                    recovery = record(victim, live_);
                } else {
                    FileWatch watch(live_);
                    second.second = &recovery.changes[n - 1];
                    if (!replay(victim, watch, recovery, n - 1)) {
                        report_.add(second, "second", "a second run never comes to this state", image);
                        continue;
                    }
                }
            }
            ++report_.second;
            const Outcome found = judge(image, second, "second", ask([&] { return examine(scenario_, live_); }));
            compare(image, second, "second", found, expected, "gives other contents than the first recovery");
        }
    }

    /// Kills a victim at its change `k`. False if it never came to it.
    [[nodiscard]] bool kill_at(const Recording& recording, std::size_t k, const Image& expected, bool count = true) {
        const OneProcessor one;
        Tracee victim(victim_of_operation());
        victim.run_to_marker();
        FileWatch watch(live_);
        if (!replay(victim, watch, recording, k)) return false;
        if (count && same_but_for_names(watch.words(), expected.words())) ++report_.killed_alike;
        victim.kill();
        return true;
    }

    /// Two runs differ in what the kernel calls their processes and threads.
    [[nodiscard]] static bool same_but_for_names(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b) {
        const PoolGeometry geometry = pool_geometry(0, 1);
        const std::size_t pids = (geometry.volatile_offset + offsetof(SessionTable, pids)) / sizeof(std::uint64_t);
        const std::size_t behind = (geometry.volatile_offset + geometry.volatile_size) / sizeof(std::uint64_t);
        return a.size() == b.size() && a.size() >= behind && std::ranges::equal(a.first(pids), b.first(pids)) &&
               std::ranges::equal(a.subspan(behind), b.subspan(behind));
    }

    // --- verdicts

    Outcome judge(const Image& image, const State& state, const char* mode, const Testimony& said) {
        if (!said.problem.empty()) {
            report_.add(state, mode, said.problem, image);
            return Outcome::wrong;
        }
        if (said.contents == after_) return Outcome::after;
        if (said.contents == before_) return Outcome::before;
        report_.add(state, mode, "holds " + describe_difference(said.contents, before_, after_), image);
        return Outcome::wrong;
    }

    void compare(const Image& image, const State& state, const char* mode, Outcome found, Outcome expected,
                 const char* problem) {
        if (found != expected && found != Outcome::wrong && expected != Outcome::wrong)
            report_.add(state, mode, problem, image);
    }

    /// A fresh copy of the pool as it was prepared, or no file.
    void reset(const Path& path) const {
        std::filesystem::remove(path);
        if (scenario_.prepare) std::filesystem::copy_file(base_, path);
    }

    const Scenario& scenario_;
    Effort effort_;
    TempDir directory_;
    Path base_ = directory_ / "base";
    Path live_ = directory_ / "live";
    Path copy_ = directory_ / "copy";
    Path second_ = directory_ / "second";
    Path scratch_ = directory_ / "scratch";
    Contents before_;
    Contents after_;
    std::uint64_t other_byte_ = 0;
    Seen alone_;
    std::deque<Pending> pending_;
    std::size_t placed_ = 0;
    Report report_;
};

} // namespace ss::test
