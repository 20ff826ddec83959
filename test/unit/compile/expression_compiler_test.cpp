// Widths, ranges and loops that the expression compiler chooses.
#include "compile/expression_compiler.h"

#include <doctest/doctest.h>

#include "unit/compile/compiler_fixture.h"

namespace blueshift::compile::test {

using functions::Operator;
using enum PhysicalKind;

namespace {

const SqlType kSmall = SqlType::smallInt();
const SqlType kInt = SqlType::integer();
const SqlType kBig = SqlType::bigInt();

void checkRange(const EvalNode* node, i128 min, i128 max) {
    REQUIRE(node->has_range);
    CHECK(i64(node->min) == i64(min));
    CHECK(i64(node->max) == i64(max));
}

} // namespace

TEST_CASE("range arithmetic covers all corners and gives up beyond 128 bits") {
    const Range sum = *addRanges({-3, 5}, {10, 20});
    CHECK((sum.min == 7 && sum.max == 25));
    const Range difference = *subtractRanges({-3, 5}, {10, 20});
    CHECK((difference.min == -23 && difference.max == -5));
    for (i128 a = -4; a <= 4; ++a)
        for (i128 b = a; b <= 4; ++b)
            for (i128 c = -4; c <= 4; ++c)
                for (i128 d = c; d <= 4; ++d) {
                    const Range product = *multiplyRanges({a, b}, {c, d});
                    for (i128 x = a; x <= b; ++x)
                        for (i128 y = c; y <= d; ++y)
                            REQUIRE((product.min <= x * y && x * y <= product.max));
                }
    const Range all = rangeOfKind(kI128);
    CHECK_FALSE(addRanges(all, {1, 1}).has_value());
    CHECK_FALSE(subtractRanges({0, 0}, all).has_value());
    CHECK_FALSE(multiplyRanges(all, {2, 2}).has_value());
    CHECK(kindForRange({-128, 127}, kI8) == kI8);
    CHECK(kindForRange({-128, 128}, kI8) == kI16);
    CHECK(kindForRange({-32769, 0}, kI8) == kI32);
    CHECK(kindForRange({0, i128(1) << 31}, kI8) == kI64);
    CHECK(kindForRange({0, i128(1) << 63}, kI8) == kI128);
    CHECK(kindForRange({0, 1}, kI32) == kI32);
}

TEST_CASE("arithmetic over narrow columns is unchecked at the width that its range needs") {
    Columns columns;
    const Expr* a = columns.add(kBig, kI8);
    const Expr* b = columns.add(kBig, kI16);
    const EvalNode* product = columns.compile(columns.call("*", {a, b}));
    CHECK(product->kind == kI32);
    CHECK_FALSE(product->can_fail);
    CHECK((product->loop == functions::arithmeticLoop(Operator::kMultiply, kI32, false)));
    CHECK(product->args[0]->kind == kI32);
    CHECK(product->args[1]->kind == kI32);
    checkRange(product, -128 * 32767, 128 * 32768);

    const Expr* wide = columns.add(kBig, kI32);
    const EvalNode* more = columns.compile(columns.call("*", {columns.call("*", {a, b}), wide}));
    CHECK(more->kind == kI64);
    CHECK_FALSE(more->subtree_fails);
}

TEST_CASE("what may overflow its SQL type is checked at the natural width") {
    Columns columns;
    const Expr* full = columns.add(kBig);
    const Expr* narrow = columns.add(kBig, kI8);
    const EvalNode* sum = columns.compile(columns.call("+", {full, narrow}));
    CHECK(sum->kind == kI64);
    CHECK(sum->can_fail);
    CHECK(sum->subtree_fails);
    CHECK_FALSE(sum->per_entry);
    CHECK((sum->loop == functions::arithmeticLoop(Operator::kAdd, kI64, true)));

    const Expr* ranged = columns.add(kBig, kI64, 0, (i64(1) << 62) - 1);
    CHECK_FALSE(columns.compile(columns.call("+", {ranged, ranged}))->can_fail);
    CHECK(columns.compile(columns.call("*", {ranged, ranged}))->can_fail);

    const Expr* integer = columns.add(kInt);
    const EvalNode* checked = columns.compile(columns.call("*", {integer, integer}));
    CHECK(checked->kind == kI32);
    CHECK(checked->can_fail);
    const EvalNode* divided = columns.compile(columns.call("/", {narrow, narrow}));
    CHECK(divided->can_fail);
    const EvalNode* negated = columns.compile(columns.call("-", {full}));
    CHECK(negated->can_fail);
    CHECK_FALSE(columns.compile(columns.call("-", {ranged}))->can_fail);
}

TEST_CASE("SMALLINT never computes wider than two bytes, or overflow would go unseen") {
    Columns columns;
    const Expr* a = columns.add(kSmall, kI8);
    const Expr* product = columns.call("*", {a, a});
    REQUIRE(product->type == kSmall);
    const EvalNode* exact = columns.compile(product);
    CHECK(exact->kind == kI16);
    CHECK_FALSE(exact->can_fail);
    const EvalNode* cube = columns.compile(columns.call("*", {product, a}));
    CHECK(cube->kind == kI16);
    CHECK(cube->can_fail);
    // A function takes its natural kind, which is not narrower than what arithmetic delivers.
    CHECK(columns.compile(columns.call("abs", {product}))->args[0]->kind == kI16);
}

TEST_CASE("decimals change scale by a multiplication when the range fits, else by a call") {
    Columns columns;
    const SqlType two = SqlType::decimal(12, 2);
    const Expr* price = columns.add(two, kI32);
    const EvalNode* scaled = columns.compile(columns.cast(price, SqlType::decimal(15, 4)));
    CHECK((scaled->function == nullptr));
    CHECK(scaled->kind == kI64);
    CHECK_FALSE(scaled->can_fail);
    CHECK((scaled->loop == functions::arithmeticLoop(Operator::kMultiply, kI64, false)));
    CHECK(scaled->type == SqlType::decimal(15, 4));
    checkRange(scaled, i128(-100) << 31, (i128(100) << 31) - 100);

    const EvalNode* same = columns.compile(columns.cast(price, SqlType::decimal(14, 2)));
    CHECK(same->op == EvalOp::kSlot);
    CHECK(same->kind == kI32);
    CHECK(same->type == SqlType::decimal(14, 2));

    const Expr* full = columns.add(SqlType::decimal(18, 2), kI64);
    const EvalNode* called = columns.compile(columns.cast(full, SqlType::decimal(10, 4)));
    CHECK((called->function != nullptr));
    CHECK(called->can_fail);
    const EvalNode* down = columns.compile(columns.cast(price, SqlType::decimal(12, 0)));
    CHECK((down->function != nullptr));
}

TEST_CASE("casts of integers relabel inside the target's range") {
    Columns columns;
    const Expr* narrow = columns.add(kBig, kI8);
    const EvalNode* relabelled = columns.compile(columns.cast(narrow, kSmall));
    CHECK(relabelled->op == EvalOp::kSlot);
    CHECK(relabelled->type == kSmall);
    const Expr* wide = columns.add(kBig, kI32);
    CHECK(columns.compile(columns.cast(wide, kSmall))->can_fail);
    CHECK(columns.compile(columns.cast(wide, kInt))->op == EvalOp::kSlot);
    // The range fits, the vectors do not: an INTEGER in eight bytes would break its consumers.
    const Expr* ranged = columns.add(kBig, kI64, 0, 100);
    const EvalNode* converted = columns.compile(columns.cast(ranged, kInt));
    CHECK(converted->kind == kI32);
    CHECK(columns.compile(columns.call("abs", {columns.cast(ranged, kInt)}))->args[0]->kind ==
          kI32);
}

TEST_CASE("text changes its label, not its bytes") {
    Columns columns;
    const Expr* name = columns.add(SqlType::varchar(10));
    CHECK(columns.compile(columns.cast(name, SqlType::text()))->op == EvalOp::kSlot);
    const EvalNode* longer = columns.compile(columns.cast(name, SqlType::varchar(20)));
    CHECK(longer->op == EvalOp::kSlot);
    CHECK(longer->type == SqlType::varchar(20));
    CHECK(columns.compile(columns.cast(name, SqlType::varchar(5)))->op == EvalOp::kCall);
}

TEST_CASE("comparisons widen the narrower side and retype constants") {
    Columns columns;
    const Expr* a = columns.add(kBig, kI8);
    const Expr* b = columns.add(kBig, kI32);
    const EvalNode* both = columns.compile(makeComparison(columns.arena, "<", a, b));
    CHECK(both->args[0]->kind == kI32);
    CHECK(both->args[0]->op == EvalOp::kCall);
    CHECK((both->filter == functions::filterLoop(Operator::kLess, kI32)));
    const EvalNode* constant =
        columns.compile(makeComparison(columns.arena, "=", b, columns.integer(7, kBig)));
    CHECK(constant->args[1]->op == EvalOp::kConstant);
    CHECK(constant->args[1]->kind == kI32);
    CHECK(constant->per_entry);
    const EvalNode* beyond =
        columns.compile(makeComparison(columns.arena, "=", a, columns.integer(70000, kBig)));
    CHECK(beyond->args[0]->kind == kI32);
}

TEST_CASE("CASE and COALESCE take the widest arm and the union of the ranges") {
    Columns columns;
    const Expr* flag = columns.add(SqlType::boolean());
    const Expr* a = columns.add(kBig, kI8);
    const Expr* b = columns.add(kBig, kI16, 0, 1000);
    const EvalNode* made = columns.compile(columns.logic(ExprKind::kCase, {flag, a, b}));
    CHECK(made->kind == kI16);
    checkRange(made, -128, 1000);
    CHECK(made->args[1]->kind == kI16);
    CHECK(made->args[2]->kind == kI16);
    CHECK(made->args[0]->kind == kI8);
    const EvalNode* first = columns.compile(columns.logic(ExprKind::kCoalesce, {a, b}));
    CHECK(first->kind == kI16);
    checkRange(first, -128, 1000);
    // compileAs widens the whole, once.
    ExpressionCompiler compiler(columns.slots, columns.arena);
    CHECK(compiler.compileAs(columns.logic(ExprKind::kCoalesce, {a, b}), kI64).root->kind == kI64);
}

TEST_CASE("IN lists keep the tested column's width and carry constants of any") {
    Columns columns;
    const Expr* a = columns.add(kBig, kI8);
    const EvalNode* list = columns.compile(columns.logic(
        ExprKind::kInList, {a, columns.integer(3, kBig), columns.integer(1 << 20, kBig)}));
    CHECK(list->op == EvalOp::kInList);
    CHECK(list->kind == kI8);
    CHECK(list->args[0]->kind == kI8);
    REQUIRE(list->args.size() == 3);
    CHECK(i64(list->args[2]->constant.integer) == 1 << 20);
}

TEST_CASE("nodes of one expression have scratch numbers of their own") {
    Columns columns;
    const Expr* a = columns.add(kBig, kI8);
    const Expr* product = columns.call("*", {columns.call("+", {a, a}), columns.call("-", {a})});
    const Expression expression = compileExpression(product, columns.slots, columns.arena);
    std::vector<bool> seen(expression.scratch_count);
    const auto visit = [&](auto&& self, const EvalNode* node) -> void {
        REQUIRE(node->scratch < seen.size());
        CHECK_FALSE(seen[node->scratch]);
        seen[node->scratch] = true;
        for (const EvalNode* arg : node->args) self(self, arg);
    };
    visit(visit, expression.root);
}

TEST_CASE("a column that is not in the input is an internal error") {
    Columns columns;
    CHECK_THROWS_AS(columns.compile(makeColumn(columns.arena, 9, kBig, true)), SqlError);
}

} // namespace blueshift::compile::test
