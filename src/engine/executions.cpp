#include "engine/executions.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>

#include "compile/compile.h"
#include "engine/sample_evaluator.h"
#include "optimize/optimize.h"

namespace blueshift::engine {
namespace {

i64 nanosSince(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() -
                                                                start)
        .count();
}

/// The rows that a tag counts: `SELECT 5`, `INSERT 0 3`.
i64 rowsOf(std::string_view tag) {
    const size_t blank = tag.rfind(' ');
    i64 rows = 0;
    if (blank != std::string_view::npos)
        std::from_chars(tag.data() + blank + 1, tag.data() + tag.size(), rows);
    return rows;
}

class QueryExecution final : public StatementExecution {
public:
    QueryExecution(EngineConnection& connection, std::shared_ptr<PlannedQuery> planned,
                   bool implicit_block, std::string tag)
        : StatementExecution(connection, implicit_block),
          planned_(std::move(planned)),
          tag_(std::move(tag)),
          run_(planned_->program, connection.environment()) {
        connection_.setRun(&run_);
    }
    ~QueryExecution() override { connection_.setRun(nullptr); }

    ResultKind kind() const override { return ResultKind::kRows; }
    std::span<const ResultField> fields() const override { return planned_->fields; }
    bool next(Batch& batch) override {
        connection_.armStatement(); // a portal goes on
        try {
            if (!run_.next(batch)) return false;
        } catch (const SqlError& error) {
            connection_.recordFailure(query_id_, error.error());
            throw;
        }
        rows_ += batch.selected;
        return true;
    }

protected:
    std::string run() override {
        Batch batch;
        while (next(batch)) {}
        connection_.recordExchanges(run_);
        return fmt::format("{} {}", tag_, rows_);
    }

private:
    std::shared_ptr<PlannedQuery> planned_;
    std::string tag_;
    execute::QueryRun run_;
    u64 rows_ = 0;
};

class RowsExecution final : public StatementExecution {
public:
    RowsExecution(EngineConnection& connection, TextRows rows, bool implicit_block)
        : StatementExecution(connection, implicit_block), rows_(std::move(rows)) {
        for (size_t i = 0; i < rows_.fields.size(); ++i) buffers_.emplace_back(PhysicalKind::kText);
        columns_.resize(rows_.fields.size());
    }

    ResultKind kind() const override { return ResultKind::kRows; }
    std::span<const ResultField> fields() const override { return rows_.fields; }
    bool next(Batch& batch) override {
        if (next_ == rows_.rows.size()) return false;
        u32 count = 0;
        for (; count < kVectorRows && next_ < rows_.rows.size(); ++count, ++next_)
            for (size_t c = 0; c < columns_.size(); ++c) {
                const auto& cell = rows_.rows[next_][c];
                buffers_[c].values<TextView>()[count] =
                    makeTextView(cell ? std::string_view(*cell) : std::string_view());
                if (cell) setBit(buffers_[c].validity(), count);
                else clearBit(buffers_[c].validity(), count);
            }
        for (size_t c = 0; c < columns_.size(); ++c) columns_[c] = buffers_[c].view(true);
        batch = {.rows = count, .selected = count, .columns = columns_};
        return true;
    }

protected:
    std::string run() override { return rows_.tag; }

private:
    TextRows rows_;
    size_t next_ = 0;
    std::vector<VectorBuffer> buffers_;
    std::vector<Vector> columns_;
};

class CommandExecution final : public StatementExecution {
public:
    CommandExecution(EngineConnection& connection, std::function<std::string()> body,
                     bool implicit_block)
        : StatementExecution(connection, implicit_block), body_(std::move(body)) {}

protected:
    std::string run() override { return body_(); }

private:
    std::function<std::string()> body_;
};

} // namespace

StatementExecution::~StatementExecution() {
    // Left before its end: a statement that stands alone keeps nothing open.
    if (finished_) return;
    connection_.disarmStatement();
    connection_.recordEnd(query_id_, catalog::StatementState::kCanceled, 0);
}

std::string StatementExecution::finish() {
    try {
        std::string tag = run();
        finished_ = true;
        connection_.disarmStatement();
        connection_.endStatement(implicit_block_);
        connection_.recordEnd(query_id_, catalog::StatementState::kSuccess, rowsOf(tag));
        return tag;
    } catch (const SqlError& error) {
        connection_.recordFailure(query_id_, error.error());
        throw;
    }
}

std::vector<ResultField> fieldsOf(const bind::QueryPlan& plan) {
    std::vector<ResultField> fields;
    for (const auto& column : plan.columns)
        fields.push_back({std::string(column.name), column.type, column.nullable, column.table,
                          column.attribute});
    return fields;
}

void planQuery(EngineConnection& connection, PlannedQuery& planned, RowsFor rows_for,
               const catalog::Table* target) {
    SharedEngine& engine = connection.engine();
    optimize::OptimizerOptions options;
    options.cluster.nodes = engine.cluster().nodes();
    options.cluster.threads_per_node = engine.pool().threads();
    if (connection.sharesSmallTables()) {
        options.cluster.whole_table_rows = 0;
        options.least_moved_rows = 2;
    }
    if (target != nullptr && target->dist_style == catalog::DistStyle::kKey) {
        const auto columns = target->liveColumns();
        for (u32 i = 0; i < columns.size() && i < planned.bound.columns.size(); ++i)
            if (columns[i]->id == target->dist_key) options.result_key = i32(i);
    }
    options.result_on_nodes = rows_for == RowsFor::kWrite;
    const std::string disabled = connection.settings().get("disabled_optimizer_rules");
    for (size_t at = 0; at < disabled.size();) {
        const size_t comma = std::min(disabled.find(',', at), disabled.size());
        options.disabled_rules.insert(disabled.substr(at, comma - at));
        at = comma + 1;
    }
    auto start = std::chrono::steady_clock::now();
    StoredSampleEvaluator samples;
    planned.physical = optimize::optimize(planned.bound, planned.arena, &samples, options);
    planned.optimize_nanos = nanosSince(start);
    connection.throwIfStopped();
    start = std::chrono::steady_clock::now();
    planned.program = compile::compile(planned.physical, planned.arena, *planned.snapshot);
    planned.compile_nanos = nanosSince(start);
    planned.fields = fieldsOf(planned.bound);
}

std::unique_ptr<StatementExecution> makeQueryExecution(EngineConnection& connection,
                                                       std::shared_ptr<PlannedQuery> planned,
                                                       bool implicit_block, std::string tag) {
    return std::make_unique<QueryExecution>(connection, std::move(planned), implicit_block,
                                            std::move(tag));
}

std::unique_ptr<StatementExecution> makeRowsExecution(EngineConnection& connection, TextRows rows,
                                                      bool implicit_block) {
    return std::make_unique<RowsExecution>(connection, std::move(rows), implicit_block);
}

std::unique_ptr<StatementExecution> makeCommandExecution(EngineConnection& connection,
                                                         std::function<std::string()> body,
                                                         bool implicit_block) {
    return std::make_unique<CommandExecution>(connection, std::move(body), implicit_block);
}

} // namespace blueshift::engine
