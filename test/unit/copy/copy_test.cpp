// COPY through the engine: files, the client, bad rows, defaults, all or nothing, and out again.
#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "statement.h"

namespace blueshift {
namespace {

class TextSource final : public CopySource {
public:
    TextSource(std::string text, size_t piece) : text_(std::move(text)), piece_(piece) {}
    Result<std::span<const char>> read() override {
        if (breaks_at && at_ >= *breaks_at) return failure("57014", "COPY from stdin failed: gone");
        const size_t count = std::min(piece_, text_.size() - at_);
        at_ += count;
        return std::span<const char>(text_.data() + at_ - count, count);
    }
    std::optional<size_t> breaks_at;

private:
    std::string text_;
    size_t piece_;
    size_t at_ = 0;
};

/// An engine on a place of its own with one connection.
struct Place {
    explicit Place(u32 threads = 2) {
        char pattern[] = "/tmp/copy-test-XXXXXX";
        folder = mkdtemp(pattern);
        EngineOptions options{.place = folder + "/place", .threads = threads};
        options.admin_password = "Abcdefg1";
        engine = std::move(Engine::open(options).value());
        connection = engine->connect({});
    }
    ~Place() {
        connection.reset();
        (void)engine->shutdown();
        engine.reset();
        std::filesystem::remove_all(folder);
    }

    /// Rows as text, cells by '|'; the tag for commands.
    std::string run(const std::string& sql, CopySource* source = nullptr) {
        try {
            auto prepared = connection->prepare(sql);
            auto execution = connection->execute(*prepared, {}, {.source = source});
            std::string out;
            Batch batch;
            if (execution->kind() == ResultKind::kCopyIn)
                while (execution->next(batch)) {}
            if (execution->kind() == ResultKind::kCopyOut)
                for (auto piece = execution->nextBytes(); !piece.empty();
                     piece = execution->nextBytes())
                    out += piece;
            while (execution->kind() == ResultKind::kRows && execution->next(batch))
                for (u32 i = 0; i < batch.selected; ++i) {
                    for (size_t c = 0; c < batch.columns.size(); ++c) {
                        if (c > 0) out += '|';
                        if (batch.columns[c].isNull(batch.rowAt(i))) out += "<null>";
                        else
                            connection->appendText(out, batch.columns[c], batch.rowAt(i),
                                                   execution->fields()[c].type);
                    }
                    out += '\n';
                }
            const std::string tag = execution->finish();
            return out.empty() ? tag : out;
        } catch (const SqlError& failed) {
            error = failed.error();
            connection->failed();
            return "error " + error.sqlstate;
        }
    }
    std::string file(const std::string& name, const std::string& text) {
        std::ofstream(folder + "/" + name, std::ios::binary) << text;
        return folder + "/" + name;
    }

    std::string folder;
    std::unique_ptr<Engine> engine;
    std::unique_ptr<Connection> connection;
    Error error;
};

TEST_CASE("a directory of files, columns named, defaults for the rest") {
    Place place;
    CHECK(place.run("CREATE TABLE t (a INTEGER, b VARCHAR(10) DEFAULT 'dflt', c DATE, d "
                    "DECIMAL(5,2) DEFAULT 1.5)") == "CREATE TABLE");
    std::filesystem::create_directory(place.folder + "/in");
    place.file("in/1", "1|2020-01-01\n2|\n");
    place.file("in/2", "3|2020-01-03");
    CHECK(place.run("COPY t (a, c) FROM '" + place.folder + "/in/'") == "COPY 3");
    CHECK(place.run("SELECT * FROM t ORDER BY a") ==
          "1|dflt|2020-01-01|1.50\n2|dflt|<null>|1.50\n3|dflt|2020-01-03|1.50\n");
    const auto notices = place.connection->takeNotices();
    REQUIRE(notices.size() == 1);
    CHECK(notices[0].error.message ==
          "Load into table 't' completed, 3 record(s) loaded successfully.");
    CHECK(place.run("COPY t (c, a) FROM '" + place.file("swapped", "2021-01-01|9\n") + "'") ==
          "COPY 1");
    CHECK(place.run("SELECT a, c FROM t WHERE a = 9") == "9|2021-01-01\n");
}

TEST_CASE("a bad row fails the whole load and is told with file, line and column") {
    Place place;
    place.run("CREATE TABLE t (a INTEGER, b VARCHAR(3))");
    std::string text;
    for (int i = 1; i <= 300'000; ++i)
        text += std::to_string(i) + (i == 200'000 || i == 290'000 ? "x" : "") + ",abc\n";
    const std::string path = place.file("bad.csv", text);
    for (int round = 0; round < 3; ++round) {
        CHECK(place.run("COPY t FROM '" + path + "' CSV") == "error 22P02");
        CHECK(place.error.detail.find("line 200000, column \"a\" (integer): value '200000x'") !=
              std::string::npos);
        CHECK(place.error.message.starts_with("Load into table 't' failed."));
    }
    CHECK(place.run("SELECT COUNT(*) FROM t") == "0\n");
    CHECK(place.run("COPY t FROM '" + path + "' CSV MAXERROR 2") == "error 22P02");
    CHECK(place.run("COPY t FROM '" + path + "' CSV MAXERROR 3 NOLOAD") == "COPY 299998");
    CHECK(place.run("SELECT COUNT(*) FROM t") == "0\n");
    CHECK(place.run("COPY t FROM '" + path + "' CSV MAXERROR 3") == "COPY 299998");
    CHECK(place.run("SELECT COUNT(*), SUM(a) FROM t") == "299998|44999660000\n");
}

TEST_CASE("COPY inside of a block is undone with it") {
    Place place;
    place.run("CREATE TABLE t (a INTEGER)");
    const std::string path = place.file("ok", "1\n2\n");
    place.run("BEGIN");
    CHECK(place.run("COPY t FROM '" + path + "'") == "COPY 2");
    CHECK(place.run("SELECT COUNT(*) FROM t") == "2\n");
    place.run("ROLLBACK");
    CHECK(place.run("SELECT COUNT(*) FROM t") == "0\n");
}

TEST_CASE("STDIN: text and CSV of PostgreSQL, any pieces; a client that gives up loads nothing") {
    for (size_t piece : {size_t{1}, size_t{5}, size_t{100'000}}) {
        Place place;
        place.run("CREATE TABLE t (a INTEGER, b VARCHAR(20))");
        TextSource text("1\tx\\ty\n2\t\\N\n\\.\n", piece);
        CHECK(place.run("COPY t FROM STDIN", &text) == "COPY 2");
        TextSource csv("a,b\n3,\"q\"\"q\n\"\n4,\n5,\"\"\n", piece);
        CHECK(place.run("COPY t FROM STDIN WITH (FORMAT csv, HEADER true)", &csv) == "COPY 3");
        CHECK(place.run("SELECT * FROM t ORDER BY a") ==
              "1|x\ty\n2|<null>\n3|q\"q\n\n4|<null>\n5|\n");
        TextSource gone("6\ta\n7\tb\n", 1);
        gone.breaks_at = 6;
        CHECK(place.run("COPY t FROM STDIN", &gone) == "error 57014");
        CHECK(place.run("SELECT COUNT(*) FROM t") == "5\n");
    }
}

TEST_CASE("STDOUT: text, CSV, queries, and back in") {
    Place place;
    place.run("CREATE TABLE t (a INTEGER, b VARCHAR(20), c DECIMAL(5,2))");
    place.run(
        "INSERT INTO t VALUES (1, 'a,b', 1.5), (2, NULL, -2), (3, 'q\"\\\t', NULL), (4, '', 0)");
    CHECK(place.run("COPY (SELECT * FROM t ORDER BY a) TO STDOUT") ==
          "1\ta,b\t1.50\n2\t\\N\t-2.00\n3\tq\"\\\\\\t\t\\N\n4\t\t0.00\n");
    const std::string csv =
        place.run("COPY (SELECT * FROM t ORDER BY a) TO STDOUT WITH (FORMAT csv, HEADER)");
    CHECK(csv == "a,b,c\n1,\"a,b\",1.50\n2,,-2.00\n3,\"q\"\"\\\t\",\n4,\"\",0.00\n");
    CHECK(place.run("COPY t (c, a) TO STDOUT WITH (FORMAT csv)").size() ==
          std::string("1.50,1\n-2.00,2\n,3\n0.00,4\n").size());
    place.run("CREATE TABLE u (a INTEGER, b VARCHAR(20), c DECIMAL(5,2))");
    TextSource source(csv, 7);
    CHECK(place.run("COPY u FROM STDIN WITH (FORMAT csv, HEADER)", &source) == "COPY 4");
    CHECK(
        place.run("SELECT COUNT(*) FROM t JOIN u ON t.a = u.a AND NVL(t.b, '?') = NVL(u.b, '?')") ==
        "4\n");
    CHECK(place.run("COPY (SELECT 1 WHERE false) TO STDOUT") == "COPY 0");
    const std::string binary = place.run("COPY (SELECT 7::integer) TO STDOUT WITH (FORMAT binary)");
    CHECK(binary ==
          std::string("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\4\0\0\0\7\377\377", 31));
    CHECK(place.run("COPY nothing TO STDOUT") == "error 42P01");
}

TEST_CASE("large results come out in pieces, whole") {
    Place place;
    place.run("CREATE TABLE t (a INTEGER, b VARCHAR(100))");
    std::string text;
    for (int i = 0; i < 50'000; ++i)
        text += std::to_string(i) + "|" + std::string(size_t(i % 50), 'z') + "\n";
    CHECK(place.run("COPY t FROM '" + place.file("big", text) + "'") == "COPY 50000");
    CHECK(place.run(
              "COPY (SELECT * FROM t ORDER BY a) TO STDOUT WITH (FORMAT text, DELIMITER '|')") ==
          text);
}

} // namespace
} // namespace blueshift
