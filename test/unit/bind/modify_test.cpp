// INSERT, UPDATE and DELETE, parameters, defaults, and what a plan says about its columns.
#include <algorithm>

#include "unit/bind/fixture.h"

using namespace blueshift;
using bind::printLogical;
using test::Fixture;

namespace {

std::string inserted(std::string_view sql) {
    return "\n" + printLogical(Fixture().insert(sql).query);
}
std::string modified(std::string_view sql) {
    return "\n" + printLogical(Fixture().modify(sql).query);
}

} // namespace

TEST_CASE("INSERT gives every live column in order: value, default or NULL") {
    CHECK(inserted("insert into defaults (note, name) values ('x', default), ('y', 'abc')") == R"(
result id bigint, name character varying(10), count smallint, note character varying(50)
  map id := NULL, count := 2
    values ('x'::text, 'none'::text) ('y'::text, 'abc'::text)
)");
    CHECK(inserted("insert into defaults default values") == R"(
result id bigint, name character varying(10), count smallint, note character varying(50)
  map id := NULL, name := 'none'::text, count := 2, note := NULL
    values ()
)");
    // Fewer values than columns, without a list of columns: the rest get their defaults.
    CHECK(inserted("insert into u values (1)") == R"(
result a integer, e character varying(5)
  map e := NULL
    values (1)
)");
}

TEST_CASE("INSERT .. SELECT casts for assignment and refuses what does not fit") {
    CHECK(inserted("insert into u select b, c from t") == R"(
result a integer, e character varying(5)
  map a := (t.b)::integer, e := (t.c)::character varying(5)
    scan t
)");
    // Untyped literals of the select list take the type of their column.
    CHECK(inserted("insert into t (a, d) select 1, '2020-02-03'").find("'2020-02-03'::date") !=
          std::string::npos);
    CHECK(Fixture().error("insert into t (b) select 'soon'") ==
          "22P02 26 invalid input syntax for bigint: \"soon\"");
    Fixture fixture;
    const auto plan = fixture.insert("insert into u select a, a from t");
    CHECK(plan.table->name == "u");
    CHECK(plan.query.columns.size() == 2);
}

TEST_CASE("UPDATE yields the row id and the whole new row") {
    CHECK(modified("update u set e = 'x' where a = 5") == R"(
result row_id = u.row_id bigint, a = u.a integer, e character varying(5)
  map e := 'x'::text
    filter (u.a = 5)
      scan u with row id
)");
    CHECK(modified("update defaults set name = default").find("name := 'none'::text") !=
          std::string::npos);
}

TEST_CASE("UPDATE .. FROM takes one partner of each row, a whole one") {
    CHECK(modified("update u set e = t.c, a = t.a from t where t.b = u.a") == R"(
result row_id = u.row_id bigint, a = t.a integer, e character varying(5)
  map e := (t.c)::character varying(5)
    filter (match = 1)
      window partition by u.row_id [match := row_number()]
        filter (t.b = (u.a)::bigint)
          inner join
            scan u with row id
            scan t
)");
}

TEST_CASE("DELETE yields each row id once") {
    CHECK(modified("delete from u using t where t.a = u.a") == R"(
result row_id bigint
  aggregate by row_id := u.row_id
    filter (t.a = u.a)
      inner join
        scan u with row id
        scan t
)");
    CHECK(modified("with w as (select a from t) delete from u where a in (select a from w)") == R"(
result row_id = u.row_id bigint
  filter (subplan)
    subplan u.a = any (t.a)
      scan t
    scan u with row id
)");
}

TEST_CASE_FIXTURE(Fixture, "types of parameters come from their surroundings") {
    query("select a from t where $1 = a and b > $2 and c like $3 and d < $4 limit $5");
    REQUIRE(parameter_types.size() == 5);
    CHECK(parameter_types[0] == SqlType::integer());
    CHECK(parameter_types[1] == SqlType::bigInt());
    CHECK(isString(parameter_types[2].kind));
    CHECK(parameter_types[3] == SqlType::date());
    CHECK(parameter_types[4] == SqlType::bigInt());
}

TEST_CASE_FIXTURE(Fixture, "declared types of parameters stay, a bare parameter is text") {
    parameter_types = {SqlType::smallInt()};
    CHECK(columns("select $1, $2") == "?column? smallint, ?column? text");
    CHECK(parameter_types[0] == SqlType::smallInt());
    CHECK(parameter_types[1] == SqlType::text());
}

TEST_CASE_FIXTURE(Fixture, "values of parameters become constants") {
    const Value values[] = {Value::ofInteger(7, SqlType::integer()), Value::ofBigInt(2)};
    context.parameters = values;
    CHECK(plan("select a from t where a = $1 limit $2") == R"(
result a = t.a integer
  limit 2
    filter (t.a = 7)
      scan t
)");
    CHECK(error("select $3") == "42P02 8 there is no parameter $3");
}

TEST_CASE_FIXTURE(Fixture, "a result tells the table and the attribute of its columns") {
    const auto plan = query("select x.b, x.a + 1, y.e from t x left join u y on x.a = y.a");
    REQUIRE(plan.columns.size() == 3);
    CHECK(plan.columns[0].table == 100100);
    CHECK(plan.columns[0].attribute == 2);
    CHECK(plan.columns[1].table == 0);
    CHECK(plan.columns[2].table == 100101);
    CHECK(plan.columns[2].attribute == 2);
    CHECK(plan.objects.size() == 2);
    CHECK_FALSE(plan.volatile_functions);
    CHECK(plan.next_column > plan.columns[1].id);
}

TEST_CASE_FIXTURE(Fixture, "columns of an outer join's other side may be NULL") {
    const auto plan = query("select t.a, u.a from t left join u on t.a = u.a");
    CHECK_FALSE(plan.columns[0].nullable);
    CHECK(plan.columns[1].nullable);
}

TEST_CASE_FIXTURE(Fixture, "objects of a plan include views and the tables under them") {
    const auto plan = query("select * from v");
    CHECK(std::ranges::find(plan.objects, 100200u) != plan.objects.end());
    CHECK(std::ranges::find(plan.objects, 100100u) != plan.objects.end());
    CHECK(query("select random() from t").volatile_functions);
}

TEST_CASE_FIXTURE(Fixture, "names of result columns are PostgreSQL's") {
    CHECK(
        columns("select 1, a, t.b, count(*), a::bigint, 'x'::text, 1::smallint, case when true "
                "then 1 end, "
                "coalesce(a, 1), (select max(e) from u) from t group by a, b") ==
        "?column? integer, a integer, b bigint, count bigint, a bigint, text text, int2 smallint, "
        "case integer, coalesce integer, max character varying(5)");
}

TEST_CASE_FIXTURE(Fixture, "conditional functions are CASE with Redshift's meaning of NULL") {
    CHECK(expression("decode(a, 1, 'one', null, 'none', 'more')") ==
          "CASE WHEN (t.a = 1) THEN 'one'::text WHEN (t.a IS NULL) THEN 'none'::text ELSE "
          "'more'::text END");
    CHECK(expression("nvl2(c, 1, 2)") == "CASE WHEN (t.c IS NOT NULL) THEN 1 ELSE 2 END");
    CHECK(expression("nullif(a, 0)") == "CASE WHEN (t.a = 0) THEN NULL ELSE t.a END");
    CHECK(expression("nvl(null, c)") == "\nresult r = t.c character varying(20)\n  scan t\n");
    CHECK(expression("a is distinct from b") ==
          "(NOT ((((t.a)::bigint = t.b) IS TRUE) OR ((t.a IS NULL) AND (t.b IS NULL))))");
}

TEST_CASE_FIXTURE(Fixture, "interval literals with months and days are added one after the other") {
    CHECK(expression("date '1994-01-01' + interval '1' year") == "'1995-01-01'::date");
    CHECK(expression("ts + interval '1 month 2 days'") ==
          "((t.ts + '1 mon'::interval year to month) + '2 days'::interval day to second)");
    CHECK(expression("interval '1 month 2 days' + ts") ==
          expression("ts + interval '1 month 2 days'"));
    CHECK(errorOf("select interval '1 month 2 days'").sqlstate == "0A000");
}

TEST_CASE_FIXTURE(Fixture,
                  "literals take the narrowest type, untyped texts that of the other side") {
    CHECK(
        columns("select 1 a, 3000000000 b, 1.50 c, 1e3 d, -2147483648 e, 99999999999999999999 f") ==
        "a integer, b bigint, c numeric(3,2), d double precision, e integer, f numeric(20,0)");
    CHECK(expression("d > '2020-01-01'") == "(t.d > '2020-01-01'::date)");
    CHECK(expression("b in (1, 2, 3)") == "(t.b IN (1, 2, 3))");
    CHECK(expression("c + 'x'") == "(t.c || 'x'::text)");
}

TEST_CASE_FIXTURE(Fixture, "a default is bound for its column") {
    const Expr* value = bind::bindDefault("40 + 2", SqlType::bigInt(), context);
    REQUIRE(value->kind == ExprKind::kConstant);
    CHECK(value->type == SqlType::bigInt());
    CHECK(value->as<ConstantExpr>()->value.integer == 42);
    CHECK_THROWS_AS(bind::bindDefault("a", SqlType::bigInt(), context), SqlError);
    CHECK_THROWS_AS(bind::bindDefault("(select 1)", SqlType::bigInt(), context), SqlError);
}

TEST_CASE_FIXTURE(Fixture, "types and tables by name") {
    const auto typeOf = [&](std::string_view sql) {
        const parse::Expression* cast = parse::parseExpression("x::" + std::string(sql), arena);
        return formatType(bind::resolveType(*cast->as<parse::Cast>()->type, sql));
    };
    CHECK(typeOf("varchar(max)") == "character varying(65535)");
    CHECK(typeOf("numeric(10,2)") == "numeric(10,2)");
    CHECK(typeOf("\"char\"") == "\"char\"");
    CHECK(typeOf("text[]") == "text[]");
    parse::ObjectName name{.name = "t", .position = 3};
    CHECK(bind::resolveTable(name, context)->oid == 100100);
    name.name = "v";
    CHECK_THROWS_AS(bind::resolveTable(name, context), SqlError);
}
