// The evaluator against a row-at-a-time reference over random expression trees.
#include "execute/expression/evaluator.h"

#include <doctest/doctest.h>

#include "compile/compile.h"
#include "compile/range.h"
#include "unit/execute/reference_expression.h"

using namespace blueshift;
using namespace blueshift::execute;
using namespace blueshift::execute::test;

namespace {

const SqlType kBig = SqlType::bigInt();
constexpr ColumnId kFirstId = 10;

/// Random trees over columns: 0..3 BIGINT of growing width, 4..5 BOOLEAN, 6..7 VARCHAR.
class Trees {
public:
    Trees(u64 seed, bool failing) : failing_(failing), random_(seed) {
        const PhysicalKind kinds[] = {PhysicalKind::kI8, PhysicalKind::kI16, PhysicalKind::kI32,
                                      PhysicalKind::kI64};
        for (PhysicalKind kind : kinds) table.push_back({.kind = kind, .type = kBig});
        for (int i = 0; i < 2; ++i)
            table.push_back({.kind = PhysicalKind::kI8, .type = SqlType::boolean()});
        for (int i = 0; i < 2; ++i)
            table.push_back({.kind = PhysicalKind::kText, .type = SqlType::varchar(40)});
        for (Column& column : table) column.nullable = random_() % 4 != 0;
        slots = slotsOf(table);
        for (size_t i = 0; i < slots.size(); ++i) {
            slots[i].id = ColumnId(kFirstId + i);
            if (!isIntegerKind(slots[i].kind)) continue;
            const compile::Range range = compile::rangeOfKind(slots[i].kind);
            slots[i].has_range = true;
            slots[i].min = range.min;
            slots[i].max = range.max;
        }
    }

    void fillRows(size_t rows) {
        for (size_t c = 0; c < table.size(); ++c) {
            Column& column = table[c];
            // Few distinct values and runs of one, so that the fixture makes every vector form.
            const bool few = random_() % 2 == 0;
            const bool same = random_() % 5 == 0;
            column.cells.clear();
            for (size_t i = 0; i < rows; ++i) {
                if (same && i > 0) column.cells.push_back(column.cells[0]);
                else column.cells.push_back(cell(column, few));
            }
        }
    }

    const Expr* column(size_t c) {
        return makeColumn(arena, ColumnId(kFirstId + c), table[c].type, table[c].nullable);
    }
    const Expr* boolean(int depth) {
        if (depth == 0 || random_() % 8 == 0) {
            if (random_() % 6 == 0) return nullOr(Value::ofBool(random_() % 2 == 0));
            return column(4 + random_() % 2);
        }
        switch (random_() % 9) {
        case 0:
        case 1: return nary(ExprKind::kAnd, depth);
        case 2: return nary(ExprKind::kOr, depth);
        case 3: return makeLogic(arena, ExprKind::kNot, std::vector{boolean(depth - 1)});
        case 4: {
            const Expr* arg = random_() % 2 == 0 ? number(depth - 1) : text(depth - 1);
            return makeLogic(arena, ExprKind::kIsNull, std::vector{arg}, random_() % 2 == 0);
        }
        case 5:
            return makeLogic(arena, ExprKind::kIsTruth, std::vector{boolean(depth - 1)},
                             random_() % 2 == 0, i8(random_() % 3) - 1);
        case 6: return inList(depth);
        case 7: return makeComparison(arena, symbol(), text(depth - 1), text(depth - 1));
        default: return makeComparison(arena, symbol(), number(depth - 1), number(depth - 1));
        }
    }
    const Expr* number(int depth) {
        if (depth == 0 || random_() % 8 == 0) {
            if (random_() % 4 == 0) return nullOr(Value::ofBigInt(i64(random_() % 300) - 150));
            return column(random_() % (failing_ ? 4 : 3));
        }
        switch (random_() % 8) {
        case 0: return cases(depth, [&] { return number(depth - 1); });
        case 1: return coalesce([&] { return number(depth - 1); });
        case 2: return makeCallByName(arena, "-", std::vector{number(depth - 1)});
        case 3:
            if (failing_ && random_() % 2 == 0)
                return makeCallByName(arena, random_() % 2 == 0 ? "/" : "%",
                                      std::vector{number(depth - 1), number(depth - 1)});
            [[fallthrough]];
        default: {
            const char* names[] = {"+", "-", "*"};
            return makeCallByName(arena, names[random_() % 3],
                                  std::vector{number(depth - 1), number(depth - 1)});
        }
        }
    }
    const Expr* text(int depth) {
        if (depth == 0 || random_() % 3 == 0) {
            if (random_() % 4 == 0)
                return nullOr(Value::ofText(arena.copyText(word()), SqlType::varchar(40)));
            return column(6 + random_() % 2);
        }
        switch (random_() % 3) {
        case 0: return cases(depth, [&] { return text(depth - 1); });
        case 1: return coalesce([&] { return text(depth - 1); });
        default: return makeCallByName(arena, "upper", std::vector{text(depth - 1)});
        }
    }

    Arena arena;
    Table table;
    std::vector<compile::SlotInfo> slots;

private:
    const Expr* nullOr(Value value) {
        return makeConstant(arena, random_() % 5 == 0 ? Value::null(value.type) : value);
    }
    const Expr* nary(ExprKind kind, int depth) {
        std::vector<const Expr*> args;
        for (u64 n = 2 + random_() % 2; n > 0; --n) args.push_back(boolean(depth - 1));
        return makeLogic(arena, kind, args);
    }
    template <class Arm> const Expr* cases(int depth, Arm&& arm) {
        std::vector<const Expr*> args;
        for (u64 n = 1 + random_() % 2; n > 0; --n) {
            args.push_back(boolean(depth - 1));
            args.push_back(arm());
        }
        if (random_() % 2 == 0) args.push_back(arm());
        return makeLogic(arena, ExprKind::kCase, args);
    }
    template <class Arm> const Expr* coalesce(Arm&& arm) {
        return makeLogic(arena, ExprKind::kCoalesce, std::vector<const Expr*>{arm(), arm()});
    }
    const Expr* inList(int depth) {
        const bool numbers = random_() % 2 == 0;
        std::vector<const Expr*> args{numbers ? number(depth - 1) : text(depth - 1)};
        for (u64 n = 1 + random_() % 6; n > 0; --n) {
            Value item = numbers ? Value::ofBigInt(i64(random_() % 12) - 4)
                                 : Value::ofText(arena.copyText(word()), args[0]->type);
            if (random_() % 12 == 0) item = Value::null(item.type);
            args.push_back(makeConstant(arena, item));
        }
        return makeLogic(arena, ExprKind::kInList, args, random_() % 2 == 0);
    }
    std::string_view symbol() {
        constexpr std::string_view kSymbols[] = {"=", "<>", "<", "<=", ">", ">="};
        return kSymbols[random_() % 6];
    }
    std::string word() {
        constexpr const char* kWords[] = {"a",
                                          "a ",
                                          "b",
                                          "B",
                                          "",
                                          "ab  ",
                                          "a word of some length",
                                          "a word of some length  ",
                                          "a word of some Length"};
        return kWords[random_() % 9];
    }
    Cell cell(const Column& column, bool few) {
        if (column.nullable && random_() % 5 == 0) return {};
        if (column.kind == PhysicalKind::kText) return Cell::of(word());
        if (column.type.kind == TypeKind::kBoolean) return Cell::of(i128(random_() % 2));
        if (few) return Cell::of(i128(random_() % 12) - 4);
        const u32 shift = 64 - widthOf(column.kind) * 8;
        return Cell::of(i128(i64(random_()) >> shift));
    }

    bool failing_;
    std::mt19937_64 random_;
};

/// Runs `expr` over the whole table and compares every row.
void check(Trees& trees, const Expr* expr, u32 batch_rows, u64 seed) {
    const auto expression = compile::compileExpression(expr, trees.slots, trees.arena);
    Evaluator values(expression);
    Evaluator filters(expression);
    BatchMaker maker(seed);
    const size_t rows = trees.table[0].cells.size();
    const bool boolean = expr->type.kind == TypeKind::kBoolean;
    for (size_t at = 0; at < rows; at += batch_rows) {
        const u32 count = u32(std::min<size_t>(batch_rows, rows - at));
        const Batch batch = maker.make(trees.table, at, count);
        std::vector<Cell> expected;
        bool fails = false;
        for (u32 i = 0; i < count; ++i) {
            Reference reference{
                .column = [&](ColumnId id) { return trees.table[id - kFirstId].cells[at + i]; }};
            expected.push_back(reference.run(expr));
            fails |= reference.failed;
        }
        functions::EvalContext context;
        const Vector result = values.evaluate(batch, context);
        REQUIRE(context.failed() == fails);
        if (!fails) {
            REQUIRE(result.kind == expression.root->kind);
            for (u32 i = 0; i < count; ++i) {
                const Cell got = readCell(result, batch.rowAt(i));
                REQUIRE(show(got, result.kind) == show(expected[i], result.kind));
                if (!got.null && expression.root->has_range) {
                    REQUIRE(got.integer >= expression.root->min);
                    REQUIRE(got.integer <= expression.root->max);
                }
                if (got.null) REQUIRE(expression.root->nullable);
            }
        }
        if (!boolean) continue;
        functions::EvalContext filter_context;
        u16 out[kVectorRows + 64];
        const u32 passed = filters.filter(batch, out, filter_context);
        // A filter drops a row at the first NULL term; it may not reach what fails.
        if (fails) continue;
        REQUIRE_FALSE(filter_context.failed());
        std::vector<u16> wanted;
        for (u32 i = 0; i < count; ++i)
            if (!expected[i].null && expected[i].integer != 0)
                wanted.push_back(u16(batch.rowAt(i)));
        REQUIRE(std::vector<u16>(out, out + passed) == wanted);
    }
}

} // namespace

TEST_CASE("random expressions equal the reference in every form and batch size") {
    for (u64 seed = 1; seed <= 300; ++seed) {
        CAPTURE(seed);
        Trees trees(seed, false);
        const Expr* expressions[] = {trees.boolean(4), trees.number(3), trees.text(3)};
        for (const u32 batch_rows : {1u, 7u, kVectorRows}) {
            CAPTURE(batch_rows);
            trees.fillRows(batch_rows == 1 ? 12 : batch_rows == 7 ? 40 : 1500);
            for (const Expr* expr : expressions) check(trees, expr, batch_rows, seed);
        }
    }
}

TEST_CASE("random expressions fail exactly when a live row reaches the failure") {
    for (u64 seed = 1; seed <= 300; ++seed) {
        CAPTURE(seed);
        Trees trees(seed + 1000, true);
        const Expr* expressions[] = {trees.boolean(4), trees.number(3)};
        for (const u32 batch_rows : {1u, 7u, kVectorRows}) {
            CAPTURE(batch_rows);
            trees.fillRows(batch_rows == kVectorRows ? 1100 : 30);
            for (const Expr* expr : expressions) check(trees, expr, batch_rows, seed);
        }
    }
}

TEST_CASE("a sum that leaves BIGINT raises 22003, also in a dictionary and a constant") {
    for (const VectorForm form :
         {VectorForm::kFlat, VectorForm::kConstant, VectorForm::kDictionary}) {
        Trees trees(5, true);
        const Expr* sum =
            makeCallByName(trees.arena, "+", std::vector{trees.column(3), trees.column(3)});
        const auto expression = compile::compileExpression(sum, trees.slots, trees.arena);
        i64 values[64] = {1, i64(~u64{0} >> 1), 3};
        u8 codes[64] = {0, 1, 0, 1};
        if (form == VectorForm::kConstant) values[0] = values[1];
        std::vector<Vector> columns(4);
        columns[3] = {.kind = PhysicalKind::kI64,
                      .form = form,
                      .code_width = 1,
                      .dictionary_size = 3,
                      .data = values,
                      .codes = codes};
        const u16 dead[] = {0, 2};
        const u16 live[] = {0, 1};
        Evaluator evaluator(expression);
        functions::EvalContext context;
        evaluator.evaluate({.rows = 4, .selected = 2, .selection = dead, .columns = columns},
                           context);
        CHECK(context.failed() == (form == VectorForm::kConstant));
        functions::EvalContext second;
        evaluator.evaluate({.rows = 4, .selected = 2, .selection = live, .columns = columns},
                           second);
        REQUIRE(second.failed());
        CHECK(second.error->sqlstate == "22003");
    }
}

TEST_CASE("cached dictionaries are dropped when the dictionary changes") {
    Trees trees(9, false);
    const Expr* text = trees.column(6);
    const Expr* item = makeConstant(trees.arena, Value::ofText("b", text->type));
    const std::vector<const Expr*> tests{
        makeComparison(trees.arena, "=", text, item),
        makeLogic(trees.arena, ExprKind::kInList, std::vector{text, item}),
        makeLogic(
            trees.arena, ExprKind::kNot,
            std::vector{makeLogic(trees.arena, ExprKind::kInList, std::vector{text, item}, true)})};
    std::vector<Evaluator> evaluators;
    for (const Expr* test : tests)
        evaluators.emplace_back(compile::compileExpression(test, trees.slots, trees.arena));
    // Two dictionaries with other orders; id 0 must never be kept; the last is larger than a
    // vector.
    std::vector<std::vector<std::string>> dictionaries{{"a", "b", "c"}, {"b", "a"}, {}};
    for (u32 i = 0; i < 3000; ++i)
        dictionaries[2].push_back(i == 2500 ? "b " : "x" + std::to_string(i));
    std::vector<std::vector<TextView>> entries;
    for (const auto& dictionary : dictionaries) {
        entries.emplace_back();
        for (const auto& entry : dictionary) entries.back().push_back(makeTextView(entry));
    }
    const struct {
        size_t dictionary;
        u64 id;
    } turns[] = {{0, 7}, {0, 7}, {1, 8}, {0, 7}, {0, 0}, {1, 0},
                 {2, 9}, {0, 0}, {2, 9}, {1, 8}, {2, 0}};
    u64 validity[kValidityWords];
    std::fill_n(validity, kValidityWords, ~u64{0});
    clearBit(validity, 4);
    for (const auto& turn : turns) {
        const auto& words = dictionaries[turn.dictionary];
        u16 codes[64];
        for (u32 row = 0; row < 64; ++row)
            codes[row] = u16(row % 3 == 1 && words.size() > 64 ? 2500 : row * 7 % words.size());
        std::vector<Vector> columns(7);
        columns[6] = {.kind = PhysicalKind::kText,
                      .form = VectorForm::kDictionary,
                      .code_width = 2,
                      .dictionary_size = u32(words.size()),
                      .data = entries[turn.dictionary].data(),
                      .codes = codes,
                      .validity = validity,
                      .dictionary_id = turn.id};
        for (Evaluator& evaluator : evaluators) {
            functions::EvalContext context;
            const Batch batch{.rows = 64, .selected = 64, .columns = columns};
            const Vector result = evaluator.evaluate(batch, context);
            for (u32 row = 0; row < 64; ++row) {
                REQUIRE(result.isNull(row) == (row == 4));
                if (row == 4) continue;
                REQUIRE((result.valueAt<i8>(row) != 0) == (trimmed(words[codes[row]]) == "b"));
            }
        }
    }
}

TEST_CASE("REAL constants of an IN list are compared as REAL") {
    Arena arena;
    const compile::SlotInfo slot{.id = 1, .type = SqlType::real(), .kind = PhysicalKind::kF32};
    const Expr* column = makeColumn(arena, 1, SqlType::real(), false);
    const Expr* item = makeConstant(arena, Value::ofFloat(0.1, SqlType::real()));
    const Expr* list = makeLogic(arena, ExprKind::kInList, std::vector{column, item});
    Evaluator evaluator(compile::compileExpression(list, std::span(&slot, 1), arena));
    const f32 values[] = {0.1f, 0.2f};
    std::vector<Vector> columns{{.kind = PhysicalKind::kF32, .data = values}};
    u16 out[kVectorRows + 64];
    functions::EvalContext context;
    CHECK(evaluator.filter({.rows = 2, .selected = 2, .columns = columns}, out, context) == 1);
}
