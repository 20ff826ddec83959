// Readers, writers, passwords and binary forms, without a server.
#include <doctest/doctest.h>

#include <cstring>

#include "session/binary_format.h"
#include "session/crypto.h"
#include "session/login_throttle.h"
#include "session/message_reader.h"
#include "session/message_writer.h"
#include "session/scram.h"
#include "session/startup.h"
#include "session/utf8.h"
#include "session/verifier.h"
#include "statement.h"

using namespace blueshift;
using namespace blueshift::session;

namespace {

/// Gives its bytes `step` at a time.
class SlowTransport final : public Transport {
public:
    SlowTransport(std::string bytes, size_t step) : bytes_(std::move(bytes)), step_(step) {}
    Result<size_t> read(std::span<char> into) override {
        const size_t count = std::min({step_, into.size(), bytes_.size() - at_});
        std::memcpy(into.data(), bytes_.data() + at_, count);
        largest_ = std::max(largest_, into.size());
        at_ += count;
        return count;
    }
    Status write(std::string_view bytes) override {
        written += bytes;
        return {};
    }
    size_t largestRequest() const { return largest_; }
    std::string written;

private:
    std::string bytes_;
    size_t step_;
    size_t at_ = 0;
    size_t largest_ = 0;
};

std::string numeric(i128 value, u32 scale) {
    std::string bytes;
    appendNumeric(bytes, value, scale);
    return bytes;
}

} // namespace

TEST_CASE("messages are cut from any sequence of pieces") {
    std::string bytes;
    for (int i = 0; i < 50; ++i) {
        bytes += 'Q';
        appendInt32(bytes, 4 + i * 1000);
        bytes.append(size_t(i) * 1000, char('a' + i % 26));
    }
    for (const size_t step : {size_t(1), size_t(7), size_t(4096), size_t(1) << 20}) {
        SlowTransport transport(bytes, step);
        MessageReader reader(transport);
        for (int i = 0; i < 50; ++i) {
            const Result<Message> message = reader.read(true);
            REQUIRE(message.has_value());
            CHECK(message->body == std::string(size_t(i) * 1000, char('a' + i % 26)));
        }
        CHECK(reader.read(true).error().sqlstate == "08000");
    }
}

TEST_CASE("announced lengths are checked and never allocated") {
    std::string huge = "Q";
    appendInt32(huge, (1 << 30) - 1);
    huge += "only these";
    SlowTransport transport(huge, 4096);
    MessageReader reader(transport);
    CHECK(reader.read(true).error().sqlstate == "08000");
    CHECK(transport.largestRequest() < 100'000);
    for (const i32 length : {-1, 0, 3, 10'001}) {
        std::string bytes = "S";
        appendInt32(bytes, length);
        SlowTransport bad(bytes, 100);
        MessageReader bad_reader(bad);
        CHECK(bad_reader.read(true).error().sqlstate == "08P01");
    }
    std::string early = "Q";
    appendInt32(early, 20'000);
    SlowTransport before(early, 100);
    MessageReader before_reader(before);
    CHECK(before_reader.read(false).error().sqlstate == "08P01");
}

TEST_CASE("field readers never pass the end") {
    FieldReader reader(std::string_view("\0\5ab\0cd", 7));
    CHECK(reader.readInt16() == 5);
    CHECK(reader.readText() == "ab");
    CHECK(reader.readText().empty());
    CHECK(reader.failed());
    CHECK(reader.readInt32() == 0);
    CHECK(!reader.complete());
}

TEST_CASE("start-up packets") {
    std::string body;
    appendInt32(body, 196608);
    for (const char* word :
         {"user", "Ann", "options", "-c search_path=a\\ b --time-zone=CET -cx=1", "client_encoding",
          "'utf-8'", "client_protocol_version", "3", "replication", "off", "idp_type", "z"})
        body += std::string(word) + '\0';
    body += '\0';
    const Result<StartupPacket> packet = parseStartup(body);
    REQUIRE(packet.has_value());
    CHECK(packet->user == "Ann");
    CHECK(packet->database == "Ann");
    CHECK(packet->client_protocol_version == 3);
    REQUIRE(packet->settings.size() == 4);
    CHECK(packet->settings[0] == std::pair<std::string, std::string>("search_path", "a b"));
    CHECK(packet->settings[1] == std::pair<std::string, std::string>("time_zone", "CET"));
    CHECK(packet->settings[2] == std::pair<std::string, std::string>("x", "1"));
    for (size_t cut = 4; cut < body.size(); ++cut) {
        const Result<StartupPacket> torn = parseStartup(std::string_view(body).substr(0, cut));
        REQUIRE(!torn.has_value());
        CHECK(torn.error().sqlstate == "08P01");
    }
    std::string latin;
    appendInt32(latin, 196608);
    latin += std::string("user\0a\0client_encoding\0LATIN1\0\0", 32);
    CHECK(parseStartup(latin).error().sqlstate == "22023");
}

TEST_CASE("SCRAM-SHA-256: the exchange of RFC 7677") {
    const std::string salt = *fromBase64("W22ZaJ0SNY7soEsUEjb6gQ==");
    const ScramVerifier verifier = makeScramVerifier("pencil", salt, 4096);
    const std::string nonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    ScramExchange exchange(verifier, nonce, false);
    const auto first = exchange.first("n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    REQUIRE(first.has_value());
    CHECK(*first ==
          "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
          "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
    const std::string final =
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    const auto done = exchange.final(final);
    REQUIRE(done.has_value());
    REQUIRE(done->has_value());
    CHECK(**done == "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");

    ScramExchange mock(verifier, nonce, true);
    REQUIRE(mock.first("n,,n=user,r=rOprNGfwEbeRWgbNEkqO").has_value());
    CHECK(!mock.final(final)->has_value());

    for (const char* bad :
         {"", "n", "p=tls-unique,,n=,r=a", "n,a=x,n=,r=a", "n,,r=a", "n,,n=,r="}) {
        ScramExchange broken(verifier, nonce, false);
        CHECK(broken.first(bad).error().sqlstate == "08P01");
    }
    for (const char* bad : {"", "c=biws", "c=eSws,r=x,p=AAAA", "c=biws,r=other,p=AAAA"})
        CHECK(exchange.final(bad).error().sqlstate == "08P01");
}

TEST_CASE("verifiers round-trip and refuse other passwords") {
    const PasswordVerifiers verifiers = makeVerifiers("ann", "p\xC3\xA4ss");
    const auto scram = parseScramVerifier(verifiers.scram);
    REQUIRE(scram.has_value());
    CHECK(formatScramVerifier(*scram) == verifiers.scram);
    CHECK(scram->iterations >= 4096);
    CHECK(makeVerifiers("ann", "p\xC3\xA4ss").scram != verifiers.scram);
    CHECK(verifiers.md5 == "md5" + md5Hex("p\xC3\xA4ssann"));
    CHECK(md5ResponseFits("md5" + md5Hex(verifiers.md5.substr(3) + "salt"), verifiers.md5, "salt"));
    CHECK(
        !md5ResponseFits("md5" + md5Hex(verifiers.md5.substr(3) + "salz"), verifiers.md5, "salt"));
    CHECK(!md5ResponseFits("md5" + md5Hex(std::string("salt")), "", "salt"));
    const auto digest = parseDigestVerifier(verifiers.digest);
    REQUIRE(digest.has_value());
    const Sha256 inner = sha256("p\xC3\xA4ss" + digest->salt);
    CHECK(digestResponseFits(asView(sha256(std::string(asView(inner)) + "sc")), *digest, "s", "c"));
    CHECK(!digestResponseFits(asView(inner), *digest, "s", "c"));
    for (const char* bad : {"", "SCRAM-SHA-256$", "SCRAM-SHA-256$0:YQ==$YQ==:YQ==", "md5abc",
                            "SCRAM-SHA-256$4096:YQ==$YQ==:YQ=="})
        CHECK(!parseScramVerifier(bad).has_value());
    CHECK(makeVerifiers("x", "").md5.size() == 35);
    // RFC 4013: a soft hyphen vanishes, a Roman numeral becomes letters.
    CHECK(saslPrep("I\xC2\xADX") == "IX");
    CHECK(saslPrep("\xE2\x85\xA8") == "IX");
}

TEST_CASE("passwords expire at their moment") {
    const i64 day = 86'400'000'000;
    CHECK(!hasExpired("", 0));
    CHECK(!hasExpired("infinity", 1ll << 60));
    CHECK(hasExpired("2000-01-02", day));
    CHECK(!hasExpired("2000-01-02", day - 1));
    CHECK(!hasExpired("2000-01-02 01:00:00-01", day + 7'200'000'000 - 1));
    CHECK(hasExpired("2000-01-02 01:00:00.5+02:30", day - 5'400'000'000));
}

TEST_CASE("base64 and hexadecimal") {
    for (const std::string& text : {std::string(), std::string("a"), std::string("ab"),
                                    std::string("abc"), std::string("\0\xFF\x80", 3)}) {
        CHECK(fromBase64(toBase64(text)) == text);
        CHECK(fromHex(toHex(text)) == text);
    }
    for (const char* bad : {"a", "ab", "ab=c", "====", "ab c", "YQ=="})
        CHECK(fromBase64(bad).has_value() == (std::string_view(bad) == "YQ=="));
    CHECK(!fromHex("0g").has_value());
}

TEST_CASE("NUMERIC in groups of four digits") {
    CHECK(toHex(numeric(0, 2)) == "0000000000000002");
    CHECK(toHex(numeric(1234567, 2)) ==
          "0003000100000002"
          "000109291a2c");
    CHECK(toHex(numeric(-1, 4)) ==
          "0001ffff40000004"
          "0001");
    CHECK(toHex(numeric(10000, 0)) ==
          "0001000100000000"
          "0001");
    const i128 large = (i128(9'999'999'999'999'999'999ull) * 10'000'000'000'000'000'000ull) +
                       9'999'999'999'999'999'999ull;
    for (u32 scale = 0; scale <= 38; ++scale) {
        const SqlType type = SqlType::decimal(38, int(scale));
        for (const i128 value : {i128(0), i128(1), i128(-1), i128(5'000), i128(-123'456'789),
                                 i128(10'000), large, -large}) {
            const bool same = readNumeric(numeric(value, scale), type) == value;
            CAPTURE(scale);
            CHECK(same);
        }
    }
    CHECK(i64(readNumeric(numeric(12345, 3), SqlType::decimal(10, 2))) == 1235);
    CHECK(i64(readNumeric(numeric(-12344, 3), SqlType::decimal(10, 2))) == -1234);
    CHECK(i64(readNumeric(numeric(4999, 8), SqlType::decimal(10, 4))) == 0);
    CHECK(i64(readNumeric(numeric(5000, 8), SqlType::decimal(10, 4))) == 1);
    CHECK_THROWS_AS(readNumeric(numeric(99995, 1), SqlType::decimal(4, 0)), SqlError);
    CHECK_THROWS_AS(readNumeric(numeric(large, 0), SqlType::decimal(37, 0)), SqlError);
    CHECK_THROWS_AS(readNumeric("\0\1\0\0", SqlType::decimal(4, 0)), SqlError);
    CHECK_THROWS_AS(
        readNumeric(std::string_view("\0\1\0\0\0\0\0\0\x27\x10", 10), SqlType::decimal(9, 0)),
        SqlError);
    CHECK_THROWS_AS(
        readNumeric(std::string_view("\0\1\x7F\xFF\0\0\0\0\0\1", 10), SqlType::decimal(38, 0)),
        SqlError);
}

TEST_CASE("UTF-8 is checked to the letter") {
    CHECK(findInvalidUtf8("plain text of some length") == std::string_view::npos);
    CHECK(findInvalidUtf8("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80") == std::string_view::npos);
    for (const char* bad : {"\x80", "\xC0\x80", "\xC3", "\xE0\x80\x80", "\xED\xA0\x80",
                            "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x82"})
        CHECK(findInvalidUtf8(bad) == 0);
    CHECK(findInvalidUtf8("12345678\xFF") == 8);
}

TEST_CASE("guessing passwords gets slower, and is forgotten") {
    LoginThrottle throttle;
    const i64 second = 1'000'000;
    for (int i = 0; i < 2; ++i) throttle.failed("ann", "10.1.2.3", second);
    CHECK(throttle.delayMs("ann", "10.1.2.3", second) == 0);
    throttle.failed("ann", "10.1.2.9", second);
    const u32 third = throttle.delayMs("ann", "10.1.2.77", second);
    CHECK(third > 0);
    throttle.failed("ann", "10.1.2.3", second);
    CHECK(throttle.delayMs("ann", "10.1.2.3", second) == 2 * third);
    CHECK(throttle.delayMs("ann", "10.1.3.3", second) == 0);
    CHECK(throttle.delayMs("bob", "10.1.2.3", second) == 0);
    for (int i = 0; i < 60; ++i) throttle.failed("ann", "10.1.2.3", second);
    CHECK(throttle.delayMs("ann", "10.1.2.3", second) == 4000);
    CHECK(throttle.delayMs("ann", "10.1.2.3", 400 * second) == 0);
    throttle.failed("ann", "::1", second);
    throttle.succeeded("ann", "::1");
    CHECK(throttle.delayMs("ann", "::1", second) == 0);
}
