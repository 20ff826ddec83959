// Grouping, DISTINCT and windows of the physical plan.
#include <algorithm>

#include "optimize/physical/plan_builder.h"

namespace blueshift::optimize {

namespace {

/// The rest of a group's keys is one value per group when a declared key of their table is among
/// the keys: marked, so that grouping does not hash or compare them.
void markDependentKeys(const PlanContext& context, List<AggregateOp::Key>& keys) {
    for (u32 i = 0; i < keys.size(); ++i) {
        if (!isColumn(keys[i].expr)) continue;
        const ColumnFacts& about = context.facts(keys[i].expr->as<ColumnExpr>()->id);
        if (about.table == nullptr) continue;
        for (const catalog::KeyConstraint& key : about.table->keys) {
            bool covered = !key.columns.empty();
            bool part = false;
            for (const u32 column : key.columns) {
                part |= column == about.column_id;
                bool found = false;
                for (const AggregateOp::Key& other : keys) {
                    if (!isColumn(other.expr) || other.dependent) continue;
                    const ColumnFacts& facts = context.facts(other.expr->as<ColumnExpr>()->id);
                    found |= facts.table == about.table && facts.origin == about.origin &&
                             facts.column_id == column;
                }
                covered &= found;
            }
            if (covered && !part) keys[i].dependent = true;
        }
    }
}

} // namespace

PhysicalOp* PlanBuilder::buildAggregate(const bind::AggregateOp& aggregate,
                                        const ColumnSet& needed) {
    if (PhysicalOp* known = buildMetadata(aggregate, needed)) return known;
    const bool scalar = isScalarAggregate(&aggregate);
    Columns columns(context_);
    auto* made = make<AggregateOp>(OpKind::kAggregate, {});
    made->keys = List<AggregateOp::Key>(arena_);
    made->aggregates = List<AggregateCall>(arena_);
    made->grouping_sets = aggregate.grouping_sets;
    if (aggregate.grouping_id.id != kNoColumn && needed.contains(aggregate.grouping_id.id))
        made->grouping_id = aggregate.grouping_id.id;
    std::vector<const Expr*> key_exprs;
    for (const bind::GroupKey& key : aggregate.keys) {
        const Expr* expr = columns.of(key.expr, false);
        key_exprs.push_back(expr);
        made->keys.push({key.column.id, expr, false});
    }
    std::vector<const bind::AggregateItem*> kept;
    for (const bind::AggregateItem& item : aggregate.aggregates) {
        if (!needed.contains(item.column.id)) continue;
        kept.push_back(&item);
        AggregateCall call{
            .id = item.column.id, .aggregate = item.aggregate, .type = item.column.type};
        call.args = List<const Expr*>(arena_);
        for (const Expr* arg : item.args) call.args.push(columns.of(arg, true));
        call.distinct = item.distinct;
        if (item.filter != nullptr && !isConstantTrue(item.filter))
            call.filter = columns.of(item.filter, false);
        call.order_by = sortKeys(item.order_by, columns);
        made->aggregates.push(call);
    }
    if (scalar && kept.empty()) {
        // One row without columns, whatever lies below.
        auto* row = make<ValuesOp>(OpKind::kValues, {});
        row->value_rows = List<List<const Expr*>>(arena_);
        row->value_rows.push(List<const Expr*>(arena_));
        estimate(row, &aggregate);
        return row;
    }
    PhysicalOp* child = build(aggregate.children[0], columns.below());
    child = mapOver(child, columns.items, columns.read, aggregate.children[0]);
    made->children.push(child);
    if (made->grouping_sets.empty() && context_.enabled("dependent_keys"))
        markDependentKeys(context_, made->keys);
    for (u32 i = 0; i < aggregate.keys.size(); ++i) {
        PhysicalColumn column = columnOf(aggregate.keys[i].column);
        if (isColumn(made->keys[i].expr)) {
            const PhysicalColumn* from = child->find(made->keys[i].expr->as<ColumnExpr>()->id);
            BS_CHECK(from != nullptr, "a group key is missing below its grouping");
            column.nullable = from->nullable || !made->grouping_sets.empty();
            column.has_range = from->has_range;
            column.min = from->min;
            column.max = from->max;
        }
        if (needed.contains(column.id)) made->columns.push(column);
    }
    for (const bind::AggregateItem* item : kept) {
        PhysicalColumn column = columnOf(item->column);
        column.has_range = false;
        made->columns.push(column);
    }
    if (made->grouping_id != kNoColumn) made->columns.push(columnOf(aggregate.grouping_id));
    made->distribution = child->distribution;
    if (scalar) made->distribution.kind = DistributionKind::kSingle;
    estimate(made, &aggregate);
    made->estimated_groups = made->rows;
    return made;
}

PhysicalOp* PlanBuilder::buildDistinct(const bind::DistinctOp& distinct, const ColumnSet& needed) {
    PhysicalOp* child = build(distinct.children[0], outputsOf(&distinct));
    if (distinct.columns.empty()) {
        auto* first = make<LimitOp>(OpKind::kLimit, {child});
        first->limit = 1;
        estimate(first, &distinct);
        return first;
    }
    auto* made = make<AggregateOp>(OpKind::kAggregate, {child});
    made->keys = List<AggregateOp::Key>(arena_);
    made->aggregates = List<AggregateCall>(arena_);
    made->grouping_sets = List<u64>(arena_);
    for (const ColumnId id : distinct.columns) {
        bool repeated = false;
        for (const AggregateOp::Key& key : made->keys) repeated |= key.id == id;
        if (repeated) continue;
        const PhysicalColumn* from = child->find(id);
        BS_CHECK(from != nullptr, "DISTINCT reads a column that its child does not have");
        made->keys.push({id, makeColumn(arena_, id, from->type, from->nullable), false});
        if (needed.contains(id)) made->columns.push(*from);
    }
    made->distribution = child->distribution;
    estimate(made, &distinct);
    made->estimated_groups = made->rows;
    return made;
}

PhysicalOp* PlanBuilder::buildWindow(const bind::WindowOp& window, const ColumnSet& needed) {
    std::vector<bind::WindowItem> kept;
    for (const bind::WindowItem& item : window.items)
        if (needed.contains(item.column.id)) kept.push_back(item);
    if (kept.empty()) return build(window.children[0], needed);
    Columns columns(context_);
    columns.read = needed & outputsOf(window.children[0]);
    auto* made = make<WindowOp>(OpKind::kWindow, {});
    made->partition_by = List<const Expr*>(arena_);
    for (const Expr* expr : window.partition_by)
        if (expr->kind != ExprKind::kConstant) made->partition_by.push(columns.of(expr, false));
    made->order_by = sortKeys(window.order_by, columns);
    made->items = List<bind::WindowItem>(arena_);
    for (bind::WindowItem& item : kept) {
        List<const Expr*> args(arena_);
        for (const Expr* arg : item.args) args.push(columns.of(arg, true));
        item.args = args;
        made->items.push(item);
    }
    PhysicalOp* child = build(window.children[0], columns.below());
    child = mapOver(child, columns.items, columns.read, window.children[0]);
    made->children.push(child);
    pass(made, child, needed);
    for (const bind::WindowItem& item : kept) made->columns.push(columnOf(item.column));
    made->distribution = child->distribution;
    estimate(made, &window);
    return made;
}

} // namespace blueshift::optimize
