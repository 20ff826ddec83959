// Costs that EXPLAIN shows, in Redshift's units: a scan costs a hundredth per row, a broadcast or
// redistribution an amount that dwarfs the rest.
#include <algorithm>
#include <cmath>

#include "optimize/physical/plan_builder.h"

namespace blueshift::optimize {

namespace {

constexpr f64 kNetworkCost = 1e6;
constexpr f64 kMergeCost = 1e12;

} // namespace

void costOperator(PhysicalOp* op) {
    f64 below = 0;
    f64 ready = 0;
    for (const PhysicalOp* child : op->children) below += child->total_cost;
    if (!op->children.empty()) ready = op->children[0]->startup_cost;
    const f64 input = op->children.empty() ? op->rows : op->children[0]->rows;
    switch (op->kind) {
    case OpKind::kTableScan:
    case OpKind::kSourceScan:
    case OpKind::kValues:
    case OpKind::kCteScan:
        op->startup_cost = 0;
        op->total_cost = op->rows * 0.01;
        return;
    case OpKind::kMetadata: op->startup_cost = op->total_cost = 0; return;
    case OpKind::kHashJoin:
        op->startup_cost = op->children[1]->total_cost + op->children[1]->rows * 0.0025;
        op->total_cost = below + op->children[1]->rows * 0.0025 + input * 0.01 + op->rows * 0.005;
        return;
    case OpKind::kNestedLoopJoin:
        op->startup_cost = op->children[1]->total_cost;
        op->total_cost = below + input * op->children[1]->rows * 0.01;
        return;
    case OpKind::kAggregate:
        op->startup_cost = op->total_cost = below + input * 0.0125;
        if (!op->as<AggregateOp>()->keys.empty()) op->total_cost += op->rows * 0.0025;
        return;
    case OpKind::kSort:
    case OpKind::kTopN:
        op->startup_cost = kMergeCost + below + input * std::log2(input + 2) * 0.0025;
        op->total_cost = op->startup_cost + op->rows * 0.0025;
        return;
    case OpKind::kWindow:
        op->startup_cost = kMergeCost + below + input * std::log2(input + 2) * 0.0025;
        op->total_cost = op->startup_cost + op->rows * 0.01;
        return;
    case OpKind::kLimit:
        op->startup_cost = ready;
        op->total_cost = ready + (below - ready) * std::min(1.0, op->rows / std::max(input, 1.0));
        return;
    case OpKind::kExchange: {
        const auto kind = op->as<ExchangeOp>()->exchange;
        op->startup_cost = ready;
        op->total_cost = below;
        if (kind != ExchangeKind::kGather && kind != ExchangeKind::kGatherMerge &&
            kind != ExchangeKind::kRoundRobin)
            op->total_cost += kNetworkCost + op->rows * op->width_bytes;
        return;
    }
    case OpKind::kFilter:
    case OpKind::kMap:
    case OpKind::kUnionAll:
        op->startup_cost = ready;
        op->total_cost = below + input * 0.0025;
        return;
    }
}

} // namespace blueshift::optimize
