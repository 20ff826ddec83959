// plan_builder.h: from the optimised logical tree to physical operators.
//
// Place: after all logical rules. Columns are pruned on the way down: an operator is built for the
// set of columns that its parent reads, and lists exactly those. Expressions that operators want as
// columns (sort keys, aggregate arguments, window keys) are computed by a Map below them.
// Owns / borrows: operators live in the statement's arena.
// Threads: one statement, one thread.
#pragma once

#include "optimize/logical_shape.h"
#include "optimize/physical_plan.h"
#include "optimize/plan_context.h"
#include "optimize/statistics/cardinality.h"

namespace blueshift::optimize {

class PlanBuilder {
public:
    PlanBuilder(PlanContext& context, Cardinality& cardinality)
        : context_(context), arena_(context.arena), cardinality_(cardinality) {}

    PhysicalPlan build(bind::LogicalOp* root, const List<bind::ResultColumn>& result);

private:
    PhysicalOp* build(const bind::LogicalOp* op, const ColumnSet& needed);

    // ---- Leaves: build_scan.cpp.
    PhysicalOp* buildScan(const bind::ScanOp& scan, std::span<const Expr* const> terms,
                          const ColumnSet& needed, const bind::LogicalOp* top);
    PhysicalOp* buildSource(const bind::SourceOp& source, const ColumnSet& needed);
    PhysicalOp* buildValues(const bind::ValuesOp& values, const ColumnSet& needed);
    PhysicalOp* buildCteScan(const bind::CteScanOp& scan, const ColumnSet& needed);
    bool asTest(const Expr* term, const bind::ScanOp& scan, TableScanOp::Test& test);

    // ---- Joins: build_join.cpp.
    PhysicalOp* buildJoin(const bind::JoinOp& join, const ColumnSet& needed);
    PhysicalOp* hashJoin(const bind::JoinOp& join, const ColumnSet& needed,
                         std::span<const Equality> keys, std::span<const Expr* const> rest);
    PhysicalOp* nestedLoopJoin(const bind::JoinOp& join, const ColumnSet& needed);
    void addJoinColumns(PhysicalOp* made, JoinOutput output, const ColumnSet& needed,
                        const bind::JoinOp& join);

    // ---- Grouping, order, sets: build_group.cpp, plan_builder.cpp.
    PhysicalOp* buildAggregate(const bind::AggregateOp& aggregate, const ColumnSet& needed);
    /// nullptr unless the catalog answers every call: build_metadata.cpp.
    PhysicalOp* buildMetadata(const bind::AggregateOp& aggregate, const ColumnSet& needed);
    PhysicalOp* buildDistinct(const bind::DistinctOp& distinct, const ColumnSet& needed);
    PhysicalOp* buildWindow(const bind::WindowOp& window, const ColumnSet& needed);
    PhysicalOp* buildFilter(const bind::FilterOp& filter, const ColumnSet& needed);
    PhysicalOp* buildMap(const bind::MapOp& map, const ColumnSet& needed);
    PhysicalOp* buildSort(const bind::SortOp& sort, const ColumnSet& needed,
                          const bind::LimitOp* limit);
    PhysicalOp* buildLimit(const bind::LimitOp& limit, const ColumnSet& needed);
    PhysicalOp* buildUnion(const bind::UnionOp& all, const ColumnSet& needed);

    /// Columns that stand for expressions: plain columns stay, others become items of a Map that
    /// `below` collects; equal expressions share one.
    class Columns;
    PhysicalOp* mapOver(PhysicalOp* child, std::span<const MapItem> items, const ColumnSet& needed,
                        const bind::LogicalOp* estimated_as);
    List<bind::SortKey> sortKeys(const List<bind::SortKey>& keys, Columns& columns);

    template <class T> T* make(OpKind kind, std::initializer_list<PhysicalOp*> children);
    PhysicalColumn columnOf(const bind::OutputColumn& column) const;
    /// Copies those columns of `from` that are in `needed`.
    void pass(PhysicalOp* to, const PhysicalOp* from, const ColumnSet& needed) const;
    void estimate(PhysicalOp* made, const bind::LogicalOp* op);

    PlanContext& context_;
    Arena& arena_;
    Cardinality& cardinality_;
    std::vector<ColumnSet> cte_needed_;
};

template <class T> T* PlanBuilder::make(OpKind kind, std::initializer_list<PhysicalOp*> children) {
    T* made = arena_.make<T>();
    made->kind = kind;
    made->children = List<PhysicalOp*>(arena_, children);
    made->columns = List<PhysicalColumn>(arena_);
    made->distribution.keys = List<ColumnId>(arena_);
    return made;
}

/// Maps that compute what an operator above wants as columns.
class PlanBuilder::Columns {
public:
    explicit Columns(PlanContext& context) : context_(context) {}

    const Expr* of(const Expr* expr, bool keep_constants) {
        if (isColumn(expr)) {
            read.add(expr->as<ColumnExpr>()->id);
            return expr;
        }
        if (keep_constants && expr->kind == ExprKind::kConstant) return expr;
        for (const auto& [item, column] : made_)
            if (sameExpr(item.expr, expr)) return column;
        const bind::OutputColumn column =
            context_.newColumn("?column?", expr->type, expr->nullable);
        items.push_back({column.id, expr});
        const Expr* made = makeColumn(context_.arena, column.id, expr->type, expr->nullable);
        made_.emplace_back(items.back(), made);
        read.add(column.id);
        return made;
    }
    /// What the child below the map must deliver.
    ColumnSet below() const {
        ColumnSet set = read;
        for (const MapItem& item : items) {
            set.remove(item.id);
            set.addAll(columnsOf(item.expr));
        }
        return set;
    }

    ColumnSet read;
    std::vector<MapItem> items;

private:
    PlanContext& context_;
    std::vector<std::pair<MapItem, const Expr*>> made_;
};

/// Numbers all operators in preorder, the root's tree first, then the shared subplans.
void numberOperators(PhysicalPlan& plan);
/// Width, costs in Redshift's units, of an operator whose children have theirs.
void costOperator(PhysicalOp* op);

} // namespace blueshift::optimize
