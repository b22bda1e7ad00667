// Root: a named place in a pool, for structures of your own.
#pragma once

#include <ss/domain/domain.hpp>
#include <ss/structure/fwd.hpp>
#include <ss/structure/object_read.hpp>

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

namespace ss::inline v0 {

/// Eight words under a name, that begin as zeros: where a structure hangs that ss does not have.
///
///     ss::Root<> root(pool, "list", ss::policy_id("mylist"));
///     ss::transaction(root, [&](auto& tx) {
///         tx.touch(root.version());                      // readers without the lock: start over
///         const auto node = tx.template allocate<Node>();
///         tx.store(tx.at(node).value, 42);
///         tx.store(tx.at(node).next, ss::Offset<Node>{root.word(0)});
///         tx.store(root.word(0), node.value);
///     });
///     root.read([&](const auto& view) { sum = 0; … view.at(offset) … });
///
/// A handle, as structures are. `type` names what hangs there, in lower case letters; `fingerprint` says in which layout
/// and meaning. Pool::verify knows neither, so it does not look for leaks in a domain that holds such an object, unless
/// a Catalogue tells it how to count its blocks.
///
/// When not to use it: where a structure of ss does the work; every one of these has been killed at each instruction.
template <class Allocator, class Lock>
class Root {
public:
    /// Opens the place, or makes it. Throws as the constructors of structures do.
    Root(const Pool& pool, std::string_view name, PolicyId type, std::uint64_t fingerprint = 1)
        : domain_(pool, domain_of(name, pool.domains())),
          object_(domain_.open_object(name, {.type = type, .type_fingerprint = fingerprint}, false,
                                      [](auto&, DirectoryEntry&) {})) {}

    /// One of the eight. To be changed by `tx.store` alone.
    [[nodiscard]] Word& word(std::size_t index) const { return object_.entry->root.at(index); }

    /// To be touched by whoever changes what `read` reads, before he changes it.
    [[nodiscard]] Word& version() const noexcept { return object_.entry->version; }

    /// What `read` hands to its callback: references into the pool, checked.
    class View {
    public:
        explicit View(const Region& region) noexcept : region_(&region) {}

        /// The T behind an offset; throws errc::damaged if there can be none. Read its words by `ss::load`.
        template <class T>
        [[nodiscard]] const T& at(Offset<T> offset) const {
            return region_->at(offset);
        }

    private:
        const Region* region_;
    };

    /// f(view) as a read of one moment. With an `Optimistic` lock f runs without the lock, again and again until nobody
    /// has written meanwhile: it must begin anew each time, bound its loops, and have no effect but on its results.
    template <class F>
    void read(F f) const {
        detail::read_object(domain_, object_, [&](auto) {
            f(View(domain_.region()));
            return true;
        });
    }

    [[nodiscard]] DomainStats stats() const { return domain_.stats(); }

    /// The library's side of it: what ss::transaction runs in.
    [[nodiscard]] Domain<Allocator, Lock>& domain() noexcept { return domain_; }

private:
    Domain<Allocator, Lock> domain_;
    ObjectRef object_;
};

} // namespace ss::inline v0
