// Whole runs over several lanes: all rows once, errors of one lane, stop requests, early ends.
#include <doctest/doctest.h>

#include <functional>
#include <set>

#include "compile/compile.h"
#include "compile/expression_compiler.h"
#include "execute/execute.h"
#include "execute/pipeline/worker_pool.h"
#include "functions/expression.h"
#include "unit/execute/rows_fixture.h"

using namespace blueshift;
using namespace blueshift::execute;

namespace {

constexpr i64 kRows = 20'000;

/// VALUES 0 .. kRows-1 -> materialised -> `expression` over each row -> the result. The pages of
/// the materialised rows are the morsels that the lanes share.
struct Plan {
    explicit Plan(bool failing) {
        const SqlType big = SqlType::bigInt();
        const compile::SlotInfo slot{
            .id = 1, .type = big, .kind = PhysicalKind::kI64, .nullable = false};
        compile::ValuesSource values;
        for (i64 i = 0; i < kRows; ++i) {
            compile::ExpressionCompiler compiler({}, arena);
            values.rows.push_back(
                {compiler.compileAs(makeConstant(arena, Value::ofBigInt(i)), slot.kind)});
        }
        program.sinks.push_back(
            {.sink = compile::MaterializeSink{.columns = {0}}, .input = {slot}, .output = {slot}});
        program.pipelines.push_back(
            {.source = std::move(values), .source_slots = {slot}, .sink = 0, .sink_slots = {0}});
        compile::SlotInfo result = slot;
        result.id = 2;
        compile::ComputeStep compute;
        const Expr* column = makeColumn(arena, 1, big, false);
        // Fails for the last row only, far into one lane's work.
        const Expr* divisor = makeCallByName(
            arena, "-", std::vector{column, makeConstant(arena, Value::ofBigInt(kRows - 1))});
        const Expr* expression = failing ? makeCallByName(arena, "/", std::vector{column, divisor})
                                         : makeCallByName(arena, "+", std::vector{column, column});
        compute.expressions.push_back(
            compile::compileExpression(expression, std::span(&slot, 1), arena));
        compute.targets.push_back(1);
        result.kind = compute.expressions[0].root->kind;
        program.sinks.push_back(
            {.sink = compile::ResultSink{.columns = {0}}, .input = {result}, .output = {result}});
        compile::Pipeline read{.source = compile::SinkSource{.sink = 0, .columns = {0}},
                               .source_slots = {slot},
                               .sink = 1,
                               .sink_slots = {1},
                               .needs = {0}};
        read.steps.push_back({.step = std::move(compute), .output = {slot, result}});
        program.pipelines.push_back(std::move(read));
        program.result_sink = 1;
        program.operators = 1;
    }
    Arena arena;
    compile::Program program;
};

struct Surroundings {
    explicit Surroundings(u32 threads) : pool(threads) {
        environment = {.pool = &pool, .memory = &broker, .stop = &stop, .vector_rows = 50};
    }
    WorkerPool pool;
    MemoryBroker broker{u64{1} << 30};
    StopToken stop;
    RunEnvironment environment;
};

class Collector final : public BatchConsumer {
public:
    void prepare(u32 workers, MemoryGrant&) override { sums.resize(workers); }
    Status consume(u32 worker, const Batch& batch) override {
        for (u32 i = 0; i < batch.selected; ++i)
            sums[worker].push_back(i64(batch.columns[0].integerAt(batch.rowAt(i))));
        if (fail_after > 0 && sums[worker].size() >= fail_after)
            return std::unexpected(Error(sqlstate::kDiskFull, "no room"));
        return {};
    }
    std::vector<std::vector<i64>> sums;
    size_t fail_after = 0;
};

std::string stateOf(const std::function<void()>& run) {
    try {
        run();
    } catch (const SqlError& error) {
        return std::string(error.error().sqlstate);
    }
    return "";
}

} // namespace

TEST_CASE(
    "every row arrives once, whether lanes share a queue, a consumer or the caller's thread") {
    const Plan plan(false);
    for (const u32 threads : {1u, 2u, 4u}) {
        Surroundings around(threads);
        std::multiset<i64> pulled;
        {
            QueryRun run(plan.program, around.environment);
            Batch batch;
            while (run.next(batch))
                for (u32 i = 0; i < batch.selected; ++i)
                    pulled.insert(i64(batch.columns[0].integerAt(batch.rowAt(i))));
            CHECK_FALSE(run.next(batch));
        }
        around.stop.clear();
        Collector collector;
        QueryRun(plan.program, around.environment).consume(collector);
        std::multiset<i64> consumed;
        for (const auto& rows : collector.sums) consumed.insert(rows.begin(), rows.end());
        REQUIRE(pulled.size() == kRows);
        i64 next = 0;
        for (const i64 value : pulled) REQUIRE(value == 2 * next++);
        CHECK(consumed == pulled);
        CHECK(around.broker.used() == 0);
    }
}

TEST_CASE("the error of one lane ends all and reaches the caller") {
    const Plan plan(true);
    for (const u32 threads : {1u, 3u}) {
        Surroundings around(threads);
        CHECK(stateOf([&] {
                  QueryRun run(plan.program, around.environment);
                  Batch batch;
                  while (run.next(batch)) {}
              }) == sqlstate::kDivisionByZero);
        around.stop.clear();
        Collector collector;
        CHECK(stateOf([&] { QueryRun(plan.program, around.environment).consume(collector); }) ==
              sqlstate::kDivisionByZero);
        CHECK(around.broker.used() == 0);
    }
}

TEST_CASE("a consumer's error ends the run") {
    const Plan plan(false);
    Surroundings around(3);
    Collector collector;
    collector.fail_after = 500;
    CHECK(stateOf([&] { QueryRun(plan.program, around.environment).consume(collector); }) ==
          sqlstate::kDiskFull);
}

TEST_CASE("a stop request cancels; an abandoned run ends its lanes") {
    const Plan plan(false);
    for (const u32 threads : {1u, 3u}) {
        Surroundings around(threads);
        CHECK(stateOf([&] {
                  QueryRun run(plan.program, around.environment);
                  Batch batch;
                  REQUIRE(run.next(batch));
                  around.stop.request();
                  while (run.next(batch)) {}
              }) == sqlstate::kQueryCanceled);
        for (int turn = 0; turn < 10; ++turn) {
            around.stop.clear();
            QueryRun run(plan.program, around.environment);
            Batch batch;
            for (int i = 0; i < turn; ++i) REQUIRE(run.next(batch));
        }
        CHECK(around.broker.used() == 0);
    }
}

TEST_CASE("the end of a run is not the end of others that share its stop token") {
    const Plan plan(false);
    for (const u32 threads : {1u, 3u}) {
        Surroundings around(threads);
        QueryRun stays(plan.program, around.environment);
        Batch batch;
        REQUIRE(stays.next(batch));
        u64 rows = batch.selected;
        {
            QueryRun ends(plan.program, around.environment);
            REQUIRE(ends.next(batch));
        }
        CHECK_FALSE(around.stop.requested());
        while (stays.next(batch)) rows += batch.selected;
        CHECK(rows == kRows);
    }
}

TEST_CASE("who saw a stop request stays stopped when the request is cleared") {
    StopToken statement;
    const StopToken run(&statement);
    const StopToken unaware(&statement);
    statement.requestForTimeout();
    CHECK(run.requested());
    statement.clear();
    CHECK(run.requested());
    CHECK(run.timedOut());
    CHECK_FALSE(unaware.requested());
}
