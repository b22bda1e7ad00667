// Finds the network that an address is in, while the table of networks is replaced.
//
// A tree takes keys apart by bytes. So a key has four bits of an address in each byte, and a network whose length is no
// multiple of four becomes the two, four or eight that are; one within it comes later, and takes its part of them. One
// bit in each byte would need no such parts, but three times the steps; eight bits, up to 128 parts.
//
// A new table is loaded under another name, then named as the current one; then the old one is removed. No handle
// outlives that: the next look-up by an old one throws, and its reader opens the table that is current now.
#include <ss/ss.hpp>

#include "ip_lookup/children.hpp"
#include "ip_lookup/input.hpp"
#include "ip_lookup/networks.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <optional>

#include <unistd.h>

namespace ip_lookup {

namespace {

std::string key_of(const Address& address, int length) {
    std::string key(1, address.is_v6 ? '6' : '4');
    for (int bit = 0; bit < length; bit += 4)
        key += static_cast<char>(address.bytes[static_cast<std::size_t>(bit) / 8] >> (4 - bit % 8) & 15);
    return key;
}

void insert(ss::PrefixTree<>& table, const Network& network) {
    std::string key = key_of(network.address, network.length);
    for (int parts = 1 << (-network.length & 3); parts > 0; --parts, ++key.back()) table.insert(key, network.value);
}

/// Removes the old table, and what is left of a reload that was killed.
void remove_all_but(const ss::Pool& pool, const ss::Value& name) {
    for (const ss::ObjectInfo& object : pool.objects())
        if (object.name.starts_with("table") && name != ss::Value(object.name)) pool.remove_object(object.name);
}

/// Replaces the table. Killed at any point, it leaves a whole one to the readers.
void load(const ss::Pool& pool, const std::string& name, const Networks& networks) {
    const auto begin = std::chrono::steady_clock::now();
    ss::PrefixTree<> settings(pool, "settings");
    remove_all_but(pool, settings.find("current").value_or(""));
    ss::PrefixTree<> table(pool, name); // nobody looks at it yet
    for (const Network& network : networks) insert(table, network);
    settings.insert("current", name);
    remove_all_but(pool, name);
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
    fmt::print("{} has {} networks in {} keys of {} KiB, and was loaded in {:.2f} s\n", name, networks.size(),
               table.size(), table.stats().bytes_allocated / 1024, time.count());
}

class Reader {
public:
    explicit Reader(const ss::Pool& pool) : pool_(pool), settings_(pool, "settings") {}

    [[nodiscard]] std::string find(const Address& address) {
        const std::string key = key_of(address, address.bits());
        for (;;) {
            try {
                if (!table_) table_.emplace(pool_, name_ = std::get<std::string>(settings_.at("current")));
                const auto found = table_->longest_prefix(key);
                return found ? std::get<std::string>(found->second) : "";
            } catch (const ss::Error& error) {
                if (error.code() != ss::errc::no_such_object) throw;
                table_.reset(); // it was removed, so another one is current
            }
        }
    }
    /// Of the last find.
    [[nodiscard]] const std::string& table() const { return name_; }

private:
    ss::Pool pool_;
    ss::PrefixTree<> settings_;
    std::string name_;
    std::optional<ss::PrefixTree<>> table_;
};

/// Finds the samples again and again, until all were found in the second table. Throws at a wrong answer.
void read(const ss::Pool& pool, const std::vector<Sample>& samples, const Children& children) {
    Reader reader(pool);
    std::array<std::size_t, 2> found{};
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t i = 0; found[1] < samples.size(); i = (i + 1) % samples.size()) {
        const std::string value = reader.find(samples[i].address);
        const std::size_t table = reader.table() == "table 1" ? 0 : 1;
        if (value != samples[i].expected.at(table))
            throw std::runtime_error("wrong in " + reader.table() + ": " + value);
        ++found.at(table);
        if (found[0] + found[1] == 1000) children.tell_that_we_have_begun(); // before the other table is loaded
    }
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
    fmt::print("process {} found {} in table 1, then {} in table 2: {:.0f} per second\n", getpid(), found[0],
               found[1], static_cast<double>(found[0] + found[1]) / time.count());
}

int run(const Networks& networks, const Networks& replacement, const std::vector<std::string>& addresses) {
    const auto samples = take_samples(networks, replacement, 20'000);
    const ss::Pool pool = ss::Pool::anonymous(); // nothing is left behind, however we end
    load(pool, "table 1", networks);
    std::fflush(nullptr); // or each child would write it again
    Children children;
    for (int i = 0; i < 2; ++i)
        if (children.fork()) {
            read(ss::Pool::from_fd(pool.fd(), {.access = ss::Access::read_only}), samples, children);
            return 0;
        }
    children.wait_until_all_have_begun();
    load(pool, "table 2", replacement);
    const bool all_well = Children::all_succeed() && pool.verify().empty();
    Reader reader(pool);
    for (const std::string& text : addresses) fmt::print("{:>24}  {}\n", text, reader.find(parse_address(text)));
    return all_well ? 0 : 1;
}

} // namespace

} // namespace ip_lookup

int main(int argc, char** argv) {
    using namespace ip_lookup;
    std::vector<std::string> files, addresses = {"8.8.8.8", "130.89.148.77", "2001:4860:4860::8888"};
    std::size_t count = 1'000'000;
    CLI::App app("Finds the network that an address is in, while the table of networks is replaced.");
    app.add_option("FILE", files, "Networks with values; and those that replace them")->expected(0, 2);
    app.add_option("--find", addresses, "Addresses to show")->capture_default_str();
    app.add_option("--generate", count, "Networks, where there is no FILE")->check(CLI::Range(1, 100'000'000));
    app.footer("A FILE has lines like \"192.0.2.0/24 value\", or is a database of libloc, whose own is the default.");
    CLI11_PARSE(app, argc, argv);
    try {
        if (files.empty() && app.count("--generate") == 0) files = find_libloc();
        const Networks networks = files.empty() ? generate(count) : read_networks(files.front());
        return run(networks, files.size() > 1 ? read_networks(files[1]) : some_time_later(networks), addresses);
    } catch (const std::exception& error) {
        fmt::print(stderr, "ip_lookup: {}\n", error.what());
        return 1;
    }
}
