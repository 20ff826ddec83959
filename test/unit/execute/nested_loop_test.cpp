// Nested loops of every output against the naive ones.
#include "execute/join/nested_loop.h"

#include <doctest/doctest.h>

#include "compile/compile.h"
#include "functions/expression.h"
#include "unit/execute/join_fixture.h"

using namespace blueshift;
using namespace blueshift::execute;
using namespace blueshift::execute::test;

namespace {

enum class Condition { kNone, kLess, kNumberAndText };

/// A number, a text and a payload that is never NULL.
Table makeTable(size_t rows, u64 seed) {
    std::mt19937_64 random(seed);
    Table table{{.kind = PhysicalKind::kI16},
                {.kind = PhysicalKind::kText, .type = SqlType::varchar(30)},
                {.kind = PhysicalKind::kI64, .nullable = false}};
    const char* words[] = {"a", "a  ", "b", "words of more than twelve bytes", ""};
    for (size_t i = 0; i < rows; ++i) {
        table[0].cells.push_back(random() % 5 == 0 ? Cell{} : Cell::of(i128(random() % 20)));
        table[1].cells.push_back(random() % 5 == 0 ? Cell{}
                                                   : Cell::of(std::string(words[random() % 5])));
        table[2].cells.push_back(Cell::of(i128(random() % 1000)));
    }
    return table;
}

Truth matches(const Table& probe, size_t p, const Table& build, size_t b, Condition condition) {
    if (condition == Condition::kNone) return Truth::kTrue;
    const Cell& x = probe[0].cells[p];
    const Cell& y = build[0].cells[b];
    Truth truth = x.null || y.null        ? Truth::kNull
                  : x.integer < y.integer ? Truth::kTrue
                                          : Truth::kFalse;
    if (condition == Condition::kLess || truth == Truth::kFalse) return truth;
    const Cell& s = probe[1].cells[p];
    const Cell& t = build[1].cells[b];
    if (s.null || t.null) return Truth::kNull;
    return trimmed(s.text) == trimmed(t.text) ? truth : Truth::kFalse;
}

const Expr* conditionOver(Arena& arena, const std::vector<compile::SlotInfo>& slots,
                          Condition condition) {
    const auto column = [&](u32 slot) {
        return makeColumn(arena, slots[slot].id, slots[slot].type, slots[slot].nullable);
    };
    std::vector<const Expr*> terms{makeComparison(arena, "<", column(0), column(3))};
    if (condition == Condition::kNumberAndText)
        terms.push_back(makeComparison(arena, "=", column(1), column(4)));
    return makeAnd(arena, terms);
}

void checkLoop(const Table& probe, const Table& build, JoinOutput output, Condition condition,
               bool null_aware, u32 batch_rows, u64 seed, MemoryMode mode = memoryMode()) {
    CAPTURE(int(output));
    CAPTURE(int(condition));
    CAPTURE(batch_rows);
    CAPTURE(seed);
    TestContext test(kVectorRows, mode);
    const compile::SinkInfo info{
        .sink =
            compile::MaterializeSink{.columns = {0, 1, 2}, .keeps_matches = keepsBuildRows(output)},
        .input = slotsOf(build),
        .output = slotsOf(build)};
    test.memory.soft_limit = 40 << 10;
    Materialized inner(info);
    feed(inner, build, 2, batch_rows, seed, test.context);
    if (mode == MemoryMode::kForced) REQUIRE((inner.spilledBytes() > 0) == !build[0].cells.empty());

    std::vector<compile::SlotInfo> slots = slotsOf(probe);
    for (const auto& slot : slotsOf(build)) slots.push_back(slot);
    for (size_t i = 0; i < slots.size(); ++i) slots[i].id = ColumnId(i);
    compile::NestedLoopStep spec{
        .output = output, .build_columns = {{0, 3}, {1, 4}, {2, 5}}, .null_aware = null_aware};
    Arena arena;
    if (condition != Condition::kNone)
        spec.condition =
            compile::compileExpression(conditionOver(arena, slots, condition), slots, arena);
    const size_t shown = hasBuildColumns(output) ? 6 : 3;
    if (output == JoinOutput::kProbeMark) {
        spec.mark = compile::Slot(slots.size());
        slots.push_back({.type = SqlType::boolean(), .kind = PhysicalKind::kI8});
    }
    const compile::StepInfo step_info{.step = spec, .output = slots};
    const auto step = makeNestedLoop(step_info, inner);
    Rows rows;
    if (output == JoinOutput::kProbeMark) {
        BatchMaker maker(seed + 1);
        const auto state = step->makeState(test.context);
        for (size_t at = 0; at < probe[0].cells.size(); at += batch_rows) {
            const u32 count = u32(std::min<size_t>(batch_rows, probe[0].cells.size() - at));
            const Batch input = maker.make(probe, at, count);
            step->start(*state, input, test.context);
            Batch result;
            while (step->more(*state, result, test.context)) {
                std::vector<Vector> columns(result.columns.begin(), result.columns.begin() + 3);
                columns.push_back(result.columns[spec.mark]);
                result.columns = columns;
                appendRows(result, 4, "", rows);
            }
        }
    } else {
        runStep(*step, probe, shown, 2, batch_rows, seed + 1, test.context, rows);
    }
    const Expected expected =
        joinNaively(probe, build, output, null_aware,
                    [&](size_t p, size_t b) { return matches(probe, p, build, b, condition); });
    REQUIRE(test.context.failed() == expected.fails);
    if (expected.fails) {
        CHECK(test.context.eval.error->sqlstate == sqlstate::kCardinalityViolation);
        return;
    }
    if (keepsBuildRows(output)) {
        const auto rest = inner.makeMatchSource({0, 1, 2}, output == JoinOutput::kBuildSemi);
        drain(*rest, 3, hasBuildColumns(output) ? showNulls(probe) : "", test.context, rows);
    }
    std::sort(rows.begin(), rows.end());
    REQUIRE(rows == expected.rows);
    inner.release(test.context);
    REQUIRE(test.memory.used == 0);
}

} // namespace

TEST_CASE("every nested loop output equals the naive one") {
    for (u64 seed = 1; seed <= 6; ++seed)
        for (const size_t build_rows : {0, 1, 45}) {
            const Table build = makeTable(build_rows, seed);
            const Table probe = makeTable(70, seed + 100);
            for (const JoinOutput output : kAllOutputs)
                for (const Condition condition :
                     {Condition::kNone, Condition::kLess, Condition::kNumberAndText})
                    for (const u32 batch_rows : {1u, 7u, kVectorRows})
                        checkLoop(probe, build, output, condition, false, batch_rows, seed);
        }
}

TEST_CASE("null-aware marks of nested loops keep the unknown") {
    for (u64 seed = 1; seed <= 6; ++seed)
        for (const size_t build_rows : {0, 1, 12}) {
            const Table build = makeTable(build_rows, seed);
            const Table probe = makeTable(70, seed + 100);
            for (const Condition condition : {Condition::kLess, Condition::kNumberAndText})
                checkLoop(probe, build, JoinOutput::kProbeMark, condition, true, 9, seed);
        }
}

TEST_CASE("an inner side of many pages meets every probe row") {
    const Table build = makeTable(3000, 1);
    const Table probe = makeTable(20, 2);
    for (const JoinOutput output :
         {JoinOutput::kInner, JoinOutput::kProbeSemi, JoinOutput::kFullOuter})
        checkLoop(probe, build, output, Condition::kNumberAndText, false, kVectorRows, 3);
}

TEST_CASE("an inner side on disk keeps every output and its match flags") {
    for (const size_t build_rows : {0, 1, 400}) {
        const Table build = makeTable(build_rows, 7);
        const Table probe = makeTable(70, 8);
        for (const JoinOutput output : kAllOutputs)
            for (const Condition condition :
                 {Condition::kNone, Condition::kLess, Condition::kNumberAndText})
                for (const u32 batch_rows : {7u, kVectorRows})
                    checkLoop(probe, build, output, condition, false, batch_rows, 9,
                              MemoryMode::kForced);
        for (const Condition condition : {Condition::kLess, Condition::kNumberAndText})
            checkLoop(probe, build, JoinOutput::kProbeMark, condition, true, 9, 10,
                      MemoryMode::kForced);
    }
}

TEST_CASE("an inner side partly on disk") {
    // 3,000 rows of 48 bytes and more; two workers may keep 8 KiB each, and 40 KiB together.
    const Table build = makeTable(3000, 11);
    const Table probe = makeTable(20, 12);
    for (const JoinOutput output :
         {JoinOutput::kInner, JoinOutput::kProbeSemi, JoinOutput::kFullOuter,
          JoinOutput::kBuildAnti, JoinOutput::kBuildSemi})
        checkLoop(probe, build, output, Condition::kNumberAndText, false, 100, 13,
                  MemoryMode::kTight);
}
