// Records and fields of every text layout, and what is said of those that are wrong.
#include <doctest/doctest.h>

#include "rows_of.h"

namespace blueshift::storage {
namespace {

using Rows = std::vector<std::string>;

TEST_CASE("delimited: fields, trailing delimiters, carriage returns, no last newline") {
    const TextFormat format;
    CHECK(loadText("a|b|c\n1||3\n", format, textFields(3)).rows == Rows{"a|b|c", "1||3"});
    CHECK(loadText("a|b|c|\r\n1|2|3|\r\n", format, textFields(3)).rows == Rows{"a|b|c", "1|2|3"});
    CHECK(loadText("a|b|c", format, textFields(3)).rows == Rows{"a|b|c"});
    CHECK(loadText("\\N|x\n", format, textFields(2)).rows == Rows{"<null>|x"});
    CHECK(loadText("", format, textFields(3)).rows.empty());
    CHECK(loadText("\xEF\xBB\xBF"
                   "a|b\n",
                   format, textFields(2))
              .rows == Rows{"a|b"});
}

TEST_CASE("delimited: ESCAPE and REMOVEQUOTES") {
    TextFormat format;
    format.escapes = true;
    CHECK(loadText("a\\|b|c\\\\\nx\\\ny|z\n", format, textFields(2)).rows ==
          Rows{"a|b|c\\", "x\ny|z"});
    CHECK(loadText("\\N|\\\\N\n", format, textFields(2)).rows == Rows{"<null>|\\N"});
    format.escapes = false;
    format.remove_quotes = true;
    CHECK(loadText("\"a|b\"|c\n5\" pipe|\"\"\n", format, textFields(2)).rows ==
          Rows{"a|b|c", "5\" pipe|"});
}

TEST_CASE("CSV: quotes, doubled quotes, newlines inside, quotes in the middle") {
    const TextFormat format = csvFormat();
    CHECK(loadText("a,\"b,c\"\n\"x\"\"y\",\"line1\nline2\"\n", format, textFields(2)).rows ==
          Rows{"a|b,c", "x\"y|line1\nline2"});
    CHECK(loadText("\"\",\"a\"\r\n\"q\"\"\",z\r\n", format, textFields(2)).rows ==
          Rows{"|a", "q\"|z"});
    CHECK(loadText("ab\"c,d\"e,f\n", format, textFields(2)).rows == Rows{"abc,de|f"});
    CHECK(loadText("\"a\"b\"c\",d\n", format, textFields(2)).rows == Rows{"abc|d"});
}

TEST_CASE("CSV: an escape that is not the quote") {
    TextFormat format = postgresFormat(TextLayout::kCsv);
    format.escape = '\\';
    for (u32 chunk : {8u, 64u, 4096u})
        CHECK(loadText("\"a\\\"b\",\"c\\\\\"\n\"d\n\\\"e\",f\\g\n", format, textFields(2), chunk)
                  .rows == Rows{"a\"b|c\\", "d\n\"e|f\\g"});
}

TEST_CASE("NULL: Redshift and PostgreSQL differ on empty fields") {
    std::vector<TargetField> fields = textFields(1);
    fields.push_back({"n", SqlType::integer()});
    CHECK(loadText(",\n\"\",\"\"\n", csvFormat(), fields).rows == Rows{"|<null>", "|<null>"});
    TextFormat empty = csvFormat();
    empty.empty_as_null = true;
    CHECK(loadText(",1\n", empty, fields).rows == Rows{"<null>|1"});
    CHECK(loadText(",1\n\"\",\n", postgresFormat(TextLayout::kCsv), fields).rows ==
          Rows{"<null>|1", "|<null>"});
    const Loaded text = loadText("\t\n\\N\t\\N\n", postgresFormat(TextLayout::kText), fields);
    CHECK(text.rows == Rows{"<null>|<null>"});
    REQUIRE(text.errors.size() == 1);
    CHECK(text.errors[0].sqlstate == "22P02");
    TextFormat blanks = csvFormat();
    blanks.blanks_as_null = true;
    CHECK(loadText("  ,  \n", blanks, fields).rows == Rows{"<null>|<null>"});
}

TEST_CASE("text of PostgreSQL: escapes and the end marker") {
    const TextFormat format = postgresFormat(TextLayout::kText);
    CHECK(
        loadText("a\\tb\t\\101\\x42\\n\nc\\\nd\te\n\\.\nnot read\n", format, textFields(2)).rows ==
        Rows{"a\tb|AB\n", "c\nd|e"});
    for (u32 chunk : {4u, 16u, 1024u})
        CHECK(loadText("a\tb\n\\.\n", format, textFields(2), chunk).rows == Rows{"a|b"});
    CHECK(loadText("\\\\N\t\\N\n", format, textFields(2)).rows == Rows{"\\N|<null>"});
}

TEST_CASE("values of all types, plain and odd spellings") {
    const std::vector<TargetField> fields{
        {"s", SqlType::smallInt()},      {"i", SqlType::integer()},
        {"b", SqlType::bigInt()},        {"d", SqlType::decimal(12, 2)},
        {"w", SqlType::decimal(38, 10)}, {"f", SqlType::doublePrecision()},
        {"t", SqlType::boolean()},       {"day", SqlType::date()},
        {"at", SqlType::timestamp()},    {"c", SqlType::character(5)}};
    CHECK(loadText("-32768|2147483647|-9223372036854775808|1234567890.12|1234567890123456789.5|1e3|"
                   "t|1996-02-29|"
                   "1999-12-31 23:59:59.5|ab\n",
                   {}, fields)
              .rows == Rows{"-32768|2147483647|-9223372036854775808|1234567890.12|"
                            "1234567890123456789.5000000000|1000|t|"
                            "1996-02-29|1999-12-31 23:59:59.5|ab   "});
    CHECK(
        loadText(" 7 |+5|-0|.5|-1|-.25|false|Jan 2, 2003|2003-01-02|abcde  \n", {}, fields).rows ==
        Rows{"7|5|0|0.50|-1.0000000000|-0.25|f|2003-01-02|2003-01-02 00:00:00|abcde"});
    CHECK(loadText("||||||||\n", {}, fields).errors.size() == 1);
    CHECK(loadText("|||||||||\n", {}, fields).rows ==
          Rows{"<null>|<null>|<null>|<null>|<null>|<null>|<null>|<null>|<null>|     "});
}

TEST_CASE("decimals lose places as Redshift does, round with ROUNDEC") {
    const std::vector<TargetField> fields{{"d", SqlType::decimal(5, 1)}};
    CHECK(loadText("1.29\n-1.29\n", {}, fields).rows == Rows{"1.2", "-1.2"});
    TextFormat round;
    round.round_decimals = true;
    CHECK(loadText("1.25\n-1.29\n", round, fields).rows == Rows{"1.3", "-1.3"});
    CHECK(loadText("1.29\n", postgresFormat(TextLayout::kText), fields).rows == Rows{"1.3"});
    const Loaded overflow = loadText("12345.6\n9999.9\n10000\n", {}, fields);
    CHECK(overflow.rows == Rows{"9999.9"});
    REQUIRE(overflow.errors.size() == 2);
    CHECK(overflow.errors[0].sqlstate == "22003");
}

TEST_CASE("bad rows name line, column, bytes and reason; good ones stay") {
    std::vector<TargetField> fields{{"a", SqlType::integer()}, {"b", SqlType::varchar(3)}};
    const Loaded loaded =
        loadText("1,x\n2,\"a\nb\"\nz9,y\n4\n5,a,b\n6,toolong\n7,ok\n", csvFormat(), fields);
    CHECK(loaded.rows == Rows{"1|x", "2|a\nb", "7|ok"});
    REQUIRE(loaded.errors.size() == 4);
    // Faults of shape come first within a batch.
    CHECK(loaded.errors[0].line == 5);
    CHECK(loaded.errors[0].code == 1214);
    CHECK(loaded.errors[1].line == 6);
    CHECK(loaded.errors[1].code == 1202);
    CHECK(loaded.errors[2].line == 4);
    CHECK(loaded.errors[2].column == "a");
    CHECK(loaded.errors[2].raw_field == "z9");
    CHECK(loaded.errors[2].raw_line == "z9,y");
    CHECK(loaded.errors[2].reason == "Invalid digit, Value 'z', Pos 0, Type: Integer");
    CHECK(loaded.errors[3].line == 7);
    CHECK(loaded.errors[3].position == 2);
    CHECK(loaded.errors[3].sqlstate == "22001");
}

TEST_CASE("an open quote is told where its record starts") {
    const Loaded loaded = loadText("a,b\n\"c,d\ne,f\n", csvFormat(), textFields(2), 8);
    CHECK(loaded.rows == Rows{"a|b"});
    REQUIRE(loaded.errors.size() == 1);
    CHECK(loaded.errors[0].line == 2);
    CHECK(loaded.errors[0].reason == "Invalid quote formatting for CSV");
}

TEST_CASE("NOT NULL, FILLRECORD, TRUNCATECOLUMNS, IGNOREBLANKLINES, IGNOREHEADER") {
    std::vector<TargetField> fields = textFields(2);
    fields[1].not_null = true;
    TextFormat format;
    const Loaded missing = loadText("a|\\N\nb|c\n", format, fields);
    CHECK(missing.rows == Rows{"b|c"});
    REQUIRE(missing.errors.size() == 1);
    CHECK(missing.errors[0].sqlstate == "23502");

    format.fill_record = true;
    std::vector<TargetField> mixed = textFields(2);
    mixed.push_back({"n", SqlType::integer()});
    CHECK(loadText("a\n", format, mixed).rows == Rows{"a||<null>"});

    TextFormat cut;
    cut.truncate_columns = true;
    CHECK(loadText("h\xC3\xA9llo\n", cut, {{"c", SqlType::varchar(2)}}).rows == Rows{"h"});

    TextFormat blank;
    blank.skip_blank_lines = true;
    CHECK(loadText("\na|b\n\r\n\nc|d\n\n", blank, textFields(2)).rows == Rows{"a|b", "c|d"});

    TextFormat header;
    header.skip_lines = 2;
    for (u32 chunk : {3u, 7u, 100u}) {
        const Loaded loaded =
            loadText("some header\nmore\n1\nx\n", header, {{"n", SqlType::integer()}}, chunk);
        CHECK(loaded.rows == Rows{"1"});
        REQUIRE(loaded.errors.size() == 1);
        CHECK(loaded.errors[0].line == 4);
    }
    header.skip_lines = 50;
    CHECK(loadText("a\nb\n", header, textFields(1)).rows.empty());
}

TEST_CASE("bytes that are not UTF-8 are refused or replaced") {
    const Loaded refused = loadText("ok|\xFF\xFE\nfine|a\n", {}, textFields(2));
    CHECK(refused.rows == Rows{"fine|a"});
    REQUIRE(refused.errors.size() == 1);
    CHECK(refused.errors[0].sqlstate == "22021");
    TextFormat format;
    format.replace_invalid = '?';
    CHECK(loadText("o\xFFk|\xC3\xA9\xC3 and a longer text behind\n", format, textFields(2)).rows ==
          Rows{"o?k|\xC3\xA9? and a longer text behind"});
    CHECK(loadText(std::string("a\0b|c\n", 6), {}, textFields(2)).errors.size() == 1);
    // An escape may make bytes that the chunk did not have.
    CHECK(loadText("\\377\n", postgresFormat(TextLayout::kText), textFields(1)).errors.size() == 1);
}

TEST_CASE("DATEFORMAT, TIMEFORMAT, epochs, ACCEPTANYDATE") {
    TextFormat format;
    format.date_format.emplace("DD.MM.YYYY");
    CHECK(loadText("31.12.1999\n01.02.2000\n", format, {{"d", SqlType::date()}}).rows ==
          Rows{"1999-12-31", "2000-02-01"});
    TextFormat epoch;
    epoch.epoch = EpochUnit::kMilliseconds;
    CHECK(loadText("946684800123\n0\n", epoch, {{"t", SqlType::timestamp()}}).rows ==
          Rows{"2000-01-01 00:00:00.123", "1970-01-01 00:00:00"});
    const Loaded bad = loadText("2020-02-30\n", {}, {{"d", SqlType::date()}});
    REQUIRE(bad.errors.size() == 1);
    CHECK(bad.errors[0].code == 1205);
    TextFormat any;
    any.accept_any_date = true;
    CHECK(loadText("2020-02-30\n2020-02-28\n", any, {{"d", SqlType::date()}}).rows ==
          Rows{"<null>", "2020-02-28"});
}

} // namespace
} // namespace blueshift::storage
