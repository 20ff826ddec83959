// cardinality.h: how many rows an operator yields: an estimate and a proved upper bound.
//
// Place: asked by join ordering, by the physical plan and by EXPLAIN.
// Base tables: the predicate is run on the table's sample where there is one; else ranges, distinct
// counts and textbook fractions. Joins: containment of the smaller value set, keys respected.
// Owns: a memo by operator; forget() after a tree was changed.
#pragma once

#include <unordered_map>

#include "optimize/logical_shape.h"
#include "optimize/plan_context.h"

namespace blueshift::optimize {

struct RowEstimate {
    f64 rows = 1;
    f64 upper = 1;
};

class Cardinality {
public:
    explicit Cardinality(PlanContext& context) : context_(context) {}

    RowEstimate of(const bind::LogicalOp* op);
    f64 rows(const bind::LogicalOp* op) { return of(op).rows; }
    void forget() { memo_.clear(); }

    /// Part of the rows that satisfy a predicate, by facts about its columns alone.
    f64 selectivity(const Expr* predicate) const;
    /// The same for the conjunction of terms over one scan, by its sample where possible.
    f64 scanSelectivity(const bind::ScanOp& scan, std::span<const Expr* const> terms);
    /// Distinct values of an expression among `rows` rows.
    f64 distinct(const Expr* expr, f64 rows) const;
    /// Part of the pairs of two inputs that agree in all keys.
    f64 joinSelectivity(std::span<const Equality> keys, f64 left_rows, f64 right_rows) const;
    /// Groups of `rows` rows by these expressions.
    f64 groups(std::span<const Expr* const> keys, f64 rows) const;

private:
    RowEstimate estimate(const bind::LogicalOp* op);
    RowEstimate estimateJoin(const bind::JoinOp& join);
    RowEstimate estimateAggregate(const bind::AggregateOp& aggregate);
    RowEstimate estimateFilter(const bind::FilterOp& filter);
    f64 comparisonSelectivity(const CallExpr& call) const;

    PlanContext& context_;
    std::unordered_map<const bind::LogicalOp*, RowEstimate> memo_;
};

} // namespace blueshift::optimize
