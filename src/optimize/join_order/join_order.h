// join_order.h: finds the cheapest order of each cluster of joins.
//
// Place: after predicates were pushed down, before the physical plan. A cluster is a maximal tree
// of inner, outer, semi and anti joins; everything else is a relation of it. Up to
// OptimizerOptions::exhaustive_relations: all connected orders (dphyp.h). Beyond, and when the
// pairs exceed a budget that stands for 20 ms: greedily the pair with the fewest rows (GOO, Fegaras
// 1998). Inner equalities are closed transitively first; one equality per class is applied.
// Cost: nanoseconds a row of building and probing by the bytes of the build side.
#pragma once

#include "optimize/plan_context.h"
#include "optimize/statistics/cardinality.h"

namespace blueshift::optimize {

bind::LogicalOp* orderJoins(PlanContext& context, Cardinality& cardinality, bind::LogicalOp* op);

} // namespace blueshift::optimize
