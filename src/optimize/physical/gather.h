// gather.h: the last exchange: rows that lie on compute nodes go to the leader, merged when
// ordered.
//
// Place: over the finished physical plan; also names how each join finds its partners (DS_*).
// On one node every exchange hands a pointer over and every join is co-located.
#pragma once

#include "optimize/plan_context.h"

namespace blueshift::optimize {

void gatherResult(PlanContext& context, PhysicalPlan& plan);

} // namespace blueshift::optimize
