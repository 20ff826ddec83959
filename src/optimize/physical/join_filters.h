// join_filters.h: hash joins filter the scans below their probe side by what their build side
// holds.
//
// Place: over the finished physical plan. A filter goes to a scan only where a row that it drops
// could not have changed the result: not to preserved sides, not below LIMIT, not below a grouping
// or window unless the column is one of its keys, not into shared subplans. It also follows
// equalities of other joins below, so that one filter may reach several scans.
#pragma once

#include "optimize/plan_context.h"

namespace blueshift::optimize {

void placeJoinFilters(PlanContext& context, PhysicalPlan& plan);

} // namespace blueshift::optimize
