// The server and its sessions over real sockets, with a fake engine behind.
#include "session/server.h"

#include "fake_engine.h"
#include "session/crypto.h"
#include "session/scram.h"
#include "wire_client.h"

using namespace blueshift;
using namespace blueshift::session;

namespace {

struct Fixture {
    explicit Fixture(ServerOptions options = {.port = 0, .trust = true}) {
        options.port = 0;
        const PasswordVerifiers verifiers = makeVerifiers("admin", "secret");
        engine.users["admin"] = {.name = "admin",
                                 .superuser = true,
                                 .scram_verifier = verifiers.scram,
                                 .md5_verifier = verifiers.md5,
                                 .digest_verifier = verifiers.digest};
        REQUIRE(server.start(engine, options).has_value());
    }
    ~Fixture() { server.stop(); }
    fake::FakeEngine engine;
    Server server;
};

std::string scramFinal(const ServerMessage& request, const std::string& password) {
    FieldReader fields(request.body);
    REQUIRE(fields.readInt32() == 11);
    const std::string server_first(fields.rest());
    const size_t salt_at = server_first.find(",s=");
    const size_t count_at = server_first.find(",i=");
    const std::string nonce = server_first.substr(2, salt_at - 2);
    const std::string salt = *fromBase64(server_first.substr(salt_at + 3, count_at - salt_at - 3));
    const u32 iterations = u32(std::stoul(server_first.substr(count_at + 3)));
    const Sha256 salted = saltedPassword(password, salt, iterations);
    const Sha256 client_key = hmacSha256(asView(salted), "Client Key");
    const std::string without_proof = "c=biws,r=" + nonce;
    const std::string message = "n=,r=abcdef," + server_first + "," + without_proof;
    const Sha256 signature = hmacSha256(asView(sha256(asView(client_key))), message);
    std::string proof(client_key.begin(), client_key.end());
    for (size_t i = 0; i < proof.size(); ++i) proof[i] = char(proof[i] ^ signature[i]);
    return without_proof + ",p=" + toBase64(proof);
}

/// Runs SCRAM; the messages after the client's final one.
std::vector<ServerMessage> scramLogin(WireClient& client, const std::string& user,
                                      const std::string& password) {
    client.startup({{"user", user}, {"database", "dev"}});
    CHECK(client.read().type == 'R');
    const std::string first = "n,,n=,r=abcdef";
    client.out().begin('p');
    client.out().text("SCRAM-SHA-256").int32(i32(first.size())).bytes(first).end();
    client.flush();
    const std::string final = scramFinal(client.read(), password);
    client.out().begin('p');
    client.out().bytes(final).end();
    client.flush();
    std::vector<ServerMessage> messages;
    do messages.push_back(client.read());
    while (messages.back().type != 'Z' && messages.back().type != 'E');
    return messages;
}

} // namespace

TEST_CASE("start-up reports parameters, key and readiness") {
    Fixture fixture;
    WireClient client(fixture.server.port());
    const auto messages = client.login({{"driver_version", "x"}, {"_unknown", "y"}});
    CHECK(messages.front().type == 'R');
    CHECK(messages.back().body == "I");
    std::map<std::string, std::string> status;
    bool key = false;
    for (const ServerMessage& message : messages) {
        FieldReader fields(message.body);
        if (message.type == 'S') {
            const std::string name(fields.readText());
            status[name] = fields.readText();
        }
        key = key || message.type == 'K';
    }
    CHECK(key);
    CHECK(status["server_version"] == "8.0.2");
    CHECK(status["client_encoding"] == "UTF8");
    CHECK(status["datashare_enabled"] == "off");
    CHECK(!status.contains("server_protocol_version"));
}

TEST_CASE("encryption requests without a certificate are answered N") {
    Fixture fixture;
    WireClient client(fixture.server.port());
    std::string request;
    appendInt32(request, 8);
    appendInt32(request, 80877104);
    appendInt32(request, 8);
    appendInt32(request, 80877103);
    client.send(request);
    std::string answers(2, ' ');
    REQUIRE(client.socket().read({answers.data(), 1}).has_value());
    REQUIRE(client.socket().read({answers.data() + 1, 1}).has_value());
    CHECK(answers == "NN");
    CHECK(client.login().back().type == 'Z');
}

TEST_CASE("newer protocol versions and options are negotiated") {
    Fixture fixture;
    WireClient client(fixture.server.port());
    client.startup({{"user", "admin"}, {"database", "dev"}, {"_pq_.compression", "lz4"}}, 196610);
    const auto messages = client.readToReady();
    CHECK(messages.front().type == 'v');
    FieldReader fields(messages.front().body);
    CHECK(fields.readInt32() == 0);
    CHECK(fields.readInt32() == 1);
    CHECK(fields.readText() == "_pq_.compression");
}

TEST_CASE("SCRAM: the right password opens, others do not and look alike") {
    Fixture fixture({.trust = false});
    {
        WireClient client(fixture.server.port());
        const auto messages = scramLogin(client, "admin", "secret");
        REQUIRE(messages.back().type == 'Z');
        CHECK(messages.front().type == 'R');
    }
    std::string texts[2];
    for (int i = 0; i < 2; ++i) {
        WireClient client(fixture.server.port());
        const std::string user = i == 0 ? "admin" : "nobody";
        const auto messages = scramLogin(client, user, i == 0 ? "wrong" : "secret");
        REQUIRE(messages.size() == 1);
        CHECK(errorField(messages[0], 'S') == "FATAL");
        CHECK(errorField(messages[0], 'C') == "28P01");
        texts[i] = errorField(messages[0], 'M');
        CHECK(texts[i] == "password authentication failed for user \"" + user + "\"");
    }
}

TEST_CASE("Redshift's drivers get digest 13, and MD5 where nothing else is stored") {
    Fixture fixture({.trust = false});
    WireClient client(fixture.server.port());
    client.startup({{"user", "admin"}, {"database", "dev"}, {"client_protocol_version", "3"}});
    const ServerMessage request = client.read();
    FieldReader fields(request.body);
    REQUIRE(fields.readInt32() == 13);
    CHECK(fields.readInt32() == 0);
    const std::string salt(fields.readBytes(size_t(fields.readInt32())));
    const std::string server_nonce(fields.readBytes(size_t(fields.readInt32())));
    const Sha256 inner = sha256("secret" + salt);
    const Sha256 digest = sha256(std::string(asView(inner)) + server_nonce + "12345");
    client.out().begin('d');
    client.out().int32(32).bytes(asView(digest)).int32(5).bytes("12345").end();
    client.flush();
    const auto messages = client.readToReady();
    bool granted = false;
    for (const ServerMessage& message : messages)
        granted = granted || message.body == std::string("server_protocol_version\0002\0", 26);
    CHECK(granted);

    fixture.engine.users["old"] = {.name = "old", .md5_verifier = "md5" + md5Hex("pwold")};
    WireClient old(fixture.server.port());
    old.startup({{"user", "old"}, {"database", "dev"}, {"client_protocol_version", "1"}});
    const ServerMessage asked = old.read();
    FieldReader old_fields(asked.body);
    REQUIRE(old_fields.readInt32() == 5);
    const std::string answer = "md5" + md5Hex(md5Hex("pwold") + std::string(old_fields.rest()));
    old.out().begin('p');
    old.out().text(answer).end();
    old.flush();
    CHECK(old.readToReady().back().type == 'Z');

    // Others are never asked for MD5.
    WireClient other(fixture.server.port());
    const auto refused = scramLogin(other, "old", "pwold");
    REQUIRE(refused.size() == 1);
    CHECK(errorField(refused[0], 'C') == "28P01");
}

TEST_CASE("simple queries: rows, several statements, errors and blocks") {
    Fixture fixture;
    WireClient client(fixture.server.port());
    client.login();
    CHECK(typesOf(client.query("")) == "IZ");
    CHECK(typesOf(client.query(" ; ")) == "IZ");
    auto messages = client.query("select 42");
    CHECK(typesOf(messages) == "TDCZ");
    CHECK(rowOf(messages[1]) == std::vector<std::string>{"42"});

    CHECK(errorField(client.query("select $1")[0], 'C') == "42P02");
    messages = client.query("select * from numbers(5)");
    CHECK(typesOf(messages) == "TDDDDDCZ");
    CHECK(rowOf(messages[1]) == std::vector<std::string>{"0", "row number 0", "-2.0000", "t"});
    CHECK(rowOf(messages[2]) == std::vector<std::string>{"1", "row number 1", "-0.7655", "f"});
    CHECK(rowOf(messages[4]) == std::vector<std::string>{"3", "<null>", "1.7035", "f"});

    fixture.engine.journal.take();
    CHECK(typesOf(client.query("insert; insert; select 1")) == "CCTDCZ");
    CHECK(fixture.engine.journal.take() ==
          std::vector<std::string>{"insert in block", "insert in block", "commit block"});
    // The position counts characters from the start of the whole text.
    messages = client.query("insert; select '\xC3\xA4'; select broken; insert");
    CHECK(typesOf(messages) == "CTDCEZ");
    CHECK(errorField(messages[4], 'C') == "42703");
    CHECK(errorField(messages[4], 'P') == "28");
    CHECK(errorField(messages[4], 'H') == "Name a column.");
    CHECK(fixture.engine.journal.take() == std::vector<std::string>{"insert in block", "rollback"});

    CHECK(client.query("begin").back().body == "T");
    CHECK(client.query("crash").back().body == "E");
    messages = client.query("select 1");
    CHECK(errorField(messages[0], 'C') == "25P02");
    CHECK(client.query("rollback").back().body == "I");
    CHECK(typesOf(client.query("notice")) == "NCZ");
    CHECK(typesOf(client.query("set TimeZone to CET")) == "CSZ");
}

TEST_CASE("a text above 16 MiB is refused, and the session goes on") {
    Fixture fixture;
    WireClient client(fixture.server.port());
    client.login();
    const auto messages = client.query("select " + std::string(16 * 1024 * 1024, ' ') + "1");
    CHECK(errorField(messages[0], 'C') == "54000");
    CHECK(typesOf(client.query("select 1")) == "TDCZ");
}

TEST_CASE("an error after rows ends the result") {
    Fixture fixture;
    WireClient client(fixture.server.port());
    client.login();
    const auto messages = client.query("select fail from numbers(2000)");
    CHECK(messages.size() == 1 + 1024 + 2);
    CHECK(errorField(messages[messages.size() - 2], 'C') == "22012");
}

TEST_CASE("an error inside a row leaves no torn message") {
    Fixture fixture;
    WireClient client(fixture.server.port());
    client.login();
    auto messages = client.query("select unprintable");
    CHECK(typesOf(messages) == "TEZ");
    CHECK(errorField(messages[1], 'M') == "unprintable");
    client.parse("", "select unprintable");
    client.bind("", "", {});
    client.execute("");
    CHECK(typesOf(client.sync()) == "12EZ");
    CHECK(typesOf(client.query("select 1")) == "TDCZ");
}

TEST_CASE("extended protocol: parameters, describe, limits and errors") {
    Fixture fixture;
    WireClient client(fixture.server.port());
    client.login();
    client.parse("s", "select $1, $2", {23, 0});
    client.describe('S', "s");
    client.bind("", "s", {"7", "text"});
    client.describe('P', "");
    client.execute("");
    auto messages = client.sync();
    CHECK(typesOf(messages) == "1tT2TDCZ");
    CHECK(rowOf(messages[5]) == std::vector<std::string>{"7", "text"});

    // Text parameters outlive the message they came in.
    client.bind("a", "s", {"1", "first"});
    client.bind("b", "s", {"2", "second"});
    client.execute("a");
    client.execute("b");
    messages = client.sync();
    CHECK(typesOf(messages) == "22DCDCZ");
    CHECK(rowOf(messages[2])[1] == "first");
    CHECK(rowOf(messages[4])[1] == "second");

    client.bind("", "s", {"x", "y"});
    client.execute("");
    messages = client.sync();
    CHECK(typesOf(messages) == "EZ");
    CHECK(errorField(messages[0], 'C') == "22P02");

    client.parse("s", "select 1");
    CHECK(errorField(client.sync()[0], 'C') == "42P05");
    client.bind("", "missing", {});
    CHECK(errorField(client.sync()[0], 'C') == "26000");
    client.execute("missing");
    CHECK(errorField(client.sync()[0], 'C') == "34000");
    client.bind("", "s", {"1"});
    CHECK(errorField(client.sync()[0], 'C') == "08P01");
    CHECK(typesOf(client.query("deallocate prepare \"s\"")) == "CZ");
    client.describe('S', "s");
    CHECK(errorField(client.sync()[0], 'C') == "26000");
}

TEST_CASE("Flush brings an error before the Sync that its client only then sends") {
    Fixture fixture;
    WireClient client(fixture.server.port());
    client.login();
    client.describe('S', "missing");
    client.out().empty('H');
    client.flush();
    CHECK(errorField(client.read(), 'C') == "26000");
    CHECK(typesOf(client.sync()) == "Z");
}

TEST_CASE("portals: row limits, suspension, and their end with the transaction") {
    Fixture fixture;
    WireClient client(fixture.server.port());
    client.login();
    client.query("begin");
    client.parse("", "select * from numbers(2500)");
    client.bind("p", "", {});
    client.execute("p", 2);
    auto messages = client.sync();
    CHECK(typesOf(messages) == "12DDsZ");
    client.execute("p", 1030);
    messages = client.sync();
    CHECK(messages.size() == 1030 + 2);
    CHECK(rowOf(messages[0])[0] == "2");
    CHECK(rowOf(messages[1029])[0] == "1031");
    client.execute("p");
    messages = client.sync();
    CHECK(messages.size() == 2500 - 1032 + 2);
    client.execute("p");
    CHECK(typesOf(client.sync()) == "CZ");
    client.query("commit");
    client.execute("p");
    CHECK(errorField(client.sync()[0], 'C') == "34000");
}

TEST_CASE("extended statements between two Syncs commit together, a lone one alone") {
    Fixture fixture;
    WireClient client(fixture.server.port());
    client.login();
    fixture.engine.journal.take();
    client.parse("i", "insert");
    client.bind("", "i", {});
    client.execute("");
    client.sync();
    CHECK(fixture.engine.journal.take() == std::vector<std::string>{"insert"});
    for (int i = 0; i < 2; ++i) {
        client.bind("", "i", {});
        client.execute("");
    }
    client.sync();
    CHECK(fixture.engine.journal.take() ==
          std::vector<std::string>{"insert in block", "insert in block", "commit block"});
    client.bind("", "i", {});
    client.execute("");
    client.parse("f", "fail");
    client.bind("", "f", {});
    client.execute("");
    client.bind("", "i", {});
    client.execute("");
    CHECK(typesOf(client.sync()) == "2C12EZ");
    CHECK(fixture.engine.journal.take() == std::vector<std::string>{"insert in block", "rollback"});
}

TEST_CASE("binary results and parameters") {
    Fixture fixture;
    WireClient client(fixture.server.port());
    client.login();
    client.parse("", "select * from types");
    client.bind("", "", {}, true);
    client.execute("");
    const auto messages = client.sync();
    REQUIRE(typesOf(messages) == "12DCZ");
    const std::vector<std::string> row = rowOf(messages[2]);
    CHECK(toHex(row[0]) == "01");
    CHECK(toHex(row[1]) == "fff9");
    CHECK(toHex(row[2]) == "00011170");
    CHECK(toHex(row[3]) == "fffffffed5fa0e00");
    CHECK(toHex(row[4]) == "3fc00000");
    CHECK(toHex(row[5]) == "c002000000000000");
    CHECK(row[6] == "gr\xC3\xBC\xC3\x9F");
    CHECK(toHex(row[7]) == "00002328");
    CHECK(row[9].size() == 8);
    CHECK(toHex(row[12]) == "00001092");
    CHECK(row[13] == "admin");

    std::string eight;
    appendInt64(eight, -9);
    client.parse("", "select $1", {20});
    client.bind("", "", {eight}, true);
    client.execute("");
    CHECK(rowOf(client.sync()[2])[0] == eight);
    client.parse("", "select $1", {20});
    client.bind("", "", {"123"}, true);
    CHECK(errorField(client.sync()[1], 'C') == "22P03");
}

TEST_CASE("COPY in and out, failing from either side") {
    Fixture fixture;
    WireClient client(fixture.server.port());
    client.login();
    fixture.engine.journal.take();
    const auto copy = [&](std::vector<std::string> pieces, char end) {
        client.out().begin('Q');
        client.out().text("copy t from stdin").end();
        client.flush();
        REQUIRE(client.read().type == 'G');
        for (const std::string& piece : pieces) {
            client.out().begin('d');
            client.out().bytes(piece).end();
        }
        client.out().begin(end);
        if (end == 'f') client.out().text("changed my mind");
        client.out().end();
        client.flush();
        return client.readToReady();
    };
    auto messages = copy({"1\ta\n", "", "2\tb\n"}, 'c');
    CHECK(typesOf(messages) == "CZ");
    CHECK(messages[0].body == std::string("COPY 2\0", 7));
    CHECK(fixture.engine.journal.take() == std::vector<std::string>{"copied 8"});
    messages = copy({"1\ta\n"}, 'f');
    CHECK(errorField(messages[0], 'C') == "57014");
    CHECK(errorField(messages[0], 'M') == "COPY from stdin failed: changed my mind");
    messages = copy({"1\n!\n", "3\n"}, 'c');
    CHECK(errorField(messages[0], 'C') == "22P04");
    CHECK(typesOf(client.query("select 1")) == "TDCZ");

    messages = client.query("copy 4 to stdout");
    CHECK(typesOf(messages) == "HddddcCZ");
    CHECK(messages[4].body == "3\tline\n");
}

TEST_CASE("cancel requests stop a statement; wrong keys do nothing") {
    Fixture fixture;
    WireClient client(fixture.server.port());
    i32 process_id = 0, key = 0;
    for (const ServerMessage& message : client.login()) {
        if (message.type != 'K') continue;
        FieldReader fields(message.body);
        process_id = fields.readInt32();
        key = fields.readInt32();
    }
    client.out().begin('Q');
    client.out().text("sleep").end();
    client.flush();
    fixture.engine.waitForSleeper();
    for (const i32 used_key : {key + 1, key}) {
        WireClient canceller(fixture.server.port());
        std::string request;
        appendInt32(request, 16);
        appendInt32(request, 80877102);
        appendInt32(request, process_id);
        appendInt32(request, used_key);
        canceller.send(request);
        CHECK(canceller.readToEnd().empty());
    }
    const auto messages = client.readToReady();
    CHECK(errorField(messages[0], 'C') == "57014");
    CHECK(typesOf(client.query("select 1")) == "TDCZ");
}

TEST_CASE("terminated sessions, vanished clients and the server's end") {
    Fixture fixture;
    WireClient idle(fixture.server.port());
    WireClient busy(fixture.server.port());
    i32 idle_id = 0;
    for (const ServerMessage& message : idle.login())
        if (message.type == 'K') idle_id = FieldReader(message.body).readInt32();
    busy.login();
    fixture.engine.terminate(idle_id);
    const auto last = idle.readToEnd();
    REQUIRE(last.size() == 1);
    CHECK(errorField(last[0], 'C') == "57P01");

    busy.out().begin('Q');
    busy.out().text("sleep").end();
    busy.flush();
    fixture.engine.waitForSleeper();
    busy.socket().close(); // the watcher cancels for the client that is gone

    WireClient waiting(fixture.server.port());
    waiting.login();
    fixture.server.stop();
    const auto farewell = waiting.readToEnd();
    REQUIRE(farewell.size() == 1);
    CHECK(errorField(farewell[0], 'C') == "57P01");
    CHECK(fixture.engine.connectionCount() == 0);
}

TEST_CASE("malformed bytes end the session with 08P01") {
    Fixture fixture;
    const std::pair<const char*, std::string> cases[] = {
        {"negative length", std::string("Q\xFF\xFF\xFF\xFF", 5)},
        {"short length", std::string("Q\0\0\0\3", 5)},
        {"huge length", std::string("S\x7F\xFF\xFF\xFF", 5)},
        {"unknown type", std::string("!\0\0\0\4", 5)},
        {"query without end", std::string("Q\0\0\0\6ab", 7)},
        {"bytes behind a query", std::string("Q\0\0\0\7a\0b", 8)},
        {"bind cut short", std::string("B\0\0\0\6\0\0", 7)},
        {"bind with a negative field",
         std::string("B\0\0\0\20\0\0\0\0\0\1\xFF\xFF\xFF\xFE\0\0", 17)},
        {"bytes behind Sync", std::string("S\0\0\0\5x", 6)},
        {"describe of nothing", std::string("D\0\0\0\6X\0", 7)},
    };
    for (const auto& [name, bytes] : cases) {
        CAPTURE(name);
        WireClient client(fixture.server.port());
        client.login();
        client.send(bytes);
        const auto messages = client.readToEnd();
        REQUIRE(messages.size() == 1);
        CHECK(errorField(messages[0], 'S') == "FATAL");
        CHECK(errorField(messages[0], 'C') == "08P01");
    }
    for (const std::string& bytes :
         {std::string("\0\0\0\4", 4), std::string("\x7F\xFF\xFF\xFF\0\3\0\0", 8),
          std::string("\0\0\0\11\0\3\0\0x", 9), std::string("GET / HTTP/1.1\r\n\r\n")}) {
        WireClient client(fixture.server.port());
        client.send(bytes);
        const auto messages = client.readToEnd();
        REQUIRE(messages.size() == 1);
        CHECK(messages[0].type == 'E');
    }
    WireClient client(fixture.server.port());
    client.login();
    const auto messages = client.query("select '\xC3'");
    CHECK(errorField(messages[0], 'C') == "22021");
}

TEST_CASE("a busy port is named with the remedy") {
    Fixture fixture;
    Server second;
    const Status status = second.listen({.port = fixture.server.port()});
    REQUIRE(!status.has_value());
    CHECK(status.error().sqlstate == "55006");
    CHECK(status.error().message.find(std::to_string(fixture.server.port())) != std::string::npos);
    CHECK(!status.error().hint.empty());
}

TEST_CASE("clients that do not authenticate in time are sent away") {
    Fixture fixture({.trust = false, .authentication_timeout_ms = 1});
    WireClient client(fixture.server.port());
    const auto messages = client.readToEnd();
    REQUIRE(messages.size() == 1);
    CHECK(errorField(messages[0], 'M') == "canceling authentication due to timeout");
}
