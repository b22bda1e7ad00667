// Limits how often a client may ask, over all processes of a server together.
//
// Four workers, forked beforehand, accept connections of one socket. A client may ask 100 times at once, and then 50
// times a second. A bucket per client, in a table that the workers share, knows when it would be full again; each
// request that is allowed moves that by a fiftieth of a second. It is moved in a transaction, so of two workers that
// ask the same bucket at once, one sees what the other has taken; and of a worker that dies with a token in his hands,
// it is taken back.
#include <ss/ss.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <limits>
#include <mutex>
#include <netinet/in.h>
#include <thread>

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;

constexpr std::int64_t most_at_once = 100, for_one = 20'000'000; // ns

std::int64_t now() { return std::chrono::steady_clock::now().time_since_epoch() / 1ns; }

int checked(int result, const char* what) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), what);
    return result;
}

struct Reply {
    std::int64_t allowed = 0, time = 0; ///< 1 or 0, and when it was decided
};

Reply ask_bucket(ss::HashTable<>& buckets, const std::string& client, bool dies) {
    return ss::transaction(buckets, [&](auto& tx) {
        Reply reply{.time = now()}; // under the lock: replies of a bucket are in the order of their times
        const std::int64_t full_at = buckets.find_as<std::int64_t>(client).value_or(0);
        const std::int64_t then = std::max(full_at, reply.time) + for_one;
        reply.allowed = then - reply.time <= most_at_once * for_one;
        if (reply.allowed != 0) buckets.incr(tx, client, then - full_at);
        if (dies && reply.allowed != 0) raise(SIGKILL);
        return reply;
    });
}

/// Until the socket is shut down. A connection is a request, and that is the name of a client.
void serve(int listener, ss::HashTable<>& buckets, bool dies) {
    for (int served = 1, connection = 0; (connection = accept(listener, nullptr, nullptr)) >= 0; ++served) {
        std::array<char, 64> name{};
        (void)recv(connection, name.data(), name.size() - 1, 0);
        const Reply reply = ask_bucket(buckets, name.data(), dies && served > 20);
        (void)send(connection, &reply, sizeof reply, MSG_NOSIGNAL);
        close(connection);
    }
}

/// Asks by a connection of its own, which any worker may accept. Nothing if that died.
std::optional<Reply> ask_server(const sockaddr_in& address, const std::string& client) {
    const int connection = checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    const linger hard{.l_onoff = 1, .l_linger = 0}; // so that no port is kept for a while
    setsockopt(connection, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    checked(connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address), "connect");
    Reply reply;
    (void)send(connection, client.data(), client.size(), MSG_NOSIGNAL);
    const bool answered = recv(connection, &reply, sizeof reply, MSG_WAITALL) == sizeof reply;
    close(connection);
    return answered ? std::optional(reply) : std::nullopt;
}

/// A client, and what has come of its requests.
struct Client {
    std::string name;
    std::mutex mutex = {};
    std::int64_t asked = 0, allowed = 0, unanswered = 0;
    std::int64_t first = std::numeric_limits<std::int64_t>::max(),
                 refused = 0; ///< times: of the first reply, a refusal

    /// Asks again and again: not until the time has come, but until the next refusal after it.
    void ask_until(std::int64_t end, const sockaddr_in& address) {
        for (bool over = false; !over;) {
            const std::optional<Reply> reply = ask_server(address, name);
            const std::lock_guard lock(mutex);
            ++asked;
            if (!reply && ++unanswered) continue;
            allowed += reply->allowed;
            first = std::min(first, reply->time);
            if (reply->allowed == 0) refused = std::max(refused, reply->time);
            over = reply->allowed == 0 && reply->time >= end;
        }
    }
};

} // namespace

int main() try {
    const int listener = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
    sockaddr_in address{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
    socklen_t size = sizeof address;
    checked(bind(listener, reinterpret_cast<sockaddr*>(&address), size), "bind");
    checked(listen(listener, 128), "listen");
    checked(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");

    const ss::Pool pool = ss::Pool::anonymous();
    ss::HashTable<> buckets(pool, "buckets");
    for (int worker = 0; worker < 4; ++worker) {
        if (checked(fork(), "fork") > 0) continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL); // nobody is left behind, however we end
        serve(listener, buckets, worker == 0);
        std::_Exit(0);
    }

    std::array<Client, 3> clients = {{{"192.0.2.1"}, {"192.0.2.2"}, {"2001:db8::1"}}};
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < 6; ++i) // two for each, so that its requests meet in its bucket
        threads.emplace_back([&, i] { clients.at(i % 3).ask_until(now() + 1'000'000'000, address); });
    for (std::thread& thread : threads) thread.join();

    bool all_well = true;
    std::int64_t unanswered = 0, killed = 0;
    for (Client& client : clients) {
        client.ask_until(now(), address); // what is there by now is taken, and the last reply is a refusal
        const std::int64_t time = client.refused - client.first, permitted = most_at_once + time / for_one;
        fmt::print("{:<12} asked {:>5} times in {:.3f} s: {} were allowed, {} are permitted\n", client.name,
                   client.asked, static_cast<double>(time) / 1e9, client.allowed, permitted);
        all_well &= client.allowed == permitted;
        unanswered += client.unanswered;
    }

    shutdown(listener, SHUT_RDWR);
    for (int status = 0; wait(&status) > 0; killed += status == SIGKILL) all_well &= status == 0 || status == SIGKILL;
    fmt::print("{} of 4 workers was killed in the middle of a transaction, and {} request had no answer\n", killed,
               unanswered);
    return all_well && killed == 1 && unanswered == 1 && pool.verify().empty() ? 0 : 1;
} catch (const std::exception& error) {
    fmt::print(stderr, "rate_limit: {}\n", error.what());
    return 1;
}
