// Hash joins of every output against a naive nested loop.
#include <doctest/doctest.h>

#include "compile/compile.h"
#include "execute/join/probe.h"
#include "functions/expression.h"
#include "unit/execute/join_fixture.h"

using namespace blueshift;
using namespace blueshift::execute;
using namespace blueshift::execute::test;

namespace {

enum class Shape { kUnique, kDuplicates, kSkewed, kNoRows };

/// keys, then one BIGINT payload that numbers the rows.
Table makeTable(const std::vector<PhysicalKind>& kinds, size_t rows, Shape shape, bool nulls,
                u64 seed) {
    std::mt19937_64 random(seed);
    Table table;
    for (PhysicalKind kind : kinds) {
        const bool text = kind == PhysicalKind::kText;
        Column column{.kind = kind,
                      .type = text ? SqlType::varchar(40) : SqlType::bigInt(),
                      .nullable = nulls};
        for (size_t i = 0; i < rows; ++i) {
            u64 value = i;
            if (shape == Shape::kDuplicates) value = random() % std::max<size_t>(rows / 3, 2);
            if (shape == Shape::kSkewed) value = random() % 2 == 0 ? 1 : random() % (rows + 1);
            if (kind == PhysicalKind::kI8) value %= 100;
            if (nulls && random() % 6 == 0) {
                column.cells.push_back({});
            } else if (text) {
                std::string word = value % 2 == 0 ? "k" : "a rather long key ";
                word += std::to_string(value) + std::string(random() % 3, ' ');
                column.cells.push_back(Cell::of(std::move(word)));
            } else {
                column.cells.push_back(Cell::of(i128(value)));
            }
        }
        table.push_back(std::move(column));
    }
    Column payload{.nullable = false};
    for (size_t i = 0; i < rows; ++i) payload.cells.push_back(Cell::of(i128(random() % 50)));
    table.push_back(std::move(payload));
    return table;
}

struct Join {
    JoinOutput output = JoinOutput::kInner;
    bool unique = false;
    bool residual = false; // probe payload <= build payload
    bool null_aware = false;
    u32 batch_rows = 100;
    u32 workers = 2;
    u64 seed = 1;
};

Truth keysMatch(const Table& probe, size_t p, const Table& build, size_t b, const Join& join) {
    const size_t keys = probe.size() - 1;
    Truth truth = Truth::kTrue;
    for (size_t k = 0; k < keys; ++k) {
        const Cell& x = probe[k].cells[p];
        const Cell& y = build[k].cells[b];
        if (x.null || y.null) truth = truth == Truth::kTrue ? Truth::kNull : truth;
        else if (x.integer != y.integer || trimmed(x.text) != trimmed(y.text))
            truth = Truth::kFalse;
    }
    if (join.residual && truth == Truth::kTrue &&
        probe[keys].cells[p].integer > build[keys].cells[b].integer)
        truth = Truth::kFalse;
    return truth;
}

void checkJoin(const Table& probe, const Table& build, const Join& join) {
    CAPTURE(int(join.output));
    CAPTURE(join.residual);
    CAPTURE(join.batch_rows);
    CAPTURE(join.seed);
    TestContext test;
    const u32 keys = u32(probe.size() - 1);
    // Stored: the keys once for hashing, then every column of the build side.
    Table stored(build.begin(), build.end() - 1);
    stored.insert(stored.end(), build.begin(), build.end());
    compile::BuildSink sink{.unique_keys = join.unique,
                            .keeps_matches = keepsBuildRows(join.output),
                            .keeps_null_keys = join.null_aware};
    for (u32 k = 0; k < keys; ++k) sink.keys.push_back(compile::Slot(k));
    for (u32 c = keys; c < stored.size(); ++c) sink.columns.push_back(compile::Slot(c));
    const compile::SinkInfo info{.sink = sink, .input = slotsOf(stored), .output = slotsOf(stored)};
    JoinBuild built(info, {});
    feed(built, stored, join.workers, join.batch_rows, join.seed, test.context);

    compile::ProbeStep spec{
        .output = join.output,
        .null_aware = join.null_aware && join.output == JoinOutput::kProbeMark,
        .null_aware_anti = join.null_aware && join.output == JoinOutput::kProbeAnti};
    std::vector<compile::SlotInfo> slots = slotsOf(probe);
    for (u32 k = 0; k < keys; ++k) spec.keys.push_back(compile::Slot(k));
    if (join.output == JoinOutput::kProbeMark) {
        spec.mark = compile::Slot(slots.size());
        slots.push_back({.type = SqlType::boolean(), .kind = PhysicalKind::kI8});
    }
    size_t shown = slots.size();
    std::vector<u32> build_columns;
    for (u32 c = 0; c < build.size(); ++c) {
        build_columns.push_back(keys + c);
        const compile::Slot slot = compile::Slot(slots.size());
        if (hasBuildColumns(join.output)) {
            spec.build_columns.push_back({keys + c, slot});
            ++shown;
        }
        if (hasBuildColumns(join.output) || (join.residual && c == keys)) {
            slots.push_back(info.input[keys + c]);
            if (join.residual && c == keys) spec.residual_columns.push_back({keys + c, slot});
        }
    }
    for (size_t i = 0; i < slots.size(); ++i) slots[i].id = ColumnId(i);
    Arena arena;
    if (join.residual) {
        const SqlType big = SqlType::bigInt();
        const Expr* condition =
            makeComparison(arena, "<=", makeColumn(arena, keys, big, false),
                           makeColumn(arena, spec.residual_columns[0].second, big, false));
        spec.residual = compile::compileExpression(condition, slots, arena);
    }
    StepInput input{.slots = slotsOf(probe)};
    for (u32 c = 0; c < probe.size(); ++c) input.live.push_back(compile::Slot(c));
    const compile::StepInfo step_info{.step = spec, .output = slots};
    const auto step = makeProbe(step_info, built, input);
    Rows rows;
    runStep(*step, probe, shown, join.workers, join.batch_rows, join.seed + 1, test.context, rows);
    const Expected expected =
        joinNaively(probe, build, join.output, join.null_aware,
                    [&](size_t p, size_t b) { return keysMatch(probe, p, build, b, join); });
    REQUIRE(test.context.failed() == expected.fails);
    if (expected.fails) {
        CHECK(test.context.eval.error->sqlstate == sqlstate::kCardinalityViolation);
        return;
    }
    if (keepsBuildRows(join.output)) {
        const auto rest =
            built.makeMatchSource(build_columns, join.output == JoinOutput::kBuildSemi);
        const bool outer = hasBuildColumns(join.output);
        drain(*rest, build_columns.size(), outer ? showNulls(probe) : "", test.context, rows);
    }
    std::sort(rows.begin(), rows.end());
    REQUIRE(rows == expected.rows);
}

const std::vector<std::vector<PhysicalKind>> kKeyKinds{
    {PhysicalKind::kI64},
    {PhysicalKind::kText},
    {PhysicalKind::kI8, PhysicalKind::kText},
    {PhysicalKind::kI16, PhysicalKind::kI128, PhysicalKind::kI32}};

} // namespace

TEST_CASE("every join output equals the nested loop") {
    u64 seed = 0;
    for (const auto& kinds : kKeyKinds)
        for (const Shape shape :
             {Shape::kUnique, Shape::kDuplicates, Shape::kSkewed, Shape::kNoRows})
            for (const bool nulls : {false, true}) {
                ++seed;
                const Table build =
                    makeTable(kinds, shape == Shape::kNoRows ? 0 : 90, shape, nulls, seed);
                const Table probe = makeTable(kinds, 150, Shape::kDuplicates, nulls, seed + 1000);
                for (const JoinOutput output : kAllOutputs)
                    for (const bool residual : {false, true})
                        for (const u32 batch_rows : {1u, 7u, kVectorRows}) {
                            // Kinds of one byte repeat; unique there would be a lie.
                            const bool unique = shape == Shape::kUnique && seed % 2 == 0;
                            checkJoin(probe, build,
                                      {.output = output,
                                       .unique = unique,
                                       .residual = residual,
                                       .batch_rows = batch_rows,
                                       .seed = seed});
                        }
            }
}

TEST_CASE("null-aware marks and anti joins follow NOT IN") {
    for (u64 seed = 1; seed <= 12; ++seed)
        for (const PhysicalKind kind : {PhysicalKind::kI32, PhysicalKind::kText})
            for (const bool build_nulls : {false, true})
                for (const size_t rows : {0, 1, 40}) {
                    const Table build =
                        makeTable({kind}, rows, Shape::kDuplicates, build_nulls, seed);
                    const Table probe = makeTable({kind}, 60, Shape::kDuplicates, true, seed + 50);
                    for (const JoinOutput output : {JoinOutput::kProbeMark, JoinOutput::kProbeAnti})
                        checkJoin(
                            probe, build,
                            {.output = output, .null_aware = true, .batch_rows = 13, .seed = seed});
                }
}

TEST_CASE("one probe row with 5,000 partners is expanded into dense batches") {
    Table build = makeTable({PhysicalKind::kI64}, 5200, Shape::kUnique, false, 3);
    for (size_t i = 0; i < 5000; ++i) build[0].cells[i] = Cell::of(i128(7));
    Table probe = makeTable({PhysicalKind::kI64}, 40, Shape::kUnique, false, 4);
    for (const JoinOutput output :
         {JoinOutput::kInner, JoinOutput::kProbeOuter, JoinOutput::kFullOuter,
          JoinOutput::kProbeSemi, JoinOutput::kBuildSemi, JoinOutput::kProbeSingle})
        for (const bool residual : {false, true})
            checkJoin(probe, build,
                      {.output = output, .residual = residual, .batch_rows = kVectorRows});
}

TEST_CASE("published filters contain every key of the build side") {
    const std::vector<PhysicalKind> kinds{PhysicalKind::kI32, PhysicalKind::kText};
    for (const size_t rows : {0, 1, 63, 64, 5000}) {
        CAPTURE(rows);
        Table table = makeTable(kinds, rows, Shape::kDuplicates, true, rows + 1);
        for (size_t i = 0; i < rows; i += 3)
            if (!table[0].cells[i].null) table[0].cells[i].integer = -table[0].cells[i].integer;
        compile::BuildSink sink{.keys = {0, 1}, .columns = {2}};
        sink.publishes.push_back({.key = 0, .filter = 1});
        sink.publishes.push_back({.key = 1, .filter = 0});
        const compile::SinkInfo info{
            .sink = sink, .input = slotsOf(table), .output = slotsOf(table)};
        JoinFilter filters[2];
        JoinFilter* const pointers[] = {&filters[0], &filters[1]};
        JoinBuild built(info, pointers);
        TestContext test;
        feed(built, table, 3, 70, 5, test.context);
        CHECK(filters[0].ready.load());
        CHECK(filters[1].ready.load());
        i128 low = 0;
        i128 high = 0;
        u64 keyed = 0;
        for (size_t i = 0; i < rows; ++i) {
            const Cell& number = table[0].cells[i];
            const Cell& text = table[1].cells[i];
            if (number.null || text.null) continue;
            low = keyed == 0 ? number.integer : std::min(low, number.integer);
            high = keyed == 0 ? number.integer : std::max(high, number.integer);
            ++keyed;
            REQUIRE(filters[1].mayContain(kernels::hashInteger(number.integer)));
            REQUIRE(filters[0].mayContain(kernels::hashText(makeTextView(trimmed(text.text)))));
        }
        u64 held = built.rowCount();
        for (u32 p = 0; p < kPartitions; ++p) held += built.spilledPart(p).rowCount();
        CHECK(held == keyed);
        CHECK(filters[1].build_empty == (keyed == 0));
        CHECK(filters[1].has_range == (keyed > 0));
        CHECK_FALSE(filters[0].has_range);
        CHECK((filters[1].min == low && filters[1].max == high));
        if (keyed < 1000) continue;
        // A filter that lets everything pass would contain every key as well.
        u32 passed = 0;
        for (i128 other = 1; other <= 1000; ++other)
            passed += filters[1].mayContain(kernels::hashInteger(other * 1'000'003));
        CHECK(passed < 300);
    }
}

TEST_CASE("a build that gets no memory fails with 53200") {
    const Table table = makeTable({PhysicalKind::kI64}, 3000, Shape::kUnique, false, 1);
    const compile::SinkInfo info{.sink = compile::BuildSink{.keys = {0}, .columns = {1}},
                                 .input = slotsOf(table)};
    JoinBuild built(info, {});
    TestContext test;
    test.memory.limit = 10'000;
    const auto state = built.makeState(test.context);
    BatchMaker maker(1);
    for (size_t at = 0; at < 3000 && !test.context.failed(); at += 1000)
        built.consume(*state, maker.make(table, at, 1000), test.context);
    REQUIRE(test.context.failed());
    CHECK(test.context.eval.error->sqlstate == sqlstate::kOutOfMemory);
}
