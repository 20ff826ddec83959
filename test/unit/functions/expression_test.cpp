// Types, casts and shapes that binding gives, questions of the optimiser, and printing.
#include "functions/casts.h"
#include "functions/catalog_lookup.h"
#include "functions/text_input.h"
#include "unit/functions/evaluate.h"

using namespace blueshift;
using namespace blueshift::functions;

namespace {

struct Names : ColumnNames {
    std::string nameOf(ColumnId id) const override { return "c" + std::to_string(id); }
};

struct Fixture : test::Evaluator {
    const Expr* column(ColumnId id, SqlType type) { return makeColumn(arena, id, type, true); }
    std::string print(const Expr* expr) { return printExpr(expr, Names()); }
    SqlType typeOf(std::string_view name, std::initializer_list<SqlType> types) {
        return bindFunction(name, std::span(types.begin(), types.size()), {}).result;
    }
    template <class F> std::string stateOf(F f) {
        try {
            f();
        } catch (const SqlError& error) {
            return error.error().sqlstate;
        }
        return "none";
    }
};

} // namespace

TEST_CASE_FIXTURE(Fixture, "decimal results have Redshift's precision and scale") {
    const auto d = [](int p, int s) { return SqlType::decimal(p, s); };
    CHECK(typeOf("+", {d(15, 2), d(15, 2)}) == d(16, 2));
    CHECK(typeOf("-", {SqlType::integer(), d(15, 2)}) == d(16, 2));
    CHECK(typeOf("*", {d(15, 2), d(16, 2)}) == d(32, 4));
    CHECK(typeOf("*", {d(32, 4), d(16, 2)}) == d(38, 6));
    CHECK(typeOf("/", {d(15, 2), d(15, 2)}) == d(31, 16));
    CHECK(typeOf("/", {d(38, 2), d(38, 2)}) == d(38, 4));
    CHECK(typeOf("/", {SqlType::integer(), d(2, 1)}) == d(15, 4));
    CHECK(typeOf("+", {SqlType::smallInt(), SqlType::bigInt()}) == SqlType::bigInt());
    CHECK(typeOf("*", {SqlType::integer(), SqlType::real()}) == SqlType::doublePrecision());
    CHECK(typeOf("-", {SqlType::date(), SqlType::date()}) == SqlType::integer());
}

TEST_CASE_FIXTURE(Fixture, "decimal division truncates and stays exact beyond 128 bits") {
    CHECK(show(call("/", {number("2.0"), number("3")})) == "0.666666666666");
    CHECK(show(call("/", {number("-2.0"), number("3")})) == "-0.666666666666");
    const auto wide = [&](std::string_view text) { return typed(text, SqlType::decimal(38, 0)); };
    CHECK(show(call("/", {wide("99999999999999999999999999999999999999"), wide("3")})) ==
          "error 22003 128 bit numeric data overflow (division)");
    CHECK(show(call("/", {wide("12345678901234567890123456789012345678"),
                          wide("12345678901234567890123456789012345677")})) == "1.0000");
    CHECK(show(call("/", {wide("33333333333333333333333333333333333333"),
                          wide("99999999999999999999999999999999999999")})) == "0.3333");
    CHECK(show(call("/", {number("1.5"), number("0.0")})) == "error 22012 division by zero");
    CHECK(show(call("*", {wide("99999999999999999999999999999999999999"), wide("10")})) ==
          "error 22003 128 bit numeric data overflow (multiplication)");
}

TEST_CASE_FIXTURE(Fixture, "constants take the type of the column beside them") {
    const Expr* quantity = column(1, SqlType::decimal(15, 2));
    CHECK(print(makeComparison(arena, "<", quantity, number("24"))) == "(c1 < 24.00)");
    CHECK(print(makeComparison(arena, "=", column(2, SqlType::smallInt()), number("5"))) ==
          "(c2 = 5)");
    CHECK(print(makeComparison(arena, "<=", column(3, SqlType::date()), literal("1998-09-02"))) ==
          "(c3 <= '1998-09-02'::date)");
    const Expr* day = makeCallByName(
        arena, "-",
        std::initializer_list<const Expr*>{
            typed("1998-12-01", SqlType::date()),
            makeConstant(arena, Value::ofInteger(90ll * 86400000000,
                                                 SqlType::of(TypeKind::kIntervalMicros)))});
    CHECK(print(makeComparison(arena, "<=", column(3, SqlType::date()), day)) ==
          "(c3 <= '1998-09-02'::date)");
    // 100000 is no SMALLINT and 1.5 no INTEGER: the columns are widened.
    CHECK(makeComparison(arena, "=", column(2, SqlType::smallInt()), number("100000"))
              ->as<CallExpr>()
              ->args[0]
              ->type == SqlType::integer());
    CHECK(makeComparison(arena, "<", column(4, SqlType::integer()), number("1.5"))
              ->as<CallExpr>()
              ->args[0]
              ->type.kind == TypeKind::kDecimal);
    CHECK(stateOf([&] {
              makeComparison(arena, "=", column(4, SqlType::integer()), literal("x"));
          }) == "22P02");
    CHECK(stateOf([&] {
              makeComparison(arena, "=", column(4, SqlType::integer()), column(3, SqlType::date()));
          }) == "42883");
}

TEST_CASE_FIXTURE(Fixture, "explicit casts cut text, assignments refuse it") {
    const Expr* text = typed("abcdef", SqlType::text());
    CHECK(show(makeCast(arena, text, SqlType::varchar(3), CastContext::kExplicit)) == "abc");
    CHECK(show(makeCast(arena, text, SqlType::varchar(3), CastContext::kAssignment)) ==
          "error 22001 value too long for type character varying(3)");
    CHECK(show(makeCast(arena, typed("abc   ", SqlType::text()), SqlType::varchar(3),
                        CastContext::kAssignment)) == "abc");
    CHECK(show(makeCast(arena, typed("ab", SqlType::text()), SqlType::character(4),
                        CastContext::kAssignment)) == "ab  ");
    CHECK(show(makeCast(arena, typed("\u00E9\u00E9", SqlType::text()), SqlType::varchar(3),
                        CastContext::kExplicit)) == "\u00E9");
    CHECK(stateOf([&] { makeCast(arena, text, SqlType::integer(), CastContext::kAssignment); }) ==
          "42804");
    CHECK(stateOf([&] {
              makeCast(arena, typed("2020-01-01", SqlType::date()), SqlType::boolean(),
                       CastContext::kExplicit);
          }) == "42846");
    CHECK(show(makeCast(arena, number("123.45"), SqlType::decimal(4, 2), CastContext::kExplicit)) ==
          "error 22003 Numeric data overflow (result precision)");
}

TEST_CASE_FIXTURE(Fixture,
                  "values of columns are truncated by explicit casts unless rounding is on") {
    VectorBuffer in, out;
    in.reset(PhysicalKind::kI64);
    in.values<i64>()[0] = 1999;
    in.values<i64>()[1] = -1999;
    const SqlType from = SqlType::decimal(10, 3);
    const SqlType to = SqlType::decimal(10, 1);
    const std::vector<Vector> args = {in.view(false)};
    TextHeap heap;
    const auto run = [&](const Function* function, bool rounding) {
        session.numeric_rounding = rounding;
        EvalContext context{.session = &session};
        out.reset(PhysicalKind::kI64);
        function->loop({.args = args,
                        .arg_types = std::span(&from, 1),
                        .result_type = to,
                        .out = out,
                        .selection = nullptr,
                        .count = 2,
                        .heap = heap,
                        .context = context});
        return out.values<i64>()[0] * 100 + out.values<i64>()[1];
    };
    CHECK(run(castFunctionOf(from, to, CastForm::kExplicit), false) == 19 * 100 - 19);
    CHECK(run(castFunctionOf(from, to, CastForm::kExplicit), true) == 20 * 100 - 20);
    CHECK(run(castFunctionOf(from, to, CastForm::kAssignment), false) == 20 * 100 - 20);
}

TEST_CASE_FIXTURE(Fixture, "TRY_CAST gives NULL") {
    const auto attempt = [&](std::string_view text, SqlType to) {
        const Value value = Value::ofText(text);
        const auto folded = foldCall(*tryCastFunction(SqlType::text(), to), std::span(&value, 1),
                                     to, session, arena);
        return !folded ? "nothing" : folded->is_null ? "NULL" : valueText(*folded, session);
    };
    CHECK(attempt("12", SqlType::integer()) == "12");
    CHECK(attempt("x", SqlType::integer()) == "NULL");
    CHECK(attempt("99999", SqlType::smallInt()) == "NULL");
    CHECK(attempt("2020-02-30", SqlType::date()) == "NULL");
}

TEST_CASE_FIXTURE(Fixture, "predicates that reject nulls are known") {
    const Expr* a = column(1, SqlType::integer());
    const Expr* b = column(2, SqlType::integer());
    const ColumnId ids[] = {1};
    const auto logic = [&](ExprKind kind, std::initializer_list<const Expr*> args,
                           bool negated = false) {
        return makeLogic(arena, kind, std::span(args.begin(), args.size()), negated);
    };
    const Expr* on_a = makeComparison(arena, "=", a, number("1"));
    const Expr* on_b = makeComparison(arena, "=", b, number("1"));
    CHECK(rejectsNulls(on_a, ids));
    CHECK_FALSE(rejectsNulls(on_b, ids));
    CHECK(rejectsNulls(logic(ExprKind::kAnd, {on_a, on_b}), ids));
    CHECK_FALSE(rejectsNulls(logic(ExprKind::kOr, {on_a, on_b}), ids));
    CHECK_FALSE(rejectsNulls(logic(ExprKind::kIsNull, {a}), ids));
    CHECK(rejectsNulls(logic(ExprKind::kIsNull, {a}, true), ids));
    CHECK(rejectsNulls(logic(ExprKind::kNot, {logic(ExprKind::kIsNull, {a})}), ids));
    CHECK(rejectsNulls(logic(ExprKind::kNot, {on_a}), ids));
    CHECK_FALSE(rejectsNulls(
        makeComparison(arena, "=", logic(ExprKind::kCoalesce, {a, number("1")}), number("1")),
        ids));
}

TEST_CASE_FIXTURE(Fixture, "conjunctions are flattened and compared by structure") {
    const Expr* x = makeComparison(arena, "=", column(1, SqlType::integer()), number("1"));
    const Expr* y = makeComparison(arena, "<", column(2, SqlType::integer()), number("2"));
    const Expr* both = makeAnd(arena, std::initializer_list<const Expr*>{x, y});
    const Expr* three = makeAnd(arena, std::initializer_list<const Expr*>{both, x});
    CHECK(argsOf(three).size() == 3);
    CHECK(makeAnd(arena, {}) == nullptr);
    CHECK(makeAnd(arena, std::initializer_list<const Expr*>{x}) == x);
    const Expr* again = makeComparison(arena, "=", column(1, SqlType::integer()), number("1"));
    CHECK(sameExpr(x, again));
    CHECK(hashExpr(x) == hashExpr(again));
    CHECK_FALSE(sameExpr(x, y));
    const Expr* r = makeCallByName(arena, "random", {});
    CHECK_FALSE(sameExpr(r, makeCallByName(arena, "random", {})));
    CHECK(print(both) == "((c1 = 1) AND (c2 < 2))");
}

TEST_CASE_FIXTURE(Fixture, "Redshift's own functions") {
    const auto ts = [&](std::string_view text) { return typed(text, SqlType::timestamp()); };
    CHECK(show(call("dateadd", {literal("month"), number("1"), ts("2008-01-31")})) ==
          "2008-02-29 00:00:00");
    CHECK(show(call("add_months", {ts("2008-02-29"), number("1")})) == "2008-03-31 00:00:00");
    CHECK(show(call("datediff", {literal("qtr"), typed("1998-07-01", SqlType::date()),
                                 typed("2009-12-31", SqlType::date())})) == "45");
    CHECK(show(call("datediff", {literal("week"), typed("2009-01-01", SqlType::date()),
                                 typed("2009-12-31", SqlType::date())})) == "52");
    CHECK(show(call("last_day", {typed("2004-02-10", SqlType::date())})) == "2004-02-29");
    CHECK(show(call("next_day", {typed("2014-08-20", SqlType::date()), literal("Tuesday")})) ==
          "2014-08-26");
    CHECK(show(call("months_between", {ts("1969-03-18"), ts("1969-01-18")})) == "2");
    CHECK(show(call("convert_timezone", {literal("EST"), literal("PST"),
                                         ts("2008-03-05 09:25:29")})) == "2008-03-05 06:25:29");
    CHECK(show(call("convert_timezone", {literal("GMT"), literal("NEWZONE +2"),
                                         ts("2014-05-17 12:00:00")})) == "2014-05-17 10:00:00");
    CHECK(show(call("fnv_hash", {number("1")})) == "-5968735742475085980");
    CHECK(show(call("fnv_hash", {literal("Amazon Redshift")})) == "7783490368944507294");
    CHECK(show(call("crc32", {literal("Hello")})) == "f7d18982");
    CHECK(show(call("sha2", {literal("abc"), number("256")})) ==
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(show(call("strtol", {literal("abcd1234"), number("16")})) == "2882343476");
    CHECK(show(call("regexp_substr", {literal("the fox"), literal("f[a-z]+")})) == "fox");
    CHECK(show(call("regexp_count", {literal("abcdefghijk"), literal("[a-c]")})) == "3");
    CHECK(show(call("regexp_instr", {literal("home@example.com"), literal("@")})) == "5");
    CHECK(show(call("regexp_replace", {literal("the fox"), literal("(\\w+) (\\w+)"),
                                       literal("$2 $1"), number("1"), literal("p")})) == "fox the");
    CHECK(show(call("json_extract_path_text", {literal("{\"a\":{\"b\":[1,\"x\"]}}"), literal("a"),
                                               literal("b")})) == "[1,\"x\"]");
    CHECK(show(call("json_extract_array_element_text", {literal("[111,112,113]"), number("2")})) ==
          "113");
    CHECK(show(call("json_array_length", {literal("[1,2"), typed("true", SqlType::boolean())})) ==
          "NULL");
    CHECK(show(call("is_valid_json", {literal("{\"a\":2}")})) == "t");
    CHECK(show(call("greatest", {number("1"), null(SqlType::integer()), number("3")})) == "3");
    CHECK(show(call("date_part", {literal("dow"), ts("2020-02-02 00:00:00")})) == "0");
    CHECK(show(call("extract", {literal("milliseconds"), ts("2009-09-09 12:08:43.101")})) == "101");
    CHECK(show(call("difference", {literal("Amazon"), literal("+-*/%")})) == "0");
    CHECK(show(call("chr", {number("0")})).starts_with("error 54000"));
    CHECK(show(call("repeat", {literal("abc"), number("100000")})).starts_with("error 22001"));
    CHECK(show(call("version", {})).find("Redshift") != std::string::npos);
    CHECK(show(call("format_type", {number("1043"), number("29")})) == "character varying(25)");
    CHECK(
        show(call("array_to_string", {typed("{a,\"b c\",NULL}", SqlType::of(TypeKind::kTextArray)),
                                      literal("|")})) == "a|b c");
    CHECK(show(call("array_element",
                    {typed("{3,4}", SqlType::of(TypeKind::kInt2Array)), number("2")})) == "4");
    CHECK(stateOf([&] { call("no_such_function", {number("1")}); }) == "42883");
    CHECK(stateOf([&] { call("lower", {number("1"), number("2")}); }) == "42883");
}

TEST_CASE("bulk reading refuses what does not fit its slot") {
    InputOptions options;
    i8 narrow = 0;
    CHECK(parseInto("127", SqlType::bigInt(), PhysicalKind::kI8, &narrow, options) ==
          InputError::kNone);
    CHECK(narrow == 127);
    CHECK(parseInto("128", SqlType::bigInt(), PhysicalKind::kI8, &narrow, options) ==
          InputError::kOutOfRange);
    i16 cents = 0;
    CHECK(parseInto("-12.345", SqlType::decimal(10, 2), PhysicalKind::kI16, &cents, options) ==
          InputError::kNone);
    CHECK(cents == -1235);
    i32 days = 0;
    CHECK(parseInto("1998-09-02", SqlType::date(), PhysicalKind::kI32, &days, options) ==
          InputError::kNone);
    CHECK(days == -486);
    CHECK(parseInto("1998-09-31", SqlType::date(), PhysicalKind::kI32, &days, options) ==
          InputError::kFieldRange);
    TextView text;
    CHECK(parseInto("abcd", SqlType::varchar(3), PhysicalKind::kText, &text, options) ==
          InputError::kTooLong);
    CHECK(parseInto("abc ", SqlType::varchar(3), PhysicalKind::kText, &text, options) ==
          InputError::kNone);
    options.date_order_mdy = false;
    CHECK(parseInto("02/09/1998", SqlType::date(), PhysicalKind::kI32, &days, options) ==
          InputError::kNone);
    CHECK(days == -486);
}
