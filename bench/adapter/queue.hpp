// Queues between processes: ss::Queue in any profile, Boost's message queue, and a pipe.
#pragma once

#include <ss/ss.hpp>

#include "../kernel/queue.hpp"

#include <boost/interprocess/ipc/message_queue.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <system_error>
#include <unistd.h>

namespace bench {

/// Each process opens the pool by its path.
template <class Queue>
class SsQueue {
public:
    SsQueue(const std::filesystem::path& directory, std::size_t) : pool_(directory / "queue.pool") {
        Queue(pool_, "bench", {.max_items = queue_capacity});
    }

    SsQueue(const SsQueue&) = delete;
    SsQueue& operator=(const SsQueue&) = delete;

    ~SsQueue() { ss::Pool::remove(pool_.path()); }

    class Handle {
    public:
        explicit Handle(const ss::Pool& pool) : queue_(pool, "bench") {}

        void push(std::string_view item) {
            while (!queue_.push_for(item, std::chrono::hours(1))) {}
        }
        void pop(std::string& item) {
            while (!queue_.pop_front_into(item, std::chrono::hours(1))) {}
        }

    protected:
        Queue queue_;
    };

    [[nodiscard]] Handle handle() const { return Handle(ss::Pool(pool_.path())); }

protected:
    ss::Pool pool_;
};

/// The same by leases, each acknowledged at once.
template <class Queue>
class SsLeases : public SsQueue<Queue> {
public:
    using SsQueue<Queue>::SsQueue;

    class Handle : public SsQueue<Queue>::Handle {
    public:
        using SsQueue<Queue>::Handle::Handle;

        void pop(std::string& item) {
            auto lease = this->queue_.lease(std::chrono::hours(1));
            while (!lease) lease = this->queue_.lease(std::chrono::hours(1));
            item = lease->value();
            expect(lease->ack(), "a lease had ended");
        }
    };

    [[nodiscard]] Handle handle() const { return Handle(ss::Pool(this->pool_.path())); }
};

class BoostQueue {
    using Queue = boost::interprocess::message_queue;

public:
    BoostQueue(const std::filesystem::path&, std::size_t size)
        : size_(size), name_("ss-bench-" + std::to_string(::getpid())) {
        Queue::remove(name_.c_str());
        Queue(boost::interprocess::create_only, name_.c_str(), queue_capacity, size);
    }

    BoostQueue(const BoostQueue&) = delete;
    BoostQueue& operator=(const BoostQueue&) = delete;

    ~BoostQueue() { Queue::remove(name_.c_str()); }

    class Handle {
    public:
        Handle(const std::string& name, std::size_t size)
            : queue_(std::make_unique<Queue>(boost::interprocess::open_only, name.c_str())), size_(size) {}

        void push(std::string_view item) { queue_->send(item.data(), item.size(), 0); }
        void pop(std::string& item) {
            Queue::size_type received = 0;
            unsigned priority = 0;
            item.resize(size_);
            queue_->receive(item.data(), item.size(), received, priority);
            item.resize(received);
        }

    private:
        std::unique_ptr<Queue> queue_;
        std::size_t size_;
    };

    [[nodiscard]] Handle handle() const { return {name_, size_}; }

private:
    std::size_t size_;
    std::string name_;
};

/// Of all items one size, which divides that of a page: so neither a write nor a read is ever split.
class Pipe {
public:
    Pipe(const std::filesystem::path&, std::size_t size) : size_(size) {
        if (::pipe2(ends_.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
        (void)::fcntl(ends_[1], F_SETPIPE_SZ, 1 << 20);
    }

    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;

    ~Pipe() {
        for (const int end : ends_) ::close(end);
    }

    class Handle {
    public:
        Handle(const std::array<int, 2>& ends, std::size_t size) noexcept : ends_(ends), size_(size) {}

        void push(std::string_view item) {
            expect(::write(ends_[1], item.data(), item.size()) == static_cast<ssize_t>(item.size()),
                   "no item was written");
        }
        void pop(std::string& item) {
            item.resize(size_);
            expect(::read(ends_[0], item.data(), item.size()) == static_cast<ssize_t>(item.size()),
                   "no item was read");
        }

    private:
        std::array<int, 2> ends_;
        std::size_t size_;
    };

    [[nodiscard]] Handle handle() const noexcept { return {ends_, size_}; }

private:
    std::array<int, 2> ends_{};
    std::size_t size_;
};

} // namespace bench
