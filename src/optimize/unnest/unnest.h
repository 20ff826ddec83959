// unnest.h: removes every subquery expression and every dependent join.
//
// Place: first pass over a bound plan; afterwards the plan is plain relational algebra.
// In three steps: (1) subquery expressions become joins, dependent where the subquery reads columns
// of its surroundings (remove_subqueries); (2) from the top down, each dependent join loses its
// dependence: by lifting the correlated predicates into the join condition, with the correlation
// key as a further group key (lift_correlation), or, where that is impossible, by joining the
// subquery with the duplicate-free set of outer values (domain); (3) shared subplans are put in
// order. Why so: Neumann, Kemper 2015 (any correlation becomes a join); from the top down, as in
// Neumann 2025, so that a subquery two levels deep meets columns of its direct parent only.
#pragma once

#include "optimize/logical_shape.h"
#include "optimize/plan_context.h"

namespace blueshift::optimize {

/// The whole of it, for the root and for all shared subplans.
bind::LogicalOp* unnestAll(PlanContext& context, bind::LogicalOp* root);

/// Step 1, for one tree: no SubqueryExpr is left.
bind::LogicalOp* removeSubqueries(PlanContext& context, bind::LogicalOp* op);

/// Step 2, for one tree: no dependent join is left.
bind::LogicalOp* removeDependence(PlanContext& context, bind::LogicalOp* op);

/// Predicates over `outer` lifted out of a tree: `op` reads none of them any more.
struct Lifted {
    bind::LogicalOp* op = nullptr;
    std::vector<const Expr*> predicates;
    bool possible = false;
};
/// Works on a copy of `op` (same column ids); on failure the original is as it was.
Lifted liftCorrelation(PlanContext& context, const bind::LogicalOp* op, const ColumnSet& outer);

/// The duplicate-free set of values of `columns` of an operator's rows, readable several times.
class Domain {
public:
    /// `source` is replaced by an operator with the same columns when its rows are shared.
    Domain(PlanContext& context, bind::LogicalOp*& source, const ColumnSet& columns);
    /// One more reader; `ids`: from each outer column to the one of this reader.
    bind::LogicalOp* read(ColumnMap& ids);
    const ColumnSet& columns() const { return columns_; }

private:
    PlanContext& context_;
    ColumnSet columns_;
    u32 cte_ = 0;
    std::vector<std::pair<ColumnId, ColumnId>> inputs_; // outer column, column of the shared plan
};
/// `op` for every member of the domain at once: its rows get the domain's columns, named in `ids`.
bind::LogicalOp* pushDomain(PlanContext& context, bind::LogicalOp* op, Domain& domain,
                            ColumnMap& ids);

/// A grouping without keys that is about to get keys loses its row for no input. `aggregate` gets
/// new ids for columns that are not NULL then (COUNT); the items bring back the old ones.
std::vector<bind::MapItem> restoreEmptyGroup(PlanContext& context, bind::AggregateOp* aggregate);

/// ORDER BY ... LIMIT per partition: row_number() and a filter.
bind::LogicalOp* limitPerPartition(PlanContext& context, bind::LogicalOp* child,
                                   std::span<const Expr* const> partition,
                                   const List<bind::SortKey>* order, const bind::LimitOp& limit);

/// Shared subplans in the order of dependence, unread ones dropped, those with one reader inlined.
bind::LogicalOp* orderCtes(PlanContext& context, bind::LogicalOp* root);

} // namespace blueshift::optimize
