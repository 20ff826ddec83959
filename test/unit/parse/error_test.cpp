// Syntax errors: their place, their words and their hints.
#include <doctest/doctest.h>

#include "unit/parse/parse_support.h"

using namespace blueshift;
using namespace blueshift::parse;

TEST_CASE("syntax errors name the token and its place") {
    struct Case {
        const char* text;
        int position;
        const char* near;
        const char* hint;
    };
    for (const Case& c : {
             Case{"selec 1", 1, "selec", ""},
             Case{"select a b c from t", 12, "c", "A comma may be missing before it."},
             Case{"select a, from t", 11, "from", "A comma before FROM"},
             Case{"select a from t where", 0, "", ""},
             Case{"select (1", 0, "", "closing parenthesis"},
             Case{"select 1)", 9, ")", "closing parenthesis too many"},
             Case{"select f(a b)", 12, "b", "A comma or an operator may be missing"},
             Case{"create table t (order int)", 17, "order", "reserved word"},
             Case{"create table t (a int, tag int)", 24, "tag", "reserved word"},
             Case{"select a from table", 15, "table", "reserved word"},
             Case{"select 1 where a = = b", 20, "=", ""},
             Case{"select a < b < c", 14, "<", "Comparisons do not chain"},
             Case{"select a like b like c", 17, "like", "Comparisons do not chain"},
             Case{"insert t values (1)", 8, "t", "INSERT INTO"},
             Case{"insert into t values (1) (2)", 26, "(", "A comma is missing between two rows."},
             Case{"update t a = 1", 12, "=", "SET"},
             Case{"select case when a then b", 0, "", "END"},
             Case{"select case end", 13, "end", ""},
             Case{"select * from a join b", 0, "", "ON .. or USING"},
             Case{"select a in b", 13, "b", "IN takes a list"},
             Case{"select cast(a int)", 15, "int", "CAST(value AS type)"},
             Case{"select extract(a, b)", 17, ",", "EXTRACT(part FROM value)"},
             Case{"select 1 limit 1, 2", 0, nullptr, "LIMIT and OFFSET"},
             Case{"alter table t foo", 15, "foo", "ALTER TABLE takes"},
             Case{"create table t", 0, "", "Columns in parentheses"},
             Case{"set x", 0, "", "SET name TO value"},
             Case{"copy t", 0, "", "COPY is written"},
             Case{"copy t from x", 13, "x", "A source is expected"},
             Case{"copy t from 's3://x' frobnicate", 22, "frobnicate", "no option"},
             Case{"copy t from stdin (header (a))", 20, "header", "takes no columns"},
             Case{"select interval 5", 17, "5", "single quotes"},
             Case{"select 1; selec 2", 11, "selec", ""},
             Case{"select a is b", 13, "b", "IS is followed by"},
             Case{"select sum(a) over (order by b rows 1)", 38, ")", "frame bound"},
             Case{"select current_date()", 21, ")", "without parentheses"},
             Case{"merge into t using s on a = b", 0, "", "MERGE needs"},
             Case{"select a.b.c.d from a.b.c.d.e()", 0, nullptr, ""},
             Case{"explain select", 0, "", ""},
         }) {
        CAPTURE(std::string(c.text));
        Error error = errorOf(c.text);
        CHECK(error.sqlstate == sqlstate::kSyntaxError);
        if (c.near != nullptr) {
            std::string near = c.near;
            std::string expected = near.empty() ? "syntax error at end of input"
                                                : "syntax error at or near \"" + near + "\"";
            CHECK(error.message == expected);
            int position =
                near.empty() ? static_cast<int>(std::string(c.text).size()) + 1 : c.position;
            CHECK(error.position == position);
        }
        CHECK(error.position > 0);
        CHECK(error.hint.find(c.hint) != std::string::npos);
    }
}

TEST_CASE("errors with words of their own") {
    const Error format = errorOf("copy t to stdout (format xml)");
    CHECK(format.sqlstate == sqlstate::kInvalidParameterValue);
    CHECK(format.message == "COPY format \"xml\" not recognized");
    CHECK(format.position == 26);
    CHECK(format.hint.find("CSV, TEXT, BINARY") != std::string::npos);
    CHECK(errorOf("select top 5 a from t limit 3").message ==
          "TOP and LIMIT cannot be used together");
    CHECK(errorOf("values (1), (2, 3)").message == "VALUES lists must all be the same length");
    CHECK(errorOf("values (1), (2, 3)").position == 13);
    CHECK(errorOf("(select 1 limit 1) limit 2").message == "multiple LIMIT clauses not allowed");
    CHECK(errorOf("with a as (select 1) (with b as (select 2) select 1)").message ==
          "multiple WITH clauses not allowed");
    CHECK(errorOf("select 1 union select 2 into t").message ==
          "SELECT ... INTO is not allowed here");
    CHECK(errorOf("select * from (select 1 as a into x) y").position == 30);
    CHECK(errorOf("insert into t select 1 into x").message ==
          "SELECT ... INTO is not allowed here");
    CHECK(errorOf("explain commit").message == "EXPLAIN does not apply to this statement");
    CHECK(errorOf("select * from a.b.c.d.e(1)").message ==
          "a name has at most three parts: database.schema.name");
    CHECK(errorOf("drop table a.b.c.d").sqlstate == sqlstate::kSyntaxError);
    CHECK(errorOf("select a::numeric(99999999999)").sqlstate == sqlstate::kNumericValueOutOfRange);
    CHECK(errorOf("vacuum t to 101 percent").sqlstate == sqlstate::kInvalidParameterValue);
}

TEST_CASE("an error inside of UNLOAD is placed in the whole text") {
    Error error = errorOf("unload ('select from t') to 's3://x' iam_role 'r'");
    CHECK(error.message == "syntax error at or near \"from\"");
    CHECK(error.position == 17);
}

TEST_CASE("documented statements that are not built are named") {
    struct Case {
        const char* text;
        const char* message;
    };
    for (const Case& c : {
             Case{"create model m from t", "CREATE MODEL is not supported yet"},
             Case{"create materialized view v as select 1",
                  "CREATE MATERIALIZED VIEW is not supported yet"},
             Case{"create external schema s from data catalog",
                  "CREATE EXTERNAL SCHEMA is not supported yet"},
             Case{"create or replace function f() returns int",
                  "CREATE OR REPLACE FUNCTION is not supported yet"},
             Case{"create procedure p() as $$x$$", "CREATE PROCEDURE is not supported yet"},
             Case{"create index i on t (a)", "CREATE INDEX is not supported yet"},
             Case{"create datashare d", "CREATE DATASHARE is not supported yet"},
             Case{"create rls policy p", "CREATE RLS POLICY is not supported yet"},
             Case{"drop masking policy p", "DROP MASKING POLICY is not supported yet"},
             Case{"drop function f(int)", "DROP FUNCTION is not supported yet"},
             Case{"alter default privileges grant select on tables to x",
                  "ALTER DEFAULT PRIVILEGES is not supported yet"},
             Case{"alter table t row level security on",
                  "ALTER TABLE .. ROW LEVEL SECURITY is not supported yet"},
             Case{"refresh materialized view v", "REFRESH MATERIALIZED VIEW is not supported yet"},
             Case{"attach rls policy p on t to public", "ATTACH is not supported yet"},
             Case{"copy job list", "COPY JOB is not supported yet"},
             Case{"savepoint s", "savepoints are not supported"},
             Case{"rollback to savepoint s", "savepoints are not supported"},
             Case{"fetch backward 1 from c", "cursors can only be read forward"},
             Case{"create table t (a int check (a > 0))",
                  "a CHECK constraint is not supported yet"},
             Case{"show rls policies", "SHOW POLICIES is not supported yet"},
         }) {
        CAPTURE(std::string(c.text));
        Error error = errorOf(c.text);
        CHECK(error.sqlstate == sqlstate::kFeatureNotSupported);
        CHECK(error.message == c.message);
        CHECK(error.position > 0);
    }
}
