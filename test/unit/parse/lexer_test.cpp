// Tokens: names, folding, comments, and the errors of texts that are no tokens.
#include "parse/lexer.h"

#include <doctest/doctest.h>

#include "unit/parse/parse_support.h"

using namespace blueshift;
using namespace blueshift::parse;

TEST_CASE("every keyword is found and sorted") {
    static constexpr std::string_view kWords[] = {
#define BS_KEYWORD(word, name, reserved) #word,
#include "parse/keyword_list.h"
#undef BS_KEYWORD
    };
    std::string_view before;
    for (std::string_view word : kWords) {
        CAPTURE(word);
        CHECK(findKeyword(word) != Keyword::kNoKeyword);
        CHECK(keywordText(findKeyword(word)) == word);
        CHECK(before < word);
        before = word;
    }
    CHECK(findKeyword("nosuchword") == Keyword::kNoKeyword);
    CHECK(findKeyword("SELECT") == Keyword::kNoKeyword);
    CHECK(isReserved(Keyword::kSelect));
    CHECK(isReserved(Keyword::kTag));
    CHECK_FALSE(isReserved(Keyword::kDay));
}

TEST_CASE("names fold") {
    Arena arena;
    auto column = [&](std::string_view text, bool fold) {
        return parseExpression(text, arena, {.fold_quoted = fold})->as<ColumnReference>()->parts[0];
    };
    CHECK(column("AbC", true) == "abc");
    CHECK(column("AbC", false) == "abc");
    CHECK(column("\"AbC\"", true) == "abc");
    CHECK(column("\"AbC\"", false) == "AbC");
    CHECK(column("\"A\"\"b\"", false) == "A\"b");
    CHECK(column("\xC3\x84pfel_1$", true) == "\xC3\x84pfel_1$");
    CHECK(printed("select \"AbC\"", {.fold_quoted = false}) == "SELECT \"AbC\"");
}

TEST_CASE("a reserved word may follow a number directly, as Redshift's drivers write it") {
    CHECK(printed("select case 1when 2.5then 4else 0end from t") ==
          printed("select case 1 when 2.5 then 4 else 0 end from t"));
    CHECK(printed("select 1from t where a=5AND b=6.or c=1e3order by 1") ==
          printed("select 1 from t where a=5 and b=6. or c=1e3 order by 1"));
    CHECK(errorOf("select 4whenever").message ==
          "trailing junk after numeric literal at or near \"4whenever\"");
}

TEST_CASE("names are limited to 127 bytes") {
    std::string longest(127, 'a');
    CHECK(printed("select " + longest) == "SELECT " + longest);
    Error error = errorOf("select 1 as " + longest + "a");
    CHECK(error.sqlstate == sqlstate::kInvalidName);
    CHECK(error.position == 13);
    CHECK(errorOf("select \"" + longest + "b\"").sqlstate == sqlstate::kInvalidName);
    CHECK(errorOf("select * from #" + longest).sqlstate == sqlstate::kInvalidName);
}

TEST_CASE("temporary names and the # operator") {
    Arena arena;
    CHECK(printed("select * from #t") == "SELECT * FROM \"#t\"");
    CHECK(printed("select * from \"#t\"") == "SELECT * FROM \"#t\"");
    CHECK(parseExpression("a # b", arena)->is<Binary>());
    CHECK(parseExpression("#t.a", arena)->as<ColumnReference>()->parts.size() == 2);
}

TEST_CASE("texts that are no tokens") {
    struct Case {
        std::string text;
        std::string_view sqlstate;
        int position;
        std::string message;
    };
    for (const Case& c : {
             Case{"select 'abc", sqlstate::kSyntaxError, 8, "unterminated quoted string"},
             Case{"select E'abc\\'", sqlstate::kSyntaxError, 8, "unterminated quoted string"},
             Case{"select \"abc", sqlstate::kSyntaxError, 8, "unterminated quoted identifier"},
             Case{"select \"\"", sqlstate::kSyntaxError, 8, "zero-length delimited identifier"},
             Case{"select $a$ b", sqlstate::kSyntaxError, 8, "unterminated dollar-quoted string"},
             Case{"select 1 /* a /* b */", sqlstate::kSyntaxError, 10, "unterminated /* comment"},
             Case{"select 12ab", sqlstate::kSyntaxError, 8,
                  "trailing junk after numeric literal at or near \"12ab\""},
             Case{"select ?", sqlstate::kSyntaxError, 8, "syntax error at or near \"?\""},
             Case{"select $", sqlstate::kSyntaxError, 8, "syntax error at or near \"$\""},
             Case{"select a ! b", sqlstate::kSyntaxError, 10, "syntax error at or near \"!\""},
             Case{"select E'\\u00'", sqlstate::kInvalidEscapeSequence, 10,
                  "invalid Unicode escape"},
             Case{"select E'\\ud800'", sqlstate::kInvalidEscapeSequence, 10,
                  "invalid Unicode escape"},
             Case{"select E'\\xff'", sqlstate::kCharacterNotInRepertoire, 10,
                  "invalid byte sequence for encoding \"UTF8\" after escapes in text"},
             Case{"select E'\\0'", sqlstate::kCharacterNotInRepertoire, 10,
                  "invalid byte sequence for encoding \"UTF8\" after escapes in text"},
             Case{"select '\xC3(' ", sqlstate::kCharacterNotInRepertoire, 9,
                  "invalid byte sequence for encoding \"UTF8\": 0xc3"},
             Case{std::string("select '\0'", 10), sqlstate::kCharacterNotInRepertoire, 9,
                  "invalid byte sequence for encoding \"UTF8\": 0x00"},
             Case{"select $0", sqlstate::kUndefinedParameter, 8, "there is no parameter $0"},
             Case{"select $99999999999", sqlstate::kUndefinedParameter, 8,
                  "there is no parameter $99999999999"},
         }) {
        CAPTURE(c.text);
        Error error = errorOf(c.text);
        CHECK(error.sqlstate == c.sqlstate);
        CHECK(error.position == c.position);
        CHECK(error.message == c.message);
    }
}

TEST_CASE("positions count characters") {
    CHECK(characterPosition("abc", 0) == 1);
    CHECK(characterPosition("\xC3\xA4"
                            "b",
                            2) == 2);
    CHECK(characterPosition("abc", -1) == 0);
    CHECK(characterPosition("abc", 99) == 4);
    Error error = errorOf("select '\xC3\xA4\xC3\xB6\xE2\x82\xAC' from from");
    CHECK(error.position == 19);
}

TEST_CASE("a text may be as long as a statement may be") {
    std::string text = "select '" + std::string(kMaxTextBytes - 9, 'x') + "'";
    REQUIRE(text.size() == kMaxTextBytes);
    CHECK(errorOf(text).sqlstate == "");
    CHECK(errorOf(text + " ").sqlstate == sqlstate::kProgramLimitExceeded);
}
