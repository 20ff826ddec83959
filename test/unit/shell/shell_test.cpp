// Statement splitting, result formats, error texts and settings of the command line.
#include <doctest/doctest.h>

#include <algorithm>

#include "shell/result_writer.h"
#include "shell/settings.h"
#include "shell/statement_reader.h"
#include "shell/statement_runner.h"

using namespace blueshift;
using namespace blueshift::shell;

namespace {

std::vector<std::string> split(std::string_view text) {
    StatementReader reader;
    reader.add(text);
    std::vector<std::string> statements;
    while (const auto statement = reader.next()) statements.push_back(*statement);
    if (const std::string rest = reader.rest(); !rest.empty()) statements.push_back("rest:" + rest);
    return statements;
}

std::string print(Format format, u32 width, const std::vector<ResultColumn>& columns,
                  const std::vector<std::vector<Cell>>& rows) {
    std::string out;
    const auto writer = makeResultWriter(format, width, out);
    writer->begin(columns);
    for (const auto& row : rows) writer->row(row);
    writer->end();
    return out;
}

using Strings = std::vector<std::string>;

} // namespace

TEST_CASE("statements end at semicolons outside quotes and comments") {
    CHECK(split("select 1; select 2;\n") == Strings{"select 1", "select 2"});
    CHECK(split("select ';' ; select \";\"\"\" ;") == Strings{"select ';' ", "select \";\"\"\" "});
    CHECK(split("select 1 -- ; no\n;") == Strings{"select 1 -- ; no\n"});
    CHECK(split("/* a ; /* b ; */ ; */ select 1;") == Strings{"/* a ; /* b ; */ ; */ select 1"});
    CHECK(split("select $$;$$, $x$;$$;$x$; select $1;") ==
          Strings{"select $$;$$, $x$;$$;$x$", "select $1"});
    CHECK(split(";;  ; -- nothing\n").empty());
    CHECK(split("select 'it''s;'") == Strings{"rest:select 'it''s;'"});
    CHECK(split("a;\n\n  b") == Strings{"a", "rest:b"});
}

TEST_CASE("the prompt says what is open") {
    StatementReader reader;
    CHECK(reader.mark() == '=');
    const std::pair<const char*, char> lines[] = {
        {"select\n", '-'}, {"'a\n", '\''}, {"b' \"c\n", '"'}, {"\" /*\n", '*'}, {"*/ $t$\n", '$'}};
    for (const auto& [line, mark] : lines) {
        reader.add(line);
        CHECK(!reader.next());
        CHECK(reader.mark() == mark);
    }
    reader.add("$t$;");
    CHECK(reader.next().has_value());
    CHECK(reader.mark() == '=');
    CHECK(reader.blank());
}

TEST_CASE("formats") {
    const std::vector<ResultColumn> columns = {{"n", true}, {"text", false}, {"ok", false, true}};
    const std::vector<std::vector<Cell>> rows = {
        {"1", "a,\"b\"\n", "t"}, {"-2.5", "", {}}, {{}, "x|y\tz", "f"}};
    CHECK(print(Format::kCsv, 0, columns, rows) ==
          "n,text,ok\n1,\"a,\"\"b\"\"\n\",t\n-2.5,\"\",\n,x|y\tz,f\n");
    CHECK(print(Format::kTsv, 0, columns, rows) ==
          "n\ttext\tok\n1\ta,\"b\"\\n\tt\n-2.5\t\t\\N\n\\N\tx|y\\tz\tf\n");
    CHECK(print(Format::kJsonLines, 0, columns, rows) ==
          "{\"n\":1,\"text\":\"a,\\\"b\\\"\\n\",\"ok\":true}\n"
          "{\"n\":-2.5,\"text\":\"\",\"ok\":null}\n"
          "{\"n\":null,\"text\":\"x|y\\tz\",\"ok\":false}\n");
    CHECK(print(Format::kJson, 0, columns, {}) == "[]\n");
    CHECK(print(Format::kJsonLines, 0, {{"x", true}}, {{"NaN"}}) == "{\"x\":\"NaN\"}\n");
    CHECK(print(Format::kMarkdown, 0, columns, {rows[2]}) ==
          "| n | text | ok |\n| ---: | --- | --- |\n| NULL | x\\|y\tz | f |\n");
    CHECK(print(Format::kLine, 0, columns, {rows[1]}) == "   n = -2.5\ntext = \n  ok = NULL\n");
}

TEST_CASE("boxes fit the terminal") {
    const std::vector<ResultColumn> columns = {{"id", true}, {"label", false}};
    const std::string box =
        print(Format::kBox, 0, columns, {{"7", "gr\xC3\xBC\xC3\x9F"}, {"12", {}}});
    CHECK(box.find("\xE2\x94\x82  7 \xE2\x94\x82 gr\xC3\xBC\xC3\x9F  \xE2\x94\x82") !=
          std::string::npos);
    CHECK(box.find("\xE2\x94\x82 12 \xE2\x94\x82 NULL  \xE2\x94\x82") != std::string::npos);
    const std::string narrow = print(Format::kBox, 24, columns, {{"7", std::string(200, 'x')}});
    size_t begin = 0;
    while (begin < narrow.size()) {
        const size_t end = narrow.find('\n', begin);
        CHECK(displayWidth(std::string_view(narrow).substr(begin, end - begin)) == 24);
        begin = end + 1;
    }
    CHECK(narrow.find("x\xE2\x80\xA6 ") != std::string::npos);
    // An escape sequence in data must not reach the terminal.
    CHECK(print(Format::kBox, 0, columns, {{"1", "\033[2J"}}).find('\033') == std::string::npos);
}

TEST_CASE("long results keep the widths of their first rows") {
    std::vector<std::vector<Cell>> rows(1500, {"1", "short"});
    rows.push_back({"1", "a text that is longer"});
    const std::string box = print(Format::kBox, 0, {{"id", true}, {"label", false}}, rows);
    CHECK(std::ranges::count(box, '\n') == 1501 + 4);
    CHECK(box.find("a te\xE2\x80\xA6") != std::string::npos);
}

TEST_CASE("errors show the line and a caret under the character") {
    Error error = Error("42703", "column \"b\" does not exist").withHint("Name a column.").at(17);
    CHECK(formatError(error, "select '\xC3\xA4',\n    b\nfrom t") ==
          "ERROR 42703: column \"b\" does not exist\nLINE 2:     b\n            ^\nHINT: Name a "
          "column.\n");
    const std::string wide = "select " + std::string(200, 'a') + " here";
    const std::string text = formatError(Error("42601", "x").at(209), wide);
    const size_t context = text.find("LINE 1: ...");
    REQUIRE(context != std::string::npos);
    const size_t caret = text.find("^\n") - (text.find('\n', context) + 1);
    CHECK(text.substr(context + caret, 4) == "here");
}

TEST_CASE("sizes and near names") {
    CHECK(parseByteSize("8GiB") == 8ull << 30);
    CHECK(parseByteSize("512 MiB") == 512ull << 20);
    CHECK(parseByteSize("3GB") == 3'000'000'000ull);
    CHECK(parseByteSize("123") == 123ull);
    for (const char* bad : {"", "GiB", "8XiB", "-1", "99999999999TiB"}) CHECK(!parseByteSize(bad));
    constexpr std::string_view kNames[] = {"host", "port", "http_port"};
    CHECK(nearestName("prot", kNames) == "port");
    CHECK(nearestName("http-port", kNames) == "http_port");
    CHECK(nearestName("completely_else", kNames).empty());
}

TEST_CASE("settings: file below environment below flags") {
    ServeSettings settings;
    REQUIRE(applySettingsFile("port = 1000\nhost = \"0.0.0.0\"\ntrust = true\nmemory = \"1GiB\"\n",
                              "blueshift.toml", settings)
                .has_value());
    const std::vector<std::pair<std::string, std::string>> variables = {
        {"PATH", "/bin"},
        {"BLUESHIFT_PORT", "2000"},
        {"BLUESHIFT_THREADS", "3"},
        {"BLUESHIFT_PASSWORD", "pw"}};
    REQUIRE(applyEnvironment(variables, settings).has_value());
    constexpr std::string_view kFlags[] = {"--port", "3000", "place", "--http-port=0"};
    REQUIRE(applyFlags(kFlags, settings).has_value());
    CHECK(settings.port == 3000);
    CHECK(settings.threads == 3);
    CHECK(settings.host == "0.0.0.0");
    CHECK(settings.memory_bytes == 1ull << 30);
    CHECK(settings.trust);
    CHECK(settings.password == "pw");
    CHECK(settings.data == "place");
    CHECK(settings.http_port == 0);
}

TEST_CASE("unknown settings name the nearest known one") {
    ServeSettings settings;
    Status status = applySettingsFile("hst = \"x\"\n", "f.toml", settings);
    CHECK(status.error().hint == "Did you mean host?");
    CHECK(status.error().message.find("f.toml") != std::string::npos);
    status = applySettingsFile("port = ", "f.toml", settings);
    CHECK(status.error().sqlstate == "F0000");
    CHECK(status.error().message.starts_with("f.toml:1:"));
    CHECK(!applySettingsFile("[port]\na = 1\n", "f.toml", settings).has_value());
    const std::vector<std::pair<std::string, std::string>> variables = {{"BLUESHIFT_PROT", "1"}};
    CHECK(applyEnvironment(variables, settings).error().hint == "Did you mean BLUESHIFT_PORT?");
    constexpr std::string_view kUnknown[] = {"--http-prt", "1"};
    CHECK(applyFlags(kUnknown, settings).error().hint == "Did you mean --http-port?");
    constexpr std::string_view kMissing[] = {"--port"};
    CHECK(applyFlags(kMissing, settings).error().message == "option --port needs a value");
    constexpr std::string_view kRange[] = {"--port", "70000"};
    CHECK(applyFlags(kRange, settings).error().message == "invalid value \"70000\" for --port");
    constexpr std::string_view kTwo[] = {"a", "b"};
    CHECK(!applyFlags(kTwo, settings).has_value());
}
