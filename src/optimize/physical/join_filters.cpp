#include "optimize/physical/join_filters.h"

#include <algorithm>

#include "optimize/logical_shape.h"

namespace blueshift::optimize {

namespace {

/// A build side with more than this part of the key's values filters too little.
constexpr f64 kUselessPart = 0.9;

class FilterPlacer {
public:
    FilterPlacer(PlanContext& context, PhysicalPlan& plan) : context_(context), plan_(plan) {}

    void visit(PhysicalOp* op) {
        if (op->kind == OpKind::kHashJoin) publish(op->as<HashJoinOp>());
        for (PhysicalOp* child : op->children) visit(child);
    }

private:
    void publish(HashJoinOp* join);
    /// Offers `filter` to every scan below that yields the column; true when one took it.
    bool offer(PhysicalOp* op, ColumnId id, u32 filter, bool united = false);
    bool offerJoin(PhysicalOp* op, ColumnId id, u32 filter, bool united);
    bool offerScan(TableScanOp* scan, ColumnId id, u32 filter, bool united);

    PlanContext& context_;
    PhysicalPlan& plan_;
};

/// Probe rows without a partner leave no trace in the output.
bool dropsProbeRows(JoinOutput output) {
    return output == JoinOutput::kInner || output == JoinOutput::kBuildOuter ||
           output == JoinOutput::kProbeSemi || output == JoinOutput::kBuildSemi ||
           output == JoinOutput::kBuildAnti;
}

void FilterPlacer::publish(HashJoinOp* join) {
    if (!dropsProbeRows(join->output)) return;
    for (u32 i = 0; i < join->keys.size(); ++i) {
        const auto [probe, build] = join->keys[i];
        if (!isColumn(probe) || isFloat(probe->type.kind)) continue;
        if (isColumn(build)) {
            const f64 values = context_.facts(build->as<ColumnExpr>()->id).distinct;
            const f64 others = context_.facts(probe->as<ColumnExpr>()->id).distinct;
            if (values > 0 && join->children[1]->rows > kUselessPart * std::max(values, others))
                continue;
        }
        if (!offer(join->children[0], probe->as<ColumnExpr>()->id, plan_.join_filters)) continue;
        join->publishes.push({i, plan_.join_filters});
        ++plan_.join_filters;
    }
}

bool FilterPlacer::offerScan(TableScanOp* scan, ColumnId id, u32 filter, bool united) {
    for (u32 i = 0; i < scan->columns.size(); ++i) {
        if (scan->columns[i].id != id || scan->column_ids[i] == kRowIdColumn) continue;
        scan->join_filters.push({filter, scan->column_ids[i], united});
        return true;
    }
    return false;
}

bool FilterPlacer::offerJoin(PhysicalOp* op, ColumnId id, u32 filter, bool united) {
    PhysicalOp* probe = op->children[0];
    PhysicalOp* build = op->children[1];
    const JoinOutput output = op->kind == OpKind::kHashJoin ? op->as<HashJoinOp>()->output
                                                            : op->as<NestedLoopJoinOp>()->output;
    if (output == JoinOutput::kFullOuter) return false;
    const bool both = output == JoinOutput::kInner;
    const bool probe_open = output != JoinOutput::kBuildOuter && output != JoinOutput::kBuildAnti;
    const bool build_open = both || output == JoinOutput::kBuildOuter ||
                            output == JoinOutput::kBuildSemi || output == JoinOutput::kBuildAnti;
    bool taken = false;
    if (probe->find(id) != nullptr) taken |= probe_open && offer(probe, id, filter, united);
    else if (build->find(id) != nullptr) taken |= build_open && offer(build, id, filter, united);
    const bool equal = both || output == JoinOutput::kProbeSemi || output == JoinOutput::kBuildSemi;
    if (!equal || op->kind != OpKind::kHashJoin) return taken;
    // Partners have the same key: the filter holds for the other side as well.
    for (const JoinKey& key : op->as<HashJoinOp>()->keys) {
        if (!isColumn(key.probe) || !isColumn(key.build) || key.probe->type != key.build->type)
            continue;
        const ColumnId of_probe = key.probe->as<ColumnExpr>()->id;
        const ColumnId of_build = key.build->as<ColumnExpr>()->id;
        if (of_probe == id) taken |= offer(build, of_build, filter, united);
        else if (of_build == id) taken |= offer(probe, of_probe, filter, united);
    }
    return taken;
}

bool FilterPlacer::offer(PhysicalOp* op, ColumnId id, u32 filter, bool united) {
    switch (op->kind) {
    case OpKind::kTableScan: return offerScan(op->as<TableScanOp>(), id, filter, united);
    case OpKind::kFilter:
    case OpKind::kSort: return offer(op->children[0], id, filter, united);
    case OpKind::kExchange: return offer(op->children[0], id, filter, true);
    case OpKind::kMap:
        for (const MapItem& item : op->as<MapOp>()->items) {
            if (item.id != id) continue;
            return isColumn(item.expr) &&
                   offer(op->children[0], item.expr->as<ColumnExpr>()->id, filter, united);
        }
        return offer(op->children[0], id, filter, united);
    case OpKind::kHashJoin:
    case OpKind::kNestedLoopJoin: return offerJoin(op, id, filter, united);
    case OpKind::kAggregate: {
        const auto* group = op->as<AggregateOp>();
        if (!group->grouping_sets.empty()) return false;
        for (const AggregateOp::Key& key : group->keys)
            if (key.id == id && !key.dependent && isColumn(key.expr))
                return offer(op->children[0], key.expr->as<ColumnExpr>()->id, filter, united);
        return false;
    }
    case OpKind::kWindow:
        for (const Expr* key : op->as<WindowOp>()->partition_by)
            if (isColumn(key) && key->as<ColumnExpr>()->id == id)
                return offer(op->children[0], id, filter, united);
        return false;
    case OpKind::kUnionAll: {
        auto* all = op->as<UnionAllOp>();
        bool taken = false;
        for (u32 i = 0; i < all->columns.size(); ++i) {
            if (all->columns[i].id != id) continue;
            for (u32 k = 0; k < all->children.size(); ++k)
                taken |= offer(all->children[k], all->inputs[k][i], filter, united);
        }
        return taken;
    }
    default: return false;
    }
}

} // namespace

void placeJoinFilters(PlanContext& context, PhysicalPlan& plan) {
    if (!context.enabled("join_filters")) return;
    FilterPlacer placer(context, plan);
    placer.visit(plan.root);
    for (PhysicalOp* cte : plan.ctes) placer.visit(cte);
}

} // namespace blueshift::optimize
