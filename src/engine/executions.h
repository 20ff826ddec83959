// executions.h: the kinds of running statements: a query's rows, rows at hand, a command, a copy.
//
// Place: made by statement.cpp, driven by the wire or the shell.
// Common life: finish() ends the statement in its connection (commit when it stands alone).
#pragma once

#include "engine/connection.h"

namespace blueshift::engine {

class StatementExecution : public Execution {
public:
    StatementExecution(EngineConnection& connection, bool implicit_block)
        : connection_(connection),
          implicit_block_(implicit_block),
          query_id_(connection.queryId()) {}
    ~StatementExecution() override;

    ResultKind kind() const override { return ResultKind::kNone; }
    std::span<const ResultField> fields() const override { return {}; }
    bool next(Batch&) override { return false; }
    std::string_view nextBytes() override { return {}; }
    std::span<const size_t> rowEnds() const override { return {}; }
    int copyFormat() const override { return 0; }
    std::string finish() final;

protected:
    /// Runs whatever is left; returns the tag.
    virtual std::string run() = 0;

    EngineConnection& connection_;
    bool implicit_block_;
    i64 query_id_; // in the history of the engine
    bool finished_ = false;
};

/// A plan ready to run, with everything it borrows.
struct PlannedQuery {
    std::shared_ptr<const catalog::CatalogSnapshot> snapshot;
    Arena arena;
    std::string text;
    std::vector<Value> parameters;
    bind::QueryPlan bound;
    optimize::PhysicalPlan physical;
    compile::Program program;
    std::vector<ResultField> fields;
    /// What each stage took, nanoseconds.
    i64 parse_nanos = 0;
    i64 bind_nanos = 0;
    i64 optimize_nanos = 0;
    i64 compile_nanos = 0;
};

/// Who takes the rows: a client, from the leader, or a write, on the nodes where they are.
enum class RowsFor : u8 { kClient, kWrite };

/// Optimises and compiles planned->bound. `target`: the table that takes whole rows, if known.
void planQuery(EngineConnection& connection, PlannedQuery& planned,
               RowsFor rows_for = RowsFor::kClient, const catalog::Table* target = nullptr);
std::vector<ResultField> fieldsOf(const bind::QueryPlan& plan);

std::unique_ptr<StatementExecution> makeQueryExecution(EngineConnection& connection,
                                                       std::shared_ptr<PlannedQuery> planned,
                                                       bool implicit_block,
                                                       std::string tag = "SELECT");

/// Rows of text at hand: SHOW, EXPLAIN.
struct TextRows {
    std::vector<ResultField> fields;
    std::vector<std::vector<std::optional<std::string>>> rows;
    std::string tag;
};
std::unique_ptr<StatementExecution> makeRowsExecution(EngineConnection& connection, TextRows rows,
                                                      bool implicit_block);

/// Runs `body` in finish(); it returns the tag.
std::unique_ptr<StatementExecution> makeCommandExecution(EngineConnection& connection,
                                                         std::function<std::string()> body,
                                                         bool implicit_block);

} // namespace blueshift::engine
