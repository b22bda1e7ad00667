// Random operations on queues against a model: what std::deque would hold, and what is in whose hands. Every few steps all
// of it is looked at.
#include <ss/registry.hpp>

#include "support/expect.hpp"
#include "support/sanitizer.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

BOOST_AUTO_TEST_SUITE(structure_queue_model)

using namespace ss::test;
using ss::errc;

namespace {

using Queues = ss::registry::AsList<std::tuple, decltype(ss::registry::few_queues)>;

/// An item, and how often it has been leased.
struct ModelItem {
    std::string bytes;
    std::uint64_t leases = 0;
};
using ModelItems = std::deque<ModelItem>;

std::uint64_t bytes_of(const ModelItems& items) {
    std::uint64_t bytes = 0;
    for (const ModelItem& item : items) bytes += item.bytes.size();
    return bytes;
}

std::vector<std::string> strings_of(const ModelItems& items) {
    std::vector<std::string> all;
    for (const ModelItem& item : items) all.push_back(item.bytes);
    return all;
}

/// A queue "q" with limits and dead letters "d", and one "plain" of the same domain; and what must be in them.
template <class Queue>
class Model {
    using Lease = typename Queue::Lease;
    static constexpr std::uint64_t max_items = 40, max_bytes = 4000, max_leases = 3;

    /// A lease that lives in this process, with what the model says that it has.
    struct Held {
        Lease lease;
        ModelItem item;
    };

public:
    explicit Model(unsigned seed) : engine_(seed) {}

    void run(int operations) {
        for (int i = 0; i < operations; ++i) {
            step();
            if (i % 97 == 0) compare();
            if (i % 1009 == 0) BOOST_REQUIRE(wrong_with(pool_) == "");
        }
        held_.clear_into(*this);
        compare();
        q_.clear();
        d_.clear();
        plain_.clear();
        while (plain_.stats().garbage_bytes != 0) plain_.try_push("x"), plain_.pop_front();
        BOOST_REQUIRE(wrong_with(pool_) == "");
        BOOST_TEST(q_.bytes() == 0U);
    }

private:
    class AllHeld {
    public:
        std::vector<Held> all;
        /// Lets go of each, one way or the other.
        void clear_into(Model& model) {
            while (!all.empty()) model.end_a_lease();
        }
    };

    std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }

    std::string item() {
        const std::uint64_t kind = below(10);
        std::string bytes(kind == 0 ? 0 : kind < 8 ? below(60) : below(600), '\0');
        for (char& c : bytes) c = static_cast<char>(engine_());
        return bytes;
    }

    [[nodiscard]] bool has_room(std::uint64_t size) const {
        return items_.size() < max_items && bytes_of(items_) + size <= max_bytes;
    }

    void step() {
        switch (below(24)) {
        case 0:
        case 1:
        case 2:
        case 3:
            push();
            break;
        case 4: {
            const std::string bytes = item();
            const bool fits = has_room(bytes.size());
            BOOST_REQUIRE(q_.try_push(bytes) == fits);
            if (fits) items_.push_back({bytes, 0});
            break;
        }
        case 5: {
            const std::string bytes = item();
            const bool fits = has_room(bytes.size());
            BOOST_REQUIRE(q_.push_for(bytes, std::chrono::seconds(0)) == fits);
            if (fits) items_.push_back({bytes, 0});
            break;
        }
        case 6:
            BOOST_REQUIRE(thrown_by([&] { q_.push_back(std::string(max_bytes + 1, 'x')); }) ==
                          error(errc::too_large));
            break;
        case 7:
        case 8:
        case 9:
            pop(true);
            break;
        case 10:
            pop(false);
            break;
        case 11:
        case 12:
        case 13:
        case 14:
            take_a_lease();
            break;
        case 15:
        case 16:
        case 17:
            if (!held_.all.empty()) end_a_lease();
            break;
        case 18:
            if (below(40) == 0) {
                q_.clear();
                items_.clear();
            }
            break;
        case 19:
            if (below(10) == 0) {
                d_.clear();
                dead_.clear();
            }
            break;
        case 20:
            as_one(below(2) == 0);
            break;
        case 21:
            undone();
            break;
        case 22:
            leases_that_never_were();
            break;
        default:
            peek();
        }
    }

    void push() {
        const std::string bytes = item();
        const bool fits = has_room(bytes.size()), back = below(2) == 0;
        const std::size_t cut = below(bytes.size() + 1);
        const std::string_view head = std::string_view(bytes).substr(0, cut),
                               tail = std::string_view(bytes).substr(cut);
        const std::array<std::string_view, 3> pieces = {head, "", tail};
        const std::string thrown = thrown_by([&] {
            switch (below(3)) {
            case 0:
                return back ? q_.push_back(bytes) : q_.push_front(bytes);
            case 1:
                return back ? q_.push_back({head, tail}) : q_.push_front({head, tail});
            default:
                return back ? q_.push_back(std::span<const std::string_view>(pieces))
                            : q_.push_front(std::span<const std::string_view>(pieces));
            }
        });
        BOOST_REQUIRE(thrown == (fits ? "nothing" : error(errc::full)));
        if (!fits) return;
        if (back)
            items_.push_back({bytes, 0});
        else
            items_.push_front({bytes, 0});
    }

    void pop(bool front) {
        const auto expected = take(items_, front);
        const bool waits = below(2) == 0;
        const auto found = front ? (waits ? q_.pop_front_for(std::chrono::seconds(0)) : q_.pop_front())
                                 : (waits ? q_.pop_back_for(std::chrono::seconds(-1)) : q_.pop_back());
        BOOST_REQUIRE(found.has_value() == expected.has_value());
        if (found) BOOST_REQUIRE(*found == expected->bytes);
    }

    static std::optional<ModelItem> take(ModelItems& items, bool front) {
        if (items.empty()) return std::nullopt;
        ModelItem item = front ? items.front() : items.back();
        if (front)
            items.pop_front();
        else
            items.pop_back();
        return item;
    }

    void take_a_lease() {
        if (held_.all.size() > 80) return;
        auto lease = q_.lease();
        BOOST_REQUIRE(lease.has_value() == !items_.empty());
        if (!lease) return;
        ModelItem item = *take(items_, true);
        ++item.leases;
        BOOST_REQUIRE(lease->value() == item.bytes);
        BOOST_REQUIRE(lease->leases() == item.leases);
        held_.all.push_back({std::move(*lease), std::move(item)});
    }

    void end_a_lease() {
        const std::size_t at = below(held_.all.size());
        std::swap(held_.all[at], held_.all.back());
        Held held = std::move(held_.all.back());
        held_.all.pop_back();
        switch (below(5)) {
        case 0:
            BOOST_REQUIRE(held.lease.ack());
            break;
        case 1:
            ss::transaction(q_, [&](auto& tx) {
                BOOST_REQUIRE(held.lease.ack(tx));
                BOOST_REQUIRE(!held.lease.ack(tx));
                plain_.push_back(tx, held.item.bytes);
            });
            plain_items_.push_back({held.item.bytes, 0});
            BOOST_REQUIRE(!held.lease.ack());
            break;
        case 2:
            BOOST_REQUIRE(thrown_by([&] {
                              ss::transaction(q_, [&](auto& tx) {
                                  BOOST_REQUIRE(held.lease.ack(tx));
                                  throw std::runtime_error("undo");
                              });
                          }) == "undo");
            BOOST_REQUIRE(held.lease.release());
            came_back(held.item);
            break;
        case 3:
            BOOST_REQUIRE(held.lease.release());
            BOOST_REQUIRE(!held.lease.release());
            BOOST_REQUIRE(!held.lease.ack());
            came_back(held.item);
            break;
        default:
            came_back(held.item); // by the end of the handle
        }
    }

    void came_back(const ModelItem& item) {
        if (item.leases < max_leases)
            items_.push_front(item);
        else
            dead_.push_back(item);
    }

    /// Several things in one transaction, which happens or does not.
    void as_one(bool happens) {
        ModelItems items = items_, plain = plain_items_, dead = dead_;
        const auto body = [&](auto& tx) {
            for (std::uint64_t n = below(6); n != 0; --n) {
                const std::string bytes = item();
                switch (below(7)) {
                case 0:
                    plain_.push_front(tx, bytes);
                    plain.push_front({bytes, 0});
                    break;
                case 1:
                    plain_.push_back(tx, {bytes, bytes});
                    plain.push_back({bytes + bytes, 0});
                    break;
                case 2:
                    if (const auto moved = q_.pop_front(tx)) plain_.push_back(tx, *moved);
                    if (const auto moved = take(items, true)) plain.push_back({moved->bytes, 0});
                    break;
                case 3:
                    if (const auto moved = q_.pop_back(tx)) plain_.push_front(tx, *moved);
                    if (const auto moved = take(items, false)) plain.push_front({moved->bytes, 0});
                    break;
                case 4: {
                    const bool fits = items.size() < max_items && bytes_of(items) + bytes.size() <= max_bytes;
                    BOOST_REQUIRE(q_.try_push(tx, bytes) == fits);
                    BOOST_REQUIRE(thrown_by([&] { q_.push_front(tx, std::string(max_bytes + 1, 'x')); }) ==
                                  error(errc::too_large));
                    if (fits) items.push_back({bytes, 0});
                    break;
                }
                case 5:
                    (void)d_.pop_front(tx);
                    (void)take(dead, true);
                    break;
                default:
                    if (below(8) == 0) {
                        q_.clear(tx);
                        items.clear();
                    }
                }
            }
            BOOST_REQUIRE((q_.size() == items.size() && plain_.size() == plain.size()));
            BOOST_REQUIRE((plain_.snapshot() == strings_of(plain)));
            if (!happens) throw std::runtime_error("undo");
        };
        BOOST_REQUIRE(thrown_by([&] { ss::transaction(q_, body); }) == (happens ? "nothing" : "undo"));
        if (!happens) return;
        items_ = items;
        plain_items_ = plain;
        dead_ = dead;
        if (plain_items_.size() > 300) {
            plain_.clear();
            plain_items_.clear();
        }
    }

    /// What threw within a transaction that goes on has not happened.
    void undone() {
        ss::transaction(q_, [&](auto& tx) {
            plain_.push_back(tx, "before");
            const std::string bytes(below(300), 'z');
            if (has_room(bytes.size())) return;
            BOOST_REQUIRE(thrown_by([&] { q_.push_back(tx, bytes); }) == error(errc::full));
            BOOST_REQUIRE(q_.size() == items_.size());
            plain_.push_back(tx, "after");
        });
        plain_items_.push_back({"before", 0});
        if (plain_.back() == "after") plain_items_.push_back({"after", 0});
    }

    /// A lease of a transaction that was undone ends nothing, whoever is given what it had.
    void leases_that_never_were() {
        std::vector<Lease> never;
        BOOST_REQUIRE(thrown_by([&] {
                          ss::transaction(q_, [&](auto& tx) {
                              if (below(4) == 0) q_.clear(tx);
                              if (below(2) == 0) (void)q_.try_push(tx, "one");
                              for (std::uint64_t n = below(40); n != 0; --n)
                                  if (auto lease = q_.lease(tx)) never.push_back(std::move(*lease));
                              throw std::runtime_error("undo");
                          });
                      }) == "undo");
        for (std::uint64_t n = below(3); n != 0; --n) take_a_lease();
        for (Lease& lease : never) switch (below(3)) {
            case 0:
                BOOST_REQUIRE(!lease.ack());
                break;
            case 1:
                BOOST_REQUIRE(!lease.release());
                break;
            default:
                break;
            }
    }

    void peek() {
        BOOST_REQUIRE(q_.front() == first(items_, true));
        BOOST_REQUIRE(q_.back() == first(items_, false));
        std::optional<std::string> seen;
        const auto see = [&](std::string_view bytes) { seen = bytes; };
        BOOST_REQUIRE(q_.visit_front(see) == !items_.empty());
        BOOST_REQUIRE(seen == first(items_, true));
        seen.reset();
        BOOST_REQUIRE(q_.visit_back(see) == !items_.empty());
        BOOST_REQUIRE(seen == first(items_, false));
    }

    static std::optional<std::string> first(const ModelItems& items, bool front) {
        if (items.empty()) return std::nullopt;
        return front ? items.front().bytes : items.back().bytes;
    }

    void compare() {
        peek();
        BOOST_REQUIRE((q_.snapshot() == strings_of(items_)));
        BOOST_REQUIRE((d_.snapshot() == strings_of(dead_)));
        BOOST_REQUIRE((plain_.snapshot() == strings_of(plain_items_)));
        BOOST_REQUIRE(q_.size() == items_.size());
        BOOST_REQUIRE(q_.bytes() == bytes_of(items_));
        BOOST_REQUIRE(d_.bytes() == bytes_of(dead_));
        BOOST_REQUIRE(q_.empty() == items_.empty());
        BOOST_REQUIRE(q_.leased() == held_.all.size());
        BOOST_REQUIRE(q_.stats().entries == items_.size());
        BOOST_REQUIRE(q_.stats().leased == held_.all.size());
        BOOST_REQUIRE(wrong_with(q_) == "");
        BOOST_REQUIRE(wrong_with(d_) == "");
    }

    std::mt19937 engine_;
    ss::Pool pool_ = ss::Pool::anonymous();
    Queue q_{
        pool_, "q", {.max_items = max_items, .max_bytes = max_bytes, .max_leases = max_leases, .dead_letters = "d"}};
    Queue d_{pool_, "d"}, plain_{pool_, "plain"};
    ModelItems items_, dead_, plain_items_;
    AllHeld held_;
};

} // namespace

BOOST_AUTO_TEST_CASE(a_hundred_thousand_operations) {
    const Watchdog dog(300, "the model of the queue");
    for (unsigned seed = 1; seed <= 4; ++seed) Model<ss::Queue<>>(seed).run(50'000 / slowness);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(each_policy, Queue, Queues) {
    const Watchdog dog(300, "the model of the queue");
    Model<Queue>(5).run(8'000 / slowness);
}

BOOST_AUTO_TEST_SUITE_END()
