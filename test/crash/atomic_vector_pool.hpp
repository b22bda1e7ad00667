// Two AtomicVectors, "v" and "w", and a HashTable "h", in the one domain of a pool, without their types: so that what is
// done to them is one text, compiled once, and each profile only adds the structures themselves.
#pragma once

#include <ss/ss.hpp>

#include "crash/profile.hpp"
#include "crash/scenario.hpp"
#include "crash/tables.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace ss::test {

/// Numbers are small, so that each kind of element holds them.
class AnyVector {
public:
    AnyVector() = default;
    AnyVector(const AnyVector&) = delete;
    AnyVector& operator=(const AnyVector&) = delete;
    virtual ~AnyVector() = default;
    virtual void expand(std::uint64_t size) = 0;
    virtual void store(std::uint64_t index, int value) = 0;
    virtual void exchange(std::uint64_t index, int value) = 0;
    virtual void fetch_add(std::uint64_t index, int delta) = 0;
    virtual void compare_exchange(std::uint64_t index, int expected, int desired) = 0;
    virtual void turn_bit(std::uint64_t index, std::uint64_t bit) = 0;
    virtual void notify(std::uint64_t index) = 0;
    virtual bool wait(std::uint64_t index, int old, std::chrono::milliseconds timeout) = 0;
    [[nodiscard]] virtual std::uint64_t size() = 0;
    /// All that there is of it in the pool.
    [[nodiscard]] virtual detail::VectorHead& head() = 0;
    /// One step of an expansion in steps as small as `growth` says. True if it is so large now.
    virtual bool step(std::uint64_t size, detail::Growth& growth) = 0;
    /// What expand does when there is no room.
    virtual void give_back() = 0;
};

class VectorsAndTable {
public:
    VectorsAndTable() = default;
    VectorsAndTable(const VectorsAndTable&) = delete;
    VectorsAndTable& operator=(const VectorsAndTable&) = delete;
    virtual ~VectorsAndTable() = default;

    /// Elements in a cache line.
    [[nodiscard]] virtual std::uint64_t line() const = 0;
    [[nodiscard]] virtual AnyVector& v() = 0;
    [[nodiscard]] virtual AnyVector& w() = 0;
    [[nodiscard]] virtual AnyTable& h() = 0;
    /// f(expand_v, expand_w, h) as one transaction.
    using Expand = std::function<void(std::uint64_t size)>;
    virtual void transact(const std::function<void(const Expand&, const Expand&, AnyTable&)>& f) = 0;
    /// Bytes of the domain.
    [[nodiscard]] virtual std::uint64_t committed() const = 0;
    /// Bytes that wait to be freed.
    [[nodiscard]] virtual std::uint64_t garbage() const = 0;

    /// Of "v": how many it has.
    [[nodiscard]] std::uint64_t segments() {
        return static_cast<std::uint64_t>(
            std::ranges::count_if(v().head().segments, [](const Word& word) { return load(word) != 0; }));
    }
};

/// What the scenarios of vectors need to know of a profile.
struct AtomicVectorProfile {
    /// All of a scenario but its name, prepare and operate.
    Scenario blank;
    std::function<std::unique_ptr<VectorsAndTable>(const Pool&)> open;
    /// Opens, or makes, another vector; what is returned keeps it open.
    std::function<std::shared_ptr<void>(const Pool&, const std::string& name)> make;
};

template <class Vector>
class TypedVector final : public AnyVector {
    using T = typename Vector::value_type;
    using DomainType = Domain<typename Vector::allocator_policy, typename Vector::lock_policy>;
    using Expander = detail::VectorExpander<typename DomainType::Tx>;

public:
    TypedVector(Vector& vector, std::string name) : vector_(&vector), name_(std::move(name)) {}

    void expand(std::uint64_t size) override { vector_->expand(size); }
    void store(std::uint64_t index, int value) override { vector_->store(index, static_cast<T>(value)); }
    void exchange(std::uint64_t index, int value) override { vector_->exchange(index, static_cast<T>(value)); }
    void fetch_add(std::uint64_t index, int delta) override { vector_->fetch_add(index, static_cast<T>(delta)); }
    void compare_exchange(std::uint64_t index, int expected, int desired) override {
        auto known = static_cast<T>(expected);
        if (!vector_->compare_exchange(index, known, static_cast<T>(desired)))
            throw std::runtime_error("the element is another");
    }
    void turn_bit(std::uint64_t index, std::uint64_t bit) override {
        if constexpr (std::is_integral_v<T>)
            vector_->xor_bit(index * Vector::bits_per_element + bit);
        else
            vector_->store(index, static_cast<T>(bit + 1));
    }
    void notify(std::uint64_t index) override { vector_->notify(index); }
    bool wait(std::uint64_t index, int old, std::chrono::milliseconds timeout) override {
        return vector_->wait(index, static_cast<T>(old), timeout);
    }
    [[nodiscard]] std::uint64_t size() override { return vector_->size(); }

    [[nodiscard]] detail::VectorHead& head() override {
        return vector_->domain().region().at(Offset<detail::VectorHead>{load(object().entry->root[0])});
    }
    bool step(std::uint64_t size, detail::Growth& growth) override {
        return vector_->domain().run(
            [&](typename DomainType::Tx& tx) { return Expander(tx, object()).step(size, sizeof(T), growth); });
    }
    void give_back() override {
        vector_->domain().run([&](typename DomainType::Tx& tx) { Expander(tx, object()).give_back(sizeof(T)); });
    }

private:
    [[nodiscard]] ObjectRef object() const { return find_object(vector_->domain().core(), name_).value(); }

    Vector* vector_;
    std::string name_;
};

template <class Vector>
class TypedVectorsAndTable final : public VectorsAndTable {
    using Table = HashTable<typename Vector::allocator_policy, typename Vector::lock_policy>;

public:
    explicit TypedVectorsAndTable(const Pool& pool) : v_(pool, "v"), w_(pool, "w"), h_(pool, "h", {.bits = 0}) {}

    [[nodiscard]] std::uint64_t line() const override { return cache_line / sizeof(typename Vector::value_type); }
    [[nodiscard]] AnyVector& v() override { return any_v_; }
    [[nodiscard]] AnyVector& w() override { return any_w_; }
    [[nodiscard]] AnyTable& h() override { return any_h_; }

    void transact(const std::function<void(const Expand&, const Expand&, AnyTable&)>& f) override {
        transaction(h_, [&]<class Tx>(Tx& tx) {
            TypedTableInside<Table, Tx> h(h_, tx);
            f([&](std::uint64_t size) { v_.expand(tx, size); }, [&](std::uint64_t size) { w_.expand(tx, size); }, h);
        });
    }

    [[nodiscard]] std::uint64_t committed() const override { return v_.stats().domain.bytes_committed; }
    [[nodiscard]] std::uint64_t garbage() const override { return v_.stats().garbage_bytes; }

private:
    Vector v_;
    Vector w_;
    Table h_;
    TypedVector<Vector> any_v_{v_, "v"};
    TypedVector<Vector> any_w_{w_, "w"};
    TypedTable<Table> any_h_{h_};
};

/// The objects of a pool and all that is in them. Of a vector, its size, and the elements that are not zero.
template <class Vector>
[[nodiscard]] Contents atomic_vector_contents(const Pool& pool) {
    Contents found;
    for (const ObjectInfo& object : pool.objects()) {
        found["object " + object.name] = object.type;
        if (object.type == to_string(atomic_vector_type)) {
            const Vector vector(pool, object.name);
            const std::uint64_t size = vector.size();
            for (std::uint64_t index = 0; index < size; ++index)
                if (const auto value = vector.load(index); value != 0)
                    found[object.name + ": " + std::to_string(index)] = std::to_string(value);
            if (vector.size() != size || vector.snapshot().size() != size)
                throw std::runtime_error("a size that changes by being looked at");
            found[object.name + ": size"] = std::to_string(size);
            continue;
        }
        const HashTable<typename Vector::allocator_policy, typename Vector::lock_policy> table(pool, object.name);
        table.for_each([&](std::string_view key, std::string_view value) {
            found[object.name + ": " + std::string(key)] = value;
        });
    }
    return found;
}

/// Throws unless the pool verifies, and, once all garbage is freed that may be, verifies again and has exactly the bytes
/// allocated that its objects use, and the vectors that were removed in this era.
template <class Vector>
void check_atomic_vectors(const Pool& pool) {
    const auto verify = [&](const char* when) {
        if (const auto problems = pool.verify(); !problems.empty())
            throw std::runtime_error(std::string("verify ") + when + ": " + problems.front());
    };
    verify("as found");
    Domain<typename Vector::allocator_policy, typename Vector::lock_policy> domain(pool, 0);
    while (domain.run([](auto& tx) { return detail::reap_garbage(tx); })) {}
    verify("without garbage");
    std::uint64_t bytes = 0;
    for (const ObjectInfo& object : pool.objects()) bytes += object.bytes;
    std::uint64_t garbage = 0;
    Offset<detail::VectorHead> at{load(domain.core().block().garbage.first[detail::vector_garbage])};
    for (; at; at.value = load(domain.region().at(at).garbage_next)) {
        const detail::VectorHead& head = domain.region().at(at);
        if (load(head.garbage_era) != load(pool.attachment()->state().era) || load(head.garbage_older) != 0)
            throw std::runtime_error("there is garbage of an era that is over");
        garbage += load(head.bytes);
    }
    const DomainStats stats = domain.stats();
    if (stats.garbage_bytes != garbage)
        throw std::runtime_error(numbered("the garbage is counted as ", stats.garbage_bytes) +
                                 numbered(" bytes, and is ", garbage));
    if (stats.bytes_allocated != bytes + garbage)
        throw std::runtime_error(std::to_string(stats.bytes_allocated) + " bytes are allocated, " +
                                 std::to_string(bytes + garbage) + " are used");
}

template <class Vector>
[[nodiscard]] AtomicVectorProfile atomic_vector_profile() {
    Scenario blank = scenario_of<typename Vector::allocator_policy, typename Vector::lock_policy>("");
    blank.contents = &atomic_vector_contents<Vector>;
    blank.check = &check_atomic_vectors<Vector>;
    // Past a segment's end, whatever size it has, and one more at the new end.
    constexpr std::uint64_t more = 2 * cache_line / sizeof(typename Vector::value_type);
    blank.next = [](const Pool& pool) {
        Vector v(pool, "v");
        v.expand(2 * v.size() + more);
        if (v.fetch_add(v.size() - 1, 3) != 0) throw std::runtime_error("a new element is not zero");
        v.notify(0);
    };
    blank.next_contents = [](Contents contents) {
        std::string& size = contents["v: size"];
        const std::uint64_t next = 2 * (size.empty() ? 0 : std::stoull(size)) + more;
        size = std::to_string(next);
        contents["object v"] = to_string(atomic_vector_type);
        contents["v: " + std::to_string(next - 1)] = std::to_string(static_cast<typename Vector::value_type>(3));
        return contents;
    };
    return {.blank = std::move(blank),
            .open = [](const Pool& pool) { return std::make_unique<TypedVectorsAndTable<Vector>>(pool); },
            .make = [](const Pool& pool, const std::string& name) -> std::shared_ptr<void> {
                return std::make_shared<Vector>(pool, name);
            }};
}

} // namespace ss::test
