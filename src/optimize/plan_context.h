// plan_context.h: what all passes over one plan share: arena, fresh column ids, facts about
// columns, shared subplans, options, notes.
//
// Place: made by optimize() and unnest(), handed to every pass.
// Owns / borrows: facts are owned; nodes and texts lie in the statement's arena.
// Threads: one statement, one thread.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "bind/logical_plan.h"
#include "optimize/column_set.h"
#include "optimize/optimize.h"

namespace blueshift::optimize {

/// What is known of a column where it comes into being. Estimates unless said otherwise.
struct ColumnFacts {
    std::string_view name;
    SqlType type;
    bool nullable = true;
    /// Origin, for columns of scans and plain renamings of them.
    const catalog::Table* table = nullptr;
    u32 column_id = 0;
    ColumnId origin = kNoColumn; // first column of the scan: tells scans of one table apart
    std::string_view qualifier;  // alias of the scan, for EXPLAIN
    f64 distinct = 0;            // 0 unknown
    f64 null_fraction = 0;
    f64 average_bytes = 8;
    bool has_range = false; // proved
    i128 min = 0;
    i128 max = 0;
    u8 width = 0;
};

class PlanContext {
public:
    PlanContext(Arena& arena, const bind::QueryPlan& plan, const OptimizerOptions& options,
                SampleEvaluator* samples);

    Arena& arena;
    const OptimizerOptions& options;
    SampleEvaluator* samples;
    std::vector<bind::Cte> ctes;
    std::vector<PlanNote> notes;

    bool enabled(std::string_view rule) const { return !options.disabled_rules.contains(rule); }
    void note(std::string_view rule, std::string_view text) { notes.push_back({rule, text}); }

    ColumnFacts& facts(ColumnId id);
    const ColumnFacts& facts(ColumnId id) const;
    bool known(ColumnId id) const { return id < facts_.size(); }
    ColumnId nextColumn() const { return ColumnId(facts_.size()); }

    /// A fresh column; the name is borrowed.
    bind::OutputColumn newColumn(std::string_view name, SqlType type, bool nullable);
    /// A fresh column with the facts of `id`.
    bind::OutputColumn copyOf(ColumnId id);
    const Expr* column(ColumnId id, bool nullable = true);

    // ---- Operators.
    bind::LogicalOp* filter(bind::LogicalOp* child, std::span<const Expr* const> terms);
    bind::LogicalOp* map(bind::LogicalOp* child, std::span<const bind::MapItem> items);
    bind::JoinOp* join(bind::JoinType type, bind::LogicalOp* left, bind::LogicalOp* right,
                       const Expr* condition);
    bind::DistinctOp* distinct(bind::LogicalOp* child, std::span<const ColumnId> columns);
    bind::LimitOp* limit(bind::LogicalOp* child, i64 limit, i64 offset);
    bind::CteScanOp* cteScan(u32 cte, std::span<const bind::OutputColumn> columns,
                             std::span<const ColumnId> inputs);
    /// No rows, with the columns of `like`.
    bind::LogicalOp* noRows(const ColumnSet& columns);
    template <class T>
    T* op(bind::LogicalKind kind, std::initializer_list<bind::LogicalOp*> children) {
        T* made = arena.make<T>();
        made->kind = kind;
        made->children = List<bind::LogicalOp*>(arena, children);
        return made;
    }

    /// Adds the facts of every column that operators of this tree bring into being.
    void learn(bind::LogicalOp* op);

private:
    void learnScan(const bind::ScanOp& scan);
    void learnSubqueries(const Expr* expr);
    void set(const bind::OutputColumn& column);
    /// Distinct values of an expression, by those of its columns.
    f64 computedDistinct(const Expr* expr) const;

    std::vector<ColumnFacts> facts_;
};

} // namespace blueshift::optimize
