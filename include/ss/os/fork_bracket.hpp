// No fork while a pool is being attached: a child must not inherit a descriptor that holds half of a session.
#pragma once

#include <pthread.h>

namespace ss::inline v0::os {

/// While one lives in any thread, fork() in the others waits. fork() through raw system calls is not held up; what
/// such a child may inherit is a descriptor of a lock that the parent has not mapped yet, for as long as the child
/// keeps it.
class ForkBracket {
public:
    ForkBracket() noexcept { pthread_mutex_lock(&mutex()); }
    ~ForkBracket() { pthread_mutex_unlock(&mutex()); }
    ForkBracket(const ForkBracket&) = delete;
    ForkBracket& operator=(const ForkBracket&) = delete;

private:
    static pthread_mutex_t& mutex() noexcept {
        static pthread_mutex_t instance = PTHREAD_MUTEX_INITIALIZER;
        [[maybe_unused]] static const int registered =
            pthread_atfork([] { pthread_mutex_lock(&instance); }, [] { pthread_mutex_unlock(&instance); },
                           [] { pthread_mutex_unlock(&instance); });
        return instance;
    }
};

} // namespace ss::inline v0::os
