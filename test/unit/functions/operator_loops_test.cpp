// Loops of every width against a plain model: dense, constant, selected, with NULLs.
#include <doctest/doctest.h>

#include <limits>
#include <random>

#include "functions/expression.h"
#include "functions/operators.h"

using namespace blueshift;
using namespace blueshift::functions;

namespace {

struct Column {
    VectorBuffer buffer;
    Vector view;
};

template <class T>
Column makeColumn(PhysicalKind kind, std::mt19937_64& random, bool constant, bool nulls) {
    Column column;
    column.buffer.reset(kind);
    column.buffer.setAllValid();
    const T edges[] = {
        T(0), T(1), T(-1), std::numeric_limits<T>::max(), std::numeric_limits<T>::lowest(), T(7)};
    for (u32 i = 0; i < kVectorRows; ++i) {
        column.buffer.values<T>()[i] =
            random() % 4 == 0 ? edges[random() % 6] : T(i64(random() % 200) - 100);
        if (nulls && random() % 3 == 0) clearBit(column.buffer.validity(), i);
    }
    column.view = column.buffer.view(nulls);
    if (constant) column.view.form = VectorForm::kConstant;
    return column;
}

struct Run {
    EvalContext context;
    VectorBuffer out;
    TextHeap heap;
    void call(VectorLoop loop, std::initializer_list<Vector> args, SqlType type, PhysicalKind kind,
              const u16* selection, u32 count) {
        out.reset(kind);
        out.setAllValid();
        const std::vector<Vector> vectors(args);
        const std::vector<SqlType> types(vectors.size(), type);
        loop({.args = vectors,
              .arg_types = types,
              .result_type = type,
              .out = out,
              .selection = selection,
              .count = count,
              .heap = heap,
              .context = context});
    }
};

template <class T> bool modelHolds(Operator op, T a, T b) {
    switch (op) {
    case Operator::kEqual: return a == b;
    case Operator::kNotEqual: return a != b;
    case Operator::kLess: return a < b;
    case Operator::kLessEqual: return a <= b;
    case Operator::kGreater: return a > b;
    default: return a >= b;
    }
}

template <class T> void checkComparisons(PhysicalKind kind) {
    std::mt19937_64 random(u64(kind) + 1);
    std::vector<u16> selection;
    for (u16 row = 0; row < kVectorRows; row = u16(row + 1 + row % 3)) selection.push_back(row);
    for (u8 op = u8(Operator::kEqual); op <= u8(Operator::kGreaterEqual); ++op) {
        for (int form = 0; form < 16; ++form) {
            const bool selected = form & 1;
            const Column a = makeColumn<T>(kind, random, form & 2, form & 8);
            const Column b = makeColumn<T>(kind, random, form & 4, form & 8);
            const u32 count = selected ? u32(selection.size()) : kVectorRows;
            std::vector<u16> expected;
            for (u32 i = 0; i < count; ++i) {
                const u16 row = selected ? selection[i] : u16(i);
                if (!a.view.isNull(row) && !b.view.isNull(row) &&
                    modelHolds(Operator(op), a.view.valueAt<T>(row), b.view.valueAt<T>(row)))
                    expected.push_back(row);
            }
            std::vector<u16> kept(selection); // in place where a selection is given
            kept.resize(kVectorRows);
            const u32 rows = filterLoop(Operator(op), kind)(
                a.view, b.view, selected ? kept.data() : nullptr, count, kept.data());
            kept.resize(rows);
            CHECK(kept == expected);

            Run run;
            run.call(comparisonLoop(Operator(op), kind), {a.view, b.view}, SqlType::bigInt(),
                     PhysicalKind::kI8, selected ? selection.data() : nullptr, count);
            bool same = true;
            for (u32 i = 0; i < count; ++i) {
                const u16 row = selected ? selection[i] : u16(i);
                if (a.view.isNull(row) || b.view.isNull(row)) continue;
                same &= (run.out.values<i8>()[row] != 0) ==
                        modelHolds(Operator(op), a.view.valueAt<T>(row), b.view.valueAt<T>(row));
            }
            CHECK(same);
        }
    }
}

template <class T> void checkOverflow(PhysicalKind kind, SqlType type) {
    const i128 edges[] = {0,
                          1,
                          -1,
                          2,
                          3,
                          -7,
                          std::numeric_limits<T>::max(),
                          std::numeric_limits<T>::min(),
                          std::numeric_limits<T>::max() / 2 + 1,
                          i128(std::numeric_limits<T>::min()) / 2};
    for (i128 x : edges) {
        for (i128 y : edges) {
            for (Operator op : {Operator::kAdd, Operator::kSubtract, Operator::kMultiply,
                                Operator::kDivide, Operator::kModulo}) {
                VectorBuffer a, b;
                a.reset(kind);
                b.reset(kind);
                a.values<T>()[0] = T(x);
                b.values<T>()[0] = T(y);
                Run run;
                run.call(arithmeticLoop(op, kind, true), {a.view(false), b.view(false)}, type, kind,
                         nullptr, 1);
                const bool divides = op == Operator::kDivide || op == Operator::kModulo;
                if (divides && y == 0) {
                    REQUIRE(run.context.failed());
                    CHECK(run.context.error->sqlstate == "22012");
                    continue;
                }
                const i128 exact = op == Operator::kAdd        ? x + y
                                   : op == Operator::kSubtract ? x - y
                                   : op == Operator::kMultiply ? x * y
                                   : op == Operator::kDivide   ? x / y
                                                               : x % y;
                if (exact != T(exact)) {
                    REQUIRE(run.context.failed());
                    CHECK(run.context.error->sqlstate == "22003");
                } else {
                    REQUIRE_FALSE(run.context.failed());
                    CHECK(run.out.values<T>()[0] == T(exact));
                }
            }
        }
    }
}

} // namespace

TEST_CASE("comparisons and filters agree with the model") {
    checkComparisons<i8>(PhysicalKind::kI8);
    checkComparisons<i16>(PhysicalKind::kI16);
    checkComparisons<i32>(PhysicalKind::kI32);
    checkComparisons<i64>(PhysicalKind::kI64);
    checkComparisons<f32>(PhysicalKind::kF32);
    checkComparisons<f64>(PhysicalKind::kF64);
}

TEST_CASE("checked arithmetic is exact or raises") {
    checkOverflow<i16>(PhysicalKind::kI16, SqlType::smallInt());
    checkOverflow<i32>(PhysicalKind::kI32, SqlType::integer());
    checkOverflow<i64>(PhysicalKind::kI64, SqlType::bigInt());
}

TEST_CASE("rows outside the selection are not touched") {
    std::mt19937_64 random(5);
    const Column a = makeColumn<i64>(PhysicalKind::kI64, random, false, false);
    Run run;
    run.out.reset(PhysicalKind::kI64);
    for (u32 i = 0; i < kVectorRows; ++i) run.out.values<i64>()[i] = 4711;
    const u16 selection[] = {3, 500, 1023};
    const std::vector<Vector> args = {a.view, a.view};
    const std::vector<SqlType> types = {SqlType::bigInt(), SqlType::bigInt()};
    arithmeticLoop(Operator::kSubtract, PhysicalKind::kI64, true)({.args = args,
                                                                   .arg_types = types,
                                                                   .result_type = SqlType::bigInt(),
                                                                   .out = run.out,
                                                                   .selection = selection,
                                                                   .count = 3,
                                                                   .heap = run.heap,
                                                                   .context = run.context});
    u32 changed = 0;
    for (u32 i = 0; i < kVectorRows; ++i) changed += run.out.values<i64>()[i] != 4711;
    CHECK(changed == 3);
    CHECK(run.out.values<i64>()[500] == 0);
}

TEST_CASE("text compares without its trailing blanks") {
    VectorBuffer a, b;
    a.reset(PhysicalKind::kText);
    b.reset(PhysicalKind::kText);
    const std::string_view left[] = {"abc", "abc   ", "a text longer than inline", "", "ab"};
    const std::string_view right[] = {"abc  ", "abd", "a text longer than inline    ", "  ", "abc"};
    for (u32 i = 0; i < 5; ++i) {
        a.values<TextView>()[i] = makeTextView(left[i]);
        b.values<TextView>()[i] = makeTextView(right[i]);
    }
    u16 kept[8];
    const u32 rows = filterLoop(Operator::kEqual, PhysicalKind::kText)(a.view(false), b.view(false),
                                                                       nullptr, 5, kept);
    CHECK(rows == 3);
    CHECK(kept[1] == 2);
    CHECK(filterLoop(Operator::kLess, PhysicalKind::kText)(a.view(false), b.view(false), nullptr, 5,
                                                           kept) == 2);
}
