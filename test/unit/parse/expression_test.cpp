// Precedence, forms and nesting of expressions.
#include <doctest/doctest.h>

#include "parse/printer.h"
#include "unit/parse/parse_support.h"

using namespace blueshift;
using namespace blueshift::parse;

namespace blueshift::parse {

/// Written apart from the printer, which leaves parentheses out.
std::string shape(const Expression* e) {
    switch (e->kind) {
    case ExpressionKind::kBinary: {
        const Binary* b = e->as<Binary>();
        return "(" + shape(b->left) + " " + std::string(operatorText(b->op)) + " " +
               shape(b->right) + ")";
    }
    case ExpressionKind::kLogical: {
        std::string out = "(";
        for (const Expression* term : e->as<Logical>()->terms) {
            if (out.size() > 1) out += e->as<Logical>()->is_and ? " and " : " or ";
            out += shape(term);
        }
        return out + ")";
    }
    case ExpressionKind::kUnary: {
        static constexpr const char* kOps[] = {"+", "-", "not ", "~", "|/", "||/", "@", "prior "};
        return "(" + std::string(kOps[static_cast<u8>(e->as<Unary>()->op)]) +
               shape(e->as<Unary>()->operand) + ")";
    }
    case ExpressionKind::kIs:
        return "(" + shape(e->as<Is>()->operand) + (e->as<Is>()->negated ? " isnt" : " is") +
               std::to_string(static_cast<int>(e->as<Is>()->test)) + ")";
    case ExpressionKind::kCast:
        return "(" + shape(e->as<Cast>()->operand) + "::" + print(*e->as<Cast>()->type) + ")";
    case ExpressionKind::kLike:
        return "(" + shape(e->as<Like>()->operand) +
               (e->as<Like>()->negated ? " unlike " : " like ") + shape(e->as<Like>()->pattern) +
               ")";
    case ExpressionKind::kBetween:
        return "(" + shape(e->as<Between>()->operand) + " between " + shape(e->as<Between>()->low) +
               "," + shape(e->as<Between>()->high) + ")";
    case ExpressionKind::kSubscript:
        return "(" + shape(e->as<Subscript>()->operand) + "[" + shape(e->as<Subscript>()->index) +
               "])";
    case ExpressionKind::kField:
        return "(" + shape(e->as<FieldAccess>()->operand) + " . " +
               std::string(e->as<FieldAccess>()->field) + ")";
    case ExpressionKind::kFunction: {
        std::string out(e->as<FunctionCall>()->name.name);
        out += "(";
        for (const Expression* argument : e->as<FunctionCall>()->arguments) {
            if (out.back() != '(') out += ",";
            out += shape(argument);
        }
        return out + ")";
    }
    default: return print(*e);
    }
}

} // namespace blueshift::parse

TEST_CASE("operators bind as in PostgreSQL") {
    CHECK(shapeOf("1+2*3") == "(1 + (2 * 3))");
    CHECK(shapeOf("1-2-3") == "((1 - 2) - 3)");
    CHECK(shapeOf("2^3^4") == "((2 ^ 3) ^ 4)");
    CHECK(shapeOf("-2^2") == "((-2) ^ 2)");
    CHECK(shapeOf("-a::int") == "(-(a::int))");
    CHECK(shapeOf("-a[1]") == "(-(a[1]))");
    CHECK(shapeOf("a||b+c") == "(a || (b + c))");
    CHECK(shapeOf("a & b + c | d") == "((a & (b + c)) | d)");
    CHECK(shapeOf("a < b + c") == "(a < (b + c))");
    CHECK(shapeOf("a || b = c || d") == "((a || b) = (c || d))");
    CHECK(shapeOf("not a = b") == "(not (a = b))");
    CHECK(shapeOf("not a and b or c") == "(((not a) and b) or c)");
    CHECK(shapeOf("a or b and c or d") == "(a or (b and c) or d)");
    CHECK(shapeOf("a = b is null") == "((a = b) is0)");
    CHECK(shapeOf("a like b || c") == "(a like (b || c))");
    CHECK(shapeOf("a not like b and c") == "((a unlike b) and c)");
    CHECK(shapeOf("a = b like c") == "(a = (b like c))");
    CHECK(shapeOf("a between b + 1 and c and d") == "((a between (b + 1),c) and d)");
    CHECK(shapeOf("@ a + b") == "(@(a + b))");
    CHECK(shapeOf("~ a | b") == "((~a) | b)");
    CHECK(shapeOf("a + b at time zone c") == "(a + timezone(c,b))");
    CHECK(shapeOf("a::int::text") == "((a::int)::text)");
    CHECK(shapeOf("(a).b.c[1]") == "(((a . b) . c)[1])");
    CHECK(shapeOf("a is distinct from b and c") == "((a IS DISTINCT FROM b) and c)");
    CHECK(shapeOf("a ~ 'x' = b") == "((a ~ 'x') = b)");
    CHECK(shapeOf("a*-b") == "(a * (-b))");
    CHECK(shapeOf("a--b\n+c") == "(a + c)");
}

TEST_CASE("AND and OR are n-ary") {
    Arena arena;
    const Expression* e = parseExpression("a and b and c and (d and e)", arena);
    REQUIRE(e->is<Logical>());
    CHECK(e->as<Logical>()->terms.size() == 4);
}

TEST_CASE("NOT runs keep their parity") {
    CHECK(shapeOf("not a") == "(not a)");
    CHECK(shapeOf("not not a") == "(not (not a))");
    CHECK(shapeOf("not not not a") == "(not a)");
    CHECK(shapeOf("not not not not a") == "(not (not a))");
}

TEST_CASE("special forms become calls") {
    CHECK(shapeOf("substring(a from 2 for 3)") == "substring(a,2,3)");
    CHECK(shapeOf("substring(a for 3)") == "substring(a,1,3)");
    CHECK(shapeOf("substring(a for 3 from 2)") == "substring(a,2,3)");
    CHECK(shapeOf("trim(both 'x' from a)") == "btrim(a,'x')");
    CHECK(shapeOf("trim(leading from a)") == "ltrim(a)");
    CHECK(shapeOf("trim(trailing 'x' from a)") == "rtrim(a,'x')");
    CHECK(shapeOf("position('x' in a)") == "position('x',a)");
    CHECK(shapeOf("extract(YEAR from a)") == "extract('year',a)");
    CHECK(shapeOf("dateadd(day, 1, a)") == "dateadd(day,1,a)");
    CHECK(shapeOf("convert(int, a)") == "(a::int)");
    CHECK(shapeOf("a at time zone 'utc'") == "timezone('utc',a)");
}

TEST_CASE("literals keep their kind and their text") {
    Arena arena;
    auto literal = [&](std::string_view text) {
        return parseExpression(text, arena)->as<Literal>();
    };
    CHECK(literal("123")->literal == LiteralKind::kInteger);
    CHECK(literal("1.")->literal == LiteralKind::kDecimal);
    CHECK(literal(".5")->literal == LiteralKind::kDecimal);
    CHECK(literal("1e5")->literal == LiteralKind::kFloat);
    CHECK(literal("1.5E-3")->text == "1.5E-3");
    CHECK(literal("'it''s'")->text == "it's");
    CHECK(literal("'a\\n'")->text == "a\\n");
    CHECK(literal("E'a\\n\\x41\\101\\u00e9\\'\\\\'")->text == "a\nAA\xC3\xA9'\\");
    CHECK(literal("e'x\\ty'")->text == "x\ty");
    CHECK(literal("N'x'")->text == "x");
    CHECK(literal("$$a'b$$")->text == "a'b");
    CHECK(literal("$q$a$$b$q$")->text == "a$$b");
    CHECK(literal("'a'\n  'b' -- c\n  'd'")->text == "abd");
    CHECK(literal("null")->literal == LiteralKind::kNull);
    CHECK(literal("TRUE")->boolean);
}

TEST_CASE("typed literals") {
    Arena arena;
    const TypedLiteral* interval =
        parseExpression("interval '1 2' day to second(3)", arena)->as<TypedLiteral>();
    CHECK(interval->type->interval_start == IntervalField::kDay);
    CHECK(interval->type->interval_end == IntervalField::kSecond);
    REQUIRE(interval->type->modifiers.size() == 1);
    CHECK(interval->type->modifiers[0] == 3);
    const TypedLiteral* numeric = parseExpression("numeric(10, 2) '1'", arena)->as<TypedLiteral>();
    CHECK(numeric->type->name == "numeric");
    REQUIRE(numeric->type->modifiers.size() == 2);
    CHECK(numeric->type->modifiers[1] == 2);
    CHECK(parseExpression("timestamp with time zone 'x'", arena)->as<TypedLiteral>()->type->name ==
          "timestamp with time zone");
}

TEST_CASE("a query in parentheses is told from an expression") {
    Arena arena;
    CHECK(parseExpression("((select 1))", arena)->is<Subquery>());
    CHECK(parseExpression("((select 1) + 1)", arena)->is<Binary>());
    CHECK(parseExpression("((select 1) union (select 2))", arena)
              ->as<Subquery>()
              ->query->is<SetOperation>());
    CHECK(parseExpression("((select 1), 2)", arena)->as<Row>()->items.size() == 2);
    CHECK(parseExpression("a in ((select 1))", arena)->is<InQuery>());
    CHECK(parseExpression("a in ((select 1), 2)", arena)->is<InList>());
    CHECK(parseExpression("(((a)))", arena)->is<ColumnReference>());
    CHECK(parseExpression("((a, b))", arena)->is<Row>());
}

TEST_CASE("window specifications") {
    Arena arena;
    const FunctionCall* call =
        parseExpression(
            "lag(a, 2) ignore nulls over (partition by b order by c desc nulls last rows "
            "between 3 preceding and 1 following)",
            arena)
            ->as<FunctionCall>();
    CHECK(call->nulls == NullTreatment::kIgnore);
    REQUIRE(call->over != nullptr);
    CHECK(call->over->partition_by.size() == 1);
    REQUIRE(call->over->order_by.size() == 1);
    CHECK(call->over->order_by[0].descending);
    CHECK(call->over->order_by[0].nulls == NullsOrder::kLast);
    REQUIRE(call->over->frame != nullptr);
    CHECK(call->over->frame->start == FrameBound::kPreceding);
    CHECK(call->over->frame->end == FrameBound::kFollowing);
    const FunctionCall* short_frame =
        parseExpression("sum(a) over (order by b rows unbounded preceding)", arena)
            ->as<FunctionCall>();
    CHECK(short_frame->over->frame->end == FrameBound::kCurrentRow);
}

TEST_CASE("deep and long expressions") {
    auto repeat = [](std::string_view text, size_t count) {
        std::string out;
        out.reserve(text.size() * count);
        for (size_t i = 0; i < count; ++i) out += text;
        return out;
    };
    SUBCASE("too deep is an error") {
        for (std::string text :
             {"select " + repeat("(", 100000) + "1" + repeat(")", 100000),
              "select " + repeat("(select ", 100000), repeat("(", 100000) + "select 1",
              "select " + repeat("f(", 100000), "select " + repeat("case when ", 100000),
              "select " + repeat("- ", 100000) + "1", "select * from " + repeat("(", 100000) + "t",
              "select " + repeat("a[", 100000), "select " + repeat("array[", 100000),
              "select 1 group by " + repeat("rollup(", 100000), "select " + repeat("not (", 100000),
              repeat("explain ", 100000) + "select 1", "select " + repeat("exists (", 100000),
              "select * from a " + repeat("join b ", 100000),
              "with a as (" + repeat("with a as (", 100000)}) {
            CAPTURE(text.substr(0, 40));
            CHECK(errorOf(text).sqlstate == sqlstate::kStatementTooComplex);
        }
    }
    SUBCASE("less than the limit is fine") {
        CHECK(errorOf("select " + repeat("(", 900) + "1" + repeat(")", 900)).sqlstate == "");
        CHECK(errorOf("select " + repeat("(select ", 300) + "1" + repeat(")", 300)).sqlstate == "");
    }
    SUBCASE("long chains are fine") {
        for (std::string text :
             {"select 1" + repeat("+1", 1000000), "select " + repeat("not ", 1000000) + "a",
              "select a" + repeat(" and a", 100000), "select a" + repeat(" or a and b", 100000),
              "select a in (1" + repeat(",1", 100000) + ")",
              "select 1" + repeat(" union all select 1", 10000),
              "select 1" + repeat(" intersect select 1", 10000),
              "select a" + repeat("::int", 100000), "select a" + repeat(" is null", 100000),
              "select a" + repeat("[1]", 100000), "select a" + repeat(".b", 100000),
              "select (a)" + repeat(".b", 100000), "select a" + repeat(" at time zone 'x'", 100000),
              "select a" + repeat(" collate c", 100000),
              "select case" + repeat(" when a then b", 100000) + " end",
              "select * from t" + repeat(" join t on true", 10000),
              "select 1" + repeat(",1", 100000),
              "insert into t values (1)" + repeat(",(1)", 100000),
              repeat(";", 100000) + "select 1"}) {
            CAPTURE(text.substr(0, 40));
            std::string first;
            REQUIRE_NOTHROW(first = printed(text));
            CHECK(first == printed(first));
        }
    }
}
