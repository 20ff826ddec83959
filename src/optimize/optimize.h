// optimize.h: front door of the optimiser: from a typed plan to a distributed physical plan.
//
// Place: bind -> optimize -> compile.
// Order of passes: docs/design/optimizer.md. Each rule is a file with one purpose and a switch in
// OptimizerOptions, so that a wrong row can be pinned to a rule.
// Threads: one statement, one thread.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "bind/logical_plan.h"
#include "optimize/physical_plan.h"

namespace blueshift::optimize {

/// Runs a predicate over a table's stored sample. Handed in by statement.cpp (an upward call).
class SampleEvaluator {
public:
    virtual ~SampleEvaluator() = default;
    struct Answer {
        u32 sampled = 0;
        u32 passed = 0;
    };
    /// `columns`: id -> catalog column id of `table`. Nothing when there is no sample or an error.
    virtual std::optional<Answer> passingRows(
        const catalog::Table& table, const Expr* predicate,
        std::span<const std::pair<ColumnId, u32>> columns) = 0;
};

struct ClusterShape {
    u32 nodes = 1;
    u32 threads_per_node = 2;
    /// DISTSTYLE AUTO: tables up to this size are read whole by every node, as ALL is.
    u64 whole_table_rows = 50'000;
};

struct OptimizerOptions {
    ClusterShape cluster;
    std::set<std::string, std::less<>> disabled_rules;
    /// Relations up to which join order is enumerated exhaustively.
    u32 exhaustive_relations = 12;
    /// The result stays on the nodes (rows of a write), else it is gathered at the leader.
    bool result_on_nodes = false;
    /// Written to a table with a distribution key: the result column that is the key.
    i32 result_key = -1;
    /// Fewer rows are written where they are.
    f64 least_moved_rows = 20'000;
};

PhysicalPlan optimize(const bind::QueryPlan& plan, Arena& arena, SampleEvaluator* samples,
                      const OptimizerOptions& options);

/// The logical plan after unnesting only; tests assert that no dependent join is left.
bind::QueryPlan unnest(const bind::QueryPlan& plan, Arena& arena);

/// Redshift's EXPLAIN shape, a line per row (sql-surface: "EXPLAIN"). `verbose` adds estimates of
/// every column. `actuals`, when given, add what EXPLAIN ANALYZE measured per operator id.
struct OperatorActuals {
    u64 rows = 0;
    u64 nanos = 0; // summed over workers
    u64 memory_bytes = 0;
    u64 spilled_bytes = 0;
    u64 blocks_skipped = 0;
    u64 blocks_read = 0;
    std::string note; // e.g. join filter counts, tier
};
std::vector<std::string> explainPlan(const PhysicalPlan& plan,
                                     std::span<const OperatorActuals> actuals = {});

} // namespace blueshift::optimize
