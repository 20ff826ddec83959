#include "optimize/join_order/join_order.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "optimize/join_order/join_cluster.h"

namespace blueshift::optimize {

using bind::JoinType;
using bind::LogicalKind;
using bind::LogicalOp;

namespace {

/// Pairs that fit into 20 ms at about a microsecond each.
constexpr u32 kPairBudget = 20000;

bool orderable(const LogicalOp* op) {
    if (op->kind != LogicalKind::kJoin) return false;
    const JoinType type = op->as<bind::JoinOp>()->type;
    return type == JoinType::kInner || type == JoinType::kLeft || type == JoinType::kFull ||
           type == JoinType::kSemi || type == JoinType::kAnti;
}

bool searchAll(JoinCluster& cluster) {
    u32 pairs = 0;
    PairEnumerator* running = nullptr;
    PairEnumerator enumerator(cluster.size(), cluster.hyperEdges(),
                              [&](RelationSet a, RelationSet b) {
                                  if (++pairs > kPairBudget) running->stop();
                                  bool any = false;
                                  for (const bool flip : {false, true}) {
                                      auto plans = cluster.combine(flip ? b : a, flip ? a : b);
                                      any |= !plans.empty();
                                      for (auto& plan : plans) cluster.keep(a | b, std::move(plan));
                                  }
                                  return any;
                              });
    running = &enumerator;
    const RelationSet all = ~RelationSet{0} >> (64 - cluster.size());
    return enumerator.run() && cluster.planOf(all) != nullptr;
}

bool searchGreedily(JoinCluster& cluster) {
    std::vector<RelationSet> parts;
    for (u32 i = 0; i < cluster.size(); ++i) parts.push_back(RelationSet{1} << i);
    while (parts.size() > 1) {
        f64 fewest = std::numeric_limits<f64>::infinity();
        size_t best_a = 0;
        size_t best_b = 0;
        std::vector<JoinCluster::Plan> best;
        f64 best_cost = 0;
        for (size_t a = 0; a < parts.size(); ++a) {
            for (size_t b = 0; b < parts.size(); ++b) {
                if (a == b) continue;
                auto made = cluster.combine(parts[a], parts[b]);
                if (made.empty()) continue;
                const f64 rows = made.front().rows;
                const f64 cost = std::ranges::min_element(made, {}, &JoinCluster::Plan::cost)->cost;
                if (rows > fewest || (rows == fewest && cost >= best_cost)) continue;
                fewest = rows;
                best = std::move(made);
                best_cost = cost;
                best_a = a;
                best_b = b;
            }
        }
        if (best_a == best_b) return false;
        const RelationSet joined = parts[best_a] | parts[best_b];
        for (auto& plan : best) cluster.keep(joined, std::move(plan));
        parts[best_a] = joined;
        parts.erase(parts.begin() + i64(best_b));
    }
    return true;
}

} // namespace

LogicalOp* orderJoins(PlanContext& context, Cardinality& cardinality, LogicalOp* op) {
    if (!context.enabled("join_order")) return op;
    if (!orderable(op)) {
        for (LogicalOp*& child : op->children) child = orderJoins(context, cardinality, child);
        return op;
    }
    // Relations first: their own clusters, and sizes that depend on those.
    const auto inside = [&](auto& self, LogicalOp* join) -> void {
        for (LogicalOp*& child : join->children) {
            if (orderable(child)) self(self, child);
            else child = orderJoins(context, cardinality, child);
        }
    };
    inside(inside, op);
    JoinCluster cluster(context, cardinality);
    cluster.collect(op);
    if (cluster.size() < 3) return op;
    const RelationSet all = ~RelationSet{0} >> (64 - cluster.size());
    const bool exhaustive = cluster.size() <= context.options.exhaustive_relations;
    bool found = exhaustive && searchAll(cluster);
    if (!found) {
        JoinCluster again(context, cardinality);
        again.collect(op);
        if (!searchGreedily(again)) return op;
        context.note("join_order", "greedy");
        return again.build(all);
    }
    context.note("join_order", "exhaustive");
    return cluster.build(all);
}

} // namespace blueshift::optimize
