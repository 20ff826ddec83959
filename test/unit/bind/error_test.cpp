// Errors: SQLSTATE, 1-based character position and message of what a user may get wrong.
#include "unit/bind/fixture.h"

using namespace blueshift;
using test::Fixture;

namespace {

struct ErrorCase {
    std::string_view sql;
    std::string_view expected;
};

constexpr ErrorCase kCases[] = {
    {"select nme from region", "42703 8 column \"nme\" does not exist"},
    {"select r_nam from region", "42703 8 column \"r_nam\" does not exist"},
    {"select aa from t", "42703 8 column \"aa\" does not exist"},
    {"select t.zz from t", "42703 8 column t.zz does not exist"},
    {"select tt.a from t", "42P01 8 missing FROM-clause entry for table \"tt\""},
    {"select a from t, u", "42702 8 column reference \"a\" is ambiguous"},
    {"select * from regio", "42P01 15 relation \"regio\" does not exist"},
    {"select * from nosuch.t", "3F000 15 schema \"nosuch\" does not exist"},
    {"select * from public.tt", "42P01 15 relation \"public.tt\" does not exist"},
    {"select a, count(*) from t",
     "42803 8 column \"t.a\" must appear in the GROUP BY clause or be used in an aggregate "
     "function"},
    {"select a from t where count(*) > 1", "42803 23 aggregate functions are not allowed in WHERE"},
    {"select sum(sum(a)) from t", "42803 12 aggregate function calls cannot be nested"},
    {"select a from t where row_number() over (order by a) = 1",
     "42P20 23 window functions are not allowed in WHERE"},
    {"select row_number() from t", "42809 8 window function row_number requires an OVER clause"},
    {"select sum(a) over (order by sum(a) over ()) from t",
     "42P20 30 window function calls cannot be nested"},
    {"select nosuch(a) from t", "42883 8 function nosuch(integer) does not exist"},
    {"select a + c from t", "42883 10 operator does not exist: integer + character varying(20)"},
    {"select c + d from t", "42883 10 operator does not exist: character varying(20) + date"},
    {"select a from t where c",
     "42804 23 argument of WHERE must be type boolean, not type character varying(20)"},
    {"select a from t where n",
     "42804 23 argument of WHERE must be type boolean, not type numeric(10,2)"},
    {"select case a when 'x' then 1 end from t",
     "22P02 20 invalid input syntax for integer: \"x\""},
    {"select case when f then 1 else d end from t",
     "42804 8 CASE types integer and date cannot be matched"},
    {"select coalesce(a, d) from t", "42804 8 COALESCE types integer and date cannot be matched"},
    {"select a from t union select d from t",
     "42804 17 UNION types integer and date cannot be matched"},
    {"select a, b from t union select a from t",
     "42601 20 each UNION query must have the same number of columns"},
    {"select (select a, b from t) from u", "42601 8 subquery must return only one column"},
    {"select a from t where a in (select a, b from t)", "42601 25 subquery has too many columns"},
    {"select a from t order by 3", "42P10 26 ORDER BY position 3 is not in select list"},
    {"select a from t group by 4", "42P10 26 GROUP BY position 4 is not in select list"},
    {"select a from t limit -1", "2201W 23 LIMIT must not be negative"},
    {"select a from t limit a", "42703 23 column \"a\" does not exist"},
    {"select distinct a from t order by b",
     "42P10 35 for SELECT DISTINCT, ORDER BY expressions must appear in select list"},
    {"select *", "42601 8 SELECT * with no tables specified is not valid"},
    {"select t.* from u", "42P01 8 missing FROM-clause entry for table \"t\""},
    {"select a from t, t", "42712 18 table name \"t\" specified more than once"},
    {"select 1 from t a, u a", "42712 20 table name \"a\" specified more than once"},
    {"select * from t x (p, q, r, s, v, w, y, z, zz)",
     "42P10 15 table \"x\" has 8 columns available but 9 columns specified"},
    {"select cast('abc' as integer)", "22P02 13 invalid input syntax for integer: \"abc\""},
    {"select 'abc'::integer from t", "22P02 8 invalid input syntax for integer: \"abc\""},
    {"select date '2020-13-01'", "22008 8 date/time field value out of range: \"2020-13-01\""},
    {"select a::date from t", "42846 8 cannot cast type integer to date"},
    {"select x'1'", "42704 8 type \"x\" does not exist"},
    {"insert into t (a, zz) values (1, 2)",
     "42703 19 column \"zz\" of relation \"t\" does not exist"},
    {"insert into t (a, a) values (1, 2)", "42701 19 column \"a\" specified more than once"},
    {"insert into t (a, b) values (1)", "42601 22 INSERT has more target columns than expressions"},
    {"insert into u values (1, 'x', 3)",
     "42601 31 INSERT has more expressions than target columns"},
    {"insert into u (a) values (d)", "42703 27 column \"d\" does not exist"},
    {"insert into u (a) values (true)",
     "42804 27 column \"a\" is of type integer but expression is of type boolean"},
    {"insert into u (a, e) values (1, 'toolongtext')",
     "22001 33 value too long for type character varying(5)"},
    {"insert into defaults (id) values (1)",
     "0A000 23 cannot set an identity column to a value: \"id\""},
    {"insert into v values (1)", "42809 13 cannot change view \"v\""},
    {"insert into pg_class values (1)",
     "42501 13 permission denied: \"pg_class\" is a system catalog"},
    {"update t set zz = 1", "42703 14 column \"zz\" of relation \"t\" does not exist"},
    {"update t set a = 1, a = 2", "42601 21 multiple assignments to same column \"a\""},
    {"update t set a = d",
     "42804 18 column \"a\" is of type integer but expression is of type date"},
    {"update t set a = count(*)", "42803 18 aggregate functions are not allowed in UPDATE"},
    {"delete from nosuch", "42P01 13 relation \"nosuch\" does not exist"},
    {"delete from t where zz = 1", "42703 21 column \"zz\" does not exist"},
    {"select $0", "42P02 8 there is no parameter $0"},
    {"select a from t natural join u natural join u",
     "42712 32 table name \"u\" specified more than once"},
    {"select * from t join u using (b)",
     "42703 17 column \"b\" specified in USING clause does not exist in right table"},
    {"select * from t join u using (zz)",
     "42703 17 column \"zz\" specified in USING clause does not exist in left table"},
    {"select * from broken", "42703 15 column \"nothing\" does not exist"},
    {"select * from itself", "42P19 15 view \"itself\" refers to itself"},
    {"select * from u join t on sum(t.a) = 1",
     "42803 27 aggregate functions are not allowed in JOIN conditions"},
    {"select a from t group by sum(a)", "42803 26 aggregate functions are not allowed in GROUP BY"},
    {"select a from t having b > 1",
     "42803 8 column \"t.a\" must appear in the GROUP BY clause or be used in an aggregate "
     "function"},
    {"select u.e from t left join u on t.a = u.a where exists (select 1 from region where sum(t.a) "
     "> 1)",
     "42803 85 aggregate functions are not allowed in WHERE"},
    {"select '\xC3\xA9', nosuch from t", "42703 13 column \"nosuch\" does not exist"},
    {"with w as (select 1), w as (select 2) select * from w",
     "42712 23 WITH query name \"w\" specified more than once"},
    {"select * from two_columns() as x(p text)",
     "42804 15 function two_columns returns 2 columns, the column definition list has 1"},
    {"select b1 + 1, a as b1 from t", "42703 8 column \"b1\" does not exist"},
    {"select interval '3' month, interval '2 days', interval '1 month 2 days' from t",
     "0A000 47 an interval of months and of days or time can only be added to a date or timestamp"},
    {"select * from itself", "42P19 15 view \"itself\" refers to itself"},
    {"select * from broken", "42703 15 column \"nothing\" does not exist"},
    {"with recursive r as (select 1 union all select * from r) select * from r",
     "0A000 55 a table of WITH RECURSIVE that reads itself is not supported yet"},
    {"select distinct on (a) a from t", "0A000 1 DISTINCT ON is not supported yet"},
    {"select json_parse('x') from t", "42883 8 function json_parse(unknown) does not exist"},
};

} // namespace

TEST_CASE("errors name the object and the place") {
    for (const ErrorCase& each : kCases) {
        INFO(each.sql);
        CHECK(Fixture().error(each.sql) == each.expected);
        CHECK_FALSE(Fixture().errorOf(each.sql).message.empty());
    }
}

TEST_CASE("the nearest name is a hint") {
    CHECK(Fixture().errorOf("select r_nam from region").hint ==
          "Perhaps you meant the column \"r_name\".");
    CHECK(Fixture().errorOf("select * from regio").hint ==
          "Perhaps you meant the table \"region\".");
    CHECK(Fixture().errorOf("select rr.r_name from region r").hint == "Perhaps you meant \"r\".");
    CHECK(Fixture().errorOf("insert into u (ee) values (1)").hint ==
          "Perhaps you meant the column \"e\".");
}

TEST_CASE("long chains and deep nesting are refused, not overrun") {
    std::string chain = "select 1";
    for (int i = 0; i < 5000; ++i) chain += " + a";
    CHECK(Fixture().errorOf(chain + " from t").sqlstate == "54001");
    std::string fits = "select a";
    for (int i = 0; i < 300; ++i) fits += " + a";
    CHECK(Fixture().errorOf(fits + " from t").sqlstate == "none");
    const auto nested = [](int depth) {
        std::string sql = "select 1";
        for (int i = 0; i < depth; ++i) sql = "select (" + sql + ")";
        return Fixture().errorOf(sql).sqlstate;
    };
    CHECK(nested(100) == "none");
    CHECK(nested(900) == "54001");
}

namespace {

struct Guest : Fixture {
    Guest() {
        context.superuser = false;
        session.user = "guest";
    }
};

} // namespace

TEST_CASE("rights come from owner, role, PUBLIC and the owner of a view") {
    CHECK(Guest().error("select * from t") == "42501 15 permission denied for relation t");
    CHECK(Guest().error("select * from shared") == "none 0 none");
    CHECK(Guest().error("select * from v") == "none 0 none");
    CHECK(Guest().error("insert into shared values (1, 2)") ==
          "42501 13 permission denied for relation shared");
    CHECK(Guest().error("update shared set a = 1") ==
          "42501 8 permission denied for relation shared");
    CHECK(Guest().error("delete from shared") == "42501 13 permission denied for relation shared");
    CHECK(Guest().error("select * from private.hidden") ==
          "42501 15 permission denied for schema private");
    CHECK(Guest().error("select relname from pg_class") == "none 0 none");
    CHECK(Guest().error("select (select max(a) from t) from shared") ==
          "42501 28 permission denied for relation t");
}
