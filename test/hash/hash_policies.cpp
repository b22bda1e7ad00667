// The hash policies: each conforms, and each gives the answers that were published for it.
#include <ss/hash/fnv1a64.hpp>
#include <ss/hash/siphash13.hpp>
#include <ss/hash/wyhash.hpp>

#include "hash/conformance.hpp"
#include "support/skip.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#if __has_include(<xxhash.h>)
#include <ss/hash/xxh3.hpp>
#endif

using namespace ss::test;

namespace {

/// The bytes 0, 1, 2, ..., 255, 0, ...: what most of the published answers are for.
std::string counting_bytes(std::size_t size) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i % 256);
    return bytes;
}

std::string in_bytes(std::initializer_list<std::uint64_t> words) {
    std::string bytes;
    for (std::uint64_t word : words)
        for (int i = 0; i < 8; ++i, word >>= 8) bytes += static_cast<char>(word & 0xFF);
    return bytes;
}

} // namespace

namespace not_policies {

// What is no policy does not compile as one.

struct WithoutSeed {
    static constexpr ss::PolicyId id = ss::policy_id("x");
    static constexpr std::uint64_t fingerprint = 1;
    static constexpr bool seeded = false;
    static std::uint64_t hash(std::string_view) noexcept;
};
struct Throws {
    static constexpr ss::PolicyId id = ss::policy_id("x");
    static constexpr std::uint64_t fingerprint = 1;
    static constexpr bool seeded = false;
    static std::uint64_t hash(std::string_view, const ss::HashSeed&);
};
struct Narrow {
    static constexpr ss::PolicyId id = ss::policy_id("x");
    static constexpr std::uint64_t fingerprint = 1;
    static constexpr bool seeded = false;
    static std::uint32_t hash(std::string_view, const ss::HashSeed&) noexcept;
};
struct LateId {
    static inline ss::PolicyId id = ss::policy_id("x");
    static constexpr std::uint64_t fingerprint = 1;
    static constexpr bool seeded = false;
    static std::uint64_t hash(std::string_view, const ss::HashSeed&) noexcept;
};
struct NoFingerprint {
    static constexpr ss::PolicyId id = ss::policy_id("x");
    static constexpr bool seeded = false;
    static std::uint64_t hash(std::string_view, const ss::HashSeed&) noexcept;
};
static_assert(!ss::HashPolicy<WithoutSeed> && !ss::HashPolicy<Throws> && !ss::HashPolicy<Narrow> &&
              !ss::HashPolicy<LateId> && !ss::HashPolicy<NoFingerprint> && !ss::HashPolicy<int>);

// What is a policy by its form and not by its quality: the suite has to see it.

struct RawFnv1a64 {
    static constexpr ss::PolicyId id = ss::policy_id("raw");
    static constexpr std::uint64_t fingerprint = 1;
    static constexpr bool seeded = false;
    static std::uint64_t hash(std::string_view bytes, const ss::HashSeed&) noexcept { return ss::fnv1a64(bytes); }
};
struct SeedXored {
    static constexpr ss::PolicyId id = ss::policy_id("xored");
    static constexpr std::uint64_t fingerprint = 1;
    static constexpr bool seeded = true;
    static std::uint64_t hash(std::string_view bytes, const ss::HashSeed& seed) noexcept {
        return ss::Fnv1a64::hash(bytes, seed) ^ seed.first;
    }
};
static_assert(ss::HashPolicy<RawFnv1a64> && ss::HashPolicy<SeedXored>);

} // namespace not_policies

BOOST_AUTO_TEST_SUITE(hash_policies)

BOOST_AUTO_TEST_CASE(fnv1a64_conforms) { check_hash_policy<ss::Fnv1a64>(); }
BOOST_AUTO_TEST_CASE(wyhash_conforms) { check_hash_policy<ss::Wyhash>(); }
BOOST_AUTO_TEST_CASE(siphash13_conforms) { check_hash_policy<ss::SipHash13>(); }

// The reason for the finalizer of Fnv1a64, and a proof that the suite sees what it looks for.
BOOST_AUTO_TEST_CASE(raw_fnv1a64_is_no_policy) {
    const std::vector<std::uint64_t> hashes =
        hashes_of_sequence<not_policies::RawFnv1a64>(TextKeys{"key", 7}, {}, 10'000);
    const auto values = [](std::vector<std::uint64_t> words, unsigned shift, std::uint64_t mask) {
        for (std::uint64_t& word : words) word = word >> shift & mask;
        return distinct(words);
    };
    BOOST_TEST(crowding(hashes, 0, 10) < hash_bound); // buckets would do
    BOOST_TEST(values(hashes, 48, 0xFFFF) == 1'051U); // tags would not: by chance 65536 * (1 - exp(-10000 / 65536))
    BOOST_TEST(values(hashes, 24, 0xFFFF) == 114U);   // nor stripes
    BOOST_TEST(crowding(hashes, 48, 16) > 1000);
    BOOST_TEST(worst_avalanche<not_policies::RawFnv1a64>(NumberKeys{}, {}) > 50);

    const std::vector<std::uint64_t> mixed = hashes_of_sequence<ss::Fnv1a64>(TextKeys{"key", 7}, {}, 10'000);
    BOOST_TEST(values(mixed, 48, 0xFFFF) > 9'200U);
    BOOST_TEST(values(mixed, 24, 0xFFFF) > 9'200U);
}

BOOST_AUTO_TEST_CASE(a_seed_that_is_merely_xored_is_seen) {
    BOOST_TEST(worst_seed_avalanche<not_policies::SeedXored>("key") > 50);
}

// draft-eastlake-fnv, and the test vectors of L. C. Noll's test_fnv.
BOOST_AUTO_TEST_CASE(fnv1a64_known_answers) {
    static_assert(ss::fnv1a64("") == 0xcbf29ce484222325 && ss::fnv1a64("foobar") == 0x85944171f73967e8);
    const struct {
        std::string_view bytes;
        std::uint64_t hash;
    } known[] = {{"", 0xcbf29ce484222325},         {"a", 0xaf63dc4c8601ec8c},
                 {"b", 0xaf63df4c8601f1a5},        {"c", 0xaf63de4c8601eff2},
                 {"fo", 0x08985907b541d342},       {"foo", 0xdcb27518fed9d577},
                 {"foob", 0xdd120e790c2512af},     {"fooba", 0xcac165afa2fef40a},
                 {"foobar", 0x85944171f73967e8},   {"chongo was here!\n", 0x46810940eff5f915},
                 {{"ch\0", 3}, 0xf5fadd190cf8edaa}};
    for (const auto& [bytes, hash] : known) {
        BOOST_TEST(ss::fnv1a64(bytes) == hash);
        BOOST_TEST(ss::Fnv1a64::hash(bytes, {}) == ss::mix_bits(hash));
    }
    // The finalizer of MurmurHash3, fmix64.
    BOOST_TEST(ss::mix_bits(0) == 0U);
    BOOST_TEST(ss::mix_bits(1) == 0xb456bcfc34c2cb2c);
}

// The test_vector program of wyhash, final version 4.2: seed i for the i-th message.
BOOST_AUTO_TEST_CASE(wyhash_known_answers) {
    const struct {
        std::string_view bytes;
        std::uint64_t hash;
    } known[] = {
        {"", 0x93228a4de0eec5a2},
        {"a", 0xc5bac3db178713c4},
        {"abc", 0xa97f2f7b1d9b3314},
        {"message digest", 0x786d1f1df3801df4},
        {"abcdefghijklmnopqrstuvwxyz", 0xdca5a8138ad37c87},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 0xb9e734f117cfaf70},
        {"12345678901234567890123456789012345678901234567890123456789012345678901234567890", 0x6cc5eab49a92d617}};
    std::uint64_t seed = 0;
    for (const auto& [bytes, hash] : known) BOOST_TEST(ss::Wyhash::hash(bytes, {seed++, 0}) == hash);
}

// The same version's answers around each border between its ways, for counting bytes.
BOOST_AUTO_TEST_CASE(wyhash_known_answers_by_size) {
    const struct {
        std::size_t size;
        std::uint64_t seed, hash;
    } known[] = {{0, 7, 0x9411771484003547},
                 {1, 7, 0x0a393ec43f5b7188},
                 {2, 7, 0x599184b98ebd5fb2},
                 {3, 7, 0x1ce7ae7523ce9850},
                 {4, 7, 0x1bfbdc59121a5a5e},
                 {5, 7, 0x9a8ae5e04e535a5e},
                 {7, 7, 0xdbe2b92c7869d657},
                 {8, 7, 0xcf0e797cc1ba614f},
                 {9, 7, 0xabe1c1dd83c19301},
                 {15, 7, 0x4024b8cb2a1c907a},
                 {16, 7, 0xc4f3d94eba74b559},
                 {17, 7, 0x0caa8f7bd43c90b1},
                 {23, 7, 0xee8c173c4a1bee14},
                 {31, 7, 0x6243a9afcd2ad4b2},
                 {32, 7, 0x5b00f3162d5e24d2},
                 {33, 7, 0x3ac7d57c4d0203a4},
                 {47, 7, 0x3399dd337401228b},
                 {48, 7, 0x2d369a1639889127},
                 {49, 7, 0xd1fb644ed2bc0827},
                 {63, 7, 0xdf113507740e0ef6},
                 {64, 7, 0x076896c79ef3720f},
                 {65, 7, 0xd520e004fd27b57c},
                 {95, 7, 0xc365518fb3a9471b},
                 {96, 7, 0xf009852225d574e9},
                 {97, 7, 0x4efeb6ed5bdd7410},
                 {111, 7, 0x692489e75e4f0e1e},
                 {127, 7, 0xfbbc7131e283f541},
                 {128, 7, 0x93d412921e9d7169},
                 {129, 7, 0xd4c87f242b6c22bd},
                 {191, 7, 0x0ffdfb1d364ae528},
                 {255, 7, 0xfeb2464e2110f40d},
                 {256, 7, 0x098f80584458632c},
                 {511, 7, 0x7b10c8626afc8684},
                 {512, 7, 0x5d4ac09a024ed018},
                 {1024, 7, 0x542171872b2ca1c0},
                 {3, 0xa0761d6478bd642f, 0x2b176c4624aab54b},
                 {8, 0xa0761d6478bd642f, 0x20c1f8c95b3bf383},
                 {16, 0xa0761d6478bd642f, 0x9f569f9b1f73ca48},
                 {17, 0xa0761d6478bd642f, 0x8e71b8fd15f5d603},
                 {48, 0xa0761d6478bd642f, 0x14c44e7db1022b7c},
                 {97, 0xa0761d6478bd642f, 0x701b984fa7753d45},
                 {1024, 0xa0761d6478bd642f, 0x64a205fc777a1c95}};
    for (const auto& [size, seed, hash] : known)
        BOOST_TEST(ss::Wyhash::hash(counting_bytes(size), {seed, 0}) == hash);
}

// With a second word the secrets are ours; these answers come from a second implementation, of plain integers. They
// pin what lies in pools.
BOOST_AUTO_TEST_CASE(wyhash_known_answers_with_both_words) {
    const struct {
        std::size_t size;
        std::uint64_t hash;
    } known[] = {{0, 0xfd5f79109f4f010a},  {3, 0x3f97910af49142b0},  {8, 0x7329ed217566ce07},
                 {16, 0xd469c946558bba31}, {17, 0x1a0e3d6101399d25}, {47, 0x232f9444844d65af},
                 {48, 0x06acbeb5eb0ab822}, {97, 0x2dd8036a78b5b993}, {256, 0x7316f141ab14984f}};
    for (const auto& [size, hash] : known)
        BOOST_TEST(ss::Wyhash::hash(counting_bytes(size), {0x0123456789abcdef, 0xf00dbabe5eedc0de}) == hash);
}

// What the second word is for: with the published constants these pairs meet under every seed.
BOOST_AUTO_TEST_CASE(wyhash_second_word_parts_the_known_collisions) {
    constexpr std::uint64_t secret_1 = 0x8bb84b93962eacc9, secret_2 = 0x4b33a62ed433d4a3;
    // A first block that makes the factor zero, and with it the lane.
    const std::string wiped_1 = in_bytes({secret_1, 1, 5, 6}), wiped_2 = in_bytes({secret_1, 2, 5, 6});
    // Two lanes that change places before a tail that is the same.
    const std::string lanes_1 = in_bytes({11, 12, 13, 14, 15, 16});
    const std::string lanes_2 = in_bytes({13 ^ secret_1 ^ secret_2, 14, 11 ^ secret_1 ^ secret_2, 12, 15, 16});
    FixedWords words(4);
    for (int i = 0; i < 1000; ++i) {
        const std::uint64_t first = words(), second = words();
        BOOST_REQUIRE(ss::Wyhash::hash(wiped_1, {first, 0}) == ss::Wyhash::hash(wiped_2, {first, 0}));
        BOOST_REQUIRE(ss::Wyhash::hash(lanes_1, {first, 0}) == ss::Wyhash::hash(lanes_2, {first, 0}));
        BOOST_REQUIRE(ss::Wyhash::hash(wiped_1, {first, second}) != ss::Wyhash::hash(wiped_2, {first, second}));
        BOOST_REQUIRE(ss::Wyhash::hash(lanes_1, {first, second}) != ss::Wyhash::hash(lanes_2, {first, second}));
    }
}

// vectors.h of the reference implementation: the i-th answer is for the bytes 0 to i - 1 under the key 00 01 ... 0F.
BOOST_AUTO_TEST_CASE(siphash24_known_answers) {
    const std::uint64_t known[] = {
        0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d, 0xcf2794e0277187b7,
        0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137, 0x93f5f5799a932462, 0x9e0082df0ba9e4b0,
        0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7, 0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee,
        0xa129ca6149be45e5, 0x3f2acc7f57c29bdb, 0x699ae9f52cbe4794, 0x4bc1b3f0968dd39c, 0xbb6dc91da77961bd,
        0xbed65cf21aa2ee98, 0xd0f2cbb02e3b67c7, 0x93536795e3a33e88, 0xa80c038ccd5ccec8, 0xb8ad50c6f649af94,
        0xbce192de8a85b8ea, 0x17d835b85bbb15f3, 0x2f2e6163076bcfad, 0xde4daaaca71dc9a5, 0xa6a2506687956571,
        0xad87a3535c49ef28, 0x32d892fad841c342, 0x7127512f72f27cce, 0xa7f32346f95978e3, 0x12e0b01abb051238,
        0x15e034d40fa197ae, 0x314dffbe0815a3b4, 0x027990f029623981, 0xcadcd4e59ef40c4d, 0x9abfd8766a33735c,
        0x0e3ea96b5304a7d0, 0xad0c42d6fc585992, 0x187306c89bc215a9, 0xd4a60abcf3792b95, 0xf935451de4f21df2,
        0xa9538f0419755787, 0xdb9acddff56ca510, 0xd06c98cd5c0975eb, 0xe612a3cb9ecba951, 0xc766e62cfcadaf96,
        0xee64435a9752fe72, 0xa192d576b245165a, 0x0a8787bf8ecb74b2, 0x81b3e73d20b49b6f, 0x7fa8220ba3b2ecea,
        0x245731c13ca42499, 0xb78dbfaf3a8d83bd, 0xea1ad565322a1a0b, 0x60e61c23a3795013, 0x6606d7e446282b93,
        0x6ca4ecb15c5f91e1, 0x9f626da15c9625f3, 0xe51b38608ef25f57, 0x958a324ceb064572,
    };
    for (std::size_t size = 0; size < std::size(known); ++size)
        BOOST_TEST((ss::siphash<2, 4>(counting_bytes(size), {0x0706050403020100, 0x0f0e0d0c0b0a0908})) ==
                   known[size]);
}

// The reference implementation with one and three rounds, as other libraries test themselves against it (Swift's
// SipHash tests, from which the last one is too).
BOOST_AUTO_TEST_CASE(siphash13_known_answers) {
    const std::uint64_t known[] = {
        0xabac0158050fc4dc, 0xc9f49bf37d57ca93, 0x82cb9b024dc7d44d, 0x8bf80ab8e7ddf7fb, 0xcf75576088d38328,
        0xdef9d52f49533b67, 0xc50d2b50c59f22a7, 0xd3927d989bb11140, 0x369095118d299a8e, 0x25a48eb36c063de4,
        0x79de85ee92ff097f, 0x70c118c1f94dc352, 0x78a384b157b4d9a2, 0x306f760c1229ffa7, 0x605aa111c0f95d34,
        0xd320d86d2a519956, 0xcc4fdd1a7d908b66, 0x9cf2689063dbd80c, 0x8ffc389cb473e63e, 0xf21f9de58d297d1c,
        0xc0dc2f46a6cce040, 0xb992abfe2b45f844, 0x7ffe7b9ba320872e, 0x525a0e7fdae6c123, 0xf464aeb267349c8c,
        0x45cd5928705b0979, 0x3a3e35e3ca9913a5, 0xa91dc74e4ade3b35, 0xfb0bed02ef6cd00d, 0x88d93cb44ab1e1f4,
        0x540f11d643c5e663, 0x2370dd1f8c21d1bc, 0x81157b6c16a7b60d, 0x4d54b9e57a8ff9bf, 0x759f12781f2a753e,
        0xcea1a3bebf186b91, 0x2cf508d3ada26206, 0xb6101c2da3c33057, 0xb3f47496ae3a36a1, 0x626b57547b108392,
        0xc1d2363299e41531, 0x667cc1923f1ad944, 0x65704ffec8138825, 0x24f280d1c28949a6, 0xc2ca1cedfaf8876b,
        0xc2164bfc9f042196, 0xa16e9c9368b1d623, 0x49fb169c8b5114fd, 0x9f3143f8df074c46, 0xc6fdaf2412cc86b3,
        0x7eaf49d10a52098f, 0x1cf313559d292f9a, 0xc44a30dda2f41f12, 0x36fae98943a71ed0, 0x318fb34c73f0bce6,
        0xa27abf3670a7e980, 0xb4bcc0db243c6d75, 0x23f8d852fdb71513, 0x8f035f4da67d8a08, 0xd89cd0e5b7e8f148,
        0xf6f4e6bcf7a644ee, 0xaec59ad80f1837f2, 0xc3b2f6154b6694e0, 0x9d199062b7bbb3a8,
    };
    for (std::size_t size = 0; size < std::size(known); ++size)
        BOOST_TEST(ss::SipHash13::hash(counting_bytes(size), {0x0706050403020100, 0x0f0e0d0c0b0a0908}) ==
                   known[size]);
    const std::string bytes =
        in_bytes({0xa1c8b46dd4dedc72, 0x6de5f6e37fe222cf, 0xf32516baaf0b668b, 0xe3d67ef380698e63});
    BOOST_TEST(ss::SipHash13::hash(bytes, {0xa3432fc680796c34, 0x1173946a79aeaae5}) == 0x4d457d818f46941d);
}

// hash(bytes) of CPython 3.11 with PYTHONHASHSEED=0, whose key is zero.
BOOST_AUTO_TEST_CASE(siphash13_agrees_with_cpython) {
    BOOST_TEST(ss::SipHash13::hash("a", {}) == 0x407448d2b89b1813);
    BOOST_TEST(ss::SipHash13::hash("abc", {}) == 0xc03bc3a0042630f2);
    BOOST_TEST(ss::SipHash13::hash("siphash", {}) == 0x8264ceeccb16bcbe);
    BOOST_TEST(ss::SipHash13::hash("0123456789abcdef0", {}) == 0xf738bb4f30801228);
}

#if __has_include(<xxhash.h>)

BOOST_AUTO_TEST_CASE(xxh3_conforms) { check_hash_policy<ss::Xxh3>(); }

// XSUM_XXH3_testdata of xxHash's own sanity check, over its own pseudorandom bytes.
BOOST_AUTO_TEST_CASE(xxh3_known_answers) {
    constexpr std::uint64_t prime_32 = 2654435761, prime_64 = 11400714785074694797U;
    std::string bytes(2367, '\0');
    std::uint64_t generator = prime_32;
    for (char& byte : bytes) {
        byte = static_cast<char>(generator >> 56);
        generator *= prime_64;
    }
    const struct {
        std::size_t size;
        std::uint64_t hash, hash_of_seed;
    } known[] = {{0, 0x2D06800538D394C2, 0xA8A6B918B2F0364A},    {1, 0xC44BDFF4074EECDB, 0x032BE332DD766EF8},
                 {6, 0x27B56A84CD2D7325, 0x84589C116AB59AB9},    {12, 0xA713DAF0DFBB77E7, 0xE7303E1B2336DE0E},
                 {24, 0xA3FE70BF9D3510EB, 0x850E80FC35BDD690},   {48, 0x397DA259ECBA1F11, 0xADC2CBAA44ACC616},
                 {80, 0xBCDEFBBB2C47C90A, 0xC6DD0CB699532E73},   {195, 0xCD94217EE362EC3A, 0xBA68003D370CB3D9},
                 {403, 0xCDEB804D65C6DEA4, 0x6259F6ECFD6443FD},  {512, 0x617E49599013CB6B, 0x3CE457DE14C27708},
                 {2048, 0xDD59E2C3A5F038E0, 0x66F81670669ABABC}, {2240, 0x6E73A90539CF2948, 0x757BA8487D1B5247},
                 {2367, 0xCB37AEB9E5D361ED, 0xD2DB3415B942B42A}};
    for (const auto& [size, hash, hash_of_seed] : known) {
        BOOST_TEST(ss::Xxh3::hash(std::string_view(bytes).substr(0, size), {}) == hash);
        BOOST_TEST(ss::Xxh3::hash(std::string_view(bytes).substr(0, size), {prime_64, 0}) == hash_of_seed);
    }
}

#else

BOOST_AUTO_TEST_CASE(xxh3) { skip("no <xxhash.h>: libxxhash-dev is not installed"); }

#endif

// What a pool records.
BOOST_AUTO_TEST_CASE(ids) {
    BOOST_TEST(to_string(ss::Fnv1a64::id) == "FNV1A64");
    BOOST_TEST(to_string(ss::Wyhash::id) == "WYHASH4");
    BOOST_TEST(to_string(ss::SipHash13::id) == "SIP13");
#if __has_include(<xxhash.h>)
    BOOST_TEST(to_string(ss::Xxh3::id) == "XXH3");
#endif
}

BOOST_AUTO_TEST_SUITE_END()
