#include "optimize/physical/gather.h"

#include <algorithm>

#include "optimize/physical/plan_builder.h"

namespace blueshift::optimize {

namespace {

bool readsTables(const PhysicalOp* op) {
    return op->kind == OpKind::kTableScan || op->kind == OpKind::kCteScan ||
           std::ranges::any_of(op->children, readsTables);
}

void labelJoins(PhysicalOp* op) {
    for (PhysicalOp* child : op->children) labelJoins(child);
    if (op->kind != OpKind::kHashJoin && op->kind != OpKind::kNestedLoopJoin) return;
    const bool everywhere = op->children[1]->distribution.kind == DistributionKind::kReplicated;
    const std::string_view label = everywhere ? "DS_DIST_ALL_NONE" : "DS_DIST_NONE";
    if (op->kind == OpKind::kHashJoin) op->as<HashJoinOp>()->label = label;
    else op->as<NestedLoopJoinOp>()->label = label;
}

} // namespace

void gatherResult(PlanContext& context, PhysicalPlan& plan) {
    labelJoins(plan.root);
    for (PhysicalOp* cte : plan.ctes) labelJoins(cte);
    if (!readsTables(plan.root)) return;
    auto* gather = context.arena.make<ExchangeOp>();
    PhysicalOp* child = plan.root;
    gather->kind = OpKind::kExchange;
    gather->children = List<PhysicalOp*>(context.arena, {child});
    gather->columns = child->columns;
    gather->distribution.kind = DistributionKind::kSingle;
    gather->distribution.keys = List<ColumnId>(context.arena);
    gather->keys = List<ColumnId>(context.arena);
    gather->merge_keys = List<bind::SortKey>(context.arena);
    gather->rows = child->rows;
    gather->upper_rows = child->upper_rows;
    gather->width_bytes = child->width_bytes;
    gather->exchange = ExchangeKind::kGather;
    if (child->kind == OpKind::kSort) gather->merge_keys = child->as<SortOp>()->keys;
    if (child->kind == OpKind::kTopN) gather->merge_keys = child->as<TopNOp>()->keys;
    if (!gather->merge_keys.empty()) gather->exchange = ExchangeKind::kGatherMerge;
    costOperator(gather);
    plan.root = gather;
}

} // namespace blueshift::optimize
