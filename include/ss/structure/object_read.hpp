// Reading an object that is guarded, as a whole, by the version of its directory entry.
#pragma once

#include <ss/domain/directory.hpp>

#include <cstdint>

namespace ss::inline v0::detail {

/// f(valid) as a read of one moment: again and again until nobody has written meanwhile, or under the lock. valid() says
/// whether that is so until now: to be asked between reading a length and using it, and now and then in a long loop; where
/// it says no, f returns false. What f throws of nonsense that it read beside a writer is another attempt.
template <class DomainType, class F>
void read_object(const DomainType& domain, const ObjectRef& object, F f) {
    const Word& version = object.entry->version;
    domain.read([&](auto reading) {
        Word seen = 0;
        if (!reading.begin(version, seen)) return false;
        const auto valid = [&] { return reading.validate(version, seen); };
        try {
            check_stands(domain.core(), object);
            return f(valid) && valid();
        } catch (...) {
            if (valid()) throw;
            return false;
        }
    });
}

} // namespace ss::inline v0::detail
