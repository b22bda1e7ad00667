// Random operations against a model: what std::multiset would hold. Every few steps all of the queue is looked at.
#include <ss/registry.hpp>

#include "structure/priority_queue_support.hpp"
#include "support/expect.hpp"
#include "support/sanitizer.hpp"
#include "support/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

BOOST_AUTO_TEST_SUITE(structure_priority_queue_model)

using namespace ss::test;

namespace {

template <class Queue>
class Comparison {
public:
    explicit Comparison(unsigned seed) : engine_(seed) {}

    void run(std::uint64_t operations) {
        for (std::uint64_t i = 0; i < operations; ++i) {
            // The number of items swells and shrinks.
            take_more_ = i / (operations / 6 + 1) % 2 == 1;
            if (below(20) == 0)
                transact();
            else
                step();
            BOOST_REQUIRE((q_.size() == model_.size() && q_.bytes() == payload_));
            if (below(4) == 0) look();
            if (i % 4000 == 0) BOOST_REQUIRE(wrong() == "");
            if (below(20'000) == 0) {
                q_.clear();
                model_.clear();
                payload_ = 0;
            }
        }
        BOOST_TEST(wrong() == "");
        while (!model_.empty()) pop();
        BOOST_TEST(!q_.pop());
        q_.clear();
        drain(q_);
        // Nothing is left but a head. (Its block may have a little more than a new queue's, where that was left over.)
        const ss::PriorityQueueStats left = q_.stats();
        BOOST_TEST((left.domain.bytes_allocated == left.bytes_allocated && left.bytes_allocated < 2 * bytes_of_new_));
        BOOST_TEST(wrong() == "");
        BOOST_TEST_MESSAGE("at most " << most_ << " items");
    }

private:
    std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }

    std::string wrong() const {
        std::string lines;
        for (const std::string& problem :
             pool_.template verify<ss::Catalogue<typename Queue::compare_policy, LargestFirst>>())
            lines += problem + '\n';
        return lines;
    }

    /// Many are equal to another, most are short.
    std::string item() {
        switch (below(8)) {
        case 0:
            return {};
        case 1:
            return std::to_string(below(50));
        case 2:
            return std::string(below(3000), static_cast<char>(below(256)));
        case 3:
            return big_endian(below(100)).append(below(3), 'x');
        default: {
            std::string bytes(1 + below(24), '\0');
            for (char& byte : bytes) byte = static_cast<char>(below(256));
            return bytes;
        }
        }
    }

    template <class... Tx>
    void push(Tx&... tx) {
        const std::string item = this->item();
        if (below(3) == 0) {
            const std::size_t cut = below(item.size() + 1);
            q_.push(tx..., {std::string_view(item).substr(0, cut), std::string_view(item).substr(cut)});
        } else {
            q_.push(tx..., item);
        }
        add(item);
    }
    template <class... Tx>
    void pop(Tx&... tx) {
        remove(q_.pop(tx...));
    }
    template <class... Tx>
    void replace(Tx&... tx) {
        const std::string item = this->item();
        remove(q_.replace_top(tx..., item));
        add(item);
    }

    void add(const std::string& item) {
        model_.insert(item);
        payload_ += item.size();
        most_ = std::max<std::uint64_t>(most_, model_.size());
    }
    void remove(const std::optional<std::string>& item) {
        if (item) payload_ -= item->size();
        BOOST_REQUIRE(take(model_, item));
    }

    template <class... Tx>
    void step(Tx&... tx) {
        const std::uint64_t kind = below(10);
        if (kind < (take_more_ ? 3U : 6U))
            push(tx...);
        else if (kind < 9)
            pop(tx...);
        else
            replace(tx...);
    }

    /// Up to 12 steps, all or none; now and then a clear among them.
    void transact() {
        const auto model = model_;
        const std::uint64_t payload = payload_;
        const bool undo = below(2) == 0;
        try {
            ss::transaction(q_, [&](auto& tx) {
                for (std::uint64_t i = below(12); i-- != 0;) step(tx);
                if (below(300) == 0) {
                    q_.clear(tx);
                    model_.clear();
                    payload_ = 0;
                    step(tx);
                }
                BOOST_REQUIRE(q_.size(tx) == model_.size());
                if (undo) throw 1;
            });
        } catch (int) {
            model_ = model;
            payload_ = payload;
        }
    }

    void look() {
        const std::optional<std::string> top = q_.top();
        BOOST_REQUIRE(top.has_value() == !model_.empty());
        if (!top) return;
        const auto [begin, end] = model_.equal_range(*model_.begin());
        BOOST_REQUIRE(std::find(begin, end, *top) != end);
        std::string seen;
        BOOST_REQUIRE(q_.visit_top([&](std::string_view view) { seen = view; }));
        BOOST_REQUIRE(seen == *top);
    }

    ss::Pool pool_ = ss::Pool::anonymous();
    Queue q_{pool_, "q"};
    QueueModel<Queue> model_;
    std::uint64_t bytes_of_new_ = q_.stats().bytes_allocated;
    std::mt19937_64 engine_;
    std::uint64_t payload_ = 0;
    std::uint64_t most_ = 0;
    bool take_more_ = false;
};

} // namespace

BOOST_AUTO_TEST_CASE(the_default_profile) {
    const Watchdog dog(100, "many operations");
    Comparison<ss::PriorityQueue<>>(1).run(300'000 / slowness);
}

BOOST_AUTO_TEST_CASE(a_comparison_by_which_many_are_equal) {
    Comparison<ss::PriorityQueue<>::with<LargestFirst>>(2).run(200'000 / slowness);
}

BOOST_AUTO_TEST_CASE(each_policy) {
    unsigned seed = 3;
    boost::hana::for_each(ss::registry::few_priority_queues, [&](auto type) {
        using Queue = typename decltype(type)::type;
        BOOST_TEST_CONTEXT(ss::registry::profile_name<Queue>()) { Comparison<Queue>(seed++).run(20'000 / slowness); }
    });
}

BOOST_AUTO_TEST_SUITE_END()
