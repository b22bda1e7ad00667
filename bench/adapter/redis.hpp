// Redis over a unix socket, one command at a time, nothing saved to disk: what people run today where processes share a
// table. Its server is a process of ours alone, with a socket in a directory of ours.
#pragma once

#include "../kernel/crew.hpp"
#include "../kernel/machine.hpp"
#include "../kernel/measure.hpp"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <hiredis/hiredis.h>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

namespace bench {

namespace detail {

struct FreeRedis {
    void operator()(redisContext* context) const noexcept { ::redisFree(context); }
    void operator()(redisReply* reply) const noexcept { ::freeReplyObject(reply); }
};
using RedisContext = std::unique_ptr<redisContext, FreeRedis>;
using RedisReply = std::unique_ptr<redisReply, FreeRedis>;

[[nodiscard]] inline std::filesystem::path redis_socket(const std::filesystem::path& directory) {
    return directory / "redis.socket";
}

} // namespace detail

/// A server that runs as long as this object, and no longer than the process that made it.
class RedisServer {
public:
    explicit RedisServer(const std::filesystem::path& directory) : socket_(detail::redis_socket(directory)) {
        std::filesystem::remove(socket_);
        server_ = detail::fork_and_run([&] {
            const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
            ::dup2(null, STDOUT_FILENO);
            ::execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", socket_.c_str(), "--save", "",
                     "--appendonly", "no", "--dir", directory.c_str(), static_cast<char*>(nullptr));
            throw std::runtime_error("cannot run redis-server");
        });
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (!answers()) {
            if (std::chrono::steady_clock::now() > end) {
                stop();
                throw std::runtime_error("redis-server does not answer at " + socket_.string());
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
    }

    RedisServer(const RedisServer&) = delete;
    RedisServer& operator=(const RedisServer&) = delete;

    ~RedisServer() { stop(); }

    [[nodiscard]] static bool is_installed() {
        const char* const path = std::getenv("PATH");
        std::string_view rest = path == nullptr ? "" : path;
        while (!rest.empty()) {
            const auto colon = rest.find(':');
            if (::access((std::string(rest.substr(0, colon)) + "/redis-server").c_str(), X_OK) == 0) return true;
            rest = colon == std::string_view::npos ? "" : rest.substr(colon + 1);
        }
        return false;
    }

    [[nodiscard]] static std::string version() {
        return "hiredis " + std::to_string(HIREDIS_MAJOR) + "." + std::to_string(HIREDIS_MINOR) + "." +
               std::to_string(HIREDIS_PATCH) + ", " + detail::first_line_of("redis-server --version 2>/dev/null");
    }

private:
    [[nodiscard]] bool answers() const {
        const detail::RedisContext context(::redisConnectUnix(socket_.c_str()));
        return context != nullptr && context->err == 0;
    }
    void stop() const noexcept {
        ::kill(server_, SIGKILL);
        ::waitpid(server_, nullptr, 0);
        std::error_code ignored;
        std::filesystem::remove(socket_, ignored);
    }

    std::filesystem::path socket_;
    pid_t server_ = -1;
};

/// A table of a server that runs already.
class Redis {
public:
    static constexpr Sharing sharing = Sharing::processes;
    static constexpr bool single = false;

    explicit Redis(const std::filesystem::path& directory)
        : context_(::redisConnectUnix(detail::redis_socket(directory).c_str())) {
        if (context_ == nullptr || context_->err != 0) throw std::runtime_error("cannot connect to redis-server");
    }

    void attached() {}

    class Handle {
    public:
        explicit Handle(redisContext& context) : context_(&context) {}

        /// A hash, whose answer tells if the key is new; SET does not.
        bool insert(std::string_view key, std::string_view value) {
            return ask("HSET bench %b %b", key, value)->integer == 1;
        }
        const std::string* find(std::string_view key) {
            const detail::RedisReply reply = ask("HGET bench %b", key);
            if (reply->type != REDIS_REPLY_STRING) return nullptr;
            value_.assign(reply->str, reply->len);
            return &value_;
        }
        bool erase(std::string_view key) { return ask("HDEL bench %b", key)->integer == 1; }

    private:
        template <class... Strings>
        [[nodiscard]] detail::RedisReply ask(const char* command, Strings... strings) {
            return Redis::ask(*context_, command, strings...);
        }

        redisContext* context_;
        std::string value_;
    };

    [[nodiscard]] Handle handle() const { return Handle(*context_); }

    [[nodiscard]] Memory memory() const {
        return {.allocated = number("used_memory:"), .taken = number("used_memory_rss:")};
    }

private:
    template <class... Strings>
    [[nodiscard]] static detail::RedisReply ask(redisContext& context, const char* command, Strings... strings) {
        detail::RedisReply reply = std::apply(
            [&](auto... arguments) {
                return detail::RedisReply(static_cast<redisReply*>(
                    ::redisCommand(&context, command, arguments...))); // NOLINT: of variable length in C
            },
            std::tuple_cat(std::tuple(strings.data(), strings.size())...));
        if (reply == nullptr) throw std::runtime_error(std::string("Redis: ") + context.errstr);
        if (reply->type == REDIS_REPLY_ERROR) throw std::runtime_error(std::string("Redis: ") + reply->str);
        return reply;
    }

    /// A line of what INFO tells.
    [[nodiscard]] double number(std::string_view name) const {
        const detail::RedisReply reply = ask(*context_, "INFO memory");
        const std::string_view text(reply->str, reply->len);
        const auto at = text.find(name);
        if (at == std::string_view::npos) throw std::runtime_error("Redis does not tell its memory");
        return std::strtod(text.data() + at + name.size(), nullptr);
    }

    detail::RedisContext context_;
};

} // namespace bench
